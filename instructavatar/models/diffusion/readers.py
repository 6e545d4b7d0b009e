"""The paper's two readers of motion: action units (several at once) and intensity (one of three), from a clip's mean motion.

A reader that learns on the generator's output alone can agree with it on a code of their own. So it learns on the true motion, and the
generator is moved by what the reader, held still, finds in its output.

B batch, T frames, D motion width, K answers.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

Judge = Callable[[Tensor], Tensor]
"""From answers [B, K] to a loss []."""


class MotionReader(nn.Module):
    """Answers [B, K], not yet probabilities, from the mean motion [B, D]."""

    def __init__(self, motion_dim: int, answers: int, hidden: int = 256) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(motion_dim, hidden), nn.ReLU(), nn.Linear(hidden, answers))

    def forward(self, mean: Tensor) -> Tensor:
        """[B, D] to [B, K]."""
        return self.net(mean)


def mean_motion(motion: Tensor, frame_mask: Tensor) -> Tensor:
    """The mean over real frames [B, D] of motion [B, T, D]."""
    return (motion * frame_mask[..., None]).sum(1) / frame_mask.sum(1, keepdim=True).clamp_min(1.0)


def reading_loss(reader: nn.Module, predicted: Tensor, clean: Tensor, judge: Judge) -> Tensor:
    """The reader's loss on the true mean motion plus the generator's on its own, through a reader held still. Each [B, D]."""
    still = {name: value.detach() for name, value in reader.named_parameters()}
    return judge(reader(clean)) + judge(functional_call(reader, still, (predicted,)))


def units_loss(answers: Tensor, units: Tensor, known: Tensor) -> Tensor:
    """Binary cross-entropy of several action units at once: answers and units [B, U], known [B]; 0 where no clip's units are known."""
    each = F.binary_cross_entropy_with_logits(answers, units, reduction="none").mean(-1)
    return (each * known).sum() / known.sum().clamp_min(1.0)


def intensity_loss(answers: Tensor, intensity: Tensor) -> Tensor:
    """Cross-entropy of the levels 1 to 3: answers [B, 3], intensity [B]; clips of level 0, which is none or unknown, do not count."""
    known = (intensity > 0).to(answers)
    each = F.cross_entropy(answers, (intensity - 1).clamp_min(0), reduction="none")
    return (each * known).sum() / known.sum().clamp_min(1.0)


def pose_loss(predicted: Tensor, pose: Tensor, weight: Tensor) -> Tensor:
    """Mean square error of head poses [B, T, 3] under a weight [B, T], in whatever unit they share."""
    error = (predicted - pose).square().mean(-1)
    return (error * weight).sum() / torch.clamp_min(weight.sum(), 1.0)
