"""The same work on many items, over this machine's processes or a Ray cluster's; results come in the order of the items.

Only a bounded number of items is in flight, so a million clips need no more memory than a hundred. `work` is best a bound method: its
object goes to each process once and stays there, with whatever nets it loads. Later changes to it here are not seen there.
"""

from __future__ import annotations

import inspect
import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self, TypeVar

from instructavatar import __version__
from instructavatar.errors import BadOption, InstructAvatarError, MissingFile

Item = TypeVar("Item")
Result = TypeVar("Result")

# processes scale, threads within them only get in each other's way; read by the libraries when they are loaded
ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "NUMBA_NUM_THREADS",
        "OPENCV_FOR_THREADS_NUM",
    ),
    "1",
)
# chunks per process: one that is worked on, two that wait, so that a slow clip at the head does not starve the others
_IN_FLIGHT = 3
_REACH_SECONDS = 5.0
_KEPT_FAR = 2  # objects that stay in a cluster's process: a maker and a function that comes between


def open_pool(workers: int, ray: str | None = None) -> Pool:
    """Where work is done; use it as a context.

    Args:
        workers: processes of this machine; 1 works in this one.
        ray: address of a running Ray cluster ("auto" or host:port), whose processors do the work instead. The corpus, the cache and the
            working folder must be visible on all its nodes under the same paths.

    Raises:
        BadOption: less than one worker, or an address that is none.
        MissingFile: Ray is not installed, or no cluster answers.
    """
    if workers < 1:
        raise BadOption(f"expected at least 1 worker, got {workers}")
    if ray:
        return Cluster(ray)
    return Processes(workers) if workers > 1 else ThisProcess()


class Pool(ABC):
    """Does the same work on many items. Left by an error, what is still running is stopped at once."""

    @abstractmethod
    def map(self, work: Callable[[Item], Result], items: Sequence[Item], chunk: int) -> Iterator[tuple[Item, Result]]:
        """Each item with its result, in order; `chunk` items travel together. What `work` raises is raised here."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the processes, once all results were fetched."""

    def abort(self) -> None:
        """Stop whatever is running now."""
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()


class ThisProcess(Pool):
    """This very process."""

    def map(self, work: Callable[[Item], Result], items: Sequence[Item], chunk: int) -> Iterator[tuple[Item, Result]]:
        """One after the other, each when it is asked for."""
        yield from ((item, work(item)) for item in items)

    def close(self) -> None:
        """Nothing was started."""


class Processes(Pool):
    """Processes of this machine. They end with this one, even if it is killed."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.owner: Any = None
        self.executor: ProcessPoolExecutor | None = None
        self.leash: Connection | None = None

    def map(self, work: Callable[[Item], Result], items: Sequence[Item], chunk: int) -> Iterator[tuple[Item, Result]]:
        """In order. A single item does not pay for starting processes: it is worked on here."""
        owner, task = _split(work)
        if len(items) < 2 and self.executor is None:
            yield from ((item, work(item)) for item in items)
            return
        executor = self._started(owner)

        def submit(part: Sequence[Item]) -> Any:
            with _quiet_start():
                return executor.submit(_work_here, task, part)

        try:
            yield from _in_order(items, chunk, _IN_FLIGHT * self.workers, submit, lambda future: future.result())
        except BrokenProcessPool as error:
            raise InstructAvatarError(
                "a worker process was killed (out of memory?); run the same command again, it goes on; fewer --workers need less memory"
            ) from error

    def _started(self, owner: Any) -> ProcessPoolExecutor:
        if self.executor is None or (owner is not None and owner is not self.owner):
            self.close()
            # spawned, not forked: ONNX Runtime's threads and LMDB's environment must not be copied
            context = multiprocessing.get_context("spawn")
            end, self.leash = context.Pipe(duplex=False)
            self.executor = ProcessPoolExecutor(self.workers, context, initializer=_start_here, initargs=(owner, end))
            self.owner = owner
        return self.executor

    def close(self) -> None:
        """Let the processes end."""
        if self.executor:
            self.executor.shutdown(cancel_futures=True)
        if self.leash:
            self.leash.close()
        self.executor = self.leash = self.owner = None

    def abort(self) -> None:
        """Drop the leash: every process ends wherever it is. One that was interrupted before it looked at the leash is killed."""
        if self.leash:
            self.leash.close()
            self.leash = None
        if self.executor:
            for child in multiprocessing.active_children():
                child.kill()
        self.close()


class Cluster(Pool):
    """The processors of a running Ray cluster. Ray itself repeats the work of a process or a node that was lost.

    Args:
        address: "auto" (the cluster this machine belongs to) or host:port of its head.
    """

    def __init__(self, address: str) -> None:
        self.ray = _connected(address)
        self.sent: list[tuple[Any, dict[str, Any]]] = []  # objects and their tickets, the latest last

    def map(self, work: Callable[[Item], Result], items: Sequence[Item], chunk: int) -> Iterator[tuple[Item, Result]]:
        """In order, a few chunks for each processor in flight."""
        owner, task = _split(work)
        if owner is None:
            owner, task = work, "__call__"
        ticket, far = self._ticket(owner), self.ray.remote(_work_far)
        room = _IN_FLIGHT * max(1, int(self.ray.cluster_resources().get("CPU", 1)))
        yield from _in_order(items, chunk, room, lambda part: far.remote(ticket, task, part), self._fetched)

    def _ticket(self, owner: Any) -> dict[str, Any]:
        """What a task needs to find the object, which is sent only once."""
        for known, ticket in self.sent:
            if known is owner:
                return ticket
        reference = self.ray.put(owner)
        # the reference lies in a dictionary, so that Ray does not unpack the object anew for every task
        ticket = {"key": reference.hex(), "object": reference, "folder": os.getcwd(), "path": sys.path, "version": __version__}
        self.sent = [*self.sent[1 - _KEPT_FAR :], (owner, ticket)]
        return ticket

    def _fetched(self, reference: Any) -> Any:
        try:
            return self.ray.get(reference)
        except self.ray.exceptions.RayTaskError as error:
            raise self._told(error.cause) from None
        except self.ray.exceptions.RayError as error:
            raise self._told(error) from error

    def _told(self, error: Exception) -> Exception:
        """What Ray has to say, in one line; what the work itself raised, as it is."""
        lines = str(error).strip().splitlines() or [type(error).__name__]
        if isinstance(error, RuntimeError) and "failed to import" in lines[0]:
            return MissingFile(f"expected instructavatar {__version__} on every node of the Ray cluster; pip install it there")
        if isinstance(error, self.ray.exceptions.RayError):
            return InstructAvatarError(f"the Ray cluster lost work ({lines[0]}); run the same command again, it goes on")
        return error

    def close(self) -> None:
        """Leave the cluster, which goes on running; tasks that are still at work end with that."""
        self.ray.shutdown()


def _split(work: Callable[[Item], Result]) -> tuple[Any, Any]:
    """A bound method as its object and its name; another function as None and itself."""
    return (work.__self__, work.__name__) if inspect.ismethod(work) else (None, work)


def _in_order(
    items: Sequence[Item], chunk: int, room: int, submit: Callable[[Sequence[Item]], Any], fetch: Callable[[Any], list[Result]]
) -> Iterator[tuple[Item, Result]]:
    """Keep `room` chunks in flight and hand out results in order."""
    flying: deque[tuple[Sequence[Item], Any]] = deque()
    for start in range(0, len(items), chunk):
        if len(flying) == room:
            part, promise = flying.popleft()
            yield from zip(part, fetch(promise), strict=True)
        part = items[start : start + chunk]
        flying.append((part, submit(part)))
    while flying:
        part, promise = flying.popleft()
        yield from zip(part, fetch(promise), strict=True)


# --- in a process of this machine ---------------------------------------------------------------------------------------------------------

_owner: Any = None  # whose methods this process runs


def _start_here(owner: Any, leash: Connection) -> None:
    global _owner
    _owner = owner
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the first one decides
    threading.Thread(target=_end_with, args=(leash,), daemon=True).start()


def _end_with(leash: Connection) -> None:
    """Nothing is ever sent: the other end closes when it is told to, or when its process is gone."""
    with suppress(EOFError, OSError):
        leash.recv_bytes()
    os._exit(1)


def _work_here(task: Any, part: Sequence[Any]) -> list[Any]:
    work = getattr(_owner, task) if isinstance(task, str) else task
    return [work(item) for item in part]


@contextmanager
def _quiet_start() -> Iterator[None]:
    """Processes that are started now keep to one thread, and Ctrl-C does not hit them while they load."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(ONE_THREAD)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


# --- on a cluster ------------------------------------------------------------------------------------------------------------------------


def _connected(address: str) -> Any:
    """The module `ray`, connected to a cluster."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # read when ray is loaded: nothing is reported to anyone
    os.environ["RAY_IGNORE_UNHANDLED_ERRORS"] = "1"  # the first error is told; those of later chunks are of no interest
    if _has_token():
        os.environ.setdefault("RAY_AUTH_MODE", "token")  # ray start asks for its token; a driver by itself offers none
    try:
        import ray
    except ModuleNotFoundError as error:
        raise MissingFile("--ray needs the package 'ray'; pip install 'instructavatar[cluster]'") from error
    _check_reachable(address)
    try:
        ray.init(address, logging_level=logging.ERROR, log_to_driver=False, runtime_env={"env_vars": ONE_THREAD})
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        reason = str(error).strip().splitlines()[0].partition(". ")[0]
        raise MissingFile(
            f"expected a Ray cluster at {address}, got none ({reason}); start one with: ray start --head, or share its token"
        ) from error
    return ray


def _has_token() -> bool:
    """Whether this machine holds a cluster's token where Ray looks for one."""
    named = os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token"
    return bool(os.environ.get("RAY_AUTH_TOKEN")) or Path(named).is_file()


def _check_reachable(address: str) -> None:
    """Ask the head's port first: Ray itself waits long for a cluster that is not there."""
    if address == "auto":
        return
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not (colon and host and port.isdigit()):
        raise BadOption(f"expected --ray auto or host:port, got {address!r}")
    try:
        socket.create_connection((host, int(port)), _REACH_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise MissingFile(f"expected a Ray cluster at {address}, got none ({error}); start one with: ray start --head") from error


_far_owners: dict[str, Any] = {}  # the objects whose methods a cluster's process runs, by the keys of their tickets


def _work_far(ticket: dict[str, Any], task: str, part: Sequence[Any]) -> list[Any]:
    work = getattr(_far_owner(ticket), task)
    return [work(item) for item in part]


def _far_owner(ticket: dict[str, Any]) -> Any:
    """The object of the ticket; the latest few stay, with whatever they loaded."""
    key = ticket["key"]
    if key not in _far_owners:
        import ray

        _settle(ticket)
        while len(_far_owners) >= _KEPT_FAR:
            del _far_owners[next(iter(_far_owners))]
        _far_owners[key] = ray.get(ticket["object"])
    return _far_owners[key]


def _settle(ticket: dict[str, Any]) -> None:
    """Be where the driver is: relative paths must mean the same, and the same code must do the work."""
    if ticket["version"] != __version__:
        raise InstructAvatarError(
            f"expected instructavatar {ticket['version']} on {socket.gethostname()}, got {__version__}; install one version on all nodes"
        )
    sys.path += [entry for entry in ticket["path"] if entry not in sys.path]
    try:
        os.chdir(ticket["folder"])
    except OSError as error:
        raise MissingFile(
            f"expected the folder {ticket['folder']} on {socket.gethostname()}, found none; start where all nodes see the same files"
        ) from error
