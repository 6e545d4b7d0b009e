"""The codec that moves nothing: motion in, motion out, and the portrait for every frame.

It proves that callers need nothing but the contract, and gives measurements their still-image row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from instructavatar.codecs.base import Appearance, Codec, checked_motion, checked_portrait, measured_motion
from instructavatar.face.landmarks import Landmarks
from instructavatar.face.motion import MOTION_DIM


class IdentityCodec(Codec):
    """Every picture is the portrait."""

    def __init__(self, motion_dim: int = MOTION_DIM) -> None:
        """`motion_dim` may be any size, so that tests can be small; `encode_motion` then keeps the first columns."""
        self.motion_dim = motion_dim

    def encode_appearance(
        self, portrait: NDArray[np.uint8], landmarks: Landmarks, rest: NDArray[np.float32], others: Sequence[Landmarks] = ()
    ) -> Appearance:
        """The portrait itself."""
        return Appearance(checked_portrait(portrait), landmarks, np.asarray(rest, np.float32))

    def encode_motion(self, landmarks: Sequence[Landmarks]) -> NDArray[np.float32]:
        """The first D columns of the measured motion."""
        return measured_motion(landmarks)[:, : self.motion_dim]

    def decode(self, appearance: Appearance, motion: NDArray[np.float32]) -> Iterator[NDArray[np.uint8]]:
        """The portrait, once per row of motion."""
        frames = len(checked_motion(motion, self.motion_dim))
        return (appearance.portrait.copy() for _ in range(frames))
