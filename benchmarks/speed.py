"""Speed and memory of the main job: ten seconds of speech on a 512 x 512 portrait, and of its parts.

Times are medians of three; "1core" means one core and one thread. Peak memory is that of a fresh process that does the whole job.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from common import SOUNDS, Row, Stopwatch, console, files, options, portraits, report, row
from numpy.typing import NDArray

from instructavatar import Avatar
from instructavatar.face.motion import SAMPLE_RATE_HZ, frames_of
from instructavatar.media.audio import read_audio, write_wav
from instructavatar.media.portrait import read_portrait

SECONDS = 10.0
LONG_SECONDS = 60.0
CODEC_FRAMES = 100
KB_PER_GB = 1024**2


def speech_of(seconds: float) -> NDArray[np.float32]:
    """Speech of that length: the repo's clips one after the other."""
    clips = [read_audio(path) for path in files("speech", SOUNDS, None)]
    whole = np.concatenate(clips)
    return np.resize(whole, round(seconds * SAMPLE_RATE_HZ)).astype(np.float32)


def square_portrait(side: int) -> NDArray[np.uint8]:
    """A portrait of that many pixels a side."""
    picture = read_portrait(portraits(None)[0]).rgb
    short = min(picture.shape[:2])
    return np.asarray(cv2.resize(picture[:short, :short], (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def watched(avatar: Avatar, watch: Stopwatch) -> Avatar:
    """The same avatar whose parts report their time."""
    parts = {"analyse": (avatar, "analyse"), "speech": (avatar.speech, "encode"), "text": (avatar.text, "encode")}
    parts["generate"] = (avatar.generator, "generate")
    for name, (owner, method) in parts.items():
        setattr(owner, method, _timed(getattr(owner, method), watch, name))
    decode = avatar.codec.decode
    avatar.codec.decode = lambda *given: watch.items("draw", iter(decode(*given)))  # type: ignore[method-assign]
    return avatar


def _timed(function: Any, watch: Stopwatch, name: str) -> Any:
    def run(*values: Any, **named: Any) -> Any:
        with watch(name):
            return function(*values, **named)

    return run


def main_job(avatar: Avatar, seconds: float, folder: Path) -> float:
    """Seconds that the whole job takes, files in and out, all but loading."""
    sound, picture, out = folder / "voice.wav", folder / "face.png", folder / "out.mp4"
    if not sound.exists():
        write_wav(sound, speech_of(seconds))
        cv2.imwrite(str(picture), square_portrait(512)[..., ::-1])
    start = time.perf_counter()
    avatar.animate(picture, audio=sound, instruction="smile", face="largest").save(out)
    return time.perf_counter() - start


@contextmanager
def one_core() -> Iterator[None]:
    """This process on one core, OpenCV on one thread."""
    threads = cv2.getNumThreads()
    before = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    cv2.setNumThreads(1)
    if before:
        os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        cv2.setNumThreads(threads)
        if before:
            os.sched_setaffinity(0, before)


def codec_fps(avatar: Avatar, side: int, repeats: int) -> float:
    """Frames drawn a second on one core, the portrait's analysis left out."""
    subject = avatar.analyse(square_portrait(side), face="largest")
    motion = avatar.animate(subject, audio=speech_of(CODEC_FRAMES / 25)).motion.values[:CODEC_FRAMES]
    rates = []
    with one_core():
        sum(1 for _ in avatar.codec.decode(subject.appearance, motion[:5]))  # compiled kernels load here
        for _ in range(repeats):
            start = time.perf_counter()
            drawn = sum(1 for _ in avatar.codec.decode(subject.appearance, motion))
            rates.append(drawn / (time.perf_counter() - start))
    return float(np.median(rates))


def generator_x_rt(avatar: Avatar, repeats: int) -> float:
    """Time to generate motion from given features, over its length."""
    features = avatar.speech.encode(speech_of(SECONDS))
    times = []
    for seed in range(repeats):
        start = time.perf_counter()
        avatar.generator.generate(frames_of(SECONDS), speech=features, seed=seed)
        times.append(time.perf_counter() - start)
    return float(np.median(times)) / SECONDS


def cold_start_s(repeats: int, model: str | None) -> float:
    """From starting Python to an avatar ready to animate; the median of fresh processes."""
    command = [sys.executable, "-c", "import sys; from instructavatar import Avatar; Avatar.load(sys.argv[1] or None)", model or ""]
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def peak_gb(seconds: float, model: str | None) -> float:
    """Peak memory of a fresh process that animates that much speech and writes the video."""
    command = [sys.executable, __file__, "--one-job", str(seconds), *(("--model", model) if model else ())]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])


def one_job(seconds: float, model: str | None) -> None:
    """Do the whole job once and print the peak memory in GB."""
    with tempfile.TemporaryDirectory() as folder:
        main_job(Avatar.load(model), seconds, Path(folder))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KB_PER_GB)


def measure(args: argparse.Namespace) -> list[Row]:
    repeats = 1 if args.quick else 3
    rows = [row("cold_start_s", cold_start_s(repeats, args.model), "s", "<= 4")]
    avatar = Avatar.load(args.model)
    rows.append(row("generator_x_rt", generator_x_rt(avatar, repeats), "x real time", "<= 0.08"))
    for side, goal in ((512, ">= 150"), (1024, ">= 50")):
        rows.append(row(f"codec_fps_{side}_1core", codec_fps(avatar, side, repeats), "frames/s", goal))
    watch = Stopwatch()
    watched(avatar, watch)
    with tempfile.TemporaryDirectory() as folder:
        times = [main_job(avatar, SECONDS, Path(folder)) for _ in range(repeats)]
    rows.insert(0, row("main_x_rt", float(np.median(times)) / SECONDS, "x real time", "<= 0.4"))
    rows += shares(watch, sum(times))
    rows.append(row("peak_gb", peak_gb(SECONDS, args.model), "GB", "<= 1.5"))
    if not args.quick:
        rows.append(row("peak_gb_60s", peak_gb(LONG_SECONDS, args.model), "GB for a minute of speech", "<= 1.5"))
    return rows


def shares(watch: Stopwatch, whole: float) -> list[Row]:
    """The share of each part in the main job; the rest is encoding and writing the video and reading the files."""
    found = dict(watch.seconds)
    found["encode and files"] = whole - sum(found.values())
    return [row(f"share {name}", 100 * seconds / whole, "% of the main job") for name, seconds in found.items()]


def main() -> None:
    parser = options(__doc__.splitlines()[0])
    parser.add_argument("--model", help="bundle to measure; the default that ships otherwise")
    parser.add_argument("--one-job", type=float, metavar="SECONDS", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one_job:
        return one_job(args.one_job, args.model)
    console.print("Other work on this machine makes these numbers worse; run it alone.", highlight=False)
    report("speed", measure(args), args.json)
    return None


if __name__ == "__main__":
    main()
