"""Action units on faces whose actions are known, against numbers worked out by hand."""

import numpy as np
import pytest

from instructavatar.errors import BadOption
from instructavatar.face.action_units import ACTION_UNITS, vector
from instructavatar.face.motion import FaceMotion
from instructavatar.metrics.action_units import (
    READABLE_UNITS,
    ActionUnits,
    PublishedActionUnits,
    face_crop,
    mask_of,
    typical_units,
    unit_f1,
)
from instructavatar.metrics.base import NotScored
from instructavatar.metrics.pairs import Asked

BROWS, SMILE, JAW, PUCKER, LOWER = "inner_brow_raiser", "lip_corner_puller", "jaw_drop", "lip_pucker", "brow_lowerer"


def showing(*units, frames=50):
    """A motion that holds units at full strength."""
    row = np.maximum.reduce([np.zeros(58, np.float32), *(vector(ACTION_UNITS[name].shape) for name in units)])
    return FaceMotion(np.tile(row, (frames, 1)))


def seen_per_frame(*sets):
    """A motion whose frames show these sets of units."""
    return FaceMotion(np.concatenate([showing(*units, frames=1).values for units in sets]))


@pytest.fixture
def judged(make_clip, make_case):
    """A function: units shown, units of the real clip or asked -> a case."""

    def make(shown, true=None, units=(), emotion=""):
        clip = make_clip(shown if isinstance(shown, FaceMotion) else showing(*shown))
        truth = None if true is None else make_clip(showing(*true))
        return make_case(clip, truth=truth, asked=Asked(emotion=emotion, action_units=tuple(units)))

    return make


def test_units_that_can_be_read():
    assert {BROWS, SMILE, JAW, PUCKER, LOWER, "left_brow_lowerer"} <= set(READABLE_UNITS)
    assert not {"nose_wrinkler", "cheek_raiser", "upper_lid_raiser", "lip_corner_depressor", "nostril_compressor"} & set(READABLE_UNITS)
    assert typical_units(Asked(emotion="happy")) == ["lip_corner_puller", "jaw_drop", "lid_tightener"]
    assert typical_units(Asked(emotion="neutral")) == [] == typical_units(Asked())


@pytest.mark.parametrize("units", [[SMILE], [BROWS, JAW], [LOWER, PUCKER, "chin_raiser"]])
def test_the_real_clip_itself_is_perfect(judged, units):
    case = judged(units, true=units)
    assert ActionUnits().score(case)["au_f1"] == 1.0
    assert PublishedActionUnits().score(case)["au_f1_published"] == 1.0


def test_published_numbers_of_two_clips_by_hand(judged):
    """Samples average: asked {1, 12, 26}, seen {12, 18} gives 1/2, 1/3, 2/5; asked {4}, seen {4} gives 1, 1, 1."""
    metric = PublishedActionUnits()
    scores = [metric.score(judged([SMILE, PUCKER], units=[BROWS, SMILE, JAW])), metric.score(judged([LOWER], units=[LOWER]))]
    found = metric.compute(scores)
    assert found["au_precision_published"] == pytest.approx((1 / 2 + 1) / 2)
    assert found["au_recall_published"] == pytest.approx((1 / 3 + 1) / 2)
    assert found["au_f1_published"] == pytest.approx((2 / 5 + 1) / 2)


def test_published_numbers_agree_with_scikit_learn(judged):
    sklearn_metrics = pytest.importorskip("sklearn.metrics")
    pairs = [([SMILE, PUCKER], [BROWS, SMILE, JAW]), ([LOWER], [LOWER]), ([JAW], [SMILE]), ([BROWS, LOWER], [LOWER])]
    metric = PublishedActionUnits()
    found = metric.compute([metric.score(judged(shown, units=asked)) for shown, asked in pairs])
    names = sorted(ACTION_UNITS)
    asked, seen = (np.array([[name in pair[side] for name in names] for pair in pairs]) for side in (1, 0))
    values = sklearn_metrics.precision_recall_fscore_support(asked, seen, average="samples", zero_division=0)
    assert [found[f"au_{name}_published"] for name in ("precision", "recall", "f1")] == pytest.approx(values[:3])


def test_published_intersects_three_frames(judged):
    """A smile on every frame stays, brows on every second one are lost to any three frames but three even or three odd ones."""
    motion = seen_per_frame([SMILE, BROWS], [SMILE], [SMILE, JAW])
    assert PublishedActionUnits().score(judged(motion, units=[SMILE]))["au_f1_published"] == 1.0
    assert PublishedActionUnits(frames=1).score(judged(motion, units=[BROWS, JAW]))["au_recall_published"] in (0.0, 0.5)


def test_published_draw_depends_on_seed_and_clip_alone(make_clip, make_case):
    motion = seen_per_frame(*([SMILE] if t % 3 else [BROWS, SMILE] for t in range(40)))
    found = {}
    for key in ("a", "b", "c", "d", "e", "f"):
        for seed in (0, 1):
            case = make_case(make_clip(motion, key=key), asked=Asked(action_units=(BROWS, SMILE)))
            one, other = (PublishedActionUnits(frames=1, seed=seed).score(case) for _ in range(2))
            assert one == other
            found[key, seed] = one["au_recall_published"]
    assert len(set(found.values())) == 2
    assert any(found[key, 0] != found[key, 1] for key in "abcdef")


def test_no_unit_in_the_reference_is_told(judged):
    with pytest.raises(NotScored, match="no action unit in the reference"):
        PublishedActionUnits().score(judged([SMILE], true=[]))
    with pytest.raises(NotScored, match="no reference video"):
        PublishedActionUnits().score(judged([SMILE]))
    with pytest.raises(NotScored, match="unknown action unit 'smirk'"):
        PublishedActionUnits().score(judged([SMILE], units=["smirk"]))
    with pytest.raises(NotScored, match="no action units or emotion asked, and no reference video"):
        ActionUnits().score(judged([SMILE]))
    with pytest.raises(BadOption, match="at least 1 frame"):
        PublishedActionUnits(frames=0)


def test_typical_units_of_an_emotion(judged):
    """Three of the four units of happy can be read; a smile is one of them, so 1/4 as published and 1/3 of the readable."""
    case = judged([SMILE], units=[SMILE], emotion="happy")
    assert PublishedActionUnits().score(case)["au_emo_published"] == pytest.approx(1 / 4)
    assert ActionUnits().score(case)["au_emo"] == pytest.approx(1 / 3)
    assert ActionUnits().score(judged([SMILE], emotion="happy")) == {"au_emo": pytest.approx(1 / 3)}


def test_pooled_numbers_by_hand(judged):
    """Two clips: 12 right; 26 asked and 18 seen instead. So 2 hits of 3 seen and 3 asked; F1 of 12 is 1, of 26 and 18 0, of 4 1."""
    metric = ActionUnits()
    scores = [metric.score(judged([SMILE, PUCKER], units=[SMILE, JAW])), metric.score(judged([LOWER], units=[LOWER]))]
    found = metric.compute(scores)
    assert found == pytest.approx({"au_precision": 2 / 3, "au_recall": 2 / 3, "au_f1": 2 / 3, "au_f1_macro": (1 + 0 + 0 + 1) / 4})
    assert unit_f1(scores) == {SMILE: (1.0, 1), PUCKER: (0.0, 1), JAW: (0.0, 1), LOWER: (1.0, 1)}
    assert unit_f1([{"au_emo": 1.0}]) == {} == metric.compute([])
    zeros = ActionUnits(zero_division=0.0).compute(scores)
    assert zeros["au_f1_macro"] == pytest.approx(2 / len(READABLE_UNITS))


def test_a_flipped_unit_costs_what_it_must(judged):
    """F1 of n right units is 1; one flipped off leaves 2 (n - 1) / (2 n - 1), one flipped on 2 n / (2 n + 1)."""
    units = [BROWS, SMILE, LOWER, "upper_lip_raiser"]
    metric, n = ActionUnits(), len(units)
    for kept in range(n):
        less = [name for place, name in enumerate(units) if place != kept]
        assert metric.score(judged(less, units=units))["au_f1"] == pytest.approx(2 * (n - 1) / (2 * n - 1))
        assert PublishedActionUnits().score(judged(less, units=units))["au_f1_published"] == pytest.approx(2 * (n - 1) / (2 * n - 1))
    assert metric.score(judged([*units, JAW], units=units))["au_f1"] == pytest.approx(2 * n / (2 * n + 1))


def test_what_the_face_shows_at_rest_is_taken_off(make_clip, make_case):
    """A face whose calm brows read 0.4 has not raised them at 0.6; another one has."""
    slight, more = (FaceMotion.of(50, {"browInnerUp": value * 0.85}) for value in (0.4, 0.65))
    asked = Asked(action_units=(BROWS,))
    with_rest = make_case(make_clip(more), baseline=make_clip(slight), asked=asked)
    without = make_case(make_clip(more), baseline=make_clip(FaceMotion.still(50)), asked=asked)
    assert ActionUnits().score(with_rest)["au_recall"] == 0 and ActionUnits().score(without)["au_recall"] == 1


def test_a_portrait_that_acts_is_no_rest(make_clip, make_case, make_portrait):
    """Most lists give the real clip's first frame for a portrait, which shows the emotion already."""
    case = make_case(make_clip(showing(SMILE)), portrait=make_portrait(showing(SMILE)), asked=Asked(action_units=(SMILE,)))
    assert ActionUnits().score(case)["au_f1"] == 1.0


def test_units_that_cannot_be_read_do_not_count(judged):
    assert ActionUnits().score(judged([SMILE], units=[SMILE, "nose_wrinkler"]))["au_recall"] == 1.0
    assert PublishedActionUnits().score(judged([SMILE], units=[SMILE, "tongue_show"]))["au_recall_published"] == 0.5


class Fake:
    """A detector that sees one unit in a bright crop, and another in a dark one."""

    version, pictures = "fake-1", 2

    def strengths(self, motion, pictures=()):
        return {SMILE if np.mean([p.mean() for p in pictures]) > 60 else JAW: 1.0}


def test_another_detector_is_shown_crops(judged):
    case = judged([], units=[SMILE])
    assert ActionUnits(detector=Fake()).score(case)["au_f1"] == 1.0
    assert PublishedActionUnits(detector=Fake()).score(case)["au_f1_published"] == 1.0
    crop = face_crop(case.clip.pictures()[0], case.clip.faces[0])
    assert crop.shape == (256, 256, 3) and crop.dtype == np.uint8


def test_identity_names_all_that_changes_the_scores():
    different = [
        ActionUnits(),
        ActionUnits(frames=4),
        ActionUnits(threshold=0.4),
        ActionUnits(zero_division=0.0),
        ActionUnits(detector=Fake()),
    ]
    different += [
        PublishedActionUnits(),
        PublishedActionUnits(frames=4),
        PublishedActionUnits(seed=1),
        PublishedActionUnits(detector=Fake()),
    ]
    names = [metric.identity() for metric in different]
    assert len(set(names)) == len(names) and not any("0x" in name for name in names)


def test_mask_is_in_the_units_order():
    assert np.array(READABLE_UNITS)[mask_of([JAW, BROWS, "tongue_show"])].tolist() == [BROWS, JAW]
