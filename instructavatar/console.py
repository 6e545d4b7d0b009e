"""What the command line is made of: one-line errors, numbers with ranges, progress bars."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Any, NoReturn

from instructavatar.errors import BadOption


class Parser(argparse.ArgumentParser):
    """argparse whose complaints are one line with the documented code."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage."""
        raise BadOption(f"{message}; see {self.prog} --help")


def number_between(low: float, high: float) -> Callable[[str], float]:
    """A finite number in a range, for argparse."""

    def number(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and low <= value <= high):
            raise argparse.ArgumentTypeError(f"expected a number from {low:g} to {high:g}, got {text!r}")
        return value

    return number


def whole_between(low: int, high: int) -> Callable[[str], int]:
    """A whole number in a range, for argparse."""

    def whole(text: str) -> int:
        if not text.lstrip("+-").isdigit() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"expected a whole number from {low} to {high}, got {text!r}")
        return int(text)

    return whole


def face_choice(value: str | int | None) -> int | str | None:
    """Which face: its number, 'largest', or None where nothing was said."""
    if value is None or value == "largest":
        return value
    if str(value).isdecimal():
        return int(value)
    raise BadOption(f"expected --face to be 'largest' or a number from 0, got {value!r}")


def trainer_overrides(unknown: list[str], command: str) -> list[str]:
    """`--trainer.devices 8` of the published command as an override; every other unknown option is refused."""
    overrides: list[str] = []
    rest = list(unknown)
    while rest:
        name, separator, value = rest.pop(0).partition("=")
        if command != "train" or not name.startswith("--trainer."):
            raise BadOption(f"unknown option {name}; see instructavatar {command} --help")
        if not separator and not rest:
            raise BadOption(f"expected a value after {name}")
        overrides.append(f"lightning.{name[2:]}={value if separator else rest.pop(0)}")
    return overrides


def _rate_column() -> Any:
    """How many a second, once that is known."""
    from rich.progress import ProgressColumn, Task
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{speed:.1f}/s" if speed else "", style="progress.data.speed")

    return Rate()


class ProgressBars:
    """Progress bars by stage; called with (stage, done, total)."""

    def __init__(self, quiet: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _rate_column(), TimeRemainingColumn())
        console = Console(stderr=True)
        # a file or a pipe gets the words alone
        self._progress = Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal)
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> ProgressBars:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Take the bars off the screen."""
        self._progress.stop()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Show that a stage has come so far."""
        if stage not in self._tasks:
            self._tasks[stage] = self._progress.add_task(stage, total=total or None)
        self._progress.update(self._tasks[stage], completed=done)
