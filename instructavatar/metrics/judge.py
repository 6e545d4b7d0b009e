"""The judge: whether a rendered clip did what was asked.

Judged from faces measured again on the drawn frames, against the same face's uninstructed clip. What is held (a smile, a turn) must be held
for a second; nods and shakes must go to and fro. A rule names what must be seen and what must not: a surprised face is no mere
opened mouth. Limits are about 55 % of what the rig's own prototypes read on portraits, and several times what idle life reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from instructavatar.metrics.base import Take, wilson_interval
from instructavatar.metrics.readings import Curves, readings

HELD_S = 1.0
# A head that turns to the other side by half of what was asked went the wrong way.
_WRONG_SHARE = 0.5


@dataclass(frozen=True)
class Rule:
    """What one kind of instruction must and must not show, in the units of `readings`."""

    needs: Mapping[str, float]
    """Reading -> least value if positive, greatest value if negative, held for a second."""
    not_above: Mapping[str, float] = field(default_factory=dict)
    not_below: Mapping[str, float] = field(default_factory=dict)
    opposite: str = ""
    """The kind that would be the wrong side."""


@dataclass(frozen=True)
class Verdict:
    """What the judge says of one clip."""

    ok: bool
    score: float
    """How much of the needed was seen; 1 is just enough."""
    wrong_side: bool
    reason: str
    """In words, for a report."""


_FRONT = {"yaw": 9.0}
_FRONT_BELOW = {"yaw": -9.0}

RULES: dict[str, Rule] = {
    "smile": Rule({"smile": 0.8}, {"open": 1.1}),
    "big smile": Rule({"smile": 1.7}),
    "sad": Rule(
        {"sad": 0.7, "droop": 0.5}, {"shut": 0.55, "open": 0.35, "pitch": 3.0, **_FRONT}, {"brows": -0.4, "pitch": -10.0, **_FRONT_BELOW}
    ),
    "surprised": Rule({"brows": 0.8, "open": 0.5}, {"smile": 0.8}),
    "angry": Rule({"angry": 0.8, "brows": -0.45}, {"smile": 0.6, "shut": 0.4, "open": 0.6, **_FRONT}, {"pitch": -8.0, **_FRONT_BELOW}),
    "raise your eyebrows": Rule(
        {"brows": 0.8}, {"open": 0.4, "shut": 0.3, "droop": 0.5, "pitch": 5.5, **_FRONT}, {"pitch": -5.5, **_FRONT_BELOW}
    ),
    "open your mouth": Rule({"open": 0.7}, {"brows": 0.8, "smile": 0.8}),
    "close your eyes": Rule({"shut": 0.45}, {"smile": 0.6, "droop": 0.7, **_FRONT}, {"brows": -0.8, **_FRONT_BELOW}),
    "turn your head left": Rule({"yaw": 10.0}, opposite="turn your head right"),
    "turn your head right": Rule({"yaw": -10.0}, opposite="turn your head left"),
    "look up": Rule({"pitch": 6.0}, {"open": 0.45, **_FRONT}, _FRONT_BELOW),
    "look down": Rule({"pitch": -6.5}, {"smile": 0.6, **_FRONT}, {"brows": -0.8, **_FRONT_BELOW}),
}
# Motions to and fro: (angle, the other angle, least degrees of a swing).
SWINGS: dict[str, tuple[str, str, float]] = {"nod": ("pitch", "yaw", 5.0), "shake your head": ("yaw", "pitch", 6.0)}
_LEAST_SWINGS = 3
KINDS: tuple[str, ...] = (*RULES, *SWINGS)
# What a portrait may show all the time, by the score that tells.
_ALREADY = {
    "smile": "mouthSmileLeft",
    "big smile": "mouthSmileLeft",
    "surprised": "jawOpen",
    "open your mouth": "jawOpen",
    "close your eyes": "eyeBlinkLeft",
}


def judge(kind: str, take: Take, baseline: Take) -> Verdict:
    """Judge a take as one of `KINDS`; `baseline` is the same face's uninstructed take."""
    if kind not in KINDS:
        raise ValueError(f"expected one of {', '.join(KINDS)}, got {kind!r}")
    curves = readings(take, baseline)
    if kind in SWINGS:
        return _judge_swings(kind, curves)
    rule = RULES[kind]
    verdict = _judge_held(rule, curves, round(HELD_S * take.rate_hz))
    if not rule.opposite:
        return verdict
    other = _judge_held(RULES[rule.opposite], curves, round(HELD_S * take.rate_hz))
    wrong = not verdict.ok and other.score >= _WRONG_SHARE
    return Verdict(verdict.ok, verdict.score, wrong, "turned to the wrong side" if wrong else verdict.reason)


def already(kind: str, baseline: Take) -> bool:
    """Whether the face does it unasked, so that no clip of it can be judged: a portrait that smiles, gapes or sleeps."""
    column = _ALREADY.get(kind)
    if column is None:
        return False
    mirrored = column.replace("Left", "Right")
    return float(np.median(np.minimum(baseline.motion.column(column), baseline.motion.column(mirrored)))) >= 0.5


def _judge_held(rule: Rule, curves: Curves, frames: int) -> Verdict:
    """The best second of the clip."""
    levels = {name: held_levels(curve, frames) for name, curve in curves.items()}
    seen = np.min([levels[name] / least for name, least in rule.needs.items()], axis=0)
    objections = _objections(rule, levels)
    forbidden = np.any([mask for _, mask in objections], axis=0) if objections else np.zeros(len(seen), bool)
    if (seen[~forbidden] >= 1).any():
        return Verdict(True, float(seen[~forbidden].max()), False, "done")
    best = int(np.argmax(seen))
    if seen[best] >= 1:
        also = ", ".join(name for name, mask in objections if mask[best])
        return Verdict(False, float(seen[best]), False, f"shown, but with {also}")
    short = min(rule.needs, key=lambda name: levels[name][best] / rule.needs[name])
    return Verdict(False, float(seen[best]), False, f"{short} {levels[short][best]:.2f} where {rule.needs[short]:.2f} was needed")


def _objections(rule: Rule, levels: Curves) -> list[tuple[str, NDArray[np.bool_]]]:
    """What must not be seen: (in words, in which windows it was)."""
    high = [(f"{name} above {limit:g}", levels[name] > limit) for name, limit in rule.not_above.items()]
    return high + [(f"{name} below {limit:g}", levels[name] < limit) for name, limit in rule.not_below.items()]


def held_levels(curve: NDArray[np.float64], frames: int) -> NDArray[np.float64]:
    """The median of each stretch of so many frames: a blink is not a closed eye."""
    frames = max(min(frames, len(curve)), 1)
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(curve, frames), axis=-1))


def _judge_swings(kind: str, curves: Curves) -> Verdict:
    along, across, least_deg = SWINGS[kind]
    main, side = swings(curves[along], least_deg), swings(curves[across], least_deg)
    score = len(main) / _LEAST_SWINGS
    if score < 1:
        return Verdict(False, score, False, f"{len(main)} swings of {along} where {_LEAST_SWINGS} were needed")
    if main.sum() < 1.3 * side.sum():
        return Verdict(False, score, False, f"{across} swings as much as {along}")
    return Verdict(True, score, False, "done")


def swings(curve: NDArray[np.float64], least: float) -> NDArray[np.float64]:
    """Sizes of the movements between turning points that are at least so large; smaller wobbles are passed over.

    >>> swings(np.array([0, 5, 4.5, 6, 0, 1, 0.5]), 2.0).tolist()
    [6.0, 6.0]
    """
    turning = [float(curve[0])]
    far, way = float(curve[0]), 0
    for value in map(float, curve[1:]):
        if way * (value - far) >= 0:
            if way == 0 and abs(value - turning[0]) < least:
                continue
            way, far = way or int(np.sign(value - far)), value
        elif abs(value - far) >= least:
            turning.append(far)
            way, far = -way, value
    sizes = np.abs(np.diff([*turning, far]))
    return np.asarray(sizes[sizes >= least])


class Tally:
    """Counts verdicts by kind."""

    def __init__(self) -> None:
        self.verdicts: dict[str, list[Verdict]] = {}

    def update(self, kind: str, take: Take, baseline: Take) -> Verdict:
        """Judge one clip and count it."""
        return self.count(kind, judge(kind, take, baseline))

    def fail(self, kind: str, reason: str) -> Verdict:
        """Count a clip that cannot be judged, such as one on which the face was lost: it did not do what was asked."""
        return self.count(kind, Verdict(False, 0.0, False, reason))

    def count(self, kind: str, verdict: Verdict) -> Verdict:
        """Count a verdict."""
        self.verdicts.setdefault(kind, []).append(verdict)
        return verdict

    def compute(self) -> dict[str, float]:
        """`rate` over all clips with its interval (`rate_low`, `rate_high`), `wrong_side`, `n`, and the rate of each kind by its name."""
        every = [verdict for verdicts in self.verdicts.values() for verdict in verdicts]
        if not every:
            return {}
        hits = sum(verdict.ok for verdict in every)
        low, high = wilson_interval(hits, len(every))
        rates = {kind: sum(v.ok for v in verdicts) / len(verdicts) for kind, verdicts in self.verdicts.items()}
        wrong = float(sum(verdict.wrong_side for verdict in every))
        return {"rate": hits / len(every), "rate_low": low, "rate_high": high, "wrong_side": wrong, "n": float(len(every)), **rates}
