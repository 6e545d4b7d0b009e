"""Landmarks as a picture: what the motion encoder of the two-encoder VAE looks at. The same drawing in training and at inference.

T frames, S side of the picture in pixels.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from instructavatar.face.landmarks import POINT_COUNT
from instructavatar.face.layouts import DLIB_COUNT, dlib_68

LAYOUTS = (POINT_COUNT, DLIB_COUNT)


class LandmarkImage:
    """White discs on black, one for each point.

    Args:
        size: S.
        points: 478 for all landmarks, 68 for dlib's layout.
        radius: of a disc in pixels; 1 is a plus of five pixels, as OpenCV fills it.
    """

    def __init__(self, size: int = 256, points: int = POINT_COUNT, radius: int = 1) -> None:
        if points not in LAYOUTS:
            raise ValueError(f"expected points to be one of {LAYOUTS}, got {points}")
        if size < 8 or not 0 <= radius < size:
            raise ValueError(f"expected a size of at least 8 and a radius from 0 below it, got {size} and {radius}")
        self.size = size
        self.points = points
        self.radius = radius
        self._spots = disc(radius)

    def draw(self, landmarks: NDArray[np.floating], side: float | None = None) -> NDArray[np.uint8]:
        """Pictures [T, S, S] of 0 and 255 from landmarks [T, 478, 3] in pixels of a square picture of that side (S without one).

        Points are cut down to whole pixels; what lies outside is left out.
        """
        if landmarks.ndim != 3 or landmarks.shape[1:] != (POINT_COUNT, 3):
            raise ValueError(f"expected landmarks of shape [T, {POINT_COUNT}, 3], got {list(landmarks.shape)}")
        chosen = dlib_68(landmarks) if self.points == DLIB_COUNT else landmarks[..., :2]
        return self._filled(at_size(chosen, side or self.size, self.size))

    def _filled(self, points: NDArray[np.floating]) -> NDArray[np.uint8]:
        pictures = np.zeros((len(points), self.size, self.size), np.uint8)
        # NaN and far-off points would overflow as integers
        whole = np.clip(np.nan_to_num(np.trunc(points), nan=-1e6), -1e6, 1e6).astype(np.int64)
        places = whole[:, :, None] + self._spots  # [T, points, spots, 2]
        frame, point, spot = np.nonzero(((places >= 0) & (places < self.size)).all(-1))
        x, y = places[frame, point, spot].T
        pictures[frame, y, x] = 255
        return pictures


def at_size(points: NDArray[np.floating], side: float, size: int) -> NDArray[np.floating]:
    """Points [..., 2] of a square picture of `side` pixels, once it is resized to `size`; outer edges stay on outer edges.

    >>> at_size(np.array([[3.5, 3.5]]), 8, 4).tolist()
    [[1.5, 1.5]]
    """
    if side == size:
        return points
    scale = size / side
    return points.astype(np.float64) * scale + (scale - 1) / 2


def disc(radius: int) -> NDArray[np.int64]:
    """[spots, 2] x, y of the pixels of a filled disc around 0, 0."""
    picture = np.zeros((2 * radius + 3, 2 * radius + 3), np.uint8)
    cv2.circle(picture, (radius + 1, radius + 1), radius, 255, -1)
    y, x = np.nonzero(picture)
    return np.stack([x, y], -1) - (radius + 1)
