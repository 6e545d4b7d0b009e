"""How results are worded, alike in the terminal and on the page: numbers, intervals, names of rows, and problems put together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

ROW_TITLES: dict[str, str] = {
    "system": "system",
    "ground_truth": "ground truth",
    "oracle": "oracle",
    "still": "still",
    "shuffled_audio": "shuffled audio",
    "shuffled_text": "shuffled text",
}
ROW_MEANINGS: dict[str, str] = {
    "system": "The generated clips: what is judged.",
    "ground_truth": "The real clips in their place. A system that scores above them overdoes it, or the number is blind to something.",
    "oracle": "The real clips' motion drawn by the codec on the same portraits: what a perfect motion generator could reach with it.",
    "still": "The portrait held still. A number that it does well in does not measure motion.",
    "shuffled_audio": "The generated clips judged by another clip's speech. Lip-sync that is no better than this is chance.",
    "shuffled_text": "The generated clips judged by another clip's instruction. Obedience that is no better than this is chance.",
}
_ARROWS = {True: ("↑", "^"), False: ("↓", "v"), None: (" ", " ")}
UNEXPECTED = "unexpected "
_NOTHING = 1e-12  # what is left of 0 by rounding


def number(value: float | None) -> str:
    """Three figures, as many as a mean over some clips can carry.

    >>> [number(v) for v in (1.99982, 9.9999, 850.24, 12345.6, 0.5, 0.04567, -0.0001234, 1e-17)]
    ['2.00', '10.0', '850', '12346', '0.500', '0.0457', '-1.23e-04', '0']
    """
    if value is None:
        return ""
    size = abs(value)
    if size < _NOTHING:
        return "0"
    if size < 0.001:
        return f"{value:.2e}"
    return f"{value:.0f}" if size >= 999.5 else f"{value:#.3g}".removesuffix(".")


def interval(ci: Sequence[float] | None) -> str:
    """A 95 % interval; "" where there is none.

    >>> interval([0.5, 1.25]), interval(None)
    ('0.500..1.25', '')
    """
    return "" if ci is None else f"{number(ci[0])}..{number(ci[1])}"


def arrow(higher_is_better: bool | None, plain: bool = False) -> str:
    """Which way is better; `plain` for terminals that know ASCII only."""
    return _ARROWS[higher_is_better][plain]


def counted(count: int, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "clip"), counted(3, "clip")
    ('1 clip', '3 clips')
    """
    return f"{count} {noun}" + ("" if count == 1 else "s")


def shortened(text: str, most: int = 40) -> str:
    """A name that leaves room for others.

    >>> shortened("a/very/long/name", 8)
    'a/ve...e'
    """
    return text if len(text) <= most else f"{text[: most - 4]}...{text[-1]}"


def title_of(row: str) -> str:
    """A row's name for people."""
    return ROW_TITLES.get(row, row.replace("_", " ")) if row else "all rows"


def number_names(found: Mapping[str, Any]) -> list[str]:
    """Every number that some row has, in the order of the metrics."""
    return list(dict.fromkeys(name for row in found["rows"].values() for name in row["metrics"]))


def described(found: Mapping[str, Any], name: str) -> tuple[str, bool | None]:
    """A number's unit and which way is better, from the first row that has it."""
    entry = next(row["metrics"][name] for row in found["rows"].values() if name in row["metrics"])
    return entry["unit"], entry["higher_is_better"]


@dataclass
class Problem:
    """The same reason, wherever it came up."""

    reason: str
    clips: list[str] = field(default_factory=list)
    rows: list[str] = field(default_factory=list)
    metrics: list[str] = field(default_factory=list)

    def add(self, entry: Mapping[str, str]) -> None:
        """Count one more."""
        for known, name in ((self.clips, entry["clip"]), (self.rows, entry["row"]), (self.metrics, entry["metric"])):
            if name and name not in known:
                known.append(name)

    @property
    def where(self) -> str:
        """The rows in words."""
        return ", ".join(map(title_of, self.rows)) or "all rows"


def broken(failed: Iterable[Mapping[str, str]]) -> list[Problem]:
    """What could not be judged at all: clips and rows as a whole, and metrics that stumbled; one entry a clip and reason."""
    return _grouped((entry for entry in failed if _is_broken(entry)), "clip", "reason")


def not_scored(failed: Iterable[Mapping[str, str]]) -> list[Problem]:
    """Where a metric does not apply, that of most clips first; every clip of an entry lacks each of its metrics in each of its rows."""
    apart = _grouped((entry for entry in failed if not _is_broken(entry)), "reason", "metric", "row")
    by_rows = _joined(apart, lambda one: (one.reason, one.clips, one.metrics))
    joined = _joined(by_rows, lambda one: (one.reason, one.clips, one.rows))
    return sorted(joined, key=lambda problem: (-len(problem.clips), problem.rows[:1] != ["system"]))


def _is_broken(entry: Mapping[str, str]) -> bool:
    return not entry["metric"] or entry["reason"].startswith(UNEXPECTED)


def _joined(problems: Iterable[Problem], alike: Callable[[Problem], Any]) -> list[Problem]:
    """Problems that are alike as one."""
    groups: dict[str, Problem] = {}
    for one in problems:
        group = groups.setdefault(repr(alike(one)), Problem(one.reason, one.clips))
        group.rows += [row for row in one.rows if row not in group.rows]
        group.metrics += [metric for metric in one.metrics if metric not in group.metrics]
    return list(groups.values())


def _grouped(entries: Iterable[Mapping[str, str]], *by: str) -> list[Problem]:
    groups: dict[tuple[str, ...], Problem] = {}
    for entry in entries:
        groups.setdefault(tuple(entry[name] for name in by), Problem(entry["reason"])).add(entry)
    return list(groups.values())
