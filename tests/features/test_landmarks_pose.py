import itertools

import numpy as np
import pytest

from instructavatar.face.landmarks import CAMERA_DISTANCE, NECK_PIVOT, OUTER_EYES
from instructavatar.face.mesh import canonical_mesh
from instructavatar.face.motion import rotation_angles, rotation_matrix
from instructavatar.features.head_pose import FIELD_OF_VIEW_DEG, head_matrix, head_pose, similarity

SIZE = 512


def picture_of(pitch: float, yaw: float, roll: float, centre_cm: tuple[float, float, float] = (0, 0, -50), size: int = SIZE) -> np.ndarray:
    """Landmarks [468, 3] of the canonical head, turned and placed before a camera of that field of view, z as the net gives it."""
    focal = size / 2 / np.tan(np.deg2rad(FIELD_OF_VIEW_DEG) / 2)
    head = canonical_mesh().vertices @ rotation_matrix(pitch, yaw, roll).T + centre_cm
    flat = head[:, :2] / -head[:, 2:] * focal
    depth = -(head[:, 2] - head[:, 2].mean()) * focal / -head[:, 2].mean()
    return np.stack([size / 2 + flat[:, 0], size / 2 - flat[:, 1], depth], axis=1).astype(np.float32)


@pytest.mark.parametrize("angles", list(itertools.product((-20, 0, 15), (-30, 0, 25), (-20, 0, 30))))
def test_combined_angles_come_back(angles: tuple[float, float, float]) -> None:
    rotation, _ = head_pose(picture_of(*angles), SIZE, SIZE)
    assert np.abs(rotation - angles).max() < 0.5


def test_an_off_centre_head_keeps_its_angles() -> None:
    rotation, _ = head_pose(picture_of(5, -10, 15, (8, -6, -50)), SIZE, SIZE)
    assert np.abs(rotation - [5, -10, 15]).max() < 0.5


def test_the_matrix_holds_the_place_in_centimetres() -> None:
    matrix = head_matrix(picture_of(0, 20, 0, (3, -2, -45)), SIZE, SIZE)
    assert np.abs(matrix[:3, 3] - [3, -2, -45]).max() < 1.0
    assert rotation_angles(matrix[:3, :3])[1] == pytest.approx(20, abs=0.5)


def placed_by_the_neck(angles: tuple[float, float, float], neck_cm: tuple[float, float, float]) -> np.ndarray:
    """The same with the neck pivot at a place before the camera."""
    mesh = canonical_mesh()
    neck = mesh.vertices[list(OUTER_EYES)].mean(0) + mesh.interocular * np.array(NECK_PIVOT)
    return picture_of(*angles, tuple(neck_cm - rotation_matrix(*angles) @ neck))


def test_turning_about_the_neck_leaves_the_place() -> None:
    places = [head_pose(placed_by_the_neck(angles, (0, 0, -60)), SIZE, SIZE)[1] for angles in ((0, 0, 0), (10, 20, -10))]
    assert np.abs(places[0] - places[1]).max() < 0.02


def test_translation_is_in_interocular_distances_right_and_up() -> None:
    interocular = canonical_mesh().interocular
    places = [head_pose(picture_of(0, 0, 0, (x, y, -60)), SIZE, SIZE)[1] for x, y in ((0, 0), (interocular, 0.5 * interocular))]
    assert np.abs(places[1] - places[0] - [1, 0.5, 0]).max() < 0.05


def test_nearer_is_positive_z_by_the_logarithm_of_size() -> None:
    far, near = (head_pose(placed_by_the_neck((0, 0, 0), (0, 0, z)), SIZE, SIZE)[1][2] for z in (-80, -60))
    assert near - far == pytest.approx(CAMERA_DISTANCE * np.log(80 / 60), abs=0.05)


def test_the_pictures_own_size_does_not_matter() -> None:
    small, large = (head_pose(picture_of(5, 10, -5, (2, 1, -50), size), size, size) for size in (256, 1024))
    assert np.abs(small[0] - large[0]).max() < 0.01 and np.abs(small[1] - large[1]).max() < 0.01


def test_similarity_recovers_a_transform_and_never_mirrors() -> None:
    rng = np.random.default_rng(0)
    source, weights = rng.normal(size=(20, 3)), rng.uniform(0.1, 1, 20)
    turn = rotation_matrix(10, 20, 30)
    rotation, scale, shift = similarity(source, 2.5 * source @ turn.T + [1, 2, 3], weights)
    assert np.allclose(rotation, turn) and scale == pytest.approx(2.5) and np.allclose(shift, [1, 2, 3])
    mirrored, _, _ = similarity(source, source * [-1, 1, 1], weights)
    assert np.linalg.det(mirrored) == pytest.approx(1)
