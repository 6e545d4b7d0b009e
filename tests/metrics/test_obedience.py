"""Obedience and intensity on faces whose motion is known."""

import numpy as np
import pytest

from instructavatar.errors import BadOption
from instructavatar.face.emotions import INTENSITY, expression
from instructavatar.face.motion import FaceMotion
from instructavatar.metrics.base import NotScored
from instructavatar.metrics.intensity import IntensityOrder
from instructavatar.metrics.obedience import Obedience, Request, request_of
from instructavatar.metrics.pairs import Asked

FRAMES = 75
TIMES = np.arange(FRAMES) / 25


def held(**columns):
    """A motion that reaches these columns after 0.6 s; a name without a side stands for both."""
    both = {}
    for name, value in columns.items():
        both |= (
            {name: value}
            if name in ("yaw", "pitch", "jawOpen", "browInnerUp", "mouthPucker")
            else {name + s: value for s in ("Left", "Right")}
        )
    motion = FaceMotion.of(FRAMES, both)
    return FaceMotion(motion.values * np.clip((TIMES - 0.2) / 0.4, 0, 1)[:, None].astype(np.float32))


def emotional(name, strength):
    rise = np.clip((TIMES - 0.2) / 0.4, 0, 1)[:, None].astype(np.float32)
    return FaceMotion(expression(name, strength)[None] * rise)


NODS = FaceMotion.of(FRAMES, {"pitch": 8 * np.sin(2 * np.pi * 1.4 * TIMES)})
LEFT, RIGHT, SMILE = held(yaw=18), held(yaw=-18), held(mouthSmile=0.6)


@pytest.fixture
def obeys(make_clip, make_case):
    """A function: motion, what is asked -> the scores."""

    def score(motion, asked, calm=None):
        baseline = make_clip(FaceMotion.still(FRAMES) if calm is None else calm)
        return Obedience().score(make_case(make_clip(motion), asked=asked, baseline=baseline))

    return score


@pytest.mark.parametrize(
    ("motion", "asked", "kind_of_number"),
    [
        (SMILE, Asked(kind="smile"), "expression"),
        (SMILE, Asked(emotion="happy"), "expression"),
        (SMILE, Asked(instruction="Please smile."), "expression"),
        (emotional("sad", 1.0), Asked(emotion="sad"), "emotion"),
        (LEFT, Asked(instruction="Turn your head to the left"), "pose"),
        (NODS, Asked(instruction="nod"), "motion"),
        (held(browInnerUp=0.85), Asked(action_units=("inner_brow_raiser",)), "units"),
        (held(browInnerUp=0.85), Asked(action_units=("inner_brow_raiser", "nose_wrinkler")), "units"),
    ],
)
def test_what_was_asked_is_seen_and_a_still_face_does_nothing(obeys, motion, asked, kind_of_number):
    found = obeys(motion, asked)
    assert found["obedience"] == found[f"obedience_{kind_of_number}"] == 100, found["reason"]
    assert obeys(FaceMotion.still(FRAMES), asked)["obedience"] == 0


def test_the_wrong_side_is_counted_among_turns_alone(obeys):
    scores = [
        obeys(LEFT, Asked(kind="turn your head left")),
        obeys(RIGHT, Asked(kind="turn your head left")),
        obeys(SMILE, Asked(kind="smile")),
    ]
    found = Obedience().compute(scores)
    assert found["wrong_side"] == pytest.approx(50) and found["obedience"] == pytest.approx(200 / 3)
    assert found["obedience_pose"] == pytest.approx(50) and found["obedience_expression"] == 100
    assert "obedience_motion" not in found


def test_all_units_must_be_there(obeys):
    asked = Asked(action_units=("inner_brow_raiser", "lip_corner_puller"))
    assert obeys(held(browInnerUp=0.85, mouthSmile=0.8), asked)["obedience"] == 100
    found = obeys(held(browInnerUp=0.85), asked)
    assert found["obedience"] == 0 and found["reason"] == "not shown: lip_corner_puller"


def test_what_the_face_does_anyway_is_not_judged(obeys):
    smiling = FaceMotion.of(FRAMES, {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8})
    with pytest.raises(NotScored, match="does so anyway: smile"):
        obeys(smiling, Asked(kind="smile"), calm=smiling)
    with pytest.raises(NotScored, match="does so anyway: lip_corner_puller"):
        obeys(smiling, Asked(action_units=("lip_corner_puller",)), calm=smiling)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (Asked(), "nothing asked"),
        (Asked(kind="dance"), "knows no kind 'dance'"),
        (Asked(emotion="contempt"), "no kind of the judge's"),
        (Asked(action_units=("nose_wrinkler",)), "no kind of the judge's"),
        (Asked(instruction="What is the weather like in Rome?"), "no kind of the judge's"),
    ],
)
def test_what_cannot_be_judged_is_told(asked, why):
    with pytest.raises(NotScored, match=why):
        request_of(asked)


def test_what_is_told_first_counts():
    assert request_of(Asked("nod", "smile", "sad")) == Request("smile")
    assert request_of(Asked("nod", "", "sad")) == Request("sad")
    assert request_of(Asked("nod", "", "fear", 0, ("jaw_drop", "nose_wrinkler"))) == Request(units=("jaw_drop",))
    assert request_of(Asked("nod", "", "fear")) == Request("nod")


def test_a_clip_under_a_second_is_not_judged(make_clip, make_case):
    case = make_case(make_clip(FaceMotion.still(20)), asked=Asked(kind="smile"))
    with pytest.raises(NotScored, match="shorter than 1 s"):
        Obedience().score(case)
    with pytest.raises(BadOption):
        Obedience(threshold=0)


@pytest.fixture
def ordered(make_clip, make_case):
    """A function: clips (motion, asked) -> the share of pairs in order, with the strengths."""

    def judge(*clips):
        metric = IntensityOrder()
        calm = make_clip(FaceMotion.still(FRAMES))
        scores = [metric.score(make_case(make_clip(motion), asked=asked, baseline=calm)) for motion, asked in clips]
        return metric.compute(scores), [one["strength"] for one in scores]

    return judge


@pytest.mark.parametrize("emotion", ["happy", "sad", "angry", "surprised", "fear", "contempt", "disgusted"])
def test_levels_of_an_emotion_are_in_order(ordered, emotion):
    clips = [(emotional(emotion, INTENSITY[level]), Asked(emotion=emotion, intensity=level, group="a")) for level in (3, 1, 2)]
    found, strengths = ordered(*clips)
    assert found == {"intensity_order": 100.0}
    assert strengths[1] < strengths[2] < strengths[0]


def test_levels_of_units_and_of_words_are_in_order(ordered):
    units = [(held(mouthPucker=0.3 * n), Asked(action_units=("lip_pucker",), intensity=n, group="u")) for n in (1, 2, 3)]
    words = [(held(mouthSmile=0.25 * n), Asked("smile", intensity=n, group="w")) for n in (1, 2, 3)]
    assert ordered(*units, *words)[0] == {"intensity_order": 100.0}


def test_a_swapped_pair_costs_its_share(ordered):
    """Of the three pairs of three levels one is wrong when two neighbours are swapped, and all when the order is turned round."""
    smiles = [held(mouthSmile=0.25 * n) for n in (1, 2, 3)]
    asked = [Asked(emotion="happy", intensity=n, group="g") for n in (1, 2, 3)]
    swapped, _ = ordered(*zip([smiles[1], smiles[0], smiles[2]], asked, strict=True))
    turned, _ = ordered(*zip(smiles[::-1], asked, strict=True))
    same, _ = ordered(*zip([smiles[1]] * 3, asked, strict=True))
    assert swapped["intensity_order"] == pytest.approx(200 / 3)
    assert turned["intensity_order"] == same["intensity_order"] == 0


def test_groups_are_not_mixed_and_equal_levels_make_no_pair(ordered):
    strong, weak = held(mouthSmile=0.8), held(mouthSmile=0.2)
    asked = [Asked(emotion="happy", intensity=level, group=group) for level, group in ((1, "a"), (3, "b"), (1, "a"))]
    assert ordered((strong, asked[0]), (weak, asked[1]), (weak, asked[2]))[0] == {}


def test_clips_without_group_are_told(make_clip, make_case):
    clip = make_clip(SMILE)
    for asked in (Asked(emotion="happy", intensity=2), Asked(emotion="happy", group="a")):
        with pytest.raises(NotScored, match="no group or no intensity"):
            IntensityOrder().score(make_case(clip, asked=asked))
    for asked, why in (
        (Asked("tell me more", intensity=1, group="a"), "strength is known"),
        (Asked(emotion="neutral", intensity=1, group="a"), "strength"),
    ):
        with pytest.raises(NotScored, match=why):
            IntensityOrder().score(make_case(clip, asked=asked))


def test_brows_that_only_their_height_shows(make_clip, make_case, draw_faces):
    """A face whose scores sleep: the points say that the brows rose."""
    raised = held(browInnerUp=0.9, browOuterUp=0.9)
    asleep = [type(face)(face.points, np.zeros(52), face.rotation_deg, face.translation) for face in draw_faces(raised)]
    asked, calm = Asked(action_units=("inner_brow_raiser", "outer_brow_raiser")), make_clip(FaceMotion.still(FRAMES))
    assert Obedience().score(make_case(make_clip(faces=asleep), asked=asked, baseline=calm))["obedience"] == 100
    lowered = make_case(make_clip(held(browDown=0.9)), asked=asked, baseline=calm)
    assert Obedience().score(lowered)["obedience"] == 0
