"""Training of the motion generator as a Lightning module.

B batch, T video frames (25 Hz), D motion width.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from instructavatar.data.batch import ClipBatch
from instructavatar.errors import BadOption
from instructavatar.models.conformer import Conformer
from instructavatar.models.denoiser import Denoiser
from instructavatar.models.diffusion.schedule import Schedule
from instructavatar.models.diffusion.weighting import ColumnWeights
from instructavatar.models.motion_diffusion import Dropout, LossTerms, MotionDiffusion
from instructavatar.training.module import TrainingModule
from instructavatar.training.progress import Learning

CONDITIONS = ("clock", "speech", "text")


class MotionTraining(TrainingModule):
    """Optimises a `MotionDiffusion`; chance in step k is a function of the seed and k, so a resumed run goes on exactly.

    Args:
        backbone: the Conformer.
        conditions: named "speech", "text" and "clock".
        schedule: noise schedule.
        columns: weights of the motion columns in the loss.
        motion_dim: D.
        patch: frames per token.
        base_learning_rate: peak of the learning rate.
        learning: optimiser and shape of the learning rate.
        dropout: how often conditions are hidden.
        terms: terms of the loss.
        seed: of noise and dropout.
    """

    def __init__(
        self,
        backbone: Conformer,
        conditions: Mapping[str, nn.Module],
        schedule: Schedule,
        columns: ColumnWeights,
        motion_dim: int = 58,
        patch: int = 2,
        base_learning_rate: float = 1e-3,
        learning: Learning | None = None,
        dropout: Dropout | None = None,
        terms: LossTerms | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(learning or Learning(), base_learning_rate, seed)
        if set(conditions or ()) != set(CONDITIONS):
            got = ", ".join(sorted(conditions or ())) or "none"
            raise BadOption(f"expected the conditions {', '.join(CONDITIONS)}, got {got}; a generator takes exactly these")
        denoiser = Denoiser(backbone, conditions["speech"], conditions["text"], conditions["clock"], motion_dim, patch)  # type: ignore[arg-type]
        self.diffusion = MotionDiffusion(denoiser, schedule, columns, dropout, terms)
        self.keep_average(denoiser)

    def take(self, data: Any) -> None:
        """Take over the statistics of the motion and what the data are made of."""
        super().take(data)
        self.diffusion.set_statistics(*data.statistics())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """AdamW; vectors (biases, norms) do not decay."""
        matrices = [p for p in self.parameters() if p.ndim > 1]
        vectors = [p for p in self.parameters() if p.ndim <= 1]
        groups = [{"params": matrices, "weight_decay": self.learning.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
        return torch.optim.AdamW(
            groups, lr=self.base_learning_rate, betas=(self.learning.betas[0], self.learning.betas[1]), fused=not self.mixed
        )

    def set_rate(self, optimizer: torch.optim.Optimizer, step: int) -> float:
        """Set the learning rate of a step."""
        rate = self.base_learning_rate * self.learning.rate(step, self.budget.progress(step))
        for group in optimizer.param_groups:
            group["lr"] = rate
        return rate

    def training_step(self, batch: ClipBatch, number: int = 0) -> dict[str, Tensor]:
        """Loss terms of a batch; a loss that is not finite stops the run with the clips' names."""
        found = self.diffusion.losses(batch, self.chance(self.batch_number))
        self.require_finite(found["loss"], batch.names)
        return found

    def validation_step(self, batch: ClipBatch, number: int) -> Tensor:
        """Loss under the averaged weights, with the same noise each time."""
        return self.diffusion.losses(batch, self.chance(-1 - number & 0xFFFF_FFFF))["motion"]

    def on_train_batch_start(self, batch: ClipBatch, number: int) -> None:
        """Set the learning rate."""
        self.set_rate(self.optimizers(use_pl_optimizer=False), self.global_step)  # type: ignore[arg-type]
