"""Attention that never sees padding: among the motion's tokens, and from motion to text.

B batch, H heads, N motion tokens, M text states, W width of the motion stream.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from instructavatar.models.positions import rotary_angles, rotate

# What a masked score gets: exp() of it is exactly 0 in float32, and it stays finite in float16.
MASKED = -1e4


def score_bias(alive: Tensor) -> Tensor:
    """Attention bias of how alive a state is: 0 for 1, log(alive) between, `MASKED` for 0."""
    return torch.where(alive > 0, torch.log(alive.clamp_min(1e-3)), torch.full_like(alive, MASKED))


class SelfAttention(nn.Module):
    """Multi-head attention over time with rotary positions; any length."""

    def __init__(self, width: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        if width % (2 * heads):
            raise ValueError(f"expected a width divisible by 2 x heads, got width {width} and {heads} heads")
        self.heads = heads
        self.dropout = dropout
        self.project = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """Tokens [B, N, W] after attending each other; `bias` [B, 1, 1 or N, N] is added to the scores."""
        b, n, w = x.shape
        q, k, v = self.project(x).view(b, n, 3, self.heads, w // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        cos, sin = rotary_angles(n, w // self.heads, x)
        dropout = self.dropout if self.training else 0.0
        y = F.scaled_dot_product_attention(rotate(q, cos, sin), rotate(k, cos, sin), v, attn_mask=bias, dropout_p=dropout)
        return self.out(y.transpose(1, 2).reshape(b, n, w))  # (B, H, N, D) -> (B, N, W)


class TextAttention(nn.Module):
    """One text branch: motion attends text states and a learned null state that is always there.

    The last projection starts at zero, so an untrained branch changes nothing (the paper's zero convolution).
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.null = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor, states: Tensor, bias: Tensor) -> Tensor:
        """What the text adds to the tokens x [B, N, W], from states [B, M, W]; `bias` [B, 1, N, M + 1], null state first."""
        b, n, w = x.shape
        states = torch.cat([self.null.expand(b, 1, w), states], dim=1)
        q = self.query(self.norm(x)).view(b, n, self.heads, w // self.heads).transpose(1, 2)
        k, v = self.key_value(states).view(b, states.shape[1], 2, self.heads, w // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        return self.out(y.transpose(1, 2).reshape(b, n, w))
