"""Folder: any folder of videos, with an optional sheet that says what they show.

A sheet is a CSV file (comma, semicolon or tab; as any spreadsheet writes it) or a JSONL file with one object a line:

    path           the video, below the folder; the only column that must be there
    instruction    what the face was asked to do; several wordings in one cell are separated by " || " (JSONL: or a list)
    emotion        a name of face/emotions.py, or a common word for one
    intensity      1 to 3
    speaker        who it is: a speaker is in one split only
    split          train, valid or test; empty: by speaker
    silent         yes: nobody speaks, the video's sound is not read, and silence stands in; empty: as `silent` of the corpus

With a sheet, its videos are the corpus; without one, every video below the folder.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from instructavatar.errors import BadMedia, BadOption, InstructAvatarError, MissingFile
from instructavatar.media.sheets import read_sheet
from instructavatar.prepare.corpora.base import ClipRecord, Progress
from instructavatar.prepare.corpora.video import VIDEO_SUFFIXES, LeftOut, VideoCorpus, Writer, emotion_of, files_below, nearest, safe_id
from instructavatar.prepare.splits import SPLITS, SpeakerSplits

COLUMNS = ("path", "instruction", "emotion", "intensity", "speaker", "split", "silent")
SHEETS = ("clips.csv", "clips.jsonl")
BETWEEN_WORDINGS = "||"
_ANSWERS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


@dataclass(frozen=True)
class Row:
    """A row of a sheet, checked."""

    number: int
    """As a spreadsheet counts: the head of a CSV is row 1. Of a JSONL file, the line."""
    path: str
    instructions: tuple[str, ...] = ()
    emotion: str = ""
    intensity: int = 0
    speaker: str = ""
    split: str = ""
    silent: bool | None = None


class Folder(VideoCorpus):
    """Videos in any folders.

    Args:
        root: the folder.
        sheet: the sheet; a relative path counts from the root (default: clips.csv or clips.jsonl there, if there is one).
        silent: nobody speaks: the videos' sound is not read, zeros of equal length stand in.
        splits: who goes to train, valid and test where the sheet does not say.
        instructions: writes the wordings where the sheet has none.
        progress: as for every corpus.
    """

    name = "folder"
    tree = """  ROOT/
    any/folders/clip.mp4     mp4, mov, mkv, webm, avi, flv ...
    clips.csv                optional: path,instruction,emotion,intensity,speaker,split,silent"""

    def __init__(
        self,
        root: Path | str,
        sheet: Path | str | None = None,
        silent: bool = False,
        splits: SpeakerSplits | None = None,
        instructions: Writer | None = None,
        progress: Progress | None = None,
    ) -> None:
        super().__init__(root, splits, instructions, progress)
        self.silent = silent
        usual = [self.root / name for name in SHEETS if (self.root / name).is_file()]
        if sheet is None and len(usual) > 1:
            raise BadOption(f"expected one sheet in '{self.root}', got {' and '.join(SHEETS)}; name one with corpus.params.sheet")
        self.sheet = self.root / sheet if sheet is not None else next(iter(usual), None)

    def found(self) -> Iterator[ClipRecord | LeftOut]:
        """The sheet's videos, or all."""
        if self.sheet is None:
            for video in files_below(self.root):
                yield self._clip(Row(0, video))
            return
        rows = {row.path: row for row in self._rows(self.sheet)}
        yield from (self._clip(row) for row in rows.values())
        yield from (LeftOut(video, f"not in {self.sheet.name}") for video in files_below(self.root) if video not in rows)

    def _clip(self, row: Row) -> ClipRecord:
        name = safe_id(PurePosixPath(row.path).with_suffix("").as_posix())
        return ClipRecord(
            id=name,
            split=row.split or self.splits.of(row.speaker or name),
            instructions=row.instructions,
            speaker=row.speaker,
            emotion=row.emotion,
            intensity=row.intensity,
            video=row.path,
            extra={} if row.silent is None else {"silent": row.silent},
        )

    def is_silent(self, record: ClipRecord) -> bool:
        """As the sheet says, else as the corpus."""
        return bool(record.extra.get("silent", self.silent))

    def _rows(self, sheet: Path) -> Iterator[Row]:
        """Every row, checked; a video comes once."""
        seen: dict[str, int] = {}
        for number, cells in read_sheet(sheet, "path", COLUMNS):
            row = checked_row(self.root, f"{sheet.name} row {number}", number, cells)
            if row.path in seen:
                hint = "put several wordings into one cell, separated by ' || '"
                raise BadOption(f"{sheet.name} row {number}, column path: '{row.path}' is already in row {seen[row.path]}; {hint}")
            seen[row.path] = number
            yield row


def checked_row(root: Path, where: str, number: int, cells: Mapping[str, Any]) -> Row:
    """A row of a sheet as it is meant; `where` begins every error."""
    for name, value in cells.items():
        if name not in COLUMNS:
            raise BadOption(f"{where}: expected the columns {', '.join(COLUMNS)}, got '{name}'{nearest(str(name), COLUMNS)}")
        if not isinstance(value, str | int | list | None) or (isinstance(value, list) and name != "instruction"):
            raise BadOption(f"{where}, column {name}: expected text, got {json.dumps(value)[:60]}")
    speaker = str(cells.get("speaker") or "").strip()
    emotion, split = _emotion(where, cells.get("emotion")), _split(where, cells.get("split"))
    wordings, silent = _wordings(where, cells), _silent(where, cells.get("silent"))
    return Row(number, _path(root, where, cells), wordings, emotion, _intensity(where, cells), speaker, split, silent)


def _path(root: Path, where: str, cells: Mapping[str, Any]) -> str:
    given = str(cells.get("path") or "").strip()
    if not given:
        raise BadOption(f"{where}, column path: expected a video, got nothing")
    if not (root / given).exists():
        given = given.replace("\\", "/")  # as Windows writes it
    path = PurePosixPath(given)
    if path.is_absolute() or ".." in path.parts:
        raise BadOption(f"{where}, column path: expected a path below '{root}', got '{given}'")
    if not (root / path).is_file():
        raise MissingFile(f"{where}, column path: expected a video at '{root / path}', found none")
    if path.suffix.lower() not in VIDEO_SUFFIXES:
        raise BadMedia(f"{where}, column path: expected a video ({', '.join(VIDEO_SUFFIXES)}), got '{given}'")
    return path.as_posix()


def _wordings(where: str, cells: Mapping[str, Any]) -> tuple[str, ...]:
    given = cells.get("instruction")
    texts = given if isinstance(given, list) else str(given or "").split(BETWEEN_WORDINGS)
    if not all(isinstance(text, str) for text in texts):
        raise BadOption(f"{where}, column instruction: expected text or a list of texts, got {json.dumps(given)[:60]}")
    return tuple(dict.fromkeys(" ".join(text.split()) for text in texts if text.strip()))


def _emotion(where: str, given: Any) -> str:
    try:
        return emotion_of(str(given or ""))
    except InstructAvatarError as error:
        raise BadOption(f"{where}, column emotion: {error}") from error


def _intensity(where: str, cells: Mapping[str, Any]) -> int:
    given = str(cells.get("intensity") if cells.get("intensity") is not None else "").strip()
    if given not in ("", "0", "1", "2", "3"):
        raise BadOption(f"{where}, column intensity: expected 1, 2 or 3 (0 or nothing: unknown), got '{given}'")
    return int(given or 0)


def _split(where: str, given: Any) -> str:
    name = str(given or "").strip().lower()
    if name and name not in SPLITS:
        raise BadOption(f"{where}, column split: expected {', '.join(SPLITS)} or nothing, got '{given}'{nearest(name, SPLITS)}")
    return name


def _silent(where: str, given: Any) -> bool | None:
    answer = str("" if given is None else given).strip().lower()
    if answer and answer not in _ANSWERS:
        raise BadOption(f"{where}, column silent: expected yes, no or nothing, got '{given}'{nearest(answer, tuple(_ANSWERS))}")
    return _ANSWERS.get(answer)
