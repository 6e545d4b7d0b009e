"""Noise schedules at inference: signal and noise scale of a noise level t in 0..1. Training has the same ones in torch."""

from __future__ import annotations

import math
from collections.abc import Callable

from instructavatar.errors import BadBundle

AlphaSigma = Callable[[float], tuple[float, float]]


def cosine(t: float) -> tuple[float, float]:
    """Alpha = cos(pi t / 2), sigma = sin(pi t / 2).

    >>> cosine(0.0)
    (1.0, 0.0)
    """
    return math.cos(t * math.pi / 2), math.sin(t * math.pi / 2)


def linear(t: float, beta_min: float = 0.05, beta_max: float = 20.0) -> tuple[float, float]:
    """The paper's VP-SDE: alpha = exp(-B/2) with B the integral of beta(t) = beta_min + (beta_max - beta_min) t."""
    integral = beta_min * t + 0.5 * (beta_max - beta_min) * t * t
    return math.exp(-0.5 * integral), math.sqrt(-math.expm1(-integral))


SCHEDULES: dict[str, AlphaSigma] = {"cosine": cosine, "linear": linear}


def schedule(name: str) -> AlphaSigma:
    """The schedule of that name."""
    if name not in SCHEDULES:
        raise BadBundle(f"expected a noise schedule among {', '.join(SCHEDULES)}, got {name!r}; export the run again")
    return SCHEDULES[name]


def levels(steps: int) -> list[float]:
    """Noise levels from 1 down to 0, steps + 1 of them, evenly spaced."""
    return [1 - i / steps for i in range(steps + 1)]
