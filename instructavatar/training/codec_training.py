"""Training of the two-encoder VAE as a Lightning module: two optimisers, by hand, in one step.

B batch, S side of a picture in pixels.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback
from numpy.typing import NDArray
from torch import Tensor

from instructavatar.data.frames import FrameBatch, FrameData, unit
from instructavatar.errors import CannotWrite
from instructavatar.models.vae import Encoded, TwoEncoderVae
from instructavatar.models.vae.stable_diffusion import load_stable_diffusion
from instructavatar.models.vae_losses import Adversary, Pair, Term, Terms
from instructavatar.training.module import TrainingModule
from instructavatar.training.progress import Learning

__all__ = ["CodecTraining", "FrameData", "Panels"]

log = logging.getLogger(__name__)
PANELS, FIRST_WEIGHTS = "panels", "first_weights.txt"


class CodecTraining(TrainingModule):
    """Optimises a `TwoEncoderVae` and its critic; chance in step k is a function of the seed and k, so a resumed run goes on exactly.

    Both learn from one forward pass: the VAE from its terms and the critic's judgement, then the critic from the pictures just made.

    Args:
        vae: the network.
        terms: named terms of the loss.
        adversary: the critic; without one, terms alone.
        base_learning_rate: peak of the learning rate, of one picture.
        scale_rate: multiply it by the pictures of a step on all devices, as published.
        learning: betas of both Adams, average of the weights and shape of the learning rate.
        clip_norm: largest norm of the VAE's gradient; None leaves it alone, as published. Not with 16-mixed.
        first_weights: folder or file of a Stable Diffusion VAE to begin from; what fits is told in `first_weights.txt` of the run.
        panel_steps: steps between two sheets of pictures; they are drawn when the run is validated. 0 draws none.
        seed: of the latents' noise.
    """

    def __init__(
        self,
        vae: TwoEncoderVae,
        terms: Mapping[str, Term],
        adversary: Adversary | None = None,
        base_learning_rate: float = 4.5e-6,
        scale_rate: bool = True,
        learning: Learning | None = None,
        clip_norm: float | None = None,
        first_weights: str | None = None,
        panel_steps: int = 1000,
        seed: int = 0,
    ) -> None:
        super().__init__(learning or Learning(betas=(0.5, 0.9), weight_decay=0.0), base_learning_rate, seed)
        self.automatic_optimization = False
        self.needs_unused = adversary is not None  # each of the two learns while the other looks on
        self.vae, self.terms, self.adversary = vae, Terms(terms), adversary
        self.scale_rate, self.clip_norm = scale_rate, clip_norm
        self.first_weights, self.panel_steps = first_weights, panel_steps
        self.keep_average(vae)

    def scale_rate_by(self, batches: int) -> None:
        """The rate is scaled by the pictures of a step, not twice."""
        self.scale_rate = True

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:  # type: ignore[override]
        """Adam of the VAE, and Adam of the critic where there is one."""
        networks = [self.vae] if self.adversary is None else [self.vae, self.adversary]
        betas = (self.learning.betas[0], self.learning.betas[1])
        return [torch.optim.Adam(network.parameters(), lr=self.base_learning_rate, betas=betas) for network in networks]

    def configure_callbacks(self) -> list[Callback]:
        """Sheets of pictures."""
        return [Panels(self.panel_steps)] if self.panel_steps else []

    def optimizers(self, use_pl_optimizer: bool = True) -> Any:
        """The VAE's optimiser, whose steps are the steps of the run and whose rate is its rate."""
        found = super().optimizers(use_pl_optimizer)
        return found[0] if isinstance(found, list) else found

    def encode(self, batch: FrameBatch, chance: torch.Generator | None = None) -> tuple[Encoded, Pair]:
        """The network's pictures of a batch, beside what they should be."""
        encoded = self.vae(unit(batch.appearance), unit(batch.drawn), chance)
        encoded = Encoded(encoded.appearance, encoded.motion, encoded.output.float())
        return encoded, Pair(encoded, unit(batch.target), batch.points, unit(batch.appearance))

    def training_step(self, batch: FrameBatch, number: int = 0) -> dict[str, Tensor]:
        """One step of each optimiser; a loss that is not finite stops the run with the pairs' names."""
        encoded, pair = self.encode(batch, self.chance(self.batch_number))
        found = self.terms(pair)
        counts = self.adversary is not None and self.adversary.counts(self.global_step)
        if counts:
            found |= self._judged(found["loss"], encoded.output)
        self.require_finite(found["loss"], batch.names)
        critic = self.trainer.optimizers[-1]  # before the VAE's step, which counts as the run's
        self._step_vae(found["loss"])
        if counts:
            found["critic"] = self._step_critic(critic, pair.target, encoded.output)
        return {name: value.detach() for name, value in found.items()}

    def _judged(self, loss: Tensor, output: Tensor) -> dict[str, Tensor]:
        """The loss with the critic's judgement in it. The critic itself does not learn from this."""
        assert self.adversary is not None
        self.adversary.requires_grad_(False)
        judgement = self.adversary.judgement(output)
        balance = self.adversary.balance(loss, judgement, self.vae.last_weight, output[0].numel())
        self.adversary.requires_grad_(True)
        return {"loss": loss + balance * judgement, "judgement": judgement, "balance": balance}

    def _step_vae(self, loss: Tensor) -> None:
        optimizer = self.optimizers()
        optimizer.zero_grad()
        self.manual_backward(loss)
        if self.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(self.vae.parameters(), self.clip_norm)
        optimizer.step()

    def _step_critic(self, optimizer: torch.optim.Optimizer, real: Tensor, made: Tensor) -> Tensor:
        assert self.adversary is not None
        lesson = self.adversary.lesson(real, made)
        optimizer.zero_grad()
        self.manual_backward(lesson)
        # through the strategy, which minds the precision, and not through Lightning's optimiser, which would count a second step
        self.trainer.strategy.optimizer_step(optimizer, lambda: None)
        return lesson

    def validation_step(self, batch: FrameBatch, number: int) -> Tensor:
        """L1 of the most likely pictures under the averaged weights, 0..2."""
        encoded, pair = self.encode(batch)
        return (encoded.output - pair.target).abs().mean()

    def on_fit_start(self) -> None:
        """Begin from the given weights, unless the run goes on from its own; bring the averages to the weights' device."""
        if self.first_weights is not None and self.trainer.ckpt_path is None:
            report = load_stable_diffusion(self.vae, self.first_weights)
            log.info("%s", report)
            if self.trainer.is_global_zero:
                (Path(self.trainer.default_root_dir) / FIRST_WEIGHTS).write_text(f"{report}\n", encoding="utf-8")
            self.keep_average(self.vae)
        super().on_fit_start()

    def on_train_batch_start(self, batch: FrameBatch, number: int) -> None:
        """Set both learning rates."""
        pictures = len(batch) * self.trainer.world_size if self.scale_rate else 1
        rate = self.base_learning_rate * pictures * self.learning.rate(self.global_step, self.budget.progress(self.global_step))
        for optimizer in self.trainer.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate


class Panels(Callback):
    """Sheets of pictures, a row a pair: looks, landmarks, target, output. PNG in the run's folder, and to a logger that takes pictures.

    Args:
        every_steps: least steps between two sheets; the first validation always draws one.
        rows: at most so many pairs.
    """

    def __init__(self, every_steps: int = 1000, rows: int = 4) -> None:
        self.every_steps, self.rows = every_steps, rows
        self._last: int | None = None

    @torch.no_grad()
    def on_validation_batch_end(  # type: ignore[override]
        self, trainer: lightning.Trainer, module: CodecTraining, outputs: Any, batch: FrameBatch, number: int, *rest: Any
    ) -> None:
        """Draw the first pairs, under the averaged weights."""
        step = trainer.global_step
        due = self._last is None or step - self._last >= self.every_steps
        if number or not due or not trainer.is_global_zero:
            return
        self._last = step
        picture = sheet(batch, module.encode(batch)[0].output, self.rows)
        write_png(Path(trainer.default_root_dir) / PANELS / f"{step:07d}.png", picture)
        for logger in trainer.loggers:
            board = getattr(logger, "experiment", None)
            if board is not None and hasattr(board, "add_image"):
                board.add_image("pairs", picture, step, dataformats="HWC")


def sheet(batch: FrameBatch, output: Tensor, rows: int) -> NDArray[np.uint8]:
    """[rows S, 4 S, 3] RGB: looks, landmarks, target and output of the first pairs."""
    made = ((output.float().clamp(-1, 1) + 1) * 127.5).round().byte()
    drawn = torch.nn.functional.interpolate(batch.drawn.expand(-1, 3, -1, -1).float(), output.shape[-2:], mode="area").byte()
    columns = [batch.appearance, drawn, batch.target, made]
    parts = [column[:rows].permute(0, 2, 3, 1).flatten(0, 1) for column in columns]  # (B, 3, S, S) -> (B S, S, 3)
    return torch.cat(parts, 1).cpu().numpy()


def write_png(path: Path, picture: NDArray[np.uint8]) -> None:
    """Write an RGB picture [H, W, 3] beside and rename it."""
    _, data = cv2.imencode(".png", picture[..., ::-1])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".part")
        beside.write_bytes(data.tobytes())
        os.replace(beside, path)
    except OSError as error:
        raise CannotWrite(f"expected a folder for pictures, could not write {path}: {error.strerror}; free some space") from error
