"""Light on moving skin: folds and swellings of the acting face brighten and darken the portrait's own skin before it is warped.

Everything lies in the portrait's own pixels, so it sticks to the skin. Only differences from the portrait's own expression are shaded: a
smile deepens the fold beside the nose; a smiling portrait that turns neutral loses some of the fold it has.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from instructavatar.codecs.warp import creases, kernels
from instructavatar.codecs.warp.compiled import njit
from instructavatar.codecs.warp.creases import Crease
from instructavatar.codecs.warp.head import Head
from instructavatar.codecs.warp.topology import EYES, FACE_POINTS, face_triangles
from instructavatar.face import mesh
from instructavatar.face.motion import ACTION_COUNT, INDEX

Array = NDArray[np.float32]

# No pixel's light changes by a larger share than this.
MOST_CHANGE = 0.25
# Shading is kept as bytes of this much light each.
LEVEL = 2.0 * MOST_CHANGE / 127
# How much each action asks of each crease. A name without a side stands for the crease's own side, or for both in equal parts.
CAUSES: dict[str, dict[str, float]] = {
    "nasolabial": {"mouthSmile": 0.9, "noseSneer": 0.5, "mouthUpperUp": 0.4, "cheekSquint": 0.25, "mouthDimple": 0.25, "mouthStretch": 0.3},
    "cheek": {"mouthSmile": 0.65, "cheekSquint": 0.8},
    "crow": {"cheekSquint": 0.5, "eyeSquint": 0.5, "mouthSmile": 0.1},
    "lowerLid": {"eyeSquint": 0.7, "cheekSquint": 0.7, "mouthSmile": 0.2},
    "frown": {"browDown": 1.0},
    "nose": {"noseSneer": 1.0},
    "puff": {"cheekPuff": 1.0},
    "dimple": {"mouthDimple": 0.9, "mouthSmile": 0.1, "mouthStretch": 0.3, "mouthPress": 0.25},
    "corner": {"mouthFrown": 0.9, "mouthLowerDown": 0.3, "mouthStretch": 0.3},
    "chin": {"mouthShrugLower": 1.0, "mouthFrown": 0.3},
    "foreheadMiddle": {"browInnerUp": 1.0},
    "forehead": {"browOuterUp": 1.0},
}
# Points on other things than plain skin.
NOT_SKIN = [
    *(*mesh.LIPS_OUTER_UPPER, *mesh.LIPS_OUTER_LOWER, *mesh.LIPS_INNER_UPPER, *mesh.LIPS_INNER_LOWER),
    *(point for eye in EYES for point in (*eye.upper, *eye.lower, *eye.fold)),
    *(*mesh.RIGHT_BROW_UPPER, *mesh.RIGHT_BROW_LOWER, *mesh.LEFT_BROW_UPPER, *mesh.LEFT_BROW_LOWER, *mesh.FACE_OVAL),
]
# Cheeks, nose, chin and forehead.
SURE = (
    *(50, 280, 205, 425, 101, 330, 117, 346, 36, 266, 123, 352, 118, 347, 207, 427, 187, 411),
    *(6, 197, 195, 5, 9, 151, 108, 337, 69, 299, 199, 175, 116, 345),
)
# How far the outline of filled cheeks stands out.
PUFF_IOD = 0.06
# Light comes a little from above where the face does not tell.
USUAL_LIGHT, LIGHT_TRUST = np.array([0.0, 0.3]), 0.6
MOST_LIGHT = 0.8
# An evenly lit photograph's skin: how far its log light spreads over the face (ranks 15 to 85), and over pores and lines (median absolute
# deviation). Flat drawings and smooth skin get less shading, rugged ones more.
USUAL_SPREAD, USUAL_GRAIN = 0.5, 0.022
STRENGTH_RANGE = (0.35, 0.8)
# The portrait's own folds are flattened (or deepened) by this much of what they differ from the skin around them.
FLATTEN, DEEPEN = 1.0, 0.35
GRAIN_IOD, AROUND_IOD = 0.008, 0.07
# Pixels in an inter-ocular distance that tell enough of a face's light.
ENOUGH_PIXELS = 130


@dataclass(frozen=True)
class Skin:
    """How one portrait's skin takes light. K creases."""

    boxes: NDArray[np.int32]
    """[K, 4] x0, y0, x1, y1 of each crease in the portrait's moving box."""
    starts: NDArray[np.int64]
    """[K] where its bytes begin in `deepen` and `flatten`."""
    deepen: NDArray[np.int8]
    """Change of light, in LEVELs, of every crease at full strength, row by row."""
    flatten: NDArray[np.int8]
    """The same for a crease that the portrait has and the motion lacks."""
    tint: Array
    """[3] how much of a change of light each channel takes: shadows on skin are not grey."""
    causes: Array
    """[K, 52] what actions ask of each crease."""
    rest: Array
    """[K] what the portrait's own expression asks."""
    box: tuple[int, int, int, int]
    """x0, y0, x1, y1 around all of them."""

    def weights(self, motion: Array) -> Array:
        """[K] -1..1 how much deeper each crease is than in the portrait, of one row of motion [58]."""
        return _asked(self.causes, motion) - self.rest


def _asked(causes: Array, motion: Array) -> Array:
    """Sums of actions, levelling off at one."""
    return np.tanh(1.2 * causes @ motion[:ACTION_COUNT]).astype(np.float32)


def build_skin(box: NDArray[np.uint8], points: NDArray[np.float64], head: Head, rest: Array) -> Skin:
    """The shading of one portrait.

    box [h, w, 3] is the moving part of the portrait, points [478, 2] its landmarks in pixels of the box, rest [58] its motion.
    """
    found = creases.all_creases()
    low = np.floor(np.maximum(points[:FACE_POINTS].min(0), 0)).astype(int)
    high = np.ceil(np.minimum(points[:FACE_POINTS].max(0) + 1, [box.shape[1], box.shape[0]])).astype(int)
    if (high - low).min() < 8:
        return _bare(len(found))
    face, points = box[low[1] : high[1], low[0] : high[0]], points[:FACE_POINTS] - low
    seen = _look_at(face, points, head.scale)
    towards, strength, likely, own = seen.towards, seen.strength, seen.likely, seen.own
    u, v = _canonical_places(points, *face.shape[:2])
    parts = [_seen(crease, u, v) for crease in found]
    boxes = np.array([[x.start, y.start, x.stop, y.stop] for y, x in parts], np.int32) + np.tile(low, 2).astype(np.int32)
    deeper: list[NDArray[np.int8]] = []
    flatter: list[NDArray[np.int8]] = []
    for crease, part in zip(found, parts, strict=True):
        at = u[part] - crease.corner[0], v[part] - crease.corner[1]
        rise_x, rise_y, shadow, band = (_look(layer, *at) for layer in (crease.rise_x, crease.rise_y, crease.shadow, crease.band))
        change = strength * (shadow - towards[0] * rise_x - towards[1] * rise_y)
        deeper.append(_levels((change - DEEPEN * band * own[part]) * likely[part]))
        flatter.append(_levels(FLATTEN * band * own[part] * likely[part]))
    causes = np.stack([_causes(crease.name) for crease in found])
    x0, y0, x1, y1 = (int(side) for side in (*boxes[:, :2].min(0), *boxes[:, 2:].max(0)))
    return Skin(
        boxes=boxes,
        starts=np.cumsum([0, *(levels.size for levels in deeper[:-1])]),
        deepen=np.concatenate(deeper),
        flatten=np.concatenate(flatter),
        tint=seen.tint,
        causes=causes,
        rest=_asked(causes, rest),
        box=(x0, y0, x1, y1),
    )


@dataclass(frozen=True)
class _Look:
    """What a face's pixels tell of its light."""

    towards: NDArray[np.float64]
    """[2] how much brighter skin is that faces image right or up, relative to the mean."""
    strength: float
    """Of the shading, 1 on a usual photograph."""
    likely: Array
    """[h, w] 0..1 whether a pixel is skin."""
    own: Array
    """[h, w] how much brighter the skin around is than the skin here, relative; positive in furrows."""
    tint: Array
    """[3] of `Skin`."""


def _look_at(face: NDArray[np.uint8], points: NDArray[np.float64], scale: float) -> _Look:
    """A face [h, w, 3], looked at no closer than is needed; points [468, 2] in its pixels."""
    height, width = face.shape[:2]
    shrink = min(1.0, ENOUGH_PIXELS / scale)
    small = np.asarray(cv2.resize(face, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8) if shrink < 1.0 else face
    points, scale = (points + 0.5) * shrink - 0.5, scale * shrink
    light = cv2.GaussianBlur(small.astype(np.float32), (0, 0), max(GRAIN_IOD * scale, 0.5)).mean(2) + 1.0
    towards, spread = _light_of(light, points)
    likely = _skin_likeness(small, points, scale)
    own = _own_folds(light, likely, scale)
    grain = _grain(light, likely, scale)
    strength = float(np.clip((spread / USUAL_SPREAD) ** 0.35 * (grain / USUAL_GRAIN) ** 0.8, *STRENGTH_RANGE))
    tint = _tint(small, light, likely)
    likely, own = (np.asarray(cv2.resize(layer, (width, height), interpolation=cv2.INTER_LINEAR), np.float32) for layer in (likely, own))
    return _Look(towards, strength, likely, own, tint)


def _bare(count: int) -> Skin:
    """No shading: the face is too small or outside the picture."""
    none, causes = np.zeros(0, np.int8), np.zeros((count, ACTION_COUNT), np.float32)
    boxes, starts, tint = np.zeros((count, 4), np.int32), np.zeros(count, np.int64), np.ones(3, np.float32)
    return Skin(boxes, starts, none, none, tint, causes, np.zeros(count, np.float32), (0, 0, 0, 0))


def _causes(name: str) -> Array:
    """[52] shares of the actions in one crease."""
    side = next((side for side in ("Right", "Left") if name.endswith(side)), "")
    asked = CAUSES[name.removesuffix(side)]
    shares = np.zeros(ACTION_COUNT, np.float32)
    for action, share in asked.items():
        if action in INDEX:
            shares[INDEX[action]] += share
        else:
            sides = (side,) if side else ("Right", "Left")
            for each in sides:
                shares[INDEX[f"{action}{each}"]] += share / len(sides)
    return shares


def _light_of(light: Array, points: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """(`towards` of `_Look`, spread of the skin's log light over the face)."""
    normals = _normals()
    mask = normals[:, 2] > 0.3
    mask[NOT_SKIN] = False
    at = np.rint(points[mask]).astype(int)
    inside = np.logical_and.reduce([at[:, 0] >= 0, at[:, 1] >= 0, at[:, 0] < light.shape[1], at[:, 1] < light.shape[0]])
    values, sides = light[at[inside, 1], at[inside, 0]].astype(np.float64), normals[mask][inside, :2]
    if len(values) < 20:
        return USUAL_LIGHT, 0.0
    spread = float(np.log(np.percentile(values, 85) / np.percentile(values, 15)))
    middle = np.median(values)
    rows = np.concatenate([np.ones((len(values), 1)), sides], 1)
    trust = np.ones(len(values))
    for _ in range(4):
        fit = np.linalg.lstsq(rows * trust[:, None], values / middle * trust, rcond=None)[0]
        away = np.abs(values / middle - rows @ fit)
        trust = 1.0 / np.sqrt(1.0 + (away / 0.15) ** 2)
    towards = LIGHT_TRUST * fit[1:] + (1.0 - LIGHT_TRUST) * USUAL_LIGHT
    towards *= min(1.0, MOST_LIGHT / max(float(np.linalg.norm(towards)), 1e-6))
    return towards, spread


def _grain(light: Array, likely: Array, scale: float) -> float:
    """Median absolute deviation of the skin's log light from the skin around."""
    fine = np.log(light / cv2.GaussianBlur(light, (0, 0), 0.035 * scale))[likely > 0.8]
    return float(np.median(np.abs(fine))) if fine.size else 0.0


def _normals() -> NDArray[np.float64]:
    """[468, 3] of the canonical face, towards the viewer."""
    canonical = mesh.canonical_mesh()
    vertices, faces = canonical.vertices.astype(np.float64), canonical.triangles
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    flat = np.cross(b - a, c - a)
    normals = np.zeros_like(vertices)
    for k in range(3):
        np.add.at(normals, faces[:, k], flat)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return normals * np.sign(normals[1, 2])  # the tip of the nose looks at the viewer


def _skin_likeness(face: NDArray[np.uint8], points: NDArray[np.float64], scale: float) -> Array:
    """[h, w] 0..1: whether a pixel has the colours of the cheeks, nose and forehead rather than those of hair, brows or glasses."""
    smooth = np.log(cv2.GaussianBlur(face.astype(np.float32), (0, 0), max(0.012 * scale, 0.6)) + 8.0)
    channels = np.stack([smooth.mean(2), smooth[..., 0] - smooth[..., 1], smooth[..., 1] - smooth[..., 2]], -1)
    at = np.rint(points[list(SURE)]).astype(int).clip(0, [face.shape[1] - 1, face.shape[0] - 1])
    sure = channels[at[:, 1], at[:, 0]]
    middle = np.median(sure, axis=0)
    # Light falls off towards the sides, so luminance may differ more, and more so downwards; hues may not.
    spread = np.maximum(1.5 * np.median(np.abs(sure - middle), axis=0), [0.16, 0.05, 0.06])
    away = (channels - middle) / spread
    distance = np.sqrt((np.array([0.45, 0.6, 0.6]) * away**2).sum(2))
    likely = np.clip((4.0 - distance) / 1.5, 0.0, 1.0).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(likely, (0, 0), max(0.01 * scale, 0.6)), np.float32)


def _own_folds(light: Array, likely: Array, scale: float) -> Array:
    """[h, w] `own` of `_Look`."""
    reach = AROUND_IOD * scale
    weight = cv2.GaussianBlur(likely, (0, 0), reach) + 1e-3
    around = cv2.GaussianBlur(light * likely, (0, 0), reach) / weight
    return np.clip(around / light - 1.0, -0.08, 2.0 * MOST_CHANGE).astype(np.float32)


def _canonical_places(points: NDArray[np.float64], height: int, width: int) -> tuple[Array, Array]:
    """Places [h, w] (right, down) of every pixel in the pictures of creases.py; far outside them where the face is not."""
    drawn = np.concatenate([points, np.zeros((len(points), 1))], 1).astype(np.float32)
    triangles = face_triangles()
    owner, depth = np.empty((height, width), np.int16), np.empty((height, width), np.float32)
    maps = np.empty((len(triangles), 6), np.float32)
    kernels.rasterise(drawn, triangles, owner, depth, kernels.BEHIND)
    kernels.source_maps(drawn, creases.to_pixels(creases.canonical_points()).astype(np.float32), triangles, maps)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    maps = np.concatenate([maps, np.full((1, 6), -1e4, np.float32)])  # pixels of no triangle take the last row
    u, v = (maps[:, k][owner] * x + maps[:, k + 1][owner] * y + maps[:, k + 2][owner] for k in (0, 3))
    return u, v


def _seen(crease: Crease, u: Array, v: Array) -> tuple[slice, slice]:
    """Rows and columns of the pixels that a crease can touch."""
    height, width = crease.shadow.shape
    x, y = crease.corner
    inside = (u > x) & (u < x + width - 1) & (v > y) & (v < y + height - 1)
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    if not len(rows):
        return slice(0, 0), slice(0, 0)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _look(layer: Array, x: Array, y: Array) -> Array:
    if not x.size:
        return np.zeros(x.shape, np.float32)
    return np.asarray(cv2.remap(layer, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT), np.float32)


def _levels(change: Array) -> NDArray[np.int8]:
    return np.rint(np.clip(change / LEVEL, -127, 127)).astype(np.int8).ravel()


def _tint(face: NDArray[np.uint8], light: Array, likely: Array) -> Array:
    """[3] shares of a change of light, mean 1, from how the face's own shadows differ from its lit skin."""
    sure = likely > 0.9
    if sure.sum() < 50:
        return np.ones(3, np.float32)
    values, colours = light[sure], face[sure].astype(np.float64)
    dark, bright = values <= np.percentile(values, 25), values >= np.percentile(values, 75)
    fall = np.log((colours[bright].mean(0) + 4.0) / (colours[dark].mean(0) + 4.0))
    tint = np.clip(fall / max(float(fall.mean()), 0.02), 0.75, 1.25)
    return (tint / tint.mean()).astype(np.float32)


def puffed_outline(own: NDArray[np.float64]) -> NDArray[np.float64]:
    """[468, 3] how far filled cheeks stand out to the sides, in inter-ocular distances; the rig's cheeks only come forward.

    `own` [468, 3] is the face in its own axes.
    """
    aside = np.clip((np.abs(own[:, 0]) - 0.3) / 0.35, 0.0, 1.0)
    grown = np.zeros_like(own)
    grown[:, 0] = PUFF_IOD * np.sign(own[:, 0]) * aside * aside * (3.0 - 2.0 * aside) * np.exp(-(((own[:, 1] + 0.75) / 0.3) ** 2))
    return grown


class LitSkin:
    """A portrait's pixels in the light of a moment; holds the working memory of one thread."""

    def __init__(self, skin: Skin, packed: NDArray[np.uint64]) -> None:
        """`packed` [h, w] are the portrait's pixels as kernels.pack gives them."""
        self.skin, self.own, self.lit = skin, packed, packed.copy()
        x0, y0, x1, y1 = skin.box
        self.change = np.zeros((y1 - y0, x1 - x0), np.float32)

    def __call__(self, motion: Array) -> NDArray[np.uint64]:
        """The pixels for one row of motion [58]; the portrait's own where nothing is shaded."""
        weights = self.skin.weights(motion)
        if not weights.any() or not self.change.size:
            return self.own
        skin = self.skin
        add_up(skin.boxes, skin.starts, skin.deepen, skin.flatten, weights * np.float32(LEVEL), np.array(skin.box[:2]), self.change)
        relight(self.own, self.change, skin.tint, np.array(skin.box[:2]), np.float32(MOST_CHANGE), self.lit)
        return self.lit


@njit
def add_up(
    boxes: NDArray[np.int32],
    starts: NDArray[np.int64],
    deepen: NDArray[np.int8],
    flatten: NDArray[np.int8],
    weights: Array,
    corner: NDArray[np.int64],
    change: Array,
) -> None:
    """Fill change [h, w], whose first pixel is `corner`, with the sum of the creases times their weights [K]."""
    change[:] = np.float32(0.0)
    for k in range(boxes.shape[0]):
        weight = weights[k]
        if weight == 0.0:
            continue
        wide, at = boxes[k, 2] - boxes[k, 0], starts[k]
        layer, weight = (deepen, weight) if weight > 0.0 else (flatten, -weight)
        for y in range(boxes[k, 1] - corner[1], boxes[k, 3] - corner[1]):
            row, source = change[y, boxes[k, 0] - corner[0] : boxes[k, 2] - corner[0]], layer[at : at + wide]
            for x in range(wide):
                row[x] += weight * np.float32(source[x])
            at += wide


@njit
def relight(own: NDArray[np.uint64], change: Array, tint: Array, corner: NDArray[np.int64], most: float, lit: NDArray[np.uint64]) -> None:
    """Write into `lit` the pixels of `own` in the light changed by `change` [h, w], at most by `most`; both as kernels.pack gives them."""
    one, half, top = np.float32(1.0), np.float32(0.5), np.float32(255.0)
    for y in range(change.shape[0]):
        for x in range(change.shape[1]):
            pixel = own[y + corner[1], x + corner[0]]
            amount = change[y, x]
            if amount != 0.0:
                amount = amount / np.sqrt(one + (amount / most) * (amount / most))
                red = np.float32(np.int32(pixel & np.uint64(255))) * (one + amount * tint[0]) + half
                green = np.float32(np.int32((pixel >> np.uint64(21)) & np.uint64(255))) * (one + amount * tint[1]) + half
                blue = np.float32(np.int32((pixel >> np.uint64(42)) & np.uint64(255))) * (one + amount * tint[2]) + half
                pixel = np.uint64(np.int32(min(red, top))) | np.uint64(np.int32(min(green, top))) << np.uint64(21)
                pixel |= np.uint64(np.int32(min(blue, top))) << np.uint64(42)
            lit[y + corner[1], x + corner[0]] = pixel
