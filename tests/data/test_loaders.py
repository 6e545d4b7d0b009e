"""Batches by number: repeatable, bucketed, resumable."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from instructavatar.data.loaders import BatchPlan, BatchStream, MotionData, StretchLengths
from instructavatar.face.motion import INDEX


class Store:
    """Forty silent clips of 20 to 59 frames; column 0 holds the frame's number."""

    def __init__(self) -> None:
        keys = [f"k{i:02d}" for i in range(40)]
        std = [0.01] * 52 + [5.0] * 6
        self.header = SimpleNamespace(splits={"train": keys[:36], "valid": keys[36:]}, motion_mean=[0.0] * 58, motion_std=std)

    def keys(self, split: str) -> list[str]:
        return self.header.splits[split]

    def lengths(self, split: str) -> dict[str, int]:
        return {key: 20 + int(key[1:]) for key in self.keys(split)}

    def read(self, key: str, arrays) -> dict:
        frames = 20 + int(key[1:])
        motion = np.arange(frames, dtype=np.float32)[:, None].repeat(58, 1)
        return {
            "motion_latent": motion,
            "audio_feat": np.zeros((0, 4), np.float16),
            "audio_flag": False,
            "latent_length": frames,
            "instruction": [],
        }

    def text(self, sentence: str):
        raise AssertionError("no clip has a text")


def data(**options) -> MotionData:
    return MotionData(Store(), frames_per_batch=200, stretches=StretchLengths(16, 28, 40, 0.5), validation_batches=3, **options)


def test_lengths_come_from_the_header():
    """Opening a store of many thousand clips must not read each of them."""

    class Unread(Store):
        def read(self, key, arrays):
            raise AssertionError("a clip was read")

    made = MotionData(Unread(), frames_per_batch=200, stretches=StretchLengths(16, 28, 40, 0.5))
    assert made.train.plan.lengths.tolist() == list(range(20, 56))
    assert made.valid.plan.lengths.tolist() == list(range(56, 60))


def test_batch_k_is_a_function_of_seed_and_k():
    one, two = data(seed=1), data(seed=1)
    assert torch.equal(one.train[7].motion, two.train[7].motion)
    assert one.train[7].names != data(seed=2).train[7].names
    assert one.train[7].names != one.train[8].names


@pytest.mark.parametrize("ahead", [0, 3])
def test_a_stream_can_start_anywhere(ahead):
    stream = itertools.islice(data(ahead=ahead).train_loader(start=0), 6)
    later = itertools.islice(data(ahead=ahead).train_loader(start=4), 2)
    assert [b.names for b in stream][4:] == [b.names for b in later]


def test_processes_share_the_batches():
    made = data()
    numbers = [list(itertools.islice(BatchStream(made.train, 2, rank, 2).numbers(), 3)) for rank in (0, 1)]
    assert numbers == [[4, 6, 8], [5, 7, 9]]


def test_batches_are_of_about_one_size_and_hold_little_padding():
    shares = []
    for number in range(30):
        batch = data().train[number]
        assert 80 <= batch.frame_mask.numel() <= 200
        shares.append(batch.frame_mask.mean().item())
    assert np.mean(shares) > 0.9 and min(shares) > 0.7


def test_validation_is_fixed_and_apart():
    made = data(seed=5)
    names = [b.names for b in made.valid_loader()]
    assert names == [b.names for b in data(seed=6).valid_loader()]
    assert len(names) == len(made.valid_loader()) == 3
    assert set(itertools.chain(*names)) <= set(Store().keys("valid"))


def test_deviations_have_a_floor():
    _, std = data().statistics(action_floor=0.12)
    assert std[INDEX["jawOpen"]] == pytest.approx(0.12) and std[INDEX["yaw"]] == 5.0


def test_plans_that_cannot_work_are_refused():
    with pytest.raises(ValueError, match="training clips"):
        BatchPlan({}, 0, 100, StretchLengths())
    with pytest.raises(ValueError, match="shortest <= usual <= longest"):
        StretchLengths(20, 16)


def test_most_stretches_are_short_and_some_are_long():
    rng = np.random.default_rng(0)
    drawn = np.array([StretchLengths(32, 80, 160, 0.25).draw(rng) for _ in range(800)])
    assert drawn.min() >= 32 and drawn.max() <= 160
    assert (drawn > 80).mean() == pytest.approx(0.25, abs=0.05)
