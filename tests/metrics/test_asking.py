"""Reading a kind from free words: seldom wrong, often enough right."""

import sys
from pathlib import Path

import numpy as np
import pytest

from instructavatar.metrics.asking import EXAMPLES, kind_asked
from instructavatar.metrics.judge import KINDS
from instructavatar.prepare.acting.kinds import MAIN
from instructavatar.prepare.acting.score import Act
from instructavatar.prepare.wordings.bank import FORMS
from instructavatar.prepare.wordings.offtopic import chatter, off_topic
from instructavatar.prepare.wordings.sentences import request

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
KIND_OF_ACT = dict(zip(MAIN, KINDS, strict=True))
# Acts that are one of the judge's kinds under another name.
NEARLY = {
    "open_mouth_wide": "open your mouth",
    "au:jaw_drop": "open your mouth",
    "au:mouth_stretch": "open your mouth",
    "look_left": "turn your head left",
    "look_right": "turn your head right",
    "raise_head": "look up",
    "lower_head": "look down",
    "happy": "smile",
    "laugh": "big smile",
    "grin": "big smile",
    "in_love": "smile",
}


@pytest.fixture(scope="module")
def wordings():
    """The obedience benchmark's sentences, which neither the generator's texts nor the examples hold."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        from obey import WORDINGS
    finally:
        sys.path.remove(str(BENCHMARKS))
    return WORDINGS


def test_the_benchmarks_wordings(wordings):
    found = [(kind, kind_asked(text)) for kind, texts in wordings.items() for text in texts]
    answered = [(kind, told) for kind, told in found if told is not None]
    assert [pair for pair in answered if pair[0] != pair[1]] == []
    assert len(answered) >= 0.7 * len(found)


def test_drawn_wordings_of_all_acts():
    """Of what is answered 95 % is right; of the judge's own kinds half are answered at least."""
    rng = np.random.default_rng(3)
    asked = [(KIND_OF_ACT[act], request(rng, Act(act), bool(n % 2))) for act in MAIN for n in range(6)]
    strange = [(NEARLY.get(act), request(rng, Act(act), False)) for act in sorted(set(FORMS) - set(MAIN))]
    told = [(kind, kind_asked(text), text) for kind, text in asked + strange]
    answered = [one for one in told if one[1] is not None]
    wrong = [one for one in answered if one[0] != one[1]]
    assert len(wrong) <= 0.05 * len(answered), wrong
    assert sum(one[1] is not None for one in told[: len(asked)]) >= 0.5 * len(asked)


def test_sides_are_never_confused():
    rng = np.random.default_rng(4)
    for act, kind in (("turn_left", "turn your head left"), ("turn_right", "turn your head right")):
        assert {kind_asked(request(rng, Act(act), False)) for _ in range(20)} <= {kind, None}


def test_talk_about_something_else_asks_for_nothing():
    rng = np.random.default_rng(5)
    texts = [off_topic(rng) for _ in range(40)] + [chatter(rng) for _ in range(10)]
    assert [(text, kind_asked(text)) for text in texts if kind_asked(text)] == []


@pytest.mark.parametrize(
    "text",
    [
        "Don't smile.",
        "Never nod.",
        "Talk without closing your eyes.",
        "Turn your head left, then smile.",
        "Nod and close your eyes.",
        "Smile while shaking your head.",
        "0-2s: smile | 2-4s: nod",
        "0-2s: smile | 1-4s: nod",
        "Turn your head left and then right.",
        "Raise only your left eyebrow.",
        "Close your right eye.",
        "Tilt your head to the left.",
        "Look to the left with your eyes only.",
        "Smile with the left corner of your mouth.",
        "",
    ],
)
def test_what_asks_for_no_single_kind(text):
    assert kind_asked(text) is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("smile", "smile"),
        ("Please turn your head to the RIGHT", "turn your head right"),
        ("turn left", "turn your head left"),
        ("0-3s: look up", "look up"),
        ("Shake your head from left to right", "shake your head"),
        ("nod your head up and down", "nod"),
        ("Look down at the floor", "look down"),
        ("raise your eyebrows", "raise your eyebrows"),
        ("please talk with angry emotion", "angry"),
        ("please talk with surprised emotion", "surprised"),
    ],
)
def test_plain_words(text, kind):
    assert kind_asked(text) == kind


def test_no_example_is_a_benchmarks_wording(wordings):
    said = {text.casefold().rstrip(".") for texts in wordings.values() for text in texts}
    assert not said & {text for texts in EXAMPLES.values() for text in texts}
