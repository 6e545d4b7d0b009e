"""Beats at known times: of clicks, of nods, and of both together."""

import numpy as np
import pytest

from instructavatar.face.motion import FaceMotion
from instructavatar.metrics.base import NotScored
from instructavatar.metrics.beats import Beats, alignment, motion_beats, onsets, spectral_flux

FRAMES = 200  # eight seconds
RATE = 16_000


def clicks(*seconds, length_s=8.0):
    """Bursts of noise of 80 ms over a little room tone."""
    rng = np.random.default_rng(0)
    sound = rng.normal(0, 1e-4, round(length_s * RATE))
    for at in seconds:
        sound[round(at * RATE) :][: RATE // 12] += rng.normal(0, 0.2, RATE // 12)
    return sound.astype(np.float32)


def resting(period_s, phase_s=0.0):
    """A head that turns to and fro and rests every `period_s`, first at `phase_s`."""
    seconds = np.arange(FRAMES) / 25
    return FaceMotion.of(FRAMES, {"yaw": 10 * np.cos(np.pi * (seconds - phase_s) / period_s)})


def test_alignment_by_hand():
    heard, seen = np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.1, 9.0])
    assert alignment(heard, seen) == pytest.approx((1 + np.exp(-0.5) + np.exp(-(0.9**2) / 0.02)) / 3)
    assert alignment(heard, heard) == 1 and alignment(heard, np.zeros(0)) == 0 == alignment(np.zeros(0), heard)


def test_onsets_are_where_the_clicks_are():
    at = np.array([0.6, 1.3, 2.0, 3.1, 5.0, 7.2])
    assert onsets(clicks(*at)) == pytest.approx(at, abs=0.02)
    assert onsets(10 * clicks(*at)) == pytest.approx(onsets(clicks(*at)))  # however loud
    assert len(onsets(np.zeros(RATE, np.float32))) == 0


def test_flux_rises_only_with_what_is_new():
    tone = np.where(np.arange(2 * RATE) > RATE, np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE), 0).astype(np.float32)
    flux = spectral_flux(tone)
    assert len(flux) == 198 and abs(int(flux.argmax()) - 98) <= 3 and flux[110:].max() < flux.max() / 10


def test_the_face_rests_where_it_turns_round(make_clip):
    seen = motion_beats(make_clip(resting(0.8, 0.4)).take)
    expected = np.arange(0.4, 8, 0.8)[1:-1]
    assert np.abs(expected[:, None] - seen[None]).min(axis=1).max() <= 0.04 and len(seen) <= len(expected) + 2
    assert len(motion_beats(make_clip(FaceMotion.still(FRAMES)).take)) == 0


def test_rests_on_the_beat_score_best_and_still_faces_nothing(make_clip, make_case):
    sound = clicks(*np.arange(1.2, 7.5, 0.8))
    scores = [Beats().score(make_case(make_clip(resting(0.8, late)), sound=sound))["beat_alignment"] for late in (0.4, 0.5, 0.6, 0.8)]
    assert scores[0] > 0.9 and scores == sorted(scores, reverse=True) and scores[-1] < 0.1
    assert Beats().score(make_case(make_clip(FaceMotion.still(FRAMES)), sound=sound))["beat_alignment"] == 0
    assert Beats.hears


def test_what_cannot_be_judged_says_why(make_clip, make_case):
    with pytest.raises(NotScored, match="no sound"):
        Beats().score(make_case(make_clip(resting(0.8))))
    with pytest.raises(NotScored, match="shorter than 2 s"):
        Beats().score(make_case(make_clip(FaceMotion.still(40)), sound=clicks(1.0)))


def test_as_librosa_hears_it():
    librosa = pytest.importorskip("librosa", reason="librosa, which onsets are compared with")
    sound = clicks(*np.arange(0.5, 7.5, 0.37))
    theirs = librosa.onset.onset_detect(y=librosa.resample(sound, orig_sr=RATE, target_sr=22050), sr=22050, units="time")
    assert np.abs(theirs[:, None] - onsets(sound)[None]).min(axis=1).max() < 0.05
