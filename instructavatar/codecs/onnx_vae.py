"""The two-encoder VAE at inference: three ONNX networks, without torch.

T frames, H x W portrait, S side of the networks' pictures, C x h x w appearance latent, D numbers of motion. The networks see a square
around the face, as `prepare` crops it for training; what they draw is pasted back into the portrait.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from instructavatar.codecs.base import Appearance, Codec, checked_motion, checked_portrait
from instructavatar.codecs.landmark_image import LandmarkImage
from instructavatar.errors import BadBundle, MissingFile
from instructavatar.face.landmarks import POINT_COUNT, Landmarks
from instructavatar.media.portrait import Box, paste_back

APPEARANCE, MOTION, DECODER = "appearance_encoder.onnx", "motion_encoder.onnx", "decoder.onnx"
Picture = NDArray[np.uint8]


class Square(NamedTuple):
    """A square of a picture in its pixels; may reach outside."""

    left: float
    top: float
    side: float


@dataclass(frozen=True)
class VaeAppearance(Appearance):
    """A portrait ready to be drawn anew."""

    latent: NDArray[np.float32]
    """[C, h, w] its looks."""
    motion: NDArray[np.float32]
    """[D] the motion that the portrait itself shows; `rest` tells it in FaceMotion."""
    square: Square
    """Which part of it the networks see, in whole pixels."""


class OnnxVaeCodec(Codec):
    """Looks and landmarks to latents, and latents to pictures.

    Args:
        folder: of the three networks.
        points: 478 or 68, as in training.
        radius: of a point's disc, as in training.
        margin: room around the face on each side, in sides of its box; as `prepare` leaves it.
        feather: share of the square over which it fades into the portrait.
        threads: of ONNX Runtime; 0 takes OMP_NUM_THREADS, or lets it choose.
    """

    def __init__(
        self, folder: str | Path, points: int = POINT_COUNT, radius: int = 1, margin: float = 0.3, feather: float = 0.1, threads: int = 0
    ) -> None:
        self._looks, self._motion, self._decoder = (_session(Path(folder) / name, threads) for name in (APPEARANCE, MOTION, DECODER))
        self.size = int(self._looks.get_inputs()[0].shape[-1])
        self.motion_dim = int(self._decoder.get_inputs()[1].shape[-1])
        self.drawing = LandmarkImage(int(self._motion.get_inputs()[0].shape[-1]), points, radius)
        self.margin, self.feather = margin, feather

    def encode_appearance(
        self, portrait: Picture, landmarks: Landmarks, rest: NDArray[np.float32], others: Sequence[Landmarks] = ()
    ) -> VaeAppearance:
        """The latent of the square around the face."""
        portrait = checked_portrait(portrait)
        square = Square(*(float(round(value)) for value in face_square([landmarks], self.margin)))
        latent = self.latent_of(cut(portrait, square, self.size))
        motion = self.motion_of(landmarks.points[None], square)[0]
        return VaeAppearance(portrait, landmarks, np.asarray(rest, np.float32), latent, motion, square)

    def encode_motion(self, landmarks: Sequence[Landmarks]) -> NDArray[np.float32]:
        """Latents [T, D] within the square around all the faces, so a head that moves or nears moves and nears in them."""
        if not landmarks:
            return np.zeros((0, self.motion_dim), np.float32)
        return self.motion_of(np.stack([face.points for face in landmarks]), snapped(face_square(landmarks, self.margin)))

    def start(self, appearance: Appearance) -> NDArray[np.float32]:
        """The latent of the portrait's own landmarks."""
        return own(appearance).motion

    def decode(self, appearance: Appearance, motion: NDArray[np.float32]) -> Iterator[Picture]:
        """Pictures of `Codec.decode`; `appearance.motion` as a row gives the portrait as the networks know it."""
        known = own(appearance)
        pictures = self.pictures(known.latent, checked_motion(motion, self.motion_dim))
        return (pasted(known.portrait, picture, known.square, self.feather) for picture in pictures)

    def moves_within(self, appearance: Appearance) -> tuple[int, int, int, int]:
        """The square that the networks see, as far as it lies in the portrait."""
        height, width = appearance.portrait.shape[:2]
        left, top, side = (int(value) for value in own(appearance).square)
        return max(left, 0), max(top, 0), min(left + side, width), min(top + side, height)

    def latent_of(self, picture: Picture) -> NDArray[np.float32]:
        """[C, h, w] of a face crop [S, S, 3]."""
        values = picture.astype(np.float32).transpose(2, 0, 1)[None] / np.float32(127.5) - 1
        return np.asarray(self._looks.run(None, {"picture": values})[0][0], np.float32)

    def motion_of(self, points: NDArray[np.float32], square: Square | None = None) -> NDArray[np.float32]:
        """[T, D] of landmarks [T, 478, 3] in pixels of a picture, seen in a square of it; without one, in pixels of a crop of side S."""
        if square is not None:
            points = points - np.array([square.left, square.top, 0], np.float32)
        rows = np.zeros((len(points), self.motion_dim), np.float32)
        for row, face in zip(rows, points, strict=True):  # one by one: equal faces give equal numbers, alone or in a sequence
            drawn = self.drawing.draw(face[None], square.side if square else self.size)
            row[:] = self._motion.run(None, {"drawn": drawn[:, None].astype(np.float32) / np.float32(127.5) - 1})[0][0]
        return rows

    def pictures(self, latent: NDArray[np.float32], motion: NDArray[np.float32]) -> Iterator[Picture]:
        """Face crops [S, S, 3], one per row of motion [T, D]."""
        for row in motion:
            output = self._decoder.run(None, {"appearance": latent[None], "motion": row[None]})[0][0]
            yield np.ascontiguousarray(np.rint((np.clip(output, -1, 1) + 1) * 127.5).astype(np.uint8).transpose(1, 2, 0))


def own(appearance: Appearance) -> VaeAppearance:
    """An appearance that this codec made; another's is refused."""
    if not isinstance(appearance, VaeAppearance):
        raise TypeError(f"expected an appearance made by OnnxVaeCodec.encode_appearance, got {type(appearance).__name__}")
    return appearance


def face_square(faces: Sequence[Landmarks], margin: float) -> Square:
    """The square around all faces, with room on each side."""
    boxes = np.array([face.box for face in faces])
    low, high = boxes[:, :2].min(0), boxes[:, 2:].max(0)
    side = max(2.0, float((high - low).max()) * (1 + 2 * margin))
    left, top = (low + high) / 2 - side / 2
    return Square(float(left), float(top), side)


def snapped(square: Square, step: int = 16, within: float = 2.0) -> Square:
    """The whole of a face crop where the square is that but for rounding, so that stored landmarks are seen exactly as in training.

    >>> snapped(Square(-0.4, 0.7, 127.1)), snapped(Square(30.0, 0.0, 128.0))
    (Square(left=0.0, top=0.0, side=128.0), Square(left=30.0, top=0.0, side=128.0))
    """
    whole = float(max(step, step * round(square.side / step)))
    off = max(abs(square.left), abs(square.top), abs(square.side - whole))
    return Square(0.0, 0.0, whole) if off <= within else square


def cut(portrait: Picture, square: Square, size: int) -> Picture:
    """The square of a portrait [size, size, 3]; what lies outside is filled from the border."""
    left, top, side = (int(value) for value in square)
    height, width = portrait.shape[:2]
    part = portrait[max(0, top) : max(0, top + side), max(0, left) : max(0, left + side)]
    if not part.size:
        raise ValueError(f"expected a face inside the picture of {width} x {height} pixels, got one at {left}, {top}")
    margins = max(0, -top), max(0, top + side - height), max(0, -left), max(0, left + side - width)
    if any(margins):
        part = np.asarray(cv2.copyMakeBorder(part, *margins, borderType=cv2.BORDER_REPLICATE), np.uint8)
    if side == size:
        return np.ascontiguousarray(part)
    return np.asarray(cv2.resize(part, (size, size), interpolation=cv2.INTER_AREA if side > size else cv2.INTER_LINEAR), np.uint8)


def pasted(portrait: Picture, picture: Picture, square: Square, feather: float) -> Picture:
    """A copy of the portrait with a picture in the square of it."""
    left, top, side = (int(value) for value in square)
    height, width = portrait.shape[:2]
    box = Box(max(0, left), max(0, top), min(width, left + side), min(height, top + side))
    way = cv2.INTER_AREA if picture.shape[0] > side else cv2.INTER_CUBIC
    patch = picture if picture.shape[0] == side else cv2.resize(picture, (side, side), interpolation=way)
    inside = patch[box.top - top : box.bottom - top, box.left - left : box.right - left]
    return paste_back(portrait, np.asarray(inside, np.uint8), box, feather)


def _session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    if not path.is_file():
        raise MissingFile(f"expected a codec's network at {path}, found none; export the codec again")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or int(os.environ.get("OMP_NUM_THREADS") or 0)
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime raises kinds of its own, none of them public
        raise BadBundle(f"expected an ONNX network in {path}, could not open it; export the codec again") from error
