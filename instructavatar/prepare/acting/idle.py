"""The life that is always there: blinks, small gaze jumps, breathing, a drifting head, and what a speaker's head does by itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from instructavatar.face.motion import FRAME_RATE_HZ, INDEX, MOTION_DIM
from instructavatar.face.visemes import VOWELS, Phone, visemes_of
from instructavatar.prepare.acting.curves import Curve, pulse, rise, wander
from instructavatar.prepare.acting.score import Style

Values = NDArray[np.float64]


def blinks(times: Curve, rng: np.random.Generator, per_minute: float) -> Curve:
    """Eyelid closure [T] 0..1: a Poisson process with a pause of at least 1.2 s; closing 80 ms, opening 160 ms."""
    lids = np.zeros(len(times))
    clock = rng.exponential(60.0 / per_minute) * 0.7 + 0.3
    while clock < times[-1]:
        lids = np.maximum(lids, 0.92 * pulse(times, clock, 0.09, 0.17, 0.04))
        clock += 1.2 + rng.exponential(max(60.0 / per_minute - 1.2, 0.5))
    return lids


def gaze(times: Curve, rng: np.random.Generator) -> tuple[Curve, Curve]:
    """Gaze (to the subject's left, up) [T] each: small jumps every 0.7 to 2.5 s around straight ahead, each done within 60 ms."""
    left, up = np.zeros(len(times)), np.zeros(len(times))
    now = np.zeros(2)
    clock = rng.uniform(0.5, 1.5)
    while clock < times[-1]:
        goal = rng.normal(0.0, [0.05, 0.035])
        step = rise((times - clock) / 0.06)
        left, up = left + step * (goal[0] - now[0]), up + step * (goal[1] - now[1])
        now = goal
        clock += rng.uniform(0.7, 2.5)
    return left, up


def add_gaze(values: Values, left: Curve, up: Curve) -> None:
    """Write a gaze (to the subject's left, up; -1..1) into the eight look actions, adding to what is there."""
    parts = {
        "eyeLookOutLeft": left,
        "eyeLookInRight": left,
        "eyeLookInLeft": -left,
        "eyeLookOutRight": -left,
        "eyeLookUpLeft": up,
        "eyeLookUpRight": up,
        "eyeLookDownLeft": -up,
        "eyeLookDownRight": -up,
    }
    for name, part in parts.items():
        values[:, INDEX[name]] += np.maximum(part, 0.0)


def idle_head(times: Curve, rng: np.random.Generator, style: Style) -> Values:
    """Head life [T, 6] from the portrait's pose on: drift of about a degree, breathing every 3.5 to 4.5 s."""
    pose = np.zeros((len(times), 6))
    for column, size in enumerate((0.7, 1.0, 0.6, 0.008, 0.006, 0.01)):
        drift = wander(times, rng, 9.0, 3.5)
        pose[:, column] = size * style.head * (drift - drift[:1])
    breath = np.sin(2 * np.pi * times / rng.uniform(3.5, 4.5))
    pose[:, 0] += 0.25 * breath
    pose[:, 4] += 0.006 * breath
    return pose


def idle_face(times: Curve, rng: np.random.Generator, style: Style) -> Values:
    """Face life [T, 58] without head and lids: gaze jumps and a breath of movement in brows and mouth corners."""
    values = np.zeros((len(times), MOTION_DIM))
    add_gaze(values, *gaze(times, rng))
    for names, size in (
        (("browInnerUp",), 0.025),
        (("browOuterUpLeft", "browOuterUpRight"), 0.015),
        (("mouthSmileLeft", "mouthSmileRight"), 0.015),
    ):
        curve = np.maximum(size * style.idle * (0.5 + wander(times, rng, 6.0, 2.5)), 0.0)
        for name in names:
            values[:, INDEX[name]] += curve
    return values


def emphasis(phones: Sequence[Phone], seconds: float) -> list[tuple[float, float]]:
    """(time, strength 0.5..1) of the stressed moments of speech: the longest vowels, at least 0.9 s apart."""
    vowels = [((a + b) / 2, b - a) for phone, a, b in phones if _is_vowel(phone) and b <= seconds]
    if not vowels:
        return []
    usual = float(np.median([length for _, length in vowels]))
    chosen: list[tuple[float, float]] = []
    for when, length in sorted(vowels, key=lambda v: -v[1]):
        if length >= 1.25 * usual and all(abs(when - other) >= 0.9 for other, _ in chosen):
            chosen.append((when, float(np.clip(length / usual / 2.0, 0.5, 1.0))))
    return sorted(chosen)


def _is_vowel(phone: str) -> bool:
    visemes = visemes_of(phone)
    return visemes is not None and bool(visemes) and visemes[0] in VOWELS


def speaking_head(times: Curve, phones: Sequence[Phone], rng: np.random.Generator, style: Style) -> Values:
    """What a speaker's head and brows do by themselves [T, 58]: sway while speaking, a dip and a brow flash on stressed vowels."""
    values = np.zeros((len(times), MOTION_DIM))
    for name, size in (("pitch", 0.8), ("yaw", 1.4), ("roll", 0.9)):
        values[:, INDEX[name]] = size * style.head * wander(times, rng, 4.0, 1.4)
    for when, strength in emphasis(phones, len(times) / FRAME_RATE_HZ):
        beat = strength * pulse(times, when, 0.2, 0.35)
        values[:, INDEX["pitch"]] -= 2.2 * style.head * beat
        for name, size in (("browInnerUp", 0.14), ("browOuterUpLeft", 0.1), ("browOuterUpRight", 0.1)):
            values[:, INDEX[name]] += size * style.idle * beat
    return values
