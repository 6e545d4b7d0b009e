"""Training of the motion generator as a Lightning module.

B batch, T video frames (25 Hz), D motion width.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor, nn

from instructavatar.data.batch import ClipBatch
from instructavatar.errors import BadBundle, BadOption
from instructavatar.models.conformer import Conformer
from instructavatar.models.denoiser import Denoiser
from instructavatar.models.diffusion.schedule import Schedule
from instructavatar.models.diffusion.weighting import ColumnWeights
from instructavatar.models.motion_diffusion import Dropout, LossTerms, MotionDiffusion
from instructavatar.training.average import WeightAverage
from instructavatar.training.progress import Budget, Learning

CONDITIONS = ("clock", "speech", "text")


class MotionTraining(lightning.LightningModule):
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
        super().__init__()
        if set(conditions or ()) != set(CONDITIONS):
            got = ", ".join(sorted(conditions or ())) or "none"
            raise BadOption(f"expected the conditions {', '.join(CONDITIONS)}, got {got}; a generator takes exactly these")
        denoiser = Denoiser(backbone, conditions["speech"], conditions["text"], conditions["clock"], motion_dim, patch)  # type: ignore[arg-type]
        self.diffusion = MotionDiffusion(denoiser, schedule, columns, dropout, terms)
        self.learning = learning or Learning()
        self.base_learning_rate = base_learning_rate
        self.seed = seed
        self.budget = Budget(max_steps=1)
        self.corpus_hash = ""
        self.extractors: dict[str, str] = {}
        self.average = WeightAverage(self.diffusion.denoiser, self.learning.ema) if self.learning.ema else None

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """AdamW; vectors (biases, norms) do not decay."""
        matrices = [p for p in self.parameters() if p.ndim > 1]
        vectors = [p for p in self.parameters() if p.ndim <= 1]
        groups = [{"params": matrices, "weight_decay": self.learning.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
        return torch.optim.AdamW(groups, lr=self.base_learning_rate, betas=(self.learning.betas[0], self.learning.betas[1]), fused=True)

    def chance(self, number: int) -> torch.Generator:
        """The chance of step `number`; also seeds torch's own, which dropout layers use."""
        seed = int(np.random.SeedSequence((self.seed, number)).generate_state(1, np.uint64)[0] >> 1)
        torch.manual_seed(seed)
        return torch.Generator().manual_seed(seed)

    def set_rate(self, optimizer: torch.optim.Optimizer, step: int) -> float:
        """Set the learning rate of a step."""
        rate = self.base_learning_rate * self.learning.rate(step, self.budget.progress(step))
        for group in optimizer.param_groups:
            group["lr"] = rate
        return rate

    def training_step(self, batch: ClipBatch, number: int = 0) -> dict[str, Tensor]:
        """Loss terms of a batch; a loss that is not finite stops the run with the clips' names."""
        found = self.diffusion.losses(batch, self.chance(self._batch_number()))
        if not torch.isfinite(found["loss"]):
            raise BadBundle(f"the loss of step {self.global_step} is not finite; look at the clips {', '.join(batch.names)}")
        return found

    def _batch_number(self) -> int:
        """Number of this process's batch among those of all processes."""
        attached = self._trainer is not None
        return self.global_step * self.trainer.world_size + self.global_rank if attached else self.global_step

    def validation_step(self, batch: ClipBatch, number: int) -> Tensor:
        """Loss under the averaged weights, with the same noise each time."""
        return self.diffusion.losses(batch, self.chance(-1 - number & 0xFFFF_FFFF))["motion"]

    def on_train_batch_start(self, batch: ClipBatch, number: int) -> None:
        """Set the learning rate."""
        self.set_rate(self.optimizers(use_pl_optimizer=False), self.global_step)  # type: ignore[arg-type]

    def on_train_batch_end(self, outputs: Any, batch: ClipBatch, number: int) -> None:
        """Average the weights."""
        if self.average:
            self.average.update()

    def on_validation_start(self) -> None:
        """Validate the averaged weights."""
        if self.average:
            self.average.swap()

    def on_validation_end(self) -> None:
        """Train on with the weights themselves."""
        if self.average:
            self.average.swap()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the average, the time spent and what the features come from."""
        checkpoint["spent_s"] = self.budget.spent_s
        checkpoint["corpus_hash"] = self.corpus_hash
        checkpoint["extractors"] = self.extractors
        if self.average:
            checkpoint["average"] = self.average.state_dict()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take them over."""
        self.budget.spent_s = float(checkpoint["spent_s"])
        if self.average:
            self.average.load_state_dict(checkpoint["average"])
