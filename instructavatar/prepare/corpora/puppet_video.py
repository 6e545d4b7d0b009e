"""Puppet video: a puppet corpus drawn on portraits by the warp codec, so that there are pixels to train a codec on.

The films are made once, as mp4 below a folder with a sheet, and are measured like any other videos: what training sees went through a
camera's eye. Source and licence: those of the pack and of the portraits.

A portrait films many clips, one after the other in the corpus's order. The last portraits appear in nothing but the split `test`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from instructavatar.codecs.warp import WarpCodec
from instructavatar.errors import BadOption, CannotWrite, MissingFile
from instructavatar.features.landmarks import FaceLandmarker
from instructavatar.pool import open_pool
from instructavatar.prepare.corpora.base import ClipRecord, Corpus, Progress
from instructavatar.prepare.corpora.folder import Folder
from instructavatar.prepare.corpora.puppet import Puppet
from instructavatar.prepare.filming import Sitter, film, sitter

SHEET = "clips.jsonl"
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")


@dataclass(frozen=True)
class Take:
    """What is to be filmed: a clip on a portrait."""

    record: ClipRecord
    portrait: Path

    @property
    def path(self) -> str:
        """The film, below the folder of films."""
        return f"{self.portrait.stem}/{self.record.id}.mp4"


class PuppetVideo(Folder):
    """Films of puppets, made where they are missing.

    Args:
        root: folder of the films.
        puppet: the clips.
        portraits: folder of portraits with one face each.
        test_portraits: so many portraits, the last by name, are for the split `test`.
        test_clips: clips that each of them films.
        side: of a film in pixels.
        workers: processes that draw.
        progress: called with ("filming", done, total).
    """

    name = "puppet_video"

    def __init__(
        self,
        root: Path | str,
        puppet: Puppet,
        portraits: Path | str,
        test_portraits: int = 4,
        test_clips: int = 8,
        side: int = 256,
        workers: int = 2,
        progress: Progress | None = None,
    ) -> None:
        root = Path(root)
        takes = list(plan(puppet, pictures_in(Path(portraits)), test_portraits, test_clips))
        studio = Studio(root.absolute(), puppet, side)
        missing = [take for take in takes if not (root / take.path).is_file()]
        tell = progress or (lambda stage, done, total: None)
        # takes of one portrait travel together, so that a process looks at it once
        with open_pool(workers) as pool:
            for done, _ in enumerate(pool.map(studio.shoot, missing, 16), 1):
                tell("filming", done, len(missing))
        root.mkdir(parents=True, exist_ok=True)
        write_sheet(root / SHEET, takes)
        super().__init__(root, SHEET)


def pictures_in(folder: Path) -> list[Path]:
    """The portraits of a folder, by name."""
    found = sorted(path for path in folder.glob("*") if path.suffix.lower() in PICTURE_SUFFIXES)
    if not found:
        raise MissingFile(f"expected portraits ({', '.join(PICTURE_SUFFIXES)}) in '{folder}', found none; put some there")
    return found


def plan(puppet: Corpus, portraits: list[Path], test_portraits: int, test_clips: int) -> Iterator[Take]:
    """Who films what: seen portraits share the clips evenly, the others film some of the validation clips."""
    if not 0 <= test_portraits < len(portraits):
        raise BadOption(f"expected fewer test_portraits than the {len(portraits)} portraits there are, got {test_portraits}")
    seen, unseen = portraits[: len(portraits) - test_portraits], portraits[len(portraits) - test_portraits :]
    records = list(puppet.records())
    each = -(-len(records) // len(seen))
    for number, record in enumerate(_shuffled(records)):
        yield Take(record, seen[number // each])
    held_out = [record for record in records if record.split != "train"] or records
    for number, portrait in enumerate(unseen):
        for clip in range(min(test_clips, len(held_out))):
            record = held_out[(number * test_clips + clip) % len(held_out)]
            yield Take(replace(record, split="test"), portrait)


def _shuffled(records: list[ClipRecord]) -> list[ClipRecord]:
    """In an order that has nothing to do with what is done in a clip."""
    return sorted(records, key=lambda record: record.extra["seed"])


@dataclass
class Studio:
    """Draws takes; goes to every process, where each portrait is looked at once."""

    root: Path
    puppet: Puppet
    side: int

    @cached_property
    def codec(self) -> WarpCodec:
        """Draws the films."""
        return WarpCodec.load()

    @cached_property
    def landmarker(self) -> FaceLandmarker:
        """Finds the portraits' faces."""
        return FaceLandmarker.load(threads=1)

    def shoot(self, take: Take) -> None:
        """Film a take."""
        record, path = take.record, self.root / take.path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CannotWrite(f"expected a folder for films, could not make '{path.parent}': {error.strerror}") from error
        sound = self.puppet.sound(record) if record.audio else None
        film(path, self._sitter(take.portrait), self.puppet.motion(record), sound, self.codec)

    def _sitter(self, portrait: Path) -> Sitter:
        """The portrait, kept until another one sits."""
        name, who = getattr(self, "_present", ("", None))
        if name != portrait.name or who is None:
            who = sitter(portrait, self.codec, self.landmarker, self.side)
            self._present = (portrait.name, who)
        return who


def write_sheet(path: Path, takes: list[Take]) -> None:
    """The sheet of the films, written beside and renamed."""
    rows = [
        {
            "path": take.path,
            "instruction": list(take.record.instructions),
            "speaker": take.portrait.stem,
            "split": take.record.split,
            "silent": not take.record.audio,
        }
        for take in takes
    ]
    beside = path.with_suffix(".part")
    beside.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    os.replace(beside, path)
