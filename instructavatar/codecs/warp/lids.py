"""Lids: how far they are shut, and strips of skin between the upper lid's edge and the fold above it.

`LidCloser` scales the rig's lid movement to the eye at hand. The strips are laid over the face's own triangles: the mesh alone would smear
the lashes over a closed lid. In a strip the rows next to the edge keep their height, so lashes stay lashes and the skin above them
stretches down over the eye. C columns, 4 rows a strip; space of head.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from instructavatar.codecs.warp.openings import smooth_row
from instructavatar.codecs.warp.topology import EYES, EyePoints
from instructavatar.face.motion import INDEX
from instructavatar.face.rig import Rig

# Share of the way from the edge to the fold, and how much of the portrait's own height each row keeps when the lid comes down.
ROWS = (0.0, 0.45, 0.7, 1.0)
KEEPS = (1.0, 1.0, 0.5, 0.0)
# How far a closing lid comes forward, in inter-ocular distances, so that it covers the lower lid's edge.
FORWARD_IOD = 0.05
SPLITS = 3

# The blink score at which lids touch: over 1,900 frames of five people's videos the opening falls in a straight line, whoever it is
# (0.31 - 0.45 x score, in lengths of the eye), and nobody's closed eyes read as 1.
SHUT = 0.65
# Share of the eye's height by which the lids pass each other at a full blink, so that no sliver of the eye stays, and the least of the way
# that the lower lid goes: it flattens as the eye shuts.
OVERLAP, LOWER_RISES = 0.15, 0.1
# How other actions than a blink close the eye: their score to this power, times so much more than what the rig says of the full action
# (as read back). A gaze a little down or a slight squint is read on most calm faces and closes little.
OTHERS_POWER, OTHERS_GAIN = 1.6, 1.2
# Share of the rig's widening: lids are lifted by a quarter to a third of the eye's height, more looks frightened to death.
WIDENS = 0.7
OTHERS = ("eyeSquint", "eyeLookDown", "browDown", "cheekSquint")
# A blink as measured holds the narrowing by squints and lowered gaze already, so the stronger of both counts: a p-norm.
NORM = 4.0
# A half-shut eye is opened to no more than so many times its height, and no eye wider than this share of its length.
MOST_OPENED, MOST_OPEN = 2.5, 0.3
LEAST_OPEN = 0.05  # share of its height down to which an eye's own opening is told from a shut one
# Share of the rig's way down that the fold over a closing lid and the skin above it go: on real faces the lid's skin unfolds instead.
FOLD_KEEPS, ABOVE_KEEPS = 0.5, 0.4
# How much further than in the rig the lids follow a gaze up (lengths of the eye): the upper lid is lifted along with the eyeball, the lower
# one hardly.
LIFTS, STAYS = 0.05, 0.06
_EPS = 1e-6


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


class LidCloser:
    """Scales lid offsets so that the lids of any eye meet at a full blink and rest where the portrait has them."""

    def __init__(self, rig: Rig, own: NDArray[np.float64], rest: NDArray[np.float32], measured: NDArray[np.float32]) -> None:
        """`own` [468, 3] is the portrait in the rig's unit and axes, `rest` [52] what it is taken to show, `measured` [52] its scores."""
        self.own, self.eyes = own, [_ClosingEye(rig, own, eye, rest, measured) for eye in EYES]

    def __call__(self, offsets: NDArray[np.float64], motion: NDArray[np.float32]) -> NDArray[np.float64]:
        """Expression offsets [468, 3] with the lids where a motion [58] has them."""
        offsets = offsets.copy()
        for eye in self.eyes:
            eye.close(offsets, motion)
        return offsets


class _ClosingEye:
    """One eye of `LidCloser`."""

    def __init__(
        self, rig: Rig, own: NDArray[np.float64], points: EyePoints, rest: NDArray[np.float32], measured: NDArray[np.float32]
    ) -> None:
        self.points = points
        self.upper, self.lower = list(points.upper[1:-1]), list(points.lower[1:-1])
        rig_gap = (rig.neutral[self.upper] - rig.neutral[self.lower])[:, 1].mean()
        moved = (rig.basis[:, self.upper] - rig.basis[:, self.lower])[..., 1].mean(1) / rig_gap
        self.blink, self.wide = INDEX[f"eyeBlink{points.side}"], INDEX[f"eyeWide{points.side}"]
        self.others = [INDEX[f"{name}{points.side}"] for name in OTHERS]
        self.weights, self.widens = -OTHERS_GAIN * moved[self.others].astype(np.float64), WIDENS * float(moved[self.wide])
        self.gap = np.maximum((own[self.upper] - own[self.lower])[:, 1], 0.0)
        self.length = float(np.linalg.norm(own[points.upper[0]] - own[points.upper[-1]]))
        self.up, self.rest_up = INDEX[f"eyeLookUp{points.side}"], float(rest[INDEX[f"eyeLookUp{points.side}"]])
        self.arch = self.length * self.gap / max(float(self.gap.max()), _EPS)
        # Scores of a calm face tell how narrow its eyes are by nature: only a blink beyond its own closes them.
        believed, seen = self.opening(rest), 1.0 - min(float(measured[self.blink]) / SHUT, 1.0)
        self.open, self.narrow = max(believed, LEAST_OPEN), min(believed, max(seen, LEAST_OPEN))

    def opening(self, motion: NDArray[np.float32]) -> float:
        """Share of a neutral eye's height, 0 shut, above 1 wide."""
        blink = min(float(motion[self.blink]) / SHUT, 1.0)
        others = float(self.weights @ np.maximum(motion[self.others], 0.0).astype(np.float64) ** OTHERS_POWER)
        shut = min((blink**NORM + others**NORM) ** (1.0 / NORM), 1.0)
        return (1.0 - shut) * (1.0 + self.widens * float(motion[self.wide]))

    def close(self, offsets: NDArray[np.float64], motion: NDArray[np.float32]) -> None:
        """Set the lids' heights in offsets [468, 3]."""
        opening = self.opening(motion)
        ratio = opening / self.narrow if opening < self.narrow else max(opening / self.open, 1.0)
        if ratio > 1.0:
            wide = max(opening, 1.0)
            ratio = min(ratio, wide * max(1.0, min(MOST_OPENED, MOST_OPEN * self.length / max(float(self.gap[1:-1].mean()), _EPS))))
        shut = max(1.0 - ratio, 0.0)
        wanted = self.gap * (ratio - 1.0 - OVERLAP * shut)
        upper, lower = offsets[self.upper, 1], offsets[self.lower, 1]
        change = upper - lower
        share = np.clip(upper / np.where(np.abs(change) > _EPS, change, _EPS), 0.0, 1.0)
        common = upper - share * change
        share = np.minimum(share, 1.0 - LOWER_RISES * min(4.0 * shut, 1.0))
        for row, keep in ((list(self.points.fold), FOLD_KEEPS), (list(self.points.above), ABOVE_KEEPS)):
            offsets[row, 1] = np.where(offsets[row, 1] < 0, offsets[row, 1] * (1.0 + (keep - 1.0) * shut), offsets[row, 1])
        up = float(motion[self.up]) - self.rest_up
        offsets[self.upper, 1] = common + share * wanted + LIFTS * up * self.arch
        offsets[self.lower, 1] = common - (1.0 - share) * wanted - STAYS * up * self.arch
