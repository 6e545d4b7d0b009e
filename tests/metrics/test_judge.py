"""The judge on synthetic takes: scores and landmarks made from known motion by the rig."""

import numpy as np
import pytest

from instructavatar.errors import FaceProblem
from instructavatar.face.landmarks import POINT_COUNT, Landmarks
from instructavatar.face.motion import ACTION_COUNT, FaceMotion, mirror, rotation_matrix
from instructavatar.face.rig import Rig
from instructavatar.metrics.base import Take, wilson_interval
from instructavatar.metrics.judge import KINDS, Tally, already, judge, swings
from instructavatar.metrics.readings import readings, upright

FRAMES = 75
SECONDS = np.arange(FRAMES) / 25
RIG = Rig.load()


def both(**actions):
    return {stem + side: value for stem, value in actions.items() for side in ("Left", "Right")}


def swing(degrees):
    return degrees * np.sin(2 * np.pi * 1.3 * SECONDS) * (SECONDS > 0.4)


# Written here by hand, apart from the corpus: what a person would do.
ACTED = {
    "smile": both(mouthSmile=0.4, cheekSquint=0.2),
    "big smile": both(mouthSmile=0.95, cheekSquint=0.5, eyeSquint=0.2),
    "sad": both(mouthFrown=0.6, browDown=0.05) | {"browInnerUp": 0.6, "mouthShrugLower": 0.4, "pitch": -4},
    "surprised": both(browOuterUp=0.7, eyeWide=0.5) | {"browInnerUp": 0.7, "jawOpen": 0.5},
    "angry": both(browDown=0.8, eyeSquint=0.4, mouthPress=0.3, noseSneer=0.3),
    "raise your eyebrows": both(browOuterUp=0.8) | {"browInnerUp": 0.8},
    "open your mouth": {"jawOpen": 0.6},
    "close your eyes": both(eyeBlink=0.95),
    "turn your head left": {"yaw": 18},
    "turn your head right": {"yaw": -18},
    "look up": {"pitch": 11},
    "look down": {"pitch": -11},
    "nod": {"pitch": swing(7)},
    "shake your head": {"yaw": swing(9)},
}
MAY_PASS = {("big smile", "smile")}  # a big smile is a smile


def onset(values):
    """The motion begins after 0.3 s and takes 0.4 s, as a face does."""
    return FaceMotion(values.values * np.clip((SECONDS - 0.3) / 0.4, 0, 1)[:, None].astype(np.float32))


def seen(motion, with_points=True, seed=0):
    """A take of that motion: scores with a little noise, and the rig's points turned and drawn at 100 pixels between the eyes."""
    rng = np.random.default_rng(seed)
    noisy = motion.values + rng.normal(0, 0.01, motion.values.shape).astype(np.float32)
    noisy[:, ACTION_COUNT : ACTION_COUNT + 3] += rng.normal(0, 0.2, (len(motion), 3))
    points = np.zeros((len(motion), POINT_COUNT, 3), np.float32)
    for t, row in enumerate(motion.values):
        face = RIG.neutral + RIG.offsets(row[:ACTION_COUNT])
        turned = face @ rotation_matrix(*row[ACTION_COUNT : ACTION_COUNT + 3]).T
        points[t, :468] = turned * (100, -100, -100) + (300, 300, 0)
        points[t, 468:] = points[t, :468].mean(0)
    return Take(FaceMotion(noisy), points if with_points else None)


def idle(seed=1, with_points=True):
    rng = np.random.default_rng(seed)
    sway = {name: 1.5 * np.sin(2 * np.pi * rng.uniform(0.1, 0.4) * SECONDS + rng.uniform(0, 6)) for name in ("pitch", "yaw", "roll")}
    blink = np.exp(-(((SECONDS - 1.2) / 0.08) ** 2))
    return seen(FaceMotion.of(FRAMES, sway | both(eyeBlink=blink)), with_points, seed)


def acted(kind, with_points=True, shown=None):
    return seen(onset(FaceMotion.of(FRAMES, shown or ACTED[kind])), with_points, seed=7)


@pytest.mark.parametrize("with_points", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_each_act_passes_as_what_it_is(kind, with_points):
    verdict = judge(kind, acted(kind, with_points), idle(with_points=with_points))
    assert verdict.ok, verdict
    assert verdict.score >= 1 and not verdict.wrong_side


@pytest.mark.parametrize("with_points", [True, False])
@pytest.mark.parametrize("asked", KINDS)
def test_other_acts_do_not_pass(asked, with_points):
    calm = idle(with_points=with_points)
    passed = [shown for shown in KINDS if shown != asked and judge(asked, acted(shown, with_points), calm).ok]
    assert [shown for shown in passed if (shown, asked) not in MAY_PASS] == []


@pytest.mark.parametrize("with_points", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_an_idle_face_passes_as_nothing(kind, with_points):
    for seed in (2, 3):
        verdict = judge(kind, idle(seed, with_points), idle(1, with_points))
        assert not verdict.ok and not verdict.wrong_side and verdict.reason


@pytest.mark.parametrize("kind", [k for k in KINDS if k not in ("nod", "shake your head")])
def test_half_a_second_is_not_enough(kind):
    short = (SECONDS > 1.2) & (SECONDS < 1.7)
    motion = FaceMotion(FaceMotion.of(FRAMES, ACTED[kind]).values * short[:, None].astype(np.float32))
    assert not judge(kind, seen(motion), idle()).ok


def test_the_other_side_is_told_from_too_little():
    left, right = acted("turn your head left"), acted("turn your head right")
    assert judge("turn your head left", right, idle()).wrong_side
    assert judge("turn your head right", left, idle()).wrong_side
    assert not judge("turn your head left", acted("", shown={"yaw": 3}), idle()).wrong_side


def test_a_mirrored_clip_is_judged_as_the_other_side():
    take = acted("turn your head left", with_points=False)
    mirrored = Take(FaceMotion(mirror(take.motion.values)))
    assert judge("turn your head right", mirrored, idle(with_points=False)).ok


def test_a_smile_is_not_a_big_smile_and_one_nod_is_no_nodding():
    assert not judge("big smile", acted("smile"), idle()).ok
    once = {"pitch": -9 * np.exp(-(((SECONDS - 1.5) / 0.2) ** 2))}
    assert not judge("nod", seen(FaceMotion.of(FRAMES, once)), idle()).ok
    circle = {"pitch": swing(8), "yaw": 9 * np.cos(2 * np.pi * 1.3 * SECONDS)}
    assert not judge("nod", seen(FaceMotion.of(FRAMES, circle)), idle()).ok


def test_what_is_counted_is_the_change():
    """A portrait that always smiles and looks up has done nothing when it goes on to."""
    rest = both(mouthSmile=0.8) | {"pitch": 12}
    still = seen(FaceMotion.of(FRAMES, rest), seed=3)
    calm = seen(FaceMotion.of(FRAMES, rest), seed=4)
    assert not judge("smile", still, calm).ok and not judge("look up", still, calm).ok
    assert already("smile", calm) and already("big smile", calm)
    assert not already("open your mouth", calm) and not already("look up", calm)


def test_reason_names_what_stood_in_the_way():
    assert "brows" in judge("open your mouth", acted("surprised"), idle()).reason
    assert "smile" in judge("smile", idle(2), idle()).reason


def test_unknown_kind_lists_the_known_ones():
    with pytest.raises(ValueError, match="big smile"):
        judge("dance", idle(2), idle())


def test_sampling_every_second_frame_gives_the_same_verdicts():
    for kind in KINDS:
        take, calm = acted(kind), idle()
        half = [Take(FaceMotion(t.motion.values[::2]), t.points[::2], 12.5) for t in (take, calm)]
        assert judge(kind, *half).ok


def test_upright_undoes_the_turn():
    take = seen(FaceMotion.of(2, {"pitch": 10, "yaw": -20, "roll": 7}))
    turn = np.tile(np.float32([10, -20, 7]), (2, 1))
    expected = RIG.neutral - np.concatenate([RIG.neutral, np.tile(RIG.neutral.mean(0), (10, 1))]).mean(0)
    assert np.abs(upright(take.points, turn)[0, :468] - expected).max() < 1e-4


def test_readings_are_about_one_for_plain_acts():
    for kind, name in (("smile", "smile"), ("open your mouth", "open"), ("close your eyes", "shut")):
        assert 0.6 < np.median(readings(acted(kind), idle())[name][30:]) < 4


def test_swings_pass_over_wobbles():
    assert swings(np.array([0.0, 0.5, 0, 0.5]), 2).tolist() == []
    assert swings(np.array([0, -8, 8, 7, 8, -8, 0.0]), 4).tolist() == [8, 16, 16, 8]
    assert swings(np.array([3.0]), 1).tolist() == []


def test_obedience_counts_by_kind():
    metric = Tally()
    assert metric.compute() == {}
    metric.update("smile", acted("smile"), idle())
    metric.update("smile", idle(2), idle())
    metric.update("turn your head left", acted("turn your head right"), idle())
    found = metric.compute()
    assert found["n"] == 3 and found["rate"] == pytest.approx(1 / 3) and found["smile"] == 0.5 and found["wrong_side"] == 1
    assert (found["rate_low"], found["rate_high"]) == wilson_interval(1, 3) and wilson_interval(0, 0) == (0.0, 1.0)


class FakeLandmarker:
    """Sees a face in all frames but black ones; its yaw is the frame's first pixel."""

    def track(self, frames):
        for frame in frames:
            points = np.full((POINT_COUNT, 3), float(frame[0, 0, 0]), np.float32)
            yield Landmarks(points, np.zeros(ACTION_COUNT), np.array([0, frame[0, 0, 0], 0])) if frame.any() else None


def frames(values):
    return (np.full((4, 4, 3), value, np.uint8) for value in values)


def test_take_measures_every_second_frame_and_bridges_a_gap():
    take = Take.measure(frames([1, 99, 2, 99, 3, 99, 4, 99, 5, 99, 6, 99, 0, 99, 8]), FakeLandmarker(), every=2)
    assert take.rate_hz == 12.5
    assert take.motion.column("yaw").tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert take.points[:, 0, 0].tolist() == [1, 2, 3, 4, 5, 6, 6, 8]


@pytest.mark.parametrize("values", [[], [0, 0, 5], [0]])
def test_take_without_enough_faces_is_refused(values):
    with pytest.raises(FaceProblem, match="expected a face"):
        Take.measure(frames(values), FakeLandmarker())
