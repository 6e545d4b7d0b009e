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
OPTIONAL_CONDITIONS = ("key", "pose")


class MotionTraining(TrainingModule):
    """Optimises a `MotionDiffusion`; chance in step k is a function of the seed and k, so a resumed run goes on exactly.

    Args:
        backbone: the Conformer.
        conditions: named "speech", "text" and "clock"; as in the published model also "key" and "pose".
        schedule: noise schedule.
        columns: weights of the motion columns in the loss.
        motion_dim: D.
        patch: frames per token.
        base_learning_rate: peak of the learning rate.
        learning: optimiser and shape of the learning rate.
        dropout: how often conditions are hidden.
        terms: terms of the loss.
        readers: named "units" and "intensity", for the terms of these names.
        level_waves: see `Denoiser`.
        level_hidden: see `Denoiser`.
        latent_floor: least deviation of a column of latents, as a share of their mean deviation. Columns below it weigh less in the loss,
            as they do in the codec, which reads latents in their own units.
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
        readers: Mapping[str, nn.Module] | None = None,
        level_waves: int = 64,
        level_hidden: int | None = None,
        latent_floor: float = 1e-3,
        seed: int = 0,
    ) -> None:
        super().__init__(learning or Learning(), base_learning_rate, seed)
        _check_names(conditions or {})
        given: Any = dict(conditions)
        denoiser = Denoiser(backbone, **given, motion_dim=motion_dim, patch=patch, level_waves=level_waves, level_hidden=level_hidden)
        self.diffusion = MotionDiffusion(denoiser, schedule, columns, dropout, terms, readers)
        self.latent_floor = latent_floor
        self.keep_average(denoiser)

    def take(self, data: Any) -> None:
        """Take over the statistics of the motion and what the data are made of; data of other widths are refused."""
        super().take(data)
        header = data.source.header
        self._check_widths(motion=len(header.motion_mean), speech=header.speech_dim, text=header.text_dim)
        if self.diffusion.denoiser.key is not None and not data.examples.chances.key:
            raise BadOption(
                "expected key frames for the condition 'key', the data give none; "
                "set data.params.chances_config.params.key, such as {same: 0.5, person: 0.5}"
            )
        self.diffusion.set_statistics(*data.statistics(latent_floor=self.latent_floor))

    def _check_widths(self, **got: int) -> None:
        """Refuse data whose rows are not as wide as the networks', with the keys to change."""
        denoiser = self.diffusion.denoiser
        wanted = {
            "motion": (denoiser.motion_dim, "model.params.motion_dim"),
            "speech": (denoiser.speech.speech_width, "model.params.conditions.speech.params.speech_width"),
            "text": (denoiser.text.text_width, "model.params.conditions.text.params.text_width"),
        }
        for name, width in got.items():
            if width != wanted[name][0]:
                raise BadOption(
                    f"expected {name} of {wanted[name][0]} numbers a row, the store holds {width}; "
                    f"set {wanted[name][1]}={width} or prepare the store with the encoder that this configuration is for"
                )

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


def _check_names(conditions: Mapping[str, nn.Module]) -> None:
    got = set(conditions)
    if not set(CONDITIONS) <= got <= {*CONDITIONS, *OPTIONAL_CONDITIONS}:
        told = ", ".join(sorted(got)) or "none"
        more = " and ".join(OPTIONAL_CONDITIONS)
        raise BadOption(f"expected the conditions {', '.join(CONDITIONS)}, got {told}; a generator takes these and may take {more}")
