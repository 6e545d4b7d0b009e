"""The speech encoder: Whisper's spectrum, one window rule, the same features live and offline."""

import tracemalloc

import numpy as np
import pytest

from instructavatar.errors import BadBundle, BadMedia, MissingFile
from instructavatar.face.motion import frames_of
from instructavatar.features import speech
from instructavatar.features.speech import AHEAD, FLOOR, HOP, SpeechEncoder, log_mel, mel_filters, samples_of


@pytest.fixture(scope="module")
def encoder():
    return SpeechEncoder.load()


@pytest.fixture(scope="module")
def sound():
    """2.9 s of buzzing that changes, at speech level."""
    t = np.arange(46_400) / 16_000
    pitch = 120 + 40 * np.sin(2 * np.pi * 0.7 * t)
    buzz = sum(np.sin(2 * np.pi * k * np.cumsum(pitch) / 16_000) / k for k in range(1, 20))
    return (0.1 * buzz * (0.5 + 0.5 * np.sin(2 * np.pi * 3 * t))).astype(np.float32)


def test_filters_are_slaneys():
    filters = mel_filters()
    assert filters.shape == (80, 201)
    # entries of the table that comes with Whisper: band -> (bin of its peak, peak, the entry after it)
    known = {0: (1, 0.0248626, 0), 10: (10, 0.0199082, 0.0049544), 25: (24, 0.020874, 0.0040404), 30: (29, 0.015856, 0.0089628)}
    known |= {40: (43, 0.0147356, 0.0065182), 60: (93, 0.0065911, 0.00466), 79: (192, 0.0031647, 0.0031413)}
    for band, (peak, value, after) in known.items():
        assert np.argmax(filters[band]) == peak
        assert filters[band, peak : peak + 2] == pytest.approx([value, after], abs=1e-6)


def test_mel_of_a_tone_and_of_silence():
    tone = np.sin(2 * np.pi * 1000 * np.arange(1840) / 16_000).astype(np.float32)
    mel = log_mel(tone)
    assert mel.shape == (80, 10)
    # a full-scale tone has power (400 / 4)^2 in its bin, spread by Hann over three
    assert (mel.max() * 4 - 4) == pytest.approx(np.log10(mel_filters().max(0)[25] * 1e4), abs=0.3)
    assert (log_mel(np.zeros(1840, np.float32)) == np.float32(FLOOR)).all()


@pytest.mark.parametrize("samples", [1, 639, 640, 10_240, 16_001, 46_400])
def test_two_features_per_frame(encoder, sound, samples):
    assert encoder.encode(sound[:samples]).shape == (2 * frames_of(samples / 16_000), 384)


def test_features_have_unit_scale(encoder, sound):
    features = encoder.encode(sound)
    assert features.dtype == np.float32
    assert features.mean(1) == pytest.approx(0, abs=1e-4)
    assert features.std(1) == pytest.approx(1, abs=1e-2)
    assert features.std(0).mean() > 0.1, "features must follow the sound"


@pytest.mark.parametrize("start_s", [0.5, 1.2, 2.0])
def test_features_lie_where_the_sound_is(encoder, sound, start_s):
    """A voice that sets in shows in the features of that moment (each sees some 0.1 s ahead; all hear a little of the whole window)."""
    late = sound.copy()
    late[: round(start_s * 16_000)] = 0
    away = np.linalg.norm(encoder.encode(late) - encoder.encode(np.zeros_like(late)), axis=1)
    halfway = (away[away > 0][:8].mean() + np.median(away[-20:])) / 2
    assert np.argmax(away > halfway) / 50 == pytest.approx(start_s - 0.08, abs=0.08)


def test_beginning_of_a_clip_equals_the_clip(encoder, sound):
    whole, hops = encoder.encode(sound), 2
    part = encoder.encode(sound[: samples_of(hops * HOP + AHEAD)])
    np.testing.assert_allclose(part[: hops * HOP], whole[: hops * HOP], atol=1e-4)
    assert np.abs(part[hops * HOP :] - whole[hops * HOP : len(part)]).max() > 1e-2, "past its look-ahead the sound's end must show"


def test_zeros_after_the_end_change_nothing(encoder, sound):
    longer = encoder.encode(np.pad(sound, (0, 16_000)))
    whole = encoder.encode(sound)
    np.testing.assert_allclose(longer[: len(whole)], whole, atol=1e-4)


@pytest.mark.parametrize("piece", [160, 2_560, 7_777])
def test_stream_equals_offline(encoder, sound, piece):
    stream = encoder.stream()
    found = [stream.push(sound[i : i + piece]) for i in range(0, len(sound), piece)]
    np.testing.assert_allclose(np.concatenate([*found, stream.finish()]), encoder.encode(sound), atol=1e-4)


@pytest.mark.parametrize("block", [1, 2, 3])
def test_the_size_of_blocks_changes_nothing(encoder, sound, monkeypatch, block):
    whole, seen = encoder.encode(sound), []
    monkeypatch.setattr(speech, "_BLOCK", block)
    monkeypatch.setattr(speech, "log_mel", lambda heard: seen.append(len(heard)) or log_mel(heard))
    np.testing.assert_allclose(encoder.encode(sound), whole, atol=1e-5)
    assert len(seen) == -(-5 // block), "2.9 s are five hops"
    assert max(seen) == samples_of(block * HOP + AHEAD) + speech.BEFORE


class DeafNet:
    """Costs nothing; its features are the first mel bands."""

    def run(self, _, feed):
        return [np.repeat(feed["mel"][:, :1, ::2].transpose(0, 2, 1), 384, axis=2)]


def test_memory_does_not_grow_with_the_sound(encoder, monkeypatch):
    """Beside the sound and its features, ten minutes need what one minute needs."""
    monkeypatch.setattr(encoder, "net", DeafNet())
    needed = []
    for seconds in (60, 600):
        heard = np.zeros(seconds * 16_000, np.float32)
        tracemalloc.start()
        features = encoder.encode(heard)
        needed.append(tracemalloc.get_traced_memory()[1] - features.nbytes)
        tracemalloc.stop()
        assert features.shape == (50 * seconds, 384) and (features == np.float32(FLOOR)).all()
    assert needed[1] < 1.1 * needed[0] < 100e6


def test_stream_waits_no_longer_than_it_says(encoder, sound):
    stream = encoder.stream()
    assert len(stream.push(sound[: samples_of(HOP + AHEAD) - 1])) == 0
    assert len(stream.push(sound[samples_of(HOP + AHEAD) - 1 : samples_of(HOP + AHEAD)])) == HOP


def test_loudness_is_heard(encoder, sound):
    """The reference level is fixed: a quieter clip is not scaled up."""
    assert np.abs(encoder.encode(sound) - encoder.encode(0.1 * sound)).max() > 0.1


def test_no_sound_no_features(encoder):
    assert encoder.encode(np.zeros(0, np.float32)).shape == (0, 384)


@pytest.mark.parametrize("bad", [np.zeros((2, 100), np.float32), np.array([0, np.nan], np.float32), np.array([np.inf], np.float32)])
def test_bad_sound_is_refused(encoder, bad):
    with pytest.raises(BadMedia, match="expected"):
        encoder.encode(bad)


def test_missing_and_damaged_files_are_named(tmp_path):
    with pytest.raises(MissingFile, match="build_weights"):
        SpeechEncoder.load(tmp_path / "speech.onnx")
    (tmp_path / "speech.onnx").write_bytes(b"nonsense")
    with pytest.raises(BadBundle, match="expected an ONNX"):
        SpeechEncoder.load(tmp_path / "speech.onnx")


def test_version_tells_rule_and_weights(encoder):
    assert "window128-hop32-ahead16" in encoder.version
    assert len(encoder.version.rsplit("/", 1)[1]) == 12
