"""Acts that move: nods, shakes, blinks, winks, laughter, a yawn, a roll of the eyes. Each gives its motion over time [T, 58]."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from instructavatar.face.motion import ACTION_COUNT, INDEX, MOTION_DIM
from instructavatar.prepare.acting.curves import Curve, cycles, hold, pulse, rise
from instructavatar.prepare.acting.idle import add_gaze
from instructavatar.prepare.acting.score import Act

Values = NDArray[np.float64]
Rhythm = Callable[[Curve, float, float, NDArray[np.float64], Act], Values]


def _bursts(times: Curve, start_s: float, end_s: float, rate_hz: float, count: int, per_burst: int, rest_s: float) -> Curve:
    """-1..1: `count` cycles and done, or bursts of `per_burst` with a short rest for as long as there is time."""
    if count:
        return cycles(times, start_s, rate_hz, count)
    curve = np.zeros(len(times))
    clock = start_s
    while end_s - clock >= 1.0 / rate_hz or clock == start_s:
        n = int(np.clip(np.floor((end_s - clock) * rate_hz), 1, per_burst))
        curve += cycles(times, clock, rate_hz, n)
        clock += n / rate_hz + rest_s
    return curve


def nod(times: Curve, start_s: float, end_s: float, shape: Values, act: Act) -> Values:
    """Down and up at 1.4 Hz: three at a time, or as many as asked for."""
    curve = _bursts(times, start_s, end_s, 1.4 * _paced(act.pace), act.times, 3, 0.45)
    # The first half of a nod goes down further than the second comes up.
    curve = np.where(curve > 0, curve, 0.7 * curve)
    return curve[:, None] * shape


def shake(times: Curve, start_s: float, end_s: float, shape: Values, act: Act) -> Values:
    """Left and right at 1.4 Hz: three times, or as often as asked for."""
    return _bursts(times, start_s, end_s, 1.4 * _paced(act.pace), act.times, 3, 0.45)[:, None] * shape


def _paced(pace: float) -> float:
    """Rhythms vary less with "slowly" than single movements do."""
    return float(np.clip(pace, 0.6, 1.5))


def blink(times: Curve, start_s: float, end_s: float, shape: Values, act: Act) -> Values:
    """Blinks half a second apart (slower or faster by pace); without a number as long as the time lasts."""
    gap_s = 0.55 / _paced(act.pace)
    count = act.times or max(1, int((end_s - start_s - 0.3) / gap_s))
    lids = np.zeros(len(times))
    for i in range(count):
        lids = np.maximum(lids, pulse(times, start_s + 0.3 + i * gap_s, 0.1, 0.16, 0.06))
    return lids[:, None] * shape


def wink(times: Curve, start_s: float, end_s: float, shape: Values, act: Act) -> Values:
    """One eye shut for half a second; once, then again every 1.2 s while there is time."""
    count = act.times or max(1, int((end_s - start_s) / 1.2))
    lid = np.zeros(len(times))
    for i in range(count):
        lid = np.maximum(lid, pulse(times, start_s + 0.5 + i * 1.2, 0.16, 0.22, 0.4))
    return lid[:, None] * shape


def flash(times: Curve, start_s: float, end_s: float, shape: Values, act: Act) -> Values:
    """Brows up and down again, every 0.8 s."""
    count = act.times or max(1, int((end_s - start_s) / 0.8))
    up = np.zeros(len(times))
    for i in range(count):
        up = np.maximum(up, pulse(times, start_s + 0.35 + i * 0.8, 0.22, 0.26, 0.14))
    return up[:, None] * shape


def laugh(times: Curve, start_s: float, end_s: float, shape: Values, act: Act) -> Values:
    """A held broad smile while jaw and head bounce at 3.5 Hz."""
    held = hold(times, start_s, end_s, 0.35, 0.5)
    bounce = 0.5 - 0.5 * np.cos(2 * np.pi * 3.5 * (times - start_s))
    values = held[:, None] * shape
    values[:, INDEX["jawOpen"]] *= 0.55 + 0.45 * bounce
    values[:, INDEX["pitch"]] += held * (1.6 * bounce - 0.8)
    return values


def yawn(times: Curve, start_s: float, end_s: float, shape: Values, act: Act) -> Values:
    """Slowly wide open, held, slowly shut: within 3 s."""
    length_s = min(end_s - start_s, 3.2)
    return (rise((times - start_s) / (0.4 * length_s)) * (1 - rise((times - start_s - 0.68 * length_s) / (0.32 * length_s))))[
        :, None
    ] * shape


def roll_eyes(times: Curve, start_s: float, end_s: float, shape: Values, act: Act) -> Values:
    """The gaze runs from one side over the top to the other within 1.1 s; again after a pause while there is time."""
    values = np.zeros((len(times), MOTION_DIM))
    length_s = 1.1 / _paced(act.pace)
    count = act.times or max(1, int((end_s - start_s) / (length_s + 0.6)))
    for i in range(count):
        u = (times - start_s - 0.1 - i * (length_s + 0.6)) / length_s
        alive = pulse(u, 0.5, 0.3, 0.3, 0.4)
        sweep = np.pi * rise(u)
        up = alive * shape[INDEX["eyeLookUpLeft"]] * (0.45 + 0.55 * np.sin(sweep))
        add_gaze(values, alive * shape[INDEX["eyeLookOutLeft"]] * np.cos(sweep), up)
        for name in ("browOuterUpLeft", "browOuterUpRight"):
            values[:, INDEX[name]] += alive * shape[INDEX[name]]
    values[:, :ACTION_COUNT] = np.clip(values[:, :ACTION_COUNT], 0, 1)
    return values


RHYTHMS: dict[str, Rhythm] = {
    "nod": nod,
    "shake": shake,
    "blink": blink,
    "wink": wink,
    "flash": flash,
    "laugh": laugh,
    "yawn": yawn,
    "roll_eyes": roll_eyes,
}
