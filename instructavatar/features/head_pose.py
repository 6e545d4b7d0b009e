"""Head rotation and position from 468 landmarks: a rigid fit of the canonical mesh under a perspective camera.

The method is that of MediaPipe's face geometry module (Apache-2.0): landmarks are brought to the near plane of a camera with a vertical
field of view of 63 degrees; a weighted similarity fit gives their scale; with it they are un-projected, scaled again, and fitted.
Camera axes: x image-right, y up, the camera at the origin looking along -z.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from instructavatar.face.landmarks import CAMERA_DISTANCE, NECK_PIVOT, OUTER_EYES, REFERENCE_SHARE
from instructavatar.face.mesh import VERTEX_COUNT, canonical_mesh
from instructavatar.face.motion import rotation_angles

FIELD_OF_VIEW_DEG = 63.0
NEAR = 1.0
Array = NDArray[np.float64]


def head_matrix(points: NDArray[np.float32], width: int, height: int) -> Array:
    """The 4x4 rigid transform (rotation, translation in cm) from the canonical mesh to the camera's space.

    points: [478 or 468, 3] pixels of a picture of that width and height, negative z towards the viewer.
    """
    places, source, weights = _fitted()
    screen = _near_plane(points[:VERTEX_COUNT].astype(np.float64), width, height)
    depth, screen = float(screen[:, 2].mean()), screen[places]
    first = _scale(source, screen * [1, 1, -1], weights)
    second = _scale(source, _unproject(screen, depth, first), weights)
    rotation, scale, shift = similarity(source, _unproject(screen, depth, first * second), weights)
    matrix = np.eye(4)
    matrix[:3, :3] = rotation * scale
    matrix[:3, 3] = shift
    return matrix


def head_pose(points: NDArray[np.float32], width: int, height: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Rotation (pitch, yaw, roll in degrees) and translation (see `Landmarks.translation`) of a face in a picture of that size."""
    matrix = head_matrix(points, width, height)
    mesh = canonical_mesh()
    scale = np.cbrt(np.linalg.det(matrix[:3, :3]))
    eyes = mesh.vertices[list(OUTER_EYES)].astype(np.float64).mean(0)
    neck = matrix[:3, :3] @ (eyes + mesh.interocular * np.array(NECK_PIVOT)) + matrix[:3, 3]
    interocular = mesh.interocular * scale
    share = interocular / -neck[2] / (2 * np.tan(np.deg2rad(FIELD_OF_VIEW_DEG) / 2))
    translation = [*(neck[:2] / interocular), CAMERA_DISTANCE * np.log(share / REFERENCE_SHARE)]
    return np.array(rotation_angles(matrix[:3, :3] / scale), np.float32), np.array(translation, np.float32)


@lru_cache(maxsize=1)
def _fitted() -> tuple[NDArray[np.intp], Array, Array]:
    """The vertices that count in the fit: their numbers, places [N, 3] and weights [N]; most of the mesh has none."""
    mesh = canonical_mesh()
    places = np.flatnonzero(mesh.pose_weights)
    return places, mesh.vertices[places].astype(np.float64), mesh.pose_weights[places].astype(np.float64)


def _near_plane(points: Array, width: int, height: int) -> Array:
    """Pixels -> the camera's near plane, y up; z in the scale of x, still negative towards the viewer."""
    plane_height = 2 * NEAR * np.tan(np.deg2rad(FIELD_OF_VIEW_DEG) / 2)
    per_pixel = plane_height / height
    return (points * [1, -1, 1] + [-width / 2, height / 2, 0]) * per_pixel


def _unproject(screen: Array, depth: float, scale: float) -> Array:
    """Near plane -> camera space, given the scale of the landmarks' z."""
    z = (screen[:, 2] - depth + NEAR) / scale
    return np.stack([screen[:, 0] * z / NEAR, screen[:, 1] * z / NEAR, -z], axis=1)


def _scale(source: Array, target: Array, weights: Array) -> float:
    return similarity(source, target, weights)[1]


def similarity(source: Array, target: Array, weights: Array) -> tuple[Array, float, Array]:
    """Rotation [3,3], scale and shift [3] that bring source to target [N,3] with the least weighted squared error; never a reflection."""
    share = weights / weights.sum()
    source_centre, target_centre = share @ source, share @ target
    centred = source - source_centre
    covariance = (target - target_centre).T @ (centred * share[:, None])
    left, _, right = np.linalg.svd(covariance)
    left[:, 2] *= np.sign(np.linalg.det(left) * np.linalg.det(right))
    rotation = left @ right
    scale = float(np.sum(rotation * covariance) / np.sum(share[:, None] * centred**2))
    return rotation, scale, target_centre - scale * rotation @ source_centre
