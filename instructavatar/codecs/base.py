"""Codec: what turns a portrait and motion into pixels, and measured faces into motion.

A codec is the only place that knows how its motion numbers move a picture. T frames, D numbers of motion a frame, H x W picture.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from instructavatar.face.landmarks import Landmarks, places_from
from instructavatar.face.motion import FRAME_RATE_HZ, MOTION_DIM, ROTATION, TRANSLATION


@dataclass(frozen=True)
class Appearance:
    """What a codec keeps of one portrait. Codecs add their own fields in a subclass; callers only pass it on to `decode`."""

    portrait: NDArray[np.uint8]
    """[H, W, 3] RGB, the picture as given."""
    landmarks: Landmarks
    """The face to move, in pixels of the portrait."""
    rest: NDArray[np.float32]
    """[58] the motion that the portrait itself shows (`features.face_motion.resting_motion`)."""


@dataclass(frozen=True)
class Latents:
    """A codec's own motion over time; what `FaceMotion` is for the 58 numbers that people read."""

    values: NDArray[np.float32]
    """[T, D] at 25 Hz"""

    def __len__(self) -> int:
        """T."""
        return len(self.values)

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.values) / FRAME_RATE_HZ


class Codec(ABC):
    """Appearance + motion <-> pixels. One instance serves many portraits and holds no state between calls."""

    motion_dim: int
    """D, how many numbers describe one frame of motion."""

    @abstractmethod
    def encode_appearance(
        self, portrait: NDArray[np.uint8], landmarks: Landmarks, rest: NDArray[np.float32], others: Sequence[Landmarks] = ()
    ) -> Appearance:
        """Everything that is computed once per portrait. `portrait` [H, W, 3] RGB and `rest` [58] are not changed.

        `others` are the picture's other faces, which must stay as they are.
        """

    @abstractmethod
    def encode_motion(self, landmarks: Sequence[Landmarks]) -> NDArray[np.float32]:
        """Motion [T, D] of a measured face, one row per frame; an empty sequence gives [0, D]."""

    def start(self, appearance: Appearance) -> NDArray[np.float32]:
        """[D] the motion that the portrait itself shows, in this codec's numbers."""
        return appearance.rest

    @abstractmethod
    def decode(self, appearance: Appearance, motion: NDArray[np.float32]) -> Iterator[NDArray[np.uint8]]:
        """One picture [H, W, 3] RGB per row of `motion` [T, D], at the portrait's own size, drawn when asked for.

        Actions are absolute: 0 is a neutral face and `appearance.rest` is the face of the portrait. Rotation (degrees) and translation
        (inter-ocular distances) are relative to the portrait's own pose: 0 is as in the picture. So a row equal to `appearance.rest` gives
        the portrait back.
        Equal motion gives equal pictures, alone or in a sequence. Each picture is a fresh array. The shape is checked at the call.
        """

    def moves_within(self, appearance: Appearance) -> tuple[int, int, int, int]:
        """x0, y0, x1, y1 of the part of the portrait that `decode` may draw anew; the whole of it unless the codec knows better."""
        height, width = appearance.portrait.shape[:2]
        return 0, 0, width, height

    def decode_with_alpha(
        self, appearance: Appearance, motion: NDArray[np.float32], alpha: NDArray[np.uint8]
    ) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
        """The pictures of `decode`, each with the portrait's opacity [H, W] moved as the picture is.

        A codec that does not know how places move leaves it as it is in the portrait.
        """
        return ((picture, alpha) for picture in self.decode(appearance, motion))


def checked_motion(motion: NDArray[np.float32], motion_dim: int) -> NDArray[np.float32]:
    """Motion as float32 [T, D]; refuses another shape and numbers that are not finite."""
    values = np.asarray(motion, np.float32)
    if values.ndim != 2 or values.shape[1] != motion_dim:
        raise ValueError(f"expected motion of shape [T, {motion_dim}], got {list(values.shape)}")
    if not np.isfinite(values).all():
        raise ValueError("expected finite motion, got NaN or infinity; check the curves that were read")
    return values


def checked_portrait(portrait: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A contiguous uint8 RGB picture [H, W, 3]; refuses another shape or type."""
    if portrait.ndim != 3 or portrait.shape[2] != 3 or portrait.dtype != np.uint8 or portrait.size == 0:
        raise ValueError(f"expected a portrait of shape [H, W, 3] and type uint8, got {list(portrait.shape)} {portrait.dtype}")
    return np.ascontiguousarray(portrait)


def measured_motion(landmarks: Sequence[Landmarks]) -> NDArray[np.float32]:
    """FaceMotion rows [T, 58] of measured faces: scores as they are, rotation and translation relative to the first frame."""
    if not landmarks:
        return np.zeros((0, MOTION_DIM), np.float32)
    rows = np.stack([np.concatenate([face.actions, face.rotation_deg, face.translation]) for face in landmarks]).astype(np.float32)
    rows[:, ROTATION] -= rows[0, ROTATION]
    rows[:, TRANSLATION] = places_from(rows[0, TRANSLATION], rows[:, TRANSLATION])
    return rows
