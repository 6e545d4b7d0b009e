"""Puppets before a camera: clips of a performed corpus drawn on portraits, to hold what is measured against the truth.

T frames at 25 Hz. Actions are absolute in both; rotation is performed from the portrait's own pose and measured absolutely, so the pose of
the portrait is taken off before the two are compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from instructavatar.codecs.base import Appearance, Codec
from instructavatar.codecs.warp import WarpCodec
from instructavatar.face.action_units import sides
from instructavatar.face.motion import FaceMotion
from instructavatar.features.face_choice import choose_face
from instructavatar.features.face_motion import resting_motion
from instructavatar.features.landmarks import FaceLandmarker
from instructavatar.media.portrait import read_portrait
from instructavatar.media.video import write_video

SIDE = 512
ROOM = 1.1  # the close-up reaches this many face lengths to each side of the face's middle
# What is compared: name of the row -> column and weight. Brows that are raised and lowered at once cancel out in a picture, so what a
# reader of pixels must find is how high they are; the three actions behind it are compared too.
JUDGED: dict[str, dict[str, float]] = {
    "jaw": {"jawOpen": 1.0},
    "smile": dict.fromkeys(sides("mouthSmile"), 0.5),
    "blink": dict.fromkeys(sides("eyeBlink"), 0.5),
    "brows": {"browInnerUp": 0.5} | dict.fromkeys(sides("browOuterUp"), 0.25) | dict.fromkeys(sides("browDown"), -0.5),
    "inner brows up": {"browInnerUp": 1.0},
    "outer brows up": dict.fromkeys(sides("browOuterUp"), 0.5),
    "brows down": dict.fromkeys(sides("browDown"), 0.5),
}
MUST_AGREE = ("jaw", "smile", "blink", "brows")
LEAST_VARIED = 0.02  # standard deviation of the truth below which there is nothing to correlate with


@dataclass(frozen=True)
class Sitter:
    """A portrait, cut to a close-up and ready to be drawn."""

    name: str
    appearance: Appearance


def sitter(path: Path, codec: Codec, landmarker: FaceLandmarker, side: int = SIDE) -> Sitter:
    """The portrait's largest face with head and shoulders, in a square of that many pixels."""
    picture = read_portrait(path, max_side=2048).rgb
    face = choose_face(landmarker.find(picture), "largest", picture.shape[:2])
    left, top, right, bottom = face.box
    reach = ROOM * max(right - left, bottom - top)
    x, y = (left + right) / 2, (top + bottom) / 2
    rows = slice(max(0, round(y - reach)), round(y + reach))
    columns = slice(max(0, round(x - reach)), round(x + reach))
    part = picture[rows, columns]
    short = min(part.shape[:2])
    close = np.asarray(cv2.resize(part[:short, :short], (side, side), interpolation=cv2.INTER_AREA), np.uint8)
    landmarks = landmarker.choose(close, "largest")
    return Sitter(path.stem, codec.encode_appearance(close, landmarks, resting_motion(landmarks)))


def film(path: Path, who: Sitter, motion: FaceMotion, sound: NDArray[np.float32] | None, codec: Codec | None = None) -> None:
    """Draw a motion and write it as an mp4 with its sound."""
    write_video(path, (codec or WarpCodec.load()).decode(who.appearance, motion.values), sound)


@dataclass(frozen=True)
class Agreement:
    """How well measured motion matches what was drawn."""

    r: Mapping[str, float]
    """Row of `JUDGED` -> Pearson r over all frames of a sitter's clips, the median over sitters; NaN where nothing moved."""
    pose_deg: tuple[float, float, float]
    """Mean absolute error of pitch, yaw and roll."""
    frames: int


def agreement(clips: Iterable[tuple[Sitter, FaceMotion, FaceMotion]]) -> Agreement:
    """Compare (sitter, drawn, measured) clips; both motions of a clip are [T, 58] of one length."""
    pairs: dict[str, list[tuple[NDArray[np.float32], NDArray[np.float32]]]] = {}
    errors = []
    for who, drawn, found in clips:
        if len(drawn) != len(found):
            raise ValueError(f"expected motions of one length, got {len(drawn)} drawn and {len(found)} measured frames")
        pairs.setdefault(who.name, []).append((drawn.values, found.values))
        errors.append(np.abs(found.rotation_deg - who.appearance.landmarks.rotation_deg - drawn.rotation_deg))
    if not errors:
        raise ValueError("expected clips to compare, got none")
    whole = [tuple(np.concatenate(side) for side in zip(*of_one, strict=True)) for of_one in pairs.values()]
    r = {row: _median([_r(_summed(drawn, shares), _summed(found, shares)) for drawn, found in whole]) for row, shares in JUDGED.items()}
    pitch, yaw, roll = np.concatenate(errors).mean(0)
    return Agreement(r, (float(pitch), float(yaw), float(roll)), sum(map(len, errors)))


def _summed(values: NDArray[np.float32], shares: Mapping[str, float]) -> NDArray[np.float64]:
    motion = FaceMotion(values)
    return np.sum([share * motion.column(name) for name, share in shares.items()], axis=0, dtype=np.float64)


def _r(drawn: NDArray[np.float64], found: NDArray[np.float64]) -> float:
    """Pearson r; NaN where nothing was drawn, 0 where something was and nothing was found."""
    if drawn.std() < LEAST_VARIED:
        return float("nan")
    return float(np.corrcoef(drawn, found)[0, 1]) if found.std() > 0 else 0.0


def _median(values: Sequence[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.median(known)) if known else float("nan")
