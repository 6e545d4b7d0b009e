"""Noise schedules: how much signal and how much noise a noise level t in 0..1 holds.

Variance preserving: x_t = alpha(t) x_0 + sigma(t) z with alpha^2 + sigma^2 = 1.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


class CosineSchedule:
    """alpha = cos(pi t / 2), sigma = sin(pi t / 2) (Nichol and Dhariwal 2021, without their offset)."""

    name = "cosine"

    def alpha_sigma(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """Signal and noise scale, each of t's shape."""
        angle = t * (math.pi / 2)
        return angle.cos(), angle.sin()


class LinearSchedule:
    """The paper's VP-SDE: beta(t) runs linearly from `beta_min` to `beta_max`; alpha = exp(-B/2), B = integral of beta."""

    name = "linear"

    def __init__(self, beta_min: float = 0.05, beta_max: float = 20.0) -> None:
        if not 0 < beta_min < beta_max:
            raise ValueError(f"expected 0 < beta_min < beta_max, got {beta_min} and {beta_max}")
        self.beta_min = beta_min
        self.beta_max = beta_max

    def alpha_sigma(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """Signal and noise scale, each of t's shape."""
        integral = self.beta_min * t + 0.5 * (self.beta_max - self.beta_min) * t * t
        return (-0.5 * integral).exp(), (-torch.expm1(-integral)).clamp_min(1e-12).sqrt()


Schedule = CosineSchedule | LinearSchedule


def add_noise(clean: Tensor, noise: Tensor, t: Tensor, schedule: Schedule) -> Tensor:
    """Noised motion [B, T, D] at noise levels [B]; unit variance stays unit variance."""
    alpha, sigma = schedule.alpha_sigma(t)
    return alpha[:, None, None] * clean + sigma[:, None, None] * noise


def draw_levels(count: int, generator: torch.Generator, lowest: float = 1e-3) -> Tensor:
    """Noise levels [count] in lowest..1, one in each of `count` equal strata, in random order: less variance than independent draws."""
    strata = (torch.arange(count) + torch.rand(count, generator=generator)) / count
    levels = lowest + (1 - lowest) * strata
    return levels[torch.randperm(count, generator=generator)]
