"""VideoCorpus: what the corpora of filmed faces share. A corpus says how its owners lay out their files; the rest is here.

Paths in records are relative to the corpus's root, with forward slashes.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import re
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from instructavatar.errors import BadMedia, BadOption, MissingFile
from instructavatar.face.emotions import PROTOTYPES
from instructavatar.prepare.corpora.base import ClipRecord, FilmedCorpus, Progress
from instructavatar.prepare.splits import SpeakerSplits

VIDEO_SUFFIXES = (".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".flv", ".mpg", ".mpeg", ".wmv", ".3gp")
VERSION = "video-1"  # changes when the same files would give other records
_ID_BYTES = 200  # LMDB takes keys of at most 511 bytes, file systems names of 255
_SHOWN = 8
# How corpora call what face/emotions.py calls otherwise.
_OTHER_NAMES = {
    "anger": "angry",
    "mad": "angry",
    "disgust": "disgusted",
    "fearful": "fear",
    "afraid": "fear",
    "scared": "fear",
    "happiness": "happy",
    "joy": "happy",
    "sadness": "sad",
    "surprise": "surprised",
    "contemptuous": "contempt",
    "calmness": "calm",
    "confusion": "confused",
    "excitement": "excited",
    "boredom": "bored",
}


class Writer(Protocol):
    """What writes instructions for a clip (`prepare.mixture.Mixture`)."""

    def write(self, record: ClipRecord, units: Mapping[str, float]) -> tuple[str, ...]:
        """Wordings that ask for what the clip shows; `units` are the measured action units with their strengths 0..1."""
        ...


@dataclass(frozen=True)
class LeftOut:
    """A file or entry that is no clip of the corpus, with the reason; it is counted and named, never dropped in silence."""

    name: str
    reason: str


class VideoCorpus(FilmedCorpus):
    """Clips that are video files below a folder. A subclass yields them from `found`.

    Args:
        root: the folder, as the corpus's owners lay it out.
        splits: who goes to train, valid and test.
        instructions: writes the wordings of clips that bring none; without it such clips are uninstructed.
        progress: taken as every corpus does; nothing is made here, so nothing is told.
    """

    tree = ""
    """A drawing of the expected layout, for the error."""

    def __init__(
        self,
        root: Path | str,
        splits: SpeakerSplits | None = None,
        instructions: Writer | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.root = Path(str(root)).absolute()  # YAML reads 2024 as a number; a cluster's workers stand elsewhere
        self.splits = splits if splits is not None else SpeakerSplits()
        self.instructions = instructions
        self._scanned: tuple[list[ClipRecord], dict[str, str]] | None = None
        if not self.root.is_dir():
            raise MissingFile(
                f"expected the folder of the corpus {self.name} at '{self.root}', found none; give it with --root\n{self.tree}"
            )

    def __getstate__(self) -> dict[str, Any]:
        """Workers get records one by one; the list of all stays where it was made."""
        return {**self.__dict__, "_scanned": None}

    @abstractmethod
    def found(self) -> Iterator[ClipRecord | LeftOut]:
        """Every clip below the root and everything that might be taken for one, in any order."""

    def records(self) -> Iterator[ClipRecord]:
        """All clips, sorted by id."""
        return iter(self._scan()[0])

    def left_out(self) -> dict[str, str]:
        """What lies in the tree and is no clip: name -> reason."""
        return dict(self._scan()[1])

    def content_hash(self) -> str:
        """Of the records, the sizes of their files, and what writes their instructions. The folder may be moved."""
        settings = [VERSION, self.name, self.silent, plain(self.instructions)]
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
        for record in self.records():
            sizes = [self.size(path) for path in (record.video, record.audio) if path]
            digest.update(f"{record.to_json()} {sizes}\n".encode())
        return digest.hexdigest()

    def video_path(self, record: ClipRecord) -> Path:
        """The clip's video."""
        return self.file(record.video)

    def sound_path(self, record: ClipRecord) -> Path | None:
        """The clip's own sound file; None where the sound is the video's track."""
        return self.file(record.audio) if record.audio else None

    def write(self, record: ClipRecord, units: Mapping[str, float]) -> tuple[str, ...]:
        """The wordings the clip brings, else those that `instructions` writes."""
        if record.instructions:
            return record.instructions
        return tuple(self.instructions.write(record, units)) if self.instructions is not None else ()

    def file(self, relative: str) -> Path:
        """The file at a path of a record."""
        path = self.root / relative
        if not path.is_file():
            raise MissingFile(f"expected '{path}', found no such file; it was there when the corpus {self.name} was listed")
        return path

    def size(self, relative: str) -> int:
        """Bytes of the file at a path of a record."""
        try:
            return (self.root / relative).stat().st_size
        except OSError as error:
            raise MissingFile(
                f"expected to read '{self.root / relative}', got: {error.strerror}; check the link or the permission"
            ) from error

    def _scan(self) -> tuple[list[ClipRecord], dict[str, str]]:
        if self._scanned is None:
            clips: dict[str, ClipRecord] = {}
            left_out: dict[str, str] = {}
            for item in self.found():
                if isinstance(item, LeftOut):
                    left_out[item.name] = item.reason
                else:
                    _add(clips, item)
            if not clips:
                raise self.wrong_tree(left_out)
            self._scanned = [clips[name] for name in sorted(clips)], dict(sorted(left_out.items()))
        return self._scanned

    def wrong_tree(self, left_out: Mapping[str, str]) -> MissingFile:
        """The error for a folder without a single clip: what was expected, what is there."""
        there = _some(sorted(child.name + "/" * child.is_dir() for child in self.root.iterdir()))
        why = "".join(f"\nnot taken: {name}: {reason}" for name, reason in sorted(left_out.items())[:3])
        return MissingFile(
            f"expected the layout of {self.name} below '{self.root}', found no clip of it:\n{self.tree}\nfound: {there}{why}"
        )


def files_below(root: Path, suffixes: Iterable[str] = VIDEO_SUFFIXES) -> Iterator[str]:
    """Relative paths of the files with one of those endings, in order of their names; hidden ones are none. Links are followed once."""
    endings, seen = tuple(suffixes), set()
    for folder, inside, names in os.walk(root, followlinks=True, onerror=_cannot_list):
        inside[:] = sorted(name for name in inside if not name.startswith((".", "__MACOSX")))
        real = os.path.realpath(folder)
        if real in seen:
            inside[:] = []
            continue
        seen.add(real)
        for name in sorted(names):
            if name.lower().endswith(endings) and not name.startswith("."):
                yield Path(folder, name).relative_to(root).as_posix()


def safe_id(text: str) -> str:
    """A clip's id out of a path or name: letters, digits, "_", "-" and "." of any alphabet; at most 200 bytes.

    >>> safe_id("anna/take 1")
    'anna--take_1'
    """
    name = re.sub(r"[^\w.\-]+", "_", text.replace("/", "--"))
    if len(name.encode()) <= _ID_BYTES:
        return name
    mark = hashlib.sha256(text.encode()).hexdigest()[:12]
    return name.encode()[: _ID_BYTES - len(mark) - 1].decode(errors="ignore") + "-" + mark


def emotion_of(word: str) -> str:
    """The name that face/emotions.py has for a corpus's word; an empty one stays empty.

    >>> emotion_of("Anger")
    'angry'

    Raises:
        BadOption: nobody knows it.
    """
    name = word.strip().lower().replace(" ", "_")
    name = _OTHER_NAMES.get(name, name)
    if name and name not in PROTOTYPES:
        raise BadOption(f"expected an emotion ({', '.join(PROTOTYPES)}), got '{word}'{nearest(name, [*PROTOTYPES, *_OTHER_NAMES])}")
    return name


def nearest(name: str, known: Iterable[str]) -> str:
    """What was probably meant, as the end of an error."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean '{close[0]}'?" if close else ""


def plain(value: object) -> Any:
    """A settings object as JSON: its class and its public plain values, the same in every process."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if hasattr(value, "tolist"):  # an array
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    public = {name: plain(item) for name, item in getattr(value, "__dict__", {}).items() if not name.startswith("_")}
    return {"class": type(value).__qualname__, **public}


def _add(clips: dict[str, ClipRecord], record: ClipRecord) -> None:
    """Take a clip in; refuse a second one of the same name and a path that no manifest can hold."""
    try:
        record.video.encode()
    except UnicodeEncodeError as error:
        raise BadMedia(f"expected file names in UTF-8, got {ascii(record.video)}; rename the file") from error
    other = clips.setdefault(record.id, record)
    if other is not record:
        raise BadMedia(f"expected one clip with the name {record.id}, got '{other.video}' and '{record.video}'; rename or remove one")


def _some(names: list[str]) -> str:
    if not names:
        return "nothing"
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _cannot_list(error: OSError) -> None:
    raise MissingFile(f"expected to list '{error.filename}', got: {error.strerror}; change its permissions") from error
