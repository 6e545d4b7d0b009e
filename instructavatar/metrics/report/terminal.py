"""Results as a table in the terminal: a line for every number, then in words what failed and what to be careful about.

On a narrow terminal the units move below the table first, then the intervals go; the numbers of all rows stay. A pipe gets plain text
of any width, a number a line.
"""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from instructavatar.metrics.report.wording import (
    Problem,
    arrow,
    broken,
    counted,
    described,
    interval,
    not_scored,
    number,
    number_names,
    shortened,
    title_of,
)

_MOST_LINES = 12
_GAP = "  "
_NAMES_SHOWN = 3


@dataclass(frozen=True)
class Column:
    """A column of the table: its heading of one or two lines, its cells, and whether they stand to the right."""

    heading: tuple[str, str]
    cells: Sequence[str]
    right: bool = True

    @property
    def width(self) -> int:
        """Of the widest cell."""
        return max(map(len, (*self.heading, *self.cells)))

    def padded(self, text: str) -> str:
        """A cell as wide as the column."""
        return text.rjust(self.width) if self.right else text.ljust(self.width)


def show(found: Mapping[str, Any]) -> None:
    """Print the numbers of all rows, then what failed, what was not run and what to be careful about."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    encoding = sys.stdout.encoding or "utf-8"
    plain = not encoding.lower().replace("-", "").startswith("utf")
    for line in lines(found, width, plain):
        print(line.encode(encoding, "backslashreplace").decode(encoding))


def lines(found: Mapping[str, Any], width: int | None = None, plain: bool = False) -> list[str]:
    """The whole answer, line by line, each at most `width` wide; None leaves every line whole."""
    told = [f"{found['scored']} of {counted(found['clips'], 'clip')} scored", ""]
    told += _table(found, width, plain)
    for title, entries in _paragraphs(found):
        told += ["", title]
        told += [line for entry in _cut(entries) for line in _folded(_clean(entry), width)]
    return [line.rstrip() for line in told]


def _table(found: Mapping[str, Any], width: int | None, plain: bool) -> list[str]:
    names = number_names(found)
    if not names:
        return ["no numbers: no metric could judge any clip"]
    first = [Column(("", ""), names, right=False), Column(("", ""), [arrow(described(found, name)[1], plain) for name in names])]
    rows = [_row_column(row, found["rows"][row]["metrics"], names) for row in found["rows"]]
    system = found["rows"].get("system", {}).get("metrics", {})
    counts = Column(("", "n"), [str(system[name]["n"]) if name in system else "" for name in names])
    spans = Column(("95 % of", "system"), [interval(system[name]["ci"]) if name in system else "" for name in names])
    units = Column(("", "unit"), [described(found, name)[0] for name in names], right=False)
    for columns in ([*first, rows[0], spans, counts, *rows[1:], units], [*first, rows[0], spans, counts, *rows[1:]], [*first, *rows]):
        if width is None or _wide(columns) <= width:
            break
    return _drawn(columns) + ([] if units in columns else _units_below(units, names, width))


def _row_column(row: str, numbers: Mapping[str, Any], names: Sequence[str]) -> Column:
    """A row of the results is a column here; its heading takes two lines where it has two words."""
    above, _, below = title_of(row).rpartition(" ")
    return Column((above, below), [number(numbers[name]["value"]) if name in numbers else "-" for name in names])


def _wide(columns: Sequence[Column]) -> int:
    return sum(column.width for column in columns) + len(_GAP) * (len(columns) - 1)


def _drawn(columns: Sequence[Column]) -> list[str]:
    head = [_GAP.join(column.padded(column.heading[line]) for column in columns) for line in (0, 1)]
    body = [_GAP.join(column.padded(cell) for column, cell in zip(columns, cells, strict=True)) for cells in _cells(columns)]
    return [line for line in head if line.strip()] + ["-" * _wide(columns)] + body


def _cells(columns: Sequence[Column]) -> list[tuple[str, ...]]:
    return list(zip(*(column.cells for column in columns), strict=True))


def _units_below(units: Column, names: Sequence[str], width: int | None) -> list[str]:
    """Units by which numbers have them, where the table has no room for them."""
    by_unit: dict[str, list[str]] = {}
    for name, unit in zip(names, units.cells, strict=True):
        by_unit.setdefault(unit, []).append(name)
    told = [f"{unit}: {', '.join(having)}" for unit, having in by_unit.items() if unit]
    return ["", "units"] + [line for entry in told for line in _folded(entry, width)] if told else []


def _paragraphs(found: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """Titles with their entries; none without any."""
    failed = broken(found["failed"])
    aside, noted = found["not_compared"], found["notes"]
    told = [
        ("warnings", list(found["warnings"])),
        (f"failed ({counted(len({name for problem in failed for name in problem.clips}), 'clip')})", [_failure(one) for one in failed]),
        ("not scored, because", [_unscored(one) for one in not_scored(found["failed"])]),
        ("metrics not run", [f"{name}: {lack}" for name, lack in found["not_run"].items()]),
        (f"real videos without a generated one ({len(aside)})", list(aside)),
    ]
    if noted:
        first, remarks = next(iter(noted.items()))
        told.append((f"notes on {counted(len(noted), 'clip')}", [f"{first}: {remarks[0]}" + _more(sum(map(len, noted.values())) - 1)]))
    return [(title, entries) for title, entries in told if entries]


def _more(count: int) -> str:
    return f" (and {count} more; see the JSON)" if count > 0 else ""


def _failure(problem: Problem) -> str:
    metrics = f" [{', '.join(problem.metrics)}]" if problem.metrics else ""
    return f"{', '.join(problem.clips)} ({problem.where}){metrics}: {problem.reason}"


def _unscored(problem: Problem) -> str:
    named = ", ".join(map(shortened, problem.clips[:_NAMES_SHOWN])) + (", ..." if len(problem.clips) > _NAMES_SHOWN else "")
    return f"{problem.reason}: {', '.join(problem.metrics)} on {counted(len(problem.clips), 'clip')} ({named}; {problem.where})"


def _cut(entries: Sequence[str]) -> list[str]:
    left = len(entries) - _MOST_LINES
    return [*entries[:_MOST_LINES], f"and {left} more; see the JSON"] if left > 0 else list(entries)


def _folded(entry: str, width: int | None) -> list[str]:
    if width is None:
        return [f"  {entry}"]
    return textwrap.wrap(entry, max(width, 20), initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)


def _clean(text: str) -> str:
    """Names of files may hold anything; what would move the cursor is shown as its code."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
