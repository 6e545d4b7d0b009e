from dataclasses import dataclass

import numpy as np
import pytest

from instructavatar.face.motion import ACTION_COUNT, FaceMotion, frames_of
from instructavatar.face.rig import Rig
from instructavatar.face.visemes import mouth_actions
from instructavatar.media.audio import write_wav

RIG = Rig.load()
PHONES = [
    ("pau", 0.0, 0.8),
    ("m", 0.8, 0.9),
    ("aa", 0.9, 1.2),
    ("p", 1.2, 1.3),
    ("ae", 1.3, 1.6),
    ("b", 1.6, 1.7),
    ("ow", 1.7, 2.0),
    ("pau", 2.0, 2.8),
]
FRAMES = 70


@pytest.fixture
def lips(benchmark_module):
    return benchmark_module("lips")


def spoken(shift=0, frames=FRAMES):
    """The motion of perfect lips, late by so many frames."""
    values = np.zeros((frames, 58), np.float32)
    values[:, :ACTION_COUNT] = np.roll(mouth_actions(PHONES, frames), shift, axis=0)
    return FaceMotion(values)


def test_aperture_opens_with_the_jaw_and_is_never_negative(lips):
    levels = FaceMotion.of(3, {"jawOpen": [0, 0.5, 1.0]})
    opening = lips.aperture(levels, RIG)
    assert opening[0] == 0 and 0.05 < opening[1] < opening[2] < 0.6
    assert lips.aperture(FaceMotion.of(1, {"mouthClose": 1.0}), RIG)[0] == 0


def test_an_offset_is_sought_within_six_frames(lips):
    wave = np.sin(np.arange(80) / 4.0)
    for late in (-3, 0, 2):
        assert lips.offset(np.roll(wave, late), wave) == late
    assert lips.offset(np.ones(80), wave) == 0


@dataclass
class FakeClip:
    motion: FaceMotion


class Speaker:
    """Speaks PHONES at the end of what it hears, late by so many frames."""

    def __init__(self, shift):
        self.shift = shift

    def animate(self, subject, audio):
        frames = frames_of(len(audio) / 16_000)
        values = np.zeros((frames, 58), np.float32)
        values[-FRAMES:] = spoken(self.shift).values
        return FakeClip(FaceMotion(values))


def test_a_pause_is_made_of_the_recordings_own_tone(lips):
    sound = np.concatenate([np.full(3200, 0.01), np.full(16_000, 0.5)]).astype(np.float32)
    longer, later = lips.with_pause(sound, [("pau", 0.0, 0.2), ("aa", 0.2, 1.2)])
    assert len(longer) == len(sound) + 24_000 and np.array_equal(longer[24_000:], sound)
    assert longer[:24_000] == pytest.approx(0.01) and later[1] == ("aa", 1.7, 2.7)
    assert not lips.with_pause(sound, [("aa", 0.0, 1.2)])[0][:24_000].any()


def voice(folder):
    write_wav(folder / "voice.wav", np.zeros(FRAMES * 640, np.float32))
    return folder / "voice.wav"


def test_perfect_lips_score_high_and_late_ones_are_late(lips, tmp_path):
    good = lips.judge_speech(Speaker(0), RIG, None, voice(tmp_path), PHONES)
    assert good.r > 0.9 and good.offset == 0 and (good.kept, good.closures) == (3, 3) and good.stillness < 5 and good.name == "voice"
    late = lips.judge_speech(Speaker(4), RIG, None, voice(tmp_path), PHONES)
    assert late.r < 0.75 and late.offset == 4
