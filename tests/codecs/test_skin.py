"""Light on moving skin: what it may change, where, and how much."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from instructavatar.codecs.warp import creases, kernels, skin
from instructavatar.codecs.warp.topology import EYES
from instructavatar.face import mesh
from instructavatar.face.motion import ACTION_COUNT, ACTIONS, FaceMotion, mirror

SMILE = {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8}


def inside_of(appearance):
    x0, y0, x1, y1 = appearance.box
    return np.ascontiguousarray(appearance.portrait[y0:y1, x0:x1]), appearance.landmarks.points[:, :2].astype(np.float64) - [x0, y0]


def unpacked(packed):
    return np.stack([(packed >> np.uint64(shift)) & np.uint64(255) for shift in (0, 21, 42)], -1).astype(np.int32)


def lit(appearance, **values):
    """(own pixels, pixels in the light of a motion) [h, w, 3] of the moving box."""
    own = kernels.pack(inside_of(appearance)[0])
    return unpacked(own), unpacked(skin.LitSkin(appearance.skin, own)(FaceMotion.of(1, values).values[0]))


def change(skin_, motion):
    """[h, w] the sum of all creases in the box around them."""
    x0, y0, x1, y1 = skin_.box
    field = np.zeros((y1 - y0, x1 - x0), np.float32)
    weights = skin_.weights(motion) * np.float32(skin.LEVEL)
    skin.add_up(skin_.boxes, skin_.starts, skin_.deepen, skin_.flatten, weights, np.array([x0, y0]), field)
    return field


def around(points, loop, shape):
    return cv2.fillPoly(np.zeros(shape, np.uint8), [np.rint(points[list(loop)]).astype(np.int32)], 1) > 0


@pytest.mark.parametrize("who", ["calm", "smiling"])
def test_the_portraits_own_expression_is_not_shaded(who, request):
    appearance = request.getfixturevalue(who)
    own = kernels.pack(inside_of(appearance)[0])
    light = skin.LitSkin(appearance.skin, own)
    assert light(appearance.rest) is own
    turned = appearance.rest.copy()
    turned[ACTION_COUNT:] = 5.0
    assert light(turned) is own  # a turned head keeps its light
    assert light(FaceMotion.of(1, {"browInnerUp": 1.0}).values[0]) is not own and light(appearance.rest) is own


@pytest.mark.parametrize("who", ["calm", "smiling"])
def test_light_changes_within_bounds_on_skin_only(who, request):
    """Every action at once: no pixel a third brighter or darker, and none outside the face, in eyes or on lips."""
    appearance = request.getfixturevalue(who)
    own, new = lit(appearance, **dict.fromkeys(ACTIONS, 1.0))
    gain = new.mean(2) / np.maximum(own.mean(2), 1.0)
    changed = np.abs(new - own).max(2)
    assert changed.max() > 10
    seen = own.mean(2) > 40  # rounding to whole levels says nothing of dark pixels
    assert gain[seen].min() >= 1.0 - skin.MOST_CHANGE - 0.02 and gain[seen].max() <= 1.0 + skin.MOST_CHANGE + 0.02
    points = inside_of(appearance)[1]
    assert changed[~around(points, mesh.FACE_OVAL, changed.shape)].max() == 0
    for eye in EYES:
        assert changed[around(points, (*eye.upper, *eye.lower[-2:0:-1]), changed.shape)].max() == 0
    assert changed[around(points, (*mesh.LIPS_INNER_UPPER, *mesh.LIPS_INNER_LOWER[-2:0:-1]), changed.shape)].max() == 0


def test_light_follows_the_action_without_a_jump(calm):
    for name in ("mouthSmileLeft", "browInnerUp", "noseSneerRight", "cheekPuff"):
        steps = [lit(calm, **{name: value})[1] for value in (0.0, 0.005, 0.5, 0.505, 1.0)]
        assert np.abs(steps[1] - steps[0]).max() <= 1 and np.abs(steps[3] - steps[2]).max() <= 1, name
        assert np.abs(steps[4] - steps[0]).sum() > 1.3 * np.abs(steps[2] - steps[0]).sum() > 0, name


def test_creases_lie_where_faces_fold(calm):
    points = inside_of(calm)[1]

    def at(field, spot):
        x, y = np.rint(points[spot] - calm.skin.box[:2]).astype(int)
        return field[y - 1 : y + 2, x - 1 : x + 2].mean()

    smile = change(calm.skin, FaceMotion.of(1, SMILE).values[0])
    assert at(smile, 206) < -0.02 and at(smile, 426) < -0.02  # beside nose and mouth
    raised = change(calm.skin, FaceMotion.of(1, {"browInnerUp": 1.0}).values[0])
    cheek = points[50] - calm.skin.box[:2]
    x, top = np.rint(points[10] - calm.skin.box[:2]).astype(int)
    column = raised[max(top, 0) : round(points[9, 1]) - calm.skin.box[1], x]
    assert np.count_nonzero(np.diff(column < -0.02)) >= 4  # at least two lines
    assert raised[round(cheek[1]), round(cheek[0])] == 0.0
    one = change(calm.skin, FaceMotion.of(1, {"mouthSmileLeft": 0.8}).values[0])
    middle = int(points[1, 0]) - calm.skin.box[0]
    assert np.abs(one[:, : middle - 3]).max() == 0.0 < np.abs(one[:, middle:]).max()  # the subject's left is image right


def test_a_mirrored_portrait_has_a_mirrored_field(calm):
    box, points = inside_of(calm)
    canonical = creases.canonical_points()
    partner = np.array([np.abs(canonical * [-1, 1] - point).sum(1).argmin() for point in canonical])
    flipped = points.copy()
    flipped[: len(partner)] = points[partner] * [-1, 1] + [box.shape[1] - 1, 0]
    other = skin.build_skin(np.ascontiguousarray(box[:, ::-1]), flipped, calm.head, calm.rest)
    motion = FaceMotion.of(1, {"mouthSmileLeft": 0.9, "browOuterUpRight": 0.7, "noseSneerLeft": 1.0, "cheekPuff": 0.3}).values
    one, two = change(calm.skin, motion[0]), change(other, mirror(motion)[0])
    whole, mirrored = np.zeros(box.shape[:2]), np.zeros(box.shape[:2])
    for field, into, skin_ in ((one, whole, calm.skin), (two, mirrored, other)):
        x0, y0, x1, y1 = skin_.box
        into[y0:y1, x0:x1] = field
    difference = np.abs(whole - mirrored[:, ::-1])
    assert difference.mean() < 0.15 * np.abs(whole).mean() and np.percentile(difference, 99.5) < 0.02


def test_a_smiling_portrait_loses_some_of_its_fold(smiling):
    """Only its own furrows are filled: what is flattened never becomes darker by more than their rims."""
    neutral = change(smiling.skin, np.zeros(58, np.float32))
    assert neutral.max() > 0.05 and neutral.min() > -0.08
    assert np.abs(neutral).mean() < 0.02


def test_hair_is_not_shaded(calm):
    box, points = inside_of(calm)
    x, y = np.rint(points[151]).astype(int)
    reach = int(0.12 * calm.head.scale)
    fringe = box.copy()
    fringe[y - 2 * reach : y + 2 * reach, x - reach : x + reach] = (14, 10, 9)
    covered = skin.build_skin(fringe, points, calm.head, calm.rest)
    motion = FaceMotion.of(1, {"browInnerUp": 1.0}).values[0]
    inner = (
        slice(y - reach - covered.box[1], y + reach - covered.box[1]),
        slice(x - reach // 2 - covered.box[0], x + reach // 2 - covered.box[0]),
    )
    assert np.abs(change(covered, motion)[inner]).max() < 0.01 < np.abs(change(calm.skin, motion)[inner]).max()


def test_flat_colours_get_less_shading(calm):
    """A flat drawing of the face is shaded less than the portrait itself."""
    box, points = inside_of(calm)
    flat = cv2.GaussianBlur(box, (0, 0), 0.15 * calm.head.scale)
    motion = FaceMotion.of(1, SMILE).values[0]
    drawn = change(skin.build_skin(flat, points, calm.head, calm.rest), motion)
    assert np.abs(drawn).max() < 0.7 * np.abs(change(calm.skin, motion)).max()


def test_puffed_cheeks_stand_out_to_the_sides(calm):
    still, puffed = (calm.poser.pose(FaceMotion.of(1, {"cheekPuff": value}).values[0]).vertices for value in (0.0, 1.0))
    moved = (puffed - still)[:, 0] / calm.head.scale
    assert moved[288] > 0.03 and moved[58] < -0.03  # the outline beside the mouth
    assert np.abs(moved[[10, 152, 1, 33, 263]]).max() < 0.01


def test_faces_outside_the_picture_are_left_alone(codec, calm):
    box, points = inside_of(calm)
    bare = skin.build_skin(box, points + [4 * box.shape[1], 0], calm.head, calm.rest)
    own = kernels.pack(box)
    assert skin.LitSkin(bare, own)(FaceMotion.of(1, SMILE).values[0]) is own
    cut = int(points[4, 1])
    half = codec.encode_appearance(calm.portrait[: cut + calm.box[1]], calm.landmarks, calm.rest)
    assert next(codec.decode(half, FaceMotion.of(1, {**SMILE, "browInnerUp": 1.0}).values)).shape == half.portrait.shape


def test_every_cause_is_an_action_and_every_crease_has_causes(calm):
    assert (calm.skin.causes.sum(1) > 0).all()
    left = [crease.name for crease in creases.all_creases() if crease.name.endswith("Left")]
    right = [crease.name for crease in creases.all_creases() if crease.name.endswith("Right")]
    assert [name.removesuffix("Left") for name in left] == [name.removesuffix("Right") for name in right]
    resting = replace(calm.skin, rest=calm.skin.weights(FaceMotion.of(1, SMILE).values[0]))
    assert not resting.weights(FaceMotion.of(1, SMILE).values[0]).any()
