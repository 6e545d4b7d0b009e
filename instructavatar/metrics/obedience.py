"""Obedience: how often a clip does what was asked for.

obedience: % of clips that the judge (metrics/judge.py) passes, measured again on the frames, against the same face's calm clip; higher is
better. The same share by what was asked: obedience_expression (smile, brows, mouth, eyes), obedience_emotion (sad, surprised, angry),
obedience_pose (head turned, up, down), obedience_motion (nod, shake), and obedience_units, where the pairs name action units: all that
can be read must be there against the calm face.
wrong_side: % of the clips asked for a side whose head turned to the other one; lower is better.

What was asked is the first that is told of: the pair's kind, its emotion where the judge has a rule for it (happy is a smile), its action
units, its instruction (metrics/asking.py reads the kind from free words, and answers only where it is sure). A face that does the thing
anyway, such as a portrait that smiles, is not judged. Give a `baseline` video where you can: a talker's mouth at rest is not a picture's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from instructavatar.face.motion import INDEX
from instructavatar.features.action_units import QUARTER, checked, frame_strengths, spread, summed_up
from instructavatar.metrics.action_units import READABLE_UNITS, known_units
from instructavatar.metrics.asking import kind_asked
from instructavatar.metrics.base import Metric, NotScored, Scores, Take, Value
from instructavatar.metrics.case import Case
from instructavatar.metrics.judge import HELD_S, KINDS, RULES, SWINGS, Verdict, already, judge
from instructavatar.metrics.pairs import Asked
from instructavatar.metrics.readings import action_levels

KIND_OF_EMOTION = {"happy": "smile", "sad": "sad", "angry": "angry", "surprised": "surprised"}
_MOST_REST = 0.9  # a face that rests at full strength has no room left to be measured in
_PLAIN = 0.5  # score that a plainly raised brow stands for: a bit more than half of full strength
_EMOTIONS = ("sad", "surprised", "angry")
_POSES = tuple(kind for kind, rule in RULES.items() if rule.opposite or "pitch" in rule.needs)


@dataclass(frozen=True)
class Request:
    """What a clip is judged by: one of the judge's kinds, or action units."""

    kind: str = ""
    units: tuple[str, ...] = ()

    @property
    def type(self) -> str:
        """expression, emotion, pose, motion or units.

        >>> Request("nod").type, Request("look up").type, Request("sad").type, Request("smile").type
        ('motion', 'pose', 'emotion', 'expression')
        """
        if not self.kind:
            return "units"
        return "motion" if self.kind in SWINGS else "pose" if self.kind in _POSES else "emotion" if self.kind in _EMOTIONS else "expression"


class Obedience(Metric):
    """Share of clips that do what was asked.

    Args:
        frames: how many frames are looked at for action units.
        threshold: share of full strength from which on a unit is present.
    """

    values = {
        "obedience": Value("% of clips"),
        "obedience_expression": Value("% of clips"),
        "obedience_emotion": Value("% of clips"),
        "obedience_pose": Value("% of clips"),
        "obedience_motion": Value("% of clips"),
        "obedience_units": Value("% of clips"),
        "wrong_side": Value("% of clips", higher_is_better=False),
    }
    reads = True

    def __init__(self, frames: int = 16, threshold: float = 0.5) -> None:
        """Checks the numbers."""
        self.frames, self.threshold = checked(frames, threshold)

    def score(self, case: Case) -> Scores:
        """Needs something asked that the judge knows, for at least a second; `kind` and `reason` say what was judged and why."""
        request = request_of(case.asked)
        take, calm = case.long_enough(HELD_S), case.calm()
        if request.kind and already(request.kind, calm):
            raise NotScored(f"the face does so anyway: {request.kind}")
        verdict = judge(request.kind, take, calm) if request.kind else self._judge_units(request.units, take, calm)
        found: Scores = {"obedience": 100.0 * verdict.ok, f"obedience_{request.type}": 100.0 * verdict.ok}
        if request.kind and request.kind in RULES and RULES[request.kind].opposite:
            found["wrong_side"] = 100.0 * verdict.wrong_side
        return found | {"kind": request.kind or ", ".join(request.units), "reason": verdict.reason}

    def _judge_units(self, units: tuple[str, ...], take: Take, calm: Take) -> Verdict:
        """Whether all units are present when what the calm face shows is taken off."""
        rest = unit_levels(calm, self.frames)
        strong = [name for name in units if rest[name] >= self.threshold]
        if strong:
            raise NotScored(f"the face does so anyway: {', '.join(strong)}")
        rows = frame_strengths(with_brows(take, calm)[spread(self.frames, len(take))])
        seen = summed_up(rows, self.threshold, {name: min(level, _MOST_REST) for name, level in rest.items()})
        missed = [name for name in units if name not in seen]
        return Verdict(not missed, 1 - len(missed) / len(units), False, f"not shown: {', '.join(missed)}" if missed else "done")


def request_of(asked: Asked) -> Request:
    """What a clip is judged by.

    Raises:
        NotScored: nothing is asked that can be judged.
    """
    if not asked.anything:
        raise NotScored("nothing asked")
    if asked.kind:
        if asked.kind not in KINDS:
            raise NotScored(f"the judge knows no kind {asked.kind!r}; its kinds: {', '.join(KINDS)}")
        return Request(asked.kind)
    if asked.emotion in KIND_OF_EMOTION:
        return Request(KIND_OF_EMOTION[asked.emotion])
    units = tuple(name for name in known_units(asked.action_units) if name in READABLE_UNITS)
    if units:
        return Request(units=units)
    kind = kind_asked(asked.instruction) if asked.instruction else None
    if kind is None:
        raise NotScored("no kind of the judge's is asked")
    return Request(kind)


def with_brows(take: Take, calm: Take) -> NDArray[np.float32]:
    """Actions [T, 52] in which raised brows also count by their height, for their scores sleep on many faces (metrics/readings.py)."""
    actions, levels = take.motion.actions.copy(), action_levels(take, calm)
    if take.points is not None and calm.points is not None:
        for name in ("browInnerUp", "browOuterUpLeft", "browOuterUpRight"):
            actions[:, INDEX[name]] = np.maximum(actions[:, INDEX[name]], (_PLAIN * levels[name]).clip(0, 1))
    return actions


def unit_levels(take: Take, frames: int) -> dict[str, float]:
    """What each unit reaches on a quarter of the frames looked at, 0..1."""
    rows = frame_strengths(take.motion.actions[spread(frames, len(take))])
    reached = np.percentile([list(row.values()) for row in rows], QUARTER, axis=0)
    return dict(zip(rows[0], np.clip(reached, 0, 1).tolist(), strict=True))
