"""Sheets about clips: a CSV file as any spreadsheet writes it (comma, semicolon or tab), or a JSONL file with one object a line."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from instructavatar.errors import BadMedia, BadOption, MissingFile

_DELIMITERS = (",", ";", "\t")


def read_sheet(sheet: Path, key: str, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """(row number, column -> cell) of a sheet. Rows count as a spreadsheet counts: the head of a CSV is row 1; of a JSONL file, the line.

    Args:
        sheet: .csv, .tsv or .jsonl, in UTF-8.
        key: the column that must be there.
        columns: those that may be there, for the error; cells of others come too.

    Raises:
        MissingFile: no such file.
        BadOption: another ending, no head, or a row longer than the head.
        BadMedia: it cannot be read.
    """
    readers: dict[str, Callable[[Path, str, Sequence[str]], Iterator[tuple[int, dict[str, Any]]]]] = {
        ".csv": _csv_cells,
        ".tsv": _csv_cells,
        ".jsonl": _json_cells,
    }
    read = readers.get(sheet.suffix.lower())
    if read is None:
        raise BadOption(f"expected a sheet that ends in .csv, .tsv or .jsonl, got '{sheet}'")
    try:
        yield from read(sheet, key, columns)
    except OSError as error:
        raise MissingFile(f"expected the sheet '{sheet}', got: {error.strerror}; check its path") from error
    except UnicodeDecodeError as error:
        raise BadMedia(f"expected '{sheet}' in UTF-8, got other bytes ({error.reason}); save it as 'CSV UTF-8'") from error
    except csv.Error as error:
        raise BadMedia(f"expected a CSV file, got one that cannot be read: '{sheet}' ({error}); export it again") from error


def _csv_cells(sheet: Path, key: str, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    with sheet.open(encoding="utf-8-sig", newline="") as file:
        head = file.readline()
        delimiter = next((mark for mark in _DELIMITERS if key in _names(head, mark)), None)
        if delimiter is None:
            raise BadOption(f"{sheet.name} row 1: expected a head with the column {key} ({', '.join(columns)}), got '{head.strip()[:80]}'")
        names = _names(head, delimiter)
        for number, row in enumerate(csv.reader(file, delimiter=delimiter, strict=True), 2):
            if len(row) > len(names) and any(row[len(names) :]):
                raise BadOption(
                    f"{sheet.name} row {number}: expected {len(names)} cells, got {len(row)}; put text with '{delimiter}' in quotes"
                )
            if any(row):
                yield number, {name: cell for name, cell in zip(names, row, strict=False) if name}


def _names(head: str, delimiter: str) -> list[str]:
    return [name.strip().lower() for name in next(csv.reader([head], delimiter=delimiter), [])]


def _json_cells(sheet: Path, key: str, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    with sheet.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                cells = json.loads(line)
            except ValueError as error:
                raise BadMedia(f"{sheet.name} row {number}: expected a JSON object, got text that cannot be read ({error})") from error
            if not isinstance(cells, dict):
                raise BadMedia(f"{sheet.name} row {number}: expected a JSON object, got {line.strip()[:60]}")
            yield number, cells
