"""What every corpus is: a list of clips that a person can read, and the sound and motion of each.

T video frames (25 Hz), N samples (16 kHz mono).
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from instructavatar.face.motion import FaceMotion

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total)."""


@dataclass(frozen=True)
class ClipRecord:
    """One clip of a corpus: a line of its manifest."""

    id: str
    """Unique in the corpus; the clip's name in the store."""
    seconds: float = 0.0
    """0: as long as its video turns out."""
    split: str = "train"
    """train, valid or test; nothing that is heard or seen in one is in another."""
    instructions: tuple[str, ...] = ()
    """Scripts that all ask for what happens here, in other words; () for an uninstructed clip."""
    action_units: tuple[str, ...] = ()
    """FACS action units that are asked for, by the names of `face/action_units.py`."""
    audio: str = ""
    """Name of the clip's sound within the corpus; "" for a silent clip, or a video with its own track."""
    speaker: str = ""
    emotion: str = ""
    """A name of `face/emotions.py`; "" if nobody says."""
    intensity: int = 0
    """1 to 3; 0 for a neutral face or if nobody says."""
    video: str = ""
    """Path of the clip's video below the corpus's root; "" where the corpus performs its motion itself."""
    extra: dict[str, Any] = field(default_factory=dict)
    """What the corpus itself needs to make the clip; plain JSON."""

    def to_json(self) -> str:
        """One line of a JSONL manifest."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @staticmethod
    def from_json(line: str) -> ClipRecord:
        """The record of a manifest's line."""
        values = json.loads(line)
        values["instructions"] = tuple(values["instructions"])
        values["action_units"] = tuple(values["action_units"])
        return ClipRecord(**values)


class Corpus(ABC):
    """A source of clips. It is handed to worker processes, so it must be picklable and open its files by itself.

    A corpus of configs/corpora/ takes `progress: Progress | None` beside its params; it may report its own making, and must not keep it.
    """

    name: str

    @abstractmethod
    def records(self) -> Iterator[ClipRecord]:
        """All clips, in an order that never changes."""

    @abstractmethod
    def content_hash(self) -> str:
        """SHA-256 of everything that decides what the clips are."""


class PerformedCorpus(Corpus):
    """A corpus that knows its motion, because it makes it. Clips whose records name the same sound share their speech features."""

    @abstractmethod
    def sound(self, record: ClipRecord) -> NDArray[np.float32]:
        """The clip's sound [N] at 16 kHz, as long as the clip; called only where `record.audio` is set."""

    @abstractmethod
    def sound_hash(self, record: ClipRecord) -> str:
        """SHA-256 of the sound's file: speech features are kept by it."""

    @abstractmethod
    def motion(self, record: ClipRecord) -> FaceMotion:
        """What the face does [T, 58], T = frames_of(record.seconds)."""

    def motion_version(self) -> str:
        """Changes whenever `motion` would give other numbers for the same clips."""
        return "1"

    def unknown_phones(self) -> dict[str, int]:
        """Phones that no viseme is known for, with their number; they are drawn as a half-open mouth."""
        return {}


class FilmedCorpus(Corpus):
    """A corpus of videos: what the faces do is measured."""

    silent = False
    """Nobody speaks and there is no sound to read: zeros of equal length stand in."""

    @abstractmethod
    def video_path(self, record: ClipRecord) -> Path:
        """The clip's video, as a file that is there."""

    def is_silent(self, record: ClipRecord) -> bool:
        """Whether this clip's sound is not to be read, and silence of equal length stands in."""
        return self.silent

    def sound_path(self, record: ClipRecord) -> Path | None:
        """The clip's sound where it has a file of its own; None where it is the video's track."""
        return None

    def left_out(self) -> dict[str, str]:
        """What lies among the corpus's files and is no clip of it: name -> reason."""
        return {}

    @abstractmethod
    def write(self, record: ClipRecord, units: Mapping[str, float]) -> tuple[str, ...]:
        """The clip's wordings, given the action units that were measured (name -> strength 0..1)."""
