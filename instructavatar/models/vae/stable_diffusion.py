"""Weights of a Stable Diffusion VAE (diffusers' AutoencoderKL) as a beginning.

They go into the appearance encoder and the decoder by name, and from the appearance encoder into the motion encoder. What does not fit is
told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from instructavatar.errors import BadBundle, MissingFile
from instructavatar.models.vae.two_encoder import TwoEncoderVae

FILES = ("diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin", "model.safetensors")
# Names that diffusers used for the attention before version 0.18; files of that time are still about.
_OLD_NAMES = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
_UP_BLOCK = re.compile(r"decoder\.up_blocks\.(\d+)\.")
_COPIED = "encoder.", "motion_encoder."


@dataclass(frozen=True)
class LoadReport:
    """What became of a checkpoint's weights; names are the model's own, but for `unused`."""

    source: str
    fitted: tuple[str, ...] = ()
    """Taken over from the checkpoint."""
    copied: tuple[str, ...] = ()
    """Of the motion encoder, taken from the appearance encoder."""
    wrong_shape: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = field(default_factory=dict)
    """In the checkpoint in another shape: (ours, the checkpoint's)."""
    fresh: tuple[str, ...] = ()
    """Left as they were, for want of anything that fits."""
    unused: tuple[str, ...] = ()
    """Of the checkpoint, with no place here."""
    numbers: int = 0
    """How many parameters were taken over or copied."""

    def __str__(self) -> str:
        """One line of counts, then a line for each kind of misfit with its first names."""
        counts = f"{len(self.fitted)} fitted, {len(self.copied)} copied to the motion encoder ({self.numbers / 1e6:.1f} M parameters)"
        lines = [f"{self.source}: {counts}"]
        wrong = [f"{name} {list(ours)} not {list(theirs)}" for name, (ours, theirs) in self.wrong_shape.items()]
        for what, names in (("of another shape", wrong), ("left fresh", self.fresh), ("unused", self.unused)):
            if names:
                rest = f" and {len(names) - 3} more" if len(names) > 3 else ""
                lines.append(f"  {len(names)} {what}: {', '.join(names[:3])}{rest}")
        return "\n".join(lines)


def load_stable_diffusion(vae: TwoEncoderVae, source: str | Path) -> LoadReport:
    """Begin from a VAE in a local folder or file (safetensors, or a PyTorch state dict read without code)."""
    path = _file_of(Path(source))
    return fit_weights(vae, _read(path), path.name)


@torch.no_grad()
def fit_weights(vae: TwoEncoderVae, weights: Mapping[str, Tensor], source: str = "weights") -> LoadReport:
    """Take over what has the same name and shape. A decoder with more levels lends its finest ones."""
    if not any(name.startswith(("encoder.down_blocks.", "decoder.up_blocks.")) for name in weights):
        got = ", ".join(sorted(weights)[:3]) or "nothing"
        raise BadBundle(
            f"expected a VAE as diffusers' AutoencoderKL saves it (encoder.down_blocks...), got {got}; convert it with diffusers"
        )
    own = dict(vae.named_parameters())
    deeper = max(0, _levels(weights) - _levels(own))
    fitted, wrong, unused = [], {}, []
    for theirs, value in weights.items():
        name = our_name(theirs, deeper)
        if name not in own:
            unused.append(theirs)
        elif not _same(own[name].shape, value.shape):
            wrong[name] = (tuple(own[name].shape), tuple(value.shape))
        else:
            own[name].copy_(value.reshape(own[name].shape))
            fitted.append(name)
    copied = _copy_encoder(own, fitted)
    taken = {*fitted, *copied}
    fresh = tuple(name for name in own if name not in taken and name not in wrong)
    numbers = sum(own[name].numel() for name in taken)
    return LoadReport(source, tuple(fitted), tuple(copied), wrong, fresh, tuple(unused), numbers)


def our_name(name: str, deeper: int = 0) -> str:
    """Our name of a checkpoint's weight; decoder levels count from the coarsest, of which it may have some more.

    >>> our_name("decoder.up_blocks.1.resnets.0.conv1.weight", 1)
    'decoder.up_blocks.0.resnets.0.conv1.weight'
    >>> our_name("encoder.mid_block.attentions.0.query.bias")
    'encoder.mid_block.attentions.0.to_q.bias'
    """
    parts = name.split(".")
    if "attentions" in parts and len(parts) >= 2 and parts[-2] in _OLD_NAMES:
        name = ".".join([*parts[:-2], _OLD_NAMES[parts[-2]], parts[-1]])
    level = _UP_BLOCK.match(name)
    if not level or not deeper:
        return name
    place = int(level[1]) - deeper
    return f"decoder.up_blocks.{place}.{name[level.end() :]}" if place >= 0 else f"coarser.{name}"


def _copy_encoder(own: Mapping[str, torch.nn.Parameter], fitted: list[str]) -> list[str]:
    """Copy what the appearance encoder took over to its twin."""
    before, after = _COPIED
    copied = []
    for name in fitted:
        twin = after + name.removeprefix(before)
        if name.startswith(before) and own[twin].shape == own[name].shape:
            own[twin].copy_(own[name])
            copied.append(twin)
    return copied


def _levels(names: Mapping[str, object]) -> int:
    return len({found[1] for name in names if (found := _UP_BLOCK.match(name))})


def _same(ours: torch.Size, theirs: torch.Size) -> bool:
    """Equal, or a linear layer that was saved as a 1x1 convolution."""
    return ours == theirs or (len(ours) == 2 and tuple(theirs) == (*ours, 1, 1))


def _file_of(source: Path) -> Path:
    if source.is_file():
        return source
    for folder in (source, source / "vae"):
        for name in FILES:
            if (folder / name).is_file():
                return folder / name
    raise MissingFile(
        f"expected the weights of a Stable Diffusion VAE ({FILES[0]}) at {source}, found none; copy the model's vae folder there"
    )


def _read(path: Path) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        loaded = torch.load(path, map_location="cpu", weights_only=True)
        return loaded.get("state_dict", loaded)
    except ImportError as error:
        raise MissingFile(f"{path.name} needs the package 'safetensors'; install it with: pip install 'instructavatar[train]'") from error
    except Exception as error:  # both libraries raise kinds of their own for damaged files
        raise BadBundle(
            f"expected weights in {path}, could not read them ({str(error).splitlines()[0][:120]}); copy the file again"
        ) from error
