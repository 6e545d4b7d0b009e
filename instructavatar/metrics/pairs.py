"""What is compared with what: generated clips, each with its real clip, its sound and its instruction.

A list of pairs is a JSONL or CSV file with these columns, of which only `generated` must be there; paths count from the list's folder:

    generated      the video that is judged
    reference      the real video of the same portrait and speech, or STORE#CLIP (metrics/store_clips.py)
    audio          the speech (default: the reference's own, else the generated video's)
    portrait       the picture it was made from (default: the reference's first frame, else the generated video's)
    baseline       the same portrait's video without an instruction (default: the portrait held still)
    phones         phones of the speech, as a JSON list of [phone, start_s, end_s] (default: NAME.phones.json beside the audio)
    instruction    what was asked for
    kind           one of the judge's kinds, such as "nod" (metrics/judge.py)
    emotion        a name of face/emotions.py
    intensity      1 to 3
    action_units   names of face/action_units.py, a list or separated by ", "
    group          equal for clips that differ in intensity alone

Instead of a list, two folders may be given: files of equal names belong together. A store may stand for the folder of real videos.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from instructavatar.errors import BadMedia, BadOption, MissingFile
from instructavatar.media.sheets import read_sheet

VIDEOS = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v")
SHEETS = ("clips.csv", "clips.jsonl")
FILES = ("generated", "reference", "audio", "portrait", "baseline", "phones")
TEXTS = ("instruction", "kind", "emotion", "intensity", "action_units", "group")
COLUMNS = (*FILES, *TEXTS)
# columns of the sheets that `prepare` reads, which say nothing here
_OTHERS = ("name", "path", "speaker", "split", "silent")

_NAMES_TOLD = 4  # files that an error names

Phone = tuple[str, float, float]


@dataclass(frozen=True)
class Asked:
    """What a clip should show; "" and () where nobody says."""

    instruction: str = ""
    kind: str = ""
    emotion: str = ""
    intensity: int = 0
    action_units: tuple[str, ...] = ()
    group: str = ""

    @property
    def anything(self) -> bool:
        """Whether an instruction is known in some form."""
        return bool(self.instruction or self.kind or self.emotion or self.action_units)


@dataclass(frozen=True)
class Pair:
    """A generated clip and what belongs to it; None where there is nothing."""

    name: str
    generated: Path
    reference: Path | None = None
    audio: Path | None = None
    portrait: Path | None = None
    baseline: Path | None = None
    phones: Path | None = None
    asked: Asked = field(default_factory=Asked)


@dataclass(frozen=True)
class Pairs:
    """All pairs of an evaluation, and the names of files that none of them uses."""

    pairs: tuple[Pair, ...]
    aside: tuple[str, ...] = ()


def find_pairs(generated: Path, reference: Path | None = None) -> Pairs:
    """The pairs of a list, or of a folder of generated videos with a folder of real ones.

    Raises:
        MissingFile: there is nothing.
        BadOption: the list names an unknown column or kind of value, or a list is given together with a reference folder.
    """
    if generated.is_file() and generated.suffix.lower() in (".jsonl", ".csv", ".tsv"):
        if reference is not None:
            raise BadOption(f"expected the references in the list {generated}, got --reference {reference} too; leave one of them out")
        return Pairs(tuple(_listed(generated)))
    if not generated.exists():
        raise MissingFile(f"expected a folder of videos or a list of pairs at {generated}, found nothing")
    if reference is not None and not reference.exists():
        raise MissingFile(f"expected a folder of real videos at {reference}, found nothing")
    return _folders(generated, reference)


def read_phones(path: Path) -> list[Phone]:
    """Phones with their times in seconds.

    Raises:
        BadMedia: the file holds something else.
    """
    try:
        return [(str(phone), float(start), float(end)) for phone, start, end in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError) as error:
        raise BadMedia(f"expected a JSON list of [phone, start_s, end_s] in {path}, got something else ({error})") from error


def _listed(sheet: Path) -> Iterable[Pair]:
    names: dict[str, int] = {}
    for number, cells in read_sheet(sheet, "generated", COLUMNS):
        where = f"{sheet.name} row {number}"
        unknown = set(cells) - {*COLUMNS, *_OTHERS}
        if unknown:
            raise BadOption(f"{where}: expected the columns {', '.join(COLUMNS)}, got '{sorted(unknown)[0]}'")
        files = {name: sheet.parent / str(cells[name]) for name in FILES if cells.get(name)}
        if "generated" not in files:
            raise BadOption(f"{where}, column generated: expected a video, got nothing")
        name = str(cells.get("name") or Path(str(cells["generated"])).with_suffix("").as_posix())
        names[name] = names.get(name, 0) + 1
        yield _pair(name if names[name] == 1 else f"{name} ({names[name]})", files, asked_for(where, cells))


def _pair(name: str, files: Mapping[str, Path], asked: Asked) -> Pair:
    """A pair whose phones are looked for beside its sound."""
    sound = files.get("audio") or files.get("reference")
    beside = sound.with_suffix(".phones.json") if sound else None
    phones = files.get("phones") or (beside if beside and beside.is_file() else None)
    return Pair(name, **{**files, "phones": phones}, asked=asked)  # type: ignore[arg-type]


def asked_for(where: str, cells: Mapping[str, Any]) -> Asked:
    """What the cells of a sheet ask for; several wordings are one instruction, of which the first is taken.

    Raises:
        BadOption: a cell is none; `where` begins the message.
    """
    intensity = str(cells.get("intensity") or 0).strip()
    if intensity not in ("0", "1", "2", "3"):
        raise BadOption(f"{where}, column intensity: expected 1, 2 or 3, got '{intensity}'")
    wordings = cells.get("instruction") or ""
    first = (wordings if isinstance(wordings, list) else str(wordings).split("||"))[:1]
    units = cells.get("action_units") or ()
    units = [unit.strip() for unit in units.split(",")] if isinstance(units, str) else units
    texts = {name: str(cells.get(name) or "").strip() for name in ("kind", "emotion", "group")}
    return Asked(str(first[0]).strip() if first else "", intensity=int(intensity), action_units=tuple(filter(None, units)), **texts)


def _folders(generated: Path, reference: Path | None) -> Pairs:
    """Videos by their path below the folder, without the ending; PORTRAIT--SOUND.mp4 also meets SOUND.mp4."""
    videos = _videos(generated)
    if not videos:
        raise MissingFile(f"expected videos ({', '.join(VIDEOS)}) in {generated}, found none")
    real, told, aside = _real(reference) if reference is not None else ({}, {}, False)
    told = _told(generated) | told
    pairs, used = [], set()
    for name, path in videos.items():
        other = next((key for key in (name, _spoken(name)) if key in real), None)
        used |= {other} if other else set()
        files = {"generated": path} | ({"reference": real[other]} if other else {})
        pairs.append(_pair(name, files, told.get(name) or told.get(other or "") or Asked()))
    if reference is not None and not used:
        there = ", ".join(sorted(real)[:_NAMES_TOLD]) or "none"
        raise MissingFile(
            f"expected real videos in {reference} with names of those in {generated} ({', '.join(sorted(videos)[:_NAMES_TOLD])}), "
            f"found {there}; name them alike, or give a list of pairs"
        )
    return Pairs(tuple(pairs), tuple(str(path) for name, path in real.items() if name not in used) if aside else ())


def _real(place: Path) -> tuple[dict[str, Path], dict[str, Asked], bool]:
    """Real clips by name, what is said of them, and whether those that nobody uses are worth naming: of a store they are not."""
    from instructavatar.metrics.store_clips import is_store, references

    if not is_store(place):
        return _videos(place), _told(place), True
    offered = references(place)
    return {name: path for name, (path, _) in offered.items()}, {name: asked for name, (_, asked) in offered.items()}, False


def _spoken(name: str) -> str:
    """The sound's part of the names that `generate --appear-dir` gives.

    >>> _spoken("a/face--voice"), _spoken("voice")
    ('a/voice', 'voice')
    """
    folder, slash, last = name.rpartition("/")
    return folder + slash + last.rpartition("--")[2]


def _videos(place: Path) -> dict[str, Path]:
    """Videos by their path below the folder, without the ending; a single file by its name."""
    if place.is_file():
        return {place.stem: place}
    found = sorted(path for path in place.rglob("*") if path.suffix.lower() in VIDEOS and not path.name.startswith("."))
    return {path.relative_to(place).with_suffix("").as_posix(): path for path in found}


def _told(folder: Path) -> dict[str, Asked]:
    """What the folder's sheet says of its videos."""
    sheet = next((folder / name for name in SHEETS if (folder / name).is_file()), None)
    if sheet is None:
        return {}
    rows = ((f"{sheet.name} row {number}", cells) for number, cells in read_sheet(sheet, "path", ("path", *TEXTS)))
    return {Path(str(cells.get("path"))).with_suffix("").as_posix(): asked_for(where, cells) for where, cells in rows}
