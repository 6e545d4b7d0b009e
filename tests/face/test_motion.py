"""FaceMotion: names, units, sides."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructavatar.face import motion as m
from instructavatar.face.motion import ACTIONS, COLUMNS, INDEX, FaceMotion


def test_names_are_apples_52_and_pose():
    assert len(ACTIONS) == len(set(ACTIONS)) == 52
    assert (ACTIONS[0], ACTIONS[17], ACTIONS[51]) == ("eyeBlinkLeft", "jawOpen", "tongueOut")
    assert COLUMNS[52:] == ("pitch", "yaw", "roll", "x", "y", "z")
    assert sum(name.endswith("Left") for name in ACTIONS) == sum(name.endswith("Right") for name in ACTIONS)


def test_rates():
    assert m.SPEECH_PER_FRAME == 2 and m.SAMPLES_PER_FRAME == 640
    assert m.frames_of(4.02) == 100


@given(st.floats(-80, 80), st.floats(-170, 170), st.floats(-170, 170))
def test_angles_round_trip(pitch, yaw, roll):
    np.testing.assert_allclose(m.rotation_angles(m.rotation_matrix(pitch, yaw, roll)), (pitch, yaw, roll), atol=1e-6)


def test_signs_of_the_axes():
    nose = np.array([0, 0, 1.0])
    assert (m.rotation_matrix(0, 20, 0) @ nose)[0] > 0  # the subject's left is the image's right
    assert (m.rotation_matrix(20, 0, 0) @ nose)[1] > 0  # looks up
    crown = np.array([0, 1.0, 0])
    assert (m.rotation_matrix(0, 0, 20) @ crown)[0] < 0  # tilts to the subject's right, the image's left


def test_mirror_swaps_sides_and_twice_is_nothing():
    values = np.random.default_rng(1).random((3, 58)).astype(np.float32)
    mirrored = m.mirror(values)
    np.testing.assert_array_equal(mirrored[:, INDEX["mouthSmileLeft"]], values[:, INDEX["mouthSmileRight"]])
    np.testing.assert_array_equal(mirrored[:, INDEX["yaw"]], -values[:, INDEX["yaw"]])
    np.testing.assert_array_equal(mirrored[:, INDEX["pitch"]], values[:, INDEX["pitch"]])
    np.testing.assert_array_equal(m.mirror(mirrored), values)


def test_motion_refuses_other_shapes_and_nan():
    with pytest.raises(ValueError, match=r"expected motion of shape \[T, 58\], got \[3, 57\]"):
        FaceMotion(np.zeros((3, 57)))
    with pytest.raises(ValueError, match="finite"):
        FaceMotion(np.full((1, 58), np.nan))


def test_parts():
    motion = FaceMotion.of(50, {"yaw": 12, "jawOpen": np.linspace(0, 1, 50), "z": 0.1})
    assert motion.seconds == 2 and len(motion) == 50
    assert motion.rotation_deg.shape == motion.translation.shape == (50, 3)
    assert motion.rotation_deg[0, 1] == 12 and motion.translation[0, 2] == pytest.approx(0.1)
    assert motion.actions.shape == (50, 52) and motion.actions[-1, INDEX["jawOpen"]] == 1
    assert not FaceMotion.still(3).values.any()
