"""Runs the real `instructavatar prepare`, kills it at seeded moments, runs it again until it is done, and compares stores.

`store_digest` is the comparison: whatever two stores of equal digest hold, training cannot tell them apart.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lmdb
import yaml

from instructavatar.cli import main
from instructavatar.data.disk import HEADER
from instructavatar.data.record import from_bytes
from instructavatar.data.writer import StoreWriter

ROOT = Path(__file__).parents[2]
TINY = ROOT / "tests" / "assets" / "puppet_tiny"
# header fields that tell when or how fast something was done
TIMES = {"created", "started", "finished", "written", "updated", "date", "time", "times", "took", "duration"}


# --- comparing ----------------------------------------------------------------------------------------------------------------------------


def store_content(path: Path | str) -> dict[bytes, bytes]:
    """Every key and value of a store; the header as sorted JSON without its times."""
    with lmdb.open(str(path), readonly=True, lock=False) as env, env.begin() as txn:
        content = {bytes(key): bytes(value) for key, value in txn.cursor()}
    if HEADER in content:
        header = {name: value for name, value in from_bytes(content[HEADER]).items() if name not in TIMES}
        content[HEADER] = json.dumps(header, sort_keys=True).encode()
    return content


def store_digest(path: Path | str) -> str:
    """SHA-256 over the sorted pairs of a store, each key and value behind its length."""
    digest = hashlib.sha256()
    for pair in sorted(store_content(path).items()):
        for part in pair:
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def difference(one: Path | str, other: Path | str) -> str:
    """How two stores differ, for the message of a failed test; "" if they do not."""
    left, right = store_content(one), store_content(other)
    lost = sorted(left.keys() - right.keys())
    more = sorted(right.keys() - left.keys())
    changed = sorted(key for key in left.keys() & right.keys() if left[key] != right[key])
    parts = [f"{what}: {len(keys)} {keys[:3]}" for what, keys in (("lost", lost), ("added", more), ("changed", changed)) if keys]
    return "; ".join(parts)


def cache_content(store: Path) -> dict[str, str]:
    """Every file of the cache beside a store with its hash: SHA-256 of the bytes, or the digest of a table."""
    folder = store.with_name(store.name + ".cache")
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.name == "data.mdb":
            found[name] = store_digest(path.parent)
        elif path.is_file() and path.name != "lock.mdb":
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def parts_left(store: Path) -> list[Path]:
    """Unfinished files beside a store."""
    return [path for path in store.parent.rglob("*.part*") if path.is_file()]


# --- running ------------------------------------------------------------------------------------------------------------------------------


def small_pack(folder: Path, clips: int) -> Path:
    """The first clips of the puppet pack that ships with the tests."""
    folder.mkdir(parents=True)
    for name in ("takes.jsonl", "voices.zip"):
        shutil.copy(TINY / name, folder / name)
    lines = (TINY / "clips.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / "clips.jsonl").write_text("".join(lines[:clips]), encoding="utf-8")
    return folder


def puppet_config(folder: Path, clips: int) -> Path:
    """A configuration for the first clips of the tiny puppet corpus, and the pack it names."""
    pack = small_pack(folder / "pack", clips)
    corpus = {"target": "instructavatar.prepare.corpora.puppet.Puppet", "params": {"pack": str(pack), "recipe": None, "wordings": 4}}
    path = folder / "corpus.yaml"
    path.write_text(yaml.safe_dump({"corpus": corpus}), encoding="utf-8")
    return path


def filmed_config(folder: Path, videos: Sequence[Path]) -> Path:
    """A configuration for a folder of those videos, one that is none, and one that is cut off."""
    root = folder / "videos"
    root.mkdir(parents=True)
    for number, video in enumerate(videos):
        shutil.copy(video, root / f"take_{number}.mp4")
    (root / "no_video.mp4").write_bytes(b"no video at all")
    (root / "cut_off.mp4").write_bytes(videos[0].read_bytes()[:9000])
    config = yaml.safe_load((ROOT / "configs" / "corpora" / "folder.yaml").read_text(encoding="utf-8"))
    config["corpus"]["params"]["root"] = str(root)
    path = folder / "corpus.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


@dataclass
class Preparation:
    """A command that makes a store, run as often as it takes.

    Args:
        config: a file like those of configs/corpora/.
        store: folder of the store; its cache lies beside it.
        options: further options of the command, such as ("--workers", "2").
        batch: records per transaction; few, so that a small corpus too is on the disk in part when it is killed.
        environment: more environment variables.
    """

    config: Path
    store: Path
    options: Sequence[str] = ("--workers", "1")
    batch: int = 4
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def mark(self) -> Path:
        """A file that appears once the store is open, when the imports are over and the work begins."""
        return self.store.with_name(self.store.name + ".working")

    def command(self) -> list[str]:
        """The real command line, by way of `_main` below."""
        own = [sys.executable, __file__, str(self.batch), str(self.mark)]
        return [*own, "prepare", "--base", str(self.config), "-o", str(self.store), *self.options]

    def start(self) -> subprocess.Popen[str]:
        """Run it in a process group of its own."""
        self.mark.unlink(missing_ok=True)
        environment = {**os.environ, "OMP_NUM_THREADS": "1", **self.environment}
        pipe = subprocess.PIPE
        return subprocess.Popen(self.command(), cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True, start_new_session=True)

    def finish(self) -> tuple[float, float]:
        """Run it to its end; gives the seconds until the store was open, and those after that."""
        before, process = time.monotonic(), self.start()
        began = self.wait_for_work(process)
        _expect_success(process)
        return began - before, time.monotonic() - began

    def wait_for_work(self, process: subprocess.Popen[str]) -> float:
        """Wait until the store is open or the process is over; gives the moment."""
        while not self.mark.exists() and process.poll() is None:
            time.sleep(0.005)
        return time.monotonic()

    def clear(self) -> None:
        """Forget the store and its cache."""
        for path in (self.store, self.store.with_name(self.store.name + ".cache")):
            shutil.rmtree(path, ignore_errors=True)

    def progress(self) -> tuple[int, int, int]:
        """How many sounds, clips and sentences are on the disk."""
        sounds = len(list(self.store.parent.glob(f"{self.store.name}.cache/speech-*/*.npy")))
        keys = store_content(self.store) if (self.store / "data.mdb").exists() else {}
        return sounds, sum(key.startswith(b"clip/") for key in keys), sum(key.startswith(b"text/") for key in keys)


def kill_group(process: subprocess.Popen[str]) -> None:
    """`kill -9` for a process and all that it started in its group."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def living(group: int) -> list[int]:
    """The processes of a group that are not over yet."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            _, _, state = path.read_text().rpartition(") ")  # the name before it may hold anything
            letter, _, its_group = state.split()[:3]
            if int(its_group) == group and letter not in "ZX":
                found.append(int(path.parent.name))
    return found


def gone_within(seconds: float, group: int) -> bool:
    """Are all processes of the group over by then?"""
    end = time.monotonic() + seconds
    while living(group) and time.monotonic() < end:
        time.sleep(0.02)
    return not living(group)


def _expect_success(process: subprocess.Popen[str]) -> None:
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, f"exit code {process.returncode}: {out}{err}"


@dataclass
class Kills:
    """What happened: each kill's moment and the progress (sounds, clips, sentences) it left on the disk; how many rounds were finished."""

    landed: list[tuple[str, tuple[int, int, int]]] = field(default_factory=list)
    rounds: int = 0


def kill_until(preparation: Preparation, kills: int, lasts: tuple[float, float], seed: int, check: Callable[[Preparation], None]) -> Kills:
    """Kill the preparation at `kills` random moments; `check` looks at every store that is done.

    Args:
        preparation: what to run.
        kills: how often.
        lasts: seconds an undisturbed run takes before and after the store is open. One kill of five comes anywhere before that, the others
            anywhere after it.
        seed: of the moments.
        check: asserts that a store is as it should be.

    A run that ends before its moment finishes a round: its store is checked and the next round starts from nothing. What a round took in
    all its runs is what the next one is expected to take: a busy machine has no steady pace.
    """
    rng, report, (opening, working) = random.Random(seed), Kills(), lasts
    preparation.clear()
    spent = 0.0
    while len(report.landed) < kills:
        early = rng.random() < 0.2
        moment = rng.uniform(0, opening if early else working)
        landed, took = killed(preparation, moment, early)
        spent += took
        if landed:
            report.landed.append((f"{moment:.2f} s after the {'start' if early else 'store was open'}", preparation.progress()))
        else:
            report.rounds, working, spent = report.rounds + 1, spent, 0.0
            check(preparation)
            preparation.clear()
    preparation.finish()
    report.rounds += 1
    check(preparation)
    return report


def killed(preparation: Preparation, moment: float, early: bool) -> tuple[bool, float]:
    """Start, and kill at the moment (seconds from the start or from the open store).

    Gives whether it was still at work then, and the seconds for which the store was open.
    """
    process = preparation.start()
    began = None if early else preparation.wait_for_work(process)
    try:
        process.wait(moment)
    except subprocess.TimeoutExpired:
        kill_group(process)
        return True, 0.0 if began is None else time.monotonic() - began
    _expect_success(process)
    return False, 0.0 if began is None else time.monotonic() - began


# --- Ray ----------------------------------------------------------------------------------------------------------------------------------


@contextmanager
def ray_cluster(folder: Path, processors: int = 2) -> Iterator[str]:
    """A real cluster of one node on this machine, with a token of its own; gives its address. Nothing else is stopped with it."""
    port = 20000 + os.getpid() % 20000
    options = ["--head", f"--port={port}", f"--num-cpus={processors}", "--object-store-memory=200000000", "--include-dashboard=false"]
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", *options, f"--temp-dir={folder}", "--block"]
    with own_token(folder / "token"), (folder / "start.log").open("w") as log:
        head = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        try:
            _wait_for(f"127.0.0.1:{port}", head, folder / "start.log")
            yield f"127.0.0.1:{port}"
        finally:
            os.killpg(head.pid, signal.SIGTERM)
            if not gone_within(3, head.pid):  # it is in no hurry, and there is nothing to keep
                os.killpg(head.pid, signal.SIGKILL)
            head.wait()


OWN_TOKEN = "tests.token"


@contextmanager
def own_token(path: Path) -> Iterator[None]:
    """Clusters and drivers that start now share a fresh token, whatever the machine's own settings are; within a block, the block's.

    Ray reads the settings when it is imported and keeps the token, so a process that connects by itself imports it within.
    """
    if os.environ.get("RAY_AUTH_TOKEN_PATH", "").endswith(OWN_TOKEN):
        yield
        return
    path = path.with_name(OWN_TOKEN)
    path.touch(0o600)
    path.write_text(secrets.token_hex(32), encoding="utf-8")
    settings = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(path)}
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _wait_for(address: str, head: subprocess.Popen[bytes], log: Path, patience_s: float = 150) -> None:
    check = [sys.executable, "-m", "ray.scripts.scripts", "health-check", "--address", address]
    end = time.monotonic() + patience_s
    while time.monotonic() < end and head.poll() is None:
        if subprocess.run(check, capture_output=True).returncode == 0:
            return
        time.sleep(0.5)
    raise AssertionError(f"no cluster at {address} within {patience_s} s: {log.read_text()}")


def _main(batch: str, mark: str, *command: str) -> int:
    """The command line, with another size of transaction and a file that tells when the store is open."""
    opened = StoreWriter.__init__

    def tell(writer: StoreWriter, *args: Any, **options: Any) -> None:
        opened(writer, *args, **options)
        Path(mark).touch()

    StoreWriter.batch = int(batch)
    StoreWriter.__init__ = tell  # type: ignore[method-assign]
    return main(command)


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
