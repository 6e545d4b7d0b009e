"""Work done behind the caller's back: in order, on one thread, with a bounded queue."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")
# Frames that may wait: enough to even out a slow one, few enough that a 1920 x 1920 clip holds 60 MB of them.
ROOM = 4


class Behind(Generic[Item]):
    """Calls `work` with each item on a thread of its own, so that the caller makes the next one meanwhile.

    An error of `work` is raised at the caller's next `put` or `close`; items after it are dropped.

    >>> done = []
    >>> worker = Behind(done.append)
    >>> worker.put(1); worker.put(2); worker.close()
    >>> done
    [1, 2]
    """

    def __init__(self, work: Callable[[Item], None], room: int = ROOM) -> None:
        """`room` items may wait; `put` blocks while there are more."""
        self._work = work
        self._items: queue.Queue[Item | None] = queue.Queue(room)
        self._failure: BaseException | None = None
        self._dropping = False
        self._thread: threading.Thread | None = None

    def put(self, item: Item) -> None:
        """Leave an item to be worked on."""
        self._complain()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
        self._items.put(item)

    def close(self) -> None:
        """Wait until everything is done."""
        self._stop()
        self._complain()

    def cancel(self) -> None:
        """Drop what waits; returns when the item in work is through."""
        self._dropping = True
        self._stop()

    def _stop(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            self._items.put(None)
            thread.join()

    def _run(self) -> None:
        while (item := self._items.get()) is not None:
            if self._dropping or self._failure is not None:
                continue
            try:
                self._work(item)
            except BaseException as error:  # whatever it is, the caller must hear of it
                self._failure = error

    def _complain(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            self._dropping = True
            raise failure
