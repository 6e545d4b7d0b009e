"""Stored clips to training examples: a stretch of a clip, one of its wordings, and what of its motion is given.

T video frames (25 Hz) of 2 speech features each (50 Hz). All chance comes from a numpy Generator, so a seed fixes the example.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from instructavatar.data.batch import ClipExample
from instructavatar.data.key_frames import KeyFrames, checked_kinds
from instructavatar.data.labels import pose_of, units_of
from instructavatar.data.store import NotInStore
from instructavatar.errors import BadBundle, BadScript
from instructavatar.face.motion import FRAME_RATE_HZ, MOTION_DIM, ROTATION, SPEECH_PER_FRAME, mirror
from instructavatar.face.script import Script, Segment, alive_frames, clock_of, swap_sides


class ClipSource(Protocol):
    """What a store offers to training; `data.store.FeatureStore` is one."""

    def read(self, key: str, arrays: Container[str]) -> Mapping[str, Any]:
        """The plain values of a clip's record and the arrays that are named."""
        ...

    def text(self, sentence: str) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
        """Token states [L, C] and pooled state [C] of a sentence; NotInStore if the table lacks it."""
        ...


ARRAYS = ("motion_latent", "audio_feat", "pose")
"""What an example is cut from; the other arrays of a record stay unread."""
TOLERANCE = 2
"""Frames by which motion, pose and speech of a clip may differ; what is over is cut off."""


@dataclass(frozen=True)
class Chances:
    """How often training meets each situation, and its lengths in frames."""

    from_start: float = 0.5  # a stretch begins at the clip's first frame
    no_start: float = 0.1  # not even the first frame is given
    prefix: float = 0.25  # a longer beginning is given, as when a window continues the last one
    prefix_longest: int = 25
    pose: float = 0.08  # the whole head rotation is given
    mirror: float = 0.5  # a clip is mirrored, where its mirrored text is in the store
    key: Mapping[Any, float] = field(default_factory=dict)  # where a key frame comes from, see `key_frames.KINDS`; empty: no key frames

    def __post_init__(self) -> None:
        """Refuse chances that make no sense."""
        for name in ("from_start", "no_start", "prefix", "pose", "mirror"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"expected a chance from 0 to 1 as {name}, got {getattr(self, name)}")
        if self.prefix_longest < 2:
            raise ValueError(f"expected prefix_longest of at least 2 frames, got {self.prefix_longest}")
        if self.key:
            checked_kinds(self.key)


class ClipExamples:
    """Makes examples from the clips of a store."""

    def __init__(self, source: ClipSource, chances: Chances | None = None, text_dim: int = 384) -> None:
        self.source = source
        self.chances = chances or Chances()
        self.text_dim = text_dim
        self.key_frames = KeyFrames(source, self.chances.key) if self.chances.key else None
        self._texts: dict[str, tuple[NDArray[np.float16], NDArray[np.float16]]] = {}

    def example(self, key: str, frames: int, rng: np.random.Generator) -> ClipExample:
        """A stretch of at most `frames` frames of the clip."""
        record = self.source.read(key, ARRAYS)
        length = _length(key, record)
        whole = np.asarray(record["motion_latent"][:length], np.float32)
        take = min(frames, length)
        start = 0 if rng.random() < self.chances.from_start else int(rng.integers(0, length - take + 1))
        motion, segments, mirrored = whole, self._segments(key, record, rng), False
        if rng.random() < self.chances.mirror and motion.shape[1] == MOTION_DIM:
            motion, segments, mirrored = self._mirrored(motion, segments)
        stretch = motion[start : start + take]
        speech, speech_mask = _speech(record, start, take)
        tokens, pooled, owner = self._text(segments)
        alive = alive_frames(segments, start, take)
        return ClipExample(
            name=key,
            motion=stretch,
            known_mask=self._known(stretch, rng),
            speech=speech,
            speech_mask=speech_mask,
            tokens=tokens,
            pooled=pooled,
            tokens_alive=alive[:, owner],
            pooled_alive=alive,
            clock=clock_of(segments, start, take),
            key=self._key_frame(key, whole, mirrored, rng),
            pose=pose_of(record, start, take, mirrored),
            units=units_of(key, record, mirrored),
            intensity=int(record.get("intensity", 0)),
            talking=bool(record["audio_flag"]),
            emotion=str(record.get("emotion", "")),
        )

    def _segments(self, key: str, record: Mapping[str, Any], rng: np.random.Generator) -> tuple[Segment, ...]:
        """Segments of one of the clip's wordings."""
        wordings = record.get("instruction") or []
        if not len(wordings):
            return ()
        text = wordings[int(rng.integers(len(wordings)))]
        try:
            return Script.parse(text, int(record["latent_length"]) / FRAME_RATE_HZ).segments
        except BadScript as error:
            raise BadBundle(f"clip {key}: {error}") from error

    def _mirrored(
        self, motion: NDArray[np.float32], segments: tuple[Segment, ...]
    ) -> tuple[NDArray[np.float32], tuple[Segment, ...], bool]:
        """Motion and text with sides swapped and whether they are; both are as they were when the store has no such text."""
        swapped = tuple(Segment(s.start_s, s.end_s, swap_sides(s.text)) for s in segments)
        try:
            for segment in swapped:
                self._states(segment.text)
        except NotInStore:
            return motion, segments, False
        return mirror(motion), swapped, True

    def _text(self, segments: Sequence[Segment]) -> tuple[NDArray[np.floating], NDArray[np.floating], NDArray[np.int64]]:
        """Token states [L, C], pooled states [S, C], and the segment that each token belongs to [L]."""
        states = [self._states(s.text) for s in segments]
        if not states:
            return np.zeros((0, self.text_dim), np.float16), np.zeros((0, self.text_dim), np.float16), np.zeros(0, np.int64)
        owner = np.concatenate([np.full(len(tokens), i, np.int64) for i, (tokens, _) in enumerate(states)])
        return np.concatenate([tokens for tokens, _ in states]), np.stack([pooled for _, pooled in states]), owner

    def _states(self, sentence: str) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
        """The table's entry, kept in memory: sentences come back thousands of times."""
        if sentence not in self._texts:
            self._texts[sentence] = self.source.text(sentence)
        return self._texts[sentence]

    def _key_frame(self, key: str, motion: NDArray[np.float32], mirrored: bool, rng: np.random.Generator) -> NDArray[np.float32] | None:
        """Motion [D] of the key frame, with its sides as the stretch has them; None where none is asked for."""
        frame = self.key_frames.draw(key, motion, rng) if self.key_frames else None
        return mirror(frame) if mirrored and frame is not None else frame

    def _known(self, stretch: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        mask = np.zeros_like(stretch)
        chance = rng.random()
        if chance < self.chances.prefix:
            mask[: int(rng.integers(2, self.chances.prefix_longest + 1))] = 1
        elif chance < 1 - self.chances.no_start:
            mask[:1] = 1
        if rng.random() < self.chances.pose and stretch.shape[1] == MOTION_DIM:
            mask[:, ROTATION] = 1
        # something must be left to predict
        if mask.all():
            mask[1:] = 0
        return mask


def _length(key: str, record: Mapping[str, Any]) -> int:
    """Frames that motion, pose and speech all have; streams that do not belong together are refused."""
    lengths = {"all": int(record["latent_length"]), "motion": len(record["motion_latent"])}
    if "pose" in record:
        lengths["pose"] = len(record["pose"])
    if len(record["audio_feat"]):
        lengths["speech"] = len(record["audio_feat"]) // SPEECH_PER_FRAME
    shortest = min(lengths.values())
    if shortest < 1 or max(lengths.values()) - shortest > TOLERANCE:
        told = ", ".join(f"{name} {frames}" for name, frames in lengths.items())
        raise BadBundle(f"clip {key}: expected streams of about one length, got frames of {told}; prepare the corpus again")
    return shortest


def _speech(record: Mapping[str, Any], start: int, frames: int) -> tuple[NDArray[np.floating], NDArray[np.float32]]:
    """Features [2T, C] and mask [T]; a silent clip has no features, or those of silence, and a mask of zeros."""
    features = record["audio_feat"]
    stretch = features[SPEECH_PER_FRAME * start : SPEECH_PER_FRAME * (start + frames)]
    full = np.zeros((SPEECH_PER_FRAME * frames, features.shape[1]), features.dtype)
    full[: len(stretch)] = stretch
    mask = np.zeros(frames, np.float32)
    mask[: len(stretch) // SPEECH_PER_FRAME] = float(record["audio_flag"])
    return full, mask
