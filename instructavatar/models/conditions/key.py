"""The key frame: the motion of one picture of the person, which bends every layer.

The published network repeats the key frame's vector over all frames and lets each layer attend the copies. Attention over equal states
gives that state back, whatever the weights are, so the copies, the queries and the keys are left out here: what remains is the value
projection of one vector. The result is the same, for a T-th of the work.

B batch, N motion tokens, D motion width, W width.
"""

from __future__ import annotations

from torch import Tensor, nn

from instructavatar.models.perceptron import Perceptron


class KeyCondition(nn.Module):
    """One vector [B, W] for a key frame [B, D], normalised; zeros stand for no key frame (the mean motion)."""

    def __init__(self, motion_dim: int, width: int, hidden: int = 512, layers: int = 4, dropout: float = 0.0) -> None:
        super().__init__()
        self.net = Perceptron(motion_dim, hidden, width, layers, dropout)

    def forward(self, key: Tensor) -> Tensor:
        """[B, D] to [B, W]."""
        return self.net(key)


class KeyFilm(nn.Module):
    """A layer's share of the key frame: x gain(c) + shift(c) with c = x + attention(x, key), normed.

    Gain and shift begin at 1 and 0, so an untrained layer changes nothing.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)
        self.bend = nn.Linear(width, 2 * width)
        nn.init.zeros_(self.bend.weight)
        nn.init.zeros_(self.bend.bias)

    def forward(self, x: Tensor, key: Tensor) -> Tensor:
        """Tokens [B, N, W] under the key frame [B, W]."""
        condition = self.norm(x + self.out(self.value(key))[:, None])
        gain, shift = self.bend(condition).chunk(2, dim=-1)
        return x * (1 + gain) + shift
