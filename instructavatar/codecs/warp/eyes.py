"""Eyeballs: what lies behind the lids, taken from the portrait's own eyes.

An eyeball picture holds the portrait's pixels where the eye is open and, under the lids, a completed iris and white. It stays put while
lids slide over it. For gaze, the iris is lifted off and moved over the white, which is continued behind it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from instructavatar.codecs.warp import layers
from instructavatar.codecs.warp.head import Head
from instructavatar.codecs.warp.iris import find_rims
from instructavatar.codecs.warp.lidskin import LidSkin, build_lid, draw_lid
from instructavatar.codecs.warp.openings import Opening, affine, edge_distances, opening, smooth_row
from instructavatar.codecs.warp.pose import DrawnFace
from instructavatar.codecs.warp.topology import EYES, EyePoints
from instructavatar.face.motion import INDEX

Array = NDArray[np.float32]

# Height over length of an eye whose own white is believed, and of one whose white is not; how light a white is beside the lit skin.
OPEN_ENOUGH, HARDLY_OPEN, WHITE_OF_SKIN = 0.26, 0.18, 0.85
# How far the iris travels at 1.0, in lengths of the lid opening (an eyeball of 12 mm turned by 30 degrees behind an opening of 30 mm).
GAZE_SIDE, GAZE_UP, GAZE_DOWN = 0.23, 0.2, 0.2


@dataclass(frozen=True)
class Eyeball:
    """One eye of one portrait."""

    points: EyePoints
    picture: NDArray[np.uint8]
    """[h, w, 3] the eye as it looks in the portrait."""
    white: NDArray[np.uint8]
    """[h, w, 3] the same without its iris."""
    ball: NDArray[np.uint8]
    """[h, w, 4] the iris alone, RGBA."""
    corner: NDArray[np.int64]
    """[2] x, y of the picture's first pixel in the portrait's box."""
    plane: NDArray[np.float64]
    """[3, 3] three points of the eyeball's front in the space of head.py."""
    rest: Opening
    length: float
    """Distance of the corners in pixels."""
    lid: LidSkin


def build_eyeballs(box: NDArray[np.uint8], points: NDArray[np.float64], head: Head, offset: NDArray[np.float64]) -> list[Eyeball]:
    """Both eyeballs.

    box [h, w, 3] is the moving part of the portrait, points [478, 2] its landmarks in pixels of the box, offset [2] the box's first pixel.
    """
    patches = [_cut(box, points, eye) for eye in EYES]
    rims = find_rims([(patch.iris_light(), patch.inside, patch.iris, patch.radius) for patch in patches])
    return [_build(box, points, head, offset, patch, rim) for patch, rim in zip(patches, rims, strict=True)]


@dataclass(frozen=True)
class _Patch:
    """An eye cut out of the portrait."""

    points: EyePoints
    lids: Opening
    corner: NDArray[np.int64]
    """[2] x, y of its first pixel in the box."""
    colours: Array
    """[h, w, 3]"""
    inside: NDArray[np.bool_]
    """[h, w] pixels that show the eye, without those along the lids' edges: these show lashes and the lid's shadow."""
    own: NDArray[np.float64]
    """[h, w] 0..1 the same with soft borders that reach to the lids."""
    core: NDArray[np.float64]
    """[h, w] 0..1 the same without the wet rim of the lower lid, which must not go along with the iris."""
    iris: NDArray[np.float64]
    """[2] its measured centre in pixels of the patch."""
    radius: float

    @property
    def height(self) -> float:
        """Of the opening in pixels."""
        return max(float((self.lids.top - self.lids.low).max()), 1.0)

    def iris_light(self) -> NDArray[np.float64]:
        """What tells a white from an iris [h, w]: a white is light in every channel, a blue or a brown iris is not."""
        return 0.5 * (self.colours.mean(2) + self.colours.min(2)).astype(np.float64)

    def distance(self) -> NDArray[np.float64]:
        """Pixels from the iris's centre [h, w]."""
        y, x = np.mgrid[: self.colours.shape[0], : self.colours.shape[1]]
        return np.asarray(np.hypot(x - self.iris[0], y - self.iris[1]), np.float64)


def _cut(box: NDArray[np.uint8], points: NDArray[np.float64], eye: EyePoints) -> _Patch:
    lids = opening(points, eye.upper, eye.lower, mirrored=eye.side == "Left")
    length = float(lids.frame[4])
    iris = points[eye.iris[0]]
    radius = float(np.clip(np.linalg.norm(points[list(eye.iris[1:])] - iris, axis=1).mean(), 0.12 * length, 0.32 * length))
    rim = points[list(eye.upper + eye.lower)]
    low = np.floor(np.maximum(rim.min(0) - 0.3 * length, 0)).astype(int)
    high = np.ceil(np.minimum(rim.max(0) + 0.3 * length, [box.shape[1] - 1, box.shape[0] - 1])).astype(int) + 1
    low = np.minimum(low, high - 2).clip(0)
    colours = box[low[1] : high[1], low[0] : high[0]].astype(np.float32)
    y, x = np.mgrid[: colours.shape[0], : colours.shape[1]].astype(np.float64)
    above, below = edge_distances(lids, x + low[0], y + low[1])
    height = max(float((lids.top - lids.low).max()), 1.0)
    own = np.clip(np.minimum(above / (0.14 * height), below / (0.06 * height)), 0, 1)
    core = np.clip(np.minimum(own, (below - 0.05 * height) / (0.08 * height)), 0, 1)
    return _Patch(eye, lids, low, colours, (above > 0.14 * height) & (below > 0.06 * height), own, core, iris - low, radius)


def _build(
    box: NDArray[np.uint8],
    points: NDArray[np.float64],
    head: Head,
    offset: NDArray[np.float64],
    patch: _Patch,
    rim: tuple[NDArray[np.float64], float],
) -> Eyeball:
    eye = patch.points
    pictures = _complete(replace(patch, iris=rim[0], radius=rim[1]))
    middle = head.vertices[[eye.upper[0], eye.upper[-1]]].mean(0).astype(np.float64)
    step = 0.2 * head.scale
    plane = np.stack([middle, middle + step * head.frame[:, 0], middle + step * head.frame[:, 1]])
    lid = build_lid(box, points, eye, _lash_colour(box, points, eye))
    return Eyeball(eye, *pictures, patch.corner, plane, patch.lids, float(patch.lids.frame[4]), lid)


def _lash_colour(box: NDArray[np.uint8], points: NDArray[np.float64], eye: EyePoints) -> Array:
    """The darker pixels along the upper lid's edge."""
    edge = smooth_row(points[list(eye.upper[1:-1])], 4)
    step = 0.15 * (points[list(eye.fold)] - points[list(eye.upper[1:-1])]).mean(0)
    at = np.rint(np.concatenate([edge - step, edge, edge + step])).astype(int)
    pixels = box[at[:, 1].clip(0, box.shape[0] - 1), at[:, 0].clip(0, box.shape[1] - 1)].astype(np.float32)
    order = np.argsort(pixels.sum(1))
    return pixels[order[: len(order) // 3]].mean(0)


def _complete(patch: _Patch) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """The patch with white and iris continued under the lids, the white alone, and the iris alone (RGBA)."""
    radius, distance, colours, inside = patch.radius, patch.distance(), patch.colours, patch.inside
    white = _spread(colours, inside & (distance > 1.3 * radius), 0.5 * radius)
    white = _lit(white, colours, inside, patch.height / float(patch.lids.frame[4]))
    ball = _iris_profile(colours, inside, distance, radius)
    share = np.clip((1.08 * radius - distance) / (0.16 * radius), 0, 1)[..., None]
    hidden = white * (1 - share) + ball * share
    own = patch.own[..., None]
    whole = hidden * (1 - own) + colours * own
    # Around the iris its rim would stay as a ring.
    clear = own * np.clip((distance / radius - 1.2) / 0.3, 0, 1)[..., None]
    alpha = 255 * np.clip((1.1 * radius - distance) / (0.14 * radius), 0, 1)[..., None]
    core = patch.core[..., None]
    alone = np.concatenate([ball * (1 - core) + colours * core, alpha], 2)
    return _bytes(whole), _bytes(white * (1 - clear) + colours * clear), _bytes(alone)


def _bytes(picture: NDArray[np.floating]) -> NDArray[np.uint8]:
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8)


def _lit(white: Array, colours: Array, inside: NDArray[np.bool_], opened: float) -> Array:
    """The white of a half-shut eye shows only between lashes, in shadow; where the lids rise it is as light as the skin around it."""
    skin = np.percentile(colours[~inside].reshape(-1, 3), 75, axis=0) if not inside.all() else white.mean((0, 1))
    light = WHITE_OF_SKIN * (0.5 * skin + 0.5 * skin.mean())
    share = float(np.clip((OPEN_ENOUGH - opened) / (OPEN_ENOUGH - HARDLY_OPEN), 0.0, 1.0))
    return np.asarray(white + share * np.maximum(light - white, 0.0), np.float32)


def _spread(colours: Array, known: NDArray[np.bool_], sigma: float) -> Array:
    """Colours of the known pixels, the lighter ones before all, blurred over the rest (normalised, ever wider where none is near)."""
    if not known.any():
        known = np.ones_like(known)
    light = colours.mean(2)
    believed = known * np.minimum(light / max(float(np.percentile(light[known], 90)), 1.0), 1.0) ** 3
    total, weight = np.zeros_like(colours), np.full(known.shape, 1e-9, np.float32)
    importance = 1.0
    for widen in (1.0, 2.5, 6.0, 16.0):
        mask = believed.astype(np.float32)
        reach = max(sigma * widen, 0.8)
        total += importance * cv2.GaussianBlur(colours * mask[..., None], (0, 0), reach)
        weight += importance * cv2.GaussianBlur(mask, (0, 0), reach)
        importance *= 1e-3
    return total / weight[..., None]


def _iris_profile(colours: Array, inside: NDArray[np.bool_], distance: NDArray[np.float64], radius: float) -> Array:
    """The iris as colours over the distance from its centre: medians of what is visible."""
    edges = np.linspace(0, 1.1 * radius, 8)
    centres, medians = [], []
    for near, far in zip(edges[:-1], edges[1:], strict=True):
        ring = inside & (distance >= near) & (distance < far)
        if ring.sum() >= 3:
            centres.append((near + far) / 2)
            medians.append(np.median(colours[ring], axis=0))
    if not centres:
        centres, medians = [0.0], [np.median(colours.reshape(-1, 3), axis=0) * 0.4]
    return np.stack([np.interp(distance, centres, np.array(medians)[:, k]) for k in range(3)], -1).astype(np.float32)


def gaze_of(motion: Array, side: str) -> tuple[float, float]:
    """(towards image right, up) of one eye, -1..1, from its four look actions."""
    into, out = motion[INDEX[f"eyeLookIn{side}"]], motion[INDEX[f"eyeLookOut{side}"]]
    right = float(into - out) if side == "Right" else float(out - into)
    up, down = float(motion[INDEX[f"eyeLookUp{side}"]]), float(motion[INDEX[f"eyeLookDown{side}"]])
    return right, up * GAZE_UP - down * GAZE_DOWN


def draw_eyeball(
    out: NDArray[np.uint8],
    eye: Eyeball,
    drawn: DrawnFace,
    points: NDArray[np.float64],
    offset: NDArray[np.float64],
    motion: Array,
    rest: Array,
) -> None:
    """Draw one eyeball into `out` [h, w, 3]. points [V, 2] are the drawn vertices in pixels of the box."""
    lids = opening(points, eye.points.upper, eye.points.lower, mirrored=eye.points.side == "Left")
    (right, up), (rest_right, rest_up) = gaze_of(motion, eye.points.side), gaze_of(rest, eye.points.side)
    side, rise = (right - rest_right) * GAZE_SIDE * eye.length, (up - rest_up) * eye.length
    along, above = eye.rest.frame[2:4], np.array([eye.rest.frame[3], -eye.rest.frame[2]])
    shift = side * along + rise * above
    moved = max(float(np.abs(lids.top - eye.rest.top).max()), float(np.abs(lids.low - eye.rest.low).max())) / (0.04 * eye.length)
    amount = float(np.clip(max(moved, float(np.hypot(*shift)) / (0.03 * eye.length)), 0, 1))
    if amount <= 0.0:
        return
    to_ball = affine(_flat(drawn.skull(eye.plane)) - offset, _flat(eye.plane) - offset - eye.corner)
    turned = min(float(np.hypot(*shift)) / (0.03 * eye.length), 1.0)
    gaze = np.array([*shift, turned], np.float32)
    shade = np.array([0.45, 0.05 * eye.length], np.float32)
    box = lids.box(out.shape[1], out.shape[0])
    layers.draw_eye(out, box, lids.frame, lids.top, lids.low, eye.picture, eye.white, eye.ball, to_ball, gaze, amount, shade)
    closed = 1.0 - float((lids.top - lids.low).max() / max(float((eye.rest.top - eye.rest.low).max()), 1e-3))
    if closed > 0.0:
        draw_lid(out, eye.lid, eye.points, points, min(closed, 1.0))


def _flat(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Space of head.py to pixels x right, y down."""
    return points[..., :2] * np.array([1.0, -1.0])
