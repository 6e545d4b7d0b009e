"""What every benchmark shares: its options, its table, its JSON, and where its material comes from.

    python benchmarks/NAME.py [--quick] [--material DIR] [--json FILE]

Exit code 0 whatever the numbers are; goals say how good the product should be and are never tuned to pass.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
ASSETS = ROOT / "tests" / "assets"
PICTURES = {".png", ".jpg", ".jpeg", ".webp"}
SOUNDS = {".wav", ".flac", ".mp3", ".m4a", ".opus"}
VIDEOS = {".mp4", ".mov", ".webm", ".mkv"}

console = Console()


@dataclass(frozen=True)
class Row:
    """One number of the table."""

    name: str
    value: float | None
    """None where it could not be measured."""
    unit: str
    goal: str
    """">= 0.8", "<= 4", or "" for a number without a goal."""
    ok: bool | None
    """None without a goal."""


def row(name: str, value: float | None, unit: str = "", goal: str = "") -> Row:
    """A row that knows whether it reached its goal; what was not measured did not.

    >>> row("r", 0.9, goal=">= 0.8").ok, row("r", None, goal=">= 0.8").ok, row("r", 1.0).ok
    (True, False, None)
    """
    if not goal:
        return Row(name, value, unit, goal, None)
    relation, limit = goal.split()
    if relation not in ("<=", ">="):
        raise ValueError(f"expected a goal like '<= 4' or '>= 0.8', got {goal!r}")
    reached = value is not None and (value <= float(limit) if relation == "<=" else value >= float(limit))
    return Row(name, value, unit, goal, reached)


def options(description: str) -> argparse.ArgumentParser:
    """The options that every benchmark has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="fewer faces, voices and repetitions")
    parser.add_argument("--material", type=Path, help="folder with more material: faces/, speech/, videos/")
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    return parser


def report(title: str, rows: list[Row], path: Path | None = None, **more: Any) -> None:
    """Print the table; with a path, write rows, machine, commit and whatever else is given as JSON."""
    table = Table(title=title, title_justify="left")
    for column, side in (("name", "left"), ("value", "right"), ("unit", "left"), ("goal", "right"), ("", "left")):
        table.add_column(column, justify=side)  # type: ignore[arg-type]
    marks = {True: "[green]yes[/]", False: "[red]no[/]", None: ""}
    for r in rows:
        table.add_row(r.name, "not measured" if r.value is None else f"{r.value:.4g}", r.unit, r.goal, marks[r.ok])
    console.print(table)
    if path is not None:
        content = {"rows": [asdict(r) for r in rows], "machine": machine(), "commit": commit()} | more
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=1, default=float), encoding="utf-8")


def machine() -> str:
    """Processor, cores this process may use, and system."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), name)
    except OSError:
        pass
    return f"{name}, {cores()} cores, {platform.system()}, Python {platform.python_version()}"


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def commit() -> str:
    """The commit that is measured, with "+" if files differ from it; "" outside a checkout."""
    try:
        head = _git("rev-parse", "--short=12", "HEAD")
        return head + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return ""


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def files(kind: str, endings: set[str], material: Path | None) -> list[Path]:
    """Files of a kind ("portraits", "speech", "videos"): the repo's own, then those of the material folder, each in order of name."""
    folders = [ASSETS / kind]
    if material is not None:
        folders += [material / kind, material / {"portraits": "faces"}.get(kind, kind)]
    found = [path for folder in folders if folder.is_dir() for path in sorted(folder.iterdir()) if path.suffix.lower() in endings]
    return list(dict.fromkeys(found))


def portraits(material: Path | None, limit: int | None = None) -> list[Path]:
    """Pictures to animate."""
    return files("portraits", PICTURES, material)[:limit]


def phones_of(sound: Path) -> list[tuple[str, float, float]] | None:
    """The phones (phone, start_s, end_s) that lie beside a sound file as NAME.phones.json; None without such a file."""
    path = sound.with_suffix("").with_suffix(".phones.json") if sound.suffix else sound
    if not path.exists():
        return None
    return [(str(phone), float(start), float(end)) for phone, start, end in json.loads(path.read_text(encoding="utf-8"))]


class Stopwatch:
    """Adds up the seconds spent in named parts.

    >>> watch = Stopwatch()
    >>> with watch("part"):
    ...     pass
    >>> list(watch.seconds)
    ['part']
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._running: list[tuple[str, float]] = []

    def __call__(self, name: str) -> Stopwatch:
        """Name the part that the coming `with` block measures."""
        self._running.append((name, 0.0))
        return self

    def __enter__(self) -> Stopwatch:
        self._running[-1] = (self._running[-1][0], time.perf_counter())
        return self

    def __exit__(self, *error: object) -> None:
        name, start = self._running.pop()
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start

    def items(self, name: str, iterator: Iterator[Any]) -> Iterator[Any]:
        """The same items; the time to make each counts for the part."""
        while True:
            with self(name):
                try:
                    item = next(iterator)
                except StopIteration:
                    return
            yield item
