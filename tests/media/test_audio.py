import os
import struct
import wave

import numpy as np
import pytest

from instructavatar.errors import BadMedia, CannotWrite, MissingFile
from instructavatar.media.audio import read_audio, write_wav

SECONDS = 1.377  # no whole number of frames or of any codec's blocks

LOSSLESS = [
    ("pcm_s16le", "s16", 44_100, "wav"),
    ("pcm_u8", "u8", 22_050, "wav"),
    ("pcm_s24le", "s32", 48_000, "wav"),
    ("pcm_s32le", "s32", 8_000, "wav"),
    ("pcm_f32le", "flt", 11_025, "wav"),
    ("pcm_f64le", "dbl", 96_000, "wav"),
    ("flac", "s16", 44_100, "flac"),
]
LOSSY = [("libmp3lame", "s16p", 44_100, "mp3"), ("libopus", "s16", 48_000, "opus"), ("aac", "fltp", 48_000, "m4a")]


def expected_tone(length):
    return 0.5 * np.sin(2 * np.pi * 440 * np.arange(length) / 16_000)


def error_inside(sound):
    """Largest error away from the ends, where filters ring."""
    return np.abs(sound - expected_tone(len(sound)))[1500:-1500].max()


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(("codec", "sample_format", "rate_hz", "ending"), LOSSLESS)
def test_lossless_formats_keep_every_sample(tmp_path, tone, encode, codec, sample_format, rate_hz, ending, channels):
    sound = tone(SECONDS, rate_hz)
    path = encode(tmp_path / f"voice.{ending}", [sound] * channels, codec, sample_format, rate_hz)
    read = read_audio(path)
    assert read.dtype == np.float32 and read.shape == (round(len(sound) * 16_000 / rate_hz),)
    assert error_inside(read) < (0.006 if codec == "pcm_u8" else 1e-4)


@pytest.mark.parametrize(("codec", "sample_format", "rate_hz", "ending"), LOSSY)
def test_lossy_formats_keep_time_and_level(tmp_path, tone, encode, codec, sample_format, rate_hz, ending):
    path = encode(tmp_path / f"голос 1.{ending}", [tone(SECONDS, rate_hz)] * 2, codec, sample_format, rate_hz)
    read = read_audio(path)
    assert abs(len(read) - SECONDS * 16_000) < 1024
    assert error_inside(read[: int(SECONDS * 16_000)]) < 0.08


def test_raw_g722_is_read_by_its_ending(tmp_path, tone, encode):
    path = encode(tmp_path / "voice.g722", [tone(SECONDS, 16_000)], "g722", "s16", 16_000)
    read = read_audio(path)
    assert len(read) == round(SECONDS * 16_000)
    # The codec's two filters delay by 22 samples; that belongs to the format.
    assert np.abs(read[22:] - expected_tone(len(read) - 22))[1500:-1500].max() < 0.02


def test_channels_are_averaged(tmp_path, tone, encode):
    path = encode(tmp_path / "left.wav", [tone(1, 16_000), np.zeros(16_000)], "pcm_s16le", "s16", 16_000)
    assert read_audio(path) == pytest.approx(tone(1, 16_000) / 2, abs=1e-4)


def test_another_rate_can_be_asked_for(tmp_path, tone, encode):
    path = encode(tmp_path / "voice.wav", [tone(1, 44_100)], "pcm_s16le", "s16", 44_100)
    assert len(read_audio(path, rate_hz=48_000)) == 48_000


def test_silence_is_valid(tmp_path):
    write_wav(tmp_path / "silence.wav", np.zeros(16_001, np.float32))
    read = read_audio(tmp_path / "silence.wav")
    assert read.shape == (16_001,) and not read.any()


def test_long_sound_grows_in_place_and_keeps_its_end(tmp_path):
    sound = np.zeros(16_000 * 300, np.float32)
    sound[-1] = 0.5
    write_wav(tmp_path / "long.wav", sound)
    read = read_audio(tmp_path / "long.wav")
    assert len(read) == len(sound) and read[-1] == pytest.approx(0.5, abs=1e-3) and read.base is None


def wav_bytes(samples, header_bytes=None):
    body = np.asarray(samples, "<f4").tobytes()
    form = struct.pack("<HHIIHH", 3, 1, 16_000, 64_000, 4, 32)
    size = len(body) if header_bytes is None else header_bytes
    return b"RIFF" + struct.pack("<I", 36 + size) + b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", size) + body


BAD = {
    "empty": (b"", "empty file"),
    "no samples": (wav_bytes([]), "no samples"),
    "nan": (wav_bytes([0.1, np.nan, 0.1] * 900), "NaN"),
    "infinite": (wav_bytes([0.1, np.inf, 0.1] * 900), "NaN"),
    "integers as floats": (wav_bytes(np.linspace(-32_000, 32_000, 4000)), "peak"),
    "noise": (np.random.default_rng(0).integers(0, 256, 20_000, dtype=np.uint8).tobytes(), ""),
    "text": (b"hello, this is no sound\n" * 50, "decoded"),
    "a list of hosts": (b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n", "decoded"),
}


@pytest.mark.parametrize("name", BAD)
def test_unusable_files_are_refused_in_one_line(tmp_path, name):
    data, words = BAD[name]
    (tmp_path / "bad.wav").write_bytes(data)
    with pytest.raises(BadMedia) as caught:
        read_audio(tmp_path / "bad.wav")
    message = str(caught.value)
    assert words in message and "expected" in message and "bad.wav" in message and "\n" not in message


def test_damage_in_the_middle_is_refused_when_it_is_most_of_the_file(tmp_path, tone, encode):
    path = encode(tmp_path / "voice.m4a", [tone(3, 48_000)], "aac", "fltp", 48_000)
    data = bytearray(path.read_bytes())
    start = data.find(b"mdat")
    data[start + 8 : start + 20_000] = np.random.default_rng(1).integers(0, 256, 19_992, dtype=np.uint8).tobytes()
    path.write_bytes(data[: path.stat().st_size])
    with pytest.raises(BadMedia):
        read_audio(path)


@pytest.mark.parametrize("name", ["absent.wav", "http://127.0.0.1:9/voice.wav", "nul\0.wav"])
def test_absent_files_are_missing(name):
    with pytest.raises(MissingFile, match="no such file"):
        read_audio(name)


def test_a_folder_is_no_sound(tmp_path):
    with pytest.raises(BadMedia, match="folder"):
        read_audio(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_forbidden_file_says_so(tmp_path):
    write_wav(tmp_path / "voice.wav", np.zeros(100, np.float32))
    (tmp_path / "voice.wav").chmod(0)
    with pytest.raises(MissingFile, match="permission"):
        read_audio(tmp_path / "voice.wav")


def test_picture_only_file_has_no_sound_track(tmp_path, moving_square):
    from instructavatar.media.video import write_video

    write_video(tmp_path / "mute.mp4", moving_square(3))
    with pytest.raises(BadMedia, match="without a sound track"):
        read_audio(tmp_path / "mute.mp4")


def test_write_wav_round_trip_and_clipping(tmp_path):
    sound = np.array([0, 0.25, -0.25, 2.0, -2.0], np.float32)
    write_wav(tmp_path / "new folder" / "a.wav", sound, rate_hz=8000)
    with wave.open(str(tmp_path / "new folder" / "a.wav")) as read:
        assert (read.getnchannels(), read.getsampwidth(), read.getframerate()) == (1, 2, 8000)
        pcm = np.frombuffer(read.readframes(5), "<i2")
    assert pcm.tolist() == [0, 8192, -8192, 32767, -32767]


def test_write_wav_over_a_folder_is_refused(tmp_path):
    with pytest.raises(CannotWrite, match="no ordinary file"):
        write_wav(tmp_path, np.zeros(5, np.float32))
