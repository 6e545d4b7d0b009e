"""Batches by number: batch k is a function of the seed and k, so a run resumes by counting on.

B batch, T video frames (25 Hz).
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from instructavatar.data.batch import ClipBatch, collate
from instructavatar.data.clips import Chances, ClipExamples
from instructavatar.face.motion import ACTION_COUNT

VALIDATION_SEED = 7_000_000
VALIDATION_SPLITS = ("valid", "validation", "val")


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
        """Refuse lengths out of order."""
        if not 2 <= self.shortest <= self.usual <= self.longest:
            raise ValueError(f"expected 2 <= shortest <= usual <= longest, got {self.shortest}, {self.usual} and {self.longest}")

    def draw(self, rng: np.random.Generator) -> int:
        """Frames of a batch's stretches."""
        low, high = (self.usual, self.longest) if rng.random() < self.long_share else (self.shortest, self.usual)
        return int(rng.integers(low, high + 1))


class BatchPlan:
    """Which clips, cut to how many frames, make up batch k. Clips of a batch are about equally long, so little is padding."""

    def __init__(self, lengths: dict[str, int], seed: int, frames_per_batch: int, frames: StretchLengths) -> None:
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
        first = int(np.searchsorted(self.lengths, 0.8 * frames))
        count = max(1, self.frames_per_batch // frames)
        chosen = rng.integers(first, len(self.keys), count)
        return [self.keys[i] for i in chosen], frames, rng


class PlannedBatches:
    """Batches of a plan, by their number."""

    def __init__(self, examples: ClipExamples, plan: BatchPlan) -> None:
        self.examples = examples
        self.plan = plan

    def __getitem__(self, number: int) -> ClipBatch:
        keys, frames, rng = self.plan.batch(number)
        return collate([self.examples.example(key, frames, rng) for key in keys])


class BatchStream:
    """Batches without end, from number `start` on; a few are made ahead in a thread while the network works.

    In a run of several processes each takes every `world`-th batch, beginning at its `rank`.
    """

    def __init__(self, batches: PlannedBatches, start: int = 0, rank: int = 0, world: int = 1, ahead: int = 4) -> None:
        self.batches = batches
        self.start, self.rank, self.world = start, rank, world
        self.ahead = ahead

    def numbers(self) -> Iterator[int]:
        """Numbers of the batches of this process."""
        return itertools.count(self.start * self.world + self.rank, self.world)

    def __iter__(self) -> Iterator[ClipBatch]:
        numbers = self.numbers()
        if not self.ahead:
            yield from map(self.batches.__getitem__, numbers)
        with ThreadPoolExecutor(1) as pool:
            waiting = deque(pool.submit(self.batches.__getitem__, next(numbers)) for _ in range(self.ahead))
            try:
                while True:
                    batch = waiting.popleft().result()
                    waiting.append(pool.submit(self.batches.__getitem__, next(numbers)))
                    yield batch
            finally:
                pool.shutdown(cancel_futures=True)


class FixedBatches:
    """The first `count` batches of a plan."""

    def __init__(self, batches: PlannedBatches, count: int) -> None:
        self.batches = batches
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[ClipBatch]:
        return map(self.batches.__getitem__, range(self.count))


class MotionData:
    """Train and validation batches from one store.

    Args:
        store: folder of a feature store, or an open source.
        seed: fixes every batch.
        frames_per_batch: B times T of a batch, about.
        stretches: how many frames clips are cut to; shorter clips are taken whole.
        validation_batches: how many fixed batches judge the run.
        ahead: batches made ahead in a thread; 0 makes each when it is asked for.
        chances: see `Chances`.
    """

    def __init__(
        self,
        store: str | Path | Any,
        seed: int = 0,
        frames_per_batch: int = 2048,
        stretches: StretchLengths | None = None,
        validation_batches: int = 8,
        ahead: int = 4,
        chances: Chances | None = None,
    ) -> None:
        self.source = _open(store)
        stretches = stretches or StretchLengths()
        self.seed = seed
        self.ahead = ahead
        self.validation_batches = validation_batches
        self.examples = ClipExamples(self.source, chances)
        self.train = PlannedBatches(self.examples, BatchPlan(self._lengths("train"), seed, frames_per_batch, stretches))
        judged = next((self._lengths(name) for name in VALIDATION_SPLITS if self._lengths(name)), self._lengths("train"))
        self.valid = PlannedBatches(self.examples, BatchPlan(judged, VALIDATION_SEED, frames_per_batch, stretches))

    @property
    def corpus_hash(self) -> str:
        """Hash of the corpus that the store was made of."""
        return str(self.source.header.corpus_hash)

    @property
    def extractors(self) -> dict[str, str]:
        """What measured the features, by version."""
        return dict(self.source.header.extractors)

    def train_loader(self, start: int = 0, rank: int = 0, world: int = 1) -> BatchStream:
        """Batches without end; a resumed run gives the step it goes on from."""
        return BatchStream(self.train, start, rank, world, self.ahead)

    def valid_loader(self) -> FixedBatches:
        """The same few batches each time."""
        return FixedBatches(self.valid, self.validation_batches)

    def statistics(self, action_floor: float = 0.08, pose_floor: float = 0.02) -> tuple[Sequence[float], Sequence[float]]:
        """Mean and deviation [D] of the training motion; deviations have a floor, as rare actions would be blown up without one."""
        header = self.source.header
        mean, std = np.asarray(header.motion_mean, np.float32), np.asarray(header.motion_std, np.float32)
        floor = np.where(np.arange(len(std)) < ACTION_COUNT, action_floor, pose_floor)
        return mean.tolist(), np.maximum(std, floor).tolist()

    def _lengths(self, split: str) -> dict[str, int]:
        if split not in self.source.header.splits:
            return {}
        return self.source.lengths(split)


def _open(store: str | Path | Any) -> Any:
    if not isinstance(store, str | Path):
        return store
    from instructavatar.data.store import FeatureStore

    return FeatureStore.open(store)
