"""What happens beside the steps of a run: the clock, checkpoints, the journal and its plot.

In a run of several processes the first one's clock counts, and all stop and save at the same step.
"""

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

from instructavatar.errors import CannotWrite
from instructavatar.training.module import TrainingModule
from instructavatar.training.processes import total
from instructavatar.training.run import JOURNAL, LAST, keep_checkpoint

STOPPING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGINT") if hasattr(signal, name))
SAVING = tuple(getattr(signal, name) for name in ("SIGUSR1",) if hasattr(signal, name))
NO_LOSS = ("step", "minutes", "rate")


class Clock(Callback):
    """Counts the time spent in steps and ends the run when its budget is used up.

    Args:
        judge_end: whether the run is validated once more at its end, as Lightning does when it is told to stop.
    """

    def __init__(self, judge_end: bool = True) -> None:
        self.judge_end = judge_end
        self._last = time.monotonic()

    def on_train_start(self, trainer: lightning.Trainer, module: TrainingModule) -> None:  # type: ignore[override]
        """Begin to count."""
        self._last = time.monotonic()

    def on_train_batch_end(self, trainer: lightning.Trainer, module: TrainingModule, *rest: Any) -> None:  # type: ignore[override]
        """Count the batch, and stop after a step when nothing is left."""
        now = time.monotonic()
        spent, self._last = now - self._last, now
        if module.budget.minutes:  # the learning rate hangs on it, so it must be the same everywhere
            (spent,) = total([spent if trainer.is_global_zero else 0.0], module.device)
        module.budget.spent_s += spent
        if module.ends_step and module.budget.over(trainer.global_step):
            stop(trainer, validate=self.judge_end)


def stop(trainer: lightning.Trainer, validate: bool) -> None:
    """End the run after this step, with or without a last validation."""
    trainer.should_stop = True
    if not validate:
        trainer.limit_val_batches = 0


class TimedCheckpoint(Callback):
    """Writes `last.ckpt` every few minutes, at the end, when asked to stop (Ctrl-C, SIGTERM) and when asked to save (SIGUSR1).

    A checkpoint is written beside and renamed, and the one before it is kept, so a kill at any moment leaves a good one.
    """

    def __init__(self, folder: str | Path, every_minutes: float = 5.0) -> None:
        self.folder = Path(folder)
        self.every_s = 60 * every_minutes
        self._next = time.monotonic() + self.every_s
        self.asked = False  # to stop
        self._due = False
        self._before: dict[int, Any] = {}

    @property
    def path(self) -> Path:
        """Where the latest checkpoint lies."""
        return self.folder / LAST

    def ask(self) -> None:
        """Save after the step at work."""
        self._due = True

    def save(self, trainer: lightning.Trainer) -> None:
        """Write the checkpoint now; every process must call this, and the first one writes."""
        part = self.folder / "last.part"
        try:
            if trainer.is_global_zero:
                self.folder.mkdir(parents=True, exist_ok=True)
            trainer.save_checkpoint(part, weights_only=False)
            if trainer.is_global_zero:
                keep_checkpoint(part, self.folder)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise CannotWrite(
                f"could not write a checkpoint to {self.folder}: {error.strerror or error}; free some space, the same command goes on"
            ) from error
        self._due, self._next = False, time.monotonic() + self.every_s

    def on_train_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Listen for requests to stop and to save."""
        handlers = {**dict.fromkeys(STOPPING, self._ask_to_stop), **dict.fromkeys(SAVING, self._ask_to_save)}
        for number, handler in handlers.items():
            try:
                self._before[number] = signal.signal(number, handler)
            except ValueError:  # not in the main thread: nobody can interrupt us there
                return

    def on_train_batch_end(self, trainer: lightning.Trainer, module: TrainingModule, *rest: Any) -> None:  # type: ignore[override]
        """Agree after a step on whether to save or to stop."""
        if not module.ends_step:
            return
        due = self._due or (trainer.is_global_zero and time.monotonic() >= self._next)
        due_anywhere, asked_anywhere = total([float(due), float(self.asked)], module.device)
        self._due, self.asked = due_anywhere > 0, asked_anywhere > 0
        if self.asked:  # whoever asks may not wait long
            stop(trainer, validate=False)

    def on_train_batch_start(self, trainer: lightning.Trainer, module: TrainingModule, *rest: Any) -> None:  # type: ignore[override]
        """Save when it is time: here the step before is over in every respect, its average and its counters included."""
        if self._due and module.between_steps:
            self.save(trainer)

    def on_save_checkpoint(self, trainer: lightning.Trainer, module: lightning.LightningModule, checkpoint: dict[str, Any]) -> None:
        """A batch that was only fetched has not begun; counted as begun, it would put off the next validation."""
        for progress in checkpoint["loops"]["fit_loop"]["epoch_loop.batch_progress"].values():
            if isinstance(progress, dict):
                progress["ready"] = progress["completed"]

    def on_train_end(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Save the last state."""
        self.save(trainer)
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        self.asked = True

    def _ask_to_save(self, number: int, frame: FrameType | None) -> None:
        self.ask()


class Journal(Callback):
    """Writes `metrics.jsonl` and a plot of the losses into the run's folder, and the same numbers to the run's loggers.

    Losses are means over the steps since the last row and over all processes.
    """

    def __init__(self, folder: str | Path, every_steps: int = 50, plot_every_steps: int = 1000) -> None:
        self.path = Path(folder) / JOURNAL
        self.every_steps = every_steps
        self.plot_every_steps = plot_every_steps
        self._sums: dict[str, float] = {}
        self._count = 0
        self._valid: list[float] = []

    def state_dict(self) -> dict[str, Any]:
        """What was summed since the last row, so that a resumed run writes the rows of an uninterrupted one."""
        return {"sums": dict(self._sums), "count": self._count}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take it over."""
        self._sums, self._count = dict(state_dict["sums"]), int(state_dict["count"])

    def on_train_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Drop rows of steps that a killed run took after its last checkpoint; they are taken again."""
        if trainer.is_global_zero and self.path.exists():
            rows = [row for row in read_journal(self.path) if row.get("step", 0) <= trainer.global_step]
            beside = self.path.with_suffix(".part")
            beside.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
            os.replace(beside, self.path)

    def on_train_batch_end(self, trainer: lightning.Trainer, module: TrainingModule, outputs: Any, *rest: Any) -> None:  # type: ignore[override]
        """Note the mean of the last steps."""
        for name, value in outputs.items():
            # Lightning has divided the loss of one batch by the batches of a step
            share = trainer.accumulate_grad_batches if name == "loss" else 1
            self._sums[name] = self._sums.get(name, 0.0) + share * float(value.detach())
        self._count += 1
        if not module.ends_step:
            return
        step = trainer.global_step
        if step % self.every_steps == 0:
            rate = module.optimizers(use_pl_optimizer=False).param_groups[0]["lr"]  # type: ignore[union-attr]
            means = self._means(module.device)
            self._write(trainer, {"step": step, "minutes": round(module.budget.spent_s / 60, 2), "rate": rate, **means})
        if step % self.plot_every_steps == 0 and trainer.is_global_zero:
            plot_losses(self.path)

    def on_validation_batch_end(self, trainer: lightning.Trainer, module: lightning.LightningModule, outputs: Any, *rest: Any) -> None:
        """Collect the validation losses."""
        self._valid.append(float(outputs))

    def on_validation_end(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Note their mean."""
        self._write(trainer, {"step": trainer.global_step, "valid": round(sum(self._valid) / max(len(self._valid), 1), 5)})
        self._valid = []

    def on_train_end(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Draw the last plot."""
        if trainer.is_global_zero:
            plot_losses(self.path)

    def _means(self, device: torch.device) -> dict[str, float]:
        names = list(self._sums)
        *sums, count = total([*(self._sums[name] for name in names), float(self._count)], device)
        self._sums, self._count = {}, 0
        return {name: round(value / count, 5) for name, value in zip(names, sums, strict=True)}

    def _write(self, trainer: lightning.Trainer, row: dict[str, float]) -> None:
        if not trainer.is_global_zero:
            return
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        for logger in trainer.loggers:
            logger.log_metrics({name: value for name, value in row.items() if name != "step"}, int(row["step"]))


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
    for name in dict.fromkeys(name for row in rows for name in row if name not in NO_LOSS):
        points = [(row["step"], row[name]) for row in rows if name in row]
        axes.plot(*zip(*points, strict=True), label=name, linewidth=1)
    axes.set(xlabel="step", ylabel="loss", yscale="log")
    if axes.lines:
        axes.legend()
    path = Path(journal).with_name("losses.png")
    beside = path.with_suffix(".part")
    figure.savefig(beside, dpi=100, format="png")
    os.replace(beside, path)
    return path


def limit_threads(threads: int | None) -> None:
    """Let torch use that many threads; None leaves it alone."""
    if threads:
        torch.set_num_threads(threads)
