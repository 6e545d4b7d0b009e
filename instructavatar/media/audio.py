"""Sound files <-> mono float32.

Whatever FFmpeg decodes comes in: wav, mp3, m4a, opus, flac, g722, the sound track of a video; any rate, depth and number of channels.

    N samples
    C channels
"""

from __future__ import annotations

import logging
import os
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import BadMedia
from instructavatar.media.files import existing_file, ffmpeg_name, written_beside

SAMPLE_RATE_HZ = 16_000

# Float files may swing past 1.0 by bad mastering; a peak beyond this is a file of integers stored as floats.
_HIGHEST_PEAK = 32.0
# Some players leave junk between mp3 frames; a file with more bad packets than this share is corrupt.
_BAD_PACKET_SHARE = 0.1
# Containers and raw streams that may carry sound. Text and playlist formats stay out: they can point at other files and hosts.
SOUND_FORMATS = (
    "wav,w64,aiff,au,caf,mp3,aac,flac,ogg,oga,opus,mov,mp4,m4a,matroska,webm,avi,mpeg,mpegts,asf,flv,amr,ac3,eac3,wv,ape,tta,dsf,g722,gsm"
)
# Nothing but the named file is opened, whatever the file says.
SAFE_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": SOUND_FORMATS}

_log = logging.getLogger(__name__)


class _Samples:
    """A float32 array that grows in place, so that a two-hour file is never held twice."""

    def __init__(self, expected: int) -> None:
        self._array: NDArray[np.float32] = np.empty(max(expected, SAMPLE_RATE_HZ), np.float32)
        self._used = 0

    def append(self, chunk: NDArray[np.float32]) -> None:
        end = self._used + len(chunk)
        if end > len(self._array):
            self._array.resize(max(end, len(self._array) * 5 // 4), refcheck=False)
        self._array[self._used : end] = chunk
        self._used = end

    def finish(self, length: int) -> NDArray[np.float32]:
        """The samples, cut or padded with zeros to the given length."""
        self._array.resize(length, refcheck=False)
        self._array[self._used :] = 0
        return self._array


class _Resampler:
    """Frames of any format -> mono chunks at one rate; survives a change of format within the stream."""

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self.seconds = 0.0  # what came in, to know the exact length that must come out
        self._setup: tuple[str, str, int] | None = None
        self._resampler: Any = None

    def push(self, frame: av.AudioFrame) -> Iterator[NDArray[np.float32]]:
        setup = (frame.format.name, frame.layout.name, frame.sample_rate)
        if setup != self._setup:
            yield from self.flush()
            # The layout stays: FFmpeg's own mix to mono makes stereo 3 dB louder in float.
            self._resampler = av.AudioResampler("fltp", frame.layout, self.rate_hz)
            self._setup = setup
        self.seconds += frame.samples / frame.sample_rate
        frame.pts = None  # gaps in time stamps are not filled; the samples are what there is
        yield from self._mono(frame)

    def flush(self) -> Iterator[NDArray[np.float32]]:
        """The last samples, which the filter still holds back."""
        if self._resampler is not None:
            yield from self._mono(None)
            self._resampler = None

    def _mono(self, frame: av.AudioFrame | None) -> Iterator[NDArray[np.float32]]:
        for out in self._resampler.resample(frame):
            yield out.to_ndarray().mean(axis=0, dtype=np.float32)  # (C, N) -> (N,)


def read_audio(path: str | os.PathLike[str], rate_hz: int = SAMPLE_RATE_HZ) -> NDArray[np.float32]:
    """Mono sound, float32 [N] in -1..1, at `rate_hz`; channels are averaged.

    N = round(seconds x rate_hz), with the encoder's padding taken off. Silence is valid; no samples, NaN or a file
    that cannot be decoded is not.
    """
    file = existing_file(path, "sound")
    try:
        with av.open(ffmpeg_name(file), options=SAFE_OPTIONS) as container:
            return _decode_all(container, file, rate_hz)
    except (av.error.FFmpegError, ValueError, OSError) as error:
        raise BadMedia(
            f"expected a sound file (wav, mp3, m4a, opus, flac), got one that cannot be decoded: '{file}' ({error}); export it again"
        ) from error


def _decode_all(container: Any, file: Path, rate_hz: int) -> NDArray[np.float32]:
    if not container.streams.audio:
        raise BadMedia(f"expected sound, got a file without a sound track: '{file}'; choose another file")
    stream = container.streams.audio[0]
    seconds = (container.duration or 0) / av.time_base
    samples = _Samples(min(int(seconds * rate_hz) + rate_hz, 8 * 3600 * rate_hz))
    resampler = _Resampler(rate_hz)
    for frame in decoded(container, stream, file):
        for chunk in resampler.push(frame):
            samples.append(_checked(chunk, file))
    for chunk in resampler.flush():
        samples.append(_checked(chunk, file))
    length = round(resampler.seconds * rate_hz)
    if length == 0:
        raise BadMedia(f"expected sound, got a file with no samples: '{file}'; record or export it again")
    return samples.finish(length)


def decoded(container: Any, stream: Any, file: Path) -> Iterator[Any]:
    """The frames of one stream. A few undecodable packets are left out with a warning; many are an error."""
    good = bad = 0
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            bad += 1
            continue
        good += 1
        yield from frames
    if bad > _BAD_PACKET_SHARE * (good + bad):
        raise BadMedia(f"expected {stream.type} that decodes, got {bad} damaged packets of {good + bad} in '{file}'; export it again")
    if bad:
        _log.warning("%d damaged packets of %d in '%s' were left out", bad, good + bad, file)


def _checked(chunk: NDArray[np.float32], file: Path) -> NDArray[np.float32]:
    if not np.isfinite(chunk).all():
        raise BadMedia(f"expected finite samples, got NaN or infinity in '{file}'; export it again, best as 16-bit wav")
    if len(chunk) and max(chunk.max(), -chunk.min()) > _HIGHEST_PEAK:
        peak = float(np.abs(chunk).max())
        raise BadMedia(f"expected float samples in -1..1, got a peak of {peak:.0f} in '{file}'; scale them or export as 16-bit wav")
    return chunk


def write_wav(path: str | os.PathLike[str], audio: NDArray[np.float32], rate_hz: int = SAMPLE_RATE_HZ) -> None:
    """Write mono float32 [N] in -1..1 as 16-bit wav; louder samples are clipped."""
    pcm = np.rint(np.clip(audio, -1, 1) * 32767).astype("<i2")
    with written_beside(path) as part, wave.open(str(part), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate_hz)
        out.writeframes(pcm.tobytes())
