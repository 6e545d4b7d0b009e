"""Where faces are: Google's short-range BlazeFace net on one view of a picture, decoded here.

The net sees 128x128 pixels and gives 896 anchors, each with a box, six key points (right eye, left eye, nose, mouth, two ears; the
subject's own sides) and a logit. It finds faces wider than about an eighth of the view; `find_boxes` therefore looks at tiles too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

VIEW = 128
# Two anchors per cell of a 16x16 grid, six per cell of an 8x8 grid (strides 8, 16, 16, 16 with two anchors each).
GRIDS = ((16, 2), (8, 6))
OVERLAP = 0.3  # boxes that overlap more (intersection over union) are one face


@dataclass(frozen=True)
class Box:
    """A face candidate in pixels of the picture."""

    corners: NDArray[np.float32]
    """[4] left, top, right, bottom."""
    keypoints: NDArray[np.float32]
    """[6, 2] right eye, left eye, nose tip, mouth, right ear, left ear."""
    score: float


def anchors() -> NDArray[np.float32]:
    """[896, 2] anchor centres x, y in 0..1 of the view, in the net's order."""
    centres = []
    for cells, copies in GRIDS:
        y, x = np.mgrid[:cells, :cells]
        centres.append(np.repeat(np.stack([x, y], -1).reshape(-1, 2), copies, axis=0) / cells + 0.5 / cells)
    return np.concatenate(centres).astype(np.float32)


class FaceDetector:
    """BlazeFace on LiteRT. `interpreter` is the allocated net."""

    def __init__(self, interpreter: Any) -> None:
        self._net = interpreter
        self._input = interpreter.get_input_details()[0]["index"]
        outputs = {detail["shape"][-1]: detail["index"] for detail in interpreter.get_output_details()}
        self._regressors, self._scores = outputs[16], outputs[1]
        self._anchors = anchors()

    def detect(self, image: NDArray[np.uint8], least_score: float) -> list[Box]:
        """Faces in one view, best first: the whole picture [H, W, 3] RGB, padded with black to a square."""
        height, width = image.shape[:2]
        side = max(height, width)
        self._net.set_tensor(self._input, self._view(image, side))
        self._net.invoke()
        raw = self._net.get_tensor(self._regressors)[0]
        logits = np.clip(self._net.get_tensor(self._scores)[0, :, 0], -50, 50)
        scores = 1 / (1 + np.exp(-logits))
        keep = scores >= least_score
        offset = np.array([(side - width) / 2, (side - height) / 2], np.float32)
        return merge(self._decode(raw[keep], self._anchors[keep], scores[keep], side, offset))

    @staticmethod
    def _view(image: NDArray[np.uint8], side: int) -> NDArray[np.float32]:
        """The picture in the middle of a black 128x128 square, as [1, 128, 128, 3] in -1..1."""
        height, width = image.shape[:2]
        unit = side / VIEW
        # Corners to corners without the half pixel, as in the graph the net was made for: half a pixel more and its boxes move.
        matrix = np.array([[unit, 0, (width - side) / 2], [0, unit, (height - side) / 2]])
        view = cv2.warpAffine(image, matrix, (VIEW, VIEW), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_CONSTANT)
        return view[None] / np.float32(127.5) - 1

    @staticmethod
    def _decode(
        raw: NDArray[np.float32], centres: NDArray[np.float32], scores: NDArray[np.float32], side: int, offset: NDArray[np.float32]
    ) -> list[Box]:
        """Offsets from the anchors (in 128ths of the view) -> boxes in pixels of the picture."""
        points = (raw.reshape(-1, 8, 2) / VIEW).astype(np.float32)
        size = points[:, 1] * side
        points = (points + centres[:, None]) * side - offset
        corners = np.concatenate([points[:, 0] - size / 2, points[:, 0] + size / 2], axis=1)
        return [Box(box, keys, float(score)) for box, keys, score in zip(corners, points[:, 2:], scores, strict=True)]


def overlap(one: NDArray[np.float32], many: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union of a box [4] with boxes [N, 4]."""
    inner = np.clip(np.minimum(one[2:], many[:, 2:]) - np.maximum(one[:2], many[:, :2]), 0, None).prod(1)
    union = np.prod(one[2:] - one[:2]) + (many[:, 2:] - many[:, :2]).prod(1) - inner
    return inner / np.maximum(union, 1e-9)


def merge(boxes: list[Box]) -> list[Box]:
    """Overlapping candidates become one: the mean weighted by score, carrying the best score; best first."""
    rest = sorted(boxes, key=lambda box: -box.score)
    merged = []
    while rest:
        same = overlap(rest[0].corners, np.stack([box.corners for box in rest])) > OVERLAP
        same[0] = True
        merged.append(_mean([box for box, together in zip(rest, same, strict=True) if together]))
        rest = [box for box, together in zip(rest, same, strict=True) if not together]
    return merged


def _mean(boxes: list[Box]) -> Box:
    weights = np.array([box.score for box in boxes], np.float32)
    corners = np.average([box.corners for box in boxes], axis=0, weights=weights)
    keypoints = np.average([box.keypoints for box in boxes], axis=0, weights=weights).astype(np.float32)
    return Box(corners.astype(np.float32), keypoints, boxes[0].score)
