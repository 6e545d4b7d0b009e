"""MotionDiffusion: the denoiser, what it is trained on and how it is judged.

B batch, T video frames (25 Hz), D motion width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from instructavatar.models.conditions.pose import POSE_SCALE_DEG
from instructavatar.models.denoiser import Denoised, Denoiser
from instructavatar.models.diffusion.loss import PENALTIES, velocity_loss, weighted_mean
from instructavatar.models.diffusion.readers import intensity_loss, mean_motion, pose_loss, reading_loss, units_loss
from instructavatar.models.diffusion.schedule import Schedule, add_noise, draw_levels
from instructavatar.models.diffusion.weighting import ColumnWeights, level_weight
from instructavatar.models.inputs import MotionBatch


@dataclass(frozen=True)
class Dropout:
    """Probabilities of hiding a condition from a whole clip, for guidance.

    Hidden speech becomes "some unknown speech" (zero features, mask still 1), never "no sound": a silent face must not learn to babble.
    Hidden text becomes "no instruction"; keep it rare, as that case has its own clips and must stay idle.
    """

    text: float = 0.0
    speech: float = 0.1
    both: float = 0.0
    token: float = 0.0
    """Probability of hiding a single token, so that no wording is learned by one word alone."""


@dataclass(frozen=True)
class LossTerms:
    """Penalty by name (`loss.PENALTIES`) and the weights of the terms."""

    penalty: str = "huber"
    motion: float = 1.0
    velocity: float = 1.0
    noise: float = 0.0
    level_lowest: float = 0.5
    level_highest: float = 3.0
    pose: float = 0.0
    """Of the predicted head pose, where there is sound and the pose was measured; needs a pose condition."""
    units: float = 0.0
    """Of the action units; needs a reader of that name."""
    intensity: float = 0.0
    """Of the intensity; needs a reader of that name."""

    def of_readers(self) -> dict[str, float]:
        """The weights of the terms that need a reader."""
        return {"units": self.units, "intensity": self.intensity}


class MotionDiffusion(nn.Module):
    """Diffusion on normalised motion that predicts clean motion.

    `readers` tell "units" and "intensity" from a clip's mean motion, in training only; a term without weight needs none.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        denoiser: Denoiser,
        schedule: Schedule,
        columns: ColumnWeights,
        dropout: Dropout | None = None,
        terms: LossTerms | None = None,
        readers: Mapping[str, nn.Module] | None = None,
    ) -> None:
        super().__init__()
        self.denoiser = denoiser
        self.schedule = schedule
        self.columns = columns
        self.dropout = dropout or Dropout()
        self.terms = terms or LossTerms()
        self.register_buffer("mean", torch.zeros(denoiser.motion_dim))
        self.register_buffer("std", torch.ones(denoiser.motion_dim))
        self.readers = nn.ModuleDict(dict(readers or {}))
        self._check_terms()

    def _check_terms(self) -> None:
        """A term without its part would stay silently out of the loss, a part without its term untrained."""
        parts = {name: name in self.readers for name in self.terms.of_readers()} | {"pose": self.denoiser.pose is not None}
        for name, there in parts.items():
            if there != bool(getattr(self.terms, name)):
                part = "pose condition" if name == "pose" else f"reader {name!r}"
                raise ValueError(f"expected a {part} and a weight of the loss term {name!r}, or neither; got only one of them")
        unknown = set(self.readers) - set(parts)
        if unknown:
            raise ValueError(f"expected readers among {', '.join(self.terms.of_readers())}, got {', '.join(sorted(unknown))}")

    def set_statistics(self, mean: Sequence[float], std: Sequence[float]) -> None:
        """Take over the training set's mean and deviation [D]; they travel with the weights."""
        if len(mean) != len(self.mean) or len(std) != len(self.std):
            raise ValueError(f"expected mean and std of {len(self.mean)} columns, got {len(mean)} and {len(std)}")
        self.mean.copy_(torch.as_tensor(mean, dtype=torch.float32))
        self.std.copy_(torch.as_tensor(std, dtype=torch.float32))

    def normalise(self, motion: Tensor) -> Tensor:
        """Motion in its own units to zero mean and unit deviation."""
        return (motion - self.mean) / self.std

    def losses(self, batch: MotionBatch, generator: torch.Generator) -> dict[str, Tensor]:
        """Terms of the loss and their sum `loss`; all chance comes from `generator`, so a seed fixes the step."""
        clean = self.normalise(batch.motion) * batch.frame_mask[..., None]
        level = draw_levels(clean.shape[0], generator).to(clean)
        noise = torch.randn(clean.shape, generator=generator).to(clean)
        noisy = add_noise(clean, noise, level, self.schedule)
        conditions = self._conditions(batch, generator)
        extras = self._extras(batch, generator)
        made = self.denoiser.denoise(noisy, level, clean * batch.known_mask, batch.known_mask, *conditions, **extras)
        found = self._judge(made.motion, clean, noisy, level, batch)
        more = self._pose_term(made, batch) | self._reader_terms(made.motion, clean, batch)
        for name, value in more.items():
            found["loss"] = found["loss"] + getattr(self.terms, name) * value
        return found | more

    def _extras(self, batch: MotionBatch, generator: torch.Generator) -> dict[str, Tensor]:
        """Inputs that only some networks have."""
        extras = {}
        if self.denoiser.key is not None:
            extras["key"] = self.normalise(batch.key) * batch.key_mask[:, None]
        if self.denoiser.pose is not None:
            shown = torch.rand(len(batch.motion), generator=generator).to(batch.motion) < self.denoiser.pose.shown
            extras |= {"pose": batch.pose, "pose_mask": batch.pose_mask * shown[:, None]}
        return extras

    def _pose_term(self, made: Denoised, batch: MotionBatch) -> dict[str, Tensor]:
        if made.pose_deg is None:
            return {}
        weight = batch.pose_mask * batch.frame_mask * batch.speech_mask
        return {"pose": pose_loss(made.pose_deg / POSE_SCALE_DEG, batch.pose / POSE_SCALE_DEG, weight)}

    def _reader_terms(self, predicted: Tensor, clean: Tensor, batch: MotionBatch) -> dict[str, Tensor]:
        judges = {
            "units": lambda answers: units_loss(answers, batch.units, batch.units_mask),
            "intensity": lambda answers: intensity_loss(answers, batch.intensity),
        }
        means = mean_motion(predicted, batch.frame_mask), mean_motion(clean, batch.frame_mask)
        return {name: reading_loss(reader, *means, judges[name]) for name, reader in self.readers.items()}

    def _conditions(self, batch: MotionBatch, generator: torch.Generator) -> tuple[Tensor, ...]:
        draw = torch.rand(2, batch.motion.shape[0], generator=generator).to(batch.motion)
        both = draw[0] < self.dropout.both
        no_text = (both | (draw[0] > 1 - self.dropout.text)).to(batch.motion)
        no_speech = (both | (draw[1] < self.dropout.speech)).to(batch.motion)
        text = (1 - no_text)[:, None, None]
        heard = (torch.rand(batch.tokens.shape[:2], generator=generator)[:, None] >= self.dropout.token).to(batch.motion)
        speech = batch.speech * (1 - no_speech)[:, None, None]
        return (
            speech,
            batch.speech_mask,
            batch.tokens,
            batch.pooled,
            batch.tokens_alive * text * heard,
            batch.pooled_alive * text,
            batch.clock * text,
            batch.frame_mask,
        )

    def _judge(self, predicted: Tensor, clean: Tensor, noisy: Tensor, level: Tensor, batch: MotionBatch) -> dict[str, Tensor]:
        terms, penalty = self.terms, PENALTIES[self.terms.penalty]
        # motion that is given carries no loss
        weight = self.columns(batch.speech_mask) * batch.frame_mask[..., None] * (1 - batch.known_mask)
        by_level = level_weight(level, self.schedule, terms.level_lowest, terms.level_highest)[:, None, None]
        error = predicted - clean
        motion = ((penalty(error) * by_level) * weight).sum() / weight.sum().clamp_min(1e-6)
        found = {"motion": motion, "loss": terms.motion * motion}
        if terms.velocity:
            scale = by_level.sqrt()
            found["velocity"] = velocity_loss(predicted * scale, clean * scale, weight, penalty)
            found["loss"] = found["loss"] + terms.velocity * found["velocity"]
        if terms.noise:
            alpha, sigma = (s[:, None, None] for s in self.schedule.alpha_sigma(level))
            # the implied noise error is alpha / sigma times the clean error: clamped, as it is unbounded near level 0
            guess = (noisy - alpha * predicted) / sigma.clamp_min(0.05)
            truth = (noisy - alpha * clean) / sigma.clamp_min(0.05)
            found["noise"] = weighted_mean(penalty(guess - truth), weight)
            found["loss"] = found["loss"] + terms.noise * found["noise"]
        return found
