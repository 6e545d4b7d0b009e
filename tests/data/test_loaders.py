"""Batches by number: repeatable, bucketed, resumable."""

from __future__ import annotations

import itertools
from dataclasses import fields
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from instructavatar.data.loaders import BatchPlan, BatchStream, MotionData, StretchLengths
from instructavatar.errors import BadBundle
from instructavatar.face.motion import INDEX

from .conftest import clip, write_store


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


@given(st.integers(0, 50), st.integers(1, 9), st.integers(1, 6))
def test_processes_never_share_or_miss_a_batch(start, world, steps):
    made = [list(itertools.islice(BatchStream([], start, rank, world).numbers(), steps)) for rank in range(world)]
    assert sorted(itertools.chain(*made)) == list(range(start * world, (start + steps) * world))


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
    with pytest.raises(ValueError, match="long_share from 0 to 1, got 2"):
        StretchLengths(long_share=2)


def test_most_stretches_are_short_and_some_are_long():
    rng = np.random.default_rng(0)
    drawn = np.array([StretchLengths(32, 80, 160, 0.25).draw(rng) for _ in range(800)])
    assert drawn.min() >= 32 and drawn.max() <= 160
    assert (drawn > 80).mean() == pytest.approx(0.25, abs=0.05)


def mixed(two, weights=(0.25, 0.75), **options) -> MotionData:
    stores = {path.name: {"path": path, "weight": weight} for path, weight in zip(two, weights, strict=True)}
    return MotionData(stores=stores, frames_per_batch=300, stretches=StretchLengths(8, 50, 50, 0.0), **options)


def contents(batch) -> list:
    return [batch.names, *(getattr(batch, f.name).tolist() for f in fields(batch) if isinstance(getattr(batch, f.name), torch.Tensor))]


def test_batch_k_of_several_stores_is_a_function_of_seed_and_k(two):
    one, same, other = mixed(two, seed=1), mixed(two, seed=1), mixed(two, seed=2)
    assert contents(one.train[7]) == contents(same.train[7])
    assert one.train[7].names != one.train[8].names and one.train[7].names != other.train[7].names
    whole = [batch.names for batch in itertools.islice(one.train_loader(), 8)]
    assert [batch.names for batch in itertools.islice(same.train_loader(3), 5)] == whole[3:]
    ranks = [[batch.names for batch in itertools.islice(same.train_loader(1, rank, 2), 3)] for rank in (0, 1)]
    assert [names for both in zip(*ranks, strict=True) for names in both] == whole[2:]


def test_shares_of_the_stores_are_those_of_the_clips_drawn(two):
    made = mixed(two)
    names = [name for number in range(400) for name in made.train.plan.batch(number)[0]]
    assert np.mean([name.startswith("long:") for name in names]) == pytest.approx(0.25, abs=0.02)
    assert set(names) == set(made.source.lengths("train"))
    batch = made.train[0]
    for name, motion in zip(batch.names, batch.motion, strict=True):
        assert abs(motion[0, 57]) == {"long": 1000, "short": 2000}[name.split(":")[0]] + int(name[-2:]), "the clip that it says"


def test_validation_takes_batches_of_every_store(two):
    made = mixed(two, weights=(1, 0), validation_batches=4)
    stores = [{name.split(":")[0] for name in batch.names} for batch in made.valid_loader()]
    assert stores == [{"long"}, {"short"}] * 2
    assert [b.names for b in made.valid_loader()] == [b.names for b in mixed(two, seed=9, validation_batches=4).valid_loader()]
    assert len(mixed(two, validation_batches=1).valid_loader()) == 2, "at least one of each"
    names = {name for batch in made.valid_loader() for name in batch.names}
    assert names <= set(made.source.lengths("valid"))


def test_one_store_gives_the_same_batches_however_it_is_named(two):
    plain, listed = (MotionData(two[0], frames_per_batch=300), MotionData(stores=[{"path": two[0], "weight": 2}], frames_per_batch=300))
    assert contents(plain.train[3]) == contents(listed.train[3])
    assert [b.names for b in plain.valid_loader()] == [b.names for b in listed.valid_loader()]


def test_short_clips_can_be_left_out(two, caplog):
    with caplog.at_level("INFO"):
        made = mixed(two, least_frames=30)
    assert "40 training clips of fewer than 30 frames are left out" in caplog.text
    drawn = {name for number in range(200) for name in made.train.plan.batch(number)[0]}
    assert drawn and min(made.source.header.lengths[name] for name in drawn) == 30
    with pytest.raises(BadBundle, match="at least 50 frames in the store short, the longest has 39"):
        mixed(two, least_frames=50)
    with pytest.raises(BadBundle, match="at least 500 frames in the store, the longest has 69"):
        MotionData(two[0], least_frames=500)


def test_one_store_can_be_drawn_evenly_too(two):
    made = MotionData(two[1], even=True, frames_per_batch=300, stretches=StretchLengths(8, 50, 50, 0.0))
    names = [name for number in range(300) for name in made.train.plan.batch(number)[0]]
    assert np.mean([int(name[2:]) < 30 for name in names]) == pytest.approx(0.5, abs=0.03)


def test_deviations_of_latents_have_a_floor_of_their_own_scale(tmp_path):
    latents = clip(20, width=6)
    latents["motion_latent"] *= np.array([1, 2, 3, 0, 1, 1], np.float32) * 10
    mean, std = MotionData(write_store(tmp_path / "latents", {"a": latents}), frames_per_batch=20).statistics()
    wide = 10 * np.arange(20).std()
    assert std[:3] == pytest.approx([wide, 2 * wide, 3 * wide], rel=1e-4) and mean[1] == pytest.approx(190)
    assert std[3] == pytest.approx(1e-3 * np.mean(std), rel=0.01), "and not the 0.01 of a face's actions"


def test_data_tells_its_corpora_and_who_measured_them(two):
    made = mixed(two)
    assert made.corpus_hash == made.source.header.corpus_hash and made.extractors["speech"] == "s1"
    assert MotionData(two[0]).corpus_hash == "hash of long"
