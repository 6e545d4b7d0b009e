"""Other landmark layouts, read off the 478 points by tables of indices.

The 68 points of dlib and 300-W, in their order: jaw from the subject's right ear over the chin to the left (image left to right), brows
from right to left, nose down the bridge and along its base, each eye and both lip lines clockwise in the picture.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from instructavatar.face.landmarks import POINT_COUNT
from instructavatar.face.mesh import DLIB_68, mirror_index

__all__ = ["DLIB_68", "DLIB_PARTS", "dlib_68", "dlib_mirror"]

DLIB_COUNT = len(DLIB_68)
DLIB_PARTS: dict[str, slice] = {
    "jaw": slice(0, 17),
    "right_brow": slice(17, 22),
    "left_brow": slice(22, 27),
    "nose_bridge": slice(27, 31),
    "nose_base": slice(31, 36),
    "right_eye": slice(36, 42),
    "left_eye": slice(42, 48),
    "outer_lips": slice(48, 60),
    "inner_lips": slice(60, 68),
}
"""Part -> its place in the 68; right and left are the subject's own."""


def dlib_68(points: NDArray[np.floating], depth: bool = False) -> NDArray[np.floating]:
    """The 68 points of landmarks [..., 478, 3]: [..., 68, 2], or [..., 68, 3] with their depth, in the same pixels.

    By nearest landmark, so the jaw line lies a little inside that of hand-drawn annotations and follows the head as it turns.
    """
    if points.ndim < 2 or points.shape[-2:] != (POINT_COUNT, 3):
        raise ValueError(f"expected landmarks of shape [..., {POINT_COUNT}, 3], got {list(points.shape)}")
    return points[..., list(DLIB_68), : 3 if depth else 2]


def dlib_mirror() -> NDArray[np.int64]:
    """[68] which point of the 68 lies at the same spot of the other side; its own number on the middle line."""
    place = {landmark: number for number, landmark in enumerate(DLIB_68)}
    return np.array([place[int(mirror_index()[landmark])] for landmark in DLIB_68])
