import numpy as np
import pytest

from instructavatar.face import visemes
from instructavatar.face.motion import INDEX, frames_of, mirror
from instructavatar.prepare.acting.kinds import KINDS, MAIN, REGION_COLUMNS, mirror_kind
from instructavatar.prepare.acting.score import Act, Score, ScoredSegment, Style
from instructavatar.prepare.performance import perform

STILL = Style(head=0.0, idle=0.0, blinks_per_minute=0.01)
SPEECH = [("pau", 0.0, 0.4), ("m", 0.4, 0.5), ("aa", 0.5, 0.75), ("b", 0.75, 0.84), ("iy", 0.84, 1.0), ("f", 1.0, 1.1), ("ow", 1.1, 1.3)]
SPEECH += [("pau", 1.3, 2.4), ("w", 2.4, 2.5), ("ay", 2.5, 2.75), ("p", 2.75, 2.85), ("ae", 2.85, 3.1), ("pau", 3.1, 4.0)]
SMILING = tuple(0.7 if "mouthSmile" in name else 0.0 for name in INDEX)
FIRST, SETTLED = 0, slice(25, 98)


def score(*acts, seconds=4.0, talking=False, rest=(), style=STILL):
    return Score(seconds, talking, (ScoredSegment(0.0, seconds, acts, ("x",)),) if acts else (), rest=rest, style=style)


def played(*acts, phones=(), seed=0, **changes):
    return perform(score(*acts, talking=bool(phones), **changes), phones, np.random.default_rng(seed))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_finite_in_range_and_starts_at_rest(kind):
    motion = played(Act(kind, amount=1.3), rest=SMILING)
    assert motion.values.shape == (100, 58)
    assert motion.actions.min() >= 0 and motion.actions.max() <= 1
    assert np.allclose(motion.values[FIRST], SMILING)
    assert np.abs(np.diff(motion.rotation_deg, axis=0)).max() < 7


def test_a_lively_speaker_starts_at_rest_too():
    at_once = [("aa", 0.0, 1.0), ("pau", 1.0, 4.0)]
    motion = played(Act("blink"), phones=at_once, style=Style(), rest=SMILING)
    assert np.allclose(motion.values[FIRST], SMILING)
    assert motion.column("jawOpen")[12] > 0.3


@pytest.mark.parametrize("seconds", [0.5, 2.51, 7.97])
def test_length_is_the_house_rule(seconds):
    assert len(played(seconds=seconds)) == frames_of(seconds)


@pytest.mark.parametrize(
    ("kind", "column", "least"),
    [
        ("smile", "mouthSmileLeft", 0.5),
        ("big_smile", "mouthSmileRight", 0.85),
        ("sad", "browInnerUp", 0.6),
        ("surprised", "eyeWideLeft", 0.5),
        ("angry", "browDownLeft", 0.6),
        ("raise_brows", "browOuterUpRight", 0.7),
        ("open_mouth", "jawOpen", 0.4),
        ("close_eyes", "eyeBlinkLeft", 0.85),
        ("turn_left", "yaw", 17),
        ("look_up", "pitch", 10),
        ("raise_brow_left", "browOuterUpLeft", 0.75),
        ("eyes_left", "eyeLookOutLeft", 0.6),
    ],
)
def test_an_act_does_what_it_says_and_holds_it(kind, column, least):
    assert played(Act(kind)).column(column)[SETTLED].min() > least
    assert np.abs(played().column(column)[SETTLED]).max() < 0.3 * least


def test_left_is_the_subjects_left():
    assert played(Act("turn_left")).column("yaw")[60] > 15
    assert played(Act("turn_right")).column("yaw")[60] < -15
    assert played(Act("look_down")).column("pitch")[60] < -9
    # Tilting to the own right shoulder is positive roll.
    assert played(Act("tilt_right")).column("roll")[60] > 9
    assert played(Act("wink_left")).column("eyeBlinkLeft").max() > 0.8
    assert played(Act("wink_left")).column("eyeBlinkRight").max() < 0.1


@pytest.mark.parametrize("kind", [k for k in KINDS if "left" in k])
def test_sided_kinds_are_mirrors(kind):
    assert np.allclose(mirror(KINDS[kind].shape), KINDS[mirror_kind(kind)].shape)


@pytest.mark.parametrize(("kind", "column"), [("nod", "pitch"), ("shake", "yaw")])
def test_rhythms_swing_as_often_as_asked(kind, column):
    def swings(times):
        curve = played(Act(kind, times=times)).column(column)
        return int(((curve[:-1] > 1) & (curve[1:] <= 1)).sum())

    assert swings(2) == 2 and swings(4) == 4
    assert np.abs(played(Act(kind, times=1)).column(column)[40:]).max() < 1.0
    assert swings(0) >= 4


def test_blinks_are_counted():
    lids = played(Act("blink", times=3)).column("eyeBlinkLeft")
    assert int(((lids[:-1] < 0.6) & (lids[1:] >= 0.6)).sum()) == 3


def test_onset_is_prompt_and_slowly_is_slower():
    def reached(pace):
        return int(np.argmax(played(Act("turn_left", pace=pace)).column("yaw") > 15))

    assert reached(1.0) <= 0.8 * 25
    assert reached(0.4) > reached(1.0) + 8
    assert reached(1.7) < reached(1.0)


@pytest.mark.parametrize("kind", [k for k in MAIN if k not in ("nod", "shake", "big_smile")])
def test_amounts_are_ordered(kind):
    main = int(np.argmax(np.abs(KINDS[kind].shape / np.where(np.arange(58) >= 52, 20, 1))))
    slight, plain = (np.abs(played(Act(kind, amount=a)).values[SETTLED, main]).mean() for a in (0.5, 1.0))
    assert plain - slight >= (2.0 if main >= 52 else 0.05)


def test_a_sequence_shares_the_time():
    motion = played(Act("smile", end=0.5), Act("turn_left", begin=0.5))
    assert motion.column("mouthSmileLeft")[40] > 0.5 and motion.column("yaw")[40] < 2
    assert motion.column("mouthSmileLeft")[95] < 0.05 and motion.column("yaw")[95] > 15


def test_timed_segments_start_and_end_on_time():
    timed = Score(4.0, False, (ScoredSegment(1.0, 2.5, (Act("raise_brows"),), ("x",)),), style=STILL)
    brows = perform(timed, [], np.random.default_rng(0)).column("browInnerUp")
    assert brows[:24].max() < 0.05
    assert brows[35] > 0.6
    assert brows[int(3.1 * 25) :].max() < 0.1


def test_two_acts_at_once():
    motion = played(Act("sad"), Act("turn_right"))
    assert motion.column("yaw")[70] < -15 and motion.column("browInnerUp")[70] > 0.6 and motion.column("pitch")[70] < -4


def test_an_idle_clip_shows_life_but_no_act():
    for text in ((), (Act("idle"),)):
        motion = played(*text, style=Style(), seconds=30.0, seed=3)
        assert 3 <= int(np.diff((motion.column("eyeBlinkLeft") > 0.5).astype(int)).clip(0).sum()) <= 14
        assert 0.2 < motion.rotation_deg.std() < 2.0
        assert motion.column("mouthSmileLeft").max() < 0.1 and motion.column("jawOpen").max() < 0.05
        assert np.abs(motion.rotation_deg).max() < 5


def test_the_portraits_smile_stays_until_something_else_is_asked():
    assert played(rest=SMILING).column("mouthSmileLeft")[60] == pytest.approx(0.7, abs=0.02)
    assert played(Act("neutral"), rest=SMILING).column("mouthSmileLeft")[60] < 0.05
    assert played(Act("sad"), rest=SMILING).column("mouthSmileLeft")[60] < 0.05
    assert played(Act("not:smile"), rest=SMILING).column("mouthSmileLeft")[60] < 0.05
    assert played(Act("smile"), rest=SMILING).column("mouthSmileLeft")[60] > 0.8
    assert played(Act("turn_left"), rest=SMILING).column("mouthSmileLeft")[60] > 0.6


def test_a_refused_act_keeps_its_region_still():
    lively = Style(head=1.2)
    free = played(style=lively).rotation_deg[SETTLED].std()
    assert played(Act("still_head"), style=lively).rotation_deg[SETTLED].std() < 0.2 * free
    assert played(Act("not:nod"), style=lively).rotation_deg[SETTLED].std() < 0.2 * free
    blinking = Style(blinks_per_minute=40)
    assert played(Act("not:blink"), style=blinking).column("eyeBlinkLeft")[SETTLED].max() < 0.05


def test_a_speaker_follows_the_phones():
    motion = played(phones=SPEECH)
    asked = visemes.lip_aperture(SPEECH, 100)
    shown = visemes.aperture_of(motion.actions)
    assert np.corrcoef(asked, shown)[0, 1] > 0.97
    mouth = REGION_COLUMNS["mouth"]
    assert motion.values[40:52][:, mouth].std(0).max() < 0.01


@pytest.mark.parametrize("kind", ["happy", "sad", "angry", "surprised", "fear", "disgusted", "big_smile", "smile", "excited"])
def test_closures_close_whatever_is_felt(kind):
    motion = played(Act(kind), phones=SPEECH)
    shown = visemes.aperture_of(motion.actions)
    for phone, start, end in SPEECH:
        if phone in ("m", "b", "p"):
            assert shown[int((start + end) / 2 * 25)] < 0.05, (kind, phone, start)
    asked = visemes.lip_aperture(SPEECH, 100)
    assert np.corrcoef(asked, shown)[0, 1] > 0.85


def test_emotion_shows_while_talking():
    assert played(Act("happy"), phones=SPEECH).column("mouthSmileLeft")[15:90].mean() > 0.4
    assert played(Act("angry"), phones=SPEECH).column("browDownLeft")[15:90].mean() > 0.6


def test_same_seed_same_motion_other_seed_other_motion():
    one, two, other = (played(Act("smile"), phones=SPEECH, style=Style(), seed=s).values for s in (1, 1, 2))
    assert np.array_equal(one, two)
    assert not np.allclose(one, other)


def test_a_stressed_vowel_gets_a_nod_and_a_brow_flash():
    short = [(p, 0.3 + 0.1 * i, 0.4 + 0.1 * i) for i, p in enumerate(("t", "ih", "t", "eh", "t", "ih", "t"))]
    phones = [("pau", 0.0, 0.3), *short, ("aa", 1.0, 1.4), ("pau", 1.4, 4.0)]
    quiet = [("pau", 0.0, 0.3), *short, ("pau", 1.0, 4.0)]
    stressed, flat = (played(phones=p, style=Style(blinks_per_minute=0.01), seed=4) for p in (phones, quiet))
    assert stressed.column("browInnerUp")[30] > flat.column("browInnerUp")[30] + 0.05
    assert stressed.column("pitch")[30] < flat.column("pitch")[30] - 0.8
