"""A small software renderer for the tools: triangles -> which triangle, and where in it, each pixel sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LIGHT = np.array([0.25, 0.45, 0.85]) / np.linalg.norm([0.25, 0.45, 0.85])


@dataclass(frozen=True)
class Seen:
    """What an orthographic camera on the z axis sees.

    triangle: int32 [S, S], -1 for nothing
    weights: float32 [S, S, 3], barycentric
    points: float32 [V, 3], vertices in pixels (y down, z towards the viewer)
    """

    triangle: NDArray[np.int32]
    weights: NDArray[np.float32]
    points: NDArray[np.float32]

    def interpolate(self, triangles: NDArray[np.int32], values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Values at vertices [V, C] -> at pixels [S, S, C]; zeros where nothing is seen."""
        pixels = np.einsum("hwk,hwkc->hwc", self.weights, values[triangles[self.triangle]])
        return pixels * (self.triangle >= 0)[..., None]


def project(vertices: NDArray[np.float32], size_px: int, centre: NDArray[np.float32], width: float) -> NDArray[np.float32]:
    """Orthographic: `width` metres around `centre` fill the picture. [V, 3] pixels."""
    scale = size_px / width
    moved = (vertices - centre) * scale
    return np.stack([size_px / 2 + moved[:, 0], size_px / 2 - moved[:, 1], moved[:, 2]], 1).astype(np.float32)


def rasterise(points: NDArray[np.float32], triangles: NDArray[np.int32], size_px: int) -> Seen:
    """Z-buffer of triangles whose vertices are in pixels."""
    triangle = np.full((size_px, size_px), -1, np.int32)
    weights = np.zeros((size_px, size_px, 3), np.float32)
    depth = np.full((size_px, size_px), -np.inf, np.float32)
    corners = points[triangles]
    low = np.clip(np.floor(corners[..., :2].min(1)).astype(int), 0, size_px)
    high = np.clip(np.ceil(corners[..., :2].max(1)).astype(int) + 1, 0, size_px)
    area = np.cross(corners[:, 1, :2] - corners[:, 0, :2], corners[:, 2, :2] - corners[:, 0, :2])
    for k in np.nonzero((area < -1e-9) & (high > low).all(1))[0]:  # y is down, so faces to the viewer turn clockwise
        (x0, y0), (x1, y1) = low[k], high[k]
        a, b, c = corners[k]
        x, y = np.meshgrid(np.arange(x0, x1) + 0.5, np.arange(y0, y1) + 0.5)
        v = ((x - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (y - a[1])) / area[k]
        w = ((b[0] - a[0]) * (y - a[1]) - (x - a[0]) * (b[1] - a[1])) / area[k]
        u = 1 - v - w
        z = u * a[2] + v * b[2] + w * c[2]
        box = np.s_[y0:y1, x0:x1]
        hit = (u >= -1e-4) & (v >= -1e-4) & (w >= -1e-4) & (z > depth[box])
        depth[box][hit] = z[hit]
        triangle[box][hit] = k
        weights[box][hit] = np.stack([u, v, w], -1)[hit]
    return Seen(triangle, weights, points)


def vertex_normals(vertices: NDArray[np.float32], triangles: NDArray[np.int32]) -> NDArray[np.float32]:
    """Unit normals [V, 3]."""
    corners = vertices[triangles]
    faces = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros_like(vertices)
    for i in range(3):
        np.add.at(normals, triangles[:, i], faces)
    return normals / (np.linalg.norm(normals, axis=1, keepdims=True) + 1e-12)
