"""Speech as the published model takes it: a strided convolution brings 50 Hz features to the tokens' rate, a Conformer works on them.

B batch, T frames (25 Hz) of 2 features (50 Hz), C speech feature width, N motion tokens, W width.
"""

from __future__ import annotations

from torch import Tensor, nn

from instructavatar.models.conformer import Conformer


class StridedSpeech(nn.Module):
    """Made for the 512 channels of XLSR's convolutions, whose width its Conformer keeps. Padding and silence come out as zeros."""

    def __init__(
        self,
        speech_width: int,
        width: int,
        patch: int = 1,
        *,
        layers: int = 4,
        heads: int = 4,
        hidden: int = 1024,
        kernel: int = 13,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.speech_width = speech_width
        self.patch = 2 * patch
        stride = self.patch
        self.conv = nn.Conv1d(speech_width, speech_width, 2 * stride - 1, stride, padding=stride - 1)
        self.conformer = Conformer(speech_width, layers, heads, hidden, kernel, dropout, level_width=0, text_every=0, two_ffn=True)
        self.leave = nn.Linear(speech_width, width)

    def forward(self, speech: Tensor, mask: Tensor, token_mask: Tensor) -> Tensor:
        """Vectors [B, N, W] from speech [B, 2T, C], mask [B, T] and token mask [B, N]; zero where there is no sound."""
        b, t = mask.shape
        fine = mask[:, :, None].expand(-1, -1, 2).reshape(b, 2 * t, 1)
        x = self.conv((speech * fine).transpose(1, 2)).transpose(1, 2)  # (B, 2T, C) -> (B, C, N) -> (B, N, C)
        return self.leave(self.conformer(x, token_mask)) * token_mask[..., None]
