"""Which frames of a clip metrics of single pictures look at, and how they cut the face out of them.

Crops are [S, S, 3] RGB uint8. Where a face is larger than its crop, the picture is first made smaller by area averaging, for linear
sampling alone would alias; beyond the picture's edge its last pixels are repeated.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from instructavatar.face.landmarks import Landmarks
from instructavatar.face.motion import FRAME_RATE_HZ
from instructavatar.features.action_units import spread
from instructavatar.metrics.base import NotScored
from instructavatar.metrics.clips import PICTURES, Clip, Picture

# Where ArcFace (Deng et al. 2019) wants eyes, tip of the nose and corners of the mouth in a crop of 112 pixels; image left first.
_TEMPLATE = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]])
_TEMPLATE_SIDE = 112
# Landmarks whose mean is each of these points: the corners of an eye rather than its iris, so that gaze does not turn the crop.
_POINTS = ((33, 133), (362, 263), (1,), (61,), (291,))
_SHRINK_BELOW = 0.5


@dataclass(frozen=True)
class Look:
    """A frame that is looked at, with the face on it."""

    time_s: float
    picture: Picture
    face: Landmarks


def stills(clip: Clip, count: int, length: int | None = None) -> list[tuple[int, Picture]]:
    """`count` of the frames that are kept of a clip, or of its first `length` frames: (number, picture).

    They are taken from `Clip.pictures`, so that no clip is decoded or drawn again for another count.
    """
    frames = spread(PICTURES, len(clip) if length is None else min(length, len(clip)))
    pictures = clip.pictures(length=length)
    return [(int(frames[place]), pictures[place]) for place in spread(count, len(frames)) if place < len(pictures)]


def looks(clip: Clip, count: int, length: int | None = None) -> list[Look]:
    """Those of `stills` that show a face.

    Raises:
        NotScored: none does.
    """
    chosen = stills(clip, count, length)
    found = [Look(t / FRAME_RATE_HZ, picture, face) for t, picture in chosen if (face := clip.faces[t]) is not None]
    if not found:
        raise NotScored(f"no face on the {len(chosen)} frames that are looked at")
    return found


def aligned(picture: Picture, face: Landmarks, side: int = _TEMPLATE_SIDE, margin: float = 0.0) -> Picture:
    """The face turned and scaled so that five of its points meet ArcFace's as well as they can; `margin` is left free at each edge.

    At margin 0 the crop ends at chin and brow; 0.2 takes in hair and neck.
    """
    wanted = (_TEMPLATE / _TEMPLATE_SIDE * (1 - 2 * margin) + margin) * side
    points = np.stack([face.points[list(ids), :2].mean(0) for ids in _POINTS])
    return cut(picture, similarity(points, wanted), side)


def boxed(picture: Picture, face: Landmarks, side: int, grow: float) -> Picture:
    """The upright square about the face's box, `grow` times as long as its longer edge."""
    return cut(picture, square(face, side, grow), side)


def square(face: Landmarks, side: int, grow: float) -> NDArray[np.float64]:
    """[2, 3] map from the picture to the crop of `boxed`."""
    left, top, right, bottom = face.box
    scale = side / (grow * max(right - left, bottom - top))
    return np.array([[scale, 0, side / 2 - scale * (left + right) / 2], [0, scale, side / 2 - scale * (top + bottom) / 2]])


def similarity(source: NDArray[np.floating], target: NDArray[np.floating]) -> NDArray[np.float64]:
    """[2, 3] turn, scale and shift that brings points [N, 2] closest to others in the mean square (Umeyama 1991, in the plane).

    >>> similarity(np.array([[0, 0], [1, 0], [0, 1]]), np.array([[5, 5], [5, 7], [3, 5]])).round(6).tolist()
    [[0.0, -2.0, 5.0], [2.0, 0.0, 5.0]]
    """
    # With points as complex numbers such a map is w = a z + b.
    z, w = (np.asarray(points, np.float64) @ (1, 1j) for points in (source, target))
    centred = z - z.mean()
    a = np.vdot(centred, w - w.mean()) / max(np.vdot(centred, centred).real, 1e-12)
    b = w.mean() - a * z.mean()
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def cut(picture: Picture, matrix: NDArray[np.float64], side: int) -> Picture:
    """The square that the map [2, 3] from picture to crop shows."""
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if 0 < scale < _SHRINK_BELOW:
        height, width = picture.shape[:2]
        smaller = (max(round(width * scale), 1), max(round(height * scale), 1))
        picture = np.asarray(cv2.resize(picture, smaller, interpolation=cv2.INTER_AREA), np.uint8)
        back = np.array([[width / smaller[0], 0, 0], [0, height / smaller[1], 0], [0, 0, 1]])
        back[:2, 2] = (np.diag(back)[:2] - 1) / 2  # pixel centres, not corners, lie at whole numbers
        matrix = matrix @ back
    crop = cv2.warpAffine(picture, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(crop, np.uint8)
