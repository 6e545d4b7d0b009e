"""One training example, and several of them padded into a batch.

B batch, T video frames (25 Hz), D motion width, C feature width, L text tokens and S segments of the script, U action units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from instructavatar.errors import BadBundle
from instructavatar.face.action_units import ACTION_UNITS
from instructavatar.face.motion import SPEECH_PER_FRAME

UNIT_NAMES: tuple[str, ...] = tuple(ACTION_UNITS)
"""The order of `units`; U is their number."""
_EMPTY: Any = None  # a batch fills what is not given with zeros of the right shape


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
    key: NDArray[np.float32] | None = None  # [D] motion of the key frame; None where none is asked for
    pose: NDArray[np.float32] | None = None  # [T, 3] pitch, yaw, roll in degrees, as measured; None where the store has none
    units: NDArray[np.float32] | None = None  # [U] 1 for each action unit that is there; None where nobody knows
    intensity: int = 0  # 1 to 3; 0 is unknown or neutral
    talking: bool = False  # the clip has sound to follow
    emotion: str = ""


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
    key: Tensor = _EMPTY  # [B, D]
    key_mask: Tensor = _EMPTY  # [B] 1 where there is a key frame
    pose: Tensor = _EMPTY  # [B, T, 3]
    pose_mask: Tensor = _EMPTY  # [B, T] 1 where the pose was measured
    units: Tensor = _EMPTY  # [B, U] in the order of `UNIT_NAMES`
    units_mask: Tensor = _EMPTY  # [B] 1 where the units are known
    intensity: Tensor = _EMPTY  # [B] int64
    talking: Tensor = _EMPTY  # [B]
    emotion: tuple[str, ...] = _EMPTY

    def __post_init__(self) -> None:
        """What is not given is zero, and so is its mask."""
        b, t, d = self.motion.shape
        shapes = {"key": (b, d), "key_mask": (b,), "pose": (b, t, 3), "pose_mask": (b, t)}
        shapes |= {"units": (b, len(UNIT_NAMES)), "units_mask": (b,), "intensity": (b,), "talking": (b,)}
        for name, shape in shapes.items():
            if getattr(self, name) is None:
                kind = torch.int64 if name == "intensity" else torch.float32
                object.__setattr__(self, name, torch.zeros(shape, dtype=kind, device=self.motion.device))
        if self.emotion is None:
            object.__setattr__(self, "emotion", ("",) * b)

    def __len__(self) -> int:
        return len(self.names)

    def to(self, device: torch.device | str) -> ClipBatch:
        """The same batch on another device."""
        values = ((f.name, getattr(self, f.name)) for f in fields(self))
        moved: dict[str, Any] = {name: value.to(device) if isinstance(value, Tensor) else value for name, value in values}
        return ClipBatch(**moved)


def collate(examples: Sequence[ClipExample]) -> ClipBatch:
    """Pad examples to the longest in frames, tokens and segments; clips of different widths are refused."""
    if not examples:
        raise ValueError("expected at least one example to collate, got none")
    _same_widths(examples)
    t = max(len(e.motion) for e in examples)
    # at least one of each, as runtimes dislike axes of length zero; it is alive nowhere
    tokens = max(1, *(len(e.tokens) for e in examples))
    segments = max(1, *(len(e.pooled) for e in examples))
    width = examples[0].motion.shape[1]

    def padded(name: str, *shape: int) -> Tensor:
        return _pad([getattr(e, name) for e in examples], shape)

    def given(name: str) -> Tensor:
        return torch.tensor([getattr(e, name) is not None for e in examples], dtype=torch.float32)

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
        frame_mask=(frame_mask := _pad([np.ones(len(e.motion), np.float32) for e in examples], (t,))),
        key=padded("key", width),
        key_mask=given("key"),
        pose=padded("pose", t, 3),
        pose_mask=frame_mask * given("pose")[:, None],
        units=padded("units", len(UNIT_NAMES)),
        units_mask=given("units"),
        intensity=torch.tensor([e.intensity for e in examples]),
        talking=torch.tensor([float(e.talking) for e in examples]),
        emotion=tuple(e.emotion for e in examples),
    )


def _same_widths(examples: Sequence[ClipExample]) -> None:
    first, *others = [(e.name, (e.motion.shape[1], e.speech.shape[1], e.tokens.shape[1])) for e in examples]
    for name, widths in others:
        if widths != first[1]:
            told = f"clip {name}: expected motion, speech and text {first[1]} wide as in clip {first[0]}, got {widths}"
            raise BadBundle(f"{told}; prepare the corpus again")


def _pad(arrays: Sequence[NDArray[np.floating] | None], shape: tuple[int, ...]) -> Tensor:
    """Arrays side by side, zeros behind each; None is all zeros."""
    out = np.zeros((len(arrays), *shape), np.float32)
    for row, array in zip(out, arrays, strict=True):
        if array is not None:
            row[tuple(slice(0, n) for n in array.shape)] = array
    return torch.from_numpy(out)
