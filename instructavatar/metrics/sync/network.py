"""SyncNet's two streams (Chung and Zisserman 2016): five frames of a face and a fifth of a second of sound -> points of one space.

Layers and their numbers are those of syncnet_v2.model (joonson/syncnet_python, MIT), so that the file loads as it is.

N windows, T frames.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from instructavatar.errors import BadBundle

FRAMES = 5  # of a window of pictures
HEARD = 20  # MFCC of a window of sound
SIDE = 224
WIDTH = 1024

_WHERE = "take syncnet_v2.model of joonson/syncnet_python"

# Convolutions: channels in and out, kernel, stride, padding; then kernel, stride and padding of the pooling after it, if there is any.
_Row = tuple[int, int, Any, Any, Any, tuple[Any, Any, Any] | None]
_SOUND: tuple[_Row, ...] = (
    (1, 64, 3, 1, 1, (1, 1, 0)),
    (64, 192, 3, 1, 1, (3, (1, 2), 0)),
    (192, 384, 3, 1, 1, None),
    (384, 256, 3, 1, 1, None),
    (256, 256, 3, 1, 1, (3, 2, 0)),
    (256, 512, (5, 4), 1, 0, None),
)
_LIPS: tuple[_Row, ...] = (
    (3, 96, (FRAMES, 7, 7), (1, 2, 2), 0, ((1, 3, 3), (1, 2, 2), 0)),
    (96, 256, (1, 5, 5), (1, 2, 2), (0, 1, 1), ((1, 3, 3), (1, 2, 2), (0, 1, 1))),
    (256, 256, (1, 3, 3), 1, (0, 1, 1), None),
    (256, 256, (1, 3, 3), 1, (0, 1, 1), None),
    (256, 256, (1, 3, 3), 1, (0, 1, 1), ((1, 3, 3), (1, 2, 2), 0)),
    (256, 512, (1, 6, 6), 1, 0, None),
)


class SyncNet(nn.Module):
    """Both streams, for reading only."""

    def __init__(self) -> None:
        """Random weights; `load` reads the published ones."""
        super().__init__()
        self.netcnnaud = _trunk(_SOUND, nn.Conv2d, nn.BatchNorm2d, nn.MaxPool2d)
        self.netfcaud = _head()
        self.netcnnlip = _trunk(_LIPS, nn.Conv3d, nn.BatchNorm3d, nn.MaxPool3d)
        self.netfclip = _head()
        # as the frames lie, which makes it a quarter faster
        self.netcnnlip.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
        self.eval().requires_grad_(False)

    @staticmethod
    def load(path: Path) -> SyncNet:
        """The net with the weights of a file.

        Raises:
            BadBundle: it holds something else; every weight must be there, and no other.
        """
        net = SyncNet()
        try:
            net.load_state_dict(_state(path), strict=True)
        except RuntimeError as error:
            raise BadBundle(f"expected SyncNet's weights in {path}, got others ({' '.join(str(error).split())[:200]}); {_WHERE}") from error
        return net

    def see(self, faces: Tensor) -> Tensor:
        """Faces [3, T, 224, 224], BGR 0..255 -> [T - 4, 1024], one for each five frames in a row."""
        # only the first layer looks along time, so all windows are seen in one pass
        seen = self.netcnnlip(faces[None])[0, :, :, 0, 0].T  # [512, N] -> [N, 512]
        return self.netfclip(seen)  # type: ignore[no-any-return]

    def hear(self, sound: Tensor) -> Tensor:
        """MFCC [N, 13, 20] -> [N, 1024]."""
        return self.netfcaud(self.netcnnaud(sound[:, None]).flatten(1))  # type: ignore[no-any-return]


def _trunk(rows: Sequence[_Row], conv: type[nn.Module], norm: type[nn.Module], pool: type[nn.Module]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inward, outward, kernel, stride, padding, pooled in rows:
        layers += [conv(inward, outward, kernel, stride, padding), norm(outward), nn.ReLU(inplace=True)]
        layers += [pool(*pooled)] if pooled else []
    return nn.Sequential(*layers)


def _head() -> nn.Sequential:
    return nn.Sequential(nn.Linear(512, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, WIDTH))


def _state(path: Path) -> Mapping[str, Tensor]:
    """What the file holds, read without running code."""
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises kinds of its own for damaged files
        raise BadBundle(f"expected SyncNet's weights in {path}, got a file that torch cannot read; {_WHERE}") from error
    if not isinstance(found, Mapping):
        raise BadBundle(f"expected SyncNet's weights by name in {path}, got {type(found).__name__}; {_WHERE}")
    return found
