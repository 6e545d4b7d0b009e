"""A video now and then while a run trains: what `instructavatar generate --model RUN` makes of its last checkpoint.

lightning:
  callbacks:
    samples:
      target: instructavatar.training.samples.SampleVideos
      params: {every_steps: 5000, instruction: turn your head left}
"""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback

from instructavatar.errors import BadOption
from instructavatar.training.callbacks import TimedCheckpoint
from instructavatar.training.module import TrainingModule

log = logging.getLogger(__name__)
SAMPLES = "samples"


class SampleVideos(Callback):
    """Writes `samples/step_N.mp4` into the run's folder. Another process exports and draws, so the training does not wait for it.

    Args:
        every_steps: steps between two videos; a checkpoint is written for each.
        instruction: how the face should act.
        portrait: a picture; the one that ships when not given.
        audio: a sound; the one that ships when no portrait is given either, else none.
        codec: a YAML that names what draws; the warp codec when not given.
        seed: the same noise for every video.
    """

    def __init__(
        self,
        every_steps: int = 5000,
        instruction: str = "talk with a happy smile",
        portrait: str | None = None,
        audio: str | None = None,
        codec: str | None = None,
        seed: int = 0,
    ) -> None:
        if every_steps < 1:
            raise ValueError(f"expected every_steps of at least 1, got {every_steps}")
        if audio and not portrait:
            raise ValueError("expected a portrait beside the audio, got none")
        self.every_steps, self.instruction, self.portrait, self.audio = every_steps, instruction, portrait, audio
        self.codec, self.seed = codec, seed
        self._due: int | None = None
        self._at_work: tuple[int, subprocess.Popen] | None = None

    def on_train_batch_end(self, trainer: lightning.Trainer, module: TrainingModule, *rest: Any) -> None:  # type: ignore[override]
        """Ask for a checkpoint when a video is due; begin the video when the checkpoint is there."""
        if not module.ends_step:
            return
        if self._due is not None and trainer.global_step > self._due:
            self._begin(trainer)
        if trainer.global_step % self.every_steps == 0:
            _saver(trainer).ask()
            self._due = trainer.global_step

    def teardown(self, trainer: lightning.Trainer, module: lightning.LightningModule, stage: str) -> None:
        """Make the last video, and wait for it."""
        if self._due is not None:
            self._finish(wait=True)
            self._begin(trainer)
        self._finish(wait=True)

    def _begin(self, trainer: lightning.Trainer) -> None:
        step, self._due = self._due, None
        self._finish(wait=False)
        if step is None or not trainer.is_global_zero:
            return
        if self._at_work:
            log.warning("no sample video of step %d: that of step %d is still at work", step, self._at_work[0])
            return
        run = Path(trainer.default_root_dir)
        (run / SAMPLES).mkdir(parents=True, exist_ok=True)
        with (run / SAMPLES / "log.txt").open("ab") as told:
            command = [sys.executable, "-m", "instructavatar.cli", *self._words(run, run / SAMPLES / f"step_{step:07d}.mp4")]
            self._at_work = step, subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=told, stderr=told)

    def _words(self, run: Path, output: Path) -> list[str]:
        words = ["generate", self.portrait] if self.portrait else ["demo"]
        words += ["--instruction", self.instruction, "--seed", str(self.seed), "--model", str(run), "--output", str(output), "--quiet"]
        words += ["--audio", self.audio] if self.audio else []
        return words + (["--codec", self.codec] if self.codec else [])

    def _finish(self, wait: bool) -> None:
        """Take note of a video that is done."""
        if self._at_work is None:
            return
        step, process = self._at_work
        if wait:
            process.wait()
        if process.poll() is None:
            return
        if process.returncode:
            log.warning("the sample video of step %d failed with code %d; %s/log.txt says why", step, process.returncode, SAMPLES)
        self._at_work = None


def _saver(trainer: lightning.Trainer) -> TimedCheckpoint:
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        if isinstance(callback, TimedCheckpoint):
            return callback
    raise BadOption("expected sample videos in a run of `fit`, which writes the checkpoints they are made of, got another trainer")
