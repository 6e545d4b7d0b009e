"""Intensity order: is "very" stronger than "slightly"?

Clips that differ in intensity alone (pairs of equal `group`: the same face and speech, asked for the same at intensity 1, 2 or 3) are
compared two by two.

intensity_order: % of those pairs of clips in which the one that was asked for more shows more, by a margin; 50 is about chance without a
margin, a picture that does nothing reaches 0. Higher is better.

How strong a clip is comes from the same face's calm clip: for what the judge has a rule for (metrics/judge.py) its score, where 1 is just
enough to pass; for other emotions and for action units how far the scores went in the direction of the prototype, 1 being all the way.
Both are taken over the clip's best second.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from instructavatar.face.action_units import ACTION_UNITS, vector
from instructavatar.face.actions import READABLE
from instructavatar.face.emotions import PROTOTYPES, expression
from instructavatar.face.motion import ACTION_COUNT, INDEX
from instructavatar.metrics.action_units import known_units
from instructavatar.metrics.asking import kind_asked
from instructavatar.metrics.base import Metric, NotScored, Scores, Take, Value
from instructavatar.metrics.case import Case
from instructavatar.metrics.judge import HELD_S, KINDS, held_levels, judge
from instructavatar.metrics.obedience import KIND_OF_EMOTION
from instructavatar.metrics.pairs import Asked

_READABLE = np.array([INDEX[name] for name in READABLE])


class IntensityOrder(Metric):
    """Share of pairs within a group that are ordered as asked.

    A clip's scores hold `group`, `level` and `strength`; `compute` makes the pairs.

    Args:
        margin: by how much the stronger clip must be stronger.
    """

    values = {"intensity_order": Value("% of pairs")}
    reads = True

    def __init__(self, margin: float = 0.03) -> None:
        """The margin is above what the same clip drawn twice differs by, and well below the step from one level to the next."""
        self.margin = margin

    def score(self, case: Case) -> Scores:
        """Needs a group, an intensity, and something asked whose strength is known."""
        asked = case.asked
        if not asked.group or not asked.intensity:
            raise NotScored("no group or no intensity given")
        take = case.long_enough(HELD_S)
        return {"group": asked.group, "level": asked.intensity, "strength": strength(asked, take, case.calm())}

    def compute(self, scores: Sequence[Scores]) -> dict[str, float]:
        """Pairs of different intensity in the same group; {} without any."""
        groups: dict[str, list[tuple[int, float]]] = {}
        for one in scores:
            groups.setdefault(str(one["group"]), []).append((int(one["level"]), float(one["strength"])))
        pairs = [pair for clips in groups.values() for pair in combinations(sorted(clips), 2) if pair[0][0] < pair[1][0]]
        right = [more[1] - less[1] > self.margin for less, more in pairs]
        return {"intensity_order": 100.0 * float(np.mean(right))} if right else {}


def strength(asked: Asked, take: Take, calm: Take) -> float:
    """How strongly a take shows what is asked; 0 is the calm face.

    Raises:
        NotScored: nothing is asked whose strength is known.
    """
    kind = asked.kind or KIND_OF_EMOTION.get(asked.emotion, "")
    if not (kind or asked.emotion or asked.action_units) and asked.instruction:
        kind = kind_asked(asked.instruction) or ""
    if kind in KINDS:
        return judge(kind, take, calm).score
    if asked.emotion in PROTOTYPES and asked.emotion != "neutral":
        return _towards(expression(asked.emotion), take, calm)
    units = known_units(asked.action_units)
    if not units:
        raise NotScored("nothing asked whose strength is known")
    return _towards(np.maximum.reduce([vector(ACTION_UNITS[name].shape) for name in units]), take, calm)


def _towards(shape: NDArray[np.float32], take: Take, calm: Take) -> float:
    """How far the readable actions went from the calm face in the direction of a shape [58]; 1 is all the way."""
    aim = shape[:ACTION_COUNT][_READABLE].astype(np.float64)
    if not aim.any():
        raise NotScored("nothing asked that can be read from a face")
    moved = take.motion.actions[:, _READABLE] - np.median(calm.motion.actions[:, _READABLE], axis=0)
    share = moved.astype(np.float64) @ aim / (aim @ aim)
    return float(held_levels(share, round(HELD_S * take.rate_hz)).max())
