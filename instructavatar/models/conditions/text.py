"""Text for the two branches: pooled states for the emotion branch, token states for the motion branch.

B batch, N motion tokens, L text tokens, S segments, C width of the text encoder, W width of the motion stream.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from instructavatar.models.attention import SelfAttention, score_bias
from instructavatar.models.conformer import FeedForward, TextContext


class TextCondition(nn.Module):
    """Adapts frozen text states. Tokens look at the other tokens of their own segment, never at another segment's."""

    def __init__(self, text_width: int, width: int, heads: int = 4, layers: int = 1, dropout: float = 0.0) -> None:
        super().__init__()
        self.text_width = text_width
        self.pooled = nn.Sequential(
            nn.LayerNorm(text_width), nn.Dropout(dropout), nn.Linear(text_width, width), nn.SiLU(), nn.Linear(width, width)
        )
        self.enter = nn.Sequential(nn.LayerNorm(text_width), nn.Dropout(dropout), nn.Linear(text_width, width))
        self.layers = nn.ModuleList(_TokenLayer(width, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: Tensor, pooled: Tensor, tokens_alive: Tensor, pooled_alive: Tensor) -> TextContext:
        """Context from tokens [B, L, C], pooled [B, S, C] and who is alive when: [B, N, L], [B, N, S]."""
        same = score_bias(same_segment(tokens_alive))[:, None]
        states = self.enter(tokens)
        for layer in self.layers:
            states = layer(states, same)
        return TextContext(self.pooled(pooled), with_null(pooled_alive), self.norm(states), with_null(tokens_alive))


class _TokenLayer(nn.Module):
    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = SelfAttention(width, heads, dropout)
        self.norm = nn.LayerNorm(width)
        self.ffn = FeedForward(width, 2 * width, dropout)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        x = x + self.attention(self.attention_norm(x), bias)
        return x + self.ffn(self.norm(x))


def same_segment(alive: Tensor) -> Tensor:
    """Which tokens [B, L, L] are alive at the same times: 1 within a segment, 0 across; a token is always with itself.

    Alive [B, N, L] tells the segments apart without a further input: overlap above one half means the same segment.
    """
    overlap = alive.transpose(1, 2) @ alive
    size = (alive * alive).sum(1).clamp_min(1e-6)
    share = overlap / (size[:, :, None] * size[:, None, :]).sqrt()
    return torch.maximum((share > 0.5).to(alive.dtype), _identity_like(share))


def _identity_like(square: Tensor) -> Tensor:
    index = torch.arange(square.shape[-1], device=square.device)
    return (index[:, None] == index[None, :]).to(square.dtype)[None]


def with_null(alive: Tensor) -> Tensor:
    """Bias [B, 1, N, M + 1] of alive [B, N, M], with the always visible null state in front."""
    bias = score_bias(alive)
    return torch.cat([bias.new_zeros(bias.shape[0], bias.shape[1], 1), bias], dim=-1)[:, None]
