from __future__ import annotations

import cv2
import numpy as np
import pytest

from instructavatar import config
from instructavatar.codecs.base import Appearance
from instructavatar.codecs.identity import IdentityCodec
from instructavatar.codecs.warp import WarpCodec, kernels, layers
from instructavatar.face.motion import INDEX, FaceMotion, mirror


def change(a, b):
    return np.abs(a.astype(int) - b.astype(int)).max(axis=2)


def around(appearance, landmarks, reach):
    """Pixels around landmarks, bool [H, W]."""
    points = appearance.landmarks.points[list(landmarks), :2]
    low, high = points.min(0) - reach, points.max(0) + reach
    y, x = np.mgrid[: appearance.portrait.shape[0], : appearance.portrait.shape[1]]
    return (x >= low[0]) & (x <= high[0]) & (y >= low[1]) & (y <= high[1])


RIGHT_EYE, LEFT_EYE, MOUTH = (33, 133, 159, 145), (263, 362, 386, 374), (61, 291, 0, 17)


@pytest.mark.parametrize("who", ["calm", "smiling"])
def test_rest_gives_the_portrait_back(who, draw, request):
    appearance = request.getfixturevalue(who)
    frame = draw(appearance)
    assert frame.shape == appearance.portrait.shape and frame.dtype == np.uint8
    assert change(frame, appearance.portrait).max() <= 1
    frame[:] = 0
    assert appearance.portrait.any()


@pytest.mark.parametrize("motion", [{"jawOpen": 1.0}, {"yaw": 20.0, "pitch": 15.0, "roll": 20.0}, {"x": 0.3, "y": -0.2, "z": 0.5}])
def test_nothing_moves_outside_the_box(smiling, draw, motion):
    x0, y0, x1, y1 = smiling.box
    difference = change(draw(smiling, **motion), smiling.portrait)
    assert difference[y0:y1, x0:x1].max() > 30
    difference[y0:y1, x0:x1] = 0
    assert difference.max() == 0
    assert (x1 - x0) * (y1 - y0) < 0.3 * difference.size  # a small face moves a small part of the picture


def test_same_motion_same_picture_alone_or_in_a_sequence(codec, calm):
    motion = FaceMotion.of(3, {"jawOpen": [0.1, 0.5, 0.9], "yaw": [0, 5, 10]}).values
    together = list(codec.decode(calm, motion))
    assert len(together) == 3
    for row, frame in zip(motion, together, strict=True):
        assert np.array_equal(next(codec.decode(calm, row[None])), frame)
    assert list(codec.decode(calm, motion[:0])) == []


def test_a_small_motion_changes_little(calm, draw):
    """No jumps: a hundredth of an action moves no pixel far."""
    for name, value in (("jawOpen", 0.3), ("eyeBlinkLeft", 0.5), ("yaw", 8.0), ("eyeLookUpLeft", 0.5), ("mouthSmileLeft", 0.4)):
        a, b = draw(calm, **{name: value}), draw(calm, **{name: value * 1.01})
        assert np.percentile(change(a, b), 99.9) <= 8, name


def test_the_jaw_opens_a_hole_and_moves_the_lower_lip(calm, draw):
    still, opened = draw(calm), draw(calm, jawOpen=0.6)
    x, y = calm.landmarks.points[14, :2].round().astype(int)
    lip = slice(y + 4, y + 12), slice(x - 4, x + 5)
    assert opened[lip].mean() < 0.75 * still[lip].mean()  # the dark of the mouth, where the lower lip was
    assert change(still, opened)[around(calm, RIGHT_EYE, 3)].max() <= 2


def test_a_smile_shows_teeth_lighter_than_the_lips(calm, draw):
    smile = {f"{name}{side}": 0.8 for name in ("mouthSmile", "mouthUpperUp") for side in ("Left", "Right")}
    frame = draw(calm, jawOpen=0.15, **smile)
    lips = calm.portrait[around(calm, (0, 17), 0)].mean()
    assert np.percentile(frame[around(calm, (13, 14), 18)].mean(axis=1), 97) > lips + 25


def test_pressed_lips_leave_no_gap(smiling):
    """A portrait that shows its teeth closes its mouth on a neutral or pressing motion."""
    for curves in ({}, {"mouthPressLeft": 0.5, "mouthPressRight": 0.5}):
        vertices = smiling.poser.pose(FaceMotion.of(1, curves).values[0]).vertices
        own = smiling.head.vertices[13, 1] - smiling.head.vertices[14, 1]
        assert own > 3.0  # it is open in the picture
        assert -0.5 <= vertices[13, 1] - vertices[14, 1] < 0.2 * own


def test_the_tongue_comes_out_over_the_lower_lip(calm, draw):
    x, y = calm.landmarks.points[17, :2].round().astype(int)
    lip = slice(y, y + 6), slice(x - 10, x + 11)
    out, kept = draw(calm, tongueOut=1.0, jawOpen=0.3), draw(calm, jawOpen=0.3)
    assert np.percentile(change(out, kept)[lip], 5) > 3  # the tongue has nearly the colour of the lip
    assert change(out, kept)[around(calm, RIGHT_EYE, 3)].max() == 0
    assert np.array_equal(draw(calm, tongueOut=0.001, jawOpen=0.3), kept)


def test_lids_meet_in_a_blink_and_the_other_eye_stays(calm, draw):
    vertices = calm.poser.pose(FaceMotion.of(1, {"eyeBlinkLeft": 1.0}).values[0]).vertices
    own = calm.head.vertices[386, 1] - calm.head.vertices[374, 1]
    assert own > 5.0 and vertices[386, 1] - vertices[374, 1] < 0.0
    difference = change(draw(calm, eyeBlinkLeft=1.0), draw(calm))
    assert difference[around(calm, LEFT_EYE, 0)].max() > 60
    assert difference[around(calm, RIGHT_EYE, 3)].max() <= 2


def test_gaze_moves_the_iris_and_not_the_skin(calm, draw):
    def dark(frame):
        area = around(calm, LEFT_EYE, 0)
        weight = np.where(area, np.maximum(90.0 - frame.mean(axis=2), 0), 0)
        return (weight.sum(0) * np.arange(frame.shape[1])).sum() / weight.sum()

    out, into = draw(calm, eyeLookOutLeft=0.8), draw(calm, eyeLookInLeft=0.8)
    assert dark(out) > dark(into) + 4  # the subject's left is image right
    assert change(out, draw(calm))[around(calm, MOUTH, 3)].max() <= 2


@pytest.mark.parametrize(("name", "value"), [("yaw", 18.0), ("yaw", -18.0), ("pitch", 14.0), ("pitch", -14.0), ("roll", 15.0)])
def test_the_head_turns_as_asked(calm, draw, landmarker, name, value):
    column = ("pitch", "yaw", "roll").index(name)
    turned = landmarker.find(draw(calm, **{name: value}))[0].rotation_deg - landmarker.find(draw(calm))[0].rotation_deg
    assert abs(turned[column] - value) <= 4.0
    assert np.abs(np.delete(turned, column)).max() <= 4.0


def test_actions_read_back(calm, draw, landmarker):
    def read(name, **values):
        return landmarker.find(draw(calm, **values))[0].actions[INDEX[name]]

    assert 0.25 <= read("jawOpen", jawOpen=0.5) <= 0.8
    assert read("eyeBlinkLeft", eyeBlinkLeft=1.0, eyeBlinkRight=1.0) > 0.5
    assert read("mouthSmileLeft", mouthSmileLeft=0.9, mouthSmileRight=0.9) > 0.5


def test_translation_moves_by_interocular_distances(calm):
    still, moved = (calm.poser.pose(FaceMotion.of(1, {"x": x, "y": x}).values[0]).vertices for x in (0.0, 0.2))
    nose = (moved - still)[1, :2] / calm.head.scale
    np.testing.assert_allclose(nose, [0.2, 0.2], atol=1e-3)
    nearer = calm.poser.pose(FaceMotion.of(1, {"z": 1.6}).values[0]).vertices
    wide = [np.linalg.norm(v[33, :2] - v[263, :2]) for v in (still, nearer)]
    assert wide[1] / wide[0] == pytest.approx(8.0 / 6.4, rel=1e-3)


def test_left_is_the_mirror_of_right(codec, calm):
    """Mirrored motion moves mirrored points: the sides are not mixed up anywhere."""
    motion = FaceMotion.of(1, {"mouthSmileLeft": 0.8, "eyeBlinkLeft": 0.7, "browDownLeft": 0.6, "yaw": 6.0, "roll": 4.0}).values
    rest = calm.poser.pose(np.zeros(58, np.float32)).vertices
    one, other = (calm.poser.pose(m[0]).vertices - rest for m in (motion, mirror(motion)))
    for left, right in ((291, 61), (386, 159), (334, 105)):
        np.testing.assert_allclose(one[left, :2] * [-1, 1], other[right, :2], atol=0.06 * calm.head.scale)


def test_faces_at_the_border_and_in_large_pictures(codec, calm):
    """The chin cut off, or the face in a corner of a large picture: same face, no error."""
    cut = int(calm.landmarks.points[152, 1])
    near = codec.encode_appearance(calm.portrait[:cut], calm.landmarks, calm.rest)
    frame = next(codec.decode(near, FaceMotion.of(1, {"jawOpen": 0.8, "pitch": -10.0}).values))
    assert frame.shape == (cut, 512, 3)
    large = np.full((2160, 3840, 3), 90, np.uint8)
    large[:512, -512:] = calm.portrait
    moved = codec.encode_appearance(large, calm.landmarks.moved(1.0, (3840 - 512, 0)), calm.rest)
    x0, y0, x1, y1 = moved.box
    assert x0 > 3000 and y1 < 1000
    assert change(next(codec.decode(moved, moved.rest[None])), large).max() <= 1


def test_compiled_code_draws_what_its_python_does(codec, calm, monkeypatch):
    """One frame of a thumbnail, compiled and interpreted (nested calls too)."""
    small = cv2.resize(calm.portrait, (96, 96), interpolation=cv2.INTER_AREA)
    motion = {"jawOpen": 0.4, "tongueOut": 0.5, "mouthSmileLeft": 0.5, "eyeBlinkLeft": 0.9, "eyeLookInRight": 0.5, "yaw": 15.0}
    appearance = codec.encode_appearance(small, calm.landmarks.moved(96 / 512), calm.rest)
    rows = FaceMotion.of(1, motion).values
    compiled = next(codec.decode(appearance, rows))
    for module in (kernels, layers):
        for name, function in vars(module).copy().items():
            if hasattr(function, "py_func"):
                monkeypatch.setattr(module, name, function.py_func)
    with np.errstate(over="ignore"):
        interpreted = next(codec.decode(appearance, rows))
    difference = change(compiled, interpreted)
    # The last bit may round otherwise; a triangle's edge may fall on the other side of a pixel.
    assert np.mean(difference > 1) < 0.01 and difference.mean() < 0.1


def test_refuses_another_codecs_appearance(codec, calm):
    other = IdentityCodec().encode_appearance(calm.portrait, calm.landmarks, calm.rest)
    assert isinstance(other, Appearance)
    with pytest.raises(TypeError, match=r"WarpCodec.encode_appearance"):
        codec.decode(other, np.zeros((1, 58), np.float32))
    with pytest.raises(ValueError, match="expected motion"):
        codec.decode(calm, np.zeros((1, 57), np.float32))


@pytest.mark.parametrize(("name", "kind"), [("warp", WarpCodec), ("identity", IdentityCodec)])
def test_configs_build(name, kind):
    from pathlib import Path

    root = Path(__file__).parents[2]
    built = config.build(config.load(root / "configs" / "codec" / f"{name}.yaml"))
    assert isinstance(built, kind) and built.motion_dim == 58
