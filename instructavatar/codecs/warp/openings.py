"""The openings of lids and lips: smooth edges through the drawn points, measured over the line between the corners."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from instructavatar.codecs.warp.compiled import njit

Array = NDArray[np.float32]

# Samples along an edge; the curves are drawn as straight pieces between them.
STEPS = 48
SPLITS = 8  # pieces between two points


@dataclass(frozen=True)
class Opening:
    """One opening in pixels of the drawn box."""

    frame: Array
    """[5] x, y of the first corner, unit vector to the last corner, distance."""
    top: Array
    """[STEPS + 1] height of the upper edge over the line between the corners, positive towards the forehead."""
    low: Array
    """[STEPS + 1] height of the lower edge."""

    def box(self, width: int, height: int) -> NDArray[np.int32]:
        """x0, y0, x1, y1 of the pixels it can touch, inside a picture of that size."""
        x, y, ex, ey, length = (float(v) for v in self.frame)
        high, deep = float(self.top.max()), float(self.low.min())
        xs = [x + ex * length * t + ey * v for t in (0, 1) for v in (high, deep)]
        ys = [y + ey * length * t - ex * v for t in (0, 1) for v in (high, deep)]
        lows = np.floor([min(xs) - 1, min(ys) - 1]).clip(0)
        highs = np.minimum(np.ceil([max(xs) + 2, max(ys) + 2]), [width, height])
        return np.array([*lows, *highs], np.int32)


def opening(points: NDArray[np.float64], upper: Sequence[int], lower: Sequence[int], mirrored: bool = False) -> Opening:
    """The opening between two rows of points [V, 2+] (x right, y down) that share both ends.

    `mirrored` rows run from image right to image left; they are turned so that heights stay positive upwards.
    """
    top, low = points[list(upper), :2], points[list(lower), :2]
    if mirrored:
        top, low = top[::-1], low[::-1]
    first, last = top[0], top[-1]
    length = max(float(np.linalg.norm(last - first)), 1e-3)
    ex, ey = (last - first) / length
    frame = np.array([*first, ex, ey, length], np.float32)
    axes = np.array([[ex, ey], [ey, -ex]])
    return Opening(frame, _heights((top - first) @ axes.T, length), _heights((low - first) @ axes.T, length))


@njit
def _heights(row: NDArray[np.float64], length: float) -> Array:
    """Resample a row of (along, height) to even steps along the line, through the curve of `smooth_row` with SPLITS pieces."""
    count = row.shape[0]
    heights = np.empty(STEPS + 1, np.float32)
    before_along, before_height = row[0, 0], row[0, 1]
    heights[0] = before_height
    filled = 1
    for i in range(count - 1):
        for k in range(1, SPLITS + 1):
            t = k / SPLITS
            value = np.empty(2)
            for axis in range(2):
                p1, p2 = row[i, axis], row[i + 1, axis]
                p0 = row[i - 1, axis] if i > 0 else 2 * p1 - p2
                p3 = row[i + 2, axis] if i + 2 < count else 2 * p2 - p1
                value[axis] = 0.5 * (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3)
            along = max(value[0], before_along + 1e-6)  # a curve that turns back goes on where it was
            while filled <= STEPS and length * filled / STEPS <= along:
                share = (length * filled / STEPS - before_along) / (along - before_along)
                heights[filled] = before_height + (value[1] - before_height) * share
                filled += 1
            before_along, before_height = along, value[1]
    while filled <= STEPS:
        heights[filled] = before_height
        filled += 1
    return heights


def smooth_row(row: NDArray[np.float64], splits: int) -> NDArray[np.float64]:
    """A Catmull-Rom curve through N points [N, D], with `splits` pieces between two of them: [(N - 1) splits + 1, D]."""
    padded = np.concatenate([2 * row[:1] - row[1:2], row, 2 * row[-1:] - row[-2:-1]])
    t = (np.arange(splits) / splits)[:, None, None]
    p0, p1, p2, p3 = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    curve = 0.5 * (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3)
    return np.concatenate([curve.transpose(1, 0, 2).reshape(-1, row.shape[1]), row[-1:]])


def affine(drawn: NDArray[np.float64], source: NDArray[np.float64]) -> Array:
    """[6] map from drawn pixels to source pixels through three pairs of points [3, 2]."""
    system = np.concatenate([drawn, np.ones((3, 1))], 1)
    return np.linalg.solve(system, source).T.ravel().astype(np.float32)


def edge_distances(edges: Opening, x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(pixels below the upper edge, pixels above the lower edge) of each place; negative outside."""
    x0, y0, ex, ey, length = edges.frame
    along = ((x - x0) * ex + (y - y0) * ey) / length
    height = (x - x0) * ey - (y - y0) * ex
    steps = np.linspace(0, 1, len(edges.top))
    return np.interp(along, steps, edges.top) - height, height - np.interp(along, steps, edges.low)
