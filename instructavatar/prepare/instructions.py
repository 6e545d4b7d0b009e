"""Compose: draw what happens in a clip and how people would ask for it.

Shares of the corpus: 15 % of clips carry no instruction; of the others over 60 % ask for one act (every second one of the 14 main
kinds), the rest for sequences, timed segments, two acts at once, refusals, neutral faces and texts about something else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from instructavatar.face.action_units import ACTION_UNITS, present_units, vector
from instructavatar.face.emotions import BASIC, INTENSITY
from instructavatar.face.motion import ACTION_COUNT, MOTION_DIM
from instructavatar.prepare.acting.kinds import EMOTIONS, KINDS, MAIN, kind_of, target
from instructavatar.prepare.acting.score import Act, Score, ScoredSegment, Style
from instructavatar.prepare.wordings import frames, sentences
from instructavatar.prepare.wordings.bank import FORMS
from instructavatar.prepare.wordings.forms import words
from instructavatar.prepare.wordings.grammar import dressed
from instructavatar.prepare.wordings.offtopic import chatter, off_topic

Rng = np.random.Generator

UNINSTRUCTED = 0.15
# Shares among instructed clips.
_PLANS: dict[str, float] = {"single": 0.62, "sequence": 0.12, "timed": 0.08, "together": 0.08, "nothing": 0.1}
_WORDINGS = 6

_SINGLES: dict[str, float] = {
    "main": 0.57,
    "emotion": 0.15,
    "other": 0.17,
    "unit": 0.07,
    "mixture": 0.02,
    "units": 0.02,
}
_RHYTHM_TIMES: dict[str, tuple[int, ...]] = {
    "nod": (1, 2, 3, 4),
    "shake": (1, 2, 3, 4),
    "blink": (1, 2, 3, 4, 5),
    "wink_left": (1, 2),
    "wink_right": (1, 2),
    "flash_brows": (1, 2, 3),
    "roll_eyes": (1, 2),
}
# Nods and shakes that nobody counts must be learned as going on: a count must not be the usual case.
_COUNTED = {"nod": 0.2, "shake": 0.2}
_NO_MODIFIER = frozenset(
    words("""still_head look_camera neutral close_mouth idle laugh yawn flash_brows blink wink_left wink_right roll_eyes""")
)
_OTHERS = tuple(
    name
    for name in KINDS
    if name in FORMS and name not in MAIN and name not in EMOTIONS and not name.startswith("au:") and name not in ("neutral", "idle")
)
# Left and right must be told apart beyond doubt, an open mouth is asked of silent faces only, sorrow is told in the most ways, and rhythms
# below 5 % of the clips were not learned at all: they come more often.
_RARE_OTHERWISE = {"turn_left": 1, "turn_right": 1, "open_mouth": 2, "nod": 7, "shake": 5, "sad": 1, "close_eyes": 2}
_MAIN_TICKETS = (*MAIN * 2, *(name for name, more in _RARE_OTHERWISE.items() for _ in range(more)))
# MEAD's emotions are what benchmarks ask for.
_EMOTION_TICKETS = (*EMOTIONS, *(name for name in EMOTIONS if name in BASIC for _ in range(2)))
_MIXABLE = ("happy", "sad", "angry", "fear", "disgusted", "surprised", "contempt", "excited", "worried", "tired", "proud", "confused")


def compose(rng: np.random.Generator, seconds: float, talking: bool, simple: float = 0.0) -> Score:
    """What happens in a clip of that many seconds, with several wordings for each segment.

    `simple` is the share of clips that do one of the 14 main acts and nothing else, for a corpus too small to teach more.
    """
    blank = Score(seconds, talking, rest=_rest(rng), style=_style(rng))
    if simple and rng.random() < simple:
        names = _allowed(MAIN, talking)
        acts = [_act(rng, names[int(rng.integers(len(names)))], 0.1)]
        return _labelled(replace(blank, segments=(_segment(rng, 0.0, seconds, acts, talking),)))
    if rng.random() < UNINSTRUCTED:
        return blank
    plan = _choose(rng, _PLANS)
    segments = _PLANNERS[plan](rng, seconds, talking)
    return _labelled(replace(blank, segments=tuple(segments)))


def wordings(rng: np.random.Generator, acts: Sequence[Act], talking: bool, n: int = _WORDINGS) -> tuple[str, ...]:
    """At most n different sentences that ask for exactly these acts."""
    found: dict[str, None] = {}
    for _ in range(3 * n):
        found[dressed(rng, _sentence(rng, acts, talking))] = None
        if len(found) == n:
            break
    return tuple(found)


def _sentence(rng: Rng, acts: Sequence[Act], talking: bool) -> str:
    if len(acts) == 1:
        return sentences.request(rng, acts[0], talking)
    if any(act.begin > 0 for act in acts):
        return sentences.in_order(rng, acts)
    if all(act.kind.startswith("au:") for act in acts):
        return sentences.units_list(rng, acts, talking)
    return sentences.together(rng, acts, talking)


def _choose(rng: Rng, shares: dict[str, float]) -> str:
    names, weights = list(shares), np.array(list(shares.values()))
    return names[int(rng.choice(len(names), p=weights / weights.sum()))]


def _style(rng: Rng) -> Style:
    return Style(
        head=float(rng.uniform(0.7, 1.2)),
        idle=float(rng.uniform(0.7, 1.2)),
        articulation=float(rng.uniform(0.92, 1.08)),
        blinks_per_minute=float(rng.uniform(10, 20)),
    )


# What `features.face_motion.resting_motion` finds in portraits: smiles with and without teeth, open mouths, frowns, raised inner brows.
_REST_SHAPES: tuple[dict[str, float], ...] = (
    {"mouthSmile": 0.55},
    {"mouthSmile": 0.75, "mouthUpperUp": 0.42},
    {"mouthSmile": 0.3},
    {"mouthSmile": 0.65, "jawOpen": 0.15, "mouthUpperUp": 0.4, "mouthLowerDown": 0.25},
    {"jawOpen": 0.3, "mouthLowerDown": 0.15},
    {"browInnerUp": 0.4},
    {"mouthFrown": 0.35},
    {"browInnerUp": 0.3, "mouthSmile": 0.4},
)


def _rest(rng: Rng) -> tuple[float, ...]:
    """A portrait's resting expression [58]: half of the faces rest, the others smile, have their mouth open, and so on."""
    if rng.random() < 0.5:
        return (0.0,) * MOTION_DIM
    values = vector(_REST_SHAPES[int(rng.integers(len(_REST_SHAPES)))]) * rng.uniform(0.5, 1.2) * rng.uniform(0.9, 1.1, MOTION_DIM)
    return tuple(round(float(v), 4) for v in np.clip(values, 0.0, 1.0))


def _allowed(names: Sequence[str], talking: bool) -> list[str]:
    return [name for name in names if not (talking and kind_of(name).silent_only)]


def _act(rng: Rng, kind: str, modified: float = 0.3) -> Act:
    """An act with, now and then, an amount, a pace or a number of times."""
    if kind in _RHYTHM_TIMES and rng.random() < _COUNTED.get(kind, 0.45):
        return Act(kind, times=int(rng.choice(_RHYTHM_TIMES[kind])))
    if kind in _NO_MODIFIER or rng.random() > modified:
        return Act(kind)
    if kind in EMOTIONS or "+" in kind:
        return Act(kind, amount=INTENSITY[int(rng.integers(1, 4))])
    if kind_of(kind).claims == ("head",) and rng.random() < 0.5:
        return Act(kind, pace=frames.SLOW if rng.random() < 0.6 else frames.QUICK)
    if kind in ("big_smile", "open_mouth_wide"):
        return Act(kind)
    return Act(kind, amount=INTENSITY[int(rng.choice([1, 3]))])


def _one_kind(rng: Rng, talking: bool) -> str:
    group = _choose(rng, {k: v for k, v in _SINGLES.items() if k not in ("units", "mixture")})
    names = {"main": _MAIN_TICKETS, "emotion": _EMOTION_TICKETS, "other": _OTHERS, "unit": tuple(f"au:{n}" for n in ACTION_UNITS)}[group]
    allowed = _allowed(names, talking)
    return allowed[int(rng.integers(len(allowed)))]


def _single(rng: Rng, seconds: float, talking: bool) -> list[ScoredSegment]:
    group = _choose(rng, _SINGLES)
    if group == "mixture":
        one, two = rng.choice(_MIXABLE, 2, replace=False)
        acts: list[Act] = [_act(rng, f"{one}+{two}", 0.15)]
    elif group == "units":
        names = _allowed([f"au:{n}" for n in ACTION_UNITS], talking)
        acts = [Act(names[i]) for i in rng.choice(len(names), int(rng.integers(2, 4)), replace=False)]
    else:
        acts = [_act(rng, _one_kind(rng, talking))]
    return [_segment(rng, 0.0, seconds, acts, talking)]


def _segment(rng: Rng, start_s: float, end_s: float, acts: Sequence[Act], talking: bool) -> ScoredSegment:
    return ScoredSegment(start_s, round(end_s, 2), tuple(acts), wordings(rng, acts, talking))


# Kinds that make sense as a step among others: those that one sees at once.
_STEPS = words(
    """smile big_smile sad surprised angry happy raise_brows open_mouth close_eyes turn_left turn_right look_up look_down nod shake
    tilt_left tilt_right look_left look_right pucker wide_eyes lower_brows disgusted fear laugh eyes_left eyes_right raise_head
    lower_head open_mouth_wide tongue_out puff_cheeks frown_mouth blink"""
)


def _different(rng: Rng, talking: bool, n: int) -> list[str]:
    names = _allowed(_STEPS, talking)
    while True:
        found = [names[i] for i in rng.choice(len(names), n, replace=False)]
        if all(not _clash(a, b) for a, b in zip(found, found[1:], strict=False)):
            return found


def _clash(a: str, b: str) -> bool:
    """Two kinds that look alike, so that one after the other would show nothing new."""
    x, y = kind_of(a).shape, kind_of(b).shape
    scale = np.ones(MOTION_DIM)
    scale[ACTION_COUNT : ACTION_COUNT + 3] = 1 / 15
    x, y = (x * scale).astype(np.float32), (y * scale).astype(np.float32)
    return bool(x @ y > 0.8 * np.sqrt((x @ x) * (y @ y)))


def _sequence(rng: Rng, seconds: float, talking: bool) -> list[ScoredSegment]:
    draw = rng.random()
    if draw < 0.35:
        kinds = [*_different(rng, talking, 1), "neutral"]
    elif draw < 0.5:
        kinds = ["neutral", *_different(rng, talking, 1)]
    else:
        kinds = _different(rng, talking, 3 if seconds >= 4.5 and draw > 0.85 else 2)
    bounds = np.linspace(0.0, 1.0, len(kinds) + 1)
    acts = [replace(_act(rng, kind, 0.12), begin=float(a), end=float(b)) for kind, a, b in zip(kinds, bounds, bounds[1:], strict=False)]
    return [_segment(rng, 0.0, seconds, acts, talking)]


def _timed(rng: Rng, seconds: float, talking: bool) -> list[ScoredSegment]:
    """One to three segments of at least 1.2 s, some with gaps."""
    count = int(rng.integers(1, 2 + int(seconds >= 3.0) + int(seconds >= 4.5)))
    bounds = _cuts(rng, seconds, count)
    kinds = _different(rng, talking, count)
    return [_segment(rng, a, b, [_act(rng, kind, 0.1)], talking) for kind, (a, b) in zip(kinds, bounds, strict=True)]


def _cuts(rng: Rng, seconds: float, count: int) -> list[tuple[float, float]]:
    step = seconds / count
    spans = []
    for i in range(count):
        gap_s = float(rng.uniform(0.0, 0.35) * step) if rng.random() < 0.5 or count == 1 else 0.0
        start_s = round((i * step + gap_s) * 10) / 10
        spans.append((start_s, round((i + 1) * step * 10) / 10 if i + 1 < count else seconds))
    return spans


_HEAD_KINDS = words(
    """turn_left turn_right look_up look_down tilt_left tilt_right nod shake lean_forward lean_back raise_head lower_head look_left
    look_right"""
)
_FACE_KINDS = words(
    """smile big_smile happy sad angry surprised fear disgusted raise_brows close_eyes open_mouth lower_brows wide_eyes squint pucker
    worried"""
)


def _together(rng: Rng, seconds: float, talking: bool) -> list[ScoredSegment]:
    """A face and a head movement at once, or one of them without the other."""
    face = str(rng.choice(_allowed(_FACE_KINDS, talking)))
    head = str(rng.choice(_HEAD_KINDS))
    draw = rng.random()
    if draw < 0.12:
        acts = (
            [_act(rng, face, 0.1), Act("not:" + str(rng.choice(_allowed(_HEAD_KINDS, talking))))]
            if rng.random() < 0.3
            else [_act(rng, face, 0.1), Act("still_head")]
        )
    elif draw < 0.24:
        forbidden = str(rng.choice(("smile", "close_eyes", "open_mouth", "blink", "raise_brows")))
        acts = [_act(rng, head, 0.1), Act(f"not:{forbidden}")]
    else:
        acts = [_act(rng, face, 0.2), _act(rng, head, 0.2)]
        if rng.random() < 0.3 and face not in EMOTIONS:
            acts.reverse()
    return [_segment(rng, 0.0, seconds, acts, talking)]


_REFUSABLE = words(
    """smile big_smile happy sad angry surprised nod shake turn_left turn_right look_up look_down open_mouth close_eyes raise_brows
    blink lower_brows tilt_left tilt_right"""
)


def _nothing(rng: Rng, seconds: float, talking: bool) -> list[ScoredSegment]:
    """Neutral faces, refusals, and texts about something else."""
    draw = rng.random()
    if draw < 0.25:
        return [_segment(rng, 0.0, seconds, [Act("neutral")], talking)]
    if draw < 0.4:
        return [_segment(rng, 0.0, seconds, [Act("not:" + str(rng.choice(_REFUSABLE)))], talking)]
    write = chatter if draw < 0.52 else off_topic
    texts = tuple(dict.fromkeys(dressed(rng, write(rng)) for _ in range(_WORDINGS)))
    return [ScoredSegment(0.0, round(seconds, 2), (Act("idle"),), texts)]


_PLANNERS = {"single": _single, "sequence": _sequence, "timed": _timed, "together": _together, "nothing": _nothing}


def _labelled(score: Score) -> Score:
    """The score with its emotion, intensity and action units, read off its acts."""
    acts = [act for segment in score.segments for act in segment.acts if not act.kind.startswith("not:")]
    felt = next((act for act in acts if act.kind in EMOTIONS or "+" in act.kind), None)
    level = next((lv for lv, amount in INTENSITY.items() if felt and abs(felt.amount - amount) < 0.05), 2 if felt else 0)
    peak = np.max([target(act.kind, act.amount)[:ACTION_COUNT] for act in acts], axis=0) if acts else np.zeros(ACTION_COUNT)
    return replace(
        score, emotion=felt.kind if felt else "neutral", intensity=level, action_units=tuple(present_units(peak.astype(np.float32)))
    )
