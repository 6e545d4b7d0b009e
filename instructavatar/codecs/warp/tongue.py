"""A tongue that is put out: it slides from between the lips over the lower lip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from instructavatar.codecs.warp import layers, teeth
from instructavatar.codecs.warp.head import Head
from instructavatar.codecs.warp.openings import affine, opening
from instructavatar.codecs.warp.pose import DrawnFace
from instructavatar.face.mesh import LIPS_INNER_LOWER, LIPS_INNER_UPPER

WIDTH_MM, LENGTH_MM = 34.0, 46.0
# How far the tip hangs below the inner edge of the lower lip at 1.0, and how far inside it stays at 0.
OUT_MM, INSIDE_MM = 23.0, 8.0
MILLIMETRES = 90.0


@dataclass(frozen=True)
class Tongue:
    """The tongue of one portrait."""

    picture: NDArray[np.uint8]
    """[h, w, 4] RGBA, the tip at the bottom."""
    tip: NDArray[np.float64]
    """[3, 2] the tip, a step right of it and a step up, in pixels of the picture."""
    axes: NDArray[np.float64]
    """[3, 3] the same steps in the space of head.py."""
    pixels_per_mm: float
    """Of the portrait."""


def build_tongue(head: Head, light: teeth.Light, size: float) -> Tongue:
    """The tongue in the mouth's light; size is that of the mouth for the face, 1 for usual ones."""
    pixels_per_mm = size * head.scale / MILLIMETRES
    fine = max(1.5, 1.3 * pixels_per_mm)
    picture = teeth.draw_tongue_out(light, fine, WIDTH_MM, LENGTH_MM)
    steps = 10.0 * np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    tip = np.array([picture.shape[1] / 2 - 0.5, LENGTH_MM * fine]) + steps * [fine, -fine]
    return Tongue(picture, tip, steps @ head.frame[:, :2].T * pixels_per_mm, pixels_per_mm)


def draw_tongue(out: NDArray[np.uint8], tongue: Tongue, head: Head, drawn: DrawnFace, points: NDArray[np.float64], amount: float) -> None:
    """Draw it `amount` 0..1 put out into `out` [h, w, 3]. points [V, 2] are the drawn vertices in pixels of the box."""
    if amount <= 0.02:
        return
    lips = opening(points, LIPS_INNER_UPPER, LIPS_INNER_LOWER)
    down = (amount * (OUT_MM + INSIDE_MM) - INSIDE_MM) * tongue.pixels_per_mm
    lip = head.vertices[14].astype(np.float64) + drawn.offsets[14] @ head.frame.T * head.scale
    placed = drawn.skull(lip - down * head.frame[:, 1] + tongue.axes)
    offset = points[14] - placed_pixels(drawn.skull(lip[None]))[0]
    to_picture = affine(placed_pixels(placed) + offset, tongue.tip)
    reach = (OUT_MM + 4.0) * tongue.pixels_per_mm
    box = lips.box(out.shape[1], out.shape[0])
    box[0], box[2] = max(0, box[0] - reach), min(out.shape[1], box[2] + reach)
    box[3] = min(out.shape[0], box[3] + reach)
    layers.lay(out, box, lips.frame, lips.top, lips.low, tongue.picture, to_picture, min(1.0, 5.0 * amount))


def placed_pixels(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Space of head.py to pixels x right, y down."""
    return points[..., :2] * np.array([1.0, -1.0])
