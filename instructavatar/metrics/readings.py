"""Readings: a take against the same face's uninstructed take, as a few curves that a person can name.

Each curve is 0 where the face looks as it does uninstructed and 1 to 2 where it does a thing plainly (degrees for the head). Scores of
the landmark net and the geometry of its points see different things: the scores saturate or sleep on some faces (a full smile read 0.04 on
one portrait, 0.7 on another), the geometry moves little but alike on all. A reading is the mean of both; without points, of the scores.

T measured frames. The scales below come from 18 portraits (photos, paintings, renders)
posed by the rig's prototypes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from instructavatar.face.actions import READABLE
from instructavatar.face.landmarks import OUTER_EYES
from instructavatar.face.mesh import LEFT_BROW_LOWER, LEFT_BROW_UPPER, MOUTH_CORNERS, RIGHT_BROW_LOWER, RIGHT_BROW_UPPER
from instructavatar.face.motion import INDEX, rotation_matrix
from instructavatar.metrics.base import Take

Curve = NDArray[np.float64]
Curves = dict[str, Curve]

_LIPS_MIDDLE = (13, 14)  # inner edges, upper and lower
_LIDS = ((159, 145), (386, 374))  # upper and lower edge over the pupils
_INNER_BROW = (RIGHT_BROW_LOWER[-1], RIGHT_BROW_UPPER[-1], LEFT_BROW_LOWER[-1], LEFT_BROW_UPPER[-1])
_OUTER_BROW = (RIGHT_BROW_LOWER[0], RIGHT_BROW_UPPER[0], LEFT_BROW_LOWER[0], LEFT_BROW_UPPER[0])
_SMILE_LIFTS = 0.05  # a full smile lifts the corners by about so many inter-ocular distances
_PLAIN_SCORE, _PLAIN_RISE = 0.2, 0.015  # of an action; of a brow, in inter-ocular distances
_EYE_CORNERS = (33, 133, 362, 263)


def readings(take: Take, baseline: Take) -> Curves:
    """Curves [T] of smile, open, brows, shut, squint, sad, droop and angry, and of pitch, yaw and roll in degrees.

    Each is counted from the baseline's median. Droop is how far the corners of the mouth hang.
    """
    now, calm = _raw(take), _raw(baseline)
    moved = {name: now[name] - float(np.median(calm[name])) for name in now.keys() & calm.keys()}
    curves = {name: moved[name] for name in ("pitch", "yaw", "roll")}
    curves["squint"] = moved["squint_score"] / 0.15
    lids = max(float(np.median(calm["lids"])), 0.02) if "lids" in calm else 0.0
    # A smile that gives way is not yet sorrow: hanging corners count from where they would be without the calm face's smile.
    if "corners" in moved:
        moved["hanging"] = -moved["corners"] - _SMILE_LIFTS * float(np.median(calm["smile_score"]))
    curves |= _from_both(moved, lids) if "gap" in moved else _from_scores(moved)
    # Lowered brows alone are also concentration; narrowed eyes alone also mirth.
    curves["angry"] = (-curves["brows"] / 0.8 + curves["squint"]) / 2
    return curves


def action_levels(take: Take, baseline: Take) -> Curves:
    """How far each readable action (face/actions.py) is there against the baseline's median: curves [T], 1 where it is plainly shown.

    Scores say it, but for raised brows, whose scores sleep on many faces, their height where points are known.
    """
    now, calm = take.motion.actions.astype(np.float64), np.median(baseline.motion.actions, axis=0)
    levels = {name: (now[:, INDEX[name]] - calm[INDEX[name]]) / _PLAIN_SCORE for name in READABLE}
    if take.points is None or baseline.points is None:
        return levels
    raw, rest = _raw(take), _raw(baseline)
    for name, height in (("browInnerUp", "inner"), ("browOuterUpLeft", "outer_left"), ("browOuterUpRight", "outer_right")):
        levels[name] = (raw[height] - float(np.median(rest[height]))) / _PLAIN_RISE
    return levels


def _from_scores(moved: Curves) -> Curves:
    raised = moved["inner_score"] + moved["outer_score"] - moved["lowered_score"]
    return {
        "smile": moved["smile_score"] / 0.5,
        "open": moved["jaw_score"] / 0.35,
        "brows": raised / 0.7,
        "shut": moved["blink_score"] / 0.6,
        "sad": (moved["frown_score"] / 0.3 + _grief(moved)) / 2,
        "droop": moved["frown_score"] / 0.3,
    }


def _from_both(moved: Curves, lids: float) -> Curves:
    raised = moved["inner_score"] + moved["outer_score"] - moved["lowered_score"]
    return {
        # Scores of smiles are left out: geometry alone parts smiles (1.2 on) from talk (0.7 at most).
        "smile": (moved["corners"] / 0.035 + moved["width"] / 0.09) / 2,
        "open": moved["gap"] / 0.1,
        "brows": (raised / 0.35 + (moved["inner"] + moved["outer"]) / 0.05) / 2,
        "shut": (-moved["lids"] / lids / 0.8 + moved["blink_score"] / 0.5) / 2,
        "sad": (moved["hanging"] / 0.02 + _grief(moved)) / 2,
        "droop": moved["hanging"] / 0.02,
    }


def _grief(moved: Curves) -> Curve:
    """What comes with drooping corners, -1..1.5: raised inner brows, a raised chin or a frown, whichever shows most on this face."""
    signs = [moved["shrug_score"] / 0.15, moved["inner_score"] / 0.15, moved["frown_score"] / 0.05]
    if "inner" in moved:
        signs.append((moved["inner"] - moved["outer"]) / 0.01)
    return np.clip(np.max(signs, axis=0), -1.0, 1.5)


def _raw(take: Take) -> Curves:
    """Named scores and, if there are points, heights in inter-ocular distances in the face's own upright frame."""
    curves = {name: take.motion.column(name).astype(np.float64) for name in ("pitch", "yaw", "roll")}
    curves |= {
        "smile_score": _both_sides(take, "mouthSmile"),
        "jaw_score": take.motion.column("jawOpen").astype(np.float64),
        "inner_score": take.motion.column("browInnerUp").astype(np.float64),
        "outer_score": _both_sides(take, "browOuterUp"),
        "lowered_score": _both_sides(take, "browDown"),
        "blink_score": _both_sides(take, "eyeBlink"),
        "squint_score": _both_sides(take, "eyeSquint"),
        "frown_score": _both_sides(take, "mouthFrown"),
        "shrug_score": take.motion.column("mouthShrugLower").astype(np.float64),
    }
    return curves if take.points is None else curves | _heights(upright(take.points, take.motion.rotation_deg))


def _both_sides(take: Take, stem: str) -> Curve:
    return (take.motion.column(stem + "Left").astype(np.float64) + take.motion.column(stem + "Right")) / 2


def upright(points: NDArray[np.float32], rotation_deg: NDArray[np.float32]) -> NDArray[np.float64]:
    """Landmarks [T, 478, 3] in the face's own frame: unturned, y up, z to the viewer, in inter-ocular distances, about their mean."""
    turned = points.astype(np.float64) * (1, -1, -1)
    turned -= turned.mean(axis=1, keepdims=True)
    size = np.linalg.norm(turned[:, OUTER_EYES[0]] - turned[:, OUTER_EYES[1]], axis=1)
    turns = np.stack([rotation_matrix(*angles) for angles in rotation_deg])
    return np.einsum("tpi,tij->tpj", turned, turns) / size[:, None, None]  # p R = (R' p)'


def _heights(face: NDArray[np.float64]) -> Curves:
    y = face[..., 1]
    upper, lower = _LIPS_MIDDLE
    eyes = y[:, _EYE_CORNERS].mean(1)
    return {
        "gap": y[:, upper] - y[:, lower],
        "corners": y[:, MOUTH_CORNERS].mean(1) - (y[:, upper] + y[:, lower]) / 2,
        "width": np.linalg.norm(face[:, MOUTH_CORNERS[0]] - face[:, MOUTH_CORNERS[1]], axis=1),
        "inner": y[:, _INNER_BROW].mean(1) - eyes,
        "outer": y[:, _OUTER_BROW].mean(1) - eyes,
        "outer_right": y[:, _OUTER_BROW[:2]].mean(1) - eyes,
        "outer_left": y[:, _OUTER_BROW[2:]].mean(1) - eyes,
        "lids": np.mean([y[:, a] - y[:, b] for a, b in _LIDS], axis=0),
    }
