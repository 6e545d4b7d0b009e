"""Metrics of the face's geometry on clips of any length: a finite number or a reason, and the same whatever came before."""

import numpy as np
import pytest

from instructavatar.face.motion import FaceMotion
from instructavatar.metrics.base import NotScored
from instructavatar.metrics.beats import Beats
from instructavatar.metrics.blinks import Blinks
from instructavatar.metrics.landmark_distance import LandmarkDistance
from instructavatar.metrics.lips import Lips
from instructavatar.metrics.pose import Pose
from instructavatar.metrics.smoothness import Smoothness

METRICS = (Beats, Blinks, LandmarkDistance, Lips, Pose, Smoothness)


@pytest.mark.parametrize("frames", [1, 2, 13, 24, 25, 30, 31, 49, 50, 74, 75, 100])
@pytest.mark.parametrize("true_frames", [1, 26, 100])
def test_any_length_gives_finite_numbers_or_a_reason(frames, true_frames, speech, make_clip, make_case):
    motion, sound, phones = speech(repeat=2)
    clip = make_clip(FaceMotion(motion.values[:frames]), shake_px=0.1)
    truth = make_clip(FaceMotion(motion.values[:true_frames]))
    for metric in METRICS:
        for known in ((), phones):
            try:
                found = metric().score(make_case(clip, truth, sound=sound, phones=known))
            except NotScored as reason:
                assert str(reason)
                continue
            assert found and set(found) <= set(metric.values) and np.isfinite(list(found.values())).all()


@pytest.mark.parametrize("metric", METRICS)
def test_equal_cases_give_equal_scores(metric, speech, make_clip, make_case):
    motion, sound, phones = speech(repeat=2)

    def case(moved):
        return make_case(make_clip(moved, shake_px=0.2, seed=3), make_clip(motion), sound=sound, phones=phones)

    judge = metric()
    first = judge.score(case(motion))
    judge.score(case(FaceMotion.still(100)))
    assert judge.score(case(motion)) == first == metric().score(case(motion))


def test_no_two_metrics_give_one_number():
    names = [name for metric in METRICS for name in metric.values]
    assert len(names) == len(set(names))
