"""Frames and sound -> a video file: H.264 and AAC as mp4, VP9 and Opus as webm, ProRes and PCM as mov.

Written beside the target and renamed. WebM and mov keep the opacity of frames [H, W, 4]; an mp4 has none.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import CannotWrite
from instructavatar.media.audio import SAMPLE_RATE_HZ
from instructavatar.media.files import ffmpeg_name
from instructavatar.media.frame_writer import FrameWriter

FRAME_RATE_HZ = 25

# Players that ignore the edit list delay sound by the encoder's 1024 samples: 21 ms at 48 kHz, 64 ms at 16 kHz.
_AUDIO_RATE_HZ = 48_000
_THREADS = 2
_BT709 = 1
_BROADCAST_RANGE = 1


@dataclass(frozen=True)
class Coding:
    """How a kind of file is encoded."""

    container: str
    """FFmpeg's name of the format."""
    container_options: dict[str, str]
    codec: str
    pixels: str
    """FFmpeg's pixel format of opaque frames."""
    audio_codec: str
    audio_samples: str
    """FFmpeg's sample format."""
    audio_block: int
    """Samples in a packet of sound."""
    options: dict[str, str] = field(default_factory=dict)
    alpha_pixels: str | None = None
    """Pixel format of frames with opacity; None where the file cannot keep it."""
    alpha_options: dict[str, str] = field(default_factory=dict)
    audio_bits_per_s: int | None = None


# Macroblock trees make the bytes of small pictures vary from run to run (7 of 40); without them a file is 4 % larger.
# Measured at 512 x 512 on two threads: veryfast 5 ms a frame, medium 10 ms; 18 is visually lossless.
# +use_metadata_tags keeps keys that the format does not know.
MP4 = Coding(
    container="mp4",
    container_options={"movflags": "+faststart+use_metadata_tags"},
    codec="libx264",
    options={"preset": "veryfast", "crf": "18", "x264-params": "mbtree=0"},
    pixels="yuv420p",
    audio_codec="aac",
    audio_samples="fltp",
    audio_block=1024,
    audio_bits_per_s=128_000,
)
# +bitexact leaves out random ids, so the same job gives the same file. Measured at 512 x 512: 22 is as near to the frames as the mp4 at
# two thirds of its bytes; "good" instead of "realtime" saves another 14 % and takes 22 ms a frame instead of 5. Alternate reference
# frames cannot carry opacity.
WEBM = Coding(
    container="webm",
    container_options={"fflags": "+bitexact"},
    codec="libvpx-vp9",
    options={"crf": "22", "b": "0", "deadline": "realtime", "cpu-used": "5", "row-mt": "1"},
    pixels="yuv420p",
    alpha_pixels="yuva420p",
    alpha_options={"auto-alt-ref": "0"},
    audio_codec="libopus",
    audio_samples="flt",
    audio_block=960,
    audio_bits_per_s=96_000,
)
# For editing: every frame stands alone; 4444 with opacity, HQ without.
MOV = Coding(
    container="mov",
    container_options={"movflags": "+use_metadata_tags"},
    codec="prores_ks",
    options={"profile": "hq", "vendor": "apl0"},
    pixels="yuv422p10le",
    alpha_pixels="yuva444p10le",
    alpha_options={"profile": "4444"},
    audio_codec="pcm_s16le",
    audio_samples="s16",
    audio_block=1024,
)


class VideoWriter(FrameWriter):
    """Encodes frames as they come. Use as a context: the file appears only when the block ends well.

    >>> import tempfile, pathlib
    >>> folder = tempfile.TemporaryDirectory()
    >>> target = pathlib.Path(folder.name) / "black.mp4"
    >>> with VideoWriter(target) as writer:
    ...     writer.write(np.zeros((64, 64, 3), np.uint8))
    >>> target.exists()
    True
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        audio: NDArray[np.float32] | None = None,
        fps: float = FRAME_RATE_HZ,
        metadata: Mapping[str, str] | None = None,
        audio_rate_hz: int = SAMPLE_RATE_HZ,
        coding: Coding = MP4,
    ) -> None:
        """`audio` is mono float32 [N]; it is cut, or continued with silence, to the length of the frames."""
        super().__init__(path)
        self.fps = Fraction(fps).limit_denominator(1001)
        self.coding = coding
        self._audio = None if audio is None else _AudioTrack(audio, audio_rate_hz, coding)
        self._metadata = dict(metadata or {})
        self._bytes = 0
        self._encoded = 0
        self._container: Any = None
        self._video: Any = None

    def _check_first(self, frame: NDArray[np.uint8]) -> None:
        channels = (3,) if self.coding.alpha_pixels is None else (3, 4)
        if frame.ndim != 3 or frame.shape[2] not in channels or frame.shape[0] % 2 or frame.shape[1] % 2:
            kinds = "RGB" if len(channels) == 1 else "RGB or RGBA"
            raise ValueError(f"expected {kinds} frames with even sides for {self.coding.codec}, got shape {list(frame.shape)}")

    def _encode(self, frame: NDArray[np.uint8]) -> None:
        if self._container is None:
            self._open(frame)
        with_alpha = frame.shape[2] == 4
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgba" if with_alpha else "rgb24")
        # FFmpeg assumes BT.601 unless told; players assume BT.709 for large pictures. Say the same to both.
        picture = picture.reformat(format=self._video.pix_fmt, dst_colorspace="ITU709")
        picture.pts = self._encoded
        picture.time_base = 1 / self.fps
        self._encoded += 1
        with self._disk_errors():
            self._mux(self._video.encode(picture))
            self._sound(last=False)

    def _open(self, frame: NDArray[np.uint8]) -> None:
        coding, with_alpha = self.coding, frame.shape[2] == 4
        with self._disk_errors():
            self._container = av.open(ffmpeg_name(self._part), "w", format=coding.container, options=coding.container_options)
            self._container.metadata.update(self._metadata)
            options = coding.options | (coding.alpha_options if with_alpha else {})
            self._video = self._container.add_stream(coding.codec, rate=self.fps, options=options)
            self._set_up_picture(frame.shape[0], frame.shape[1], coding.alpha_pixels if with_alpha else coding.pixels)
            if with_alpha:
                self._video.metadata["alpha_mode"] = "1"  # how players of webm know
            if self._audio is not None:
                self._audio.open(self._container)

    def _set_up_picture(self, height: int, width: int, pixels: str | None) -> None:
        self._video.height, self._video.width, self._video.pix_fmt = height, width, pixels
        context = self._video.codec_context
        context.thread_count = _THREADS
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = _BROADCAST_RANGE

    def _sound(self, last: bool) -> None:
        if self._audio is not None:
            for packet in self._audio.packets_until(self._encoded / self.fps, last):
                self._mux([packet])

    def _mux(self, packets: Iterable[Any]) -> None:
        for packet in packets:
            self._bytes += packet.size
            self._container.mux(packet)

    def _finish(self) -> None:
        with self._disk_errors():
            self._mux(self._video.encode(None))
            self._sound(last=True)
            container, self._container = self._container, None
            container.close()
        # Buffered writes can fail without a word; a file smaller than its packets is one that did not fit.
        if self._part.stat().st_size < self._bytes:
            raise CannotWrite(f"expected to write {self._bytes} bytes to '{self.path}', got a shorter file; free space on the disk")

    def _release(self) -> None:
        container, self._container = self._container, None
        close_quietly(container)


class _AudioTrack:
    """Mono sound encoded in step with the picture."""

    def __init__(self, audio: NDArray[np.float32], rate_hz: int, coding: Coding) -> None:
        self._audio = audio
        self._rate_hz = rate_hz
        self._coding = coding
        self._read = 0  # samples of the source taken so far
        self._sent = 0  # samples given to the encoder so far
        self._fifo = av.AudioFifo()
        self._resampler = av.AudioResampler(coding.audio_samples, "mono", _AUDIO_RATE_HZ)
        self._stream: Any = None

    def open(self, container: Any) -> None:
        self._stream = container.add_stream(self._coding.audio_codec, rate=_AUDIO_RATE_HZ, layout="mono")
        self._stream.format = self._coding.audio_samples
        if self._coding.audio_bits_per_s is not None:
            self._stream.bit_rate = self._coding.audio_bits_per_s

    def packets_until(self, seconds: Fraction, last: bool) -> Iterator[Any]:
        """Packets for the sound up to that time; with `last`, everything that is left up to exactly there."""
        self._resample_until(round(seconds * self._rate_hz), last)
        end, block_size = round(seconds * _AUDIO_RATE_HZ), self._coding.audio_block
        while last and self._sent < end or self._sent + block_size <= end:
            block = self._next_block(min(block_size, end - self._sent), last)
            if block is None:
                break
            yield from self._stream.encode(block)
        if last:
            yield from self._stream.encode(None)

    def _resample_until(self, end: int, last: bool) -> None:
        chunk = np.clip(np.nan_to_num(self._audio[self._read : end]), -1, 1).astype(np.float32)
        chunk = np.pad(chunk, (0, end - self._read - len(chunk)))  # silence after the sound's end
        self._read = end
        if len(chunk):
            frame = av.AudioFrame.from_ndarray(chunk[None], format="fltp", layout="mono")
            frame.sample_rate = self._rate_hz
            self._store(self._resampler.resample(frame))
        if last:
            self._store(self._resampler.resample(None))

    def _store(self, frames: Iterable[Any]) -> None:
        for frame in frames:
            frame.pts = None
            self._fifo.write(frame)

    def _next_block(self, samples: int, last: bool) -> Any:
        block = self._fifo.read(samples, partial=last)
        if block is None:
            return None
        block.pts = self._sent
        block.time_base = Fraction(1, _AUDIO_RATE_HZ)
        self._sent += block.samples
        return block


def write_video(
    path: str | os.PathLike[str],
    frames: Iterable[NDArray[np.uint8]],
    audio: NDArray[np.float32] | None = None,
    fps: float = FRAME_RATE_HZ,
    metadata: Mapping[str, str] | None = None,
    audio_rate_hz: int = SAMPLE_RATE_HZ,
    progress: Callable[[int], None] | None = None,
    coding: Coding = MP4,
) -> int:
    """Write a video (by default an mp4) and return the number of frames; `progress` is called with the frames taken so far."""
    with VideoWriter(path, audio, fps, metadata, audio_rate_hz, coding) as writer:
        for frame in frames:
            writer.write(frame)
            if progress is not None:
                progress(writer.frame_count)
    return writer.frame_count


def close_quietly(container: Any) -> None:
    """Close a container of a file that is given up, if one is open; what closing says is of no interest then."""
    if container is not None:
        with suppress(av.error.FFmpegError, OSError, ValueError):
            container.close()
