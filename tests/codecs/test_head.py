"""The head's movement in its picture: borders, backgrounds, other faces, and the far side of turned faces."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from instructavatar.codecs.warp import kernels
from instructavatar.codecs.warp.codec import Painter
from instructavatar.codecs.warp.outline import head_reach
from instructavatar.face.mesh import FACE_OVAL
from instructavatar.face.motion import FaceMotion
from instructavatar.features.face_motion import resting_motion

POSES = [
    {"yaw": 25.0},
    {"yaw": -25.0},
    {"pitch": 20.0},
    {"pitch": -20.0},
    {"roll": 20.0},
    {"roll": -20.0},
    {"yaw": 15.0, "pitch": 10.0, "roll": 10.0},
    {"yaw": -15.0, "pitch": -10.0, "roll": 10.0, "x": 0.2, "y": -0.1},
    {"z": 1.0, "y": 0.2},
]


def change(a, b):
    return np.abs(a.astype(int) - b.astype(int)).max(axis=2)


def motion(pose):
    return FaceMotion.of(1, pose).values[0]


@pytest.fixture(scope="module")
def heads(codec, landmarker, calm, smiling):
    """A large face, a small one, and one cut by the upper border and one by the side."""
    top = int(calm.landmarks.points[10, 1]) - 10
    cut = codec.encode_appearance(np.ascontiguousarray(calm.portrait[top:]), calm.landmarks.moved(1.0, (0, -top)), calm.rest)
    left = int(calm.landmarks.points[234, 0]) - 4
    side = codec.encode_appearance(np.ascontiguousarray(calm.portrait[:, left:]), calm.landmarks.moved(1.0, (-left, 0)), calm.rest)
    return [calm, smiling, cut, side]


@pytest.fixture(scope="module")
def turned(codec, landmarker, calm, draw):
    """The large face as if it had been photographed 22 degrees to its right."""
    portrait = draw(calm, yaw=-22.0)
    face = landmarker.find(portrait)[0]
    return codec.encode_appearance(portrait, face, resting_motion(face))


def places(painter):
    """[h, w, 2] where each pixel of the last frame looked in the box; its own place where nothing moved."""
    y, x = np.mgrid[: painter.owner.shape[0], : painter.owner.shape[1]].astype(np.float64)
    maps = painter.maps[np.maximum(painter.owner, 0)]
    seen = np.stack([maps[..., 0] * x + maps[..., 1] * y + maps[..., 2], maps[..., 3] * x + maps[..., 4] * y + maps[..., 5]], -1)
    still = np.stack([x, y], -1)
    return np.where((painter.owner >= 0)[..., None], seen, still), still


@pytest.mark.parametrize("pose", POSES, ids=str)
def test_the_drawn_part_ends_without_a_seam(heads, pose):
    """Where drawn pixels meet untouched ones, the drawn ones have hardly moved: at the box's rim and at the picture's corners."""
    for head in heads[:2]:
        painter = Painter(head)
        painter.draw(motion(pose))
        free = (painter.owner < 0).astype(np.uint8)
        rim = (cv2.dilate(free, np.ones((3, 3), np.uint8)) > 0) & (painter.owner >= 0)
        x0, y0, x1, y1 = head.box
        height, width = head.portrait.shape[:2]
        for row, inside in ((0, y0 > 0), (-1, y1 < height)):
            rim[row] |= inside & (painter.owner[row] >= 0)
        for column, inside in ((0, x0 > 0), (-1, x1 < width)):
            rim[:, column] |= inside & (painter.owner[:, column] >= 0)
        seen, still = places(painter)
        moved = np.linalg.norm(seen - still, axis=-1)
        assert rim.any() or free.sum() == 0
        assert moved[rim].max(initial=0.0) < 1.0


@pytest.mark.parametrize("pose", POSES, ids=str)
def test_no_holes(heads, pose):
    """What the mesh covers at rest it covers at every pose."""
    for head in heads:
        painter = Painter(head)
        painter.draw(head.rest)
        covered = painter.owner >= 0
        painter.draw(motion(pose))
        assert (painter.owner[covered] >= 0).all()


@pytest.mark.parametrize("pose", POSES[:7], ids=str)
def test_a_painted_frame_stays_straight(codec, calm, draw, pose):
    framed, wide = cv2.copyMakeBorder(calm.portrait, 40, 40, 40, 40, cv2.BORDER_REPLICATE), 5
    for side in (np.s_[:wide], np.s_[-wide:], np.s_[:, :wide], np.s_[:, -wide:]):
        framed[side] = (250, 240, 30)
    appearance = codec.encode_appearance(framed, calm.landmarks.moved(1.0, (40, 40)), calm.rest)
    difference = change(draw(appearance, **pose), framed)
    assert difference.max() > 60
    wide -= 1  # the last row of pixels mixes with its neighbours
    for side in (np.s_[:wide], np.s_[-wide:], np.s_[:, :wide], np.s_[:, -wide:]):
        assert difference[side].max() <= 3


@pytest.mark.parametrize("pose", POSES, ids=str)
def test_the_background_far_off_stays(smiling, draw, pose):
    y, x = np.mgrid[: smiling.portrait.shape[0], : smiling.portrait.shape[1]]
    middle = smiling.landmarks.points[:, :2].mean(0)
    far = np.hypot(x - middle[0], y - middle[1]) > 3.3 * smiling.head.scale
    assert change(draw(smiling, **pose), smiling.portrait)[far].max() == 0


def test_hair_before_a_close_border_moves_with_the_head(calm, draw):
    """Hair nearly touches the upper border: the background between gives way, not the hair."""
    hair = calm.portrait.max(axis=2) < 60
    top = int(np.flatnonzero(hair[:, 200:312].any(axis=1))[0])
    assert 2 < top < 0.15 * calm.head.scale
    lowered = draw(calm, y=-0.3).max(axis=2) < 60
    moved = int(np.flatnonzero(lowered[:, 200:312].sum(axis=1) > 5)[0]) - int(np.flatnonzero(hair[:, 200:312].sum(axis=1) > 5)[0])
    assert moved > 0.2 * calm.head.scale


def test_other_faces_stay(codec, calm, landmarker, draw):
    """Two heads side by side: only the chosen one moves."""
    picture = np.concatenate([calm.portrait[:, 96:416], calm.portrait[:, 96:416]], axis=1)
    one, other = calm.landmarks.moved(1.0, (-96, 0)), calm.landmarks.moved(1.0, (224, 0))
    x0, y0, x1, y1 = (int(v) for v in other.box)
    alone = codec.encode_appearance(picture, one, calm.rest)
    guarded = codec.encode_appearance(picture, one, calm.rest, [other])
    for pose in POSES[:8]:
        difference = change(draw(guarded, **pose), picture)
        assert difference[y0:y1, x0:x1].max() == 0
        assert difference[y0:y1, :300].max() > 60
    assert change(draw(alone, **POSES[0]), picture)[y0:y1, x0:x1].max() > 20


def test_the_far_side_comes_from_the_near_one(codec, calm, turned, draw):
    """Landmarks of a far cheek lie a little beyond it; what is behind the head must not come into view on the cheek."""
    assert turned.far_side is not None and turned.far_side.back == 1.0 and calm.far_side is None
    oval = turned.landmarks.points[list(FACE_OVAL), :2]
    middle = oval.mean(0)
    smaller = (middle + 0.985 * (oval - middle)).astype(np.int32)
    face = cv2.fillPoly(np.zeros(turned.portrait.shape[:2], np.uint8), [smaller], 1)
    green = turned.portrait.copy()
    far = (face == 0) & (np.arange(face.shape[1]) < middle[0])[None]
    green[far] = (0, 255, 0)
    appearance = codec.encode_appearance(green, turned.landmarks, turned.rest)
    drawn = appearance.poser.pose(motion({"yaw": 22.0})).vertices[:, :2] * [1, -1]
    cheek = cv2.fillPoly(np.zeros_like(face), [drawn[list(FACE_OVAL)].astype(np.int32)], 1) > 0
    cheek[: int(drawn[33, 1])] = cheek[int(drawn[61, 1]) :] = False  # from the eye to the mouth

    def greenish(one):
        frame = draw(one, yaw=22.0).astype(int)
        return ((frame[..., 1] - frame[..., 0] > 40) & cheek).sum()

    own, filled = greenish(replace(appearance, far_side=None)), greenish(appearance)
    assert own > 300
    assert filled < 0.6 * own


def test_a_turned_face_rests_exactly_and_fills_smoothly(turned, draw):
    assert change(draw(turned), turned.portrait).max() <= 1
    away, away_own = draw(turned, yaw=-10.0), draw(replace(turned, far_side=None), yaw=-10.0)
    assert np.array_equal(away, away_own)
    steps = [draw(turned, yaw=v) for v in (0.0, 0.05)]
    assert np.percentile(change(*steps), 99.9) <= 8


def test_beyond_the_border_the_picture_folds_back_a_little():
    last, fold = np.float32(8.999), np.float32(2.0)
    there = [float(kernels._folded(np.float32(place), last, fold)) for place in (-5, -1, 0, 4, 8.999, 9, 10, 99, np.nan)]
    np.testing.assert_allclose(there, [2, 1, 0, 4, 9, 9, 8, 7, 0], atol=0.01)


def test_a_face_cut_by_the_border_moves_without_a_second_eye(codec, calm, draw):
    """The strip that comes into view at the border is like what was there: the white of the mirrored eye would be lighter."""
    left = int(calm.landmarks.points[33, 0]) - 22
    cut = codec.encode_appearance(np.ascontiguousarray(calm.portrait[:, left:]), calm.landmarks.moved(1.0, (-left, 0)), calm.rest)
    middle = int(cut.landmarks.points[33, 1])
    frame = draw(cut, x=0.4)
    strip = frame[middle - 8 : middle + 8, : int(0.3 * cut.head.scale)].astype(float)
    own = cut.portrait[middle - 8 : middle + 8, :10].astype(float)
    assert strip.max() < own.max() + 20


@pytest.mark.parametrize("scale", [20.0, 60.0, 200.0])
def test_the_reach_of_a_dark_disc_on_light_ground(scale):
    size = int(6 * scale)
    y, x = np.mgrid[:size, :size]
    middle = size / 2
    picture = np.full((size, size, 3), 220, np.uint8)
    picture[np.hypot(x - middle, y - middle) < 1.5 * scale] = (70, 50, 40)
    picture[np.hypot(x - middle, y - middle) < 1.0 * scale] = (200, 150, 120)
    angle = np.linspace(-np.pi, 0, 19)
    way = np.stack([np.cos(angle), np.sin(angle)], 1)
    oval = np.linspace(-np.pi, np.pi, 36, endpoint=False)
    oval = middle + scale * np.stack([np.cos(oval), np.sin(oval)], 1)
    upper = middle + scale * way
    reach = head_reach(picture, np.concatenate([upper, oval]), np.concatenate([way, way[:1].repeat(36, 0)]), scale)[:19]
    np.testing.assert_allclose(reach[3:-3], 0.5, atol=0.12)


def test_a_flat_picture_has_no_outline_and_no_error():
    flat = np.full((64, 64, 3), 128, np.uint8)
    angle = np.linspace(0, 2 * np.pi, 36, endpoint=False)
    way = np.stack([np.cos(angle), np.sin(angle)], 1)
    assert np.isfinite(head_reach(flat, 32 + 10 * way, way, 10.0)).all()
    assert np.isfinite(head_reach(flat, 500 + 10 * way, way, 10.0)).all()
