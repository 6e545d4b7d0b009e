"""Blinks that were put there: so many, so long."""

import numpy as np
import pytest

from instructavatar.face.motion import FaceMotion
from instructavatar.metrics.base import NotScored
from instructavatar.metrics.blinks import Blinks, closedness, shut_runs

FRAMES = 250  # ten seconds
LID = np.array([0.3, 0.8, 1.0, 0.8, 0.3])


def blinking(*at, frames=FRAMES, resting=0.0, full=1.0, **others):
    """A face that blinks with five frames at each of the given ones."""
    curve = np.full(frames, resting)
    for frame in at:
        curve[frame : frame + 5] = np.maximum(resting, full * LID)
    return FaceMotion.of(frames, {"eyeBlinkLeft": curve, "eyeBlinkRight": curve} | others)


@pytest.fixture
def judged(make_clip, make_case):
    """A function: the scores of a motion."""
    return lambda motion, **drawn: Blinks().score(make_case(make_clip(motion, **drawn)))


@pytest.mark.parametrize("at", [(), (40,), (20, 90, 91 + 30, 200), tuple(range(10, 240, 20))])
def test_every_blink_is_counted_once(judged, at):
    found = judged(blinking(*at), noise=0.01, shake_px=0.15)
    assert found["blink_rate"] == pytest.approx(6 * len(at))
    assert ("blink_length_s" in found) == bool(at)


def test_the_length_of_a_blink(judged):
    found = judged(blinking(50, 150))  # shut from 0.8 until after 0.3, which is just above where they count as open
    assert found["blink_length_s"] == pytest.approx(4 / 25) and found["eyes_shut"] == pytest.approx(100 * 2 * 4 / FRAMES)


def test_narrow_eyes_that_blink_are_counted_from_where_they_are(judged):
    assert judged(blinking(50, 150, resting=0.3))["blink_rate"] == pytest.approx(12)
    assert judged(blinking(50, 150, full=0.75))["blink_rate"] == pytest.approx(12)  # a blink that is drawn by three quarters
    assert judged(blinking(50, 150, full=0.3))["blink_rate"] == 0  # a twitch


def test_turning_the_head_is_no_blink(judged):
    turning = {"pitch": 15 * np.sin(np.arange(FRAMES) / 6), "yaw": 25 * np.sin(np.arange(FRAMES) / 9)}
    assert judged(blinking(**turning))["blink_rate"] == 0
    assert judged(blinking(50, 150, **turning))["blink_rate"] == pytest.approx(12)


def test_shut_eyes_are_no_blink(judged):
    shut = np.zeros(FRAMES)
    shut[100:200] = 1
    found = judged(FaceMotion.of(FRAMES, {"eyeBlinkLeft": shut, "eyeBlinkRight": shut}))
    assert found["blink_rate"] == 0 and found["eyes_shut"] == pytest.approx(40) and "blink_length_s" not in found
    assert judged(FaceMotion.of(FRAMES, {"eyeBlinkLeft": 1, "eyeBlinkRight": 1}))["eyes_shut"] == 100


def test_eyes_shut_at_the_edges_have_no_known_length(judged):
    shut = np.zeros(FRAMES)
    shut[:4] = shut[-4:] = 1
    found = judged(FaceMotion.of(FRAMES, {"eyeBlinkLeft": shut, "eyeBlinkRight": shut}))
    assert found["blink_rate"] == 0 and found["eyes_shut"] == pytest.approx(100 * 8 / FRAMES)


def test_a_wink_is_half_a_blink(make_clip):
    shut = closedness(make_clip(FaceMotion.of(FRAMES, {"eyeBlinkLeft": np.eye(1, FRAMES, 40)[0]})).take)
    assert shut[40] == pytest.approx(0.5 * (1 / 0.8 + 2) / 2, rel=0.05) and abs(shut[41]) < 0.01


def test_a_lid_that_trembles_between_the_thresholds_is_one_blink():
    assert shut_runs(np.array([0.1, 0.6, 0.4, 0.6, 0.4, 0.6, 0.2, 0.4])) == [(1, 6)]
    assert shut_runs(np.array([0.6, 0.2, 0.6])) == [(0, 1), (2, 3)] and shut_runs(np.zeros(5)) == []


def test_three_seconds_are_needed(judged):
    with pytest.raises(NotScored, match="shorter than 3 s"):
        judged(FaceMotion.still(74))
    assert judged(FaceMotion.still(75))["blink_rate"] == 0
