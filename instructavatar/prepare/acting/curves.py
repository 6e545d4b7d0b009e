"""Curves in time: the shapes that human movement follows. Times are seconds, T frames (25 Hz)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from instructavatar.face.motion import FRAME_RATE_HZ

Curve = NDArray[np.float64]


def frame_times(frames: int) -> Curve:
    """The time of each frame [T]; frame 0 is at 0 s."""
    return np.arange(frames) / FRAME_RATE_HZ


def rise(u: Curve) -> Curve:
    """Minimum-jerk step (Flash and Hogan 1985): 0 up to u = 0, 1 from u = 1 on."""
    u = np.clip(u, 0.0, 1.0)
    return u**3 * (10.0 - 15.0 * u + 6.0 * u**2)


def hold(times: Curve, start_s: float, end_s: float, attack_s: float, release_s: float) -> Curve:
    """0..1: rises from start, stays, and is gone `release_s` after the end; a short span still reaches its top."""
    attack_s = min(attack_s, max(0.6 * (end_s - start_s), 0.12))
    return rise((times - start_s) / attack_s) * (1.0 - rise((times - end_s) / release_s))


def pulse(times: Curve, middle_s: float, up_s: float, down_s: float, top_s: float = 0.0) -> Curve:
    """0..1: one quick movement there and back that is at its top for `top_s` around the middle."""
    return np.minimum(rise((times - middle_s + top_s / 2 + up_s) / up_s), 1.0 - rise((times - middle_s - top_s / 2) / down_s))


def cycles(times: Curve, start_s: float, rate_hz: float, count: float) -> Curve:
    """-1..1: `count` sine cycles from start, growing in over the first half cycle and dying away in the last."""
    length_s = count / rate_hz
    edge_s = 0.5 / rate_hz
    envelope = rise((times - start_s) / (0.6 * edge_s)) * rise((start_s + length_s - times) / edge_s)
    return envelope * np.sin(2 * np.pi * rate_hz * (times - start_s))


def wander(times: Curve, rng: np.random.Generator, slowest_s: float, fastest_s: float) -> Curve:
    """A smooth random curve of about unit size: three sines with periods in the given range."""
    periods = np.exp(rng.uniform(np.log(fastest_s), np.log(slowest_s), 3))
    phases = rng.uniform(0, 2 * np.pi, 3)
    return np.sin(2 * np.pi * times[:, None] / periods + phases).mean(1) * 1.2
