"""Smoothness of the motion: lips that tremble and heads that jump.

msi            mouth stability, the published system's jitter number: landmarks scaled so that the mouth is 0.25 wide, accelerations of
               17 lip points, and over windows of 12 frames every 6 the mean of 1 / (variance + 0.5), of x and y alike. Higher is smoother.
               On that scale variances are far below 0.5, so everything lies just below 2: to compare with, not to judge by.
lip_jitter     root mean square of what the lips do faster than 6 Hz, beside the face they sit in; lower is better. Speech moves lips up to
               about 5 Hz (syllables), so most of what lies above is trembling: of the picture, or of the landmarker (on real clips too).
head_jitter    the same for the points that neither speech nor blinks move much: bridge of the nose, corners of the eyes, forehead.
lip_speed, lip_acceleration    mean size for the inner lips' opening, a second and a second squared; neither better high nor low
head_speed, head_acceleration  mean size of the head's turning in degrees, likewise

Lengths are in inter-ocular distances of the clip's median frame, jitter in thousandths of it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from instructavatar.face.landmarks import OUTER_EYES
from instructavatar.face.mesh import MOUTH_CORNERS
from instructavatar.features.lip_sync import LIPS as INNER_LIPS
from instructavatar.metrics.base import Metric, NotScored, Scores, Take, Value
from instructavatar.metrics.case import Case

# 17 points of the outer and inner lips, spread evenly over both; the published list is of another detector's points.
LIPS = (61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91, 78, 13, 308, 14, 87)
# Bridge of the nose, corners of the eyes, forehead.
FIRM = (168, 6, 197, 195, 33, 133, 362, 263, 10, 151, 9)
WINDOW, HOP = 12, 6
MOUTH_WIDTH = 0.25
JITTER_HZ = 6.0
_SEGMENT = 25  # frames; bins of 1 Hz
Points = NDArray[np.float64]


class Smoothness(Metric):
    """Jitter of lips and head, and their speeds."""

    version = 2
    values = {
        "msi": Value("1 / (variance + 0.5)", True),
        "lip_jitter": Value("1/1000 inter-ocular distances", False),
        "head_jitter": Value("1/1000 inter-ocular distances", False),
        "lip_speed": Value("inter-ocular distances/s", None),
        "lip_acceleration": Value("inter-ocular distances/s^2", None),
        "head_speed": Value("degrees/s", None),
        "head_acceleration": Value("degrees/s^2", None),
    }

    def score(self, case: Case) -> Scores:
        """Needs a second."""
        take = case.long_enough(1.0)
        if take.points is None:
            raise NotScored("no landmarks")
        points = take.points.astype(np.float64)
        lips, firm = points[:, LIPS, :2], points[:, FIRM, :2]
        eyes = float(np.median(np.linalg.norm(points[:, OUTER_EYES[0]] - points[:, OUTER_EYES[1]], axis=1)))
        upper, lower = (points[:, point, :2] for point in INNER_LIPS)
        return {
            "msi": stability(points[..., :2]),
            "lip_jitter": 1000 * jitter(lips - firm.mean(axis=1, keepdims=True), take.rate_hz) / eyes,
            "head_jitter": 1000 * jitter(firm, take.rate_hz) / eyes,
            **_speeds(take, np.linalg.norm(upper - lower, axis=1) / eyes),
        }


def _speeds(take: Take, opening: NDArray[np.float64]) -> Scores:
    head = take.motion.rotation_deg.astype(np.float64)  # free of jumps at 180 degrees, as takes are
    return {
        "lip_speed": float(np.abs(np.diff(opening)).mean() * take.rate_hz),
        "lip_acceleration": float(np.abs(np.diff(opening, 2)).mean() * take.rate_hz**2),
        "head_speed": float(np.linalg.norm(np.diff(head, axis=0), axis=1).mean() * take.rate_hz),
        "head_acceleration": float(np.linalg.norm(np.diff(head, 2, axis=0), axis=1).mean() * take.rate_hz**2),
    }


def stability(points: Points) -> float:
    """MSI of landmarks [T, 478, 2] in pixels, T at least 14."""
    width = float(np.linalg.norm(points[:, MOUTH_CORNERS[0]] - points[:, MOUTH_CORNERS[1]], axis=1).mean())
    acceleration = np.diff(points[:, LIPS] * (MOUTH_WIDTH / width), 2, axis=0)  # [T - 2, 17, 2]
    windows = np.lib.stride_tricks.sliding_window_view(acceleration, WINDOW, axis=0)[::HOP]
    return float((1 / (windows.var(axis=-1) + 0.5)).mean())


def jitter(points: Points, rate_hz: float) -> float:
    """Root mean square over time and points of motion above JITTER_HZ: points [T, P, 2], T at least 25, in their unit.

    Welch's method (1967): Hann windows of 25 frames, every 12, each without its linear trend, so that slow motion does not leak upwards.
    """
    window = np.hanning(_SEGMENT + 2)[1:-1]
    pieces = np.lib.stride_tricks.sliding_window_view(points - points[:1], _SEGMENT, axis=0)[::12]  # [segments, P, 2, 25]
    spectrum = np.fft.rfft(_without_trend(pieces) * window)
    fast = np.fft.rfftfreq(_SEGMENT, 1 / rate_hz) > JITTER_HZ
    # 25 is odd, so each bin but the first stands for two.
    power = 2 * (np.abs(spectrum[..., fast]) ** 2).sum(axis=-1) / (_SEGMENT * (window**2).sum())
    return float(np.sqrt(power.sum(axis=-1).mean()))


def _without_trend(curves: Points) -> Points:
    """Curves [..., N] less their least-squares lines."""
    ramp = np.arange(curves.shape[-1]) - (curves.shape[-1] - 1) / 2
    slope = (curves @ ramp) / (ramp @ ramp)
    return np.asarray(curves - curves.mean(axis=-1, keepdims=True) - slope[..., None] * ramp)
