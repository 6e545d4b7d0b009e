"""Run a training from its config; the same call resumes.

model:      base_learning_rate, scale_learning_rate, target, params
data:       target, params
lightning:  budget_minutes, threads, checkpoint_minutes, journal_steps, and what training/trainer.py lists
"""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning
import torch
from omegaconf import DictConfig, OmegaConf

from instructavatar import config as configuration
from instructavatar.errors import BadOption, MissingFile
from instructavatar.training.bundle import settings_of, write_bundle
from instructavatar.training.callbacks import Clock, Journal, TimedCheckpoint, limit_threads
from instructavatar.training.module import TrainingModule
from instructavatar.training.progress import Budget
from instructavatar.training.run import (
    CHECKPOINTS,
    CONFIG,
    LAST,
    WEIGHTS,
    check_fits,
    check_resumable,
    latest_checkpoint,
    read_checkpoint,
    set_aside,
    write_config,
    write_weights,
)
from instructavatar.training.trainer import in_one_line, make_trainer

__all__ = ["build_data", "build_training", "export_run", "fit", "load_run", "probe_losses", "read_checkpoint", "validate"]

log = logging.getLogger(__name__)


def build_data(config: DictConfig, store: Any = None) -> Any:
    """The data of a config; `store` takes the place of the config's own."""
    if store is None:
        return configuration.build(config.data)
    whole = config.copy()
    whole.data.params.pop("stores", None)
    whole.data.params.store = "given"
    return configuration.build(whole.data, store=store)


def build_training(config: DictConfig, data: Any) -> Any:
    """The `TrainingModule` of a config with what its data are made of; the same seed gives the same weights."""
    torch.manual_seed(int(config.get("seed", 0)))
    module = _build_module(config)
    module.take(data)
    return module


def _build_module(config: DictConfig) -> Any:
    """The seed's layout keeps the learning rate beside target and params; the module takes it as a parameter."""
    node = config.model
    given = {"base_learning_rate": float(node.base_learning_rate), "seed": int(config.get("seed", 0))}
    return configuration.build({"target": node.target, "params": OmegaConf.to_container(node, resolve=True)["params"]}, **given)  # type: ignore[index, call-overload]


def fit(
    config: DictConfig,
    logdir: str | Path,
    resume: bool = True,
    checkpoint: str | Path | None = None,
    begin_from: str | Path | None = None,
    test: bool = True,
) -> Path:
    """Train until the steps or minutes of the config are used up; gives the run's folder.

    The folder gets config.yaml before the first step, checkpoints/, metrics.jsonl, losses.png, tensorboard/ and weights.safetensors.

    Args:
        config: the whole configuration.
        logdir: the run's folder.
        resume: go on with what the folder holds; otherwise it is set aside and the run begins anew.
        checkpoint: go on from this checkpoint of the folder's run rather than from its last.
        begin_from: a checkpoint of another run, where the folder holds none yet.
        test: validate the finished run once more.

    Raises:
        BadOption: the folder holds a run of another model or another corpus; nothing was written.
        KeyboardInterrupt: the run was asked to stop; its checkpoint was written.
    """
    run, settings = Path(logdir), config.lightning
    limit_threads(settings.get("threads"))
    budget = _budget(settings)
    data = build_data(config)
    module = build_training(config, data)
    module.budget = budget
    last = _checkpoint_of(module, config, run, resume, checkpoint, begin_from)
    stored = read_checkpoint(last) if last else {"global_step": 0, "spent_s": 0.0}
    start = int(stored["global_step"])
    if last and last.is_relative_to(run) and replace(budget, spent_s=float(stored["spent_s"])).over(start) and (run / WEIGHTS).is_file():
        # one step more would make other weights, and all that was made of them out of date
        log.info("trained to the end already, at step %d", start)
        return run
    saver = TimedCheckpoint(run / CHECKPOINTS, float(settings.get("checkpoint_minutes", 5.0)))
    journal = Journal(run, int(settings.get("journal_steps", 50)))
    trainer = make_trainer(settings, run, [Clock(judge_end=test), journal, saver], module.needs_unused, start)
    if config.model.get("scale_learning_rate"):
        module.scale_rate_by(trainer.world_size * trainer.accumulate_grad_batches)
    module.batches_done = start * trainer.accumulate_grad_batches
    if trainer.is_global_zero:
        if not resume and (earlier := set_aside(run)):
            log.warning("beginning anew; what %s held is now in %s", run, earlier)
        write_config(config, run)
    log.info("starting at step %d", start)
    with in_one_line(trainer.world_size > 1):
        trainer.fit(module, datamodule=Loaders(data), ckpt_path=str(last) if last else None, weights_only=True)
    if trainer.is_global_zero:
        write_weights(module, run / WEIGHTS, trainer.global_step)
    if saver.asked and trainer.is_global_zero:  # one process says it for all
        raise KeyboardInterrupt(f"step {trainer.global_step} is saved in {run}; the same command goes on")
    return run


def validate(config: DictConfig, run: str | Path, checkpoint: str | Path | None = None) -> tuple[int, float]:
    """Step and validation loss of a run's averaged weights."""
    run = Path(run)
    data = build_data(config)
    module = build_training(config, data)
    path = Path(checkpoint) if checkpoint else latest_checkpoint(run)
    stored = read_checkpoint(path or run / CHECKPOINTS / LAST)
    check_fits(stored, module, Path(path or run))
    module.load_state_dict(stored["state_dict"])
    module.on_load_checkpoint(stored)
    trainer = make_trainer(OmegaConf.merge(config.lightning, {"logger": None, "callbacks": {}, "modelcheckpoint": None}), run, [])  # type: ignore[arg-type]
    with in_one_line():
        trainer.validate(module, datamodule=Loaders(data), verbose=False)
    return int(stored["global_step"]), float(trainer.callback_metrics["valid"])


class Loaders(lightning.LightningDataModule):
    """Batches for the process that asks: which one it is among how many is known only then."""

    def __init__(self, data: Any) -> None:
        super().__init__()
        self.data = data

    def train_dataloader(self) -> Any:
        """Batches without end."""
        return _Onwards(self.data, self.trainer)

    def val_dataloader(self) -> Any:
        """The few fixed batches; every process judges all of them."""
        return self.data.valid_loader()


class _Onwards:
    """Batches from the module's number on, however often they are begun (`limit_train_batches` begins them again and again)."""

    def __init__(self, data: Any, trainer: Any) -> None:
        self.data, self.trainer = data, trainer

    def __iter__(self) -> Any:
        done = self.trainer.lightning_module.batches_done
        return iter(self.data.train_loader(done, self.trainer.global_rank, self.trainer.world_size))


def _budget(settings: DictConfig) -> Budget:
    budget = Budget(int(settings.get("trainer", {}).get("max_steps", -1)), settings.get("budget_minutes"))
    if budget.max_steps <= 0 and not budget.minutes:
        raise BadOption("expected lightning.trainer.max_steps or lightning.budget_minutes, got neither; a run needs an end")
    return budget


def _checkpoint_of(
    module: TrainingModule, config: DictConfig, run: Path, resume: bool, checkpoint: str | Path | None, begin_from: str | Path | None
) -> Path | None:
    """The checkpoint to go on from, refused where it is of another run."""
    own = Path(checkpoint) if checkpoint else latest_checkpoint(run) if resume else None
    if own:
        stored = read_checkpoint(own)
        check_resumable(stored, run, config, module.corpus_hash)
        check_fits(stored, module, own)
        return own
    if begin_from and resume:
        check_fits(read_checkpoint(begin_from), module, Path(begin_from))
        return Path(begin_from)
    return None


def load_run(run: str | Path, base: str | Path | None = None) -> tuple[Any, DictConfig, dict[str, Any]]:
    """The module of a finished or running training with its averaged weights, its config, and its checkpoint.

    Args:
        run: folder of the run, or one checkpoint.
        base: its configuration, for a checkpoint that lies outside of a run.
    """
    path = Path(run)
    folder = path.parent.parent if path.is_file() else path
    written = Path(base) if base else folder / CONFIG
    if not written.is_file():
        raise MissingFile(f"expected a training run (a folder with {CONFIG}) at {folder}, found none; train first")
    config = configuration.load(written)
    found = path if path.is_file() else latest_checkpoint(folder) or folder / CHECKPOINTS / LAST
    checkpoint = read_checkpoint(found)
    module = _build_module(config)
    check_fits(checkpoint, module, found)
    module.load_state_dict(checkpoint["state_dict"])
    module.on_load_checkpoint(checkpoint)
    if module.average:
        module.average.swap()
    return module.eval(), config, checkpoint


def probe_losses(config: DictConfig, store: Any, steps: int = 30, seed: int = 0, frames_per_batch: int = 640) -> list[float]:
    """Losses of a short, seeded run on a store; the same code and store give the same numbers to about 1 %."""
    config = config.copy()
    config.seed = seed
    config.data.params.frames_per_batch = frames_per_batch
    config.data.params.ahead = 0
    data = build_data(config, store)
    module = build_training(config, data)
    module.budget = Budget(max_steps=steps)
    optimizer = module.configure_optimizers()
    losses = []
    for step in range(steps):
        module.set_rate(optimizer, step)
        loss = module.diffusion.losses(data.train[step], module.chance(step))["loss"]
        loss.backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(round(float(loss.detach()), 6))
    return losses


def export_run(
    run: str | Path,
    output: str | Path,
    probe_store: str | Path | None = None,
    name: str | None = None,
    store: str | Path | None = None,
    base: str | Path | None = None,
) -> Path:
    """Write the bundle of a run: averaged weights as ONNX, settings, manifest.

    Args:
        run: folder of the run, or one checkpoint.
        output: folder of the bundle.
        probe_store: the first losses of a fresh run on it are written beside.
        name: name of the model; the run's otherwise.
        store: the store it was trained on, for a run whose checkpoint does not yet name what measured its features.
        base: see `load_run`.
    """
    module, config, checkpoint = load_run(run, base)
    if not hasattr(module, "denoiser") and hasattr(module, "vae"):
        from instructavatar.training.codec_bundle import export_codec

        return export_codec(run, output, name)
    corpus_hash = str(checkpoint.get("corpus_hash", ""))
    extractors = checkpoint.get("extractors") or _extractors_of(store, corpus_hash)
    settings = settings_of(module, config, int(checkpoint["global_step"]), name or Path(run).name, corpus_hash, extractors)
    losses = probe_losses(config, str(probe_store)) if probe_store is not None else None
    return write_bundle(module, output, settings, losses)


def _extractors_of(store: str | Path | None, corpus_hash: str) -> dict[str, str]:
    """What measured the features of the store that a run was trained on; another store is refused."""
    if store is None:
        return {}
    from instructavatar.data.store import FeatureStore

    header = FeatureStore.open(store).header
    if header.corpus_hash != corpus_hash:
        raise BadOption(f"expected the store that the run was trained on (corpus {corpus_hash}), got one of corpus {header.corpus_hash}")
    return dict(header.extractors)
