"""The kinds of acts: what each does to the face, where, and how fast.

A held kind goes to its shape and stays until its time is over. A rhythm (nod, blink ...) is a curve over its shape. Every kind that has
a side exists twice, the right one being the mirror of the left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from instructavatar.face.action_units import ACTION_UNITS, vector
from instructavatar.face.emotions import PROTOTYPES, expression
from instructavatar.face.motion import ACTION_COUNT, ACTIONS, COLUMNS, mirror

REGIONS: tuple[str, ...] = ("brows", "lids", "gaze", "mouth", "head")


def region_of(column: str) -> str:
    """The part of the face that a column belongs to: one of `REGIONS`."""
    if column.startswith("brow"):
        return "brows"
    if column.startswith("eye"):
        return "gaze" if "Look" in column else "lids"
    return "mouth" if column in ACTIONS else "head"


REGION_COLUMNS: dict[str, NDArray[np.bool_]] = {r: np.array([region_of(c) == r for c in COLUMNS]) for r in REGIONS}


@dataclass(frozen=True)
class Kind:
    """One thing a face can be asked to do."""

    name: str
    shape: NDArray[np.float32]
    """[58]: where it goes at amount 1; degrees and inter-ocular distances in the pose columns."""
    attack_s: float = 0.4
    rhythm: str = ""
    """"" = held; else the name of a curve in `prepare/acting/rhythms.py`."""
    claims: tuple[str, ...] = ()
    """Regions whose resting expression gives way to this act."""
    silent_only: bool = False
    """It needs the mouth, so it is not asked of somebody who talks."""


def _claims(shape: NDArray[np.float32]) -> tuple[str, ...]:
    return tuple(r for r in REGIONS if np.abs(shape[REGION_COLUMNS[r]]).max() > 0)


def _kind(name: str, shape: Mapping[str, float], attack_s: float = 0.4, rhythm: str = "", silent_only: bool = False) -> Kind:
    values = vector(shape)
    return Kind(name, values, attack_s, rhythm, _claims(values), silent_only)


_LOOK_LEFT = {"eyeLookOutLeft": 0.75, "eyeLookInRight": 0.75}
_HEAD_S = 0.6

_PLAIN: tuple[Kind, ...] = (
    _kind("smile", {"mouthSmile": 0.6, "cheekSquint": 0.25, "eyeSquint": 0.1}),
    _kind(
        "big_smile",
        {"mouthSmile": 0.95, "jawOpen": 0.15, "cheekSquint": 0.6, "eyeSquint": 0.3, "mouthUpperUp": 0.25, "mouthLowerDown": 0.15},
    ),
    _kind(
        "grin", {"mouthSmile": 0.7, "mouthUpperUp": 0.45, "mouthLowerDown": 0.5, "mouthStretch": 0.25, "jawOpen": 0.04, "cheekSquint": 0.4}
    ),
    _kind("laugh", {"mouthSmile": 0.85, "jawOpen": 0.4, "cheekSquint": 0.6, "eyeSquint": 0.5, "pitch": 4}, 0.35, "laugh", True),
    _kind("frown_mouth", {"mouthFrown": 0.8, "mouthShrugLower": 0.4}),
    _kind("open_mouth", {"jawOpen": 0.5, "mouthLowerDown": 0.1}, silent_only=True),
    _kind("open_mouth_wide", {"jawOpen": 0.9, "mouthLowerDown": 0.25, "mouthUpperUp": 0.15}, 0.45, silent_only=True),
    _kind("close_mouth", {"mouthPress": 0.12}, silent_only=True),
    _kind("pucker", {"mouthPucker": 0.9}, silent_only=True),
    _kind("funnel", {"mouthFunnel": 0.8, "jawOpen": 0.25}, silent_only=True),
    _kind("puff_cheeks", {"cheekPuff": 0.9, "mouthPucker": 0.25, "mouthPress": 0.2}, silent_only=True),
    _kind("tongue_out", {"tongueOut": 0.95, "jawOpen": 0.4, "mouthLowerDown": 0.2}, silent_only=True),
    _kind("press_lips", {"mouthPress": 0.8, "mouthRollLower": 0.2, "mouthRollUpper": 0.2}, silent_only=True),
    _kind("bite_lip", {"mouthRollLower": 0.85, "mouthUpperUp": 0.2, "jawOpen": 0.05}, silent_only=True),
    _kind("roll_lips", {"mouthRollLower": 0.8, "mouthRollUpper": 0.75, "mouthPress": 0.2}, silent_only=True),
    _kind("pout", {"mouthPucker": 0.5, "mouthShrugLower": 0.75, "mouthFrown": 0.35, "browInnerUp": 0.2}, silent_only=True),
    _kind(
        "show_teeth",
        {"mouthUpperUp": 0.65, "mouthLowerDown": 0.75, "mouthStretch": 0.4, "mouthSmile": 0.2, "jawOpen": 0.04},
        silent_only=True,
    ),
    _kind("yawn", {"jawOpen": 0.95, "eyeBlink": 0.85, "browInnerUp": 0.35, "browDown": 0.15, "pitch": 6}, 0.9, "yawn", True),
    _kind("raise_brows", {"browInnerUp": 0.8, "browOuterUp": 0.8}, 0.3),
    _kind("inner_brows", {"browInnerUp": 0.85}, 0.35),
    _kind("lower_brows", {"browDown": 0.85}, 0.35),
    _kind("flash_brows", {"browInnerUp": 0.8, "browOuterUp": 0.8}, 0.3, "flash"),
    _kind("close_eyes", {"eyeBlink": 0.97}, 0.25),
    _kind("half_close_eyes", {"eyeBlink": 0.5}, 0.35),
    _kind("wide_eyes", {"eyeWide": 0.85}, 0.3),
    _kind("squint", {"eyeSquint": 0.8, "eyeBlink": 0.15}, 0.35),
    _kind("blink", {"eyeBlink": 0.95}, 0.1, "blink"),
    _kind("roll_eyes", {"eyeLookUp": 0.9, "eyeLookOut": 0.6, "browOuterUp": 0.15}, 0.3, "roll_eyes"),
    _kind("eyes_up", {"eyeLookUp": 0.75}, 0.2),
    _kind("eyes_down", {"eyeLookDown": 0.7, "eyeBlink": 0.15}, 0.2),
    _kind("look_camera", {}, 0.3),
    _kind("look_up", {"pitch": 12, "eyeLookUp": 0.4}, _HEAD_S),
    _kind("look_down", {"pitch": -12, "eyeLookDown": 0.4}, _HEAD_S),
    _kind("raise_head", {"pitch": 11, "y": 0.03}, _HEAD_S),
    _kind("lower_head", {"pitch": -11, "y": -0.03}, _HEAD_S),
    _kind("lean_forward", {"z": 0.7, "pitch": -2}, 0.7),
    _kind("lean_back", {"z": -0.7, "pitch": 2}, 0.7),
    _kind("nod", {"pitch": -9}, 0.3, "nod"),
    _kind("shake", {"yaw": 13}, 0.3, "shake"),
    _kind("still_head", {}, 0.3),
    _kind("idle", {}, 0.3),
)

_LEFT: tuple[Kind, ...] = (
    _kind("turn_left", {"yaw": 20}, _HEAD_S),
    _kind("tilt_left", {"roll": -14}, _HEAD_S),
    _kind("look_left", {"yaw": 14, "eyeLookOutLeft": 0.45, "eyeLookInRight": 0.45}, _HEAD_S),
    _kind("eyes_left", _LOOK_LEFT, 0.2),
    _kind("wink_left", {"eyeBlinkLeft": 0.95, "cheekSquintLeft": 0.4, "mouthSmileLeft": 0.12}, 0.15, "wink"),
    _kind("smirk_left", {"mouthSmileLeft": 0.65, "mouthDimpleLeft": 0.3, "cheekSquintLeft": 0.25}),
    _kind("raise_brow_left", {"browOuterUpLeft": 0.9, "browInnerUp": 0.2}, 0.3),
    _kind("mouth_left", {"mouthLeft": 0.8}, 0.35, silent_only=True),
    _kind("jaw_left", {"jawLeft": 0.8}, 0.35, silent_only=True),
    _kind("close_eye_left", {"eyeBlinkLeft": 0.95, "cheekSquintLeft": 0.2}, 0.25),
)


def mirror_kind(name: str) -> str:
    """The kind on the other side; kinds without a side come back unchanged.

    >>> mirror_kind("turn_left"), mirror_kind("au:left_dimpler"), mirror_kind("smile")
    ('turn_right', 'au:right_dimpler', 'smile')
    """
    if "left" in name:
        return name.replace("left", "right")
    return name.replace("right", "left")


def _mirrored(kind: Kind) -> Kind:
    return Kind(mirror_kind(kind.name), mirror(kind.shape), kind.attack_s, kind.rhythm, kind.claims, kind.silent_only)


def _emotions() -> list[Kind]:
    return [Kind(name, expression(name), 0.45, "", REGIONS) for name in PROTOTYPES]


# Jaw and lip units that speech cannot share.
_MOUTH_UNITS = frozenset(
    (
        "tongue_show",
        "lip_funneler",
        "lip_pucker",
        "jaw_drop",
        "mouth_stretch",
        "lip_bite",
        "lips_part",
        "lip_pressor",
        "lip_tightener",
        "lower_lip_depressor",
    )
)


def _units() -> list[Kind]:
    return [_kind(f"au:{u.name}", u.shape, 0.4, silent_only=u.name in _MOUTH_UNITS) for u in ACTION_UNITS.values()]


KINDS: dict[str, Kind] = {k.name: k for k in (*_PLAIN, *_LEFT, *(_mirrored(k) for k in _LEFT), *_emotions(), *_units())}

# Groups that the sampler and the tests speak of.
MAIN: tuple[str, ...] = (
    "smile",
    "big_smile",
    "sad",
    "surprised",
    "angry",
    "raise_brows",
    "open_mouth",
    "close_eyes",
    "turn_left",
    "turn_right",
    "look_up",
    "look_down",
    "nod",
    "shake",
)
EMOTIONS: tuple[str, ...] = tuple(name for name in PROTOTYPES if name != "neutral")


def kind_of(name: str) -> Kind:
    """A kind by name; "happy+surprised" is made on the spot."""
    if "+" in name:
        return Kind(name, expression(name), 0.45, "", REGIONS)
    return KINDS[name]


def target(name: str, amount: float) -> NDArray[np.float64]:
    """Where a kind goes [58] at that amount; actions within 0..1, angles at most 1.4 times the table's."""
    values = kind_of(name).shape.astype(np.float64) * amount
    values[:ACTION_COUNT] = np.clip(values[:ACTION_COUNT], 0.0, 1.0)
    return values
