"""Many jobs for `generate`: a list, one JSON object a line, each value checked like the option of its name; or folders."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from instructavatar.console import face_choice, number_between, whole_between, yes_or_no
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
    "head_motion": number_between(0, 1),
    "blink": number_between(0, 1),
    "still": yes_or_no,
}
PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
SOUNDS = {".wav", ".mp3", ".flac", ".m4a", ".aac", ".ogg", ".opus", ".wma"}


def named_as(name: str, kind: str) -> str:
    """The name of an output of a kind; PNG frames go to a folder of that name.

    >>> named_as("face--voice", "webm"), named_as("face--voice", "png")
    ('face--voice.webm', 'face--voice')
    """
    return name if kind == "png" else f"{name}.{kind}"


def folder_jobs(
    portraits: Path, sounds: Path | None, output: Path, by_stem: bool = False, kind: str = "mp4"
) -> tuple[list[dict[str, Any]], list[str]]:
    """A job for every portrait with every sound.

    Args:
        portraits: folder of pictures, or one picture.
        sounds: folder of sounds, one sound, or None for silent videos.
        output: folder of the videos, which are called PORTRAIT--SOUND.mp4 or as their kind is.
        by_stem: a portrait goes only with the sound of its own name.
        kind: of the videos: mp4, webm, mov, gif or png.

    Returns:
        The jobs in the order of their names, and the names of files that none of them uses.

    Raises:
        MissingFile: there is nothing to do.
        BadOption: the output is a file.
    """
    if output.suffix.lower() in (".mp4", f".{kind}") or output.is_file():
        raise BadOption(f"expected a folder for the videos, got the file {output}; give --output DIR")
    faces, voices = _files(portraits, PICTURES, "portrait"), _files(sounds, SOUNDS, "sound") if sounds else [None]
    pairs = [(face, voice) for face in faces for voice in voices if not by_stem or voice is None or face.stem == voice.stem]
    if not pairs:
        raise MissingFile(f"expected portraits and sounds of equal names in {portraits} and {sounds}, found none; use --pairs every")
    names = {path: _name_among(path, group) for group in (faces, [voice for voice in voices if voice]) for path in group}
    jobs = []
    for face, voice in pairs:
        driver = {"audio": str(voice)} if voice else {}
        name = "--".join(names[path] for path in (face, voice) if path)
        jobs.append({"portrait": str(face), **driver, "output": str(output / named_as(name, kind))})
    used = {path for pair in pairs for path in pair if path}
    folders = {folder for folder in (portraits, sounds) if folder and folder.is_dir()}
    return jobs, sorted(path.name for folder in folders for path in folder.iterdir() if path not in used and path.is_file())


def _files(place: Path, endings: set[str], what: str) -> list[Path]:
    """Files of a kind in a folder, by name; a file is taken as it is."""
    if place.is_file():
        return [place]
    found = sorted(path for path in place.iterdir() if path.is_file() and path.suffix.lower() in endings) if place.is_dir() else []
    if not found:
        raise MissingFile(f"expected a folder with at least one {what} ({', '.join(sorted(endings))}), found none in {place}")
    return found


def _name_among(path: Path, others: list[Path]) -> str:
    """The name without its ending, unless another file has the same."""
    return path.stem if sum(other.stem == path.stem for other in others) == 1 else path.name


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
        wrong = list | dict if _JOB_VALUES[name] is yes_or_no else bool | list | dict
        if isinstance(value, wrong) or (_JOB_VALUES[name] is str and not isinstance(value, str)):
            raise BadOption(f"{place}: expected {name} to be text or a number as its option takes it, got {value!r}")
        try:
            checked[name] = _JOB_VALUES[name](str(value))
        except argparse.ArgumentTypeError as error:
            raise BadOption(f"{place}: {name}: {error}") from error
    return checked
