"""Where in its segment a frame is: seconds since the instruction began and until it ends.

B batch, N motion tokens, W width.
"""

from __future__ import annotations

from torch import Tensor, nn

from instructavatar.models.positions import sinusoid


class ClockCondition(nn.Module):
    """Sinusoidal features of both times, clamped at `longest_s`; exactly zero while no instruction is alive."""

    def __init__(self, width: int, longest_s: float = 10.0, features: int = 24) -> None:
        super().__init__()
        self.longest_s = longest_s
        self.features = features
        self.net = nn.Sequential(nn.Linear(2 * features, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, clock: Tensor, alive: Tensor) -> Tensor:
        """Vectors [B, N, W] from clock [B, N, 2] in seconds and how alive any text is [B, N], 0..1."""
        times = clock.clamp(0.0, self.longest_s)
        # 20 rad/s: the fastest wave turns three times a second, faster than a nod; the slowest takes 25 s
        waves = sinusoid(times * 20.0, self.features, slowest=80.0)
        return self.net(waves.reshape(waves.shape[0], waves.shape[1], -1)) * alive[..., None]
