import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from instructavatar.avatar import Subject
from instructavatar.codecs.warp import WarpCodec
from instructavatar.errors import FaceProblem
from instructavatar.face.motion import FaceMotion, frames_of
from instructavatar.features.face_motion import resting_motion
from instructavatar.features.landmarks import FaceLandmarker
from instructavatar.media.portrait import read_portrait
from instructavatar.metrics.judge import KINDS
from instructavatar.prepare.acting.kinds import MAIN
from instructavatar.prepare.acting.score import Act
from instructavatar.prepare.wordings.bank import FORMS
from instructavatar.prepare.wordings.sentences import request

ROOT = Path(__file__).parents[2]


@pytest.fixture
def obey(benchmark_module):
    return benchmark_module("obey")


def plain(text):
    return " ".join(re.findall(r"[a-z']+", text.lower()))


def test_each_kind_has_two_wordings_of_its_own(obey):
    assert tuple(obey.WORDINGS) == KINDS
    texts = [plain(text) for pair in obey.WORDINGS.values() for text in pair]
    assert len(set(texts)) == 2 * len(KINDS)


def test_no_wording_is_written_anywhere_in_the_training_texts(obey):
    sources = [*(ROOT / "instructavatar").rglob("*.py"), *(ROOT / "tests" / "assets").rglob("*.jsonl"), *(ROOT / "configs").rglob("*.yaml")]
    everything = plain(" ".join(path.read_text(encoding="utf-8") for path in sources))
    assert [text for pair in obey.WORDINGS.values() for text in pair if plain(text) in everything] == []


def test_no_wording_is_made_by_the_training_grammar(obey):
    """Neither as a sentence drawn at random, nor as a frame around one of its phrases of three words or more."""
    rng = np.random.default_rng(0)
    drawn = {plain(request(rng, Act(kind), talking=False)) for kind in MAIN for _ in range(1500)}
    phrases = {plain(phrase) for forms in FORMS.values() for phrase in forms.do if len(phrase.split()) >= 3}
    for text in (plain(text) for pair in obey.WORDINGS.values() for text in pair):
        assert text not in drawn
        frame_words = [phrase for phrase in phrases if f" {phrase} " in f" {text} " and len(text.split()) - len(phrase.split()) < 4]
        assert frame_words == [], text


def test_training_corpus_in_the_repo_holds_no_wording(obey):
    for path in (ROOT / "tests" / "assets").rglob("takes.jsonl"):
        said = {plain(w) for line in path.read_text(encoding="utf-8").splitlines() for w in strings(json.loads(line))}
        assert not said & {plain(text) for pair in obey.WORDINGS.values() for text in pair}


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from strings(item)


class Echo:
    def encode(self, sentences):
        return list(sentences)


def test_shuffled_text_gives_another_kinds_sentence(obey):
    shuffled = obey.ShuffledText(Echo())
    asked = [text for pair in obey.WORDINGS.values() for text in pair]
    given = shuffled.encode(asked)
    kind_of = {text: kind for kind, pair in obey.WORDINGS.items() for text in pair}
    assert sorted(given) == sorted(asked)
    assert all(kind_of[a] != kind_of[b] for a, b in zip(asked, given, strict=True))
    with pytest.raises(KeyError):
        shuffled.encode(["something else"])


@dataclass
class FakeClip:
    motion: FaceMotion


class Puppet:
    """An avatar that always opens its mouth, whatever it is told, and is still when told nothing."""

    def __init__(self):
        self.codec, self.text, self.asked = WarpCodec.load(), Echo(), []

    def animate(self, subject, instruction=None, seconds=None, seed=0, text_guidance=None):
        self.asked.append(instruction)
        motion = FaceMotion.of(frames_of(seconds), {"jawOpen": 0.6 if instruction else 0.0})
        return FakeClip(motion)


@pytest.fixture
def stage(obey, monkeypatch):
    monkeypatch.setattr(obey, "KINDS", ("open your mouth", "turn your head left"))
    monkeypatch.setattr(obey, "SECONDS", 2.0)
    return obey.Stage(Puppet(), FaceLandmarker.load())


def test_curves_can_be_judged_undrawn(obey, monkeypatch):
    monkeypatch.setattr(obey, "KINDS", ("open your mouth",))
    stage = obey.Stage(Puppet(), None, curves=True)
    people = {"nobody": Subject(None, None, np.zeros(58, np.float32), None)}
    assert obey.judge_all(stage, people, obey.baselines(stage, people), 2, "obey")[0].compute()["rate"] == 1.0


def test_clips_are_drawn_measured_and_judged(obey, stage):
    picture = read_portrait(ROOT / "tests" / "assets" / "portraits" / "head_1.png", max_side=384).rgb
    landmarks = stage.landmarker.find(picture)[0]
    rest = resting_motion(landmarks)
    people = {"head_1": Subject(picture, landmarks, rest, stage.avatar.codec.encode_appearance(picture, landmarks, rest))}
    calm = obey.baselines(stage, people)
    scored, left_out = obey.judge_all(stage, people, calm, 2, "obey")
    found = scored.compute()
    assert (found["open your mouth"], found["turn your head left"], found["n"], left_out) == (1.0, 0.0, 4, 0)
    before = len(stage.avatar.asked)
    stage.motion(people["head_1"], obey.WORDINGS["open your mouth"][0], 0)
    assert len(stage.avatar.asked) == before  # equal motions are generated once


def test_a_lost_face_is_a_failed_clip_and_the_run_goes_on(obey, monkeypatch):
    """One face is lost once it is told something, one from the start, one never."""
    monkeypatch.setattr(obey, "KINDS", ("open your mouth",))
    stage = obey.Stage(Puppet(), None, curves=True)
    people = {name: Subject(None, None, np.full(58, n / 100, np.float32), None) for n, name in enumerate(("told", "always", "never"))}
    drawn = stage.take

    def take(subject, motion):
        if subject is people["always"] or (subject is people["told"] and motion.column("jawOpen").any()):
            raise FaceProblem("expected a face in the clip, found none in 9 of 10 frames")
        return drawn(subject, motion)

    monkeypatch.setattr(stage, "take", take)
    calm = obey.baselines(stage, people)
    assert set(calm) == {"told", "never"}
    scored, left_out = obey.judge_all(stage, people, calm, 2, "obey")
    assert [verdict.ok for verdict in scored.verdicts["open your mouth"]] == [False, False, False, False, True, True]
    assert "9 of 10" in scored.verdicts["open your mouth"][0].reason and "no face" in scored.verdicts["open your mouth"][2].reason
    assert left_out == 0 and scored.compute()["n"] == 6
