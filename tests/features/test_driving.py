"""A driver's motion on another face: modes and smoothing."""

from __future__ import annotations

import numpy as np
import pytest

from instructavatar.face.motion import FRAME_RATE_HZ, INDEX, MOTION_DIM, ROTATION, TRANSLATION, FaceMotion
from instructavatar.features.driving import absolute, from_first_pose, relative, smoothed

FRAMES = 100
BLINK = np.array([0.3, 0.9, 0.95, 0.6, 0.2])


def driver(**curves):
    """Somebody who squints a little, blinks twice, says something, and turns his head."""
    times = np.arange(FRAMES) / FRAME_RATE_HZ
    lids = np.full(FRAMES, 0.3)
    for at in (30, 70):
        lids[at : at + 5] = np.maximum(lids[at : at + 5], BLINK)
    jaw = 0.05 + 0.25 * np.maximum(np.sin(2 * np.pi * 3 * times), 0) * (times > 2)
    usual = {"eyeBlinkLeft": lids, "eyeBlinkRight": lids, "jawOpen": jaw, "browInnerUp": 0.2, "yaw": 12 + 6 * np.sin(times), "x": 0.3}
    return FaceMotion.of(FRAMES, usual | curves)


def rest(**actions):
    values = np.zeros(MOTION_DIM, np.float32)
    for name, value in actions.items():
        values[INDEX[name]] = value
    return values


def test_usually_only_the_pose_counts_from_the_first_frame():
    motion = from_first_pose(driver())
    assert (motion.actions == driver().actions).all() and not motion.values[0, ROTATION].any() and not motion.values[0, TRANSLATION].any()


def test_absolute_takes_the_drivers_own_angle():
    motion = absolute(driver(), np.array([2.0, -4.0, 0.0], np.float32))
    assert np.allclose(motion.column("yaw"), driver().column("yaw") + 4) and np.allclose(motion.column("pitch"), -2)
    assert (motion.actions == driver().actions).all() and not motion.values[0, TRANSLATION].any()


def test_relative_adds_what_goes_beyond_the_calm_face():
    motion = relative(driver(), rest(mouthSmileLeft=0.5))
    assert np.allclose(motion.column("mouthSmileLeft"), 0.5)
    assert np.abs(motion.column("browInnerUp")).max() < 1e-6  # raised all along is how this driver looks
    lids = motion.column("eyeBlinkLeft")
    assert np.median(lids) < 1e-6 and lids.max() > 0.92  # narrow eyes still shut
    assert motion.values[0, ROTATION].max() == 0


def test_a_still_driver_gives_the_portrait_itself():
    own = rest(mouthSmileLeft=0.6, mouthSmileRight=0.6, jawOpen=0.3, mouthUpperUpLeft=0.4)
    still = FaceMotion.of(20, {"browDownLeft": 0.3, "eyeLookUpLeft": 0.2, "jawOpen": 0.1, "yaw": 9.0})
    assert np.allclose(relative(still, own).values, own, atol=1e-6)


def test_an_open_portrait_closes_its_lips_when_the_driver_talks():
    motion = relative(driver(), rest(jawOpen=0.5))
    assert motion.column("jawOpen").min() < 0.02 and motion.column("jawOpen").max() > 0.2


@pytest.mark.parametrize(
    "mode", [lambda m: relative(m, rest(jawOpen=0.9)), lambda m: absolute(m, np.zeros(3, np.float32)), from_first_pose]
)
def test_actions_stay_in_range_and_the_given_motion_as_it_is(mode):
    given = driver()
    before = given.values.copy()
    made = mode(given)
    assert made.actions.min() >= 0 and made.actions.max() <= 1 and (given.values == before).all()


def trembling(motion, deviation=0.01, degrees=0.3):
    noise = np.random.default_rng(0).normal(0, 1, motion.values.shape).astype(np.float32)
    noise[:, :52] *= deviation
    noise[:, ROTATION] *= degrees
    noise[:, TRANSLATION] *= 0.01
    values = motion.values + noise
    values[:, :52] = values[:, :52].clip(0, 1)
    return FaceMotion(values)


def test_smoothing_takes_the_trembling_and_leaves_blinks_and_lips():
    clean, rough = driver(), trembling(driver())
    soft = smoothed(rough, 0.5)
    for name in ("yaw", "browInnerUp"):
        before, after = (np.abs(one.column(name) - clean.column(name)).mean() for one in (rough, soft))
        assert after < 0.5 * before, name
    for at in (30, 70):
        lids = soft.column("eyeBlinkLeft")[at - 3 : at + 8]
        assert lids.max() > 0.85 and abs(int(lids.argmax()) - 5) <= 1  # as deep, and when it was
    closed = clean.column("jawOpen") < 0.06
    assert soft.column("jawOpen")[closed].mean() < 0.09 and soft.column("jawOpen").max() > 0.26


def test_more_is_smoother_and_none_is_as_measured():
    rough = trembling(driver())
    trembles = [np.abs(np.diff(smoothed(rough, strength).column("yaw"), 2)).mean() for strength in (0.0, 0.25, 0.5, 1.0)]
    assert trembles == sorted(trembles, reverse=True) and trembles[3] < 0.2 * trembles[0]
    assert smoothed(rough, 0) is rough


def test_smoothing_has_no_direction():
    rough = trembling(driver())
    there = smoothed(rough, 0.7).values
    back = smoothed(FaceMotion(rough.values[::-1]), 0.7).values[::-1]
    assert np.allclose(there, back, atol=1e-4)


def test_clips_too_short_to_smooth_come_back():
    for frames in (1, 2):
        motion = FaceMotion.still(frames)
        assert smoothed(motion, 1.0) is motion
