"""Where in a picture faces may be: the detector on the whole, on tiles of a half, a quarter ..., and on turned copies.

The detector finds faces wider than about an eighth of its view, so each level of tiles finds faces half as large as the last.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from instructavatar.features.face_detector import FaceDetector
from instructavatar.features.region import Region, region_of_box

STEP = 0.6  # tiles advance by this share of their side, so a face of 0.4 sides lies whole in one of them
LEAST_TILE_PX = 240  # a face of 40 px is a sixth of it; smaller tiles would show faces too small to animate
# Real faces score 0.78 to 0.95 (14 pictures, 32 video frames); of 550 views of noise and blobs the best scored 0.66. One look at the whole
# picture may be generous, a hundred looks at tiles may not.
LEAST_SCORE, LEAST_TILE_SCORE = 0.5, 0.68
LONGEST_PX = 2048  # larger pictures are searched at this size
TURNS_DEG = (-90, 90, 180)  # the detector itself bears 60 degrees


def search(detector: FaceDetector, image: NDArray[np.uint8]) -> Iterator[list[Region]]:
    """Candidate regions level by level, the whole picture [H, W, 3] first; each level costs about four times the last."""
    scale = max(1.0, max(image.shape[:2]) / LONGEST_PX)
    small = _shrunk(image, scale)
    height, width = small.shape[:2]
    side = max(width, height)
    while True:
        yield [region for x, y, size in tiles(width, height, side) for region in _in_tile(detector, small, x, y, size, scale)]
        side //= 2
        if side < LEAST_TILE_PX:
            return


def search_near(detector: FaceDetector, image: NDArray[np.uint8], last: Region) -> list[Region]:
    """Candidate regions in the whole picture and close to where a face was: three times as far as its own region reaches."""
    height, width = image.shape[:2]
    side = max(width, height)
    near = min(side, max(1, round(3 * last.side)))
    x, y = (max(0, min(round(at - near / 2), room - near)) for at, room in ((last.x, width), (last.y, height)))
    return _in_tile(detector, image, x, y, near, 1.0) + _in_tile(detector, image, 0, 0, side, 1.0)


def search_turned(detector: FaceDetector, image: NDArray[np.uint8]) -> list[Region]:
    """Candidate regions of faces that lie on their side or upside down: the whole picture, turned."""
    regions = []
    for degrees in TURNS_DEG:
        turned, back = _turned(image, degrees)
        regions += [region_of_box(box).mapped(back) for box in detector.detect(turned, LEAST_TILE_SCORE)]
    return regions


def tiles(width: int, height: int, side: int) -> list[tuple[int, int, int]]:
    """Overlapping squares (x, y, side) that cover a picture; the last of a row ends with the picture.

    >>> tiles(200, 100, 100)
    [(0, 0, 100), (50, 0, 100), (100, 0, 100)]
    """
    return [(x, y, side) for y in _starts(height, side) for x in _starts(width, side)]


def _starts(length: int, side: int) -> list[int]:
    room = max(0, length - side)
    count = int(np.ceil(room / (STEP * side))) + 1
    return [int(start) for start in np.linspace(0, room, count).round()]


def _in_tile(detector: FaceDetector, image: NDArray[np.uint8], x: int, y: int, side: int, scale: float) -> list[Region]:
    """Regions found in a tile, in pixels of the unshrunk picture."""
    least = LEAST_SCORE if side >= max(image.shape[:2]) else LEAST_TILE_SCORE
    found = [region_of_box(box) for box in detector.detect(image[y : y + side, x : x + side], least)]
    return [Region((r.x + x) * scale, (r.y + y) * scale, r.side * scale, r.angle) for r in found]


def _shrunk(image: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    if scale <= 1:
        return image
    size = (round(image.shape[1] / scale), round(image.shape[0] / scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


def _turned(image: NDArray[np.uint8], degrees: float) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The picture turned about its middle inside a square that holds all of it, and the [2, 3] map back."""
    height, width = image.shape[:2]
    side = int(np.ceil(np.hypot(width, height)))
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    matrix[:, 2] += [(side - width) / 2, (side - height) / 2]
    return cv2.warpAffine(image, matrix, (side, side)), cv2.invertAffineTransform(matrix)  # type: ignore[return-value]
