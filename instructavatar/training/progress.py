"""How far a run is, by steps or by the clock, and what that means for the learning rate.

A run may be given a number of minutes instead of a number of steps, so that it ends well on a machine of any speed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Learning:
    """Optimiser settings and the shape of the learning rate over a run's progress 0..1."""

    warmup_steps: int = 300
    decay_from: float = 0.5  # progress at which the rate begins to fall
    final: float = 0.01  # share of the rate at the end
    betas: tuple[float, float] = (0.9, 0.98)
    weight_decay: float = 0.01
    ema: float = 0.999  # 0 turns the average of the weights off
    schedule: str = "decay"  # "decay": constant, then a cosine down; "inverse_sqrt": as the paper

    def rate(self, step: int, progress: float) -> float:
        """Share of the base learning rate at a step and progress.

        >>> Learning(warmup_steps=10).rate(5, 0.0)
        0.6
        """
        warm = min(1.0, (step + 1) / max(self.warmup_steps, 1))
        if self.schedule == "inverse_sqrt":
            return warm * min(1.0, math.sqrt(self.warmup_steps / max(step + 1, 1)) if warm == 1.0 else 1.0)
        fall = min(1.0, max(0.0, (progress - self.decay_from) / max(1 - self.decay_from, 1e-6)))
        return warm * (self.final + (1 - self.final) * 0.5 * (1 + math.cos(math.pi * fall)))


@dataclass
class Budget:
    """Progress of a run as the larger of steps done and minutes spent; time spent before a resume counts."""

    max_steps: int
    minutes: float | None = None
    spent_s: float = 0.0

    def progress(self, step: int) -> float:
        """0 at the start, 1 when the run is over."""
        by_time = self.spent_s / (60 * self.minutes) if self.minutes else 0.0
        by_steps = step / self.max_steps if self.max_steps > 0 else 0.0
        return min(1.0, max(by_time, by_steps))

    def over(self, step: int) -> bool:
        """Is nothing left of it?"""
        return self.progress(step) >= 1.0
