"""Stored clips to training examples: a stretch of a clip, one of its wordings, and what of its motion is given.

T video frames (25 Hz) of 2 speech features each (50 Hz). All chance comes from a numpy Generator, so a seed fixes the example.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from instructavatar.data.batch import ClipExample
from instructavatar.data.labels import pose_of, units_of
from instructavatar.errors import BadBundle
from instructavatar.face.motion import FRAME_RATE_HZ, MOTION_DIM, ROTATION, SPEECH_PER_FRAME, mirror
from instructavatar.face.script import Script, Segment, alive_frames, clock_of, swap_sides


class ClipSource(Protocol):
    """What a store offers to training; `data.store.FeatureStore` is one."""

    def __getitem__(self, key: str) -> Mapping[str, Any]: ...

    def text(self, sentence: str) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
        """Token states [L, C] and pooled state [C] of a sentence; BadBundle if the table lacks it."""
        ...


@dataclass(frozen=True)
class Chances:
    """How often training meets each situation, and its lengths in frames."""

    from_start: float = 0.5  # a stretch begins at the clip's first frame
    no_start: float = 0.1  # not even the first frame is given
    prefix: float = 0.25  # a longer beginning is given, as when a window continues the last one
    prefix_longest: int = 25
    pose: float = 0.08  # the whole head rotation is given
    mirror: float = 0.5  # a clip is mirrored, where its mirrored text is in the store


class ClipExamples:
    """Makes examples from the clips of a store."""

    def __init__(self, source: ClipSource, chances: Chances | None = None, text_dim: int = 384) -> None:
        self.source = source
        self.chances = chances or Chances()
        self.text_dim = text_dim
        self.measured_units = "units" in getattr(getattr(source, "header", None), "extractors", {})
        self._texts: dict[str, tuple[NDArray[np.float16], NDArray[np.float16]]] = {}

    def example(self, key: str, frames: int, rng: np.random.Generator) -> ClipExample:
        """A stretch of at most `frames` frames of the clip."""
        record = self.source[key]
        length = int(record["latent_length"])
        motion = np.asarray(record["motion_latent"][:length], np.float32)
        take = min(frames, length)
        start = 0 if rng.random() < self.chances.from_start else int(rng.integers(0, length - take + 1))
        segments = self._segments(record, rng)
        mirrored = False
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
            pose=pose_of(record, start, take, mirrored),
            units=units_of(key, record, mirrored, self.measured_units),
            intensity=int(record.get("intensity", 0)),
            talking=bool(record["audio_flag"]),
            emotion=str(record.get("emotion", "")),
        )

    def _segments(self, record: Mapping[str, Any], rng: np.random.Generator) -> tuple[Segment, ...]:
        wordings = record.get("instruction") or []
        if not len(wordings):
            return ()
        return Script.parse(wordings[int(rng.integers(len(wordings)))], int(record["latent_length"]) / FRAME_RATE_HZ).segments

    def _mirrored(
        self, motion: NDArray[np.float32], segments: tuple[Segment, ...]
    ) -> tuple[NDArray[np.float32], tuple[Segment, ...], bool]:
        """Motion and text with sides swapped and whether they are; both are as they were when the store has no such text."""
        swapped = tuple(Segment(s.start_s, s.end_s, swap_sides(s.text)) for s in segments)
        try:
            for segment in swapped:
                self._states(segment.text)
        except BadBundle:
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


def _speech(record: Mapping[str, Any], start: int, frames: int) -> tuple[NDArray[np.floating], NDArray[np.float32]]:
    """Features [2T, C] and mask [T]; a silent clip has no features, or those of silence, and a mask of zeros."""
    features = record["audio_feat"]
    stretch = features[SPEECH_PER_FRAME * start : SPEECH_PER_FRAME * (start + frames)]
    full = np.zeros((SPEECH_PER_FRAME * frames, features.shape[1]), features.dtype)
    full[: len(stretch)] = stretch
    mask = np.zeros(frames, np.float32)
    mask[: len(stretch) // SPEECH_PER_FRAME] = float(record["audio_flag"])
    return full, mask
