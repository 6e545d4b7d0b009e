"""Jitter of known size, above and below 6 Hz."""

import numpy as np
import pytest

from instructavatar.face.motion import FaceMotion
from instructavatar.metrics.base import NotScored
from instructavatar.metrics.smoothness import HOP, LIPS, MOUTH_WIDTH, WINDOW, Smoothness, jitter, stability

FRAMES = 100
SECONDS = np.arange(FRAMES) / 25
CALM = FaceMotion.of(FRAMES, {"jawOpen": 0.3 + 0.3 * np.sin(2 * np.pi * 3 * SECONDS), "yaw": 8 * np.sin(2 * np.pi * 0.5 * SECONDS)})


@pytest.fixture
def judged(make_clip, make_case):
    """A function: the scores of a motion."""
    return lambda motion, **drawn: Smoothness().score(make_case(make_clip(motion, **drawn)))


def wave(hz, size=1.0, frames=FRAMES):
    """One point that goes to and fro: [T, 1, 2]."""
    return size * np.stack([np.sin(2 * np.pi * hz * np.arange(frames) / 25 + 0.3), np.zeros(frames)], axis=-1)[:, None]


def test_a_still_has_none(judged):
    found = judged(FaceMotion.still(FRAMES))
    assert found.pop("msi") == 2  # 1 / 0.5
    assert set(found.values()) == {0.0}


def test_jitter_is_what_is_faster_than_six_hertz():
    assert jitter(wave(9.0), 25) == pytest.approx(np.sqrt(0.5), rel=0.02)
    assert jitter(wave(9.0, 3.0), 25) == pytest.approx(3 * np.sqrt(0.5), rel=0.02)
    for slow in (0.2, 1.0, 3.0):
        assert jitter(wave(slow), 25) < 0.03
    drift = np.linspace(0, 50, FRAMES)[:, None, None] * np.ones((1, 1, 2))
    assert jitter(drift, 25) < 1e-9


def test_jitter_of_white_noise_is_the_share_of_its_band():
    noise = np.random.default_rng(0).normal(0, 1, (2000, 30, 2))
    assert jitter(noise, 25) == pytest.approx(np.sqrt(2 * 12 / 25), rel=0.02)  # bins 7 to 12 of 0 to 12, each but the first twice


def test_jitter_grows_with_trembling_and_not_with_size(judged):
    grown = [judged(CALM, shake_px=px) for px in (0.0, 0.1, 0.3, 1.0, 3.0)]
    for name in ("lip_jitter", "head_jitter"):
        numbers = [one[name] for one in grown]
        assert numbers == sorted(numbers) and numbers[0] < 4 and numbers[-1] > 30, name
    stabilities = [one["msi"] for one in grown]
    assert stabilities == sorted(stabilities, reverse=True)
    twice = judged(CALM, shake_px=2.0, size_px=120.0)
    assert twice["head_jitter"] == pytest.approx(grown[3]["head_jitter"], rel=0.01)


def test_a_head_that_trembles_is_no_lip_that_trembles(judged):
    shaking = FaceMotion.of(FRAMES, {"x": 0.01 * np.sin(2 * np.pi * 9 * SECONDS)})
    found = judged(shaking)
    assert found["head_jitter"] == pytest.approx(1000 * 0.01 * np.sqrt(0.5), rel=0.05) and found["lip_jitter"] < 0.01


def test_speeds_of_known_motion(judged):
    found = judged(FaceMotion.of(FRAMES, {"yaw": np.arange(FRAMES) * 0.4}))
    assert found["head_speed"] == pytest.approx(10, rel=1e-3) and found["head_acceleration"] == pytest.approx(0, abs=0.02)
    bouncing = judged(FaceMotion.of(FRAMES, {"pitch": np.arange(FRAMES) % 2}))
    assert bouncing["head_speed"] == pytest.approx(25) and bouncing["head_acceleration"] == pytest.approx(2 * 25**2)
    spoken = judged(CALM)
    assert spoken["lip_speed"] > 0.5 and spoken["lip_acceleration"] > spoken["lip_speed"]


def test_stability_as_published_by_hand():
    """The same arithmetic written out with loops."""
    points = np.random.default_rng(1).normal(0, 1, (30, 478, 2)).cumsum(axis=0) + (np.arange(478) ** 1.2)[None, :, None]
    width = np.mean([np.hypot(*(frame[61] - frame[291])) for frame in points])
    lips = points[:, LIPS] / width * MOUTH_WIDTH
    acceleration = lips[2:] - 2 * lips[1:-1] + lips[:-2]
    found = []
    for start in range(0, len(acceleration) - WINDOW + 1, HOP):
        for point in range(17):
            for axis in range(2):
                found.append(1 / (np.var(acceleration[start : start + WINDOW, point, axis]) + 0.5))
    assert stability(points) == pytest.approx(np.mean(found))
    assert MOUTH_WIDTH == 0.25 and len(set(LIPS)) == 17


def test_a_moment_is_too_short(judged):
    with pytest.raises(NotScored, match="shorter than 1 s"):
        judged(FaceMotion.still(24))
    assert judged(FaceMotion.still(25))["head_jitter"] == 0
