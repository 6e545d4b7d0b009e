"""What every training does beside its loss: chance by number, the average of the weights, what a checkpoint keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor, nn

from instructavatar.errors import BadBundle
from instructavatar.training.average import WeightAverage
from instructavatar.training.processes import all_names, total
from instructavatar.training.progress import Budget, Learning


class TrainingModule(lightning.LightningModule):
    """Base of the trainings. Chance in batch k is a function of the seed and k, so a resumed run goes on exactly.

    A subclass builds its networks, calls `keep_average`, and gives `configure_optimizers`, `training_step` and `validation_step`.

    Args:
        learning: optimiser and shape of the learning rate.
        base_learning_rate: peak of the learning rate.
        seed: of all chance.
    """

    needs_unused = False
    """Whether some weights get no gradient in some step, which several processes must then look for."""

    def __init__(self, learning: Learning, base_learning_rate: float, seed: int = 0) -> None:
        super().__init__()
        self.learning = learning
        self.base_learning_rate = base_learning_rate
        self.seed = seed
        self.budget = Budget(max_steps=1)
        self.corpus_hash = ""
        self.extractors: dict[str, str] = {}
        self.average: WeightAverage | None = None
        self.batches_done = 0  # by this process; several make a step where gradients are accumulated

    def keep_average(self, network: nn.Module) -> None:
        """Average this network's weights, from now on."""
        self.average = WeightAverage(network, self.learning.ema) if self.learning.ema else None

    def take(self, data: Any) -> None:
        """Take over what the data are made of; subclasses take their statistics as well."""
        self.corpus_hash = str(data.corpus_hash)
        self.extractors = dict(data.extractors)

    def scale_rate_by(self, batches: int) -> None:
        """Multiply the learning rate by the number of batches that make a step, on all devices together."""
        self.base_learning_rate *= batches

    @property
    def mixed(self) -> bool:
        """Is precision mixed? Fused optimisers then cannot have their gradients clipped."""
        return self._trainer is not None and "mixed" in str(self.trainer.precision)

    def chance(self, number: int) -> torch.Generator:
        """The chance of batch `number`; also seeds torch's own, which dropout layers use."""
        seed = int(np.random.SeedSequence((self.seed, number)).generate_state(1, np.uint64)[0] >> 1)
        torch.manual_seed(seed)
        return torch.Generator().manual_seed(seed)

    @property
    def batch_number(self) -> int:
        """Number of the batch at work among those of all processes: the n-th of process r of w is n w + r."""
        if self._trainer is None:
            return self.batches_done
        return self.batches_done * self.trainer.world_size + self.global_rank

    def require_finite(self, loss: Tensor, names: Sequence[str]) -> None:
        """Stop every process when the loss of one is not finite; the error names the clips of its batch."""
        sound = bool(torch.isfinite(loss))
        if total([float(not sound)], self.device)[0]:
            bad = all_names(() if sound else names)
            raise BadBundle(f"the loss of step {self.global_step} is not finite; look at the clips {', '.join(bad)}")

    @property
    def between_steps(self) -> bool:
        """Is no batch of an unfinished step behind us?"""
        return self.batches_done % self.trainer.accumulate_grad_batches == 0

    @property
    def ends_step(self) -> bool:
        """Does the batch at work finish a step?"""
        return (self.batches_done + 1) % self.trainer.accumulate_grad_batches == 0

    def on_fit_start(self) -> None:
        """Bring the averages to the weights' device."""
        if self.average:
            self.average.to(self.device)

    def on_train_start(self) -> None:
        """Count on from the step where the run stands."""
        self.batches_done = self.global_step * self.trainer.accumulate_grad_batches

    def on_train_batch_end(self, outputs: Any, batch: Any, number: int) -> None:
        """Count the batch, and average the weights after a step."""
        self.batches_done += 1
        if self.average and self.between_steps:
            self.average.update()

    def on_validation_start(self) -> None:
        """Validate the averaged weights."""
        if self.average:
            self.average.swap()

    def on_validation_batch_end(self, outputs: Any, batch: Any, number: int, loader: int = 0) -> None:
        """Let callbacks watch the mean loss by the name `valid`."""
        self.log("valid", outputs, on_epoch=True, batch_size=1, logger=False, sync_dist=True)

    def on_validation_end(self) -> None:
        """Train on with the weights themselves."""
        if self.average:
            self.average.swap()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the average, the time spent and what the data come from."""
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
