"""The folder of a run: its configuration, its two last checkpoints, its weights."""

from __future__ import annotations

import logging
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf

from instructavatar import config as configuration
from instructavatar.errors import BadBundle, BadOption, CannotWrite, MissingFile

log = logging.getLogger(__name__)
CONFIG, CHECKPOINTS, WEIGHTS, JOURNAL, BOARD = "config.yaml", "checkpoints", "weights.safetensors", "metrics.jsonl", "tensorboard"
LAST, PREVIOUS = "last.ckpt", "previous.ckpt"


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """A checkpoint's contents; only tensors and plain values are read, never code."""
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except FileNotFoundError as error:
        raise MissingFile(f"expected a checkpoint, found none at {path}; train first") from error
    except Exception as error:  # torch raises kinds of its own for damaged archives
        raise BadBundle(f"expected a checkpoint of this project in {path}, could not read it; use an older one or train again") from error


def is_whole(path: Path) -> bool:
    """Is every byte of a checkpoint what was written? Its archive keeps a checksum of each tensor, which loading does not look at."""
    try:
        with zipfile.ZipFile(path) as archive:
            sound = archive.testzip() is None
        return sound and "global_step" in read_checkpoint(path)
    except (OSError, zipfile.BadZipFile, EOFError, NotImplementedError, BadBundle):
        return False


def latest_checkpoint(run: str | Path) -> Path | None:
    """The last checkpoint of a run, or the one before it where the last is damaged; None where there is none.

    Raises:
        BadBundle: there are checkpoints, and all are damaged.
    """
    found = [path for name in (LAST, PREVIOUS) if (path := Path(run) / CHECKPOINTS / name).is_file()]
    for path in found:
        if is_whole(path):
            return path
        log.warning("%s is damaged; looking for the one before it", path)
    if found:
        raise BadBundle(f"expected a sound checkpoint in {found[0].parent}, found only damaged ones; begin anew in another --logdir")
    return None


def keep_checkpoint(part: Path, folder: Path) -> None:
    """Make a finished file the last checkpoint, and the last the one before it. At every moment one of them is there and whole."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    if (folder / LAST).exists():
        os.replace(folder / LAST, folder / PREVIOUS)
    os.replace(part, folder / LAST)


def check_resumable(checkpoint: dict[str, Any], run: Path, config: DictConfig, corpus_hash: str) -> None:
    """Refuse to go on with a run of another model or another corpus."""
    differing = []
    if checkpoint.get("corpus_hash", corpus_hash) != corpus_hash:
        differing.append(f"its corpus is {checkpoint['corpus_hash']}, not {corpus_hash}")
    if (run / CONFIG).is_file() and _plain(configuration.read(run / CONFIG).get("model")) != _plain(config.model):
        differing.append(f"the model section of its {CONFIG} is another")
    if differing:
        raise BadOption(f"{run} holds another run ({'; '.join(differing)}); choose another --logdir")


def check_fits(checkpoint: dict[str, Any], module: torch.nn.Module, path: Path) -> None:
    """Refuse a checkpoint whose weights are not those of the module, before Lightning's own long complaint."""
    own, stored = module.state_dict(), checkpoint["state_dict"]
    odd = sorted(
        name for name in own.keys() | stored.keys() if name not in own or name not in stored or own[name].shape != stored[name].shape
    )
    if odd:
        raise BadOption(
            f"expected the weights of this model in {path}, but {len(odd)} differ, among them {odd[0]}; give its own configuration"
        )


def _plain(section: Any) -> Any:
    return OmegaConf.to_container(section, resolve=True) if OmegaConf.is_config(section) else section


def write_beside(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` make a file beside and rename it, so that it is there whole or not at all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(path.name + ".part")
        write(beside)
        os.replace(beside, path)
    except OSError as error:
        raise CannotWrite(
            f"expected a folder for the run, could not write to {path.parent}: {error.strerror or error}; choose another --logdir"
        ) from error


def write_config(config: DictConfig, run: Path) -> None:
    """Write the run's resolved configuration."""
    write_beside(run / CONFIG, lambda beside: configuration.save(config, beside))


def write_weights(module: Any, path: Path, step: int) -> None:
    """Write a module's averaged weights as safetensors, with where they come from; needs the package `safetensors`."""
    from safetensors.torch import save_file

    average = module.average
    if average:
        average.swap()
    try:
        state = {name: value.detach().cpu().clone().contiguous() for name, value in module.state_dict().items()}
    finally:
        if average:
            average.swap()
    about = {"format": "pt", "steps": str(step), "corpus_hash": module.corpus_hash, "averaged": str(bool(average)).lower()}
    write_beside(path, lambda beside: save_file(state, beside, about))


def set_aside(run: Path) -> Path | None:
    """Move an earlier run's files into `earlier-N/` of its folder, so that a new one begins without losing them."""
    names = (CONFIG, CHECKPOINTS, WEIGHTS, JOURNAL, "losses.png", BOARD)
    held = [run / name for name in names if (run / name).exists()]
    if not held:
        return None
    number = 1 + sum(1 for path in run.glob("earlier-*"))
    folder = run / f"earlier-{number}"
    folder.mkdir()
    for path in held:
        os.replace(path, folder / path.name)
    return folder
