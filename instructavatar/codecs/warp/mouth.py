"""What shows between parted lips: upper teeth on the skull, lower teeth and tongue on the jaw, and the dark behind.

Where the portrait's own mouth is open, its own pixels stay while the lips stay; they fade into the drawn mouth as the lips move.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from instructavatar.codecs.warp import kernels, teeth
from instructavatar.codecs.warp.head import Head
from instructavatar.codecs.warp.openings import Opening, affine, opening
from instructavatar.codecs.warp.pose import DrawnFace
from instructavatar.face.mesh import LIPS_INNER_LOWER, LIPS_INNER_UPPER, LIPS_OUTER_LOWER, LIPS_OUTER_UPPER

Array = NDArray[np.float32]

MILLIMETRES = 90.0  # in an inter-ocular distance of a grown-up
# The visible row of upper teeth is about as wide as the mouth at rest; odd mouths (cartoons) scale their teeth.
ROW_MM = 2 * sum(teeth.UPPER_WIDTHS)
USUAL_MOUTH_MM = 50.0
UPPER_LENGTH_MM, LOWER_LENGTH_MM, GUM_MM = 10.0, 8.5, 5.0
# Upper teeth end a little below the line where closed lips meet, lower teeth a little above it.
UPPER_EDGE_MM, LOWER_EDGE_MM = 2.6, 0.5


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
    """[3, 3] three points of the teeth's plane in the space of head.py: where closed lips meet, one unit right of it, one unit up."""
    upper_points: NDArray[np.float64]
    """[3, 2] the same three points in pixels of `upper`."""
    lower_points: NDArray[np.float64]
    rest: Opening
    shadow: Array
    """[2] strength and reach of the lips' shadow."""


def build_mouth(box: NDArray[np.uint8], points: NDArray[np.float64], head: Head) -> Mouth:
    """The layers of one mouth; box [h, w, 3] is the moving part of the portrait, points [478, 2] its landmarks in pixels of the box."""
    light = teeth.light_of(_pixels(box, points[[50, 280, 205, 425, 101, 330, 9, 151]], 3), _pixels(box, _lip_middles(points), 1))
    rest = opening(points, LIPS_INNER_UPPER, LIPS_INNER_LOWER)
    width_px = float(rest.frame[4])
    size = float(np.clip(width_px / head.scale * MILLIMETRES / USUAL_MOUTH_MM, 0.55, 1.25))
    px_per_mm = head.scale / MILLIMETRES * size  # portrait pixels in a (scaled) millimetre of teeth
    fine = max(3.0, 2.0 * px_per_mm)  # picture pixels in a millimetre
    upper = teeth.draw_row(teeth.UPPER_WIDTHS, teeth.UPPER_LENGTHS, UPPER_LENGTH_MM, light, fine, GUM_MM)
    lower, edge = _lower(light, fine)
    upper_middle = np.array([upper.shape[1] / 2, (GUM_MM + UPPER_LENGTH_MM - UPPER_EDGE_MM) * fine])
    lower_middle = np.array([lower.shape[1] / 2, edge + LOWER_EDGE_MM * fine])
    steps = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, -10.0]]) * fine
    seam = _seam(head)
    step = 10.0 * px_per_mm
    plane = np.stack([seam, seam + step * head.frame[:, 0], seam + step * head.frame[:, 1]])
    shadow = np.array([0.55, 0.035 * head.scale], np.float32)
    return Mouth(upper, lower, light.cavity.astype(np.float32), plane, upper_middle + steps, lower_middle + steps, rest, shadow)


def _lower(light: teeth.Light, fine: float) -> tuple[NDArray[np.uint8], float]:
    """(lower teeth in front of the tongue, row of the teeth's edge)."""
    row = teeth.draw_row(teeth.LOWER_WIDTHS, teeth.LOWER_LENGTHS, LOWER_LENGTH_MM, light, fine, GUM_MM)[::-1]
    tongue = teeth.draw_tongue(light, fine, 40.0, 26.0)
    rise = int(3.0 * fine)  # the tongue's back shows over the teeth
    canvas = np.zeros((rise + max(row.shape[0], tongue.shape[0]), max(row.shape[1], tongue.shape[1]), 4), np.uint8)
    teeth.paste(canvas, tongue, (canvas.shape[1] - tongue.shape[1]) // 2, 0)
    teeth.paste(canvas, row, (canvas.shape[1] - row.shape[1]) // 2, rise)
    return canvas, rise + 0.12 * LOWER_LENGTH_MM * fine


def _seam(head: Head) -> NDArray[np.float64]:
    """Where closed lips would meet, in the plane of the teeth."""
    return head.vertices[[13, 14]].mean(0).astype(np.float64) if _gap(head) < 0.05 * head.scale else head.vertices[13].astype(np.float64)


def _gap(head: Head) -> float:
    return float(np.linalg.norm(head.vertices[13, :2] - head.vertices[14, :2]))


def _lip_middles(points: NDArray[np.float64]) -> NDArray[np.float64]:
    upper = 0.5 * (points[list(LIPS_INNER_UPPER[2:-2])] + points[list(LIPS_OUTER_UPPER[2:-2])])
    lower = 0.5 * (points[list(LIPS_INNER_LOWER[2:-2])] + points[list(LIPS_OUTER_LOWER[2:-2])])
    return np.concatenate([upper, lower])


def _pixels(box: NDArray[np.uint8], at: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """Pixels [N, 3] of small squares around places [M, 2]."""
    step = np.arange(-reach, reach + 1)
    x = np.clip(np.rint(at[:, 0]).astype(int)[:, None, None] + step[None, None, :], 0, box.shape[1] - 1)
    y = np.clip(np.rint(at[:, 1]).astype(int)[:, None, None] + step[None, :, None], 0, box.shape[0] - 1)
    return box[y, x].reshape(-1, 3).astype(np.float64)


def draw_mouth(out: NDArray[np.uint8], mouth: Mouth, drawn: DrawnFace, points: NDArray[np.float64], offset: NDArray[np.float64]) -> None:
    """Draw the mouth's inside into `out` [h, w, 3]. points [V, 2] are the drawn vertices in pixels of the box."""
    lips = opening(points, LIPS_INNER_UPPER, LIPS_INNER_LOWER)
    change = np.abs((lips.top - lips.low) - (mouth.rest.top - mouth.rest.low)).max()
    amount = float(np.clip(change / max(0.025 * float(mouth.rest.frame[4]), 1.0) - 0.2, 0, 1))
    if amount <= 0.0:
        return
    to_upper = affine(_flat(drawn.skull(mouth.plane)) - offset, mouth.upper_points)
    to_lower = affine(_flat(drawn.skull(mouth.plane + drawn.jaw_shift)) - offset, mouth.lower_points)
    box = lips.box(out.shape[1], out.shape[0])
    kernels.draw_mouth(
        *(out, box, lips.frame, lips.top, lips.low, mouth.cavity), *(mouth.upper, to_upper, mouth.lower, to_lower, amount, mouth.shadow)
    )


def _flat(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Space of head.py to pixels x right, y down."""
    return points[..., :2] * np.array([1.0, -1.0])
