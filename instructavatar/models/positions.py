"""Where and when: rotary positions for attention, and sinusoidal features of a number.

B batch, H heads, N tokens, D width of a head.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def rotary_angles(tokens: int, width: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Cosine and sine [N, D/2] of the rotary positions 0..N-1, for heads of that width."""
    rates = torch.exp(torch.arange(0, width, 2, device=like.device, dtype=like.dtype) * (-math.log(10_000.0) / width))
    angles = torch.arange(tokens, device=like.device, dtype=like.dtype)[:, None] * rates[None]
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn queries or keys [B, H, N, D] by their positions, so that scores depend on distances only."""
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)


def sinusoid(values: Tensor, width: int, slowest: float = 10_000.0) -> Tensor:
    """Sine and cosine features [..., width] of numbers [...]; the slowest wave has a period of 2 pi `slowest`."""
    half = width // 2
    rates = torch.exp(torch.arange(half, device=values.device, dtype=values.dtype) * (-math.log(slowest) / max(half - 1, 1)))
    angles = values[..., None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=-1)
