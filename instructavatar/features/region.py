"""The square of a picture that the landmark net looks at: around a detected box, or around the landmarks of the last look."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from instructavatar.face.landmarks import OUTER_EYES
from instructavatar.features.face_detector import Box

CROP = 256
GROW = 1.5  # the region is this much larger than the face, as the net was made for


@dataclass(frozen=True)
class Region:
    """A square, turned so that the eyes lie level: centre and side in pixels, angle in radians, clockwise in the picture."""

    x: float
    y: float
    side: float
    angle: float

    def to_picture(self) -> NDArray[np.float64]:
        """[2, 3] affine map from crop pixels to picture pixels."""
        unit = self.side / CROP
        cos, sin = np.cos(self.angle) * unit, np.sin(self.angle) * unit
        half = CROP / 2
        return np.array([[cos, -sin, self.x - (cos - sin) * half], [sin, cos, self.y - (sin + cos) * half]])

    def mapped(self, matrix: NDArray[np.float64]) -> Region:
        """The same square seen in another picture; matrix [2, 3] is a rotation and shift."""
        x, y = matrix[:, :2] @ [self.x, self.y] + matrix[:, 2]
        return replace(self, x=float(x), y=float(y), angle=self.angle + float(np.arctan2(matrix[1, 0], matrix[0, 0])))


def region_of_box(box: Box) -> Region:
    """The region around a detected face."""
    left, top, right, bottom = map(float, box.corners)
    side = max(right - left, bottom - top)
    return Region((left + right) / 2, (top + bottom) / 2, side * GROW, _tilt(*box.keypoints[:2]))


def region_of_points(points: NDArray[np.float32]) -> Region:
    """The region around landmarks [478, 3], for the next look. The box is taken along the turned axes, so tilting changes nothing."""
    angle = _tilt(*points[list(OUTER_EYES), :2])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    level = points[:, :2] @ turn
    low, high = level.min(0), level.max(0)
    x, y = turn @ ((low + high) / 2)
    return Region(float(x), float(y), float((high - low).max()) * GROW, angle)


def _tilt(right_eye: NDArray[np.float32], left_eye: NDArray[np.float32]) -> float:
    x, y = left_eye - right_eye
    return float(np.arctan2(y, x))


def crop_region(image: NDArray[np.uint8], region: Region) -> NDArray[np.float32]:
    """The region as the landmark net wants it: [1, 256, 256, 3] in 0..1."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    crop = cv2.warpAffine(image, region.to_picture(), (CROP, CROP), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return crop[None] * np.float32(1 / 255)
