"""Lips that meet: the part of a portrait's open mouth that its rest motion cannot explain closes as the mouth leaves rest.

Offsets are [468, 3] in inter-ocular distances in the face's own axes (x right, y up).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from instructavatar.face.mesh import LIPS_INNER_LOWER, LIPS_INNER_UPPER, MOUTH_CORNERS, VERTEX_COUNT
from instructavatar.face.motion import ACTIONS, INDEX

Array = NDArray[np.float64]

CORNERS = [LIPS_INNER_UPPER[0], LIPS_INNER_UPPER[-1]]
UPPER, LOWER = list(LIPS_INNER_UPPER[1:-1]), list(LIPS_INNER_LOWER[1:-1])
# Rows of nine points from the inner to the outer rim of each lip.
UPPER_ROWS = (
    UPPER,
    [183, 42, 41, 38, 12, 268, 271, 272, 407],
    [184, 74, 73, 72, 11, 302, 303, 304, 408],
    [185, 40, 39, 37, 0, 267, 269, 270, 409],
)
LOWER_ROWS = (
    LOWER,
    [96, 89, 179, 86, 15, 316, 403, 319, 325],
    [77, 90, 180, 85, 16, 315, 404, 320, 307],
    [146, 91, 181, 84, 17, 314, 405, 321, 375],
)
MOUTH_ACTIONS = [i for i, name in enumerate(ACTIONS) if name.startswith(("mouth", "jaw"))]
_PRESS = [INDEX[name] for name in ("mouthPressLeft", "mouthPressRight", "mouthRollLower", "mouthRollUpper")]
# Smaller gaps than this belong to closed lips: the landmarks lie on the lips rather than on the seam.
SEAM_IOD = 0.03
# Share of an unexplained gap that the upper lip closes; the jaw does the rest. Where a smile shows the upper teeth down to the lower lip,
# the lips meet higher: this far above the teeth's ends, or above what is seen of them.
UPPER_SHARE, OVER_TEETH_IOD = 0.25, 0.045
# Share of the way from the rig's pointed opening to an arc.
ROUNDING = 0.65
# Share of the way from the rig's V of a smile to a bow, its exponent, and the gap between the lips where this has ended.
BOWING, BOW, BOWED_GAP_IOD = 0.85, 2.0, 0.15

# Where a lip begins is looked for over this share of its thickness.
MOST_INSET = 0.4
# From the outer to the inner corner of the lips.
CORNER_CHAINS = ((61, 76, 62, 78), (291, 306, 292, 308))
CORNER_INSETS = np.array([[0.85], [0.75], [0.65]])
# Lips keep at least and at most this share of their own thickness.
LEAST_THICKNESS, MOST_THICKNESS = 0.85, 1.3


class LipCloser:
    """Closes and bounds the lips of one portrait."""

    def __init__(self, own: Array, rest_offsets: Array, rest: NDArray[np.float32]) -> None:
        """`own` [468, 3] is the portrait's face in its own axes, `rest` [58] its motion, `rest_offsets` [468, 3] the rig's for it."""
        self.rest = rest[MOUTH_ACTIONS].astype(np.float64)
        self.apart = own[UPPER] - own[LOWER]
        self.own_gap = self.apart[:, 1]
        self.rest_gap = rest_offsets[UPPER, 1] - rest_offsets[LOWER, 1]
        unexplained = self.own_gap - np.maximum(self.rest_gap, 0.0)
        self.excess = np.maximum(unexplained, 0.0) if self.own_gap.max() > SEAM_IOD else np.zeros(len(UPPER))
        self.upper_weights, self.lower_weights = _lip_weights(own)
        middle = len(UPPER) // 2
        room = self.own_gap[middle] - OVER_TEETH_IOD - rest_offsets[UPPER[middle], 1]
        self.upper_share = float(np.clip(room / max(self.excess[middle], SEAM_IOD), -UPPER_SHARE, UPPER_SHARE))
        middle, half = own[CORNERS, 0].mean(), max(abs(own[CORNERS[1], 0] - own[CORNERS[0], 0]) / 2, 1e-3)
        self.upper_own = np.maximum(own[UPPER_ROWS[-1], 1] - own[UPPER, 1], 0.0)
        self.lower_own = np.maximum(own[LOWER, 1] - own[LOWER_ROWS[-1], 1], 0.0)
        self.along = np.clip((own[LOWER, 0] - middle) / half, -1.0, 1.0)
        self.arc = np.sqrt(1.0 - self.along**2)

    def __call__(self, offsets: Array, motion: NDArray[np.float32]) -> tuple[Array, float]:
        """(offsets with lips that meet, how far the jaw rose for it)."""
        offsets = offsets.copy()
        # Lips that no longer press part no more than lips that never did.
        freed = np.maximum(np.minimum(offsets[UPPER, 1] - offsets[LOWER, 1] + self.rest_gap, 0.0) - np.minimum(self.rest_gap, 0.0), 0.0)
        _part(offsets, -freed)
        close = self.excess * (1.0 - self._kept(motion))
        offsets[:, 1] -= self.upper_share * self.upper_weights @ close
        offsets[:, 1] += (1.0 - self.upper_share) * self.lower_weights @ close
        self._bow(offsets, motion)
        self._round(offsets)
        self._keep_thickness(offsets, motion)
        # Lips press but never pass through each other.
        gap = self.own_gap + offsets[UPPER, 1] - offsets[LOWER, 1]
        passed = np.minimum(gap - np.minimum(self.own_gap, 0.0), 0.0)
        _part(offsets, -passed)
        self._meet(offsets)
        return offsets, float((1.0 - self.upper_share) * close.max())

    def _meet(self, offsets: Array) -> None:
        """Let the lips of an open mouth that closes meet sideways and in depth too: seen from above or below they would gape."""
        if self.own_gap.max() <= SEAM_IOD:
            return
        gap = self.own_gap + offsets[UPPER, 1] - offsets[LOWER, 1]
        closed = np.clip((self.own_gap - gap) / (0.65 * np.maximum(self.own_gap, SEAM_IOD)), 0.0, 1.0)[:, None]
        apart = closed * (self.apart + offsets[UPPER] - offsets[LOWER])[:, [0, 2]]
        for k, (upper, lower) in enumerate(zip(UPPER_ROWS, LOWER_ROWS, strict=True)):
            offsets[np.ix_(upper, [0, 2])] -= (0.5 - 0.12 * k) * apart
            offsets[np.ix_(lower, [0, 2])] += (0.5 - 0.12 * k) * apart

    def _round(self, offsets: Array) -> None:
        """Let an opening mouth be round: where its gap grows less than an arc asks, most of the difference is added.

        The lip that leaves the corners takes it; a smile's corners leave both lips and open nothing.
        """
        middle = len(LOWER) // 2
        gap, corners = offsets[UPPER, 1] - offsets[LOWER, 1], offsets[CORNERS, 1].mean()
        lacking = ROUNDING * np.maximum(max(gap[middle], 0.0) * self.arc - gap, 0.0) if gap[middle] > 0 else np.zeros(len(LOWER))
        hangs, rises = max(corners - offsets[LOWER[middle], 1], 0.0), max(offsets[UPPER[middle], 1] - corners, 0.0)
        lower = hangs / max(hangs + rises, 1e-6)
        for k, (upper, low) in enumerate(zip(UPPER_ROWS, LOWER_ROWS, strict=True)):
            offsets[low, 1] -= (1.0 - 0.15 * k) * lower * lacking
            offsets[upper, 1] += (1.0 - 0.15 * k) * (1.0 - lower) * lacking

    def _bow(self, offsets: Array, motion: NDArray[np.float32]) -> None:
        """Let the corners of closed lips rise or fall in a bow: the rig draws a V. Pressed lips stay straight."""
        middle = len(LOWER) // 2
        height = 0.5 * (offsets[UPPER, 1] + offsets[LOWER, 1])
        gap = float(offsets[UPPER[middle], 1] - offsets[LOWER[middle], 1])
        lift = np.where(self.along < 0, offsets[CORNERS[0], 1], offsets[CORNERS[1], 1]) - height[middle]
        over = height - height[middle] - lift * np.abs(self.along) ** BOW
        over = np.where(over * lift > 0, over, 0.0) * BOWING
        over *= (1.0 - _rolled(motion)) * np.clip(1.0 - gap / BOWED_GAP_IOD, 0.0, 1.0)
        offsets[:, 1] -= (self.upper_weights + self.lower_weights) @ over

    def _keep_thickness(self, offsets: Array, motion: NDArray[np.float32]) -> None:
        """Let lips that part or are put out turn outwards rather than thin, and lips that close not swell; rolled or pressed ones thin."""
        rolled = _rolled(motion)
        lips = (UPPER_ROWS, self.upper_own, self.upper_weights, 1.0), (LOWER_ROWS, self.lower_own, self.lower_weights, -1.0)
        for rows, own, weights, side in lips:
            grows = side * (offsets[rows[-1], 1] - offsets[rows[0], 1])
            least, most = (LEAST_THICKNESS - 1.0) * own, (MOST_THICKNESS - 1.0) * own
            lacking = (1.0 - rolled) * np.maximum(least - grows, 0.0) - np.maximum(grows - most, 0.0)
            pushed = weights @ lacking
            for k, row in enumerate(rows):
                pushed[row] = lacking * k / (len(rows) - 1)
            offsets[:, 1] += side * pushed

    def _kept(self, motion: NDArray[np.float32]) -> float:
        """Share of the unexplained gap that stays: all of it at rest, none on a neutral mouth or on pressed lips."""
        now, own = motion[MOUTH_ACTIONS].astype(np.float64), self.rest @ self.rest
        like_rest = float(np.clip(now @ self.rest / own, 0.0, 1.0)) if own > 0.02 else 1.0
        left, right, low, up = (float(motion[i]) for i in _PRESS)
        pressed = float(np.clip((left + right + low + up - float(self.rest @ self.rest > 0) * 0.1) / 0.7, 0.0, 1.0))
        return like_rest * (1.0 - pressed)


def _part(offsets: Array, gap: Array) -> None:
    """Widen the opening by `gap` [9], both lips by half, their outer rims by less."""
    for k, (upper, lower) in enumerate(zip(UPPER_ROWS, LOWER_ROWS, strict=True)):
        offsets[upper, 1] += (0.5 - 0.12 * k) * gap
        offsets[lower, 1] -= (0.5 - 0.12 * k) * gap


def _rolled(motion: NDArray[np.float32]) -> float:
    """0..1 how far lips press or roll in."""
    return float(np.clip(2.0 * motion[_PRESS].max(), 0.0, 1.0))


def lip_insets(box: NDArray[np.uint8], points: Array) -> NDArray[np.float32]:
    """[468, 2] steps in pixels from the inner points of open lips to where the lip itself begins in the picture.

    Landmarks often lie on teeth or in the dark; lips that close would carry a strip of either along. box [h, w, 3], points [468+, 2] in its
    pixels.
    """
    insets = np.zeros((len(points), 2), np.float32)
    shares = np.linspace(0.0, 0.85, 18)
    for rows, others in ((UPPER_ROWS, LOWER), (LOWER_ROWS, UPPER)):
        inner, outer = points[list(rows[0])], points[list(rows[-1])]
        inside = _colours(box, inner + 0.15 * (points[others] - inner))
        seen = _colours(box, inner + shares[:, None, None] * (outer - inner))  # [18, 9, 3]
        lip = np.median(seen[8:17].reshape(-1, 3), axis=0)
        strange = np.linalg.norm(seen - lip, axis=-1) > np.maximum(np.linalg.norm(seen - inside, axis=-1), 12.0)
        last = shares[
            np.minimum(np.cumprod(strange, axis=0).sum(0), len(shares) - 1)
        ]  # the first place that is lip rather than teeth or dark
        wide = np.concatenate([last[:1], last, last[-1:]])
        step = np.minimum(np.median([wide[:-2], wide[1:-1], wide[2:]], axis=0) + 0.04, MOST_INSET)
        for row in rows[:-1]:
            # In their old order, so that nothing folds.
            insets[list(row)] = step[:, None] * (outer - points[list(row)])
    for corner, *chain in CORNER_CHAINS:
        insets[chain] = CORNER_INSETS * (points[corner] - points[chain])
    return insets[:VERTEX_COUNT]


def _colours(box: NDArray[np.uint8], at: Array) -> Array:
    """Colours [..., 3] at places [..., 2], of the nearest pixels."""
    x, y = np.rint(at[..., 0]).astype(int), np.rint(at[..., 1]).astype(int)
    return box[y.clip(0, box.shape[0] - 1), x.clip(0, box.shape[1] - 1)].astype(np.float64)


def _lip_weights(own: Array) -> tuple[Array, Array]:
    """[468, 9] how much each face point follows each inner point of the upper and the lower lip."""
    corner_height = own[list(MOUTH_CORNERS), 1].mean()
    weights = []
    for inner, rows, near, reach, side in ((UPPER, UPPER_ROWS, 0.12, 0.22, 1.0), (LOWER, LOWER_ROWS, 0.22, 0.6, -1.0)):
        apart = np.abs(own[:, None, 0] - own[None, inner, 0])
        column = np.exp(-((apart / 0.12) ** 2))
        column /= np.maximum(column.sum(1, keepdims=True), 0.3)
        beyond = np.maximum(side * (own[:, 1] - corner_height), 0.0)
        # Sets in gradually: beside the corners the skin of both lips is one.
        onset = np.clip(beyond / near, 0.0, 1.0)
        fade = onset * onset * (3.0 - 2.0 * onset) * np.exp(-((beyond / reach) ** 2))
        share = column * fade[:, None]
        others = UPPER_ROWS if side < 0 else LOWER_ROWS
        share[np.concatenate(others)] = 0.0
        for k, row in enumerate(rows):
            share[row] = np.eye(len(inner)) * (1.0 - 0.08 * k)
        weights.append(share)
    return weights[0], weights[1]
