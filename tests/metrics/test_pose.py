"""Poses that are known to the degree."""

import numpy as np
import pytest

from instructavatar.face.action_units import sides
from instructavatar.face.actions import READABLE, UNREADABLE
from instructavatar.face.motion import FaceMotion
from instructavatar.metrics.base import NotScored
from instructavatar.metrics.pose import Pose

FRAMES = 50
SWAY = 6 * np.sin(np.arange(FRAMES) / 5)


@pytest.fixture
def beside(make_clip, make_case):
    """A function: the scores of one motion beside another."""
    return lambda mine, true: Pose().score(make_case(make_clip(FaceMotion.of(FRAMES, mine)), make_clip(FaceMotion.of(FRAMES, true))))


def test_the_same_has_no_distance(beside):
    found = beside({"yaw": SWAY, "jawOpen": 0.4}, {"yaw": SWAY, "jawOpen": 0.4})
    assert found["pose_error"] == found["apd"] == found["aed"] == 0


def test_known_angles_and_places(beside):
    found = beside({"pitch": 3, "yaw": -6, "x": np.linspace(0, 1.2, FRAMES)}, {})
    assert found["pose_error"] == pytest.approx((3 + 6 + 0) / 3)
    assert found["apd"] == pytest.approx((np.deg2rad(9) + 0.6) / 6, rel=1e-5)
    assert found["aed"] == 0


def test_the_short_way_round_counts(beside):
    assert beside({"roll": 179}, {"roll": -179})["pose_error"] == pytest.approx(2 / 3, rel=1e-4)


def test_expression_counts_what_pictures_show(beside):
    assert beside({name: 0.5 for name in READABLE}, {})["aed"] == pytest.approx(0.5)
    assert beside({READABLE[0]: 1.0}, {})["aed"] == pytest.approx(1 / len(READABLE))
    assert beside({name: 0.5 for name in UNREADABLE}, {})["aed"] == 0
    assert set(sides("jawOpen")) <= set(READABLE)


def test_error_grows_with_noise(make_clip, make_case):
    rng = np.random.default_rng(0)
    wrong = rng.normal(0, 1, FRAMES)
    true = make_clip(FaceMotion.of(FRAMES, {"yaw": SWAY}))
    errors = [
        Pose().score(make_case(make_clip(FaceMotion.of(FRAMES, {"yaw": SWAY + scale * wrong})), true))["pose_error"]
        for scale in (0, 0.5, 1, 4)
    ]
    assert errors == sorted(errors) and errors[0] == 0 and errors[2] == pytest.approx(np.abs(wrong).mean() / 3, rel=1e-3)


def test_diversity_is_the_spread_of_the_angles(make_clip, make_case):
    found = Pose().score(make_case(make_clip(FaceMotion.of(FRAMES, {"yaw": SWAY, "pitch": 5, "roll": SWAY / 2}))))
    assert found["yaw_std"] == pytest.approx(SWAY.std(), rel=1e-4) and found["pitch_std"] == pytest.approx(0, abs=1e-5)
    assert found["pose_std"] == pytest.approx(SWAY.std() / 2, rel=1e-4)
    assert "pose_error" not in found


def test_a_head_that_turns_past_the_back_does_not_jump(make_clip, make_case):
    around = (np.linspace(170, 190, FRAMES) + 180) % 360 - 180
    assert Pose().score(make_case(make_clip(FaceMotion.of(FRAMES, {"yaw": around}))))["yaw_std"] < 8


def test_a_moment_is_too_short(make_clip, make_case):
    with pytest.raises(NotScored, match="shorter than 1 s"):
        Pose().score(make_case(make_clip(FaceMotion.still(10))))
