"""One training example, and several of them padded into a batch.

B batch, T video frames (25 Hz), D motion width, C feature width, L text tokens and S segments of the script.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from instructavatar.face.motion import SPEECH_PER_FRAME


@dataclass(frozen=True)
class ClipExample:
    """A stretch of one clip, as arrays."""

    name: str
    motion: NDArray[np.float32]  # [T, D] in the store's own units
    known_mask: NDArray[np.float32]  # [T, D] 1 where the motion is given to the network
    speech: NDArray[np.float16] | NDArray[np.float32]  # [2T, C]
    speech_mask: NDArray[np.float32]  # [T] 0 where there is no sound to follow
    tokens: NDArray[np.float16] | NDArray[np.float32]  # [L, C]
    pooled: NDArray[np.float16] | NDArray[np.float32]  # [S, C]
    tokens_alive: NDArray[np.float32]  # [T, L]
    pooled_alive: NDArray[np.float32]  # [T, S]
    clock: NDArray[np.float32]  # [T, 2] seconds since the live segment began, until it ends


@dataclass(frozen=True)
class ClipBatch:
    """Examples side by side; the fields as in `ClipExample` with B in front, float32, zeros as padding."""

    names: tuple[str, ...]
    motion: Tensor  # [B, T, D]
    known_mask: Tensor  # [B, T, D]
    speech: Tensor  # [B, 2T, C]
    speech_mask: Tensor  # [B, T]
    tokens: Tensor  # [B, L, C]
    pooled: Tensor  # [B, S, C]
    tokens_alive: Tensor  # [B, T, L]
    pooled_alive: Tensor  # [B, T, S]
    clock: Tensor  # [B, T, 2]
    frame_mask: Tensor  # [B, T] 1 for real frames

    def __len__(self) -> int:
        return len(self.names)

    def to(self, device: torch.device | str) -> ClipBatch:
        """The same batch on another device."""
        return ClipBatch(self.names, *(getattr(self, f.name).to(device) for f in fields(self)[1:]))


def collate(examples: Sequence[ClipExample]) -> ClipBatch:
    """Pad examples to the longest in frames, tokens and segments."""
    if not examples:
        raise ValueError("expected at least one example to collate, got none")
    t = max(len(e.motion) for e in examples)
    # at least one of each, as runtimes dislike axes of length zero; it is alive nowhere
    tokens = max(1, *(len(e.tokens) for e in examples))
    segments = max(1, *(len(e.pooled) for e in examples))
    width = examples[0].motion.shape[1]

    def padded(name: str, *shape: int) -> Tensor:
        return _pad([getattr(e, name) for e in examples], shape)

    return ClipBatch(
        names=tuple(e.name for e in examples),
        motion=padded("motion", t, width),
        known_mask=padded("known_mask", t, width),
        speech=padded("speech", SPEECH_PER_FRAME * t, examples[0].speech.shape[1]),
        speech_mask=padded("speech_mask", t),
        tokens=padded("tokens", tokens, examples[0].tokens.shape[1]),
        pooled=padded("pooled", segments, examples[0].pooled.shape[1]),
        tokens_alive=padded("tokens_alive", t, tokens),
        pooled_alive=padded("pooled_alive", t, segments),
        clock=padded("clock", t, 2),
        frame_mask=_pad([np.ones(len(e.motion), np.float32) for e in examples], (t,)),
    )


def _pad(arrays: Sequence[NDArray[np.floating]], shape: tuple[int, ...]) -> Tensor:
    out = np.zeros((len(arrays), *shape), np.float32)
    for row, array in zip(out, arrays, strict=True):
        row[tuple(slice(0, n) for n in array.shape)] = array
    return torch.from_numpy(out)
