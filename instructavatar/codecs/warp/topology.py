"""Which landmarks form the loops that the codec cuts along, and how rings of points around the face are joined.

Eyes run from the outer corner to the inner one, lips from the subject's right corner (image left) to the left one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from instructavatar.face import mesh

FACE_POINTS = mesh.VERTEX_COUNT
# Points under the lower lip that go as the lower teeth go.
JAW = (17, 18)


@dataclass(frozen=True)
class EyePoints:
    """Landmarks of one eye; `upper` and `lower` share their first (outer corner) and last point (inner corner)."""

    side: str
    upper: tuple[int, ...]
    lower: tuple[int, ...]
    fold: tuple[int, ...]
    """The row of points over the upper lid's edge, in the order of upper[1:-1]."""
    above: tuple[int, ...]
    """The row over the fold, under the brow."""
    iris: tuple[int, ...]
    """Centre, then four points on the rim."""


RIGHT_EYE = EyePoints(
    "Right",
    mesh.RIGHT_EYE_UPPER,
    mesh.RIGHT_EYE_LOWER,
    (247, 30, 29, 27, 28, 56, 190),
    (113, 225, 224, 223, 222, 221, 189),
    mesh.RIGHT_IRIS,
)
LEFT_EYE = EyePoints(
    "Left",
    mesh.LEFT_EYE_UPPER,
    mesh.LEFT_EYE_LOWER,
    (467, 260, 259, 257, 258, 286, 414),
    (342, 445, 444, 443, 442, 441, 413),
    mesh.LEFT_IRIS,
)
EYES = (RIGHT_EYE, LEFT_EYE)


def ring_triangles(loop: Sequence[int], rings: int) -> NDArray[np.int32]:
    """Strips between a clockwise loop of N points and `rings` rings of N points numbered after the face's points, [2 N rings, 3].

    The winding agrees with `face_triangles`.
    """
    count, inner = len(loop), np.asarray(loop, np.int32)
    strips = []
    for ring in range(rings):
        outer = np.arange(count, dtype=np.int32) + FACE_POINTS + ring * count
        after_in, after_out = np.roll(inner, -1), np.roll(outer, -1)
        strips += [np.stack([inner, outer, after_out], 1), np.stack([inner, after_out, after_in], 1)]
        inner = outer
    return np.concatenate(strips)


def face_triangles() -> NDArray[np.int32]:
    """The canonical triangles [898, 3], wound so that (b - a) x (c - a) is positive with y down where they face the viewer."""
    canonical = mesh.canonical_mesh()
    faces = canonical.triangles.copy()
    a, b, c = (canonical.vertices[faces[:, k], :2] for k in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    # y is up here, so a positive area turns negative in the picture.
    flipped = area > 0
    faces[flipped] = faces[flipped][:, ::-1]
    return faces
