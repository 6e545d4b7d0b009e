"""What the command line is made of: one-line errors, numbers with ranges, progress bars."""

from __future__ import annotations

import argparse
import difflib
import math
from collections.abc import Callable, Iterable
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


# arguments of lightning.Trainer that are true or false
TRAINER_SWITCHES = {
    *("benchmark", "detect_anomaly", "deterministic", "enable_model_summary"),
    *("enable_progress_bar", "fast_dev_run", "inference_mode", "sync_batchnorm"),
}


def yes_or_no(text: str) -> bool:
    """A switch that may be followed by its value, for argparse.

    >>> yes_or_no("True"), yes_or_no("no")
    (True, False)
    """
    known = {**dict.fromkeys(("yes", "true", "1", "on"), True), **dict.fromkeys(("no", "false", "0", "off"), False)}
    if text.lower() not in known:
        raise argparse.ArgumentTypeError(f"expected yes or no, got {text!r}")
    return known[text.lower()]


def trainer_overrides(unknown: list[str], command: str, known: Iterable[str] = ()) -> list[str]:
    """`--trainer.devices 8` of the published command as an override; every other unknown option is refused with the nearest known one.

    >>> trainer_overrides(["--trainer.devices", "8", "--trainer.fast_dev_run"], "train")
    ['lightning.trainer.devices=8', 'lightning.trainer.fast_dev_run=true']
    """
    overrides: list[str] = []
    rest = list(unknown)
    while rest:
        name, separator, value = rest.pop(0).partition("=")
        if command != "train" or not name.startswith("--trainer."):
            close = difflib.get_close_matches(name, list(known), n=1)
            hint = f"did you mean {close[0]}? " if close else ""
            raise BadOption(f"unknown option {name}; {hint}see instructavatar {command} --help")
        if not separator and (not rest or rest[0].startswith("--")):
            if name.removeprefix("--trainer.") not in TRAINER_SWITCHES:
                raise BadOption(f"expected a value after {name}")
            value = "true"  # a switch is on by being named
        elif not separator:
            value = rest.pop(0)
        overrides.append(f"lightning.{name[2:]}={value}")
    return overrides


def options_of(parser: argparse.ArgumentParser, command: str) -> list[str]:
    """Long options of a command."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction) and command in action.choices:
            return [name for name in action.choices[command]._option_string_actions if name.startswith("--")]
    return []


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
