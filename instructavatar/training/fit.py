"""Run a training from its config; the same call resumes.

model:      base_learning_rate, target, params
data:       target, params
lightning:  budget_minutes, threads, checkpoint_minutes, trainer {arguments of lightning.Trainer}
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import lightning
import torch
from omegaconf import DictConfig, OmegaConf

from instructavatar import config as configuration
from instructavatar.data.loaders import MotionData
from instructavatar.errors import BadBundle, BadOption, CannotWrite, MissingFile
from instructavatar.training.bundle import settings_of, write_bundle
from instructavatar.training.callbacks import Clock, Journal, TimedCheckpoint, limit_threads
from instructavatar.training.motion_training import MotionTraining
from instructavatar.training.progress import Budget

log = logging.getLogger(__name__)
CONFIG = "config.yaml"
CHECKPOINTS = "checkpoints"


def build_data(config: DictConfig, store: Any = None) -> MotionData:
    """The data of a config; `store` takes the place of the config's own."""
    if store is None:
        return configuration.build(config.data)
    whole = config.copy()
    whole.data.params.store = "given"
    return configuration.build(whole.data, store=store)


def build_training(config: DictConfig, data: MotionData) -> MotionTraining:
    """The module of a config with the statistics of its data; the same seed gives the same weights."""
    torch.manual_seed(int(config.get("seed", 0)))
    module = _build_module(config)
    module.take(data)
    return module


def _build_module(config: DictConfig) -> MotionTraining:
    """The seed's layout keeps the learning rate beside target and params; the module takes it as a parameter."""
    node = config.model
    given = {"base_learning_rate": float(node.base_learning_rate), "seed": int(config.get("seed", 0))}
    return configuration.build({"target": node.target, "params": OmegaConf.to_container(node, resolve=True)["params"]}, **given)  # type: ignore[index, call-overload]


def fit(config: DictConfig, logdir: str | Path, resume: bool = True) -> Path:
    """Train until the steps or minutes of the config are used up; gives the run's folder.

    The folder gets config.yaml before the first step, checkpoints/last.ckpt, metrics.jsonl and losses.png.

    Raises:
        BadOption: the folder holds a run of another model or another corpus; nothing was written.
        KeyboardInterrupt: the run was asked to stop; its checkpoint was written.
    """
    run, settings = Path(logdir), config.lightning
    limit_threads(settings.get("threads"))
    data = build_data(config)
    module = build_training(config, data)
    arguments = OmegaConf.to_container(settings.get("trainer", {}), resolve=True)
    assert isinstance(arguments, dict)
    module.budget = Budget(int(arguments.get("max_steps", -1)), settings.get("budget_minutes"))
    if module.budget.max_steps <= 0 and not module.budget.minutes:
        raise BadOption("expected lightning.trainer.max_steps or lightning.budget_minutes, got neither; a run needs an end")
    saver = TimedCheckpoint(run / CHECKPOINTS, float(settings.get("checkpoint_minutes", 5.0)))
    trainer = _trainer(arguments, run, [Clock(), saver, Journal(run, int(settings.get("journal_steps", 50)))])
    last = saver.path if resume and saver.path.exists() else None
    start = _start_of(last, run, config, module.corpus_hash) if last else 0
    _write_config(config, run)
    log.info("starting at step %d", start)
    loaders = (data.train_loader(start, trainer.global_rank, trainer.world_size), data.valid_loader())
    trainer.fit(module, *loaders, ckpt_path=str(last) if last else None, weights_only=True)
    if saver.asked:
        raise KeyboardInterrupt
    return run


def _start_of(last: Path, run: Path, config: DictConfig, corpus_hash: str) -> int:
    """The step that a run goes on from; a run of another model or another corpus is refused."""
    checkpoint = read_checkpoint(last)
    differing = []
    if checkpoint.get("corpus_hash", corpus_hash) != corpus_hash:
        differing.append(f"its corpus is {checkpoint['corpus_hash']}, not {corpus_hash}")
    if (run / CONFIG).is_file() and _plain(configuration.read(run / CONFIG).get("model")) != _plain(config.model):
        differing.append(f"the model section of its {CONFIG} is another")
    if differing:
        raise BadOption(f"{run} holds another run ({'; '.join(differing)}); choose another --logdir")
    return int(checkpoint["global_step"])


def _plain(section: Any) -> Any:
    return OmegaConf.to_container(section, resolve=True) if OmegaConf.is_config(section) else section


def _write_config(config: DictConfig, run: Path) -> None:
    """Write the run's config beside and rename it, so that it is there whole or not at all."""
    try:
        run.mkdir(parents=True, exist_ok=True)
        beside = run / (CONFIG + ".part")
        configuration.save(config, beside)
        os.replace(beside, run / CONFIG)
    except OSError as error:
        raise CannotWrite(f"expected a folder for the run, could not write to {run}: {error.strerror}; choose another --logdir") from error


def _trainer(arguments: dict[Any, Any], run: Path, callbacks: list[Any]) -> lightning.Trainer:
    fixed = {
        "accelerator": "cpu",
        "devices": 1,
        "gradient_clip_val": 1.0,
        "logger": False,
        "enable_checkpointing": False,
        "enable_model_summary": False,
        "num_sanity_val_steps": 0,
        "check_val_every_n_epoch": None,
        "val_check_interval": 500,
        "use_distributed_sampler": False,
        "max_epochs": -1,
    }
    trainer = lightning.Trainer(**{**fixed, **arguments}, default_root_dir=run, callbacks=callbacks)
    # every process would end and save by its own clock
    if trainer.world_size > 1:
        raise BadOption(
            f"expected one device on one node, got {trainer.world_size} in all; set lightning.trainer.devices and num_nodes to 1"
        )
    return trainer


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """A checkpoint's contents; only tensors and plain values are read, never code."""
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except FileNotFoundError as error:
        raise MissingFile(f"expected a checkpoint, found none at {path}; train first") from error
    except Exception as error:  # torch raises kinds of its own for damaged archives
        raise BadBundle(f"expected a checkpoint of this project in {path}, could not read it; use an older one or train again") from error


def load_run(run: str | Path) -> tuple[MotionTraining, DictConfig, dict[str, Any]]:
    """The module of a finished or running training with its averaged weights, its config, and its checkpoint."""
    run = Path(run)
    if not (run / CONFIG).is_file():
        raise MissingFile(f"expected a training run (a folder with {CONFIG}) at {run}, found none; train first")
    config = configuration.load(run / CONFIG)
    checkpoint = read_checkpoint(run / CHECKPOINTS / "last.ckpt")
    module = _build_module(config)
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
    run: str | Path, output: str | Path, probe_store: str | Path | None = None, name: str | None = None, store: str | Path | None = None
) -> Path:
    """Write the bundle of a run: averaged weights as ONNX, settings, manifest.

    Args:
        run: folder of the run.
        output: folder of the bundle.
        probe_store: the first losses of a fresh run on it are written beside.
        name: name of the model; the run's otherwise.
        store: the store it was trained on, for a run whose checkpoint does not yet name what measured its features.
    """
    module, config, checkpoint = load_run(run)
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
