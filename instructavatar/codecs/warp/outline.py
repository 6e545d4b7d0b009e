"""How far hair, ears and hats reach beyond the face: its outline against the background, along rays.

N rays start on the face's oval. Lengths named _iod are in inter-ocular distances.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

# The picture is looked at so small: pixels in an inter-ocular distance, and how much of it around the face.
PIXELS, AROUND_IOD = 28.0, 2.4
# Beyond the oval, to the sides and over it: what may be the head, and from where on all is background.
LIKELY_IOD, LIKELY_UP_IOD, FARTHEST_IOD, FARTHEST_UP_IOD = 0.25, 0.35, 1.3, 0.3
ROUNDS = 3
# Less background than this between two parts of the head is a strand or a lock.
LEAST_GAP_IOD = 0.12


def head_reach(picture: NDArray[np.uint8], oval: NDArray[np.float64], directions: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    """Inter-ocular distances [N] from points of the oval [N, 2] along unit directions [N, 2] (pixels, y down) to where the head ends.

    scale is the inter-ocular distance in pixels. The answer is a guess from colours: hair like the background gives short ways.
    """
    middle = oval.mean(0)
    size = np.array([picture.shape[1], picture.shape[0]])
    low, high = np.maximum(middle - AROUND_IOD * scale, 0).astype(int), np.minimum(middle + AROUND_IOD * scale, size).astype(int)
    if (high - low).min() < 0.5 * scale:
        return np.zeros(len(oval))
    shrink = PIXELS / scale
    part = picture[low[1] : high[1], low[0] : high[0]]
    small = cv2.resize(part, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA if shrink < 1 else cv2.INTER_LINEAR)
    head = _head_mask(np.asarray(small, np.uint8), (oval - low) * shrink)
    steps = np.arange(0.0, FARTHEST_IOD + FARTHEST_UP_IOD, 0.03)
    at = np.rint(((oval - low)[:, None] + scale * steps[None, :, None] * directions[:, None]) * shrink).astype(int)
    inside = (at >= 0).all(-1) & (at < [head.shape[1], head.shape[0]]).all(-1)
    seen = head[at[..., 1].clip(0, head.shape[0] - 1), at[..., 0].clip(0, head.shape[1] - 1)] & inside
    gap = max(round(LEAST_GAP_IOD / 0.03), 1)
    ends = np.array([_first_gap(row, gap) for row in seen])
    around = np.stack([np.roll(ends, k) for k in range(-2, 3)])
    return np.asarray(steps[np.sort(around, axis=0)[2].astype(int)])


def _first_gap(row: NDArray[np.bool_], length: int) -> int:
    """Where the first run of `length` False values begins."""
    run = np.convolve(row.astype(int), np.ones(length, int))[length - 1 :]
    empty = np.flatnonzero(run == 0)
    return int(empty[0]) if len(empty) else len(row) - 1


def _head_mask(small: NDArray[np.uint8], oval: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Head and body by colour: what is like the face and its surroundings rather than like the picture farther off."""
    height, width = small.shape[:2]
    face = np.zeros((height, width), np.uint8)
    cv2.fillPoly(face, [np.rint(oval).astype(np.int32)], [1])
    if not face.any() or face.all():
        return face > 0
    distance = cv2.distanceTransform(1 - face, cv2.DIST_L2, 5) / PIXELS
    y, x = np.mgrid[:height, :width].astype(np.float64)
    middle, chin = oval.mean(0), float(oval[:, 1].max())
    up = np.clip((middle[1] - y) / (1.2 * PIXELS), 0.0, 1.0)
    mask = np.full((height, width), cv2.GC_BGD, np.uint8)
    mask[distance < FARTHEST_IOD + FARTHEST_UP_IOD * up] = cv2.GC_PR_BGD
    mask[distance < LIKELY_IOD + LIKELY_UP_IOD * up] = cv2.GC_PR_FGD
    mask[(y > chin - 0.1 * PIXELS) & (np.abs(x - middle[0]) < 0.5 * PIXELS + 1.2 * (y - chin))] = cv2.GC_PR_FGD
    mask[cv2.erode(face, np.ones((3, 3), np.uint8)) > 0] = cv2.GC_FGD
    known = np.isin(mask, (cv2.GC_BGD, cv2.GC_PR_BGD))
    if known.sum() < 30 or (~known).sum() < 30:
        return face > 0
    cv2.setRNGSeed(0)  # its clusters start at random
    cv2.grabCut(small, mask, None, np.zeros((1, 65)), np.zeros((1, 65)), ROUNDS, cv2.GC_INIT_WITH_MASK)  # type: ignore[call-overload]
    return np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD))
