"""FaceMotion: the 58 numbers per frame that everything in this house moves in.

Axes: x image-right, y up, z towards the viewer. Left and right are the subject's own. 25 frames per second everywhere.

    columns 0..51   ARKit actions, 0..1, Apple's names and order
    columns 52..54  head rotation in degrees: pitch (+ looks up), yaw (+ turns to the subject's left), roll (+ tilts to the right shoulder)
    columns 55..57  head translation x, y, z in inter-ocular distances

T frames (25 Hz).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FRAME_RATE_HZ = 25
SAMPLE_RATE_HZ = 16_000
SPEECH_RATE_HZ = 50
SPEECH_PER_FRAME = SPEECH_RATE_HZ // FRAME_RATE_HZ
SAMPLES_PER_FRAME = SAMPLE_RATE_HZ // FRAME_RATE_HZ

# Apple's ARFaceAnchor.BlendShapeLocation, in the order of its documentation.
ACTIONS: tuple[str, ...] = (
    "eyeBlinkLeft",
    "eyeLookDownLeft",
    "eyeLookInLeft",
    "eyeLookOutLeft",
    "eyeLookUpLeft",
    "eyeSquintLeft",
    "eyeWideLeft",
    "eyeBlinkRight",
    "eyeLookDownRight",
    "eyeLookInRight",
    "eyeLookOutRight",
    "eyeLookUpRight",
    "eyeSquintRight",
    "eyeWideRight",
    "jawForward",
    "jawLeft",
    "jawRight",
    "jawOpen",
    "mouthClose",
    "mouthFunnel",
    "mouthPucker",
    "mouthLeft",
    "mouthRight",
    "mouthSmileLeft",
    "mouthSmileRight",
    "mouthFrownLeft",
    "mouthFrownRight",
    "mouthDimpleLeft",
    "mouthDimpleRight",
    "mouthStretchLeft",
    "mouthStretchRight",
    "mouthRollLower",
    "mouthRollUpper",
    "mouthShrugLower",
    "mouthShrugUpper",
    "mouthPressLeft",
    "mouthPressRight",
    "mouthLowerDownLeft",
    "mouthLowerDownRight",
    "mouthUpperUpLeft",
    "mouthUpperUpRight",
    "browDownLeft",
    "browDownRight",
    "browInnerUp",
    "browOuterUpLeft",
    "browOuterUpRight",
    "cheekPuff",
    "cheekSquintLeft",
    "cheekSquintRight",
    "noseSneerLeft",
    "noseSneerRight",
    "tongueOut",
)
POSE: tuple[str, ...] = ("pitch", "yaw", "roll", "x", "y", "z")
COLUMNS: tuple[str, ...] = ACTIONS + POSE
ACTION_COUNT = len(ACTIONS)
MOTION_DIM = len(COLUMNS)
INDEX: dict[str, int] = {name: i for i, name in enumerate(COLUMNS)}
ROTATION = slice(ACTION_COUNT, ACTION_COUNT + 3)
TRANSLATION = slice(ACTION_COUNT + 3, MOTION_DIM)


def frames_of(seconds: float) -> int:
    """Number of video frames in a duration.

    >>> frames_of(2.5)
    62
    """
    return round(FRAME_RATE_HZ * seconds)


def mirror_name(name: str) -> str:
    """The same action on the other side; names without a side come back unchanged.

    >>> mirror_name("mouthSmileLeft"), mirror_name("jawOpen")
    ('mouthSmileRight', 'jawOpen')
    """
    if "Left" in name:
        return name.replace("Left", "Right")
    return name.replace("Right", "Left")


_MIRROR_INDEX = np.array([INDEX[mirror_name(name)] for name in COLUMNS])
_MIRROR_SIGN = np.array([-1.0 if name in ("yaw", "roll", "x") else 1.0 for name in COLUMNS], np.float32)


def mirror(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The motion [..., 58] of the mirrored face: sides swapped, yaw, roll and x negated."""
    return values[..., _MIRROR_INDEX] * _MIRROR_SIGN


def rotation_matrix(pitch_deg: float, yaw_deg: float, roll_deg: float) -> NDArray[np.float64]:
    """R = Ry(yaw) Rx(-pitch) Rz(roll), 3x3, in the axes of this file."""
    p, y, r = np.deg2rad([-pitch_deg, yaw_deg, roll_deg])
    ry = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    rx = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    rz = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return ry @ rx @ rz


def rotation_angles(matrix: NDArray[np.float64]) -> tuple[float, float, float]:
    """(pitch, yaw, roll) in degrees of a rotation matrix; the inverse of `rotation_matrix`.

    >>> [round(a, 6) for a in rotation_angles(rotation_matrix(10, -20, 5))]
    [10.0, -20.0, 5.0]
    """
    yaw = np.arctan2(matrix[0, 2], matrix[2, 2])
    pitch = np.arctan2(matrix[1, 2], np.hypot(matrix[0, 2], matrix[2, 2]))
    roll = np.arctan2(matrix[1, 0], matrix[1, 1])
    return float(np.rad2deg(pitch)), float(np.rad2deg(yaw)), float(np.rad2deg(roll))


@dataclass(frozen=True)
class FaceMotion:
    """Motion of one face over time. `values` is float32 [T, 58] with the columns named in `COLUMNS`."""

    values: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Refuse arrays of another shape and numbers that are not finite."""
        values = np.asarray(self.values, np.float32)
        if values.ndim != 2 or values.shape[1] != MOTION_DIM:
            raise ValueError(f"expected motion of shape [T, {MOTION_DIM}], got {list(values.shape)}")
        if not np.isfinite(values).all():
            raise ValueError("expected finite motion, got NaN or infinity; check the curves that were read")
        object.__setattr__(self, "values", values)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def actions(self) -> NDArray[np.float32]:
        """The ARKit actions [T, 52], 0..1."""
        return self.values[:, :ACTION_COUNT]

    @property
    def rotation_deg(self) -> NDArray[np.float32]:
        """Head pitch, yaw, roll [T, 3] in degrees."""
        return self.values[:, ROTATION]

    @property
    def translation(self) -> NDArray[np.float32]:
        """Head x, y, z [T, 3] in inter-ocular distances."""
        return self.values[:, TRANSLATION]

    @property
    def seconds(self) -> float:
        """Length in seconds at 25 frames per second."""
        return len(self) / FRAME_RATE_HZ

    def column(self, name: str) -> NDArray[np.float32]:
        """One curve [T] by its name."""
        return self.values[:, INDEX[name]]

    @staticmethod
    def still(frames: int) -> FaceMotion:
        """A neutral, frontal, motionless face of that many frames."""
        return FaceMotion(np.zeros((frames, MOTION_DIM), np.float32))

    @staticmethod
    def of(frames: int, curves: Mapping[str, float | Iterable[float]]) -> FaceMotion:
        """Motion with the named curves set (a number holds for every frame); all else is zero.

        >>> float(FaceMotion.of(2, {"jawOpen": 0.5}).column("jawOpen")[1])
        0.5
        """
        values = np.zeros((frames, MOTION_DIM), np.float32)
        for name, curve in curves.items():
            values[:, INDEX[name]] = np.asarray(curve, np.float32)
        return FaceMotion(values)
