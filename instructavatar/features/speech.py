"""Speech features: what a frozen speech encoder hears, 50 times a second, the same way for corpus, offline and live use.

N samples (16 kHz mono), T video frames (25 Hz), M mel frames (100 Hz), F features (50 Hz), 384 channels.

The encoder is Whisper tiny.en's, cut after its third layer (tools/weights_speech.py). It always sees 2.56 s: to make the features of a hop
of 0.64 s it gets the 2.56 s of sound that end 0.32 s after the hop, with zeros before the start and after the end of the clip. A feature
therefore depends on nothing that comes later than 0.96 s after it, and on nothing that the clip holds elsewhere.

Whisper scales each recording to its own loudest moment. A stream has no loudest moment yet, so the scale here is fixed: loudness is part of
what is measured, and training varies it by +-9 dB instead.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import BadMedia, MissingFile
from instructavatar.face.motion import SAMPLE_RATE_HZ, SPEECH_PER_FRAME, SPEECH_RATE_HZ, frames_of
from instructavatar.features.base import session, version_of, weights_path

SPEECH_DIM = 384
MEL_BANDS = 80
MEL_WINDOW = 400
MEL_HOP = 160
MEL_PER_FEATURE = SAMPLE_RATE_HZ // MEL_HOP // SPEECH_RATE_HZ

HOP = 32  # features; 0.64 s
AHEAD = 16  # features; 0.32 s of look-ahead
WINDOW = 128  # features; 2.56 s
# Samples before a hop that its window reaches back to; mel frames end 15 ms later than they are counted.
BEFORE = (WINDOW - HOP - AHEAD) * SAMPLE_RATE_HZ // SPEECH_RATE_HZ + MEL_WINDOW - MEL_HOP

# log10 of the mel power at the loudest moment of speech at -23 dB RMS (measured: 0.7 synthetic, 1.1 read). Whisper takes each
# recording's own.
REFERENCE = 1.0
FLOOR = (REFERENCE - 8.0 + 4.0) / 4.0
_BATCH = 4  # windows at a time: larger batches are slower (they leave the cache)
_BLOCK = 64  # hops whose spectrum is made at once: 41 s, so that hours of sound need no more memory than a minute

RULE = f"window{WINDOW}-hop{HOP}-ahead{AHEAD}-ref{REFERENCE}"  # part of the version: other rule, other numbers


@lru_cache(maxsize=1)
def mel_filters() -> NDArray[np.float32]:
    """Triangular filters [80, 201] on Slaney's mel scale (linear below 1 kHz, logarithmic above), each of unit area in hertz."""
    step = np.log(6.4) / 27

    def to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp(step * (mel - 15)))

    top = 15 + np.log(SAMPLE_RATE_HZ / 2 / 1000) / step
    edges = to_hz(np.linspace(0, top, MEL_BANDS + 2))
    hz = np.fft.rfftfreq(MEL_WINDOW, 1 / SAMPLE_RATE_HZ)
    rise = (hz - edges[:-2, None]) / np.diff(edges)[:-1, None]
    fall = (edges[2:, None] - hz) / np.diff(edges)[1:, None]
    return (np.maximum(0, np.minimum(rise, fall)) * (2 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)


def log_mel(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scaled log mel spectrum [80, M] of sound [240 + 160 M]: frame m takes the 400 samples that begin at sample 160 m."""
    frames = np.lib.stride_tricks.sliding_window_view(audio, MEL_WINDOW)[::MEL_HOP]
    # the periodic Hann window
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(MEL_WINDOW) / MEL_WINDOW)).astype(np.float32)
    power = np.abs(np.fft.rfft(frames * window)).astype(np.float32) ** 2
    level = np.log10(np.maximum(mel_filters() @ power.T, 1e-10))
    return (np.maximum(level, REFERENCE - 8.0) + 4.0) / 4.0


class SpeechEncoder:
    """Frozen encoder of speech: the file at `path` (default: the one in the package) on `threads` CPU threads."""

    name = "speech"
    rate_hz = float(SPEECH_RATE_HZ)
    dim = SPEECH_DIM

    def __init__(self, path: Path | str | None = None, threads: int = 2) -> None:
        path = Path(path) if path is not None else weights_path("speech.onnx")
        if not path.is_file():
            raise MissingFile(f"expected the speech encoder at {path}, found none; make it with tools/build_weights.py --only speech")
        self.net = session(path, threads)
        self.version = f"whisper-tiny.en-3/{RULE}/{version_of(path)}"

    @staticmethod
    def load(path: Path | str | None = None, threads: int = 2) -> SpeechEncoder:
        """The encoder in the file (default: the one in the package), on the CPU."""
        return SpeechEncoder(path, threads)

    def encode(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        """Features [2T, 384] of sound [N] at 16 kHz in -1..1, T = frames_of(N / 16000); unit scale. Sound past frame T is still heard."""
        audio = checked(audio)
        count = SPEECH_PER_FRAME * frames_of(len(audio) / SAMPLE_RATE_HZ)
        hops = -(-count // HOP)
        features = np.empty((count, SPEECH_DIM), np.float32)
        for first in range(0, hops, _BLOCK):
            self._fill(features[first * HOP :], audio, first, min(_BLOCK, hops - first))
        return features

    def stream(self) -> SpeechStream:
        """An encoder that takes the sound piece by piece and gives the same features."""
        return SpeechStream(self)

    def _fill(self, features: NDArray[np.float32], audio: NDArray[np.float32], first: int, hops: int) -> None:
        """Write the features of some hops, from hop `first` on, to the beginning of `features`; what does not fit is left out."""
        mel = log_mel(_stretch(audio, first, hops))
        starts = [MEL_PER_FEATURE * HOP * hop for hop in range(hops)]
        for i in range(0, hops, _BATCH):
            windows = np.stack([mel[:, start : start + MEL_PER_FEATURE * WINDOW] for start in starts[i : i + _BATCH]])
            into = features[i * HOP : (i + len(windows)) * HOP]
            into[:] = self._run(windows)[: len(into)]

    def _run(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Features of the hops [B * 32, 384] inside mel windows [B, 80, 256]."""
        features = self.net.run(None, {"mel": windows})[0]
        return features[:, WINDOW - HOP - AHEAD : WINDOW - AHEAD].reshape(-1, SPEECH_DIM)


class SpeechStream:
    """Features of a sound that is still being heard. `push` pieces, then `finish` once."""

    def __init__(self, encoder: SpeechEncoder) -> None:
        self.encoder = encoder
        self.heard = np.zeros(BEFORE, np.float32)
        self.samples = 0
        self.given = 0

    def push(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take samples; give the features [F, 384] that have become certain (0.32 s of look-ahead, hops of 0.64 s)."""
        audio = checked(audio)
        self.samples += len(audio)
        return self._drain(audio)

    def finish(self) -> NDArray[np.float32]:
        """The features that were still waiting for sound; together with the pushed ones as many as `encode` gives."""
        count = SPEECH_PER_FRAME * frames_of(self.samples / SAMPLE_RATE_HZ)
        missing = count - self.given
        return self._drain(np.zeros(samples_of(HOP + AHEAD), np.float32))[: max(0, missing)]

    def _drain(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        self.heard = np.concatenate([self.heard, audio])
        size, hop = samples_of(WINDOW) + MEL_WINDOW - MEL_HOP, samples_of(HOP)
        found = [np.zeros((0, SPEECH_DIM), np.float32)]
        while len(self.heard) >= size:
            found.append(self.encoder._run(log_mel(self.heard[:size])[None]))
            self.heard = self.heard[hop:]
        features = np.concatenate(found)
        self.given += len(features)
        return features


def _stretch(audio: NDArray[np.float32], first: int, hops: int) -> NDArray[np.float32]:
    """The sound that the windows of hops `first`.. see, with zeros where they reach past the clip's start or end."""
    begin = samples_of(first * HOP) - BEFORE
    end = samples_of((first + hops) * HOP + AHEAD)
    heard = audio[max(0, begin) : end]
    left = max(0, -begin)
    return np.pad(heard, (left, end - begin - left - len(heard)))


def samples_of(features: int) -> int:
    """Samples that so many features span.

    >>> samples_of(HOP) / SAMPLE_RATE_HZ
    0.64
    """
    return features * SAMPLE_RATE_HZ // SPEECH_RATE_HZ


def checked(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """The sound as float32 [N]; anything else than finite mono samples is refused."""
    audio = np.asarray(audio, np.float32)
    if audio.ndim != 1:
        raise BadMedia(f"expected mono sound of shape [N] at 16 kHz, got shape {list(audio.shape)}; mix its channels first")
    # NaN and infinity both reach the least or the greatest; a mask of all samples would cost a quarter of the sound's memory
    if not np.isfinite([audio.min(initial=0), audio.max(initial=0)]).all():
        raise BadMedia("expected finite sound samples, got NaN or infinity; convert the file again")
    return audio
