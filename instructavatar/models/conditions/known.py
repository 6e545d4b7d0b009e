"""Motion that is given: the first frame, the tail of the last window, or a pose curve.

B batch, T frames, D motion width.
"""

from __future__ import annotations

import torch
from torch import Tensor


def impose(x: Tensor, known: Tensor, known_mask: Tensor) -> Tensor:
    """Motion [B, T, D] with its known entries in place."""
    return x * (1 - known_mask) + known * known_mask


def known_channels(x: Tensor, known: Tensor, known_mask: Tensor) -> Tensor:
    """The network's input [B, T, 2D]: motion with its known entries clean and in place, and which entries those are."""
    return torch.cat([impose(x, known, known_mask), known_mask], dim=-1)
