"""The Conformer over motion tokens, with the paper's two text branches.

B batch, N motion tokens, W width, E width of the noise-level embedding, L text tokens, S segments.
All norms work on one token at a time and all mixing over time is masked, so a clip alone equals the clip in a batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from instructavatar.models.attention import SelfAttention, TextAttention, score_bias
from instructavatar.models.conditions.key import KeyFilm


@dataclass(frozen=True)
class TextContext:
    """Adapted text and which motion token may attend what. Biases hold the null state first."""

    pooled: Tensor  # [B, S, W]
    pooled_bias: Tensor  # [B, 1, N, S + 1]
    tokens: Tensor  # [B, L, W]
    tokens_bias: Tensor  # [B, 1, N, L + 1]


@dataclass(frozen=True)
class Steering:
    """What steers every layer beside the text; None where the network has no such part."""

    level: Tensor | None = None  # [B, E] noise level
    heard: Tensor | None = None  # [B, N, W] speech and pose, for layers that hear
    key: Tensor | None = None  # [B, W] key frame


class FeedForward(nn.Module):
    """Two linear layers with SiLU between."""

    def __init__(self, width: int, hidden: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """[..., W] to [..., W]."""
        return self.dropout(self.down(F.silu(self.up(x))))


class ConvModule(nn.Module):
    """Gated depthwise convolution over time. A LayerNorm stands where Conformers have a BatchNorm, which would see padding."""

    def __init__(self, width: int, kernel: int, dropout: float = 0.0) -> None:
        super().__init__()
        if kernel % 2 == 0:
            raise ValueError(f"expected an odd kernel, got {kernel}")
        self.norm = nn.LayerNorm(width)
        self.gate = nn.Linear(width, 2 * width)
        self.depthwise = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width)
        self.inner_norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Tokens [B, N, W] with mask [B, N]."""
        y = F.glu(self.gate(self.norm(x)), dim=-1) * mask[..., None]
        y = self.depthwise(y.transpose(1, 2)).transpose(1, 2)  # (B, N, W) -> (B, W, N) and back
        return self.dropout(self.out(F.silu(self.inner_norm(y))))


class ConformerBlock(nn.Module):
    """[half FFN], [speech], self-attention, convolution, [key frame], text branches, FFN.

    The noise level bends attention's and the FFN's input. What stands in brackets is there when asked for, as in the published network.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        hidden: int,
        kernel: int,
        *,
        dropout: float = 0.0,
        level_width: int = 0,
        text: bool = False,
        two_ffn: bool = False,
        hears: bool = False,
        keyed: bool = False,
    ) -> None:
        super().__init__()
        self.first_norm = nn.LayerNorm(width) if two_ffn else None
        self.first_ffn = FeedForward(width, hidden, dropout) if two_ffn else None
        self.attention_norm = nn.LayerNorm(width)
        self.attention = SelfAttention(width, heads, dropout)
        self.conv = ConvModule(width, kernel, dropout)
        self.emotion = TextAttention(width, heads) if text else None
        self.action = TextAttention(width, heads) if text else None
        self.norm = nn.LayerNorm(width)
        self.ffn = FeedForward(width, hidden, dropout)
        self.ffn_scale = 0.5 if two_ffn else 1.0
        self.film = nn.Linear(level_width, 4 * width) if level_width else None
        if self.film is not None:
            nn.init.zeros_(self.film.weight)
            nn.init.zeros_(self.film.bias)
        self.hear = nn.Linear(width, width) if hears else None
        self.key = KeyFilm(width) if keyed else None

    def forward(self, x: Tensor, mask: Tensor, bias: Tensor, steering: Steering, text: TextContext | None) -> Tensor:
        """Tokens [B, N, W], mask [B, N], its attention bias [B, 1, 1, N], what steers, text."""
        gain_a, shift_a, gain_f, shift_f = self._film(steering.level)
        if self.first_ffn is not None and self.first_norm is not None:
            x = x + self.ffn_scale * self.first_ffn(self.first_norm(x))
        if self.hear is not None and steering.heard is not None:
            x = x + self.hear(steering.heard)
        x = x + self.attention(self.attention_norm(x) * gain_a + shift_a, bias)
        x = x + self.conv(x, mask)
        if self.key is not None and steering.key is not None:
            x = self.key(x, steering.key)
        if text is not None and self.emotion is not None and self.action is not None:
            x = x + self.emotion(x, text.pooled, text.pooled_bias) + self.action(x, text.tokens, text.tokens_bias)
        return x + self.ffn_scale * self.ffn(self.norm(x) * gain_f + shift_f)

    def _film(self, level: Tensor | None) -> tuple[Tensor | float, ...]:
        if self.film is None or level is None:
            return 1.0, 0.0, 1.0, 0.0
        gain_a, shift_a, gain_f, shift_f = self.film(level)[:, None].chunk(4, dim=-1)
        return 1 + gain_a, shift_a, 1 + gain_f, shift_f


class Conformer(nn.Module):
    """A stack of Conformer blocks; every `text_every`-th one listens to the text.

    `hears`: every block takes in the speech anew, rather than the first one's input alone. `keyed`: every block is bent by the key frame.
    """

    def __init__(
        self,
        width: int = 192,
        layers: int = 6,
        heads: int = 4,
        hidden: int = 768,
        kernel: int = 7,
        dropout: float = 0.0,
        level_width: int = 96,
        text_every: int = 2,
        two_ffn: bool = False,
        hears: bool = False,
        keyed: bool = False,
    ) -> None:
        super().__init__()
        self.width = width
        self.level_width = level_width
        self.hears = hears
        self.keyed = keyed
        self.blocks = nn.ModuleList(
            ConformerBlock(
                width,
                heads,
                hidden,
                kernel,
                dropout=dropout,
                level_width=level_width,
                text=text_every > 0 and i % text_every == 0,
                two_ffn=two_ffn,
                hears=hears,
                keyed=keyed,
            )
            for i in range(layers)
        )
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, mask: Tensor, steering: Steering | None = None, text: TextContext | None = None) -> Tensor:
        """Tokens [B, N, W] with mask [B, N] (1 real, 0 padding) to tokens [B, N, W], normed."""
        steering = steering or Steering()
        bias = score_bias(mask)[:, None, None, :].expand(-1, 1, x.shape[1], -1)
        for block in self.blocks:
            x = block(x, mask, bias, steering, text)
        return self.norm(x)


def patch_sum(values: Tensor, patch: int) -> Tensor:
    """Sums of `patch` frames each: [B, N * patch, ...] to [B, N, ...]."""
    return torch.stack([values[:, i::patch] for i in range(patch)]).sum(0)
