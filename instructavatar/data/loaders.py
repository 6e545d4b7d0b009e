"""Batches by number: batch k is a function of the seed and k, so a run resumes by counting on.

B batch, T video frames (25 Hz).
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from instructavatar.data.batch import ClipBatch, collate
from instructavatar.data.clips import Chances, ClipExamples
from instructavatar.data.plans import BatchPlan, EvenPlan, Plan, StretchLengths
from instructavatar.data.record import TEXT_DIM
from instructavatar.data.stores import JoinedStores, clip_weights, judged_lengths, source_of, together, training_lengths
from instructavatar.face.motion import ACTION_COUNT, MOTION_DIM

__all__ = ["BatchPlan", "BatchStream", "EvenPlan", "FixedBatches", "MotionData", "PlannedBatches", "StretchLengths", "TurnByTurn"]

VALIDATION_SEED = 7_000_000


class Batches(Protocol):
    """Batches by their number."""

    def __getitem__(self, number: int) -> Any: ...


class PlannedBatches:
    """Batches of a plan, by their number."""

    def __init__(self, examples: ClipExamples, plan: Plan) -> None:
        self.examples = examples
        self.plan = plan

    def __getitem__(self, number: int) -> ClipBatch:
        keys, frames, rng = self.plan.batch(number)
        return collate([self.examples.example(key, frames, rng) for key in keys])


class BatchStream:
    """Batches without end, from number `start` on; a few are made ahead in a thread while the network works.

    In a run of several processes each takes every `world`-th batch, beginning at its `rank`.
    """

    def __init__(self, batches: Batches, start: int = 0, rank: int = 0, world: int = 1, ahead: int = 4) -> None:
        self.batches = batches
        self.start, self.rank, self.world = start, rank, world
        self.ahead = ahead

    def numbers(self) -> Iterator[int]:
        """Numbers of the batches of this process."""
        return itertools.count(self.start * self.world + self.rank, self.world)

    def __iter__(self) -> Iterator[Any]:
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


class TurnByTurn:
    """Batches of n parts in turns: batch k is batch k // n of part k % n."""

    def __init__(self, parts: Sequence[Batches]) -> None:
        self.parts = parts

    def __getitem__(self, number: int) -> Any:
        turn, part = divmod(number, len(self.parts))
        return self.parts[part][turn]


def turn_by_turn(parts: Sequence[Batches]) -> Batches:
    """Batches of several parts in turns; of one part just these."""
    return parts[0] if len(parts) == 1 else TurnByTurn(parts)


class FixedBatches:
    """The first `count` batches."""

    def __init__(self, batches: Batches, count: int) -> None:
        self.batches = batches
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Any]:
        return map(self.batches.__getitem__, range(self.count))


class TrainingData:
    """What every training asks of its data: batches by number from `source`, and what those are made of."""

    source: Any
    train: Any  # batches by number
    valid: Batches
    validation_batches: int
    ahead: int

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


class MotionData(TrainingData):
    """Train and validation batches from one store, or from several mixed by weight.

    Args:
        store: folder of a feature store, or an open source; or what `stores` takes.
        seed: fixes every batch.
        frames_per_batch: B times T of a batch, about.
        stretches: how many frames clips are cut to; shorter clips are taken whole.
        validation_batches: how many fixed batches judge the run; every store gives as many as the next, and at least one.
        ahead: batches made ahead in a thread; 0 makes each when it is asked for.
        chances: see `Chances`.
        stores: several stores, in the place of `store`; see `data/stores.py`.
        least_frames: clips that are shorter are left out.
        even: draw every clip alike (`EvenPlan`) rather than long ones more often (`BatchPlan`). Several stores are always drawn so, as
            their weights ask for it.
    """

    def __init__(
        self,
        store: str | Path | Any = None,
        seed: int = 0,
        frames_per_batch: int = 2048,
        stretches: StretchLengths | None = None,
        validation_batches: int = 8,
        ahead: int = 4,
        chances: Chances | None = None,
        stores: Any = None,
        least_frames: int = 1,
        even: bool = False,
    ) -> None:
        self.source = source_of(store, stores)
        self.seed, self.ahead, self.even = seed, ahead, even
        self.frames_per_batch, self.stretches = frames_per_batch, stretches or StretchLengths()
        self.examples = ClipExamples(self.source, chances, getattr(self.source.header, "text_dim", TEXT_DIM))
        train = training_lengths(self.source, least_frames)
        self.train = self._batches(together(train), seed, clip_weights(self.source, train))
        judged = judged_lengths(self.source, train, least_frames)
        valid = [self._batches(lengths, VALIDATION_SEED) for lengths in judged.values() if lengths]
        self.valid = turn_by_turn(valid)
        self.validation_batches = max(validation_batches, len(valid))

    def statistics(
        self, action_floor: float = 0.08, pose_floor: float = 0.02, latent_floor: float = 1e-3
    ) -> tuple[Sequence[float], Sequence[float]]:
        """Mean and deviation [D] of the training motion; deviations have a floor, as what hardly moves would be blown up without one.

        Args:
            action_floor: of an action's deviation.
            pose_floor: of a rotation's or translation's.
            latent_floor: of a codec's latents, whose scale is any, as a share of their mean deviation.
        """
        header = self.source.header
        mean, std = np.asarray(header.motion_mean, np.float32), np.asarray(header.motion_std, np.float32)
        if len(std) == MOTION_DIM:
            floor = np.where(np.arange(MOTION_DIM) < ACTION_COUNT, action_floor, pose_floor)
        else:
            floor = np.full(len(std), latent_floor * std.mean())
        return mean.tolist(), np.maximum(std, floor).tolist()

    def _batches(self, lengths: Mapping[str, int], seed: int, weights: Mapping[str, float] | None = None) -> PlannedBatches:
        """Batches of clips; without weights all weigh the same."""
        if self.even or isinstance(self.source, JoinedStores):
            weights = weights or dict.fromkeys(lengths, 1.0)
            return PlannedBatches(self.examples, EvenPlan(lengths, weights, seed, self.frames_per_batch, self.stretches))
        return PlannedBatches(self.examples, BatchPlan(lengths, seed, self.frames_per_batch, self.stretches))
