"""Sentences: acts -> requests in many wordings, grammatical by construction, drawn by a seeded generator."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from instructavatar.face.emotions import INTENSITY, PROTOTYPES
from instructavatar.prepare.acting.score import Act
from instructavatar.prepare.wordings import frames, grammar
from instructavatar.prepare.wordings.bank import EITHER, FORMS
from instructavatar.prepare.wordings.forms import Forms
from instructavatar.prepare.wordings.grammar import YOU, Person, imperative, participle, pick, third_person, with_article

Rng = np.random.Generator

# How often each form is drawn where a kind has it: silent and talking.
_FORM_SHARES = {
    "do": (0.45, 0.42),
    "be": (0.28, 0.25),
    "adv": (0.06, 0.25),
    "emo": (0.1, 0.1),
    "noun": (0.17, 0.13),
    "raw": (0.22, 0.15),
    "story": (0.2, 0.16),
}
# Words about speaking in clips with and without speech.
_SAYS_TALK, _SAYS_TALK_SILENT = 0.5, 0.05


def request(rng: np.random.Generator, act: Act, talking: bool) -> str:
    """One sentence (without final dressing) that asks for one act."""
    if act.kind.startswith("not:"):
        return refusal(rng, act.kind[4:])
    given = _forms(rng, act)
    form = _form(rng, act, given, talking)
    talk = rng.random() < (_SAYS_TALK if talking else _SAYS_TALK_SILENT)
    return _WRITERS[form](rng, act, given, talk)


def _form(rng: Rng, act: Act, given: Forms, talking: bool) -> str:
    names = [name for name in _FORM_SHARES if getattr(given, name)]
    if (act.times or act.pace != 1.0) and given.do:
        names = ["do"]
    elif level_of(act) and given.be:
        names = [name for name in names if name in ("be", "noun", "emo", "adv")]
    weights = np.array([_FORM_SHARES[name][int(talking)] for name in names])
    return names[int(rng.choice(len(names), p=weights / weights.sum()))]


def _forms(rng: Rng, act: Act) -> Forms:
    """A kind's cores; a left kind is also what is meant where no side is named."""
    if act.kind in EITHER and rng.random() < 0.3:
        return EITHER[act.kind]
    return FORMS.get(act.kind) or _mixture_forms(rng, act.kind)


def _mixture_forms(rng: Rng, kind: str) -> Forms:
    one, two = (FORMS[part] for part in kind.split("+"))
    a, b = pick(rng, one.be), pick(rng, two.be)
    x, y = pick(rng, one.emo), pick(rng, two.emo)
    return Forms(
        be=(f"{a} and {b}", f"both {a} and {b}", f"{a} but also {b}", f"{a} yet {b}", f"{b} and {a} at once"),
        emo=(f"a mixture of {x} and {y}", f"{x} mixed with {y}", f"a blend of {x} and {y}", f"{x} and {y}", f"both {y} and {x}"),
        noun=(f"a mixture of {x} and {y}", f"a mix of {x} and {y}", f"a combination of {x} and {y}"),
        raw=(f"{a} and {b}", f"{a}, {b}", f"{x} + {y}", f"{a} {b}", f"{b} and {a}"),
    )


def level_of(act: Act) -> int:
    """1 slightly, 2 moderately, 3 very; 0 where the amount is the usual one."""
    return next((level for level, amount in INTENSITY.items() if abs(amount - act.amount) < 0.05), 0)


def verb_phrase(rng: Rng, act: Act) -> str:
    """The act as an imperative phrase with its modifiers, for use inside longer sentences."""
    given = _forms(rng, act)
    level = level_of(act)
    if given.do and (not given.be or (not level and rng.random() < 0.5) or act.pace != 1.0):
        return _modified(rng, pick(rng, given.do), act)
    if given.be:
        degree = f"{pick(rng, frames.DEGREE_BE[level])} " if level else ""
        return f"{pick(rng, ('look', 'look', 'be', 'act'))} {degree}{pick(rng, given.be)}"
    return f"{pick(rng, ('show', 'give'))} {pick(rng, given.noun)}"


def _modified(rng: Rng, phrase: str, act: Act) -> str:
    """Amount, pace and number put before or after a verb phrase."""
    level = level_of(act)
    tail: list[str] = []
    if level and rng.random() < 0.45:
        phrase = f"{pick(rng, frames.DEGREE_DO_FIRST[level])} {phrase}"
    elif level:
        tail.append(pick(rng, frames.DEGREE_DO[level]))
    if act.pace in frames.PACE:
        if rng.random() < 0.55 and not level:
            phrase = f"{pick(rng, frames.PACE_FIRST[act.pace])} {phrase}"
        else:
            tail.append(pick(rng, frames.PACE[act.pace]))
    if act.times:
        tail.append(pick(rng, frames.TIMES[act.times]))
    return " ".join([phrase, *tail])


def _who(rng: Rng, frame: str) -> Person:
    """Somebody where the frame speaks of somebody, else you."""
    return grammar.person(rng) if "{n}" in frame or "{o}" in frame else YOU


def _fill(rng: Rng, frame: str, *phrases: str, adverb: str = "") -> str:
    """A frame with its verb phrases: {b} {g} {t} for one, {b1} {b2} ... for several, {v} an adverb."""
    who = _who(rng, frame)
    values = {"n": who.name, "o": who.accusative, "v": adverb}
    for number, phrase in enumerate(phrases, 1):
        for mark in ("", str(number)) if number == 1 else (str(number),):
            values["b" + mark] = imperative(phrase, who)
            values["g" + mark] = participle(phrase, who)
            values["t" + mark] = third_person(phrase, who)
    return frame.format(**values)


def _write_do(rng: Rng, act: Act, given: Forms, talk: bool) -> str:
    phrase = _modified(rng, pick(rng, given.do), act)
    if talk:
        return _fill(rng, pick(rng, frames.TALKING), phrase)
    draw = rng.random()
    if draw < 0.4:
        return imperative(phrase)
    return _fill(rng, pick(rng, frames.POLITE if draw < 0.75 else frames.ABOUT), phrase)


def _write_be(rng: Rng, act: Act, given: Forms, talk: bool) -> str:
    bare = pick(rng, given.be)
    level = level_of(act)
    numbered = level and rng.random() < 0.3
    # Only single words stand before a noun: "a very sad face", not "a close to tears face" or "a just a bit sad face".
    before_noun = " " not in bare and (talk or rng.random() < 0.4)
    table = frames.BE if not before_noun else frames.BE_TALK if talk else frames.BE_FACE
    core = bare
    if level and not (numbered and rng.random() < 0.7):
        core = f"{pick(rng, [d for d in frames.DEGREE_BE[level] if not (before_noun and ' ' in d)])} {bare}"
    text = _about_state(rng, pick(rng, table), core)
    return _with_number(rng, text, level) if numbered else text


def _with_number(rng: Rng, text: str, level: int) -> str:
    return pick(rng, frames.NUMBERED).format(text=text.rstrip("?"), level=level)


def _about_state(rng: Rng, frame: str, core: str) -> str:
    who = _who(rng, frame)
    return grammar.for_person(frame.format(a=core, aa=with_article(core), n=who.name, o=who.accusative), who)


def _write_adv(rng: Rng, act: Act, given: Forms, talk: bool) -> str:
    frame = pick(rng, frames.ADV_TALK if talk else frames.ADV)
    core, number = _adverb(rng, act, given)
    text = frame.format(v=core, n=_who(rng, frame).name)
    return _with_number(rng, text, number) if number else text


def _adverb(rng: Rng, act: Act, given: Forms) -> tuple[str, int]:
    """An adverb with its degree; where none can stand before it ("with joy"), the level to be named as a number."""
    core, level = pick(rng, given.adv), level_of(act)
    if not level:
        return core, 0
    if core.split()[0] in ("with", "in", "without", "like"):
        return core, level
    return f"{pick(rng, frames.DEGREE_BE[level])} {core}", 0


def _write_emo(rng: Rng, act: Act, given: Forms, talk: bool) -> str:
    core, level = pick(rng, given.emo), level_of(act)
    if level and not core.startswith(("a ", "both")):
        core = f"{pick(rng, frames.DEGREE_EMO[level])} {core}"
    frame = pick(rng, frames.EMO_TALK if talk else frames.EMO)
    return frame.format(e=core, n=_who(rng, frame).name)


def _write_noun(rng: Rng, act: Act, given: Forms, talk: bool) -> str:
    core, level = pick(rng, given.noun), level_of(act)
    article, _, rest = core.partition(" ")
    if level and article in ("a", "an"):
        core = with_article(f"{pick(rng, frames.DEGREE_NOUN[level])} {rest}")
    elif level:
        core = f"{core}, {pick(rng, frames.DEGREE_DO[level])}"
    frame = pick(rng, frames.NOUN_TALK if talk else frames.NOUN)
    who = _who(rng, frame)
    return frame.format(p=grammar.for_person(core, who), n=who.name)


def _write_raw(rng: Rng, act: Act, given: Forms, talk: bool) -> str:
    core, level = pick(rng, given.raw), level_of(act)
    if not level:
        return core
    degree = pick(rng, frames.DEGREE_DO[level])
    return pick(rng, (f"{core}, {degree}", f"{core} ({degree})", f"{core} {degree}", f"{core}, intensity {level}"))


def _write_story(rng: Rng, act: Act, given: Forms, talk: bool) -> str:
    return pick(rng, frames.STORY_TALK if talk else frames.STORY).format(s=pick(rng, given.story))


_WRITERS = {
    "do": _write_do,
    "be": _write_be,
    "adv": _write_adv,
    "emo": _write_emo,
    "noun": _write_noun,
    "raw": _write_raw,
    "story": _write_story,
}


def refusal(rng: Rng, kind: str) -> str:
    """A sentence that asks for a kind not to happen."""
    return _fill(rng, pick(rng, frames.REFUSAL), verb_phrase(rng, Act(kind)))


def together(rng: Rng, acts: Sequence[Act], talking: bool) -> str:
    """Two acts at once in one sentence; one that is refused becomes "without ..."."""
    one, two = sorted(acts, key=lambda act: act.kind.startswith("not:"))
    first = verb_phrase(rng, one)
    if two.kind.startswith("not:"):
        return _fill(rng, pick(rng, frames.WITHOUT), first, verb_phrase(rng, Act(two.kind[4:])))
    for feeling, other in ((one, two), (two, one)):
        if feeling.kind in PROTOTYPES and FORMS[feeling.kind].adv and rng.random() < 0.4:
            return _with_feeling(rng, feeling, other, talking)
    second = verb_phrase(rng, two)
    return _fill(rng, pick(rng, frames.TOGETHER_TALK if talking and rng.random() < 0.4 else frames.TOGETHER), first, second)


def _with_feeling(rng: Rng, feeling: Act, other: Act, talking: bool) -> str:
    """Emotion as an adverb or a noun: "talk sadly while turning your head left", "look down with a sad face"."""
    given = FORMS[feeling.kind]
    phrase = verb_phrase(rng, other)
    if rng.random() < 0.35 and not level_of(feeling):
        return _fill(rng, pick(rng, frames.WITH_NOUN), phrase, adverb=pick(rng, given.noun))
    adverb, number = _adverb(rng, feeling, given)
    text = _fill(rng, pick(rng, frames.FEELING_TALK if talking and rng.random() < 0.7 else frames.FEELING), phrase, adverb=adverb)
    return _with_number(rng, text, number) if number else text


def _terse(rng: Rng, act: Act) -> str:
    """A keyword or a verb phrase."""
    given = _forms(rng, act)
    words = [text for text in given.raw if text[:1].isalpha()]
    if words and act.amount == act.pace == 1.0 and not act.times and rng.random() < 0.3:
        return pick(rng, words)
    return imperative(verb_phrase(rng, act))


def in_order(rng: Rng, acts: Sequence[Act]) -> str:
    """Two or three acts one after the other; a neutral one at either end is "and back" or "from neutral"."""
    if len(acts) == 2 and acts[1].kind == "neutral" and rng.random() < 0.85:
        return _fill(rng, pick(rng, frames.BACK), verb_phrase(rng, acts[0]))
    if len(acts) == 2 and acts[0].kind == "neutral" and rng.random() < 0.8:
        return _fill(rng, pick(rng, frames.AFTER_NEUTRAL), _terse(rng, acts[1]))
    if rng.random() < 0.15:
        return pick(rng, (". ", ", then ", ", ", " then ")).join(_terse(rng, act) for act in acts)
    return _fill(rng, pick(rng, frames.THEN2 if len(acts) == 2 else frames.THEN3), *(verb_phrase(rng, act) for act in acts))


def units_list(rng: Rng, acts: Sequence[Act], talking: bool) -> str:
    """Several action units as the published system writes them: names, or AU numbers, in one list."""
    if rng.random() < 0.3:
        phrases = [imperative(verb_phrase(rng, act)) for act in acts]
        return ", ".join(phrases[:-1]) + f" and {phrases[-1]}"
    numbers = rng.random() < 0.25
    names = [FORMS[act.kind].raw[1 if numbers else 0] for act in acts]
    listing = pick(rng, ("; ", ", ", " + ", " and ")).join(names)
    return pick(rng, frames.UNITS_TALK if talking and rng.random() < 0.5 else frames.UNITS).format(u=listing)
