"""Which clips make up batch k: a function of the seed and k. Clips of a batch are about equally long, so little is padding.

B batch, T video frames (25 Hz).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

SAME_LENGTH = 0.8
"""Clips go together whose lengths differ by no more than this ratio."""
FEWEST_CLIPS = 8
"""Clips of rare lengths go with their neighbours, lest a batch be one clip many times."""


@dataclass(frozen=True)
class StretchLengths:
    """How long the stretches of a batch are, in frames.

    Most are short: an instruction is one fact however long the stretch, so many short ones teach more of them for the same work. Some are
    long, as windows are when the model is used.
    """

    shortest: int = 32
    usual: int = 80
    longest: int = 160
    long_share: float = 0.25

    def __post_init__(self) -> None:
        """Refuse lengths out of order and a share that is none."""
        if not 0 <= self.long_share <= 1:
            raise ValueError(f"expected a long_share from 0 to 1, got {self.long_share}")
        if not 2 <= self.shortest <= self.usual <= self.longest:
            raise ValueError(f"expected 2 <= shortest <= usual <= longest, got {self.shortest}, {self.usual} and {self.longest}")

    def draw(self, rng: np.random.Generator) -> int:
        """Frames of a batch's stretches."""
        low, high = (self.usual, self.longest) if rng.random() < self.long_share else (self.shortest, self.usual)
        return int(rng.integers(low, high + 1))

    def odds(self) -> NDArray[np.float64]:
        """How likely `draw` gives each number of frames, from 0 to the longest."""
        odds = np.zeros(self.longest + 1)
        odds[self.shortest : self.usual + 1] += (1 - self.long_share) / (self.usual - self.shortest + 1)
        odds[self.usual :] += self.long_share / (self.longest - self.usual + 1)
        return odds


class Plan(Protocol):
    """Which clips, cut to how many frames, make up batch k."""

    def batch(self, number: int) -> tuple[list[str], int, np.random.Generator]:
        """Keys, frames to cut to, and the chance of batch `number`."""
        ...


class BatchPlan:
    """Batches around a clip drawn evenly: the others are drawn evenly among all that are nearly as long, or longer.

    So a short clip comes less often than a long one, for it has no part in batches of long stretches; `EvenPlan` draws all alike.
    """

    def __init__(self, lengths: Mapping[str, int], seed: int, frames_per_batch: int, frames: StretchLengths) -> None:
        if not lengths:
            raise ValueError("expected a store with training clips, got none; check the store's splits")
        self.keys = sorted(lengths, key=lambda key: (lengths[key], key))
        self.lengths = np.array([lengths[key] for key in self.keys])
        self.seed = seed
        self.frames_per_batch = frames_per_batch
        self.frames = frames

    def batch(self, number: int) -> tuple[list[str], int, np.random.Generator]:
        """Keys, frames to cut to, and the chance of batch `number`."""
        rng = np.random.default_rng((self.seed, number))
        anchor = int(self.lengths[int(rng.integers(len(self.keys)))])
        frames = min(anchor, self.frames.draw(rng))
        first = int(np.searchsorted(self.lengths, SAME_LENGTH * frames))
        count = max(1, self.frames_per_batch // frames)
        chosen = rng.integers(first, len(self.keys), count)
        return [self.keys[i] for i in chosen], frames, rng


class EvenPlan:
    """Batches in which every clip comes in proportion to its weight, whatever its length.

    Clips are put into buckets of about one length; all that are at least as long as the longest stretch share one. A batch is of one
    bucket. Short clips fill a batch in larger numbers, so their buckets come up less often.

    Args:
        lengths: frames of each clip.
        weights: of each clip, in any unit.
        seed: fixes every batch.
        frames_per_batch: B times T of a batch, about.
        frames: how many frames clips are cut to.
    """

    def __init__(
        self, lengths: Mapping[str, int], weights: Mapping[str, float], seed: int, frames_per_batch: int, frames: StretchLengths
    ) -> None:
        self.keys = [key for key in sorted(lengths, key=lambda key: (lengths[key], key)) if weights[key] > 0]
        if not self.keys:
            raise ValueError("expected a store with training clips, got none; check the store's splits and the weights")
        self.seed, self.frames_per_batch, self.frames = seed, frames_per_batch, frames
        capped = np.minimum([lengths[key] for key in self.keys], frames.longest)
        self.starts = np.array([*_buckets(capped), len(self.keys)])
        self.longest = capped[self.starts[1:] - 1]
        self.weights = np.concatenate([[0.0], np.cumsum([weights[key] for key in self.keys])])
        shares = np.diff(self.weights[self.starts]) / [self._mean_count(int(longest)) for longest in self.longest]
        self.odds = shares / shares.sum()

    def batch(self, number: int) -> tuple[list[str], int, np.random.Generator]:
        """Keys, frames to cut to, and the chance of batch `number`."""
        rng = np.random.default_rng((self.seed, number))
        bucket = int(rng.choice(len(self.odds), p=self.odds))
        frames = min(int(self.longest[bucket]), self.frames.draw(rng))
        first, end = self.starts[bucket], self.starts[bucket + 1]
        drawn = rng.uniform(self.weights[first], self.weights[end], self._count(frames))
        # rounding must not lead out of the bucket
        chosen = np.clip(np.searchsorted(self.weights, drawn, side="right") - 1, first, end - 1)
        return [self.keys[i] for i in chosen], frames, rng

    def _count(self, frames: int) -> int:
        return max(1, self.frames_per_batch // frames)

    def _mean_count(self, longest: int) -> float:
        """Clips that a batch of a bucket holds in the mean."""
        odds = self.frames.odds()
        return float(sum(odds[frames] * self._count(min(int(frames), longest)) for frames in np.flatnonzero(odds)))


def _buckets(lengths: NDArray[np.int64]) -> list[int]:
    """Where each bucket begins among ascending lengths.

    >>> _buckets(np.array([10] * 9 + [11] * 9 + [20] * 9))
    [0, 18]
    """
    starts = [0]
    for i, length in enumerate(lengths):
        if lengths[starts[-1]] < SAME_LENGTH * length and i - starts[-1] >= FEWEST_CLIPS:
            starts.append(i)
    if len(starts) > 1 and len(lengths) - starts[-1] < FEWEST_CLIPS:
        starts.pop()
    return starts
