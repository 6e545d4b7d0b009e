"""Preparation: videos to a store, and the store read back.

The videos are puppets of the corpus in the repository, drawn by the warp codec on the portrait that ships (512 x 512, with speech), or
those of --material DIR/videos. One core means one core and one thread. The bare landmarker decodes the same files on the same core and
tracks the face, nothing else; the share is taken of processor time, which other work on the machine disturbs less. Opening and reading
are tried on a store of 10,000 clips of half a second, made up here; its pages are put out of memory first, as far as the system lets go
of them. Ray is measured where it is installed, on a cluster of two processors.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from common import ASSETS, ROOT, VIDEOS, Row, console, files, options, report, row

from instructavatar.codecs.warp import WarpCodec
from instructavatar.data.loaders import MotionData
from instructavatar.data.record import complete
from instructavatar.data.store import FeatureStore
from instructavatar.data.writer import Header, StoreWriter
from instructavatar.face.motion import FRAME_RATE_HZ, MOTION_DIM
from instructavatar.features.landmarks import FaceLandmarker
from instructavatar.media.video import frames_at
from instructavatar.prepare.build import build
from instructavatar.prepare.corpora.folder import Folder
from instructavatar.prepare.corpora.puppet import Puppet
from instructavatar.prepare.filming import film, sitter
from instructavatar.prepare.measured import Measurer

CLIPS, REPEATS = 6, 3
STORED, STORED_FRAMES, READS = 10_000, 12, 2000
PORTRAIT = ROOT / "instructavatar" / "weights" / "demo_portrait.jpg"
RAY_PORT, RAY_S = 26_379, 90.0


def draw_videos(folder: Path, count: int) -> list[Path]:
    """Puppets with speech, each its own mp4."""
    codec = WarpCodec.load()
    who = sitter(PORTRAIT, codec, FaceLandmarker.load())
    corpus = Puppet(ASSETS / "puppet_tiny")
    made = []
    for record in [record for record in corpus.records() if record.audio][:count]:
        made.append(folder / f"{record.id}.mp4")
        film(made[-1], who, corpus.motion(record), corpus.sound(record), codec)
    return made


def tree(folder: Path, videos: list[Path], times: int) -> Folder:
    """A corpus of the videos, each so many times, without instructions, so that no text is encoded."""
    folder.mkdir()
    for number in range(times):
        for path in videos:
            os.link(path, folder / f"{path.stem}_{number}{path.suffix}")
    return Folder(folder, silent=False)


@contextmanager
def one_core() -> Iterator[None]:
    """This process on one core, OpenCV on one thread."""
    threads, before = cv2.getNumThreads(), os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    cv2.setNumThreads(1)
    if before:
        os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        cv2.setNumThreads(threads)
        if before:
            os.sched_setaffinity(0, before)


def bare_fps(landmarker: FaceLandmarker, videos: list[Path]) -> float:
    """Frames a second that the landmarker alone tracks, decoding included."""
    start = time.perf_counter()
    count = sum(sum(1 for _ in landmarker.track(frames_at(path))) for path in videos)
    return count / (time.perf_counter() - start)


def store_fps(corpus: Folder, store: Path, workers: int, ray: str | None = None) -> tuple[float, float]:
    """Frames a second from files to store, and the seconds that took."""
    start = time.perf_counter()
    made = build(corpus, store, workers, measurer=Measurer(), ray=ray)
    took = time.perf_counter() - start
    for name, reason in made.skipped.items():
        console.print(f"  left out {name}: {reason}", highlight=False)
    return made.seconds * FRAME_RATE_HZ / took, took


def one_core_rows(folder: Path, videos: list[Path], repeats: int) -> list[Row]:
    """The rate to the store beside the bare landmarker's, turn by turn, so that other work on the machine hits both."""
    landmarker = FaceLandmarker.load(threads=1)
    corpus = tree(folder / "once", videos, 1)
    whole, bare, shares = [], [], []
    with one_core():
        store_fps(corpus, folder / "warm", 1)
        for number in range(repeats):
            times = [time.process_time()]
            bare.append(bare_fps(landmarker, videos))
            times.append(time.process_time())
            whole.append(store_fps(corpus, folder / f"store_{number}", 1)[0])
            times.append(time.process_time())
            shares.append((times[1] - times[0]) / (times[2] - times[1]))
    return [
        row("mp4_to_store_fps_core", float(np.median(whole)), "frames/s", ">= 40"),
        row("share_of_landmarker", float(np.median(shares)), "of the bare landmarker's rate", ">= 0.85"),
        row("landmarker_fps_core", float(np.median(bare)), "frames/s"),
    ]


def scaling_rows(folder: Path, videos: list[Path], times: int) -> list[Row]:
    """Two processes, and a Ray cluster of two processors, against one process on one core; starting them is part of it."""
    corpus = tree(folder / "many", videos, times)
    with one_core():  # left to itself, one process decodes and encodes on the second core as well
        _, one = store_fps(corpus, folder / "one", 1)
    _, two = store_fps(corpus, folder / "two", 2)
    rows = [row("workers2_x", one / two, "x one process on one core", ">= 1.7")]
    # Ray's sockets lie in its folder, and their paths must be short
    with tempfile.TemporaryDirectory(prefix="ray-") as place, cluster(Path(place)) as address:
        far = store_fps(corpus, folder / "ray", 2, address)[1] if address else None
    return [*rows, row("ray_overhead", None if far is None else 100 * (far / two - 1), "% over two processes")]


@contextmanager
def cluster(folder: Path) -> Iterator[str | None]:
    """The address of a Ray cluster that lives as long as the block; None where Ray is not installed or does not start."""
    if importlib.util.find_spec("ray") is None:
        yield None
        return
    options = ["--head", f"--port={RAY_PORT}", "--num-cpus=2", "--object-store-memory=200000000", "--include-dashboard=false"]
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", *options, f"--temp-dir={folder}", "--block"]
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    # a token of its own, whatever the machine's settings are; the driver in this process reads it too
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    head = subprocess.Popen(command, start_new_session=True, **quiet)
    try:
        yield f"127.0.0.1:{RAY_PORT}" if answers(head) else None
    finally:
        # All processes of the cluster are in the head's group; it is in no hurry, and there is nothing to keep.
        for how, patience_s in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
            with suppress(ProcessLookupError, subprocess.TimeoutExpired):
                os.killpg(head.pid, how)
                head.wait(patience_s)


def answers(head: subprocess.Popen[bytes]) -> bool:
    """Whether the cluster that is being started comes up in time."""
    check = [sys.executable, "-m", "ray.scripts.scripts", "health-check", "--address", f"127.0.0.1:{RAY_PORT}"]
    end = time.monotonic() + RAY_S
    while head.poll() is None and time.monotonic() < end:
        if subprocess.run(check, capture_output=True).returncode == 0:
            return True
        time.sleep(0.5)
    return False


def made_up_store(path: Path, clips: int) -> int:
    """Write a store of short clips; returns its bytes."""
    rng = np.random.default_rng(0)
    names = [f"{number:05d}" for number in range(clips)]
    with StoreWriter(path, Header.started("0" * 64, {"made": "up"})) as writer:
        for name in names:
            motion = rng.random((STORED_FRAMES, MOTION_DIM), np.float32)
            speech = rng.random((2 * STORED_FRAMES, 384), np.float32).astype(np.float16)
            fields = {"motion_latent": motion, "audio_feat": speech, "audio_flag": True, "latent_length": STORED_FRAMES, "filename": name}
            writer.add(name, complete({**fields, "pose": motion[:, :3].copy()}))
        writer.finish({"train": names, "valid": []})
    return (path / "data.mdb").stat().st_size


def cooled(path: Path) -> None:
    """Ask the system to forget the store's pages."""
    if hasattr(os, "posix_fadvise"):
        with (path / "data.mdb").open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def open_s(path: Path) -> float:
    """Seconds from nothing to the first clip, in a fresh process, imports left out."""
    code = (
        "import sys, time; from instructavatar.data.store import FeatureStore; start = time.perf_counter(); "
        "store = FeatureStore.open(sys.argv[1]); store[store.keys()[-1]]; print(time.perf_counter() - start)"
    )
    cooled(path)
    return float(subprocess.run([sys.executable, "-c", code, str(path)], check=True, capture_output=True, text=True).stdout)


def store_rows(folder: Path, clips: int) -> list[Row]:
    """Opening, reading at random, and one epoch's worth of batches."""
    path = folder / "made_up"
    size = made_up_store(path, clips)
    console.print(f"  made up {clips} clips of {STORED_FRAMES} frames, {size / 1e6:.0f} MB", highlight=False)
    opened = open_s(path)
    cooled(path)
    store = FeatureStore.open(path)
    keys = np.random.default_rng(1).choice(store.keys(), min(READS, clips))
    start = time.perf_counter()
    for key in keys:
        store[str(key)]
    reads = len(keys) / (time.perf_counter() - start)
    return [
        row("open_10k_s", opened, "s", "<= 1"),
        row("random_reads_per_s", reads, f"clips/s of {STORED_FRAMES} frames"),
        row("loader_epoch_per_s", epoch_per_s(path, clips), f"clips/s of {STORED_FRAMES} frames"),
    ]


def epoch_per_s(path: Path, clips: int) -> float:
    """Clips a second in batches of the training loader, from opening the store until as many came as it holds."""
    cooled(path)
    start, seen = time.perf_counter(), 0
    for batch in MotionData(path).train_loader():
        seen += len(batch.motion)
        if seen >= clips:
            break
    return seen / (time.perf_counter() - start)


def measure(args: argparse.Namespace) -> list[Row]:
    count, repeats, times = (2, 1, 2) if args.quick else (CLIPS, REPEATS, 16)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        videos = files("videos", VIDEOS, args.material)[:count] if args.material else draw_videos(folder, count)
        if args.material:
            videos = [Path(os.path.realpath(path)) for path in videos]
        rows = one_core_rows(folder, videos, repeats)
        rows += scaling_rows(folder, videos, times)
        return rows + store_rows(folder, STORED)


def main() -> None:
    args = options(__doc__.splitlines()[0]).parse_args()
    console.print("Other work on this machine makes these numbers worse; run it alone.", highlight=False)
    report("prepare", measure(args), args.json)


if __name__ == "__main__":
    main()
