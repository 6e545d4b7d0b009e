"""What shows between parted lips: upper teeth on the skull, lower teeth and tongue on the jaw, and the dark behind.

Where the portrait's own mouth is open, its own pixels stay while the lips stay; they fade into the drawn mouth as the lips move.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from instructavatar.codecs.warp import layers, teeth
from instructavatar.codecs.warp.head import Head
from instructavatar.codecs.warp.lips import lip_insets
from instructavatar.codecs.warp.openings import Opening, affine, edge_distances, opening
from instructavatar.codecs.warp.pose import DrawnFace
from instructavatar.codecs.warp.topology import EYES, FACE_POINTS
from instructavatar.face.mesh import LIPS_INNER_LOWER, LIPS_INNER_UPPER, LIPS_OUTER_LOWER, LIPS_OUTER_UPPER

Array = NDArray[np.float32]

MILLIMETRES = 90.0  # in an inter-ocular distance of a grown-up
# The visible row of upper teeth is about as wide as the mouth at rest; odd mouths (cartoons) scale their teeth.
USUAL_MOUTH_MM = 50.0
UPPER_LENGTH_MM, LOWER_LENGTH_MM, GUM_MM, FLOOR_MM, TONGUE_RISE_MM = 11.5, 8.5, 5.0, 14.0, 14.0
# How far below the line where closed lips meet the upper teeth end, and how far above it the lower teeth do.
UPPER_EDGE_MM, LOWER_EDGE_MM = 4.2, -3.0
# Pixels of the drawn teeth for one of the portrait.
TEXTURE_DENSITY = 1.3
# Cheeks and forehead.
SKIN = (50, 280, 205, 425, 101, 330, 9, 151)
# Around the lips.
NEAR = (57, 287, 186, 410, 43, 273, 165, 391, 204, 424, 18, 200)
# Lips put out this far throw their shadow over all of the teeth.
PUT_OUT_IOD, DEEP_SHADOW, DEEP_REACH_IOD = 0.17, 0.6, 0.15
# A mouth open wider than this shows its own teeth.
OPEN_IOD = 0.045
# Closed lips that parted this far, and open ones that moved this far, show the drawn mouth in full; from the last on open ones look at
# lips rather than at their edges.
PARTED_IOD, MOVED_IOD, INSET_MOVED_IOD = 0.02, 0.05, 0.08
INNER_LIPS = sorted({*LIPS_INNER_UPPER, *LIPS_INNER_LOWER})


@dataclass(frozen=True)
class Mouth:
    """The mouth of one portrait."""

    upper: NDArray[np.uint8]
    """[h, w, 4] upper teeth."""
    lower: NDArray[np.uint8]
    """[h, w, 4] lower teeth and tongue."""
    cavity: Array
    """[3] colour of the dark."""
    plane: NDArray[np.float64]
    """[3, 3] three points of the upper teeth's plane in the space of head.py: where closed lips meet, a step right of it, a step up."""
    lower_plane: NDArray[np.float64]
    """[3, 3] the same of the lower teeth."""
    upper_points: NDArray[np.float64]
    """[3, 2] the same three points in pixels of `upper`."""
    lower_points: NDArray[np.float64]
    rest: Opening
    shadow: Array
    """[2] strength and reach of the lips' shadow."""
    deep_shadow: Array
    """[2] the same of lips that are put out."""
    light: teeth.Light
    size: float
    """Of the mouth for the face, 1 for usual ones."""
    is_open: bool
    """Whether the portrait shows its teeth."""
    insets: Array
    """[468, 2] where the inner points of open lips look in the portrait once the lips have moved, from their own places, in pixels."""

    def source_shift(self, drawn: DrawnFace) -> Array:
        """[468, 2] how far from their own places in the portrait the face points look."""
        return self.insets * float(np.clip(np.abs(drawn.offsets[INNER_LIPS, :2]).max() / INSET_MOVED_IOD, 0, 1))


def build_mouth(box: NDArray[np.uint8], points: NDArray[np.float64], head: Head, offset: NDArray[np.float64]) -> Mouth:
    """The layers of one mouth.

    box [h, w, 3] is the moving part of the portrait, points [478, 2] its landmarks in pixels of the box, offset [2] the box's first pixel.
    """
    skin, near = _pixels(box, points[list(SKIN)], 3), _pixels(box, points[list(NEAR)], 2)
    light = teeth.light_of(skin, near, _pixels(box, _lip_middles(points), 1), _eye_pixels(box, points))
    rest = opening(points, LIPS_INNER_UPPER, LIPS_INNER_LOWER)
    size = float(np.clip(float(rest.frame[4]) / head.scale * MILLIMETRES / USUAL_MOUTH_MM, 0.55, 1.25))
    px_per_mm = head.scale / MILLIMETRES * size  # portrait pixels in a (scaled) millimetre of teeth
    fine = max(3.0, 2.0 * px_per_mm)  # picture pixels in a millimetre
    steps = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    axes = steps @ head.frame[:, :2].T * 10.0 * px_per_mm
    inner_upper, inner_lower = (head.vertices[k].astype(np.float64) for k in (13, 14))
    is_open = float((rest.top - rest.low).max()) > OPEN_IOD * head.scale
    if is_open:
        upper, corner, light = _own_teeth(box, rest, head.scale, light)
        plane = inner_upper + axes
        upper_points = _flat(plane) - offset - corner
        lower_plane = inner_lower + axes
    else:
        plane = lower_plane = 0.5 * (inner_upper + inner_lower) + axes
        upper = teeth.draw_row(teeth.UPPER_WIDTHS, teeth.UPPER_LENGTHS, UPPER_LENGTH_MM, light, fine, GUM_MM)
        upper_points = np.array([upper.shape[1] / 2, (GUM_MM + UPPER_LENGTH_MM - UPPER_EDGE_MM) * fine]) + steps * [10 * fine, -10 * fine]
    lower, edge = _lower(light, fine)
    lower_points = np.array([lower.shape[1] / 2, edge + LOWER_EDGE_MM * fine]) + steps * [10 * fine, -10 * fine]
    # Teeth seen in the picture already lie in the shadow of their lips.
    shrink = min(1.0, TEXTURE_DENSITY * px_per_mm / fine)
    lower, lower_points = _shrunk(lower, lower_points, shrink)
    if not is_open:
        upper, upper_points = _shrunk(upper, upper_points, shrink)
    shadow = np.array([0.2 if is_open else 0.35, 0.035 * head.scale], np.float32)
    deep = np.array([DEEP_SHADOW, DEEP_REACH_IOD * head.scale], np.float32)
    cavity = light.cavity.astype(np.float32)
    insets = lip_insets(box, points) if is_open else np.zeros((FACE_POINTS, 2), np.float32)
    return Mouth(upper, lower, cavity, plane, lower_plane, upper_points, lower_points, rest, shadow, deep, light, size, is_open, insets)


def _lower(light: teeth.Light, fine: float) -> tuple[NDArray[np.uint8], float]:
    """(lower teeth in front of the tongue, row of the teeth's edge)."""
    row = teeth.draw_row(teeth.LOWER_WIDTHS, teeth.LOWER_LENGTHS, LOWER_LENGTH_MM, light, fine, FLOOR_MM)[::-1]
    tongue = teeth.draw_tongue(light, fine, 42.0, 34.0)
    rise = int(TONGUE_RISE_MM * fine)  # the tongue's back shows over the teeth
    canvas = np.zeros((rise + max(row.shape[0], tongue.shape[0]), max(row.shape[1], tongue.shape[1]), 4), np.uint8)
    teeth.paste(canvas, tongue, (canvas.shape[1] - tongue.shape[1]) // 2, 0)
    teeth.paste(canvas, row, (canvas.shape[1] - row.shape[1]) // 2, rise)
    return canvas, rise + 0.12 * LOWER_LENGTH_MM * fine


def _shrunk(picture: NDArray[np.uint8], points: NDArray[np.float64], factor: float) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """A drawn picture at about the portrait's resolution, and its points: finer ones would flicker when sampled."""
    width, height = (max(2, round(side * factor)) for side in picture.shape[1::-1])
    small = np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    return small, (points + 0.5) * np.array([width / picture.shape[1], height / picture.shape[0]]) - 0.5


def _own_teeth(
    box: NDArray[np.uint8], rest: Opening, scale: float, light: teeth.Light
) -> tuple[NDArray[np.uint8], NDArray[np.int64], teeth.Light]:
    """(the open mouth's own pixels as RGBA, corner of that picture in the box, light of its teeth).

    Over the upper lip's edge the topmost pixels go on, darker, so that a rising lip finds more of the same; towards the lower lip and the
    corners the picture fades.
    """
    low, high = rest.box(box.shape[1], box.shape[0]).reshape(2, 2).astype(int)
    reach = int(np.ceil(0.15 * scale))
    low, high = np.maximum(low - [0, reach], 0), np.minimum(high, [box.shape[1], box.shape[0]])
    y, x = np.mgrid[low[1] : high[1], low[0] : high[0]].astype(np.float64)
    below, above = edge_distances(rest, x, y)
    lip = 0.02 * scale  # lips shine and shade this near to their edges
    lift = np.clip(lip - below, 0, None)
    colour = cv2.remap(box, x.astype(np.float32), (y + lift).astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    colour = colour * (1.0 - 0.45 * np.clip(-below / (0.08 * scale), 0, 1))[..., None]
    along = ((x - rest.frame[0]) * rest.frame[2] + (y - rest.frame[1]) * rest.frame[3]) / rest.frame[4]
    alpha = np.clip((above - 0.2 * lip) / (0.6 * lip), 0, 1) * np.clip(np.minimum(along, 1 - along) / 0.04, 0, 1)
    inside = colour[(below > lip) & (above > lip)]
    light = teeth.own_teeth(light, inside) if len(inside) else light
    picture = np.concatenate([colour, 255 * alpha[..., None]], -1)
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8), low.astype(np.int64), light


def _lip_middles(points: NDArray[np.float64]) -> NDArray[np.float64]:
    upper = 0.5 * (points[list(LIPS_INNER_UPPER[2:-2])] + points[list(LIPS_OUTER_UPPER[2:-2])])
    lower = 0.5 * (points[list(LIPS_INNER_LOWER[2:-2])] + points[list(LIPS_OUTER_LOWER[2:-2])])
    return np.concatenate([upper, lower])


def _eye_pixels(box: NDArray[np.uint8], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pixels [N, 3] between the lids, irises included."""
    middles = [0.5 * (points[list(eye.upper[1:-1])] + points[list(eye.lower[1:-1])]) for eye in EYES]
    return _pixels(box, np.concatenate(middles), 1)


def _pixels(box: NDArray[np.uint8], at: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """Pixels [N, 3] of small squares around places [M, 2]."""
    step = np.arange(-reach, reach + 1)
    x = np.clip(np.rint(at[:, 0]).astype(int)[:, None, None] + step[None, None, :], 0, box.shape[1] - 1)
    y = np.clip(np.rint(at[:, 1]).astype(int)[:, None, None] + step[None, :, None], 0, box.shape[0] - 1)
    return box[y, x].reshape(-1, 3).astype(np.float64)


def draw_mouth(out: NDArray[np.uint8], mouth: Mouth, drawn: DrawnFace, points: NDArray[np.float64], offset: NDArray[np.float64]) -> None:
    """Draw the mouth's inside into `out` [h, w, 3]. points [V, 2] are the drawn vertices in pixels of the box."""
    inner = drawn.offsets[:, :2]
    # Lips that move over teeth in the picture uncover others, though the gap may stay; closed ones must part.
    if mouth.is_open:
        moved = float(np.abs(inner[INNER_LIPS]).max()) / MOVED_IOD
    else:
        moved = float((inner[list(LIPS_INNER_UPPER), 1] - inner[list(LIPS_INNER_LOWER), 1]).max()) / PARTED_IOD
    amount = float(np.clip(moved - 0.2, 0, 1))
    if amount <= 0.0:
        return
    lips = opening(points, LIPS_INNER_UPPER, LIPS_INNER_LOWER)
    to_upper = affine(_flat(drawn.skull(mouth.plane)) - offset, mouth.upper_points)
    to_lower = affine(_flat(drawn.skull(mouth.lower_plane + drawn.jaw_shift)) - offset, mouth.lower_points)
    box = lips.box(out.shape[1], out.shape[0])
    # Lips that are put out leave the teeth deep in their shadow.
    deep = float(np.clip(drawn.offsets[13, 2] / PUT_OUT_IOD, 0.0, 1.0))
    shadow = mouth.shadow + np.float32(deep) * (mouth.deep_shadow - mouth.shadow)
    layers.draw_mouth(
        *(out, box, lips.frame, lips.top, lips.low, mouth.cavity), *(mouth.upper, to_upper, mouth.lower, to_lower, amount, shadow)
    )


def _flat(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Space of head.py to pixels x right, y down."""
    return points[..., :2] * np.array([1.0, -1.0])
