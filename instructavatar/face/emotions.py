"""Emotion prototypes: what a face does when it feels something, in actions and head pose, with intensity.

A prototype is the plain expression ("look sad"); intensity scales it. The shapes follow EMFACS (Friesen and Ekman 1983: happiness 6+12,
sadness 1+4+15, surprise 1+2+5+26, fear 1+2+4+5+20+26, anger 4+5+7+23, disgust 9+15+16, contempt one-sided 12+14), with readable actions
stressed.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from instructavatar.face.action_units import vector
from instructavatar.face.motion import ACTION_COUNT

Shape = Mapping[str, float]

# The eight of MEAD first, then mixtures and states people ask for. Degrees for pitch, yaw, roll; inter-ocular distances for x, y, z.
PROTOTYPES: dict[str, Shape] = {
    "neutral": {},
    "happy": {"mouthSmile": 0.72, "cheekSquint": 0.5, "eyeSquint": 0.28, "jawOpen": 0.06, "browOuterUp": 0.12, "pitch": 1.5},
    "sad": {
        "browInnerUp": 0.75,
        "browDown": 0.12,
        "mouthFrown": 0.65,
        "mouthShrugLower": 0.5,
        "mouthPucker": 0.08,
        "eyeSquint": 0.12,
        "eyeLookDown": 0.3,
        "eyeBlink": 0.12,
        "pitch": -7,
        "y": -0.03,
    },
    "angry": {
        "browDown": 0.78,
        "eyeSquint": 0.45,
        "noseSneer": 0.5,
        "mouthPress": 0.45,
        "mouthFrown": 0.3,
        "mouthRollLower": 0.12,
        "jawForward": 0.15,
        "pitch": -3,
        "z": 0.05,
    },
    "fear": {
        "browInnerUp": 0.75,
        "browOuterUp": 0.4,
        "eyeWide": 0.7,
        "mouthStretch": 0.5,
        "jawOpen": 0.22,
        "mouthFrown": 0.1,
        "pitch": 2,
        "z": -0.1,
    },
    "disgusted": {
        "noseSneer": 0.75,
        "mouthUpperUp": 0.6,
        "browDown": 0.5,
        "eyeSquint": 0.5,
        "mouthFrown": 0.3,
        "mouthShrugLower": 0.3,
        "cheekSquint": 0.35,
        "pitch": 2,
        "roll": 2,
        "z": -0.06,
    },
    "surprised": {"browInnerUp": 0.75, "browOuterUp": 0.7, "eyeWide": 0.62, "jawOpen": 0.45, "mouthFunnel": 0.12, "pitch": 2},
    "contempt": {
        "mouthSmileLeft": 0.5,
        "mouthDimpleLeft": 0.5,
        "mouthShrugLower": 0.3,
        "eyeSquint": 0.4,
        "browOuterUpLeft": 0.35,
        "browInnerUp": 0.25,
        "mouthUpperUpLeft": 0.2,
        "pitch": 5,
        "yaw": -4,
        "roll": 3,
    },
    "excited": {
        "mouthSmile": 0.8,
        "jawOpen": 0.28,
        "browInnerUp": 0.45,
        "browOuterUp": 0.55,
        "eyeWide": 0.45,
        "cheekSquint": 0.3,
        "pitch": 3,
    },
    "bored": {
        "eyeBlink": 0.35,
        "browOuterUp": 0.08,
        "mouthFrown": 0.25,
        "mouthShrugLower": 0.25,
        "eyeLookDown": 0.2,
        "roll": 6,
        "pitch": -3,
    },
    "calm": {"mouthSmile": 0.15, "eyeBlink": 0.12},
    "confused": {
        "browDownLeft": 0.6,
        "browOuterUpRight": 0.6,
        "browInnerUp": 0.2,
        "eyeSquint": 0.3,
        "mouthPucker": 0.2,
        "mouthFrown": 0.2,
        "roll": 7,
    },
    "tired": {"eyeBlink": 0.5, "browInnerUp": 0.2, "mouthFrown": 0.2, "jawOpen": 0.06, "eyeLookDown": 0.25, "pitch": -6, "roll": 2},
    "proud": {"mouthSmile": 0.35, "mouthPress": 0.25, "pitch": 9, "y": 0.03, "eyeBlink": 0.1},
    "shy": {"mouthSmile": 0.3, "mouthPress": 0.2, "eyeLookDown": 0.55, "browInnerUp": 0.35, "pitch": -8, "yaw": 6, "roll": 4},
    "in_love": {"mouthSmile": 0.5, "browInnerUp": 0.4, "eyeSquint": 0.2, "eyeBlink": 0.15, "cheekSquint": 0.35, "roll": 7},
    "worried": {"browInnerUp": 0.7, "browDown": 0.35, "mouthPress": 0.3, "mouthFrown": 0.3, "eyeSquint": 0.1, "pitch": -2},
    "suspicious": {"eyeSquint": 0.65, "browDown": 0.45, "mouthPress": 0.25, "browOuterUpRight": 0.2, "yaw": 7, "pitch": -2},
    "pain": {
        "eyeSquint": 0.7,
        "eyeBlink": 0.45,
        "browDown": 0.65,
        "noseSneer": 0.45,
        "mouthStretch": 0.45,
        "mouthUpperUp": 0.35,
        "jawOpen": 0.12,
        "pitch": -3,
    },
    "determined": {"browDown": 0.5, "mouthPress": 0.6, "eyeSquint": 0.25, "jawForward": 0.15, "pitch": -1, "z": 0.05},
    "thinking": {
        "eyeLookUp": 0.45,
        "eyeLookOutLeft": 0.3,
        "eyeLookInRight": 0.3,
        "browDown": 0.25,
        "mouthPucker": 0.25,
        "roll": 4,
        "pitch": 4,
    },
}

# MEAD's eight, which the benchmarks of the field use.
BASIC: tuple[str, ...] = ("neutral", "happy", "sad", "angry", "fear", "disgusted", "surprised", "contempt")

# Strength of "slightly", "moderately" and "very", and of a request without such a word: neighbours differ by >= 0.1.
INTENSITY: dict[int, float] = {1: 0.5, 2: 0.8, 3: 1.3}
PLAIN_INTENSITY = 1.0

# The table of the field's AU-emo metric: action units a viewer expects of each emotion.
TYPICAL_UNITS: dict[str, tuple[str, ...]] = {
    "angry": ("brow_lowerer", "jaw_drop", "nose_wrinkler", "lid_tightener"),
    "happy": ("cheek_raiser", "lip_corner_puller", "jaw_drop", "lid_tightener"),
    "sad": ("brow_lowerer", "chin_raiser", "inner_brow_raiser", "lip_corner_depressor"),
    "fear": ("inner_brow_raiser", "jaw_drop", "upper_lid_raiser", "outer_brow_raiser"),
    "surprised": ("inner_brow_raiser", "outer_brow_raiser", "jaw_drop", "lid_tightener"),
    "contempt": ("inner_brow_raiser", "chin_raiser", "lip_corner_puller", "lid_tightener"),
    "disgusted": ("brow_lowerer", "cheek_raiser", "lip_corner_depressor", "nose_wrinkler"),
}


def expression(name: str, strength: float = PLAIN_INTENSITY) -> NDArray[np.float32]:
    """One frame [58] of an emotion, or of a mixture written "happy+surprised"; actions stay within 0..1.

    >>> bool(expression("happy", 1.3)[23] > expression("happy", 0.5)[23])
    True
    """
    parts = [vector(PROTOTYPES[part]) for part in name.split("+")]
    values = np.maximum.reduce(parts) * 0.35 + np.mean(parts, axis=0) * 0.65 if len(parts) > 1 else parts[0].copy()
    values *= strength
    values[:ACTION_COUNT] = np.clip(values[:ACTION_COUNT], 0.0, 1.0)
    return values
