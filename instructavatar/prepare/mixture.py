"""Mixture: what is known of a filmed clip -> wordings that ask for it, in the shares that the published recipe trains with.

A clip has an emotion with an intensity (its corpus says so) and action units (they were measured). A wording is a sentence about the
emotion, a list of the units, or both; units are named ("cheek raiser; lip corner puller") or put into everyday words ("raise your
cheeks and pull your lip corners up"). Sentences come from the bank in `wordings/`, so they agree with what the puppet corpus teaches.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping

import numpy as np

from instructavatar.errors import BadOption
from instructavatar.face.action_units import ACTION_UNITS
from instructavatar.face.emotions import INTENSITY, PLAIN_INTENSITY, PROTOTYPES
from instructavatar.face.script import Script
from instructavatar.prepare.acting.score import Act
from instructavatar.prepare.corpora.base import ClipRecord
from instructavatar.prepare.wordings import frames, grammar, sentences
from instructavatar.prepare.wordings.bank import FORMS
from instructavatar.prepare.wordings.frames import phrases
from instructavatar.prepare.wordings.grammar import YOU, imperative, participle, pick, third_person

Rng = np.random.Generator

# Beyond these a sentence is none that a person would write, and the text encoder cuts it. The strongest stay.
MOST_UNITS = 8
_DRAWS = 12  # draws for each wording that is wanted, before fewer are accepted

# An emotion {e} together with names {u} or an everyday phrase, which speaks of no person: {b} imperative, {g} with -ing.
_BOTH_NAMED = phrases("{e}, with these action units: {u} | {e} with these action units: {u} | {e}; action units: {u} | {e}, showing {u}")
_BOTH_PLAIN = phrases("{e}, {g} | {e}; {b} | {e} while {g}")
# The same behind a sentence that has its own end.
_AFTER_NAMED = phrases("{e} Use these action units: {u} | {e} Action units: {u}")
_AFTER_PLAIN = phrases("{e} Please {b} | {e} Just {b}")


class Mixture:
    """Writes a clip's wordings. The same seed and the same clip give the same wordings.

    Args:
        emotion: share of wordings that speak of the emotion alone; only the ratio of the three shares counts.
        units: share of those that name the action units alone.
        both: share of those that do both.
        raw: how often units stand by their names; otherwise they are put into everyday words.
        neutral_only: every clip is asked for a neutral face, as HDTF's are.
        wordings: different wordings of a training clip. Clips of other splits get one, which does not depend on this number.
        seed: of all chance.
        talking: the clips speak, so sentences may say "talk sadly" where silent ones would say "look sad".
    """

    def __init__(
        self,
        emotion: float = 0.3,
        units: float = 0.5,
        both: float = 0.2,
        raw: float = 0.5,
        neutral_only: bool = False,
        wordings: int = 4,
        seed: int = 0,
        talking: bool = True,
    ) -> None:
        shares = (emotion, units, both)
        if not all(math.isfinite(share) and share >= 0 for share in shares) or not sum(shares):
            raise BadOption(f"expected shares of at least 0, not all of them 0, got emotion {emotion}, units {units}, both {both}")
        if not 0 <= raw <= 1:
            raise BadOption(f"expected raw from 0 (everyday words) to 1 (names of units), got {raw}")
        if wordings < 1 or seed < 0:
            raise BadOption(f"expected at least one wording and a seed from 0 on, got wordings {wordings}, seed {seed}")
        self.shares = np.array(shares) / sum(shares)
        self.raw = raw
        self.neutral_only = neutral_only
        self.wordings = wordings
        self.seed = seed
        self.talking = talking

    def write(self, record: ClipRecord, units: Mapping[str, float]) -> tuple[str, ...]:
        """Different wordings for the clip; () where neither an emotion nor a unit is known.

        Args:
            record: its id seeds the chance; emotion, intensity and split are read. A neutral clip is asked for a neutral face only: its
                units are those of speech.
            units: names of `face/action_units.py` -> strength 0..1.
        """
        rng = np.random.default_rng([self.seed, *_numbers(record.id)])
        draw = self._drawer(record, listed(units))
        if draw is None:
            return ()
        wanted = self.wordings if record.split == "train" else 1
        found: dict[str, str] = {}
        for _ in range(_DRAWS * wanted):
            text = " ".join(draw(rng).split())
            if _stands_alone(text):
                found.setdefault(text.lower().rstrip("."), _dressed(rng, text))
            if len(found) == wanted:
                break
        return tuple(found.values())

    def _drawer(self, record: ClipRecord, names: list[str]) -> Callable[[Rng], str] | None:
        """What draws one wording of the clip."""
        feeling = "neutral" if self.neutral_only else record.emotion
        known = feeling in FORMS and feeling in PROTOTYPES
        act = Act(feeling, amount=INTENSITY.get(record.intensity, PLAIN_INTENSITY) if feeling != "neutral" else PLAIN_INTENSITY)
        if known and (feeling == "neutral" or not names):
            return lambda rng: self._about_emotion(rng, act)
        if known:
            return lambda rng: self._mixed(rng, act, names)
        return (lambda rng: self._about_units(rng, names)) if names else None

    def _mixed(self, rng: Rng, act: Act, names: list[str]) -> str:
        kind = int(rng.choice(3, p=self.shares))
        if kind == 0:
            return self._about_emotion(rng, act)
        return self._about_units(rng, names) if kind == 1 else self._about_both(rng, act, names)

    def _about_emotion(self, rng: Rng, act: Act) -> str:
        return sentences.request(rng, act, self.talking)

    def _about_units(self, rng: Rng, names: list[str]) -> str:
        if rng.random() < self.raw:
            frame = pick(rng, frames.UNITS_TALK if self.talking and rng.random() < 0.5 else frames.UNITS)
            return frame.format(u=by_name(names))
        phrase = in_plain_words(rng, names)
        if self.talking and rng.random() < 0.5:
            return _said(rng, pick(rng, frames.TALKING), phrase)
        draw = rng.random()
        return imperative(phrase) if draw < 0.4 else _said(rng, pick(rng, frames.POLITE if draw < 0.75 else frames.ABOUT), phrase)

    def _about_both(self, rng: Rng, act: Act, names: list[str]) -> str:
        emotion = self._about_emotion(rng, act)
        open_end = emotion[-1:].isalnum()
        if rng.random() < self.raw:
            return pick(rng, _BOTH_NAMED if open_end else _AFTER_NAMED).format(e=_ended(emotion), u=by_name(names))
        # whoever the first half speaks of, the second half speaks of "the lips"
        phrase = in_plain_words(rng, names).replace("your ", "the ")
        frame = pick(rng, (_BOTH_PLAIN[:2] if "while" in emotion else _BOTH_PLAIN) if open_end else _AFTER_PLAIN)
        return frame.format(e=_ended(emotion), b=imperative(phrase), g=participle(phrase))


def listed(units: Mapping[str, float]) -> list[str]:
    """Names of the units to speak of, strongest first: a one-sided one only where the two-sided one is not, and at most eight.

    >>> listed({"dimpler": 0.5, "left_dimpler": 0.9, "jaw_drop": 0.7})
    ['jaw_drop', 'dimpler']
    """
    unknown = sorted(set(units) - set(ACTION_UNITS))
    if unknown:
        raise BadOption(f"expected action units by the names of face/action_units.py such as lip_corner_puller, got {', '.join(unknown)}")
    alone = [name for name in units if ACTION_UNITS[name].side == "both" or name.split("_", 1)[1] not in units]
    return sorted(alone, key=lambda name: (-units[name], name))[:MOST_UNITS]


def by_name(names: list[str]) -> str:
    """Units as the published recipe lists them.

    >>> by_name(["lip_corner_puller", "cheek_raiser"])
    'lip corner puller; cheek raiser'
    """
    return "; ".join(name.replace("_", " ") for name in names)


def in_plain_words(rng: np.random.Generator, names: list[str]) -> str:
    """Units as one verb phrase with "your", in any order: "raise your cheeks and ~pull your lip corners up" (~ marks further verbs)."""
    parts = [pick(rng, ACTION_UNITS[names[i]].plain) for i in rng.permutation(len(names))]
    parts = parts[:1] + [f"~{part}" for part in parts[1:]]
    return " and ".join(part for part in (", ".join(parts[:-1]), parts[-1]) if part)


def _said(rng: Rng, frame: str, phrase: str) -> str:
    """A frame with the phrase, about somebody where the frame speaks of somebody."""
    who = grammar.person(rng) if "{n}" in frame or "{o}" in frame else YOU
    forms = {"b": imperative(phrase, who), "g": participle(phrase, who), "t": third_person(phrase, who)}
    return frame.format(n=who.name, o=who.accusative, **forms)


def _ended(text: str) -> str:
    """Ready for what follows: a text that ends in a bracket or a smiley is closed, and a question's end stays."""
    return text if text[-1:].isalnum() or text[-1:] in ".!?" else text + "."


def _dressed(rng: Rng, text: str) -> str:
    """Case and full stop as people leave them; no slips, since these texts are what a measured face is called."""
    if rng.random() < 0.5:
        text = text[:1].upper() + text[1:]
    return text + "." if text[-1:].isalnum() and rng.random() < 0.4 else text


def _stands_alone(text: str) -> bool:
    """Is it one plain instruction, and not taken for a timed script?"""
    return "|" not in text and Script.parse(text, 1.0).plain


def _numbers(name: str) -> list[int]:
    """A name as seeds."""
    digest = hashlib.sha256(name.encode()).digest()
    return [int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4)]
