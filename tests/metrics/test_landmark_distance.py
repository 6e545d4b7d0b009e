"""Landmark distances by hand: what is identical, shifted, resized, moved by a known amount."""

import numpy as np
import pytest

from instructavatar.face.layouts import DLIB_68
from instructavatar.face.motion import FaceMotion
from instructavatar.metrics.base import NotScored, Take
from instructavatar.metrics.landmark_distance import CROP, MOUTH, LandmarkDistance, crop_px, distance, in_crop

SPOKEN = FaceMotion.of(30, {"jawOpen": 0.3 + 0.3 * np.sin(np.arange(30)), "yaw": np.linspace(-5, 5, 30)})


def test_distance_by_hand():
    square = np.array([[[0, 0], [2, 0], [2, 2], [0, 2]]], float)
    moved = square.copy()
    moved[0, 0] = (-4, 0)  # the mean moves by (-1, 0): one point goes 3, the others 1 each
    assert distance(square, moved) == pytest.approx((3 + 1 + 1 + 1) / 4)
    assert distance(square, square + 7) == 0


def test_the_same_clip_elsewhere_and_at_another_size_has_no_distance(make_clip, make_case):
    here, there = make_clip(SPOKEN), make_clip(SPOKEN, size_px=25.0, middle_px=(60.0, 90.0))
    for clip in (here, there):
        assert LandmarkDistance().score(make_case(clip, here)) == pytest.approx(dict.fromkeys(LandmarkDistance.values, 0), abs=1e-3)


def test_a_lower_lip_that_hangs_is_measured_in_pixels_of_the_crop(make_clip, make_case):
    still = FaceMotion.still(4)
    true, low = make_clip(still), make_clip(still)
    lips = [DLIB_68[place] for place in range(*MOUTH.indices(68))][:5]
    for face in low.faces:
        face.points[lips, 1] += 6.0
    scale = 256 / crop_px(true.take)
    found = LandmarkDistance().score(make_case(low, true))
    # 5 of 20 points go down by 6 px, so the mean goes 1.5: 5 x 4.5 and 15 x 1.5
    assert found["lmd_mouth"] == pytest.approx(scale * (5 * 4.5 + 15 * 1.5) / 20, rel=1e-3)
    mean = 6 * 5 / 68
    assert found["lmd_face"] == pytest.approx(scale * (5 * (6 - mean) + 63 * mean) / 68, rel=1e-3)
    assert found["lmd_mouth_eyes"] == pytest.approx(found["lmd_mouth"] / scale / 60, rel=1e-2)


def test_the_crop_is_as_large_as_the_faces_larger_side_says():
    points = np.random.default_rng(0).uniform((0, 0, 0), (100, 150, 50), (5, 478, 3)).astype(np.float32)
    points[:, 0], points[:, 1] = (0, 0, 0), (100, 150, 0)
    points[4] *= 3  # one frame in five is wrong
    assert crop_px(Take(FaceMotion.still(5), points)) == CROP * 150


def test_the_crop_holds_the_face_whole_and_stands_still(make_clip):
    take = make_clip(SPOKEN).take
    points = in_crop(take)
    size = (points.max(axis=1) - points.min(axis=1)).max(axis=-1)
    assert 0.8 * 256 / CROP < np.median(size) <= 256 / CROP + 1e-3
    take = make_clip(FaceMotion.still(30)).take
    grown = Take(take.motion, take.points * np.linspace(1, 1.05, 30, dtype=np.float32)[:, None, None])
    assert in_crop(grown)[-1].std() > in_crop(grown)[0].std() * 1.03


def test_distance_grows_with_what_is_wrong(make_clip, make_case):
    true = make_clip(SPOKEN)
    shaken = [LandmarkDistance().score(make_case(make_clip(SPOKEN, shake_px=px), true)) for px in (0.3, 1.0, 3.0)]
    for name in LandmarkDistance.values:
        assert shaken[0][name] < shaken[1][name] < shaken[2][name]
    mute = FaceMotion.of(30, {"yaw": np.linspace(-5, 5, 30)})
    assert LandmarkDistance().score(make_case(make_clip(mute), true))["lmd_mouth"] > 3


def test_only_the_common_length_counts(make_clip, make_case):
    true, longer = make_clip(FaceMotion(SPOKEN.values[:20])), make_clip(SPOKEN)
    assert LandmarkDistance().score(make_case(longer, true))["lmd_face"] == pytest.approx(0, abs=0.1)


def test_without_a_real_clip_there_is_nothing(make_clip, make_case):
    with pytest.raises(NotScored, match="no reference video"):
        LandmarkDistance().score(make_case(make_clip(SPOKEN)))
