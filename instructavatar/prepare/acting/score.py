"""Score: what happens in one clip, as data. The same score and the same seed give the same motion; it goes through JSON unharmed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from instructavatar.face.script import Script, Segment


@dataclass(frozen=True)
class Act:
    """One thing the face does within a segment."""

    kind: str
    """A name of `kinds.KINDS`, "emotion+emotion" for a mixture, or "not:KIND" for something that must not happen."""
    amount: float = 1.0
    """1 = as in the table, 0.5 = slightly, 1.3 = a lot."""
    pace: float = 1.0
    """1 = usual speed, 0.4 = slowly, 1.7 = quickly."""
    times: int = 0
    """Repetitions of a nod, blink or the like; 0 = as long as the segment lasts."""
    begin: float = 0.0
    end: float = 1.0
    """Share of the segment's time that it fills, so that "smile, then turn left" is two acts of one segment."""


@dataclass(frozen=True)
class ScoredSegment:
    """A stretch of the clip with the acts in it and several ways to ask for exactly these acts."""

    start_s: float
    end_s: float
    acts: tuple[Act, ...]
    wordings: tuple[str, ...]


@dataclass(frozen=True)
class Style:
    """How lively this take is; 1 = average. Kept in a narrow range, since nothing in the conditions tells it."""

    head: float = 1.0
    idle: float = 1.0
    articulation: float = 1.0
    blinks_per_minute: float = 14.0


@dataclass(frozen=True)
class Score:
    """What happens in one clip."""

    seconds: float
    talking: bool
    segments: tuple[ScoredSegment, ...] = ()
    rest: tuple[float, ...] = ()
    """The face's resting expression at frame 0: 58 numbers, pose 0."""
    style: Style = field(default_factory=Style)
    emotion: str = "neutral"
    intensity: int = 0
    """1 slightly, 2 moderately, 3 very; 0 where nothing was said."""
    action_units: tuple[str, ...] = ()

    def scripts(self, rng: np.random.Generator, n: int) -> list[str]:
        """At most n different scripts for this clip, each in other words; [] for an uninstructed clip."""
        if not self.segments:
            return []
        orders = [rng.permutation(len(segment.wordings)) for segment in self.segments]
        found = [self._script([s.wordings[o[i % len(o)]] for s, o in zip(self.segments, orders, strict=True)]) for i in range(n)]
        return list(dict.fromkeys(found))

    def _script(self, texts: list[str]) -> str:
        pieces = tuple(Segment(s.start_s, s.end_s, text) for s, text in zip(self.segments, texts, strict=True))
        plain = len(pieces) == 1 and pieces[0].start_s == 0 and pieces[0].end_s >= self.seconds - 0.02
        return str(Script(pieces, plain=plain))

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @staticmethod
    def from_json(text: str) -> Score:
        """The score that `to_json` wrote."""
        values: dict[str, Any] = json.loads(text)
        values["segments"] = tuple(
            ScoredSegment(s["start_s"], s["end_s"], tuple(Act(**a) for a in s["acts"]), tuple(s["wordings"])) for s in values["segments"]
        )
        values["style"] = Style(**values["style"])
        values["rest"] = tuple(values["rest"])
        values["action_units"] = tuple(values["action_units"])
        return Score(**values)
