"""A driver's motion made ready for a portrait: counted from where the portrait is, and smoothed without flattening what is quick.

T frames at 25 Hz. Motion comes in as measured: actions and rotation absolute, translation from the first frame.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from instructavatar.face.motion import ACTION_COUNT, INDEX, ROTATION, TRANSLATION, FaceMotion
from instructavatar.features.face_motion import gaussian

# The driver's calm face is what he falls below for a tenth of the time: closed lips between words, open eyes between blinks.
CALM_PERCENTILE = 10
_GAZE = tuple(INDEX[f"eyeLook{way}{side}"] for way in ("Up", "Down", "In", "Out") for side in ("Left", "Right"))
_OPENERS = tuple(INDEX[name] for name in ("jawOpen", "mouthUpperUpLeft", "mouthUpperUpRight", "mouthLowerDownLeft", "mouthLowerDownRight"))
# A jaw that moves by this much is one that speaks; by less, one that is held.
_SILENT_RANGE, _TALKING_RANGE = 0.05, 0.2
# Standard deviations in frames of the Gaussians that smoothing parts a curve by, and how much of white noise is between one and the last.
_SCALES, _NOISE_SHARES = (1.0, 2.0, 4.0), (0.70, 0.26, 0.18)
# What smoothing takes for noise at full strength: up to six times the level of the curve's calmest quarter, or of a face that is all but
# still (a real one trembles by more).
_STRONGEST, _LEAST_NOISE, _LEAST_NOISE_DEG = 6.0, 0.003, 0.03


def retargeted(
    motion: FaceMotion, rest: NDArray[np.float32], portrait_deg: NDArray[np.float32], is_relative: bool | None, filmed: bool
) -> FaceMotion:
    """A driver's motion as a portrait should make it.

    Args:
        motion: of a video, as measured, or of curves.
        rest: the portrait's own expression [58].
        portrait_deg: its head's rotation [3].
        is_relative: True for `relative`, False for `absolute`, None for `from_first_pose`.
        filmed: False for curves, whose pose counts from the picture already.
    """
    if is_relative:
        return relative(motion, rest)
    if not filmed:
        return motion
    return from_first_pose(motion) if is_relative is None else absolute(motion, portrait_deg)


def from_first_pose(motion: FaceMotion) -> FaceMotion:
    """Expressions as they are, the head's pose counted from the first frame, so the portrait's head starts as it is."""
    values = motion.values.copy()
    values[:, ACTION_COUNT:] -= values[0, ACTION_COUNT:]
    return FaceMotion(values)


def absolute(motion: FaceMotion, portrait_deg: NDArray[np.float32]) -> FaceMotion:
    """Expressions as they are, the head turned as the driver's: rotation counts from the portrait's own [3] in degrees.

    Translation counts from the first frame, for a place in another picture means nothing.
    """
    values = motion.values.copy()
    values[:, ROTATION] -= portrait_deg
    values[:, TRANSLATION] -= values[0, TRANSLATION]
    return FaceMotion(values)


def relative(motion: FaceMotion, rest: NDArray[np.float32]) -> FaceMotion:
    """What the driver does beyond his calm face, on top of the portrait's own expression `rest` [58]; the pose from the first frame.

    A calm face is taken from 0, a full action stays a full one, so eyes that are narrow by nature still shut. An open mouth of the
    portrait gives way to a driver who talks, or its lips could never meet.
    """
    values = from_first_pose(motion).values
    actions = values[:, :ACTION_COUNT]
    calm = np.percentile(actions, CALM_PERCENTILE, axis=0).astype(np.float32)
    calm[list(_GAZE)] = np.median(actions[:, _GAZE], axis=0)
    beyond = np.maximum(actions - calm, 0) / np.maximum(1 - calm, 1e-3)
    own = rest[:ACTION_COUNT].copy()
    own[list(_OPENERS)] *= 1 - _talking(actions[:, INDEX["jawOpen"]])
    values[:, :ACTION_COUNT] = np.clip(own + beyond, 0, 1)
    return FaceMotion(values)


def _talking(jaw: NDArray[np.float32]) -> float:
    """0 for a mouth that is held, 1 for one that speaks."""
    moved = float(np.percentile(jaw, 95) - np.percentile(jaw, 5))
    return float(np.clip((moved - _SILENT_RANGE) / (_TALKING_RANGE - _SILENT_RANGE), 0, 1))


def smoothed(motion: FaceMotion, strength: float) -> FaceMotion:
    """The motion without its trembling, not a frame later: 0 as it is, 1 strongest.

    Each curve is a slow part and the quicker rest of it, parted by Gaussians. Where the rest is no louder than the curve's own trembling
    it goes; where it is louder (a blink, lips that meet, a nod) it stays, so nothing quick is flattened.
    """
    if strength <= 0 or len(motion) < 3:
        return motion
    values = motion.values
    least = np.full(values.shape[1], _LEAST_NOISE, np.float32)
    least[ROTATION] = _LEAST_NOISE_DEG
    noise = _STRONGEST * strength * np.maximum(_noise(values), least)
    result, slow = np.zeros_like(values), values
    for deviation, share in zip(_SCALES, _NOISE_SHARES, strict=True):
        slower = gaussian(values, deviation)
        quick = slow - slower
        loud = gaussian(quick**2, deviation)
        result += quick * loud**2 / (loud**2 + (share * noise) ** 4)
        slow = slower
    result += slow
    result[:, :ACTION_COUNT] = result[:, :ACTION_COUNT].clip(0, 1)
    return FaceMotion(result)


def _noise(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Deviation [C] of each curve's trembling from frame to frame, in its calmest quarter: in the rest, a mouth that talks moves itself.

    Of white noise, the second difference has sqrt(6) times the deviation, and a quarter of it is smaller than 0.3186 of that.
    """
    quarter = np.percentile(np.abs(np.diff(values, 2, axis=0)), 25, axis=0)
    return np.asarray(quarter / (0.3186 * np.sqrt(6)), np.float32)
