"""A plain perceptron, which several conditions of the published model begin with."""

from __future__ import annotations

from torch import nn


class Perceptron(nn.Sequential):
    """Linear layers with ReLU and dropout between: `inside` to `hidden`, `layers` times `hidden` to `hidden`, then to `outside`."""

    def __init__(self, inside: int, hidden: int, outside: int, layers: int = 4, dropout: float = 0.0) -> None:
        widths = [inside, *[hidden] * (layers + 1), outside]
        steps: list[nn.Module] = []
        for before, after in zip(widths, widths[1:], strict=False):
            steps += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(dropout)]
        super().__init__(*steps[:-2])
