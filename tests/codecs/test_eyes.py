"""Lids slide over a still eyeball, a blink closes any eye, gaze moves the iris over the white."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from instructavatar.codecs.warp import WarpCodec
from instructavatar.codecs.warp.eyes import GAZE_SIDE
from instructavatar.codecs.warp.iris import find_rims
from instructavatar.codecs.warp.lids import SHUT
from instructavatar.codecs.warp.openings import SPLITS, edge_distances, opening, smooth_row
from instructavatar.codecs.warp.topology import EYES, LEFT_EYE, RIGHT_EYE
from instructavatar.face.motion import INDEX, FaceMotion
from instructavatar.features.face_motion import resting_motion


def motion(**values):
    return FaceMotion.of(1, values).values[0]


def blink(value):
    return {"eyeBlinkLeft": value, "eyeBlinkRight": value}


def look_right(value):
    return {"eyeLookOutLeft": value, "eyeLookInRight": value}


def gaps(appearance, eye, **values):
    """Heights of the opening at the rows' inner points, in pixels; negative where the lids pass each other."""
    vertices = appearance.poser.pose(motion(**values)).vertices
    return (vertices[list(eye.upper[1:-1])] - vertices[list(eye.lower[1:-1])])[:, 1]


def inside(appearance, eye, margin, **values):
    """Pixels at least `margin` inside the opening that is drawn, bool [H, W]."""
    points = appearance.poser.pose(motion(**values)).vertices * [1, -1, 1]
    lids = opening(points, eye.upper, eye.lower, mirrored=eye.side == "Left")
    y, x = np.mgrid[: appearance.portrait.shape[0], : appearance.portrait.shape[1]].astype(np.float64)
    above, below = edge_distances(lids, x, y)
    along = (x - lids.frame[0]) * lids.frame[2] + (y - lids.frame[1]) * lids.frame[3]
    return (above > margin) & (below > margin) & (along > 0) & (along < lids.frame[4])


def with_scores(codec, appearance, **scores):
    """The same portrait as if the landmarker had read these scores."""
    actions = appearance.landmarks.actions.copy()
    for name, value in scores.items():
        actions[INDEX[name]] = value
    landmarks = replace(appearance.landmarks, actions=actions)
    return codec.encode_appearance(appearance.portrait, landmarks, resting_motion(landmarks))


@pytest.mark.parametrize("value", [0.15, 0.25])
def test_lids_slide_over_a_still_eyeball(calm, draw, value):
    """What is seen between half-shut lids is the open eye's own pixels, in place; the lid's shadow and the lid's edge aside."""
    frame = draw(calm, **blink(value)).astype(int)
    for eye in EYES:
        height = gaps(calm, eye).max()
        seen = inside(calm, eye, 0.15 * height, **blink(value)) & inside(calm, eye, 0.15 * height)
        assert seen.sum() > 20
        assert np.median(np.abs(frame - calm.portrait)[seen]) < 5


@pytest.mark.parametrize("who", ["calm", "smiling"])
def test_a_blink_meets_where_a_real_ones_score_does(who, request):
    appearance = request.getfixturevalue(who)
    for eye in EYES:
        assert gaps(appearance, eye, **blink(SHUT)).max() < 0 and gaps(appearance, eye, **blink(1.0)).max() < 0
        heights = [gaps(appearance, eye, **blink(value)).max() for value in (0, 0.15, 0.3, 0.45, 0.6)]
        assert np.diff(heights).max() < 0


def test_a_full_blink_hides_the_iris(calm, draw):
    """Where the iris was, there is skin: no blue, brown or white of the eye, and hardly a pixel as dark as the pupil."""
    frame = draw(calm, **blink(1.0)).astype(float)
    still = calm.portrait.astype(float)
    for eye in EYES:
        area = inside(calm, eye, 1.0)
        low, high = np.argwhere(area).min(0), np.argwhere(area).max(0)
        lid = slice(low[0], (low[0] + 2 * high[0]) // 3), slice(low[1] + 8, high[1] - 8)
        cheek = still[high[0] + 8 : high[0] + 20, low[1] : high[1]]
        assert still[lid].mean(2).std() > 30
        assert frame[lid].mean(2).std() < 12
        assert np.abs(frame[lid].mean((0, 1)) - cheek.mean((0, 1))).max() < 40


def test_one_eye_winks_alone(calm, draw):
    assert gaps(calm, LEFT_EYE, eyeBlinkLeft=1.0).max() < 0
    assert gaps(calm, RIGHT_EYE, eyeBlinkLeft=1.0) == pytest.approx(gaps(calm, RIGHT_EYE), abs=1e-6)
    area = inside(calm, RIGHT_EYE, -3.0)
    assert np.array_equal(draw(calm, eyeBlinkLeft=1.0)[area], draw(calm)[area])


def test_narrow_eyes_stay_as_they_are_until_a_blink_goes_beyond_them(codec, calm):
    narrow = with_scores(codec, calm, eyeBlinkLeft=0.2, eyeBlinkRight=0.2, eyeSquintLeft=0.7)
    for eye in EYES:
        own = gaps(narrow, eye)
        assert gaps(narrow, eye, **blink(0.2)) == pytest.approx(own, abs=0.1)
        assert gaps(narrow, eye, **blink(0.3)).max() < 0.95 * own.max()
        assert gaps(narrow, eye, **blink(SHUT)).max() < 0


def test_half_shut_eyes_open_and_rest_as_they_were(codec, calm, draw):
    """A portrait caught blinking opens its eyes when nothing is asked, and is itself where its own expression is."""
    sleepy = with_scores(codec, calm, eyeBlinkLeft=0.6, eyeBlinkRight=0.6)
    for eye in EYES:
        own = (sleepy.head.vertices[list(eye.upper[1:-1])] - sleepy.head.vertices[list(eye.lower[1:-1])])[:, 1]
        drawn = sleepy.poser.pose(sleepy.rest).vertices
        assert (drawn[list(eye.upper[1:-1])] - drawn[list(eye.lower[1:-1])])[:, 1] == pytest.approx(own, abs=1e-4)
        assert own.max() < gaps(sleepy, eye).max() < 2.6 * own.max()
        assert gaps(sleepy, eye, **blink(SHUT)).max() < 0
    assert np.abs(draw(sleepy).astype(int) - calm.portrait).max() <= 1


def test_wide_eyes_show_more_white(calm, draw):
    for eye in EYES:
        assert gaps(calm, eye, eyeWideLeft=1.0, eyeWideRight=1.0).max() > 1.2 * gaps(calm, eye).max()
    light = draw(calm, eyeWideLeft=1.0, eyeWideRight=1.0).min(2) > 120
    still = calm.portrait.min(2) > 120
    for eye in EYES:
        area = inside(calm, eye, -6.0)
        assert (light & area).sum() > (still & area).sum()


def dark_middle(appearance, frame, eye, **values):
    """Column of the middle of what is dark inside the opening, and how many pixels are."""
    dark = inside(appearance, eye, 2.0, **values) & (frame.max(2) < 90)
    return float(np.argwhere(dark)[:, 1].mean()), int(dark.sum())


def test_gaze_carries_the_iris_inside_the_opening(calm, draw):
    """Its middle moves as far as said, and none of it is painted on the lids or lost."""
    for eye, ball in zip(EYES, calm.eyes, strict=True):
        start, size = dark_middle(calm, draw(calm), eye)
        for value in (-0.5, 0.5):
            asked = look_right(value) if value > 0 else {"eyeLookOutRight": -value, "eyeLookInLeft": -value}
            frame = draw(calm, **asked)
            middle, count = dark_middle(calm, frame, eye)
            assert middle - start == pytest.approx(value * GAZE_SIDE * ball.length, abs=2.5)
            assert 0.7 * size < count < 1.4 * size
            outside = ~inside(calm, eye, -1.5, **asked) & inside(calm, eye, -8.0)
            assert np.abs(frame.astype(int) - calm.portrait)[outside].max() <= 30


def test_no_iris_stays_behind_where_it_was(calm, draw):
    """The white that a gaze uncovers is as light as the white beside it."""
    frame = draw(calm, **look_right(1.0)).mean(2)
    for ball, eye in zip(calm.eyes, EYES, strict=True):
        points = calm.landmarks.points[list(eye.iris), :2]
        x, y = points[0]
        radius = np.linalg.norm(points[1:] - points[0], axis=1).mean()
        left = frame[round(y) : round(y + 0.4 * radius), round(x - 0.9 * radius) : round(x - 0.4 * radius)]
        white = np.percentile(calm.portrait.mean(2)[inside(calm, eye, 2.0)], 80)
        assert left.min() > 0.6 * white, ball.points.side


def test_lids_follow_a_gaze_up_and_down(calm):
    for eye in EYES:
        edge = list(eye.upper[3:-3])
        still, up, down = (
            calm.poser.pose(motion(**values)).vertices[edge, 1].mean()
            for values in (
                {},
                {"eyeLookUpLeft": 1.0, "eyeLookUpRight": 1.0},
                {"eyeLookDownLeft": 1.0, "eyeLookDownRight": 1.0},
            )
        )
        assert down < still - 2 and still + 1 < up


def test_rims_are_found_near_measured_circles():
    """Two drawn irises, both measured too small and off; a plain patch keeps what was measured."""
    eyes = []
    for shift in (2.0, -2.0):
        light = np.full((60, 90), 220.0)
        cv2.circle(light, (45, 30), 15, 70.0, -1)
        light[:6] = light[-6:] = 120.0
        inside = np.zeros(light.shape, bool)
        inside[6:-6] = True
        eyes.append((light, inside, np.array([45.0 + shift, 31.0]), 12.5))
    for centre, radius in find_rims(eyes):
        assert centre == pytest.approx([45, 30], abs=2.0) and radius == pytest.approx(15, abs=1.3)
    plain = [(np.full((60, 90), 150.0), inside, np.array([40.0, 30.0]), 12.0)] * 2
    for centre, radius in find_rims(plain):
        assert centre.tolist() == [40.0, 30.0] and radius == 12.0


def test_skin_of_a_lid_is_smooth_over_a_striped_one(codec, calm, draw):
    """Long lashes over the lid's band do not become stripes on the closed lid."""
    striped = calm.portrait.copy()
    for eye in EYES:
        edge, fold = calm.landmarks.points[list(eye.upper[2:-2]), :2], calm.landmarks.points[list(eye.fold[1:-1]), :2]
        for (x0, y0), (x1, y1) in zip(edge, fold, strict=True):
            cv2.line(striped, (round(float(x0)), round(float(y0))), (round(float(x1)), round(float(y1))), (0, 0, 0), 1)
    painted = WarpCodec(codec.rig).encode_appearance(striped, calm.landmarks, calm.rest)
    frame = draw(painted, **blink(1.0)).mean(2)
    for eye in EYES:
        area = np.argwhere(inside(calm, eye, 1.0))
        row = (area[:, 0].min() + area[:, 0].max()) // 2
        middle = frame[row - 2 : row + 1, area[:, 1].min() + 12 : area[:, 1].max() - 12].mean(0)
        assert np.abs(np.diff(middle)).max() < 10


def test_compiled_edges_follow_the_smooth_curve():
    row = np.array([[0.0, 0], [4, 3], [9, 5.5], [9, 5.2], [20, 4], [30, 0]])
    lids = opening(np.concatenate([row * [1, -1], [[15.0, 3]]]), range(6), (0, 6, 5))
    curve = smooth_row(row, SPLITS)
    along = np.maximum.accumulate(curve[:, 0]) + 1e-6 * np.arange(len(curve))
    assert lids.top == pytest.approx(np.interp(np.linspace(0, 30, len(lids.top)), along, curve[:, 1]), abs=1e-2)
