"""Samplers: from noise to clean motion in a few calls of a denoiser.

Each is a function of (denoise, x, times, alpha_sigma): `denoise(x, t)` predicts clean motion, x [..., T, D] starts as unit noise, `times`
fall from 1 to 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import BadBundle
from instructavatar.motion.schedule import AlphaSigma

Array = NDArray[np.float32]
Denoise = Callable[[Array, float], Array]
Sampler = Callable[[Denoise, Array, Sequence[float], AlphaSigma], Array]


def ddim(denoise: Denoise, x: Array, times: Sequence[float], alpha_sigma: AlphaSigma) -> Array:
    """Deterministic DDIM (Song et al. 2021, Equation 12 with eta 0)."""
    for t, after in zip(times, times[1:], strict=False):
        alpha, sigma = alpha_sigma(t)
        next_alpha, next_sigma = alpha_sigma(after)
        clean = denoise(x, t)
        noise = (x - alpha * clean) / max(sigma, 1e-6)
        x = (next_alpha * clean + next_sigma * noise).astype(np.float32)
    return x


def dpm(denoise: Denoise, x: Array, times: Sequence[float], alpha_sigma: AlphaSigma) -> Array:
    """DPM-Solver++(2M) (Lu et al. 2022, Algorithm 2): like DDIM, but extrapolates from the step before."""
    before: Array | None = None
    before_span = math.inf
    for t, after in zip(times, times[1:], strict=False):
        sigma = max(alpha_sigma(t)[1], 1e-6)
        next_alpha, next_sigma = alpha_sigma(after)
        clean = denoise(x, t)
        span = _log_snr(after, alpha_sigma) - _log_snr(t, alpha_sigma)
        # the first step has nothing to extrapolate from and the last must end on the prediction itself
        share = 0.0 if before is None or not math.isfinite(span) or not math.isfinite(before_span) else 0.5 * span / before_span
        guess = clean if before is None else (1 + share) * clean - share * before
        # alpha' (1 - exp(-span)) = alpha' - sigma' alpha / sigma, which stays finite at both ends
        x = (next_sigma / sigma * x + (next_alpha - next_sigma * alpha_sigma(t)[0] / sigma) * guess).astype(np.float32)
        before, before_span = clean, span
    return x


def euler(denoise: Denoise, x: Array, times: Sequence[float], alpha_sigma: AlphaSigma, temperature: float = 1.8) -> Array:
    """The paper's sampler: Euler steps on the probability-flow ODE at midpoints, from noise divided by its temperature.

    dx/dt = -beta/2 (x + score), score = (alpha x_0 - x) / sigma^2, and beta dt = -2 d(log alpha).
    """
    x = (x / temperature).astype(np.float32)
    for t, after in zip(times, times[1:], strict=False):
        middle = (t + after) / 2
        alpha, sigma = alpha_sigma(middle)
        growth = math.log(alpha_sigma(after)[0] / alpha_sigma(t)[0])
        score = (alpha * denoise(x, middle) - x) / max(sigma * sigma, 1e-6)
        x = (x + growth * (x + score)).astype(np.float32)
    return x


SAMPLERS: dict[str, Sampler] = {"ddim": ddim, "dpm": dpm, "euler": euler}


def sampler(name: str) -> Sampler:
    """The sampler of that name."""
    if name not in SAMPLERS:
        raise BadBundle(f"expected a sampler among {', '.join(SAMPLERS)}, got {name!r}; export the run again")
    return SAMPLERS[name]


def _log_snr(t: float, alpha_sigma: AlphaSigma) -> float:
    """log(alpha / sigma); infinite at the ends of the schedule."""
    alpha, sigma = alpha_sigma(t)
    if sigma < 1e-6:
        return math.inf
    return -math.inf if alpha < 1e-6 else math.log(alpha / sigma)
