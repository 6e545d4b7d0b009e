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
