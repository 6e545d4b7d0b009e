"""Folds and swellings of a moving face, drawn once on the canonical face: how the skin's height changes and where it darkens.

Space: the canonical face seen from the front, x to image right and y up, origin between the outer eye corners, in inter-ocular distances.
The pictures of this file cover EXTENT with DENSITY pixels to the distance. Sides are the subject's own: Right is image left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from instructavatar.codecs.warp.openings import smooth_row
from instructavatar.codecs.warp.topology import EYES
from instructavatar.face import mesh

Array = NDArray[np.float32]

EXTENT = (-0.92, -1.42, 0.92, 0.68)  # x0, y0, x1, y1
DENSITY = 160
# Shading fades over this distance from the face's outline, and ends this far from eyes and lips.
OUTLINE_FADE, EYE_MARGIN, LIP_MARGIN, MARGIN_FADE = 0.16, 0.035, 0.012, 0.05


@dataclass(frozen=True)
class Crease:
    """What one movement of the face does to the skin at full strength."""

    name: str
    corner: tuple[int, int]
    """x, y of its pictures' first pixel in the picture of the whole face."""
    rise_x: Array
    """[h, w] how steeply the skin rises towards image right."""
    rise_y: Array
    """[h, w] and upwards."""
    shadow: Array
    """[h, w] relative change of light that does not depend on where the light comes from; a fold's bottom is about -0.15."""
    band: Array
    """[h, w] 0..1: where the portrait's own fold of this kind lies, if it has one."""


@lru_cache(maxsize=1)
def canonical_points() -> NDArray[np.float64]:
    """[468, 2] the canonical face from the front."""
    canonical = mesh.canonical_mesh()
    points = canonical.vertices.astype(np.float64)
    origin = points[list(mesh.OUTER_EYE_CORNERS)].mean(0)
    return (points - origin)[:, :2] / canonical.interocular


def to_pixels(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Places [..., 2] as x, y in the pictures of this file."""
    return (points - np.array([EXTENT[0], EXTENT[3]])) * np.array([DENSITY, -DENSITY])


def size() -> tuple[int, int]:
    """(width, height) of the picture of the whole face."""
    return round((EXTENT[2] - EXTENT[0]) * DENSITY), round((EXTENT[3] - EXTENT[1]) * DENSITY)


def _grid() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    width, height = size()
    return EXTENT[0] + np.arange(width)[None, :] / DENSITY + np.zeros((height, 1)), EXTENT[3] - np.arange(height)[:, None] / DENSITY


Spot = int | tuple[int, int, float] | tuple[float, float]


def _at(spot: Spot) -> NDArray[np.float64]:
    """A landmark, a place between two (a, b, share), or x, y."""
    points = canonical_points()
    if isinstance(spot, int):
        return points[spot]
    if len(spot) == 3:
        first, second, share = spot
        return points[first] + share * (points[second] - points[first])
    return np.array(spot, np.float64)


class _Canvas:
    """Height, shadow and band of one crease while it is drawn."""

    def __init__(self) -> None:
        self.x, self.y = _grid()
        self.height, self.shadow, self.band = (np.zeros(self.x.shape) for _ in range(3))

    def fold(self, spots: Sequence[Spot], width: float, slope: float, dark: float, bulge: float = 0.0, ends: float = 0.25) -> None:
        """A furrow along a curve.

        `width` of its bottom; `slope` of its walls; `dark`ness of its bottom; `bulge` is the slope of the skin that rises on its left, seen
        along the curve (negative: on its right); `ends` is the share of the curve over which it sets in and runs out.
        """
        curve = smooth_row(np.array([_at(spot) for spot in spots]), 6)
        along, across = _curve_distance(self.x, self.y, curve, 8.0 * width)
        taper = _smooth(np.minimum(along, 1.0 - along) / ends)
        profile = taper * np.exp(-((across / width) ** 2))
        self.height -= slope * width * profile
        if bulge:
            centre = 3.0 * width * np.sign(bulge)
            self.height += abs(bulge) * 2.0 * width * taper * np.exp(-(((across - centre) / (2.0 * width)) ** 2))
        self.shadow -= dark * profile
        self.band = np.maximum(self.band, taper * np.exp(-((across / (1.8 * width)) ** 4)))

    def swelling(self, spot: Spot, radius: tuple[float, float], slope: float, light: float = 0.0) -> None:
        """A round rise."""
        x, y = _at(spot)
        dome = np.exp(-(((self.x - x) / radius[0]) ** 2) - ((self.y - y) / radius[1]) ** 2)
        self.height += slope * min(radius) * dome
        self.shadow += light * dome

    def crease(self, name: str, mirrored: bool = False, window: NDArray[np.float64] | None = None) -> Crease:
        """The finished drawing, cut to what is not zero; `window` [h, w] fades it."""
        down, right = np.gradient(self.height * DENSITY)
        window = _skin_window() * (1.0 if window is None else window)
        layers = [layer * window for layer in (right, -down, self.shadow, self.band)]
        if mirrored:
            layers = [layer[:, ::-1] for layer in (-layers[0], *layers[1:])]
        seen = (np.abs(np.stack(layers)) > np.array([0.01, 0.01, 0.003, 0.02])[:, None, None]).any(0)
        columns, rows = np.flatnonzero(seen.any(0)), np.flatnonzero(seen.any(1))
        part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        return Crease(name, (int(columns[0]), int(rows[0])), *(np.ascontiguousarray(layer[part], np.float32) for layer in layers))


def _smooth(t: NDArray[np.float64]) -> NDArray[np.float64]:
    t = np.clip(t, 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def _curve_distance(
    x: NDArray[np.float64], y: NDArray[np.float64], curve: NDArray[np.float64], reach: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(place along a curve [N, 2] 0..1, distance from it, positive on its left) of each place; `along` is 0 beyond `reach`."""
    low, high = curve.min(0) - reach, curve.max(0) + reach
    near = (x >= low[0]) & (x <= high[0]) & (y >= low[1]) & (y <= high[1])
    at = np.stack([x[near], np.broadcast_to(y, x.shape)[near]], 1)
    steps = np.diff(curve, axis=0)
    lengths = np.linalg.norm(steps, axis=1)
    starts = np.concatenate([[0.0], np.cumsum(lengths)])
    best, along_near, across_near = np.full(len(at), np.inf), np.zeros(len(at)), np.full(len(at), reach)
    for k, (start, step, length) in enumerate(zip(curve[:-1], steps, lengths, strict=True)):
        away = at - start
        t = np.clip(away @ step / length**2, 0.0, 1.0)
        distance = np.linalg.norm(away - t[:, None] * step, axis=1)
        nearer = distance < best
        side = np.sign(step[0] * away[:, 1] - step[1] * away[:, 0])
        best = np.where(nearer, distance, best)
        along_near = np.where(nearer, (starts[k] + t * length) / starts[-1], along_near)
        across_near = np.where(nearer, side * distance, across_near)
    along, across = np.zeros(x.shape), np.full(x.shape, reach)
    along[near], across[near] = along_near, across_near
    return along, across


@lru_cache(maxsize=1)
def _skin_window() -> NDArray[np.float64]:
    """[h, w] 1 on skin, fading to 0 towards the face's outline, the eyes and the lips."""
    points = to_pixels(canonical_points())
    width, height = size()

    def distance(loop: Sequence[int], inside: bool) -> NDArray[np.float64]:
        filled = cv2.fillPoly(np.zeros((height, width), np.uint8), [np.rint(points[list(loop)]).astype(np.int32)], 1)
        return np.asarray(cv2.distanceTransform(filled if inside else 1 - filled, cv2.DIST_L2, 5), np.float64) / DENSITY

    window = _smooth(distance(mesh.FACE_OVAL, True) / OUTLINE_FADE)
    for eye in EYES:
        window = window * _smooth((distance((*eye.upper, *eye.lower[-2:0:-1]), False) - EYE_MARGIN) / MARGIN_FADE)
    lips = (*mesh.LIPS_OUTER_UPPER, *mesh.LIPS_OUTER_LOWER[-2:0:-1])
    return window * _smooth((distance(lips, False) - LIP_MARGIN) / MARGIN_FADE)


def _nasolabial(canvas: _Canvas) -> None:
    canvas.fold([129, 203, 206, 216, (212, 216, 0.35)], 0.055, 0.27, 0.08, bulge=-0.15, ends=0.5)


def _cheek(canvas: _Canvas) -> None:
    canvas.swelling((50, 36, 0.45), (0.2, 0.15), 0.3, 0.02)


def _crow(canvas: _Canvas) -> None:
    for start, end in (((-0.57, 0.04), (-0.70, 0.12)), ((-0.575, 0.0), (-0.73, 0.01)), ((-0.57, -0.05), (-0.70, -0.12))):
        middle = (0.5 * (start[0] + end[0]), 0.5 * (start[1] + end[1]) - 0.006)
        canvas.fold([start, middle, end], 0.013, 0.3, 0.1, bulge=0.12, ends=0.4)


def _lower_lid(canvas: _Canvas) -> None:
    canvas.fold([(228, 31, 0.3), 229, 230, 231], 0.02, 0.3, 0.08, bulge=0.2, ends=0.4)


def _forehead(canvas: _Canvas) -> None:
    brow, middle, top = (63, 105, 66, 107, 9), (68, 104, 69, 108, 151), (54, 103, 67, 109, 10)
    for rise, strength in ((0.45, 0.7), (0.9, 0.9), (1.3, 0.45)):
        half: list[tuple[float, float]] = []
        for first, second, third in zip(brow, middle, top, strict=True):
            x, y = _at((first, second, rise) if rise <= 1.0 else (second, third, rise - 1.0))
            half.append((float(x), float(y) + 0.008 * float(np.cos(9.0 * x + 7.0 * rise))))
        line = [*half, *((-x, y) for x, y in half[-2::-1])]
        canvas.fold(line, 0.022, 0.22 * strength, 0.06 * strength, bulge=0.15, ends=0.3)


def _frown(canvas: _Canvas) -> None:
    canvas.fold([(193, 168, 0.35), (55, 8, 0.5), (107, 9, 0.5)], 0.02, 0.3, 0.1, bulge=-0.12, ends=0.4)


def _nose(canvas: _Canvas) -> None:
    canvas.fold([(-0.012, 0.0), (122, 6, 0.3), (245, 122, 0.3)], 0.016, 0.2, 0.06, bulge=0.1, ends=0.5)
    canvas.fold([(196, 197, 0.3), (188, 174, 0.2), (114, 188, 0.2)], 0.018, 0.26, 0.085, bulge=0.12, ends=0.5)
    canvas.fold([(236, 3, 0.3), (217, 174, 0.4), (126, 198, 0.5)], 0.018, 0.15, 0.04, bulge=0.1, ends=0.5)


def _chin(canvas: _Canvas) -> None:
    canvas.fold([(-0.2, -1.06), (-0.1, -1.005), (0.0, -0.99), (0.1, -1.005), (0.2, -1.06)], 0.03, 0.25, 0.07, bulge=-0.08, ends=0.4)
    for x, y in ((-0.085, -1.1), (0.085, -1.1), (0.0, -1.125), (-0.05, -1.17), (0.05, -1.17), (-0.13, -1.15), (0.13, -1.15)):
        canvas.swelling((x, y), (0.03, 0.024), -0.1, -0.03)


def _puff(canvas: _Canvas) -> None:
    canvas.swelling((-0.5, -0.68), (0.24, 0.26), 0.4, 0.025)


def _dimple(canvas: _Canvas) -> None:
    canvas.fold([(-0.415, -0.68), (-0.445, -0.76), (-0.415, -0.86)], 0.024, 0.35, 0.1, bulge=-0.15, ends=0.4)


def _corner(canvas: _Canvas) -> None:
    canvas.fold([(57, 61, 0.2), 43, (202, 204, 0.5), (210, 211, 0.4)], 0.022, 0.35, 0.11, bulge=-0.2, ends=0.35)


SIDED: dict[str, Callable[[_Canvas], None]] = {
    "nasolabial": _nasolabial,
    "cheek": _cheek,
    "crow": _crow,
    "lowerLid": _lower_lid,
    "frown": _frown,
    "nose": _nose,
    "puff": _puff,
    "dimple": _dimple,
    "corner": _corner,
}


@lru_cache(maxsize=1)
def all_creases() -> tuple[Crease, ...]:
    """Every crease; those of two sides end in Right or Left, the forehead's in Right, Middle or Left."""
    found = []
    for name, draw in SIDED.items():
        canvas = _Canvas()
        draw(canvas)
        found += [canvas.crease(f"{name}Right"), canvas.crease(f"{name}Left", mirrored=True)]
    canvas = _Canvas()
    _chin(canvas)
    found.append(canvas.crease("chin"))
    canvas = _Canvas()
    _forehead(canvas)
    middle = _smooth((0.36 - np.abs(canvas.x)) / 0.26)
    side = (1.0 - middle) * (canvas.x < 0)
    found += [canvas.crease("foreheadMiddle", window=middle), canvas.crease("foreheadRight", window=side)]
    return (*found, canvas.crease("foreheadLeft", mirrored=True, window=side))
