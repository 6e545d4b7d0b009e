"""Score + phones -> FaceMotion: the puppet's performance.

Four layers: the resting expression (which gives way where an act claims its region), the acts, speech, and idle life. Speech owns jaw and
lips while somebody talks; an emotion only tints them, and closures stay closed. T frames (25 Hz), values [T, 58].
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from instructavatar.face import action_units, visemes
from instructavatar.face.motion import ACTION_COUNT, INDEX, MOTION_DIM, FaceMotion, frames_of
from instructavatar.face.visemes import Phone
from instructavatar.prepare.acting import idle
from instructavatar.prepare.acting.curves import Curve, frame_times, hold, rise
from instructavatar.prepare.acting.kinds import REGION_COLUMNS, kind_of, target
from instructavatar.prepare.acting.rhythms import RHYTHMS
from instructavatar.prepare.acting.score import Act, Score, ScoredSegment

Values = NDArray[np.float64]

# What a talking mouth keeps of an act or of the portrait's resting expression: speech owns the rest.
_TINT = {
    "jawOpen": 0.12,
    "mouthClose": 0.0,
    "mouthFunnel": 0.2,
    "mouthPucker": 0.2,
    "mouthRollLower": 0.15,
    "mouthRollUpper": 0.15,
    "mouthShrugLower": 0.5,
    "mouthShrugUpper": 0.4,
    "mouthPressLeft": 0.35,
    "mouthPressRight": 0.35,
    "mouthLowerDownLeft": 0.4,
    "mouthLowerDownRight": 0.4,
    "mouthUpperUpLeft": 0.5,
    "mouthUpperUpRight": 0.5,
    "mouthSmileLeft": 0.85,
    "mouthSmileRight": 0.85,
    "mouthFrownLeft": 0.8,
    "mouthFrownRight": 0.8,
    "tongueOut": 0.0,
    "cheekPuff": 0.2,
}
# What opens the lips, and so must vanish where they meet.
_OPENERS = tuple(
    side for name in ("jawOpen", "mouthFunnel", "mouthLowerDown", "mouthUpperUp", "mouthStretch") for side in action_units.sides(name)
)
_KEPT = 0.8
_EASE_S = 0.45
_RELEASE_S = 0.5


def perform(score: Score, phones: Sequence[Phone], rng: np.random.Generator) -> FaceMotion:
    """The motion of a clip: absolute actions 0..1, pose relative to the portrait's; frame 0 is the resting expression exactly.

    `phones` are (phone, start_s, end_s), empty for a silent clip. The same score, phones and seed give the same motion.
    """
    times = frame_times(frames_of(score.seconds))
    rest = np.asarray(score.rest or np.zeros(MOTION_DIM), np.float64)
    acts, claimed, stilled = _acts(score, times, rng)
    values = _joined(rest * (1.0 - claimed), acts)
    values = _with_speech(values, phones, score) if phones else values
    values = _with_life(values, score, phones, claimed, stilled, times, rng)
    values[:, :ACTION_COUNT] = np.clip(values[:, :ACTION_COUNT], 0.0, 1.0)
    ease = rise(times / _EASE_S)[:, None]
    return FaceMotion((rest + ease * (values - rest)).astype(np.float32))


def _acts(score: Score, times: Curve, rng: np.random.Generator) -> tuple[Values, Values, Values]:
    """All acts together [T, 58], and per column how far the resting expression [T, 58] and idle life [T, 58] must give way."""
    total = np.zeros((len(times), MOTION_DIM))
    claimed, stilled = np.zeros_like(total), np.zeros_like(total)
    for segment in score.segments:
        for act in segment.acts:
            start_s, end_s = _span(segment, act)
            if act.kind.startswith("not:") or act.kind in ("still_head", "look_camera"):
                _forbid(act, hold(times, start_s, end_s, 0.3, _RELEASE_S), claimed, stilled)
                continue
            values, presence = _act(act, times, start_s, end_s, rng)
            total = _stronger(total, values)
            _claim(act, presence, claimed, stilled)
    return total, claimed, stilled


def _span(segment: ScoredSegment, act: Act) -> tuple[float, float]:
    length_s = segment.end_s - segment.start_s
    return segment.start_s + act.begin * length_s, segment.start_s + act.end * length_s


def _act(act: Act, times: Curve, start_s: float, end_s: float, rng: np.random.Generator) -> tuple[Values, Curve]:
    """One act's motion [T, 58] and its presence [T] 0..1."""
    kind = kind_of(act.kind)
    shape = target(act.kind, act.amount * rng.uniform(0.93, 1.07)) * _asymmetry(rng)
    start_s += rng.uniform(0.0, 0.06)
    attack_s = kind.attack_s / act.pace
    presence = hold(times, start_s, end_s, attack_s, _RELEASE_S if act.pace >= 0.7 else 0.9)
    if kind.rhythm:
        return RHYTHMS[kind.rhythm](times, start_s, end_s, shape, act), presence
    return presence[:, None] * shape, presence


def _asymmetry(rng: np.random.Generator) -> NDArray[np.float64]:
    """Factors [58] near 1: no face is quite even. Pose stays as asked."""
    factors = 1.0 + rng.normal(0.0, 0.03, MOTION_DIM)
    factors[ACTION_COUNT:] = 1.0
    return np.clip(factors, 0.9, 1.1)


def _stronger(a: Values, b: Values) -> Values:
    """Two acts at once: the stronger action wins, poses add up."""
    both = np.maximum(a, b)
    both[:, ACTION_COUNT:] = a[:, ACTION_COUNT:] + b[:, ACTION_COUNT:]
    return both


def _claim(act: Act, presence: Curve, claimed: Values, stilled: Values) -> None:
    kind = kind_of(act.kind)
    # What the portrait does already of the same thing mostly stays, so that a smile asked of a smiling face is a broader one.
    share = np.where(np.abs(kind.shape) > 0, 1.0 - _KEPT, 1.0)
    for region in kind.claims:
        columns = REGION_COLUMNS[region]
        claimed[:, columns] = np.maximum(claimed[:, columns], presence[:, None] * share[columns])
        stilled[:, columns] = np.maximum(stilled[:, columns], 0.6 * presence[:, None])


def _forbid(act: Act, presence: Curve, claimed: Values, stilled: Values) -> None:
    """A thing that must not happen, or a part that keeps still: its region rests and loses its idle life."""
    regions = ("head",) if act.kind == "still_head" else ("gaze",) if act.kind == "look_camera" else kind_of(act.kind[4:]).claims
    for region in regions:
        columns = REGION_COLUMNS[region]
        stilled[:, columns] = np.maximum(stilled[:, columns], 0.95 * presence[:, None])
        claimed[:, columns] = np.maximum(claimed[:, columns], presence[:, None])


def _joined(values: Values, acts: Values) -> Values:
    """Acts upon what rests: they fill the room that is left up to 1; poses add."""
    joined = 1.0 - (1.0 - values) * (1.0 - acts)
    joined[:, ACTION_COUNT:] = values[:, ACTION_COUNT:] + acts[:, ACTION_COUNT:]
    return joined


def _with_speech(values: Values, phones: Sequence[Phone], score: Score) -> Values:
    """Speech over whatever the face does; the mouth stays speech's own in pauses too, so that it is open only where a sound opens it."""
    frames = len(values)
    speech = visemes.mouth_actions(phones, frames, score.style.articulation).astype(np.float64)
    gates = np.maximum(visemes.closure_gate(phones, frames), 0.85 * visemes.teeth_gate(phones, frames))
    mixed = values.copy()
    for name, kept in _TINT.items():
        mixed[:, INDEX[name]] *= kept
    for name in _OPENERS:
        mixed[:, INDEX[name]] *= 1.0 - gates
    # Rounded lips cannot smile broadly at once.
    rounding = np.clip(speech[:, INDEX["mouthPucker"]] * 0.6, 0, 0.5)
    for name in ("mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight"):
        mixed[:, INDEX[name]] *= 1.0 - rounding
    mixed[:, :ACTION_COUNT] = 1.0 - (1.0 - mixed[:, :ACTION_COUNT]) * (1.0 - speech)
    return mixed


def _with_life(
    values: Values, score: Score, phones: Sequence[Phone], claimed: Values, stilled: Values, times: Curve, rng: np.random.Generator
) -> Values:
    """Idle life on top, quieter where an act holds a region; closed eyes stay closed and an open gaze is not lost in a blink."""
    life = idle.idle_face(times, rng, score.style)
    life[:, ACTION_COUNT:] = idle.idle_head(times, rng, score.style)
    lids = idle.blinks(times, rng, score.style.blinks_per_minute)
    if phones:
        life += idle.speaking_head(times, phones, rng, score.style)
    values = values + life * (1.0 - stilled)
    free = 1.0 - _no_blinks(score, times)
    for name in ("eyeBlinkLeft", "eyeBlinkRight"):
        column = INDEX[name]
        values[:, column] = np.maximum(values[:, column], lids * free)
    return values


def _no_blinks(score: Score, times: Curve) -> Curve:
    """Where no spontaneous blink may come: while one is commanded, forbidden, or would hide a wink."""
    busy = np.zeros(len(times))
    for segment in score.segments:
        for act in segment.acts:
            if act.kind in ("blink", "not:blink", "not:close_eyes", "wide_eyes") or act.kind.startswith(("wink", "close_eye_")):
                start_s, end_s = _span(segment, act)
                busy = np.maximum(busy, hold(times, start_s - 0.2, end_s, 0.1, 0.2))
    return busy
