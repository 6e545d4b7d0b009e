"""Which of the judge's kinds a free sentence asks for.

The sentence encoder that ships (features/text.py) sets the sentence beside a handful of examples of each kind, and of requests and talk
that the judge has no rule for. A kind is answered only where its nearest examples are near and clearly nearer than those of any other;
a clip judged by the wrong rule would be worse than one not judged. The encoder hardly tells opposites apart, so it answers in families (a
smile, a moved head), and words decide within them: left or right, up or down, yes or no. Refusals ("don't smile"), several requests at once
and several sides at once ask for no single kind. `tests/metrics/test_asking.py` holds how often it answers and how often it is right.
"""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import InstructAvatarError
from instructavatar.face.script import Script
from instructavatar.features.text import TextEncoder

NEAR = 0.5  # least similarity (cosine) to a kind's nearest examples
CLEAR = 0.06  # and by so much more than to those of every other kind
_AMONG = 2  # nearest examples whose mean counts

# Ours, apart from what trains the generator. Some names stand for a family of kinds; see `_FAMILIES`.
EXAMPLES: dict[str, tuple[str, ...]] = {
    "smiling": (
        "smile",
        "please smile at the viewer",
        "give me a friendly smile",
        "put a gentle smile on your face",
        "look happy and smile a little",
        "talk with a happy expression",
        "smile very broadly",
        "make a huge beaming grin",
        "give the biggest smile you can, showing your teeth",
        "grin from ear to ear",
    ),
    "sad": (
        "look sad",
        "make a sorrowful, unhappy face",
        "you are close to tears, grieving",
        "act as if you lost someone you love",
        "show a gloomy and depressed expression",
        "speak with sadness, heartbroken",
    ),
    "surprised": (
        "look surprised",
        "show astonishment, your mouth open and your eyebrows raised",
        "react as if you had seen something unbelievable",
        "be shocked and startled",
        "act amazed, you did not expect that",
    ),
    "angry": (
        "look angry",
        "be furious and glare at me",
        "show rage on your face",
        "you are mad and annoyed with us",
        "scowl with anger",
    ),
    "eyebrows": (
        "raise your eyebrows",
        "lift both brows high",
        "move your eyebrows upward and keep them up",
        "eyebrows up",
    ),
    "open your mouth": (
        "open your mouth",
        "keep the mouth wide open",
        "drop your jaw",
        "mouth open, as for the doctor",
    ),
    "close your eyes": (
        "close your eyes",
        "shut both eyes and keep them shut",
        "your eyelids are closed",
        "eyes closed as if asleep",
    ),
    "head": (
        "turn your head to the left",
        "turn your head to the right",
        "face to the left side",
        "face to the right side",
        "rotate your face towards your right",
        "move your head to your left",
        "look to the left with your head",
        "look over to the right",
        "look up",
        "raise your head and look at the ceiling",
        "tilt your head back and gaze at the sky",
        "turn your face upwards",
        "look down",
        "lower your head and look at the ground",
        "bow your face to the floor",
        "point your face downwards",
        "nod",
        "nod your head",
        "agree by nodding several times",
        "say yes with your head, up and down",
        "shake your head",
        "shake your head from side to side to say no",
        "disagree by shaking your head",
        "refuse by moving the head side to side",
    ),
    # what the judge has no rule for
    "": (
        "wink with one eye",
        "blink several times",
        "open your eyes wide",
        "squint your eyes",
        "roll your eyes",
        "move only your eyes, to the side",
        "glance upwards with your eyes only",
        "lower only your gaze",
        "look straight into the camera",
        "tilt your head to one shoulder",
        "lean closer to the camera",
        "lean back",
        "keep your head still",
        "draw your eyebrows together",
        "pucker your lips for a kiss",
        "press your lips together",
        "bite your lower lip",
        "show your teeth",
        "stick out your tongue",
        "puff up your cheeks",
        "wrinkle your nose",
        "pull the corners of your mouth down",
        "smile with one corner of your mouth, smirk",
        "pout like a child",
        "laugh out loud",
        "yawn",
        "look afraid and scared",
        "be disgusted",
        "show contempt",
        "look excited and thrilled",
        "be bored",
        "be calm and relaxed",
        "look confused",
        "be tired and sleepy",
        "look proud",
        "be shy and embarrassed",
        "be in love",
        "look worried and nervous",
        "be suspicious",
        "show pain",
        "be determined",
        "think it over",
        "keep a neutral face without expression",
        "raise your upper lip",
        "tighten your eyelids",
        "raise your chin muscle",
        "stretch your lips",
        "act naturally, do nothing special",
        "speak normally to the camera",
        "do whatever you like",
        "hello",
        "thank you, see you later",
        "open the window",
        "turn off the lights",
        "the weather is rainy in the north",
        "explain the history of music",
        "how much does the bicycle cost?",
        "import the table and run the program",
        "add two cups of flour and bake it",
        "seven blue garden numbers",
        "a photo of a dog on the beach",
        "raise your hand and wave",
        "sing a song",
        "speak louder and faster",
    ),
}


def _words(text: str) -> re.Pattern[str]:
    """A pattern of whole words, separated by spaces; "*" stands for any ending."""
    return re.compile(rf"\b(?:{'|'.join(word.replace('*', '[a-z]*').replace('_', ' ') for word in text.split())})\b", re.IGNORECASE)


_REFUSAL = _words("do_not don['’]?t never without stop avoid not instead_of neither nor isn['’]t")
# A head laid on one shoulder is not turned.
_TILTED = re.compile(r"\b(?:tilt|tip|cock|lay|roll|bend)[a-z]*\b.*\b(?:left|right|side)", re.IGNORECASE)
_PIECES = re.compile(r"\s*(?:[.;!|]+|,?\s*\b(?:and\s+)?(?:then|afterwards|after that|next)\b|,?\s*\b(?:while|and)\b|,)\s*", re.IGNORECASE)

# Family -> its kinds, each with the words that tell it. Those in a line above win over those below, as "yes" over "up and down"; two told
# in one line leave it open. Without words: what is meant where nothing else is told.
_FAMILIES: dict[str, tuple[dict[str, re.Pattern[str] | None], ...]] = {
    "smiling": (
        {
            "big smile": _words(
                "big* broad* wide* huge* gigant* giant grin* all_smiles beam* radiant* bright* dazzl* teeth ear_to_ear hard* larg* "
                "enormous great* full* massive* tooth* whole_face"
            )
        },
        {"smile": None},
    ),
    "eyebrows": ({"raise your eyebrows": _words("rais* lift* up upward* high* climb* arch*")},),
    "head": (
        {
            "nod": _words("nod* yes agree* affirm* approv* up_and_down"),
            "shake your head": _words("shak* no refus* disagree* den* side_to_side left_to_right left_and_right from_one_side"),
        },
        {"turn your head left": _words("left*"), "turn your head right": _words("right*")},
        {
            "look up": _words("up up[a-z]* sky* ceiling* rais* lift* cloud* high* heaven* roof star*"),
            "look down": _words("down down[a-z]* floor* ground* low* beneath feet foot sink* bow* drop* shoe* hang*"),
        },
    ),
}
# Words with which the sentence asks for something else than the kind, however near it is.
_NOT_WITH: dict[str, re.Pattern[str]] = {
    "head": _words(
        "eye glanc* sidelong peek* peep* lean* inclin* ear shoulder still movement lip* mouth cheek* brow* eyebrow* tongue jaw nose chin "
        "smile* wink* only"
    ),
    "eyebrows": _words(
        "down* lower* inner outer* one single together frown* knit* furrow* flash* wiggle* quick* times left right middle slant* tilt*"
    ),
    "close your eyes": _words(
        "half* little slight* open* blink* wink* one single squint* narrow* partly bit quick* times wide* left right"
    ),
    "open your mouth": _words("eye* tongue teeth yawn* smile* clos* shut* surpris* shock* amaz* side* forward lip* left right"),
    "smiling": _words("smirk* one corner* side* lopsided shy* mischievous* sly* sad* wink* laugh* left right"),
}


def kind_asked(sentence: str) -> str | None:
    """One of the judge's `KINDS`, or None where the sentence asks for none of them, or for more than one thing.

    A script with several segments asks for several things at once.
    """
    try:
        segments = Script.parse(sentence, 600.0).segments
    except InstructAvatarError:
        return None
    if len(segments) != 1 or _REFUSAL.search(segments[0].text):
        return None
    text = segments[0].text
    family = _nearest(text)
    if family is None or _asks_more(text, family) or (family in _NOT_WITH and _NOT_WITH[family].search(text)):
        return None
    if family == "head" and _TILTED.search(text):
        return None
    return _told(text, family) if family in _FAMILIES else family


def _told(text: str, family: str) -> str | None:
    """The kind of a family that the words tell."""
    for kinds in _FAMILIES[family]:
        told = [kind for kind, words in kinds.items() if words is None or words.search(text)]
        if told:
            return told[0] if len(told) == 1 else None
    return None


def _asks_more(text: str, family: str) -> bool:
    """Whether a part of the sentence clearly asks for another kind."""
    pieces = [piece for piece in _PIECES.split(text) if piece and len(piece.split()) > 1]
    others = {_nearest(piece) for piece in pieces} if len(pieces) > 1 else set()
    return bool(others - {None, family} - _BY_THE_WAY.get(family, frozenset()))


# What a wording may say by the way: a surprised face has raised brows.
_BY_THE_WAY: dict[str, frozenset[str | None]] = {"surprised": frozenset(("open your mouth", "eyebrows"))}


@lru_cache(maxsize=4096)
def _nearest(text: str) -> str | None:
    """The kind or family whose examples are near and clearly nearer than all others."""
    near = similarities(text)
    best = max(near, key=lambda kind: near[kind])
    rest = max(value for kind, value in near.items() if kind != best)
    return best if best and near[best] >= NEAR and near[best] - rest >= CLEAR else None


def similarities(text: str) -> dict[str, float]:
    """How near a sentence is to each kind's or family's nearest examples, -1..1; "" for what no rule judges."""
    state = _unit(_encoder().pool(_encoder().encode_one(text)))
    close = {kind: np.sort(states @ state)[::-1] for kind, states in _examples().items()}
    return {kind: float(values[:_AMONG].mean()) for kind, values in close.items()}


@lru_cache(maxsize=1)
def _encoder() -> TextEncoder:
    return TextEncoder.load()


@lru_cache(maxsize=1)
def _examples() -> dict[str, NDArray[np.float32]]:
    """Kind or family -> its examples' states [N, 384], each of length 1."""
    encoder = _encoder()
    return {kind: np.stack([_unit(encoder.pool(state)) for state in encoder.encode_many(texts)]) for kind, texts in EXAMPLES.items()}


def _unit(state: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(state / np.linalg.norm(state), np.float32)
