"""A `lightning.Trainer` from the section `lightning` of a configuration.

lightning:
  trainer:          arguments of lightning.Trainer; val_check_interval counts steps, precision may be auto
  callbacks:        {name: {target, params}}, beside the run's own
  modelcheckpoint:  {params} of a ModelCheckpoint, for more checkpoints than the last two
  logger:           {target, params} or {name: {target, params}}; TensorBoard where nothing is said, null for none
"""

from __future__ import annotations

import difflib
import importlib.util
import inspect
import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO
from lightning.pytorch.callbacks import Callback, Checkpoint
from lightning.pytorch.plugins.environments import SLURMEnvironment, TorchElasticEnvironment
from lightning.pytorch.utilities.exceptions import MisconfigurationException
from omegaconf import DictConfig, OmegaConf

from instructavatar import config as configuration
from instructavatar.errors import BadOption, InstructAvatarError
from instructavatar.training.precision import chosen
from instructavatar.training.processes import is_first
from instructavatar.training.run import BOARD, CHECKPOINTS

log = logging.getLogger(__name__)
# Lightning advertises other packages, and warns of its own use of torch
warnings.filterwarnings("ignore", message=".*LeafSpec.*is deprecated")
logging.getLogger("lightning.pytorch.utilities.rank_zero").addFilter(lambda record: "Tip:" not in str(record.msg))
FIXED = {
    "accelerator": "cpu",
    "devices": 1,
    "gradient_clip_val": 1.0,
    "enable_model_summary": False,
    "num_sanity_val_steps": 0,
    "check_val_every_n_epoch": None,
    "val_check_interval": 500,
    "use_distributed_sampler": False,
    "max_epochs": -1,
}
# arguments that have a section of their own, or that the run decides
ELSEWHERE = {
    "callbacks": "give lightning.callbacks",
    "logger": "give lightning.logger",
    "enable_checkpointing": "give lightning.modelcheckpoint",
    "default_root_dir": "give --logdir",
    "plugins": "they follow from the machine",
    "barebones": "a run keeps its journal",
}


def check_argument(name: str) -> None:
    """Refuse a name that is no argument of lightning.Trainer, with the nearest one."""
    if name in ELSEWHERE:
        raise BadOption(f"lightning.trainer.{name} is not taken: {ELSEWHERE[name]}")
    known = list(inspect.signature(lightning.Trainer).parameters)
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        raise BadOption(f"lightning.Trainer has no argument {name!r}" + (f"; did you mean {close[0]!r}?" if close else ""))


def arguments_of(settings: DictConfig) -> dict[str, Any]:
    """Arguments of the trainer, each of which exists."""
    given: Any = OmegaConf.to_container(settings.get("trainer") or OmegaConf.create({}), resolve=True)
    for name in given:
        check_argument(str(name))
    if given.get("max_epochs", -1) not in (-1, None):
        raise BadOption("batches are drawn without end, so there are no epochs: set max_steps or lightning.budget_minutes, not max_epochs")
    arguments = {**FIXED, **given}
    arguments["precision"] = chosen(arguments.get("precision"), str(arguments["accelerator"]), _may_be_several(arguments))
    if isinstance(arguments["val_check_interval"], int):  # Lightning counts batches; everything of a run counts steps
        arguments["val_check_interval"] *= int(arguments.get("accumulate_grad_batches", 1))
    return arguments


def make_trainer(settings: DictConfig, run: Path, own: list[Callback], needs_unused: bool = False, start: int = 0) -> lightning.Trainer:
    """The trainer of a run.

    Args:
        settings: the section `lightning`.
        run: folder of the run.
        own: the run's own callbacks; the last of them saves, after the user's have done their part.
        needs_unused: whether several processes must look for weights without a gradient.
        start: step that the run goes on from.
    """
    arguments = arguments_of(settings)
    if needs_unused and arguments.get("strategy", "auto") in ("auto", "ddp") and _may_be_several(arguments):
        arguments["strategy"] = "ddp_find_unused_parameters_true"
    arguments["plugins"] = [StraightToDisk()]
    if SLURMEnvironment.detect() and not TorchElasticEnvironment.detect():
        arguments["plugins"].append(SLURMEnvironment(auto_requeue=False))  # a run saves and resumes by itself
    more = [*_callbacks(settings), *_model_checkpoint(settings, run)]
    try:
        return lightning.Trainer(
            **arguments,
            enable_checkpointing=any(isinstance(callback, Checkpoint) for callback in more),
            logger=_loggers(settings, run, start),
            default_root_dir=run,
            callbacks=[*own[:-1], *more, *own[-1:]],
        )
    except (MisconfigurationException, ValueError, TypeError) as error:
        raise BadOption(f"lightning.trainer: {' '.join(str(error).split())}") from error


class StraightToDisk(TorchCheckpointIO):
    """Writes a checkpoint beside its place and renames it. Lightning builds the file in memory first: 12 GB at the published size."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """As Lightning calls it."""
        target = Path(path)
        part = target.with_name(f"{target.name}.writing")
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("wb") as file:  # a file of Python's own says what is wrong with the disk
                torch.save(checkpoint, file)
            os.replace(part, target)
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def in_one_line(several: bool = False) -> Iterator[None]:
    """Tell in one line what Lightning finds wrong with its arguments, and that another of several processes was lost."""
    try:
        yield
    except MisconfigurationException as error:
        raise BadOption(f"lightning.trainer: {' '.join(str(error).split())}") from error
    except RuntimeError as error:
        if several and any(name in str(error).lower() for name in ("gloo", "nccl", "closed by peer")):
            raise InstructAvatarError("another process of this run has ended; the same command goes on from the last checkpoint") from error
        raise


def _may_be_several(arguments: Mapping[str, Any]) -> bool:
    return str(arguments["devices"]) != "1" or int(arguments.get("num_nodes", 1)) > 1


def _callbacks(settings: DictConfig) -> list[Callback]:
    """The user's callbacks by their names."""
    made = []
    for name, node in (settings.get("callbacks") or {}).items():
        if node is None:
            continue
        callback = configuration.build(node)
        if not isinstance(callback, Callback):
            raise BadOption(f"expected lightning.callbacks.{name} to be a callback (target + params), got {type(callback).__name__}")
        made.append(callback)
    return made


def _model_checkpoint(settings: DictConfig, run: Path) -> list[Callback]:
    """More checkpoints than the last two, where they are asked for; `last.ckpt` stays the run's own."""
    section = settings.get("modelcheckpoint")
    if not section:
        return []
    node: Any = OmegaConf.to_container(section, resolve=True)
    params = {
        "dirpath": str(run / CHECKPOINTS),
        "filename": "step-{step:07d}",
        "auto_insert_metric_name": False,
        **(node.get("params") or {}),
    }
    params["save_last"] = False
    return [configuration.build({"target": node.get("target", "lightning.pytorch.callbacks.ModelCheckpoint"), "params": params})]


def _loggers(settings: DictConfig, run: Path, start: int) -> Any:
    section = settings.get("logger", "tensorboard")
    if not section:
        return False
    if section == "tensorboard":
        return _tensorboard(run, start)
    node: Any = OmegaConf.to_container(section, resolve=True) if OmegaConf.is_config(section) else section
    if not isinstance(node, dict):
        raise BadOption(f"expected lightning.logger to be {{target, params}}, several by name, tensorboard or null, got {node!r}")
    nodes = [node] if "target" in node else [entry for entry in node.values() if entry]
    return [_logger(entry, run) for entry in nodes] or False


def _logger(node: dict[str, Any], run: Path) -> Any:
    """A logger; one that writes files writes them into the run's folder unless told otherwise."""
    params = dict(node.get("params") or {})
    if "save_dir" in inspect.signature(configuration.locate(node["target"])).parameters:
        params.setdefault("save_dir", str(run))
    return configuration.build({"target": node["target"], "params": params})


def _tensorboard(run: Path, start: int) -> Any:
    if importlib.util.find_spec("tensorboard") is None:
        if is_first():
            log.warning("the package tensorboard is not installed; metrics.jsonl and losses.png are written all the same")
        return False
    from lightning.pytorch.loggers import TensorBoardLogger

    return TensorBoardLogger(save_dir=run, name="", version=BOARD, default_hp_metric=False, purge_step=start)
