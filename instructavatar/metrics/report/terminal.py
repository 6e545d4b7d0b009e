"""Results as a table in the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def show(found: Mapping[str, Any]) -> None:
    """Print the numbers of all rows, then what failed, what was not run and what to be careful about."""
    from rich.console import Console
    from rich.table import Table

    console = Console(soft_wrap=True)
    rows = found["rows"]
    names = list(dict.fromkeys(name for row in rows.values() for name in row["metrics"]))
    table = Table(title=f"{found['scored']} of {found['clips']} clips scored", title_justify="left")
    for column in ("", *rows, "unit"):
        table.add_column(column.replace("_", " "), justify="left" if column in ("", "unit") else "right")
    for name in names:
        numbers = [row["metrics"].get(name) for row in rows.values()]
        unit = next(number["unit"] for number in numbers if number)
        table.add_row(name, *(_cell(number) for number in numbers), unit)
    console.print(table)


def _cell(number: Mapping[str, Any] | None) -> str:
    return "" if number is None else f"{number['value']:.3g}"
