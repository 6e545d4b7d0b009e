"""Speech features, frame aligned, to one vector per motion token.

B batch, T frames (25 Hz) of 2 features (50 Hz), C speech feature width, N motion tokens, W width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from instructavatar.models.conformer import Conformer


class SpeechCondition(nn.Module):
    """A convolution at 50 Hz, then a small Conformer at the tokens' rate.

    `jitter` is the deviation of the random gain and offset of each feature channel in training: few voices stand in for many.
    """

    def __init__(
        self,
        speech_width: int,
        width: int,
        patch: int = 2,
        *,
        inner: int = 128,
        layers: int = 1,
        heads: int = 4,
        hidden: int = 384,
        kernel: int = 7,
        dropout: float = 0.0,
        jitter: float = 0.0,
    ) -> None:
        super().__init__()
        self.jitter = jitter
        self.speech_width = speech_width
        self.patch = 2 * patch
        self.norm = nn.LayerNorm(speech_width)
        self.dropout = nn.Dropout(dropout)
        self.enter = nn.Linear(speech_width, inner)
        self.conv = nn.Conv1d(inner, inner, 5, padding=2)
        self.fold = nn.Linear(self.patch * inner, width)
        self.conformer = Conformer(width, layers, heads, hidden, kernel, dropout, level_width=0, text_every=0)

    def forward(self, speech: Tensor, mask: Tensor, token_mask: Tensor) -> Tensor:
        """Vectors [B, N, W] from speech [B, 2T, C], mask [B, T] and token mask [B, N]; zero where there is no sound."""
        b, t = mask.shape
        fine = mask[:, :, None].expand(-1, -1, 2).reshape(b, 2 * t, 1)
        x = F.silu(self.enter(self._varied(self.norm(speech)))) * fine
        x = x + F.silu(self.conv(x.transpose(1, 2)).transpose(1, 2)) * fine  # (B, 2T, C) -> (B, C, 2T) and back
        x = self.fold(x.reshape(b, t * 2 // self.patch, -1))
        return self.conformer(x, token_mask) * token_mask[..., None]

    def _varied(self, x: Tensor) -> Tensor:
        """While training, another voice: a random offset and gain of each channel [B, 1, C], and dropout. Unchanged otherwise."""
        if not self.training:
            return x
        if self.jitter:
            shape = (x.shape[0], 1, x.shape[2])
            x = x * (1 + self.jitter * torch.randn(shape, device=x.device)) + self.jitter * torch.randn(shape, device=x.device)
        return self.dropout(x)
