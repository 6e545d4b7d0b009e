"""Lips that part and meet, and what shows between them."""

from __future__ import annotations

import numpy as np
import pytest

from instructavatar.codecs.warp import codec as warp_codec
from instructavatar.codecs.warp.lips import CORNER_CHAINS, LOWER, LOWER_ROWS, UPPER, UPPER_ROWS
from instructavatar.face.motion import FaceMotion


def both(name, value):
    return {f"{name}Left": value, f"{name}Right": value}


def posed(appearance, **values):
    return appearance.poser.pose(FaceMotion.of(1, values).values[0])


def gaps(appearance, **values):
    """[9] heights of the opening over the inner lips, in inter-ocular distances."""
    vertices = posed(appearance, **values).vertices
    return (vertices[UPPER, 1] - vertices[LOWER, 1]) / appearance.head.scale


CLOSED = {
    "press": both("mouthPress", 1.0),
    "roll": {"mouthRollLower": 1.0, "mouthRollUpper": 1.0},
    "pucker": {"mouthPucker": 1.0},
    "smile": both("mouthSmile", 1.0),
    "frown": both("mouthFrown", 1.0),
    "dimple": both("mouthDimple", 1.0),
    "chin": {"mouthShrugLower": 1.0},
    "puff": {"cheekPuff": 1.0},
}


@pytest.mark.parametrize("values", CLOSED.values(), ids=CLOSED.keys())
def test_closed_lips_show_nothing_between_them(calm, draw, values, monkeypatch):
    with_mouth = draw(calm, **values)
    monkeypatch.setattr(warp_codec, "draw_mouth", lambda *_: None)
    assert np.array_equal(draw(calm, **values), with_mouth)
    assert gaps(calm, **values).max() < gaps(calm).max() + 0.005


def test_corners_of_a_smile_part_last(calm):
    """An opening is widest in the middle, however the corners rise."""
    for values in ({"jawOpen": 0.3}, {"jawOpen": 0.3, **both("mouthSmile", 0.8)}, {"mouthFunnel": 1.0}, {"jawOpen": 1.0}):
        gap = gaps(calm, **values)
        assert gap[4] > 0.05
        assert (np.diff(gap[:5]) > -0.005).all() and (np.diff(gap[4:]) < 0.005).all(), values
        assert 0.3 * gap[4] < gap[1] < 0.85 * gap[4], values  # round rather than pointed or square


@pytest.mark.parametrize("who", ["calm", "smiling"])
def test_lips_keep_their_thickness(who, request):
    appearance = request.getfixturevalue(who)
    own = appearance.poser.own[:, 1]
    for values in ({"mouthFunnel": 1.0}, {"jawOpen": 1.0}, {"jawOpen": 0.4, **both("mouthStretch", 1.0)}, both("mouthSmile", 1.0), {}):
        drawn = own + posed(appearance, **values).offsets[:, 1]
        for rows, side in ((UPPER_ROWS, 1.0), (LOWER_ROWS, -1.0)):
            before, after = (side * (y[rows[-1][2:7]] - y[rows[0][2:7]]) for y in (own, drawn))
            assert (after > 0.7 * before).all() and (after < 1.4 * before + 0.01).all(), values


def test_teeth_stay_on_the_skull_while_the_jaw_moves(calm, draw):
    """The upper incisors' pixels are the same at two openings; the lower teeth go down."""
    little, wide = draw(calm, jawOpen=0.5), draw(calm, jawOpen=0.7)
    x, y = np.rint(calm.landmarks.points[13, :2]).astype(int)
    reach = max(int(0.03 * calm.head.scale), 1)
    teeth = slice(y + 1, y + 1 + reach), slice(x - 2 * reach, x + 2 * reach)
    assert little[teeth].mean() > 1.3 * little[y + 4 * reach, x].mean()  # teeth, not the dark
    assert np.abs(little[teeth].astype(int) - wide[teeth]).max() <= 12
    near, far = posed(calm, jawOpen=0.5), posed(calm, jawOpen=0.7)
    np.testing.assert_array_equal(near.skull(calm.mouth.plane), far.skull(calm.mouth.plane))
    assert far.jaw_shift[1] < near.jaw_shift[1] - 0.03 * calm.head.scale


def test_a_smile_with_teeth_closes_without_showing_them(smiling, draw):
    box = np.concatenate([smiling.landmarks.points[[78, 308], 0], smiling.landmarks.points[[13, 14], 1]])
    x0, x1, y0, y1 = np.rint(box).astype(int)
    mouth = slice(y0 - 1, y1 + 2), slice(x0 + 4, x1 - 3)
    teeth = np.percentile(smiling.portrait[mouth].min(axis=2), 95)  # teeth are bright in blue too, lips are not
    closed = draw(smiling, jawOpen=0.0)
    assert np.abs(gaps(smiling)).max() < 0.01
    assert np.percentile(closed[mouth].min(axis=2), 95) < teeth - 15


def test_a_smile_with_teeth_still_has_them_when_it_speaks(smiling, draw, monkeypatch):
    """Its own upper teeth show under the lip at a wide open mouth, though the gap is another than in the picture."""
    vertices = posed(smiling, jawOpen=0.5).vertices
    x, y = np.rint(vertices[13, :2] * [1, -1]).astype(int)
    under = draw(smiling, jawOpen=0.5)[y + 1 : y + 4, x - 4 : x + 5].mean(axis=2)
    assert under.max() > 0.75 * np.percentile(smiling.portrait[y - 8 : y + 12, x - 10 : x + 11].mean(axis=2), 97)
    # A mouth that is as far open as in the picture but otherwise shaped is drawn too, rather than left as squeezed pixels of the picture.
    same = min(np.linspace(0.0, 0.8, 41), key=lambda jaw: abs(gaps(smiling, jawOpen=jaw)[4] - smiling.poser.lips.own_gap[4]))
    shown = draw(smiling, jawOpen=float(same))
    monkeypatch.setattr(warp_codec, "draw_mouth", lambda *_: None)
    assert np.abs(shown.astype(int) - draw(smiling, jawOpen=float(same))).max() > 30


def test_an_open_mouth_closes_seen_from_any_side(smiling):
    for turn in ({"pitch": 20.0}, {"pitch": -20.0}, {"yaw": 20.0}):
        vertices = posed(smiling, **turn).vertices
        assert np.linalg.norm(vertices[UPPER, :2] - vertices[LOWER, :2], axis=1).max() < 0.02 * smiling.head.scale


def test_lips_look_at_lips(smiling, calm):
    """Closing lips take no strip of teeth along; rows and corners keep their order, so nothing folds; closed lips stay as they are."""
    assert not calm.mouth.insets.any()
    still = smiling.poser.pose(smiling.rest)
    assert np.abs(smiling.mouth.source_shift(still)).max() < 1e-6
    shift = smiling.mouth.source_shift(posed(smiling))
    assert np.abs(shift).max() > 0.3
    points = smiling.landmarks.points[:468, :2] + shift
    for rows, side in ((UPPER_ROWS, -1.0), (LOWER_ROWS, 1.0)):
        heights = np.stack([side * points[list(row), 1] for row in rows])
        assert (np.diff(heights[:, 1:-1], axis=0) > -0.5).all()
    for chain, side in zip(CORNER_CHAINS, (1.0, -1.0), strict=True):
        assert (np.diff(side * points[list(chain), 0]) > -0.2).all()


def test_a_funnel_darkens_the_teeth(calm, draw):
    """Lips that are put out throw their shadow on the teeth."""
    funnel = posed(calm, mouthFunnel=1.0).vertices
    x, y = np.rint((0.5 * (funnel[13] + funnel[14]))[:2] * [1, -1]).astype(int)
    raised = posed(calm, **both("mouthUpperUp", 0.8)).vertices
    u, v = np.rint((0.5 * (raised[13] + raised[14]))[:2] * [1, -1]).astype(int)
    deep = draw(calm, mouthFunnel=1.0)[y - 1 : y + 2, x - 4 : x + 5].mean()
    assert deep < 0.85 * draw(calm, **both("mouthUpperUp", 0.8))[v - 1 : v + 2, u - 4 : u + 5].mean()


def test_a_grey_portrait_stays_grey(codec, calm):
    """No pink gums in a pencil drawing, no red shadows on its skin."""
    grey = np.repeat(calm.portrait.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    appearance = codec.encode_appearance(grey, calm.landmarks, calm.rest)
    motion = {"jawOpen": 0.6, "mouthUpperUpLeft": 0.5, "tongueOut": 0.5, "noseSneerRight": 1.0, "browInnerUp": 1.0, "cheekPuff": 0.5}
    frame = next(codec.decode(appearance, FaceMotion.of(1, motion).values)).astype(int)
    assert np.ptp(frame, axis=2).max() <= 2
