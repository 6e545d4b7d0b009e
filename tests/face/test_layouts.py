"""The 68 points: dlib's own order, the two sides alike, any leading axes."""

import numpy as np
import pytest

from instructavatar.face.layouts import DLIB_68, DLIB_PARTS, dlib_68, dlib_mirror
from instructavatar.face.mesh import canonical_mesh


@pytest.fixture(scope="module")
def face():
    """The neutral mesh as landmarks in a picture: y down; the irises, which it lacks, at zero."""
    points = np.zeros((478, 3), np.float32)
    points[:468] = canonical_mesh().vertices * [10, -10, -10] + [100, 120, 0]
    return points


def test_shapes(face):
    assert dlib_68(face).shape == (68, 2) and dlib_68(face, depth=True).shape == (68, 3)
    film = np.broadcast_to(face, (2, 5, 478, 3))
    assert dlib_68(film).shape == (2, 5, 68, 2)
    np.testing.assert_array_equal(dlib_68(film)[1, 3], face[list(DLIB_68), :2])
    for wrong in (face[:468], face[0], face[..., :2]):
        with pytest.raises(ValueError, match="478, 3"):
            dlib_68(wrong)


def test_parts_cover_every_point_once():
    assert [number for part in DLIB_PARTS.values() for number in range(68)[part]] == list(range(68))
    assert len(set(DLIB_68)) == 68


def test_sides_are_alike(face):
    mirror = dlib_mirror()
    np.testing.assert_array_equal(mirror[mirror], np.arange(68))
    points = dlib_68(face, depth=True)
    np.testing.assert_allclose(points[mirror] * [-1, 1, 1] + [200, 0, 0], points, atol=0.5)


def test_the_mirror_is_the_one_of_the_published_annotations():
    """300-W's own table of mirrored points, in its numbering from 0."""
    pairs = [(i, 16 - i) for i in range(8)] + [(17 + i, 26 - i) for i in range(5)] + [(31, 35), (32, 34)]
    pairs += [(36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46)]
    pairs += [(48, 54), (49, 53), (50, 52), (59, 55), (58, 56), (60, 64), (61, 63), (67, 65)]
    mirror = dlib_mirror()
    assert all(mirror[a] == b and mirror[b] == a for a, b in pairs)
    middle = set(range(68)) - {number for pair in pairs for number in pair}
    assert middle == {8, 27, 28, 29, 30, 33, 51, 57, 62, 66} and all(mirror[number] == number for number in middle)


def test_order_is_dlibs(face):
    x, y = dlib_68(face).T
    part = DLIB_PARTS
    assert (np.diff(x[part["jaw"]]) > 0).sum() >= 14 and y[part["jaw"]].argmax() == 8, "image left to right, the chin in the middle"
    for row in ("right_brow", "left_brow", "nose_base"):
        assert (np.diff(x[part[row]]) > 0).all(), row
    assert (np.diff(y[part["nose_bridge"]]) > 0).all() and y[30] < y[33]
    assert x[part["right_eye"]].max() < x[27] < x[part["left_eye"]].min()
    assert y[19] < y[37] < y[30] < y[51] < y[62] <= y[66] < y[57] < y[8], "brow, eye, nose, lips, chin"


@pytest.mark.parametrize(("part", "first"), [("right_eye", 36), ("left_eye", 42), ("outer_lips", 48), ("inner_lips", 60)])
def test_rings_begin_at_the_image_left_and_run_clockwise(face, part, first):
    ring = dlib_68(face)[DLIB_PARTS[part]]
    assert ring[:, 0].argmin() == 0 and ring[len(ring) // 2, 0] == ring[:, 0].max(), first
    angles = np.unwrap(np.arctan2(*(ring - ring.mean(0)).T[::-1]))
    assert (np.diff(angles) > 0).all(), "y runs down, so rising angles are clockwise"
