"""Key frames: of the clip, of the person, of a neutral clip; never of another split; sides as in the stretch."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from instructavatar.data.clips import Chances, ClipExamples
from instructavatar.data.key_frames import KeyFrames
from instructavatar.data.loaders import MotionData
from instructavatar.data.store import FeatureStore
from instructavatar.data.stores import source_of
from instructavatar.face.motion import INDEX

from .conftest import clip, write_store

FRAMES = 20
HAPPY = {"emotion": "happy", "instruction": ["smile"]}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    clips = {
        "anna/smile": clip(FRAMES, 100, speaker="anna", **HAPPY),
        "anna/rest": clip(FRAMES, 200, speaker="anna", emotion="neutral", instruction=["talk"]),
        "anna/idle": clip(FRAMES, 300, speaker="anna"),
        "anna/judge": clip(FRAMES, 400, speaker="anna", emotion="neutral"),
        "ben/smile": clip(FRAMES, 500, speaker="ben", **HAPPY),
        "nobody": clip(FRAMES, 600, **HAPPY),
        "nobody/else": clip(FRAMES, 700, emotion="neutral"),
    }
    return write_store(tmp_path_factory.mktemp("keys") / "people", clips, ("anna/judge",))


def origins(path, key: str, kind: str, draws: int = 40) -> set[int]:
    """Which clips key frames come from, by the number in their last column."""
    source = FeatureStore.open(path)
    frames, rng = KeyFrames(source, {kind: 1.0}), np.random.default_rng(0)
    return {int(frames.draw(key, source[key]["motion_latent"], rng)[57]) for _ in range(draws)}


def test_where_key_frames_come_from(path):
    assert origins(path, "anna/smile", "same") == {100}
    assert origins(path, "anna/smile", "person") == {200, 300}, "not the clip itself, and not the one that judges"
    assert origins(path, "anna/smile", "neutral") == {200, 300}, "neutral, or without an instruction"
    assert origins(path, "anna/rest", "neutral") == {200, 300}
    assert origins(path, "anna/judge", "person") == {400}, "the only one of its split"


def test_the_clip_itself_stands_in(path):
    assert origins(path, "ben/smile", "person") == origins(path, "ben/smile", "neutral") == {500}
    assert origins(path, "nobody", "person") == origins(path, "nobody", "neutral") == {600}, "people without a name are not one"


def test_every_frame_may_be_the_key(path):
    source = FeatureStore.open(path)
    frames, rng = KeyFrames(source, {"person": 1.0}), np.random.default_rng(0)
    drawn = np.array([frames.draw("anna/smile", source["anna/smile"]["motion_latent"], rng) for _ in range(400)])
    assert {int(row[0] - row[57]) for row in drawn} == set(range(FRAMES))
    assert np.mean(drawn[:, 57] == 200) == pytest.approx(0.5, abs=0.1)


def test_chances_are_kept(path):
    source = FeatureStore.open(path)
    frames, rng = KeyFrames(source, {"same": 0.5, "person": 0.3, "no": 0.2}), np.random.default_rng(0)
    drawn = [frames.draw("anna/smile", source["anna/smile"]["motion_latent"], rng) for _ in range(1000)]
    assert np.mean([frame is None for frame in drawn]) == pytest.approx(0.2, abs=0.05)
    assert np.mean([frame is not None and frame[57] == 100 for frame in drawn]) == pytest.approx(0.5, abs=0.05)


def test_batches_carry_them(path):
    key = {"same": 0.4, "person": 0.4, "no": 0.2}
    data = MotionData(path, frames_per_batch=800, chances=Chances(key=key, mirror=0.0))
    one, same = data.train[2], MotionData(path, frames_per_batch=800, chances=Chances(key=key, mirror=0.0)).train[2]
    assert one.key.shape == (len(one), 58) and (one.key == same.key).all()
    assert set(one.key_mask.tolist()) == {0, 1} and not one.key[one.key_mask == 0].any() and one.key[one.key_mask == 1].any(1).all()


def test_nothing_changes_while_none_are_asked_for(path):
    """Neither the batches nor what is read."""
    plain, asked = (MotionData(path, chances=Chances(key=key)) for key in ({}, {"same": 1.0}))
    assert not plain.train[0].key_mask.any() and asked.train[0].key_mask.all()
    assert (plain.train[0].motion[0] == asked.train[0].motion[0]).all(), "the first example's other chances are the same"
    assert plain.examples.key_frames is None and asked.examples.key_frames._speakers is None, "no head was read"


def test_sides_are_those_of_the_stretch(path):
    plain, mirrored = (
        ClipExamples(FeatureStore.open(path), Chances(key={"same": 1.0}, mirror=mirror)).example("nobody/else", 9, np.random.default_rng(0))
        for mirror in (0.0, 1.0)
    )
    yaw, frame = INDEX["yaw"], plain.key[INDEX["pitch"]]
    assert plain.key[yaw] == frame and mirrored.key[yaw] == -mirrored.key[INDEX["pitch"]]
    assert mirrored.motion[0, yaw] < 0 < plain.motion[0, yaw]


def test_heads_are_read_once():
    reads = []

    class Source:
        header = SimpleNamespace(splits={"train": ["a", "b"]})

        def heads(self, split):
            reads.append(split)
            return ((key, {"speaker": "x", "emotion": "", "instruction": ["y"]}) for key in "ab")

        def read(self, key, arrays):
            assert arrays == ("motion_latent",), "nothing else is needed"
            return {"motion_latent": np.full((3, 2), ord(key), np.float32)}

    frames, rng = KeyFrames(Source(), {"person": 0.5, "neutral": 0.5}), np.random.default_rng(0)
    assert {frames.draw("a", np.zeros((3, 2), np.float32), rng)[0] for _ in range(20)} == {ord("b"), 0}
    assert reads == ["train"]


def test_people_of_two_stores_are_two(path, tmp_path):
    other = write_store(tmp_path / "other", {"x": clip(FRAMES, 800, speaker="anna", **HAPPY)})
    source = source_of([path, other])
    frames, rng = KeyFrames(source, {"person": 1.0}), np.random.default_rng(0)
    found = {int(frames.draw("other:x", source["other:x"]["motion_latent"], rng)[57]) for _ in range(10)}
    assert found == {800}
    found = {int(frames.draw("people:anna/idle", np.zeros((1, 58), np.float32), rng)[57]) for _ in range(30)}
    assert found == {100, 200}


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ({"saem": 1.0}, "key frames from same, person, neutral, no, got saem"),
        ({"same": 0.5}, "sum to 1, got 0.5"),
        ({"same": 1.5, "person": -0.5}, "from 0 to 1"),
        ({"same": float("nan")}, "got nan"),
    ],
)
def test_chances_that_make_no_sense_are_refused(key, told):
    with pytest.raises(ValueError, match=told):
        Chances(key=key)
