"""LMD: how far landmarks lie from the real clip's on the same frame, as in EAT (Gan et al., ICCV 2023) and its forerunners.

lmd_mouth: over the 20 lip points of the 68, less their mean; lmd_face: over all 68, less theirs. Pixels in crops of 256, lower is better,
the real clip has 0. The same in inter-ocular distances of the real clip, which no crop changes: lmd_mouth_eyes, lmd_face_eyes.

Crops differ from paper to paper, so pixels compare only with equal crops. Here the crop of a clip is a square of 1.6 times the median
size of its face (the larger side of the landmarks' box): about what the usual 256 px crops of MEAD and HDTF show. The 68 points are read
off the landmarker's 478 (face/layouts.py); detectors of 68 points put the jaw elsewhere.

Traps: frames are compared one by one, so lips that are right but 80 ms late cost as much as wrong ones, and a still face may score well.
Two people's faces differ by more than any motion (12 px where one portrait spoke another's clip): compare clips of the same portrait.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from instructavatar.face.landmarks import OUTER_EYES
from instructavatar.face.layouts import DLIB_PARTS, dlib_68
from instructavatar.metrics.base import Metric, NotScored, Scores, Take, Value
from instructavatar.metrics.case import Case

SIDE = 256
CROP = 1.6  # sides of the crop in face sizes
MOUTH = slice(DLIB_PARTS["outer_lips"].start, DLIB_PARTS["inner_lips"].stop)
Points = NDArray[np.float64]


class LandmarkDistance(Metric):
    """Distance of landmarks from the real clip's."""

    values = {
        "lmd_mouth": Value("px of 256", False, given=True),
        "lmd_face": Value("px of 256", False, given=True),
        "lmd_mouth_eyes": Value("inter-ocular distances", False, given=True),
        "lmd_face_eyes": Value("inter-ocular distances", False, given=True),
    }

    def score(self, case: Case) -> Scores:
        """Over the common length."""
        mine, true = case.both()
        a, b = in_crop(mine), in_crop(true)
        mouth, face = distance(a[:, MOUTH], b[:, MOUTH]), distance(a, b)
        eyes = _eyes_px(true) * SIDE / crop_px(true)
        return {"lmd_mouth": mouth, "lmd_face": face, "lmd_mouth_eyes": mouth / eyes, "lmd_face_eyes": face / eyes}


def distance(one: Points, other: Points) -> float:
    """Mean distance of points [T, P, 2], each frame's less their mean."""
    moved = (one - one.mean(axis=1, keepdims=True)) - (other - other.mean(axis=1, keepdims=True))
    return float(np.linalg.norm(moved, axis=-1).mean())


def in_crop(take: Take) -> Points:
    """The 68 points [T, 68, 2] in pixels of the clip's crop, which stands still."""
    return dlib_68(_points(take)).astype(np.float64) * (SIDE / crop_px(take))


def crop_px(take: Take) -> float:
    """Side of the crop in pixels of the clip."""
    flat = _points(take)[..., :2]
    return CROP * float(np.median((flat.max(axis=1) - flat.min(axis=1)).max(axis=-1)))


def _eyes_px(take: Take) -> float:
    points = _points(take)
    return float(np.median(np.linalg.norm(points[:, OUTER_EYES[0]] - points[:, OUTER_EYES[1]], axis=-1)))


def _points(take: Take) -> NDArray[np.float32]:
    if take.points is None:
        raise NotScored("no landmarks")
    return take.points
