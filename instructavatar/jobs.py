"""A list of jobs for `generate --list`: one JSON object a line, each value checked like the option of its name."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from instructavatar.console import face_choice, number_between, whole_between
from instructavatar.errors import BadOption, MissingFile

# The keys of a --list job and how each value is read.
_JOB_VALUES: dict[str, Callable[[str], Any]] = {
    "portrait": str,
    "audio": str,
    "instruction": str,
    "motion": str,
    "output": str,
    "face": face_choice,
    "seconds": number_between(1 / 25, 10_800),
    "intensity": number_between(0, 2),
    "cfg_scale": number_between(0, 20),
    "audio_cfg_scale": number_between(0, 20),
    "seed": whole_between(0, 2**63 - 1),
}


def read_jobs(path: Path) -> list[dict[str, Any]]:
    """Every job of a JSONL file.

    Raises:
        MissingFile: no such file.
        BadOption: a line is not a job; the message names it.
    """
    if not path.is_file():
        raise MissingFile(f"expected a list of jobs, found no file at {path}")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise BadOption(f"expected {path} to be UTF-8 text, one JSON object a line") from error
    jobs = [_job(line, f"{path} line {number}") for number, line in enumerate(lines, 1) if line.strip()]
    if not jobs:
        raise BadOption(f"{path} holds no jobs; expected one JSON object a line")
    return jobs


def _job(line: str, place: str) -> dict[str, Any]:
    """One job of a list, each value checked like the option of its name."""
    try:
        job = json.loads(line)
    except json.JSONDecodeError as error:
        raise BadOption(f"{place} is not JSON: {error.msg}") from error
    if not isinstance(job, dict) or not set(job) <= set(_JOB_VALUES):
        raise BadOption(f"{place}: expected an object with keys among {', '.join(_JOB_VALUES)}")
    checked = {}
    for name, value in job.items():
        if isinstance(value, bool | list | dict) or (_JOB_VALUES[name] is str and not isinstance(value, str)):
            raise BadOption(f"{place}: expected {name} to be text or a number as its option takes it, got {value!r}")
        try:
            checked[name] = _JOB_VALUES[name](str(value))
        except argparse.ArgumentTypeError as error:
            raise BadOption(f"{place}: {name}: {error}") from error
    return checked
