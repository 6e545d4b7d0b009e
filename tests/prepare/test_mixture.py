"""The mixture: published shares, seeded, grammatical, and never a word about what a clip does not show."""

import re
from collections import Counter

import numpy as np
import pytest

from instructavatar.errors import BadOption
from instructavatar.face.action_units import ACTION_UNITS
from instructavatar.face.emotions import PROTOTYPES
from instructavatar.face.script import Script
from instructavatar.prepare import mixture as mixing
from instructavatar.prepare.corpora.base import ClipRecord
from instructavatar.prepare.mixture import Mixture, by_name, in_plain_words, listed
from instructavatar.prepare.wordings.bank import FORMS

UNITS = {"cheek_raiser": 0.5, "lip_corner_puller": 0.9}
PLAIN = [*ACTION_UNITS["cheek_raiser"].plain, *ACTION_UNITS["lip_corner_puller"].plain]


def clip(name="W015_happy_level_3_039", **values):
    return ClipRecord(id=name, **{"emotion": "happy", "intensity": 3, **values})


def named(text):
    return "lip corner puller; cheek raiser" in text.lower()


def in_plain(text):
    """Does it tell both units in everyday words?"""
    return all(any(word in text.lower() for word in words) for words in (("rais", "push", "lift"), ("pull",))) and "cheeks" in text.lower()


def test_four_different_wordings_for_training_and_one_fixed_for_validation():
    texts = Mixture().write(clip(), UNITS)
    assert len(texts) == 4
    assert len({text.lower().rstrip(".") for text in texts}) == 4
    one = Mixture().write(clip(split="valid"), UNITS)
    assert len(one) == 1
    assert one == Mixture(wordings=9).write(clip(split="valid"), UNITS)
    assert Mixture(wordings=1).write(clip(), UNITS) == one == Mixture().write(clip(split="test"), UNITS)


def test_seed_and_clip_decide():
    assert Mixture().write(clip(), UNITS) == Mixture().write(clip(), UNITS)
    assert Mixture().write(clip(), UNITS) != Mixture(seed=1).write(clip(), UNITS)
    assert Mixture().write(clip("a"), UNITS) != Mixture().write(clip("b"), UNITS)


def test_shares_are_the_published_ones(monkeypatch):
    monkeypatch.setattr(mixing.sentences, "request", lambda rng, act, talking: "EMOTION")
    found = Counter()
    for number in range(3000):
        (text,) = Mixture().write(clip(str(number), split="valid"), UNITS)
        about = "emotion" in text.lower()
        told = "named" if named(text) else "plain" if in_plain(text) else ""
        assert about or told, text
        found[("emotion" if about else "") + ("+" if about and told else "") + ("units" if told else "")] += 1
        found[told] += 1
    assert found["emotion"] / 3000 == pytest.approx(0.3, abs=0.03)
    assert found["units"] / 3000 == pytest.approx(0.5, abs=0.03)
    assert found["emotion+units"] / 3000 == pytest.approx(0.2, abs=0.03)
    assert found["named"] / (found["named"] + found["plain"]) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(("raw", "told"), [(1.0, named), (0.0, in_plain)])
def test_raw_decides_how_units_are_told(raw, told):
    assert all(told(text) for text in Mixture(emotion=0, both=0, raw=raw, wordings=30).write(clip(), UNITS))


def test_no_units_leave_the_emotion_and_no_emotion_leaves_the_units():
    assert Mixture(emotion=0, wordings=30).write(clip(emotion=""), {}) == ()
    assert not any("unit" in text.lower() for text in Mixture(emotion=0, wordings=30).write(clip(), {}))
    for emotion in ("", "flabbergasted"):
        assert all(named(text) for text in Mixture(raw=1, wordings=20).write(clip(emotion=emotion), UNITS))


def test_neutral_clips_and_neutral_corpora_get_neutral_sentences(monkeypatch):
    asked = []
    monkeypatch.setattr(mixing.sentences, "request", lambda rng, act, talking: asked.append(act) or f"neutral {len(asked)}")
    assert len(Mixture().write(clip(emotion="neutral", intensity=1), UNITS)) == 4
    assert len(Mixture(neutral_only=True).write(clip(emotion="", intensity=0), UNITS)) == 4
    assert len(Mixture(neutral_only=True).write(clip(), UNITS)) == 4
    assert {(act.kind, act.amount) for act in asked} == {("neutral", 1.0)}


def test_intensity_is_said_and_left_out_where_nobody_knows():
    word = re.compile(r"slight|bit|little|some|mild|tiny|light|touch|faint|subtl|hint|small|intensity 1|level 1", re.IGNORECASE)
    for text in Mixture(wordings=40).write(clip(emotion="sad", intensity=1), {}):
        assert word.search(text), text
    assert not any("intensity" in text or "level" in text for text in Mixture(wordings=40).write(clip(intensity=0), {}))


def everything():
    for emotion in ("", *PROTOTYPES):
        for level in (0, 1, 2, 3):
            yield clip(f"{emotion}{level}", emotion=emotion, intensity=level)


def test_every_wording_is_one_plain_script_and_well_formed():
    rng = np.random.default_rng(0)
    names = list(ACTION_UNITS)
    for record in everything():
        units = {names[i]: float(rng.random()) for i in rng.choice(len(names), int(rng.integers(0, 7)), replace=False)}
        for text in Mixture(wordings=25, talking=bool(rng.random() < 0.5)).write(record, units):
            script = Script.parse(text, 2.0)
            assert script.plain, text
            assert str(script) == text
            assert not re.search(
                r"\s\s|[~{}|_]|\.\.|[?!]\.|,\s*,|[a-z][A-Z][a-z]|\b(\w+) \1\b", text.replace("T_T", "").replace("o_o", "")
            ), text


def test_articles_and_forms_agree():
    texts = " | ".join(text for record in everything() for text in Mixture(wordings=40).write(record, UNITS)).lower()
    assert not re.search(r"\ba [aeio]\w+ (?:face|look|expression|emotion|mood|way|manner)\b", texts)
    assert not re.search(r"\ban [bcdfgjklmnpqrstvwxyz]", texts)
    assert not re.search(r"\| (?:he|she|the man|the woman|the speaker) (?:pull|raise|push|lift)\b", texts)
    assert not re.search(r"while [^|]* while ", texts)
    assert "ragingin" not in texts


def test_everyday_words_keep_every_unit():
    rng = np.random.default_rng(1)
    phrase = in_plain_words(rng, ["cheek_raiser", "jaw_drop", "lip_bite"])
    assert phrase.count("~") == 2
    assert len([unit for unit in ("cheek_raiser", "jaw_drop", "lip_bite") if any(p in phrase for p in ACTION_UNITS[unit].plain)]) == 3
    assert in_plain_words(rng, ["lips_part"]) in ACTION_UNITS["lips_part"].plain


def test_units_are_listed_strongest_first_and_at_most_eight():
    assert by_name(listed(UNITS)) == "lip corner puller; cheek raiser"
    two_sided = [name for name, unit in ACTION_UNITS.items() if unit.side == "both"]
    assert listed({name: i / 100 for i, name in enumerate(two_sided)}) == two_sided[::-1][:8]


def test_every_emotion_has_wordings():
    assert set(PROTOTYPES) <= set(FORMS)
    assert all(len(Mixture().write(record, {})) == 4 for record in everything() if record.emotion)


@pytest.mark.parametrize(
    "wrong",
    [{"emotion": -0.1}, {"emotion": 0, "units": 0, "both": 0}, {"units": float("nan")}, {"raw": 1.5}, {"wordings": 0}, {"seed": -1}],
)
def test_wrong_numbers_are_refused(wrong):
    with pytest.raises(BadOption, match="expected"):
        Mixture(**wrong)


def test_unknown_units_are_refused_by_name():
    with pytest.raises(BadOption, match="AU12"):
        Mixture().write(clip(), {"AU12": 1.0})
