"""Lips that are known: late by so many frames, half as wide, never closed, moving in silence."""

from dataclasses import replace

import numpy as np
import pytest

from instructavatar.face.motion import SAMPLES_PER_FRAME, FaceMotion
from instructavatar.face.visemes import lip_aperture
from instructavatar.metrics.base import NotScored
from instructavatar.metrics.lips import (
    Lips,
    best_delay,
    closures_asked,
    closures_kept,
    closures_seen,
    concordance,
    correlation,
    heard_in,
    opening,
    silence,
    spoken_in,
    stillness,
    track_delay,
    vowel_loudness,
)

FRAMES = 140
WAVE = np.sin(np.arange(80) / 4.0)


@pytest.fixture
def phones(speech):
    return speech(repeat=2)[2]


@pytest.fixture
def judged(speech, make_clip, make_case):
    """A function: what `Lips` says of lips late by so many frames beside punctual ones; `change` turns the opening into another."""

    def judge(late=0, truth=True, known=False, change=None, own_late=0):
        motion, sound, phones = speech(repeat=2)
        moved = speech(repeat=2, late=late)[0].values.copy()
        moved = FaceMotion(moved if change is None else change(moved))
        own = np.roll(sound, own_late * SAMPLES_PER_FRAME) if own_late else None
        real = make_clip(motion, sound=sound) if truth else None
        return Lips().score(make_case(make_clip(moved, sound=own), real, sound=sound, phones=phones if known else ()))

    return judge


def quiet_lips(values):
    return values * np.float32(0)


def half_as_wide(values):
    return values * np.float32(0.5)


def never_shut(values):
    return FaceMotion.of(len(values), {"jawOpen": np.maximum(lip_wave(len(values)), 0.3)}).values


def lip_wave(frames):
    return 0.4 + 0.2 * np.sin(np.arange(frames) / 2.0)


def test_opening_is_the_distance_of_the_inner_lips_however_the_head_turns(make_clip):
    still = FaceMotion.of(2, {"jawOpen": [0, 0.6]})
    turned = FaceMotion.of(2, {"jawOpen": [0, 0.6], "pitch": 15, "yaw": 25, "roll": -10})
    far = opening(make_clip(still, size_px=30.0))
    assert far[1] > 0.1 and abs(far[0]) < 0.025
    assert opening(make_clip(turned)) == pytest.approx(far, abs=1e-4)


def test_correlation_and_concordance():
    assert correlation(WAVE, 2 * WAVE + 1) == pytest.approx(1)
    assert correlation(WAVE, np.ones(80)) == 0 and correlation(WAVE[:1], WAVE) == 0
    assert concordance(WAVE, WAVE) == pytest.approx(1) and concordance(WAVE, np.ones(80)) == 0
    # by hand: 2 * 0.5 var / (1.25 var) without a shift of the mean
    centred = WAVE - WAVE.mean()
    assert concordance(centred, 0.5 * centred) == pytest.approx(0.8)
    assert concordance(centred, centred + 1) < 0.6


def test_delays_of_a_curve_are_found_exactly():
    for late in range(-7, 8):
        assert best_delay(np.roll(WAVE, late)[10:-10], WAVE[10:-10]) == late
    assert best_delay(np.ones(80), WAVE) is None


def test_the_truth_itself_is_perfect(judged):
    found = judged()
    assert found["lip_r"] == pytest.approx(1) and found["lip_ccc"] == pytest.approx(1) and found["lip_open_std_ratio"] == pytest.approx(1)
    assert found["closure_rate"] == 100 and found["av_offset_frames"] == 0 and found["lip_loudness_r"] > 0.5 and found["silence_std"] < 10


@pytest.mark.parametrize("late", [-13, -4, -1, 1, 5, 12])
@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("truth", [False, True])
def test_late_lips_are_late_by_as_many_frames(judged, late, known, truth):
    found = judged(late=late, truth=truth, known=known)
    base = 0 if truth or known else judged(truth=False)["av_offset_signed"]
    assert abs(base) <= 1
    assert found["av_offset_signed"] == base + late and found["av_offset_frames"] == abs(base + late)


@pytest.mark.parametrize("own_late", [-6, 3, 15])
def test_a_sound_track_that_comes_late_makes_the_lips_early(judged, own_late):
    assert judged(own_late=own_late)["av_offset_signed"] == -own_late


def test_a_track_of_another_speech_shifts_nothing(make_voice):
    mine = make_voice(lip_wave(100), seed=1)
    louder_and_coded = np.roll(3 * mine, 4 * SAMPLES_PER_FRAME + 50) + make_voice(np.full(100, 0.1), seed=2)
    assert track_delay(louder_and_coded, mine) == 4 and track_delay(-louder_and_coded, mine) == 4
    assert track_delay(make_voice(lip_wave(100), seed=3), mine) == 0 and track_delay(None, mine) == 0
    assert track_delay(mine[: 50 * SAMPLES_PER_FRAME], mine) == 0


def test_half_as_wide_keeps_r_but_not_concordance(judged):
    found = judged(change=half_as_wide)
    assert found["lip_r"] > 0.99 and found["lip_ccc"] < 0.8 and found["lip_open_std_ratio"] == pytest.approx(0.5, abs=0.05)


def test_a_still_face_has_nothing(judged):
    for known in (False, True):
        found = judged(change=quiet_lips, known=known)
        for name in ("lip_r", "lip_ccc", "lip_open_std_ratio", "closure_rate", "lip_loudness_r"):
            assert found[name] == pytest.approx(0, abs=1e-9), name
        assert "av_offset_frames" not in found and "silence_std" not in found


def test_a_face_that_trembles_a_little_has_nothing_either(speech, make_clip, make_case):
    motion, sound, phones = speech(repeat=2)
    trembling = make_clip(FaceMotion.still(FRAMES), shake_px=0.1)
    found = Lips().score(make_case(trembling, make_clip(motion), sound=sound, phones=phones))
    assert abs(found["lip_r"]) < 0.3 and abs(found["lip_ccc"]) < 0.05 and found["closure_rate"] == 0 and found["lip_loudness_r"] == 0


def test_another_speech_is_clearly_worse(speech, make_clip, make_case, make_voice):
    motion, sound, phones = speech(repeat=2)
    stranger = FaceMotion(np.roll(motion.values[::-1], 17, axis=0))
    case = make_case(make_clip(motion), make_clip(motion), sound=sound, phones=phones)
    strange = replace(case, truth=make_clip(stranger), sound=make_voice(np.roll(lip_aperture(phones, FRAMES)[::-1], 17)))
    own, other = Lips().score(case), Lips().score(strange)
    for name in ("lip_r", "lip_ccc", "lip_loudness_r"):
        assert other[name] < own[name] - 0.3, name
    assert Lips.hears


def test_closures_are_counted_where_the_phones_are(phones):
    spans = closures_asked(phones[:8], 70)
    assert spans == [(19, 24), (29, 34), (39, 44)]
    lips = np.ones(70)
    assert closures_kept(lips, spans) == 0
    lips[[21, 31]] = 0
    assert closures_kept(lips, spans) == 2
    assert closures_asked(phones[:8], 35) == spans[:2]  # those after the end do not count


def test_a_mouth_that_rests_keeps_no_closure():
    lips = np.zeros(100)
    lips[60:] = 0.2
    assert closures_kept(lips, [(20, 24)]) == 0 and closures_kept(lips, [(56, 60)]) == 1
    trembling = np.abs(np.random.default_rng(0).normal(0, 0.003, 100))
    assert closures_kept(trembling, [(20, 24), (56, 60)]) == 0 and closures_seen(trembling) == []


def test_the_truths_own_closures_are_found():
    lips = np.full(60, 0.2)
    lips[[20, 21, 40]] = 0.01
    assert closures_seen(lips) == [(19, 23), (39, 42)]
    lips[:5] = lips[50:] = 0  # and before and after the mouth rests
    assert closures_seen(lips) == [(19, 23), (39, 42)]
    lips[38:] = 0  # for longer than a closure takes
    assert closures_seen(lips) == [(19, 23)]
    assert closures_seen(np.full(60, 0.01)) == []


def test_lips_that_never_shut_keep_no_closure(judged):
    assert judged(change=never_shut)["closure_rate"] == 0 and judged(change=never_shut, known=True)["closure_rate"] == 0


def test_silence_leaves_out_short_gaps_and_the_edges_of_speech(phones):
    short = [*phones[:3], ("pau", 1.2, 1.3), *phones[4:8]]
    still = silence(spoken_in(short), 70)
    assert still[:16].all() and not still[18:52].any() and still[54:].all()
    assert silence([], 10).all()


def test_silence_is_also_heard(speech):
    _, sound, phones = speech(repeat=2)
    told, heard = silence(spoken_in(phones), FRAMES), silence(heard_in(sound, FRAMES), FRAMES)
    assert (told == heard).mean() > 0.9
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, FRAMES * SAMPLES_PER_FRAME).astype(np.float32)
    assert not silence(heard_in(noise, FRAMES), FRAMES).any()


def test_stillness_is_relative_to_speech(phones):
    quiet = silence(spoken_in(phones[:8]), 70)
    lips = np.where(quiet, 0.0, np.random.default_rng(0).random(70))
    assert stillness(lips, quiet) == 0
    assert stillness(np.random.default_rng(1).random(70), quiet) > 50
    assert stillness(lips, np.zeros(70, bool)) is None and stillness(np.zeros(70), quiet) is None


def test_lips_that_move_in_silence_are_seen(judged, phones):
    def restless(values):
        quiet = silence(spoken_in(phones), len(values))
        return FaceMotion.of(len(values), {"jawOpen": np.where(quiet, lip_wave(len(values)), values[:, 17])}).values

    assert judged(change=restless)["silence_std"] > 50


def test_loudness_is_of_vowels_not_of_hum_or_hiss():
    times = np.arange(50 * SAMPLES_PER_FRAME) / 16_000
    tones = {hz: vowel_loudness(np.sin(2 * np.pi * hz * times).astype(np.float32), 50).mean() for hz in (60, 900, 6000)}
    assert tones[900] > 0.7 and tones[60] < 0.03 and tones[6000] < 0.03


def test_what_fits_at_every_delay_fits_at_none(make_clip, make_case, make_voice):
    swelling = np.linspace(0, 1, FRAMES) ** 2
    clip = make_clip(FaceMotion.of(FRAMES, {"jawOpen": swelling}))
    assert abs(Lips().score(make_case(clip, sound=make_voice(0.1 + swelling)))["lip_loudness_r"]) < 0.05


def test_what_cannot_be_judged_says_why(make_clip, make_case, speech):
    motion, sound, _ = speech()
    with pytest.raises(NotScored, match="no sound"):
        Lips().score(make_case(make_clip(motion)))
    with pytest.raises(NotScored, match="shorter than 1 s"):
        Lips().score(make_case(make_clip(FaceMotion.still(20)), sound=sound))
    # silent sound beside a real clip: what needs no sound is there
    found = Lips().score(make_case(make_clip(motion), make_clip(motion), sound=np.zeros_like(sound)))
    assert found["lip_r"] == pytest.approx(1) and "lip_loudness_r" not in found


@pytest.mark.slow
@pytest.mark.parametrize("late", [-5, 0, 4])
def test_drawn_and_measured_lips_are_late_by_as_many_frames(drawn_clip, make_case, speech, late):
    motion, sound, phones = speech(repeat=2)
    clip = drawn_clip(speech(repeat=2, late=late)[0])
    found = Lips().score(make_case(clip, drawn_clip(motion), sound=sound, phones=phones))
    assert found["av_offset_signed"] == late
    assert Lips().score(make_case(clip, sound=sound, phones=phones))["av_offset_signed"] == late
