"""Landmarks: what is measured on one face in one picture.

Points are in pixels of the picture: x right, y down, z in the same scale with negative z towards the viewer. Rotation and translation use
the axes of `face/motion.py` (y up, z towards the viewer). Left and right are the subject's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from instructavatar.face.motion import ACTION_COUNT

POINT_COUNT = 478
# Outer corners of the subject's right eye (image left) and left eye (image right); their distance is the inter-ocular distance.
OUTER_EYES = (33, 263)
# A translation z moves the face so that it grows by CAMERA_DISTANCE / (CAMERA_DISTANCE - z). Eight inter-ocular distances are about
# 75 cm, the distance of a face from a desk camera; the true lens of a video is unknown, so one nominal camera serves all.
CAMERA_DISTANCE = 8.0
# z is zero where the inter-ocular distance, moved back to the neck pivot, is this share of the picture's height.
REFERENCE_SHARE = 0.25
# Where the head turns on the neck, and whose place x and y tell: in inter-ocular distances (9 cm) from the point between the outer eye
# corners, in the face's own axes. The upper neck joints lie about 9 cm behind the eyes and 6 to 7 cm below them.
NECK_PIVOT = (0.0, -0.75, -0.95)


def _zeros3() -> NDArray[np.float32]:
    return np.zeros(3, np.float32)


@dataclass(frozen=True)
class Landmarks:
    """One measured face. Arrays are float32."""

    points: NDArray[np.float32]
    """[478, 3] x, y, z in pixels; 468..472 is the iris of the subject's right eye (image left), 473..477 that of the left."""
    actions: NDArray[np.float32]
    """[52] ARKit scores 0..1 in the order of `face.motion.ACTIONS`."""
    rotation_deg: NDArray[np.float32] = field(default_factory=_zeros3)
    """[3] pitch, yaw, roll in degrees."""
    translation: NDArray[np.float32] = field(default_factory=_zeros3)
    """[3] where the neck pivot lies from the middle of the picture: x right and y up, in inter-ocular distances as drawn in this picture;
    z = CAMERA_DISTANCE * ln(size / reference size). Only places relative to another frame's carry meaning; `places_from` takes them."""
    score: float = 1.0
    """How sure the landmark net is that this is a face, 0..1."""

    def __post_init__(self) -> None:
        """Bring the arrays to float32 and refuse other shapes."""
        for name, shape in (("points", (POINT_COUNT, 3)), ("actions", (ACTION_COUNT,)), ("rotation_deg", (3,)), ("translation", (3,))):
            value = np.asarray(getattr(self, name), np.float32)
            if value.shape != shape:
                raise ValueError(f"expected {name} of shape {list(shape)}, got {list(value.shape)}")
            object.__setattr__(self, name, value)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of the points in pixels."""
        low, high = self.points[:, :2].min(0), self.points[:, :2].max(0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    @property
    def width_px(self) -> float:
        """Width of the box in pixels."""
        left, _, right, _ = self.box
        return right - left

    @property
    def height_px(self) -> float:
        """Height of the box in pixels."""
        _, top, _, bottom = self.box
        return bottom - top

    @property
    def interocular_px(self) -> float:
        """Distance of the outer eye corners in pixels, depth included, so that turning the head hardly changes it."""
        right, left = self.points[list(OUTER_EYES)]
        return float(np.linalg.norm(left - right))

    def moved(self, scale: float = 1.0, shift_px: tuple[float, float] = (0.0, 0.0)) -> Landmarks:
        """The same face after the picture was resized by `scale` and then shifted; only the points change."""
        points = self.points * np.float32(scale)
        points[:, :2] += np.asarray(shift_px, np.float32)
        return replace(self, points=points)


def places_from(start: NDArray[np.float32], places: NDArray[np.float32]) -> NDArray[np.float32]:
    """Places as `Landmarks.translation` gives them [T, 3] -> x, y, z from the place `start` [3], in the inter-ocular distances there.

    A face that grows where it is moves along z alone.
    """
    grown = np.exp((places[:, 2] - start[2]) / CAMERA_DISTANCE)
    flat = places[:, :2] * grown[:, None] - start[:2]
    return np.concatenate([flat, (CAMERA_DISTANCE * (1 - 1 / grown))[:, None]], axis=1).astype(np.float32)
