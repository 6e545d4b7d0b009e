"""Masked errors between predicted and true clean motion.

B batch, T frames, D motion width. `weight` [B, T, D] is 0 on padding and on motion that was given.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

Penalty = Callable[[Tensor], Tensor]


def square(error: Tensor) -> Tensor:
    """Error squared."""
    return error * error


def absolute(error: Tensor) -> Tensor:
    """The paper's L1."""
    return error.abs()


def huber(error: Tensor, beta: float = 2.0) -> Tensor:
    """Square up to `beta`, then linear; rare actions are many deviations away and would drown all else under a square."""
    size = error.abs()
    small = size.clamp_max(beta)
    return small * (2 * size - small)


PENALTIES: dict[str, Penalty] = {"square": square, "absolute": absolute, "huber": huber}


def weighted_mean(values: Tensor, weight: Tensor) -> Tensor:
    """Mean [] of values [B, T, D] under a weight of the same shape."""
    return (values * weight).sum() / weight.sum().clamp_min(1e-6)


def velocity(motion: Tensor) -> Tensor:
    """Change from one frame to the next [B, T - 1, D]."""
    return motion[:, 1:] - motion[:, :-1]


def velocity_loss(predicted: Tensor, clean: Tensor, weight: Tensor, penalty: Penalty) -> Tensor:
    """Penalty on the error of the velocity. Padding lies at the end, so a real frame follows a real or a given one."""
    if predicted.shape[1] < 2:
        return predicted.new_zeros(())
    return weighted_mean(penalty(velocity(predicted) - velocity(clean)), weight[:, 1:])
