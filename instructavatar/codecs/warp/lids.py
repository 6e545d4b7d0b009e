"""Upper lids: strips of skin between the lid's edge and the fold above it, laid over the face's own triangles.

The mesh alone would smear the lashes over a closed lid. Here the rows next to the edge keep their height, so lashes stay lashes and the
skin above them stretches down over the eye. C columns, 4 rows a strip; space of head.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from instructavatar.codecs.warp.openings import smooth_row
from instructavatar.codecs.warp.topology import EYES, EyePoints

# Share of the way from the edge to the fold, and how much of the portrait's own height each row keeps when the lid comes down.
ROWS = (0.0, 0.45, 0.7, 1.0)
KEEPS = (1.0, 1.0, 0.5, 0.0)
# How far a closing lid comes forward, in inter-ocular distances, so that it covers the lower lid's edge.
FORWARD_IOD = 0.05
SPLITS = 3


@dataclass(frozen=True)
class Strip:
    """One upper lid."""

    edge: tuple[int, ...]
    fold: tuple[int, ...]

    def rows(self, vertices: NDArray[np.float64]) -> NDArray[np.float64]:
        """Edge and fold [2, C, 3] of face points [V, 3]."""
        return np.stack([smooth_row(vertices[list(self.edge)], SPLITS), smooth_row(vertices[list(self.fold)], SPLITS)])

    def vertices(self, drawn: NDArray[np.float64], rigid: NDArray[np.float64], forward: float) -> NDArray[np.float64]:
        """Rows [4 C, 3] of drawn face points, given where the portrait's lid would be if only the head had turned."""
        (edge, fold), (edge_rest, fold_rest) = self.rows(drawn), self.rows(rigid)
        height, own = fold - edge, fold_rest - edge_rest
        stretch = np.linalg.norm(height[:, :2], axis=1) / np.maximum(np.linalg.norm(own[:, :2], axis=1), 1e-3)
        closing = np.clip(2.0 * (stretch - 1.0), 0.0, 1.0)[:, None]
        strip = []
        for share, keep in zip(ROWS, KEEPS, strict=True):
            row = edge + share * (height + keep * closing * (own - height))
            strip.append(row + np.array([0, 0, forward]) * closing * (1.0 - share))
        return np.concatenate(strip)


def _strip(eye: EyePoints) -> Strip:
    return Strip(eye.upper, (eye.upper[0], *eye.fold, eye.upper[-1]))


STRIPS = tuple(_strip(eye) for eye in EYES)
COLUMNS = SPLITS * (len(STRIPS[0].edge) - 1) + 1


def strip_vertices(drawn: NDArray[np.float64], rigid: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    """Vertices of both strips [2 x 4 C, 3]; scale is the portrait's inter-ocular distance in pixels."""
    return np.concatenate([strip.vertices(drawn, rigid, FORWARD_IOD * scale) for strip in STRIPS])


def strip_triangles(first: int) -> NDArray[np.int32]:
    """Triangles of both strips whose vertices are numbered from `first`, wound to face the viewer."""
    grid = np.arange(len(ROWS) * COLUMNS, dtype=np.int32).reshape(len(ROWS), COLUMNS)
    a, b, c, d = grid[:-1, :-1].ravel(), grid[:-1, 1:].ravel(), grid[1:, :-1].ravel(), grid[1:, 1:].ravel()
    right = np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)])
    # The left eye's rows run from image right to image left.
    return np.concatenate([right + first, right[:, ::-1] + first + grid.size]).astype(np.int32)
