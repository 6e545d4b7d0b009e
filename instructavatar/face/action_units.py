"""FACS action units and the ARKit actions that show them.

The 41 names are those of OpenGraphAU and of the published system: 27 two-sided units and 14 one-sided ones. Numbers are Ekman's. Weights
say how far each action goes when the unit is fully there (1.0); they follow the anatomy (AU 1 is the inner frontalis, hence browInnerUp),
with readable actions preferred where several would do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from instructavatar.face.motion import ACTION_COUNT, INDEX, MOTION_DIM


@dataclass(frozen=True)
class ActionUnit:
    """One facial movement of FACS."""

    name: str
    """For example lip_corner_puller or left_cheek_raiser."""
    number: int
    """FACS number; left and right variants share it."""
    side: str
    """"both", "left" or "right": the subject's own side."""
    shape: Mapping[str, float]
    """ARKit actions 0..1 at full strength; a name without a side stands for both sides."""
    plain: tuple[str, ...]
    """What people call it, as imperative phrases with "your"."""


def vector(shape: Mapping[str, float]) -> NDArray[np.float32]:
    """A shape by names as one frame [58]; "mouthSmile" sets both mouthSmileLeft and mouthSmileRight.

    >>> int((vector({"mouthSmile": 0.5, "yaw": 10}) > 0).sum())
    3
    """
    values = np.zeros(MOTION_DIM, np.float32)
    for name, amount in shape.items():
        for side in sides(name):
            values[INDEX[side]] = amount
    return values


def sides(name: str) -> tuple[str, ...]:
    """The columns a name stands for: itself, or its left and right.

    >>> sides("jawOpen"), sides("browDown")
    (('jawOpen',), ('browDownLeft', 'browDownRight'))
    """
    if name in INDEX:
        return (name,)
    return (f"{name}Left", f"{name}Right")


# name, FACS number, actions, plain phrases
_TWO_SIDED: tuple[tuple[str, int, dict[str, float], str], ...] = (
    ("inner_brow_raiser", 1, {"browInnerUp": 0.85}, "raise your inner brows; lift the inner corners of your eyebrows"),
    ("outer_brow_raiser", 2, {"browOuterUp": 0.85, "browInnerUp": 0.15}, "raise your outer brows; lift the outer ends of your eyebrows"),
    ("brow_lowerer", 4, {"browDown": 0.85}, "lower your brows; draw your eyebrows down"),
    ("upper_lid_raiser", 5, {"eyeWide": 0.85}, "raise your upper eyelids; lift your upper lids"),
    ("cheek_raiser", 6, {"cheekSquint": 0.9, "eyeSquint": 0.45}, "raise your cheeks; push your cheeks up"),
    ("lid_tightener", 7, {"eyeSquint": 0.85}, "tighten your eyelids; tense your lower eyelids"),
    ("nose_wrinkler", 9, {"noseSneer": 0.9, "browDown": 0.25, "mouthUpperUp": 0.25}, "wrinkle your nose; scrunch your nose"),
    ("upper_lip_raiser", 10, {"mouthUpperUp": 0.85, "noseSneer": 0.15}, "raise your upper lip; lift your upper lip"),
    (
        "nasolabial_deepener",
        11,
        {"noseSneer": 0.5, "mouthUpperUp": 0.35},
        "deepen the folds beside your nose; deepen your nasolabial folds",
    ),
    ("lip_corner_puller", 12, {"mouthSmile": 0.8}, "pull up the corners of your lips; pull your lip corners up"),
    (
        "sharp_lip_puller",
        13,
        {"mouthSmile": 0.6, "cheekPuff": 0.3},
        "pull your lip corners sharply up; puff your cheeks up with sharp lip corners",
    ),
    ("dimpler", 14, {"mouthDimple": 0.85, "mouthPress": 0.2}, "tighten the corners of your mouth; make dimples"),
    (
        "lip_corner_depressor",
        15,
        {"mouthFrown": 0.9, "mouthShrugLower": 0.2},
        "pull down the corners of your lips; turn your lip corners down",
    ),
    ("lower_lip_depressor", 16, {"mouthLowerDown": 0.85}, "lower your bottom lip; pull your lower lip down"),
    ("chin_raiser", 17, {"mouthShrugLower": 0.85, "mouthShrugUpper": 0.3}, "raise your chin muscle; push your chin up against your lip"),
    ("lip_pucker", 18, {"mouthPucker": 0.9}, "pucker your lips; purse your lips forward"),
    ("tongue_show", 19, {"tongueOut": 0.9, "jawOpen": 0.3}, "show your tongue; let your tongue show"),
    ("lip_stretcher", 20, {"mouthStretch": 0.85}, "stretch your lips sideways; pull your lips wide to the sides"),
    ("lip_funneler", 22, {"mouthFunnel": 0.85, "jawOpen": 0.15}, "funnel your lips; form a funnel with your lips"),
    (
        "lip_tightener",
        23,
        {"mouthPress": 0.5, "mouthRollLower": 0.3, "mouthRollUpper": 0.3},
        "tighten your lips; make your lips narrow and tight",
    ),
    ("lip_pressor", 24, {"mouthPress": 0.85}, "press your lips together; squeeze your lips together"),
    ("lips_part", 25, {"mouthLowerDown": 0.35, "mouthUpperUp": 0.25, "jawOpen": 0.08}, "part your lips; let your lips come apart"),
    ("jaw_drop", 26, {"jawOpen": 0.5}, "drop your jaw; let your jaw fall"),
    ("mouth_stretch", 27, {"jawOpen": 0.9}, "stretch your mouth open; stretch your jaw wide open"),
    ("lip_bite", 32, {"mouthRollLower": 0.85, "mouthUpperUp": 0.15}, "bite your lower lip; bite your lip"),
    ("nostril_dilator", 38, {"noseSneer": 0.35, "mouthShrugUpper": 0.15}, "flare your nostrils; widen your nostrils"),
    ("nostril_compressor", 39, {"mouthShrugUpper": 0.35, "mouthPress": 0.15}, "compress your nostrils; narrow your nostrils"),
)

# The published label set splits these seven.
_SPLIT: dict[str, tuple[dict[str, float], str]] = {
    "inner_brow_raiser": (
        {"browInnerUp": 0.5, "browOuterUp{}": 0.3},
        "raise your {} inner brow; lift the inner corner of your {} eyebrow",
    ),
    "outer_brow_raiser": ({"browOuterUp{}": 0.9}, "raise your {} outer brow; lift the outer end of your {} eyebrow"),
    "brow_lowerer": ({"browDown{}": 0.9}, "lower your {} brow; draw your {} eyebrow down"),
    "cheek_raiser": ({"cheekSquint{}": 0.9, "eyeSquint{}": 0.5}, "raise your {} cheek; push your {} cheek up"),
    "upper_lip_raiser": ({"mouthUpperUp{}": 0.9, "noseSneer{}": 0.2}, "raise the {} side of your upper lip; lift your upper lip on the {}"),
    "nasolabial_deepener": (
        {"noseSneer{}": 0.5, "mouthUpperUp{}": 0.35},
        "deepen the fold on the {} of your nose; deepen your {} nasolabial fold",
    ),
    "dimpler": ({"mouthDimple{}": 0.9, "mouthSmile{}": 0.15}, "tighten the {} corner of your mouth; make a dimple on the {}"),
}


def _two_sided() -> Iterable[ActionUnit]:
    for name, number, shape, plain in _TWO_SIDED:
        yield ActionUnit(name, number, "both", shape, tuple(plain.split("; ")))


def _one_sided() -> Iterable[ActionUnit]:
    numbers = {name: number for name, number, *_ in _TWO_SIDED}
    for name, (shape, plain) in _SPLIT.items():
        for side in ("left", "right"):
            sided = {action.format(side.title()): amount for action, amount in shape.items()}
            yield ActionUnit(f"{side}_{name}", numbers[name], side, sided, tuple(plain.format(*[side] * 2).split("; ")))


ACTION_UNITS: dict[str, ActionUnit] = {unit.name: unit for unit in (*_two_sided(), *_one_sided())}


def unit_strengths(actions: NDArray[np.float32]) -> dict[str, float]:
    """How far each two-sided unit is there in actions [52]: 1.0 means its main action goes as far as in the table.

    A unit counts by its least shown main action, so that a smile alone is not taken for AU 6.
    """
    strengths = {}
    for unit in ACTION_UNITS.values():
        target = vector(unit.shape)[:ACTION_COUNT]
        main = target >= 0.5 * target.max()
        strengths[unit.name] = float(np.min(actions[main] / target[main]))
    return strengths


def present_units(actions: NDArray[np.float32], threshold: float = 0.5) -> list[str]:
    """Names of the units that are there in actions [52] beyond a share of full strength; one-sided only where the other side is not."""
    strengths = unit_strengths(actions)
    found = [name for name, strength in strengths.items() if strength >= threshold]
    return [name for name in found if ACTION_UNITS[name].side == "both" or name.split("_", 1)[1] not in found]
