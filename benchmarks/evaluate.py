"""Evaluation: how fast `instructavatar evaluate` judges clips with its usual metrics, alone and in two processes, and how it goes on.

Frames are those of the generated clips; each is judged in all rows, so its real clip and its oracle are measured too. One process is held
to one core. The clips are the shipped model's, five seconds each, with the same portrait's performance as their reference.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import SOUNDS, Row, cores, files, options, phones_of, portraits, report, row

from instructavatar import Avatar
from instructavatar.media.audio import read_audio

SECONDS = 5.0
ASKED = ("smile", "nod", "turn your head left", "look sad")


def make(folder: Path, count: int, material: Path | None) -> Path:
    """A list of so many pairs; each clip's reference is another take of the same request."""
    avatar = Avatar.load()
    people = [avatar.analyse(path, face="largest", max_side=512) for path in portraits(material, 4)]
    voices = [path for path in files("speech", SOUNDS, material) if phones_of(path)]
    rows = []
    for n in range(count):
        sound, text = read_audio(voices[n % len(voices)])[: round(SECONDS * 16_000)], ASKED[n % len(ASKED)]
        for side in (0, 1):
            avatar.animate(people[n % len(people)], sound, text, seconds=SECONDS, seed=2 * n + side).save(folder / f"{n}_{side}.mp4")
        rows.append(
            {"generated": f"{n}_0.mp4", "reference": f"{n}_1.mp4", "audio": str(voices[n % len(voices)].resolve()), "instruction": text}
        )
    (folder / "pairs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in rows), encoding="utf-8")
    return folder / "pairs.jsonl"


def timed(pairs: Path, cache: Path, workers: int, only_cores: int) -> float:
    """Seconds of one evaluation in processes of its own."""
    words = ["-m", "instructavatar.cli", "evaluate", str(pairs), "--cache", str(cache), "--workers", str(workers), "--quiet"]
    held = f"import os; os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:{only_cores}]); import runpy, sys; sys.argv = sys.argv[1:]"
    code = f"{held}; runpy.run_module('instructavatar.cli', run_name='__main__')"
    command = [sys.executable, "-c", code, *words[1:]]
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    return time.perf_counter() - started


def measure(args: argparse.Namespace) -> list[Row]:
    count = 4 if args.quick else 24
    frames = round(count * SECONDS * 25)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        pairs = make(folder, count, args.material)
        timed(pairs, folder / "warm", 1, 1)  # kernels are compiled and files are read once
        alone = timed(pairs, folder / "alone", 1, 1)
        again = timed(pairs, folder / "alone", 1, 1)
        rows = [
            row("fps_core", frames / alone, "generated frames a second, all rows", ">= 25"),
            row("again_s", again, f"s for the same {count} clips once more"),
            row("again_share", again / alone, "of the first time"),
        ]
        if cores() >= 2:
            rows.append(row("workers2_x", alone / timed(pairs, folder / "two", 2, 2), "against one process on one core", ">= 1.5"))
    return rows


def main() -> None:
    args = options(__doc__.splitlines()[0]).parse_args()
    report("evaluate", measure(args), args.json)


if __name__ == "__main__":
    main()
