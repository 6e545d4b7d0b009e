from __future__ import annotations

import numpy as np
import pytest

from instructavatar.codecs.base import Codec, checked_portrait
from instructavatar.codecs.identity import IdentityCodec
from instructavatar.face.landmarks import CAMERA_DISTANCE, Landmarks
from instructavatar.face.motion import TRANSLATION
from instructavatar.features.face_motion import face_motion


def face(value: float = 0.0) -> Landmarks:
    return Landmarks(np.zeros((478, 3)), np.full(52, value), np.full(3, value), np.full(3, value))


def test_motion_in_motion_out_and_the_portrait_for_every_frame():
    codec = IdentityCodec()
    portrait = np.random.default_rng(0).integers(0, 255, (7, 5, 3), np.uint8)
    appearance = codec.encode_appearance(portrait, face(), np.zeros(58, np.float32))
    frames = list(codec.decode(appearance, np.zeros((3, 58), np.float32)))
    assert isinstance(codec, Codec) and len(frames) == 3
    assert all(np.array_equal(frame, portrait) for frame in frames)
    frames[0][:] = 0
    assert np.array_equal(frames[1], portrait) and portrait.any()


def test_measured_motion_counts_pose_from_the_first_frame():
    motion = IdentityCodec().encode_motion([face(0.25), face(0.75)])
    assert motion.shape == (2, 58) and motion.dtype == np.float32
    np.testing.assert_allclose(motion[:, 0], [0.25, 0.75])
    np.testing.assert_allclose(motion[:, 52:55], [[0.0] * 3, [0.5] * 3])
    assert IdentityCodec(4).encode_motion([]).shape == (0, 4)


def test_a_face_twice_as_near_in_place_moves_along_z_alone():
    """Places are told in distances as drawn: a face that has doubled in size where it was lies half as many of them from the middle."""
    far = Landmarks(np.zeros((478, 3)), np.zeros(52), np.zeros(3), np.array([1.0, -0.5, 0.3]))
    near = Landmarks(np.zeros((478, 3)), np.zeros(52), np.zeros(3), np.array([0.5, -0.25, 0.3 + CAMERA_DISTANCE * np.log(2)]))
    x, y, z = IdentityCodec().encode_motion([far, near])[1, TRANSLATION]
    assert (x, y) == pytest.approx((0, 0), abs=1e-6)
    assert CAMERA_DISTANCE / (CAMERA_DISTANCE - z) == pytest.approx(2, rel=1e-5)
    np.testing.assert_array_equal(IdentityCodec().encode_motion([far, near]), face_motion([far, near]).values)


@pytest.mark.parametrize("motion", [np.zeros(58), np.zeros((2, 57)), np.full((2, 58), np.nan)])
def test_refuses_bad_motion_at_the_call(motion):
    codec = IdentityCodec()
    appearance = codec.encode_appearance(np.zeros((4, 4, 3), np.uint8), face(), np.zeros(58, np.float32))
    with pytest.raises(ValueError, match="expected"):
        codec.decode(appearance, motion)


@pytest.mark.parametrize(
    "portrait", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)]
)
def test_refuses_what_is_no_picture(portrait):
    with pytest.raises(ValueError, match="expected a portrait"):
        checked_portrait(portrait)
