"""The opacity of a portrait moves as its picture does."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from instructavatar.codecs.identity import IdentityCodec
from instructavatar.face.motion import FaceMotion
from instructavatar.media.portrait import read_portrait, with_opacity


@pytest.fixture(scope="module")
def cut_out(calm):
    """Opacity of the calm face's head: an ellipse with a soft edge, from well above the brows to below the chin."""
    height, width = calm.portrait.shape[:2]
    left, top, right, bottom = calm.landmarks.box
    alpha = np.zeros((height, width), np.uint8)
    middle = (int((left + right) / 2), int((top + bottom) / 2))
    cv2.ellipse(alpha, middle, (int(0.75 * (right - left)), int(0.85 * (bottom - top))), 0, 0, 360, 255, -1)
    return cv2.GaussianBlur(alpha, (0, 0), 1.5)


def drawn(codec, appearance, alpha, **values):
    motion = FaceMotion.of(1, values).values if values else appearance.rest[None]
    return next(codec.decode_with_alpha(appearance, motion, alpha))


def middle_of(alpha):
    weights = alpha.astype(float).sum(0)
    return (weights * np.arange(len(weights))).sum() / weights.sum()


def test_at_rest_it_is_the_portraits_own(codec, calm, cut_out):
    picture, alpha = drawn(codec, calm, cut_out)
    assert (alpha == cut_out).all() and (picture == calm.portrait).all()


def test_it_goes_where_the_head_goes(codec, calm, cut_out):
    step = calm.landmarks.interocular_px
    for x in (-0.3, 0.3):
        _, alpha = drawn(codec, calm, cut_out, x=x)
        assert middle_of(alpha) - middle_of(cut_out) == pytest.approx(x * step, abs=0.12 * step)


def test_a_face_has_no_holes(codec, calm, cut_out):
    opened = drawn(codec, calm, cut_out, jawOpen=1.0, eyeBlinkLeft=1.0, eyeBlinkRight=1.0, yaw=15.0)[1]
    left, top, right, bottom = (int(edge) for edge in calm.landmarks.box)
    inner = opened[top + (bottom - top) // 4 : bottom, left + (right - left) // 4 : right - (right - left) // 4]
    assert inner.min() == 255


def test_the_picture_is_that_of_decode(codec, calm, cut_out):
    motion = FaceMotion.of(3, {"yaw": [0, 8, -8], "jawOpen": 0.5}).values
    pairs = codec.decode_with_alpha(calm, motion, cut_out)
    for (picture, alpha), plain in zip(pairs, codec.decode(calm, motion), strict=True):
        assert (picture == plain).all() and alpha.shape == plain.shape[:2] and alpha.dtype == np.uint8


def test_moved_colours_come_free_of_the_background(codec, calm, cut_out):
    """Where edge and colour move alike, the flattened picture gives back the colours that lay under it."""
    flat = read_portrait(np.dstack([np.full_like(calm.portrait, 40), cut_out])).rgb
    appearance = codec.encode_appearance(flat, calm.landmarks, calm.rest)
    motion = FaceMotion.of(1, {"yaw": 10.0, "x": 0.2}).values
    picture, alpha = next(codec.decode_with_alpha(appearance, motion, cut_out))
    free = with_opacity(picture, alpha)
    edge = (alpha > 100) & (alpha < 250)
    assert edge.sum() > 100 and np.percentile(np.abs(free[edge][:, :3].astype(int) - 40), 95) <= 4


def test_a_codec_that_knows_nothing_of_places_leaves_it(calm, cut_out):
    codec = IdentityCodec()
    appearance = codec.encode_appearance(calm.portrait, calm.landmarks, calm.rest)
    pairs = list(codec.decode_with_alpha(appearance, np.zeros((2, codec.motion_dim), np.float32), cut_out))
    assert len(pairs) == 2 and all((alpha == cut_out).all() for _, alpha in pairs)


def test_what_moves_lies_in_the_box_that_is_named(codec, calm):
    x0, y0, x1, y1 = codec.moves_within(calm)
    height, width = calm.portrait.shape[:2]
    assert 0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height
    moved = next(codec.decode(calm, FaceMotion.of(1, {"yaw": 20.0, "jawOpen": 1.0, "x": 0.3}).values))
    moved[y0:y1, x0:x1] = calm.portrait[y0:y1, x0:x1]
    assert (moved == calm.portrait).all()
    assert IdentityCodec().moves_within(calm) == (0, 0, width, height)
