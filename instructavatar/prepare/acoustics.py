"""What happens to a clean voice before it is stored: rooms, noise, telephone bands, levels, and Opus.

Everything works on mono float32 sound [N] at 16 kHz and is a pure function of its parameters, which are written into the corpus.
"""

from __future__ import annotations

import io
import random
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import BadMedia
from instructavatar.face.motion import SAMPLE_RATE_HZ

Sound = NDArray[np.float32]
OPUS_BITS_PER_SECOND = 16_000


def resample(audio: NDArray[np.floating], speed: float) -> Sound:
    """The sound at N / speed samples: exact band-limited resampling by the Fourier transform."""
    wanted = round(len(audio) / speed)
    if wanted == len(audio) or not len(audio):
        return audio.astype(np.float32)
    spectrum = np.fft.rfft(audio.astype(np.float64))
    return (np.fft.irfft(spectrum[: wanted // 2 + 1], wanted) * (wanted / len(audio))).astype(np.float32)


def level_to(audio: Sound, level_db: float) -> Sound:
    """Scale so that the loud half of the 20 ms frames has this RMS in dB full scale; peaks are kept below 1."""
    frames = audio[: len(audio) // 320 * 320].reshape(-1, 320)
    power = np.sort((frames.astype(np.float64) ** 2).mean(1))[len(frames) // 2 :].mean() if len(frames) else 0.0
    if power <= 0:
        return audio
    scaled = audio * (10 ** (level_db / 20) / np.sqrt(power))
    return (scaled * min(1.0, 0.98 / np.abs(scaled).max())).astype(np.float32)


def coloured_noise(count: int, slope: float, seed: int) -> Sound:
    """Unit-variance noise whose power falls with frequency**slope (0 white, 1 pink, 2 brown)."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(count))
    hz = np.fft.rfftfreq(count, 1 / SAMPLE_RATE_HZ)
    noise = np.fft.irfft(spectrum / np.maximum(hz, 40.0) ** (slope / 2), count)
    return (noise / (noise.std() + 1e-12)).astype(np.float32)


def melody(count: int, seed: int) -> Sound:
    """Notes with harmonics that die away, one to three at a time: sound that nobody speaks."""
    rng = np.random.default_rng(seed)
    audio = np.zeros(count)
    for start in np.cumsum(rng.uniform(0.1, 0.6, 200) * SAMPLE_RATE_HZ).astype(int):
        if start >= count:
            break
        t = np.arange(min(count - start, SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
        for _ in range(rng.integers(1, 4)):
            hz = 110 * 2 ** (rng.integers(0, 36) / 12)
            tone = sum(np.sin(2 * np.pi * hz * k * t) / k**2 for k in range(1, 6))
            audio[start : start + len(t)] += rng.uniform(0.3, 1) * tone * np.exp(-t * rng.uniform(2, 10)) * np.minimum(1, 100 * t)
    return (audio / (np.abs(audio).max() + 1e-9)).astype(np.float32)


def reverberate(audio: Sound, decay_s: float, wet: float, seed: int) -> Sound:
    """Add a diffuse tail that falls by 60 dB in `decay_s`; `wet` is its energy beside the direct sound's."""
    count = max(2, int(decay_s * SAMPLE_RATE_HZ))
    tail = np.random.default_rng(seed).standard_normal(count) * 10 ** (-3 * np.arange(count) / count)
    tail[:80] = 0  # 5 ms of direct sound alone
    tail *= np.sqrt(wet) / np.sqrt((tail**2).sum())
    size = len(audio) + count
    late = np.fft.irfft(np.fft.rfft(audio, size) * np.fft.rfft(tail, size), size)[: len(audio)]
    return (audio + late).astype(np.float32)


def band_limit(audio: Sound, low_hz: float, high_hz: float) -> Sound:
    """Keep a band, with edges one third of an octave soft (zero phase)."""
    hz = np.maximum(np.fft.rfftfreq(len(audio), 1 / SAMPLE_RATE_HZ), 1.0)
    gain = np.clip(1 + 3 * np.log2(hz / low_hz), 0, 1) * np.clip(1 - 3 * np.log2(hz / high_hz), 0, 1)
    return np.fft.irfft(np.fft.rfft(audio) * gain, len(audio)).astype(np.float32)


@dataclass(frozen=True)
class Room:
    """How a voice was recorded. Zero for noise_db, decay_s or high_hz means: none of it."""

    gain_db: float = 0.0  # beside the usual level
    noise_db: float = 0.0  # below the voice
    noise_slope: float = 1.0
    decay_s: float = 0.0
    wet: float = 0.0
    low_hz: float = 60.0
    high_hz: float = 0.0
    seed: int = 0

    @staticmethod
    def draw(rng: random.Random) -> Room:
        """A random recording: level +-9 dB always, the others each in a part of the cases."""
        noisy, echoing, banded = rng.random() < 0.6, rng.random() < 0.35, rng.random() < 0.25
        return Room(
            gain_db=round(rng.uniform(-9, 9), 2),
            noise_db=round(rng.uniform(14, 45), 2) if noisy else 0.0,
            noise_slope=round(rng.uniform(0, 2), 2),
            decay_s=round(rng.uniform(0.1, 0.5), 3) if echoing else 0.0,
            wet=round(rng.uniform(0.05, 0.4), 3),
            low_hz=round(rng.uniform(60, 300), 1),
            high_hz=round(rng.uniform(3400, 7000), 1) if banded else 0.0,
            seed=rng.getrandbits(31),
        )

    def apply(self, audio: Sound) -> Sound:
        """The voice as that room and microphone give it back."""
        if self.decay_s:
            audio = reverberate(audio, self.decay_s, self.wet, self.seed)
        if self.noise_db:
            loudness = np.sqrt((audio.astype(np.float64) ** 2).mean())
            audio = audio + coloured_noise(len(audio), self.noise_slope, self.seed + 1) * np.float32(loudness * 10 ** (-self.noise_db / 20))
        if self.high_hz:
            audio = band_limit(audio, self.low_hz, self.high_hz)
        return audio


def write_opus(path: Path, audio: Sound, bits_per_second: int = OPUS_BITS_PER_SECOND) -> None:
    """Store as Ogg/Opus; the same sound gives the same bytes."""
    with av.open(str(path), "w", format="ogg", options={"fflags": "+bitexact"}) as box:
        stream = box.add_stream("libopus", rate=SAMPLE_RATE_HZ, layout="mono")
        stream.bit_rate = bits_per_second
        frame = av.AudioFrame.from_ndarray(np.clip(audio, -1, 1)[None].astype(np.float32), format="flt", layout="mono")
        frame.sample_rate = SAMPLE_RATE_HZ
        for piece in (frame, None):
            box.mux(stream.encode(piece))


def read_opus(source: Path | bytes, samples: int) -> Sound:
    """Decode to exactly `samples` samples at 16 kHz (Opus works in 20 ms steps, so its end is cut or filled with zeros)."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ)
    try:
        with av.open(io.BytesIO(source) if isinstance(source, bytes) else str(source), "r") as box:
            pieces = [out.to_ndarray()[0] for frame in box.decode(audio=0) for out in resampler.resample(frame)]
        pieces += [out.to_ndarray()[0] for out in resampler.resample(None)]
    except (av.FFmpegError, IndexError) as error:
        name = "the corpus" if isinstance(source, bytes) else source.name
        raise BadMedia(f"expected Ogg/Opus speech in {name}, could not decode it ({error}); make the corpus again") from error
    audio = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
    return np.pad(audio[:samples], (0, max(0, samples - len(audio)))).astype(np.float32)
