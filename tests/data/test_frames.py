"""Frame pairs: two distinct frames of a clip, RGB, the landmarks of the one that is rebuilt; batch k is a function of seed and k."""

from __future__ import annotations

import itertools
import re

import cv2
import numpy as np
import pytest
import torch

from instructavatar.codecs.landmark_image import LandmarkImage
from instructavatar.data.frames import FrameData, batch_of, face_frame, pair_of, unit
from instructavatar.data.header import Header
from instructavatar.data.record import complete
from instructavatar.data.writer import StoreWriter
from instructavatar.errors import BadBundle

SIDE = 64


def clip(frames: int, blue: int, pictures: bool = True) -> dict:
    """Frame k is red 20 k, green 100 and has its landmarks at x = 8 + 4 k."""
    colours = [(20 * k, 100, blue) for k in range(frames)]
    jpegs = [cv2.imencode(".png", np.full((SIDE, SIDE, 3), colour[::-1], np.uint8))[1].tobytes() for colour in colours]
    points = np.zeros((frames, 478, 3), np.float16)
    points[..., 0] = 8 + 4 * np.arange(frames)[:, None]
    points[..., 1] = np.linspace(10, 50, 478)
    given = {
        "motion_latent": np.zeros((frames, 58), np.float32),
        "latent_length": frames,
        "pose": np.zeros((frames, 3), np.float32),
        "filename": "a.mp4",
        "ldmk": points,
    }
    if pictures:
        given["face_frames"] = np.frombuffer(b"".join(jpegs), np.uint8)
        given["face_offsets"] = np.concatenate([[0], np.cumsum([len(data) for data in jpegs])]).astype(np.int64)
    return complete(given)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("frames") / "store"
    with StoreWriter(path, Header.started("abc", {})) as writer:
        for name, frames, blue in (("a", 6, 10), ("b/c", 9, 60), ("one", 1, 0), ("v", 5, 200)):
            writer.add(name, clip(frames, blue))
        writer.finish({"train": ["a", "b/c", "one"], "valid": ["v"]})
    return path


def frame_numbers(pictures: torch.Tensor) -> list[int]:
    return [round(float(value) / 20) for value in pictures[:, 0, 0, 0]]


def equal(a, b) -> bool:
    return a.names == b.names and all(torch.equal(getattr(a, n), getattr(b, n)) for n in ("appearance", "drawn", "target", "points"))


def test_shapes_types_and_colours(store):
    batch = FrameData(store, LandmarkImage(32), batch_size=3).train[0]
    assert len(batch) == 3 and batch.appearance.shape == batch.target.shape == (3, 3, 32, 32) and batch.drawn.shape == (3, 1, 32, 32)
    assert batch.points.shape == (3, 478, 2) and batch.points.dtype == torch.float32
    assert batch.target.dtype == batch.appearance.dtype == batch.drawn.dtype == torch.uint8
    assert (batch.target[:, 1] == 100).all(), "green"
    assert set(batch.target[:, 2].unique().tolist()) <= {10, 60}, "blue is last: RGB"
    assert unit(torch.tensor([0, 255], dtype=torch.uint8)).tolist() == [-1, 1]
    moved = batch.to("cpu")
    assert equal(moved, batch)


def test_pairs_are_distinct_frames_of_a_clip_and_the_landmarks_are_the_targets(store):
    data, seen = FrameData(store, LandmarkImage(SIDE), batch_size=8), set()
    for number in range(30):
        batch = data.train[number]
        for name, looks, target, points, drawn in zip(
            batch.names, frame_numbers(batch.appearance), frame_numbers(batch.target), batch.points, batch.drawn, strict=True
        ):
            assert looks != target
            assert name.endswith(f"[{target}<-{looks}]")
            assert points[:, 0].unique().tolist() == [8 + 4 * target]
            assert drawn[0].nonzero()[:, 1].unique().tolist() == [7 + 4 * target, 8 + 4 * target, 9 + 4 * target]
            seen.add((name[0], target, looks))
    assert {key for key, *_ in seen} == {"a", "b"}, "a clip of one frame has no pair"
    assert len(seen) > 60, "of 30 + 72 pairs"


def test_with_candidates_pairs_lie_further_apart(store):
    def apart(candidates):
        pairs = FrameData(store, LandmarkImage(SIDE), candidates=candidates, ahead=0, batch_size=8).train
        looks = [re.search(r"\[(\d+)<-(\d+)\]", name) for k in range(30) for name in pairs[k].names]
        return [abs(int(found[1]) - int(found[2])) for found in looks]

    near, far = apart(1), apart(4)
    assert np.mean(far) > np.mean(near) + 0.2 and min(far) == 1, "and some pairs are as close as any"
    with pytest.raises(ValueError, match="at least 1 candidate"):
        FrameData(store, LandmarkImage(SIDE), candidates=0)


def test_batch_k_is_a_function_of_seed_and_k(store):
    one, two, other = (FrameData(store, LandmarkImage(32), seed=seed) for seed in (5, 5, 6))
    assert equal(one.train[7], two.train[7])
    assert not equal(one.train[7], one.train[8]) and not equal(one.train[7], other.train[7])
    whole = [batch.names for batch in itertools.islice(one.train_loader(), 6)]
    assert [batch.names for batch in itertools.islice(two.train_loader(3), 3)] == whole[3:]
    parts = [[batch.names for batch in itertools.islice(one.train_loader(0, rank, 2), 3)] for rank in (0, 1)]
    assert [name for both in zip(*parts, strict=True) for name in both] == whole


def test_validation_is_fixed_and_of_its_own_split(store):
    data = FrameData(store, LandmarkImage(32), validation_batches=2)
    first, again = list(data.valid_loader()), list(data.valid_loader())
    assert len(first) == len(data.valid_loader()) == 2 and all(map(equal, first, again))
    assert all(name.startswith("v[") for batch in first for name in batch.names)


def test_data_tells_its_corpus_and_who_measured_it(store):
    data = FrameData(store, LandmarkImage(32))
    assert (data.corpus_hash, data.extractors) == ("abc", {})


def test_the_first_clips_alone(store):
    data = FrameData(store, LandmarkImage(32), batch_size=16, clips=1)
    assert all(name.startswith("a[") for name in data.train[0].names)


def test_frames_of_another_size_are_resized_with_their_landmarks():
    record = clip(4, 30)
    small, large = (pair_of("a", record, 1, 2, LandmarkImage(size), size) for size in (32, 128))
    # pixel 12 of 64 has its middle at 12.5/64 of the side
    assert float(small.points[0, 0, 0]) == pytest.approx(12.5 / 64 * 32 - 0.5) and float(large.points[0, 0, 0]) == pytest.approx(24.5)
    for pair in (small, large):
        middle = pair.drawn[0, 0].nonzero()[:, 1].float().mean()
        assert float(middle) == pytest.approx(float(pair.points[0, 0, 0]), abs=1), "drawn where the points are"
        assert pair.target.shape[-1] == pair.drawn.shape[-1]
    assert equal(batch_of([small, small]), batch_of([small, small])) and len(batch_of([small, small])) == 2


def test_drawings_may_be_larger_than_pictures(store):
    batch = FrameData(store, LandmarkImage(64), size=32).train[0]
    assert batch.target.shape[-1] == 32 and batch.drawn.shape[-1] == 64
    drawn = [float(picture[0].nonzero()[:, 1].float().mean()) for picture in batch.drawn]
    np.testing.assert_allclose((np.array(drawn) + 0.5) / 2 - 0.5, batch.points[:, 0, 0], atol=0.5)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"face_offsets": np.zeros(0, np.int64)}, "clip k: expected face frames.*measure.params.frames=true"),
        ({"ldmk": np.zeros((0, 478, 3), np.float16)}, "clip k: expected landmarks"),
        ({"face_frames": np.zeros(5000, np.uint8)}, "clip k: expected a JPEG as frame 1"),
    ],
)
def test_clips_without_what_is_needed_are_named(change, told):
    with pytest.raises(BadBundle, match=told):
        pair_of("k", {**clip(4, 0), **change}, 1, 2, LandmarkImage(32), 32)


def test_stores_without_pictures_or_pairs_are_refused(tmp_path):
    with StoreWriter(tmp_path / "dark", Header.started("abc", {})) as writer:
        writer.add("a", clip(4, 0, pictures=False))
        writer.finish({"train": ["a"]})
    with pytest.raises(BadBundle, match="clip a: expected face frames"):
        FrameData(tmp_path / "dark", LandmarkImage(32))
    with StoreWriter(tmp_path / "short", Header.started("abc", {})) as writer:
        writer.add("a", clip(1, 0))
        writer.finish({"train": ["a"]})
    with pytest.raises(BadBundle, match="at least 2 frames in the store, the longest has 1"):
        FrameData(tmp_path / "short", LandmarkImage(32))
    with pytest.raises(ValueError, match="batch_size"):
        FrameData(tmp_path / "short", LandmarkImage(32), batch_size=0)


def test_a_frame_is_what_was_put_in():
    picture = face_frame("a", clip(5, 77), 3)
    assert picture.shape == (SIDE, SIDE, 3) and picture.dtype == np.uint8
    assert picture[0, 0].tolist() == [60, 100, 77]


@pytest.fixture(scope="module")
def several(store, tmp_path_factory):
    path = tmp_path_factory.mktemp("frames") / "other"
    with StoreWriter(path, Header.started("xyz", {})) as writer:
        for name, frames, blue in (("o", 4, 120), ("p", 7, 121), ("w", 5, 122)):
            writer.add(name, clip(frames, blue))
        writer.finish({"train": ["o", "p"], "valid": ["w"]})
    return {"one": {"path": store, "weight": 1}, "other": {"path": path, "weight": 3}}


def test_pairs_of_several_stores_come_by_weight(several):
    data, same = (FrameData(None, LandmarkImage(32), stores=several, batch_size=20, seed=3) for _ in range(2))
    assert equal(data.train[4], same.train[4]) and not equal(data.train[4], data.train[5])
    names = [name for number in range(20) for name in data.train[number].names]
    assert np.mean([name.startswith("other:") for name in names]) == pytest.approx(0.75, abs=0.06)
    assert {name.split("[")[0] for name in names} == {"one:a", "one:b/c", "other:o", "other:p"}
    assert data.corpus_hash == data.source.header.corpus_hash != "abc"
    batch = data.train[0]
    for name, blue in zip(batch.names, batch.target[:, 2, 0, 0].tolist(), strict=True):
        assert blue == {"one:a": 10, "one:b/c": 60, "other:o": 120, "other:p": 121}[name.split("[")[0]]


def test_every_store_judges(several):
    data = FrameData(None, LandmarkImage(32), stores=several, validation_batches=4)
    assert [{name[:5] for name in batch.names} for batch in data.valid_loader()] == [{"one:v"}, {"other"}] * 2
    only_one = {"one": several["one"], "other": {**several["other"], "weight": 0}}
    names = {name for number in range(9) for name in FrameData(None, LandmarkImage(32), stores=only_one).train[number].names}
    assert all(name.startswith("one:") for name in names)
