"""How much each noise level and each motion column counts in the loss.

B batch, T frames, D motion width.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from instructavatar.face.motion import COLUMNS, MOTION_DIM
from instructavatar.models.diffusion.schedule import Schedule


def level_weight(t: Tensor, schedule: Schedule, lowest: float = 0.5, highest: float = 3.0) -> Tensor:
    """Weight [B] of the clean-motion error: sqrt(SNR) = alpha / sigma, clamped at both ends.

    Pure min-SNR (Hang et al. 2023) would forget the noisiest levels, and there text and speech decide the motion.
    """
    alpha, sigma = schedule.alpha_sigma(t)
    return (alpha / sigma.clamp_min(1e-4)).clamp(lowest, highest)


class ColumnWeights(nn.Module):
    """Weights [B, T, D] of the columns; those that speech moves weigh more where there is speech.

    Args:
        motion_dim: D; names need the 58 columns of FaceMotion.
        plain: weight by column name or beginning of names ("mouth"); 1 where none fits.
        spoken: what is added to it where there is speech, named alike.
    """

    base: Tensor
    extra: Tensor

    def __init__(
        self, motion_dim: int = MOTION_DIM, plain: Mapping[str, float] | None = None, spoken: Mapping[str, float] | None = None
    ) -> None:
        super().__init__()
        self.register_buffer("base", _by_name(motion_dim, plain or {}, 1.0), persistent=False)
        self.register_buffer("extra", _by_name(motion_dim, spoken or {}, 0.0), persistent=False)

    def forward(self, speech_mask: Tensor) -> Tensor:
        """From speech mask [B, T]."""
        return self.base + self.extra * speech_mask[..., None]


def _by_name(motion_dim: int, weights: Mapping[str, float], otherwise: float) -> Tensor:
    values = torch.full((motion_dim,), otherwise)
    for beginning, weight in weights.items():
        columns = [i for i, name in enumerate(COLUMNS) if name.startswith(beginning)]
        if not columns or motion_dim != MOTION_DIM:
            raise ValueError(f"expected the beginning of a FaceMotion column and {MOTION_DIM} columns, got {beginning!r} and {motion_dim}")
        values[columns] = weight
    return values
