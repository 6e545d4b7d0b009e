"""The face as SyncNet was trained to see it: 224 x 224 pixels about the box of a face detector, steadied along time.

The published box is S3FD's, which was trained on WIDER FACE. Ours is the box of the landmarks, raised by `FOREHEAD` to the size and place
of such a detector's; so numbers agree with published ones only within the difference of two detectors. Nor is the crop written as XVID
and JPEG in between, as the published pipeline does.

T frames.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from instructavatar.face.landmarks import Landmarks

SIDE = 224
# How much higher than the landmarks, in their heights, a detector of WIDER FACE reaches: 0.145 (deviation 0.04) on 37 frames of 19 pictures
# and videos by an MTCNN, also trained on WIDER FACE. Their lower edges agree (-0.004, 0.024), and so do the middles (-0.009, 0.018).
FOREHEAD = 0.145
_STEADY = 13  # frames of the median filter
_SCALE = 0.40  # crop_scale: this share of half the box is added on each side, twice as much below, none above
_BORDER = 110  # grey beyond the picture's edge


def crops(frames: Iterable[NDArray[np.uint8]], faces: Sequence[Landmarks | None]) -> Iterator[NDArray[np.uint8]]:
    """Each frame's face [224, 224, 3], BGR, of frames [H, W, 3], RGB."""
    for frame, (x, y, half) in zip(frames, track(faces), strict=False):
        yield crop(frame, x, y, half)


def track(faces: Sequence[Landmarks | None]) -> NDArray[np.float64]:
    """Centre x and y, and half the longer side, of the box on each frame [T, 3] in pixels; between neighbours where no face is seen."""
    seen = [t for t, face in enumerate(faces) if face is not None]
    found = np.array([box(face) for face in faces if face is not None])
    filled = np.stack([np.interp(np.arange(len(faces)), seen, column) for column in found.T], axis=1)
    return np.stack([_steadied(column) for column in filled.T], axis=1)


def box(face: Landmarks) -> tuple[float, float, float]:
    """Centre x and y, and half the longer side, of what S3FD would draw about a face."""
    left, top, right, bottom = face.box
    top -= FOREHEAD * (bottom - top)
    return (left + right) / 2, (top + bottom) / 2, max(right - left, bottom - top) / 2


def crop(frame: NDArray[np.uint8], x: float, y: float, half: float) -> NDArray[np.uint8]:
    """The face [224, 224, 3], BGR: 1.4 half sides to left and right of the centre, 1 above and 1.8 below it."""
    margin = int(half * (1 + 2 * _SCALE))
    padded = cv2.copyMakeBorder(frame, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=(_BORDER,) * 3)
    x, y = float(np.clip(x, 0, frame.shape[1])) + margin, float(np.clip(y, 0, frame.shape[0])) + margin
    rows = slice(int(y - half), int(y + half * (1 + 2 * _SCALE)))
    columns = slice(int(x - half * (1 + _SCALE)), int(x + half * (1 + _SCALE)))
    return np.ascontiguousarray(cv2.resize(padded[rows, columns], (SIDE, SIDE))[..., ::-1])


def _steadied(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Running median [T]; beyond the ends stand zeros, as in scipy.signal.medfilt, so that the ends lean to the smaller values."""
    padded = np.pad(values, _STEADY // 2)
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(padded, _STEADY), axis=1))
