import re
from collections import Counter

import numpy as np
import pytest

from instructavatar.face.motion import ACTION_COUNT
from instructavatar.face.script import Script
from instructavatar.prepare.acting.kinds import KINDS, MAIN, kind_of
from instructavatar.prepare.acting.score import Act, Score
from instructavatar.prepare.instructions import compose, wordings
from instructavatar.prepare.wordings.bank import EITHER, FORMS
from instructavatar.prepare.wordings.grammar import OTHERS, gerund, participle, third, third_person
from instructavatar.prepare.wordings.offtopic import chatter, off_topic

CLIPS = 600


@pytest.fixture(scope="module")
def scores():
    found = []
    for seed in range(CLIPS):
        rng = np.random.default_rng(seed)
        found.append(compose(rng, float(rng.uniform(2.5, 7.0)), bool(seed % 2)))
    return found


def acts_of(score):
    return [act for segment in score.segments for act in segment.acts]


def test_every_kind_has_words():
    assert set(KINDS) - {"idle"} == set(FORMS)
    for name, given in FORMS.items():
        assert given.count() >= (60 if name in MAIN else 17), name
        assert given.raw and (given.do or given.be)


def test_left_and_right_have_the_same_words():
    for name, given in FORMS.items():
        if name.endswith("_left") or ":left" in name:
            other = FORMS[name.replace("left", "right")]
            assert other.count() == given.count()
            assert not set(given.do) & set(other.do) and not set(given.raw) & set(other.raw)
            for text in given.do:
                assert re.search(r"\b(left|leftwards?)\b", text) or "right" in text, text


def test_no_words_for_two_conflicting_acts():
    owners: dict[str, set[str]] = {}
    for name, given in FORMS.items():
        for text in (*given.do, *given.be, *given.adv, *given.emo, *given.noun, *given.raw):
            owners.setdefault(text.lower(), set()).add(name)
    for text, names in owners.items():
        shapes = [kind_of(n).shape / np.where(np.arange(58) >= ACTION_COUNT, 15, 1) for n in sorted(names)]
        for shape in shapes[1:]:
            assert shape @ shapes[0] >= 0.6 * np.linalg.norm(shape) * np.linalg.norm(shapes[0]), (text, names)


def test_words_without_a_side_never_name_one():
    for given in EITHER.values():
        assert not any(re.search(r"\b(left|right)\b", text) for text in (*given.do, *given.noun, *given.raw))


def test_shares_of_the_corpus(scores):
    instructed = [s for s in scores if s.segments]
    assert 0.1 < 1 - len(instructed) / CLIPS < 0.21
    with_main = sum(any(act.kind in MAIN for act in acts_of(s)) for s in instructed)
    assert with_main / len(instructed) > 0.4
    sides = Counter("left" if "left" in act.kind else "right" for s in scores for act in acts_of(s) if re.search("left|right", act.kind))
    assert 0.7 < sides["left"] / sides["right"] < 1.45


def test_talkers_are_not_asked_for_what_needs_the_mouth(scores):
    for score in scores:
        if score.talking:
            assert not any(kind_of(act.kind).silent_only for act in acts_of(score) if not act.kind.startswith("not:"))


def test_scripts_read_back_to_the_segments(scores):
    for score in scores[:200]:
        scripts = score.scripts(np.random.default_rng(0), 4)
        assert bool(scripts) == bool(score.segments)
        assert len(set(scripts)) == len(scripts)
        for text in scripts:
            segments = Script.parse(text, score.seconds).segments
            read, written = ([t for s in some for t in (s.start_s, s.end_s)] for some in (segments, score.segments))
            assert read == pytest.approx(written, abs=0.021)


def test_sentences_are_clean(scores):
    texts = [text for score in scores for segment in score.segments for text in segment.wordings]
    assert len(set(texts)) > 0.8 * len(texts)
    for text in texts:
        assert text == text.strip() and text and "|" not in text, text
        assert not re.search(r"[{}~]|  | ,|\ba [aeio]|don't don't|\bplease\b.*\bplease\b.*\bplease\b", text), text
        assert not re.search(r"\b(make|have|let) (she|he)\b", text), text


def test_compose_is_deterministic_and_survives_json():
    one, two, other = (compose(np.random.default_rng(s), 4.0, True) for s in (5, 5, 6))
    assert one == two and one != other
    assert Score.from_json(one.to_json()) == one


def test_labels_follow_the_acts(scores):
    for score in scores:
        felt = [act.kind for act in acts_of(score) if act.kind in ("sad", "angry", "surprised")]
        if felt and len(score.segments) == 1 and len(acts_of(score)) == 1:
            assert score.emotion == felt[0] and score.intensity in (1, 2, 3)
    smiles = [s for s in scores if [a.kind for a in acts_of(s)] == ["big_smile"]]
    assert smiles and all("lip_corner_puller" in s.action_units for s in smiles)


def test_amount_and_number_are_said():
    rng = np.random.default_rng(0)
    slight = wordings(rng, [Act("turn_left", amount=0.5)], False, 20)
    assert all(re.search(r"slight|little|bit|subt|touch|faint|small|mild|light|intensity 1|level 1|lgiht", t.lower()) for t in slight[:5])
    twice = wordings(rng, [Act("nod", times=2)], False, 12)
    assert sum(bool(re.search(r"twice|two times|couple|2 times", t.lower())) for t in twice) >= 11


def test_refusals_say_no():
    texts = wordings(np.random.default_rng(1), [Act("not:smile")], False, 20)
    assert sum(bool(re.search(r"n't|not|stop|never|avoid|without|no |refrain|drop", t.lower())) for t in texts) >= len(texts) - 1


def test_grammar():
    assert [third(v) for v in ("smile", "go", "press", "cry")] == ["smiles", "goes", "presses", "cries"]
    assert [gerund(v) for v in ("raise", "shut", "be", "squint")] == ["raising", "shutting", "being", "squinting"]
    she = OTHERS[1]
    assert third_person("slowly open your mouth and ~hold it", she) == "slowly opens her mouth and holds it"
    assert participle("show that you are happy", she) == "showing that she is happy"


def test_off_topic_texts_vary_and_name_no_act():
    rng = np.random.default_rng(0)
    texts = {off_topic(rng) for _ in range(300)}
    assert len(texts) > 150
    for text in texts:
        assert not re.search(r"[{}]|\b(smile|nod|eyes?|head|mouth|brows?|sad|happy|angry|left|right)\b", text), text
    assert chatter(rng)
