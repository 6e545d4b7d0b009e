"""Exponential moving average of the weights; what is exported and validated."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class WeightAverage:
    """Average of a module's parameters; young averages follow faster, so that short runs are not stuck at their start."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.parameters = list(module.parameters())
        self.decay = decay
        self.updates = 0
        self.values = [p.detach().clone() for p in self.parameters]

    def to(self, device: torch.device | str) -> None:
        """Keep the averages on another device: that of the weights."""
        self.values = [value.to(device) for value in self.values]

    @torch.no_grad()
    def update(self) -> None:
        """Take in the weights of one step."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        torch._foreach_lerp_(self.values, [p.detach() for p in self.parameters], 1 - decay)

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange the module's weights and the averages."""
        for parameter, value in zip(self.parameters, self.values, strict=True):
            held = parameter.detach().clone()
            parameter.copy_(value)
            value.copy_(held)

    def state_dict(self) -> dict[str, list[Tensor] | int]:
        """What a checkpoint keeps."""
        return {"values": self.values, "updates": self.updates}

    @torch.no_grad()
    def load_state_dict(self, state: dict) -> None:
        """Take a checkpoint's averages over."""
        for own, stored in zip(self.values, state["values"], strict=True):
            own.copy_(stored)
        self.updates = int(state["updates"])
