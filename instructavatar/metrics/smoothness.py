"""Smoothness of the motion: lips that tremble and heads that jump.

msi: mouth stability, the published system's jitter number: lips scaled by the eyes' distance, accelerations of 17 lip points, and over
windows of 12 frames every 6 the mean of 1 / (variance + 0.5); higher is smoother. The scale is theirs: 0.25 between the outer eye corners.
head_speed and head_acceleration: mean size over time, in degrees a second (and a second squared); neither better high nor low.
lip_acceleration: mean size for the inner lips' opening, in inter-ocular distances a second squared; neither, for speech moves lips.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from instructavatar.face.landmarks import OUTER_EYES
from instructavatar.metrics.base import Metric, NotScored, Scores, Value
from instructavatar.metrics.case import Case

# 17 points of the outer and inner lips, spread evenly over both.
LIPS = (61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91, 78, 13, 308, 14, 87)
WINDOW, HOP = 12, 6
_SCALE = 0.25


class Smoothness(Metric):
    """Jitter of the lips, and speeds of head and lips."""

    values = {
        "msi": Value("1 / (variance + 0.5)", True),
        "head_speed": Value("degrees/s", None),
        "head_acceleration": Value("degrees/s^2", None),
        "lip_acceleration": Value("inter-ocular distances/s^2", None),
    }

    def score(self, case: Case) -> Scores:
        """Needs half a second."""
        take = case.long_enough(0.56)
        if take.points is None:
            raise NotScored("no landmarks")
        head = np.unwrap(take.motion.rotation_deg.astype(np.float64), axis=0, period=360)
        points = take.points.astype(np.float64)
        eyes = np.linalg.norm(points[:, OUTER_EYES[0]] - points[:, OUTER_EYES[1]], axis=1)
        opening = np.linalg.norm(points[:, 13, :2] - points[:, 14, :2], axis=1) / eyes
        return {
            "msi": stability(points[..., :2]),
            "head_speed": float(np.linalg.norm(np.diff(head, axis=0), axis=1).mean() * take.rate_hz),
            "head_acceleration": float(np.linalg.norm(np.diff(head, 2, axis=0), axis=1).mean() * take.rate_hz**2),
            "lip_acceleration": float(np.abs(np.diff(opening, 2)).mean() * take.rate_hz**2),
        }


def stability(points: NDArray[np.float64]) -> float:
    """MSI of landmarks [T, 478, 2] in pixels, T at least 14."""
    eyes = np.linalg.norm(points[:, OUTER_EYES[0]] - points[:, OUTER_EYES[1]], axis=1).mean()
    lips = points[:, LIPS] * (_SCALE / eyes)
    acceleration = np.diff(lips, 2, axis=0)  # [T - 2, 17, 2]
    windows = np.lib.stride_tricks.sliding_window_view(acceleration, WINDOW, axis=0)[::HOP]
    return float((1 / (windows.var(axis=-1) + 0.5)).mean())
