"""What the denoising network is given, by name and order; the exported graph uses the same names.

B batch, T video frames (25 Hz), C speech or text feature width, L text tokens and S segments of the script.
"""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

# The order of the network's arguments, and of the exported graph's inputs.
INPUT_NAMES: tuple[str, ...] = (
    "x",  # [B, T, D] noisy motion, normalised
    "noise_level",  # [B] 0 (clean) .. 1 (pure noise)
    "known",  # [B, T, D] motion that is given, normalised
    "known_mask",  # [B, T, D] 1 where `known` is given
    "speech",  # [B, 2T, C] speech features (50 Hz); all zero with speech_mask 1 means "some unknown speech"
    "speech_mask",  # [B, T] 0 where there is no sound to follow
    "tokens",  # [B, L, C] token states of all segments, one after another
    "pooled",  # [B, S, C] one state per segment
    "tokens_alive",  # [B, T, L] 1 where the frame may attend the token
    "pooled_alive",  # [B, T, S] 1 where the frame may attend the segment
    "clock",  # [B, T, 2] seconds since the live segment began, seconds until it ends
    "frame_mask",  # [B, T] 1 for real frames, 0 for padding
)
# Inputs of networks that have the parts for them, after the others and in this order.
EXTRA_NAMES: tuple[str, ...] = (
    "key",  # [B, D] motion of a key frame, normalised; zeros for none
    "pose",  # [B, T, 3] head pitch, yaw, roll in degrees, where it is given
    "pose_mask",  # [B, T] 1 where it is
)
OUTPUT_NAME = "x0"


class MotionBatch(Protocol):
    """A batch of clips as training hands it over; the tensors named as in `INPUT_NAMES`, motion not yet normalised."""

    @property
    def motion(self) -> Tensor:
        """[B, T, D] in the store's own units."""
        ...

    @property
    def known_mask(self) -> Tensor:  # noqa: D102
        ...

    @property
    def speech(self) -> Tensor:  # noqa: D102
        ...

    @property
    def speech_mask(self) -> Tensor:  # noqa: D102
        ...

    @property
    def tokens(self) -> Tensor:  # noqa: D102
        ...

    @property
    def pooled(self) -> Tensor:  # noqa: D102
        ...

    @property
    def tokens_alive(self) -> Tensor:  # noqa: D102
        ...

    @property
    def pooled_alive(self) -> Tensor:  # noqa: D102
        ...

    @property
    def clock(self) -> Tensor:  # noqa: D102
        ...

    @property
    def frame_mask(self) -> Tensor:  # noqa: D102
        ...

    @property
    def key(self) -> Tensor:
        """[B, D] motion of a key frame in the store's own units."""
        ...

    @property
    def key_mask(self) -> Tensor:
        """[B] 1 where there is one."""
        ...

    @property
    def pose(self) -> Tensor:
        """[B, T, 3] measured head pose in degrees."""
        ...

    @property
    def pose_mask(self) -> Tensor:
        """[B, T] 1 where it was measured."""
        ...

    @property
    def units(self) -> Tensor:
        """[B, U] 1 for each action unit that is there."""
        ...

    @property
    def units_mask(self) -> Tensor:
        """[B] 1 where they are known."""
        ...

    @property
    def intensity(self) -> Tensor:
        """[B] 1 to 3; 0 is none or unknown."""
        ...
