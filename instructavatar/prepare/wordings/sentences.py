"""Sentences: acts -> requests in many wordings, grammatical by construction, drawn by a seeded generator."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from instructavatar.face.emotions import INTENSITY, PROTOTYPES
from instructavatar.prepare.acting.score import Act
from instructavatar.prepare.wordings import grammar
from instructavatar.prepare.wordings.bank import EITHER, FORMS
from instructavatar.prepare.wordings.forms import Forms
from instructavatar.prepare.wordings.grammar import OTHERS, YOU, Person, imperative, participle, pick, third_person, with_article

Rng = np.random.Generator

SLOW, QUICK = 0.4, 1.7

_DEGREE_BE = {
    1: ("slightly", "a bit", "a little", "somewhat", "mildly", "a tiny bit", "lightly", "a touch", "just a little", "faintly", "subtly"),
    2: ("moderately", "quite", "fairly", "pretty", "rather", "reasonably"),
    3: (
        "very",
        "extremely",
        "really",
        "so",
        "incredibly",
        "intensely",
        "highly",
        "super",
        "strongly",
        "remarkably",
        "extraordinarily",
        "terribly",
        "totally",
    ),
}
_DEGREE_NOUN = {
    1: ("slight", "faint", "small", "subtle", "mild", "little", "light"),
    2: ("moderate", "fair", "medium"),
    3: ("strong", "very strong", "intense", "extreme", "pronounced", "really strong", "powerful", "exaggerated"),
}
_DEGREE_EMO = {
    1: ("a hint of", "a touch of", "a bit of", "slight", "mild", "a little"),
    2: ("moderate", "some", "a fair amount of"),
    3: ("great", "intense", "extreme", "a lot of", "deep", "strong", "overwhelming", "so much"),
}
_DEGREE_DO = {
    1: ("slightly", "a little", "a bit", "just a bit", "a tiny bit", "only slightly", "just a little", "subtly", "ever so slightly"),
    2: ("moderately", "to a moderate degree", "fairly"),
    3: (
        "a lot",
        "as much as you can",
        "strongly",
        "very much",
        "really strongly",
        "intensely",
        "to the maximum",
        "as far as you can",
        "hard",
    ),
}
_DEGREE_DO_FIRST = {1: ("slightly", "subtly"), 2: ("moderately",), 3: ("strongly", "really")}
_PACE = {
    SLOW: ("slowly", "gradually", "very slowly", "in slow motion", "unhurriedly"),
    QUICK: ("quickly", "fast", "rapidly", "swiftly", "very fast", "in a hurry"),
}
_PACE_FIRST = {SLOW: ("slowly", "gradually"), QUICK: ("quickly", "rapidly")}
_TIMES = {
    1: ("once", "one time", "just once", "a single time"),
    2: ("twice", "two times", "a couple of times", "2 times"),
    3: ("three times", "3 times", "thrice", "a few times"),
    4: ("four times", "4 times"),
    5: ("five times", "5 times"),
}

_POLITE = (
    "please {b}",
    "{b}, please",
    "could you {b}?",
    "can you {b}?",
    "would you {b}?",
    "could you please {b}?",
    "can you please {b}?",
    "would you please {b}?",
    "would you mind {g}?",
    "I want you to {b}",
    "I'd like you to {b}",
    "I would like you to {b}",
    "I need you to {b}",
    "now {b}",
    "now please {b}",
    "try to {b}",
    "you should {b}",
    "go ahead and {b}",
    "just {b}",
    "okay, {b}",
    "ok now {b}",
    "alright, {b}",
    "let me see you {b}",
    "let's see you {b}",
    "start {g}",
    "begin {g}",
    "keep {g}",
    "{b} now",
    "{b} for me",
    "{b} for the camera",
    "next, {b}",
    "you have to {b}",
    "you need to {b}",
    "you are {g}",
    "you {b}",
    "kindly {b}",
    "let's {b}",
    "time to {b}",
    "how about {g}?",
    "{g}",
    "{g}, please",
    "by {g}",
    "show me how you {b}",
    "for the next few seconds, {b}",
)
_ABOUT = (
    "{n} {t}",
    "{n} {t}",
    "{n} {t}",
    "{n} is {g}",
    "{n} starts {g}",
    "{n} begins to {b}",
    "make {o} {b}",
    "have {o} {b}",
    "{n} should {b}",
    "let {o} {b}",
    "{n} who {t}",
    "a video of {o} {g}",
    "I want {o} to {b}",
    "{n} will {b}",
)
_TALKING = (
    "talk while {g}",
    "speak while {g}",
    "{b} while talking",
    "{b} while you talk",
    "{b} while speaking",
    "{b} as you speak",
    "{b} as you talk",
    "talk and {b}",
    "keep talking and {b}",
    "speak and {b} at the same time",
    "say it while {g}",
    "{n} {t} while talking",
    "{n} is talking while {g}",
    "{n} talks while {g}",
    "while talking, {b}",
    "when you speak, {b}",
)
_BE = (
    "{a}",
    "{a}",
    "look {a}",
    "look {a}",
    "be {a}",
    "act {a}",
    "seem {a}",
    "appear {a}",
    "feel {a}",
    "you are {a}",
    "you look {a}",
    "you feel {a}",
    "{n} looks {a}",
    "{n} is {a}",
    "{n} seems {a}",
    "{n} feels {a}",
    "make {o} look {a}",
    "try to look {a}",
    "please look {a}",
    "could you look {a}?",
    "I want you to look {a}",
    "look like you are {a}",
    "look as if you are {a}",
    "act as if you were {a}",
    "show that you are {a}",
    "pretend to be {a}",
    "get {a}",
    "show me what you look like when you are {a}",
    "react as if you were {a}",
)
_BE_FACE = (
    "{aa} face",
    "{aa} expression",
    "{aa} look",
    "make {aa} face",
    "show me {aa} face",
    "show {aa} expression",
    "show {aa} emotion",
    "with {aa} expression",
    "with {aa} face",
    "with {aa} look on your face",
    "have {aa} expression",
    "put on {aa} face",
    "please show me {aa} expression",
    "give me {aa} look",
    "{a} emotion",
    "{a} expression",
    "{a} face, please",
    "{n} makes {aa} face",
    "{n} with {aa} face",
    "{n} has {aa} expression",
    "do {aa} face",
    "wear {aa} expression",
    "make your face look {a}",
)
_BE_TALK = (
    "talk with {aa} expression",
    "talk with {aa} emotion",
    "talk with {aa} face",
    "speak with {aa} expression",
    "speak in {aa} way",
    "talk in {aa} manner",
    "talk in {aa} mood",
    "look {a} while talking",
    "look {a} as you speak",
    "be {a} while you talk",
    "{n} is talking and looks {a}",
    "{n} talks with {aa} expression",
    "say it with {aa} look",
    "sound {a}",
    "talk as if you are {a}",
    "speak like you are {a}",
    "{n} speaks in {aa} way",
)
_ADV = (
    "{v}",
    "act {v}",
    "look {v} at the camera",
    "look at me {v}",
    "do it {v}",
    "react {v}",
    "behave {v}",
    "stare {v}",
    "{n} looks {v} at the camera",
)
_ADV_TALK = (
    "talk {v}",
    "speak {v}",
    "say it {v}",
    "talk {v}, please",
    "please speak {v}",
    "{n} talks {v}",
    "{n} is speaking {v}",
    "{n} is talking {v}",
    "deliver this {v}",
    "say this {v}",
    "tell me {v}",
    "read this {v}",
    "talk {v} to the camera",
)
_EMO = (
    "{e}",
    "show {e}",
    "express {e}",
    "with {e}",
    "show {e} on your face",
    "let {e} show on your face",
    "convey {e}",
    "a face full of {e}",
    "a look of {e}",
    "an expression of {e}",
    "display {e}",
    "feel {e}",
    "act out {e}",
    "full of {e}",
    "{n} shows {e}",
    "{n} expresses {e}",
    "your face shows {e}",
    "I want to see {e}",
    "react with {e}",
)
_EMO_TALK = (
    "talk with {e}",
    "speak with {e}",
    "say it with {e}",
    "{n} talks with {e}",
    "show {e} while you talk",
    "express {e} as you speak",
)
_NOUN = (
    "{p}",
    "{p}",
    "{p}, please",
    "show me {p}",
    "please show me {p}",
    "give me {p}",
    "show {p}",
    "I want to see {p}",
    "I'd like to see {p}",
    "with {p}",
    "can I see {p}?",
    "can you show me {p}?",
    "could you give me {p}?",
    "let me see {p}",
    "let's see {p}",
    "now {p}",
    "{n} with {p}",
    "{n} shows {p}",
    "a portrait with {p}",
    "okay, {p}",
    "next, {p}",
    "and {p}",
    "try {p}",
    "I need {p}",
    "now show me {p}",
)
_NOUN_TALK = ("talk with {p}", "speak with {p}", "{p} while talking", "say it with {p}", "{n} talks with {p}", "show {p} while you speak")


def request(rng: np.random.Generator, act: Act, talking: bool) -> str:
    """One sentence (without final dressing) that asks for one act."""
    if act.kind.startswith("not:"):
        return refusal(rng, act.kind[4:])
    given = _forms(rng, act)
    options = [("do", 0.45), ("be", 0.3), ("adv", 0.25 if talking else 0.08), ("emo", 0.1), ("noun", 0.17), ("raw", 0.2)]
    if act.times or act.pace != 1.0:
        options = [("do", 1.0), ("noun", 0.0)] if given.do else options
    if _level(act) and given.be:
        options = [o for o in options if o[0] in ("be", "noun", "emo", "adv")]
    options = [o for o in options if getattr(given, o[0])]
    weights = np.array([w for _, w in options])
    form = options[int(rng.choice(len(options), p=weights / weights.sum()))][0]
    return _WRITERS[form](rng, act, given, talking and rng.random() < 0.55 or rng.random() < 0.05)


def _forms(rng: Rng, act: Act) -> Forms:
    """A kind's cores; a left kind is also what is meant where no side is named."""
    if act.kind in EITHER and rng.random() < 0.3:
        return EITHER[act.kind]
    return FORMS.get(act.kind) or _mixture_forms(rng, act.kind)


def _mixture_forms(rng: Rng, kind: str) -> Forms:
    one, two = [FORMS[part] for part in kind.split("+")]
    a, b = pick(rng, one.be), pick(rng, two.be)
    x, y = pick(rng, one.emo), pick(rng, two.emo)
    return Forms(
        be=(f"{a} and {b}", f"both {a} and {b}", f"{a} but also {b}", f"{a} yet {b}", f"{b} and {a} at once"),
        emo=(f"a mixture of {x} and {y}", f"{x} mixed with {y}", f"a blend of {x} and {y}", f"{x} and {y}", f"both {y} and {x}"),
        noun=(f"a mixture of {a} and {b}", f"a mix of {x} and {y}", f"a combination of {x} and {y}"),
        raw=(f"{a} and {b}", f"{a}, {b}", f"{x} + {y}", f"{a} {b}", f"{b} and {a}"),
    )


def _level(act: Act) -> int:
    return next((level for level, amount in INTENSITY.items() if abs(amount - act.amount) < 0.05), 0)


def verb_phrase(rng: Rng, act: Act) -> str:
    """The act as an imperative phrase with its modifiers, for use inside longer sentences."""
    given = _forms(rng, act)
    level = _level(act)
    if given.do and not (level and given.be) and (not given.be or rng.random() < 0.5):
        return _modified(rng, pick(rng, given.do), act)
    if given.be:
        degree = f"{pick(rng, _DEGREE_BE[level])} " if level else ""
        return f"{pick(rng, ('look', 'look', 'be', 'act'))} {degree}{pick(rng, given.be)}"
    return f"{pick(rng, ('show', 'give'))} {pick(rng, given.noun)}"


def _modified(rng: Rng, phrase: str, act: Act) -> str:
    """Amount, pace and number put before or after a verb phrase."""
    level = _level(act)
    tail: list[str] = []
    if level:
        if rng.random() < 0.45:
            phrase = f"{pick(rng, _DEGREE_DO_FIRST[level])} {phrase}"
        else:
            tail.append(pick(rng, _DEGREE_DO[level]))
    if act.pace in _PACE:
        if rng.random() < 0.55 and not level:
            phrase = f"{pick(rng, _PACE_FIRST[act.pace])} {phrase}"
        else:
            tail.append(pick(rng, _PACE[act.pace]))
    if act.times:
        tail.append(pick(rng, _TIMES[act.times]))
    return " ".join([phrase, *tail])


def _fill(rng: Rng, frame: str, phrase: str) -> str:
    who = grammar.person(rng) if "{n}" in frame or "{o}" in frame else YOU
    return frame.format(
        o=who.accusative,
        b=imperative(phrase, who),
        g=participle(phrase, who),
        t=third_person(phrase, who) if who is not YOU else phrase,
        n=who.name,
    )


def _write_do(rng: Rng, act: Act, given: Forms, talk: bool) -> str:
    phrase = _modified(rng, pick(rng, given.do), act)
    if talk:
        return _fill(rng, pick(rng, _TALKING), phrase)
    draw = rng.random()
    if draw < 0.4:
        return imperative(phrase)
    return _fill(rng, pick(rng, _POLITE if draw < 0.75 else _ABOUT), phrase)


def _write_be(rng: Rng, act: Act, given: Forms, talk: bool) -> str:
    core = pick(rng, given.be)
    level = _level(act)
    if level:
        core = f"{pick(rng, _DEGREE_BE[level])} {core}"
    # Only plain adjectives stand before a noun: "a sad face", not "a close to tears face".
    before_noun = len(core.split()) <= (2 if level else 1)
    frames = (_BE_TALK if talk else _BE_FACE) if before_noun and (talk or rng.random() < 0.4) else _BE
    text = _about_state(rng, pick(rng, frames), core)
    if level and rng.random() < 0.25:
        text = _with_number(rng, _about_state(rng, pick(rng, frames), core.split(" ", 1)[1] if before_noun else core), level)
    return text


def _with_number(rng: Rng, text: str, level: int) -> str:
    return pick(
        rng,
        (
            f"{text}, intensity {level}",
            f"{text} with intensity {level}",
            f"{text} (intensity {level})",
            f"{text}, level {level}",
            f"intensity {level}: {text}",
        ),
    )


def _about_state(rng: Rng, frame: str, core: str) -> str:
    who = grammar.person(rng)
    text = frame.format(a=core, aa=with_article(core), n=who.name, o=who.accusative)
    return grammar.for_person(text, who) if who.name in text.split() else text


def _write_adv(rng: Rng, act: Act, given: Forms, talk: bool) -> str:
    core = pick(rng, given.adv)
    level = _level(act)
    if level and not core.startswith(("with", "in", "without")):
        core = f"{pick(rng, _DEGREE_BE[level])} {core}"
    elif level:
        return _with_number(rng, pick(rng, _ADV_TALK if talk else _ADV).format(v=core, n=grammar.person(rng).name), level)
    return pick(rng, _ADV_TALK if talk else _ADV).format(v=core, n=grammar.person(rng).name)


def _write_emo(rng: Rng, act: Act, given: Forms, talk: bool) -> str:
    core = pick(rng, given.emo)
    level = _level(act)
    if level:
        core = f"{pick(rng, _DEGREE_EMO[level])} {core}"
    return pick(rng, _EMO_TALK if talk else _EMO).format(e=core, n=grammar.person(rng).name)


def _write_noun(rng: Rng, act: Act, given: Forms, talk: bool) -> str:
    core = pick(rng, given.noun)
    level = _level(act)
    if level:
        article, _, rest = core.partition(" ")
        core = (
            with_article(f"{pick(rng, _DEGREE_NOUN[level])} {rest}")
            if article in ("a", "an")
            else f"{core}, {pick(rng, _DEGREE_DO[level])}"
        )
    frame = pick(rng, _NOUN_TALK if talk else _NOUN)
    who = grammar.person(rng) if "{n}" in frame else YOU
    return frame.format(p=grammar.for_person(core, who), n=who.name)


def _write_raw(rng: Rng, act: Act, given: Forms, talk: bool) -> str:
    core = pick(rng, given.raw)
    level = _level(act)
    if level:
        return pick(
            rng, (f"{core}, {pick(rng, _DEGREE_DO[level])}", f"{core} ({pick(rng, _DEGREE_DO[level])})", f"{core}, intensity {level}")
        )
    return core


_WRITERS = {"do": _write_do, "be": _write_be, "adv": _write_adv, "emo": _write_emo, "noun": _write_noun, "raw": _write_raw}


def refusal(rng: Rng, kind: str) -> str:
    """A sentence that asks for a kind not to happen."""
    act = Act(kind)
    phrase = verb_phrase(rng, act)
    frame = pick(
        rng,
        (
            "don't {b}",
            "do not {b}",
            "please don't {b}",
            "stop {g}",
            "never {b}",
            "avoid {g}",
            "without {g}",
            "no {g}",
            "you should not {b}",
            "try not to {b}",
            "{n} does not {b}",
            "make sure not to {b}",
            "don't {b} at all",
            "you must not {b}",
            "{n} isn't {g}",
            "refrain from {g}",
            "no need to {b}",
        ),
    )
    return _fill(rng, frame, phrase)


def clause(rng: Rng, act: Act) -> str:
    """An act as an imperative clause inside a longer sentence; a refused one as "don't ..."."""
    if act.kind.startswith("not:"):
        return f"don't {verb_phrase(rng, Act(act.kind[4:]))}"
    return verb_phrase(rng, act)


_TOGETHER = (
    "{b1} while {g2}",
    "{b1} and {b2}",
    "{b1} and {b2} at the same time",
    "{b1} and also {b2}",
    "{b1} as you {b2}",
    "{b2} while {g1}",
    "{b1}, {g2}",
    "both {b1} and {b2}",
    "while {g1}, {b2}",
    "{n} {t1} while {g2}",
    "{n} {t1} and {t2}",
    "{b1} with your face {g2}",
    "please {b1} while {g2}",
    "could you {b1} and {b2}?",
    "{b1}. at the same time, {b2}",
    "{b1} + {b2}",
)
_TOGETHER_TALK = (
    "talk while {g1} and {g2}",
    "{b1} and {b2} while talking",
    "speak, {g1} and {g2}",
    "talk, {b1} and {b2}",
    "{n} talks while {g1} and {g2}",
)


def together(rng: Rng, acts: Sequence[Act], talking: bool) -> str:
    """Two acts at once in one sentence; a second that is refused becomes "without ..."."""
    one, two = (acts[0], acts[1]) if not acts[0].kind.startswith("not:") else (acts[1], acts[0])
    first = verb_phrase(rng, one)
    if two.kind.startswith("not:"):
        second = verb_phrase(rng, Act(two.kind[4:]))
        frame = pick(
            rng,
            (
                "{b1} without {g2}",
                "{b1} but don't {b2}",
                "{b1}, but do not {b2}",
                "without {g2}, {b1}",
                "{n} {t1} without {g2}",
                "{b1} and don't {b2}",
            ),
        )
    else:
        if one.kind in PROTOTYPES and FORMS[one.kind].adv and rng.random() < 0.4:
            return _adverbial(rng, one, two, talking)
        second = verb_phrase(rng, two)
        frame = pick(rng, _TOGETHER_TALK if talking and rng.random() < 0.4 else _TOGETHER)
    return _fill_two(rng, frame, first, second)


def _adverbial(rng: Rng, emotion: Act, movement: Act, talking: bool) -> str:
    """Emotion as an adverb: "talk sadly while turning your head left", "sadly look down"."""
    adverb = pick(rng, FORMS[emotion.kind].adv)
    level = _level(emotion)
    if level and not adverb.startswith(("with", "in")):
        adverb = f"{pick(rng, _DEGREE_BE[level])} {adverb}"
    elif level:
        adverb = f"{adverb}, intensity {level},"
    phrase = verb_phrase(rng, movement)
    frames = (
        ("talk {v} while {g}", "speak {v} while {g}", "{b} and talk {v}", "{n} talks {v} while {g}", "say it {v} and {b}")
        if talking
        else ("{b} {v}", "{v} {b}", "{n} {t} {v}", "{b}, {v}")
    )
    return _fill(rng, pick(rng, frames).replace("{v}", adverb), phrase)


def _fill_two(rng: Rng, frame: str, first: str, second: str) -> str:
    who: Person = grammar.person(rng) if "{n}" in frame else YOU
    values = {"n": who.name}
    for mark, phrase in (("1", first), ("2", second)):
        values |= {"b" + mark: imperative(phrase, who), "g" + mark: participle(phrase, who)}
        values["t" + mark] = third_person(phrase, who) if who is not YOU else phrase
    return frame.format(**values)


_THEN2 = (
    "{b1}, then {b2}",
    "{b1} and then {b2}",
    "first {b1}, then {b2}",
    "{b1}. then {b2}",
    "{b1}. {b2}",
    "{b1}, and afterwards {b2}",
    "{b1} before {g2}",
    "after {g1}, {b2}",
    "start by {g1}, then {b2}",
    "{b1}, after that {b2}",
    "{b1}, next {b2}",
    "{b1}; {b2}",
    "{n} {t1}, then {t2}",
    "{n} {t1} and then {t2}",
    "please {b1} and then {b2}",
    "could you {b1} and then {b2}?",
    "begin by {g1} and finish by {g2}",
    "{b1} -> {b2}",
    "{b1}, followed by {g2}",
)
_THEN3 = (
    "{b1}, then {b2}, then {b3}",
    "first {b1}, then {b2}, and finally {b3}",
    "{b1}. {b2}. {b3}",
    "{b1}, {b2}, and then {b3}",
    "{b1}, after that {b2}, and at the end {b3}",
    "{n} {t1}, then {t2}, and finally {t3}",
    "start by {g1}, then {b2}, and finish by {g3}",
    "{b1} -> {b2} -> {b3}",
)
_BACK = (
    "{b1} and back",
    "{b1} and back to neutral",
    "{b1}, then go back to neutral",
    "{b1} and then relax",
    "{b1} and return to neutral",
    "{b1}, then return to a neutral face",
    "{b1} and then go back to normal",
    "{b1}, and back to a natural expression",
    "{b1}. back to neutral",
    "{b1} for a moment, then relax",
    "{n} {t1}, then relaxes again",
    "{b1} and then stop",
    "{b1} briefly, then look normal again",
    "{b1} and come back to neutral",
)
_AFTER_NEUTRAL = (
    "natural. {b}",
    "neutral. {b}",
    "start neutral, then {b}",
    "wait a moment, then {b}",
    "from a neutral face, {b}",
    "relax first, then {b}",
    "neutral, then {b}",
)


def _terse(rng: Rng, act: Act) -> str:
    given = _forms(rng, act)
    plain = act.amount == 1.0 and act.pace == 1.0 and not act.times
    return pick(rng, [t for t in given.raw if t[:1].isalpha()]) if plain and given.raw and rng.random() < 0.3 else verb_phrase(rng, act)


def in_order(rng: Rng, acts: Sequence[Act]) -> str:
    """Two or three acts one after the other; a neutral one at either end is "and back" or "from neutral"."""
    if len(acts) == 2 and acts[1].kind == "neutral" and rng.random() < 0.85:
        return _fill_two(rng, pick(rng, _BACK), verb_phrase(rng, acts[0]), "")
    if len(acts) == 2 and acts[0].kind == "neutral" and rng.random() < 0.8:
        return _fill(rng, pick(rng, _AFTER_NEUTRAL), _terse(rng, acts[1]))
    if rng.random() < 0.15:
        return pick(rng, (". ", ", then ", ", ", " then ")).join(_terse(rng, act) for act in acts)
    phrases = [verb_phrase(rng, act) for act in acts]
    frame = pick(rng, _THEN2 if len(acts) == 2 else _THEN3)
    who: Person = grammar.person(rng) if "{n}" in frame else YOU
    values = {"n": who.name}
    for i, phrase in enumerate(phrases, 1):
        values |= {f"b{i}": imperative(phrase, who), f"g{i}": participle(phrase, who)}
        values[f"t{i}"] = third_person(phrase, who) if who is not YOU else phrase
    return frame.format(**values)


def units_list(rng: Rng, acts: Sequence[Act], talking: bool) -> str:
    """Several action units as the published system writes them: names, or AU numbers, in one list."""
    names = [act.kind.removeprefix("au:").replace("_", " ") for act in acts]
    numbers = [next(t for t in FORMS[act.kind].raw if t.startswith("AU") and " " not in t) for act in acts]
    items = numbers if rng.random() < 0.25 else names
    listing = pick(rng, ("; ", ", ", " + ", " and ")).join(items)
    phrases = [verb_phrase(rng, act) for act in acts]
    return pick(
        rng,
        (
            listing,
            listing,
            f"{'talk ' if talking else ''}with these action units: {listing}",
            f"show these action units: {listing}",
            f"action units: {listing}",
            f"activate {listing}",
            ", ".join(phrases[:-1]) + f" and {phrases[-1]}",
        ),
    )


assert all(who.name for who in OTHERS)
