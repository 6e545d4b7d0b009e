"""Where a portrait's irises end: gaze needs the iris without the white and the white without it, and measured circles are only near."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Eye = tuple[Floats, NDArray[np.bool_], Floats, float]
"""Light of an eye's patch [h, w], whether a pixel shows the eye [h, w], measured centre of the iris [2] in pixels, and its radius."""

# Where a rim is looked for, in measured radii from the measured circle.
SHIFTS, RADII = np.linspace(-0.25, 0.25, 11), np.linspace(0.8, 1.4, 13)
# Light is compared this far inside and outside a rim, in its radii, at angles to the sides: lids hide what is above and below.
INNER, OUTER, SIDES_DEG = 0.87, 1.13, 50.0
# What it costs to lie away from the measured circle (squared radii), and by what share of the white's light a rim must stand out.
STAYS, CLEAR = 0.75, 0.1
SEEN = 5  # angles of a side at which the eye must be seen for that side to count


def find_rims(eyes: Sequence[Eye]) -> list[tuple[Floats, float]]:
    """Centre [2] and radius of each eye's iris; both irises are of one size, in their measured radii.

    An eye without a clear rim (a statue's, a thumbnail's) keeps the measured circle.
    """
    shifts = np.stack(np.meshgrid(SHIFTS, SHIFTS), 2).reshape(-1, 2)
    away = (shifts**2).sum(1)[:, None] + (RADII - 1.0)[None] ** 2
    rises = [_rises(*eye, shifts) for eye in eyes]
    scores = [rise - STAYS * away for rise in rises]
    size = int(np.sum([score.max(0) for score in scores], axis=0).argmax())
    rims = []
    for (_, _, centre, radius), rise, score in zip(eyes, rises, scores, strict=True):
        best = int(score[:, size].argmax())
        clear = rise[best, size] >= CLEAR
        rims.append((centre + shifts[best] * radius, float(RADII[size] * radius)) if clear else (centre, radius))
    return rims


def _rises(light: Floats, inside: NDArray[np.bool_], centre: Floats, radius: float, shifts: Floats) -> Floats:
    """How much lighter it is outside than inside each circle [shifts, radii], as a share of the white's light."""
    if not inside.any():
        return np.zeros((len(shifts), len(RADII)))
    soft = cv2.GaussianBlur(light, (0, 0), max(0.08 * radius, 0.5))
    side = np.radians(np.linspace(-SIDES_DEG, SIDES_DEG, 15))
    angles = np.concatenate([side, side + np.pi])
    around = np.stack([np.cos(angles), np.sin(angles)], 1)
    height, width = light.shape
    found = []
    for share in (INNER, OUTER):
        at = np.rint(centre + radius * (shifts[:, None, None] + share * RADII[None, :, None, None] * around)).astype(int)
        x, y = at[..., 0].clip(0, width - 1), at[..., 1].clip(0, height - 1)
        found.append((soft[y, x], inside[y, x] & (x == at[..., 0]) & (y == at[..., 1])))
    (inner, inner_seen), (outer, outer_seen) = found
    seen = (inner_seen & outer_seen).reshape(len(shifts), len(RADII), 2, -1)
    white = max(float(np.percentile(soft[inside], 90)), 1.0)
    rises = np.where(seen, np.clip((outer - inner) / white, -0.5, 0.5).reshape(seen.shape), 0.0).sum(3)
    counts = seen.sum(3)
    # Where both sides are seen, the weaker one tells: a pupil's edge can pass for a rim on one side only.
    both = (rises / np.maximum(counts, SEEN)).min(2)
    return np.asarray(np.where(counts.min(2) >= SEEN, both, rises.sum(2) / np.maximum(counts.sum(2), 2 * SEEN)))
