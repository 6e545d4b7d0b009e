"""What happens beside the steps of a run: the clock, checkpoints, the journal and its plot."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from types import FrameType
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback

from instructavatar.training.motion_training import MotionTraining


class Clock(Callback):
    """Counts the time spent in steps and ends the run when its budget is used up."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def on_train_start(self, trainer: lightning.Trainer, module: MotionTraining) -> None:  # type: ignore[override]
        """Begin to count."""
        self._last = time.monotonic()

    def on_train_batch_end(self, trainer: lightning.Trainer, module: MotionTraining, *rest: Any) -> None:  # type: ignore[override]
        """Count the step, and stop when nothing is left."""
        now = time.monotonic()
        module.budget.spent_s += now - self._last
        self._last = now
        if module.budget.over(trainer.global_step):
            trainer.should_stop = True


class TimedCheckpoint(Callback):
    """Writes `last.ckpt` every few minutes, at the end, and when the run is asked to stop (Ctrl-C, SIGTERM).

    A checkpoint is written beside and renamed, so a kill at any moment leaves the one before.
    """

    def __init__(self, folder: str | Path, every_minutes: float = 5.0) -> None:
        self.folder = Path(folder)
        self.every_s = 60 * every_minutes
        self._next = time.monotonic() + self.every_s
        self.asked = False  # to stop
        self._before: dict[int, Any] = {}

    @property
    def path(self) -> Path:
        """Where the latest checkpoint lies."""
        return self.folder / "last.ckpt"

    def save(self, trainer: lightning.Trainer) -> None:
        """Write the checkpoint now."""
        self.folder.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_suffix(".part")
        trainer.save_checkpoint(beside)
        os.replace(beside, self.path)
        self._next = time.monotonic() + self.every_s

    def on_train_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Listen for requests to stop."""
        for number in (signal.SIGTERM, signal.SIGINT):
            try:
                self._before[number] = signal.signal(number, self._ask)
            except ValueError:  # not in the main thread: nobody can interrupt us there
                return

    def on_train_batch_end(self, trainer: lightning.Trainer, module: lightning.LightningModule, *rest: Any) -> None:
        """Save when it is time, or when asked to stop."""
        if self.asked:
            trainer.should_stop = True
        elif time.monotonic() >= self._next:
            self.save(trainer)

    def on_train_end(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Save the last state."""
        self.save(trainer)
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True


class Journal(Callback):
    """Writes `metrics.jsonl` and a plot of the losses into the run's folder."""

    def __init__(self, folder: str | Path, every_steps: int = 50, plot_every_steps: int = 1000) -> None:
        self.path = Path(folder) / "metrics.jsonl"
        self.every_steps = every_steps
        self.plot_every_steps = plot_every_steps
        self._sums: dict[str, float] = {}
        self._count = 0
        self._valid: list[float] = []

    def on_train_batch_end(self, trainer: lightning.Trainer, module: MotionTraining, outputs: Any, *rest: Any) -> None:  # type: ignore[override]
        """Note the mean of the last steps."""
        for name, value in outputs.items():
            self._sums[name] = self._sums.get(name, 0.0) + float(value.detach())
        self._count += 1
        step = trainer.global_step
        if step % self.every_steps == 0:
            means = {name: round(value / self._count, 5) for name, value in self._sums.items()}
            rate = module.optimizers(use_pl_optimizer=False).param_groups[0]["lr"]  # type: ignore[union-attr]
            self._write({"step": step, "minutes": round(module.budget.spent_s / 60, 2), "rate": rate, **means})
            self._sums, self._count = {}, 0
        if step % self.plot_every_steps == 0:
            plot_losses(self.path)

    def on_validation_batch_end(self, trainer: lightning.Trainer, module: lightning.LightningModule, outputs: Any, *rest: Any) -> None:
        """Collect the validation losses."""
        self._valid.append(float(outputs))

    def on_validation_end(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Note their mean."""
        self._write({"step": trainer.global_step, "valid": round(sum(self._valid) / max(len(self._valid), 1), 5)})
        self._valid = []

    def on_train_end(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Draw the last plot."""
        plot_losses(self.path)

    def _write(self, row: dict[str, float]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


def read_journal(path: str | Path) -> list[dict[str, float]]:
    """Rows of a journal; a line that a kill cut short is left out."""
    rows = []
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue
    return rows


def plot_losses(journal: str | Path) -> Path | None:
    """Draw `losses.png` beside a journal; None where matplotlib is not installed or nothing was noted yet."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        return None
    if not Path(journal).exists():
        return None
    rows = read_journal(journal)
    figure = Figure(figsize=(8, 4))
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for name in ("loss", "motion", "velocity", "valid"):
        points = [(row["step"], row[name]) for row in rows if name in row]
        if points:
            axes.plot(*zip(*points, strict=True), label=name, linewidth=1)
    axes.set(xlabel="step", ylabel="loss", yscale="log")
    axes.legend()
    path = Path(journal).with_name("losses.png")
    figure.savefig(path, dpi=100)
    return path


def limit_threads(threads: int | None) -> None:
    """Let torch use that many threads; None leaves it alone."""
    if threads:
        torch.set_num_threads(threads)
