"""Frames and sound -> mp4: H.264 and AAC, written beside the target and renamed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import BadMedia, CannotWrite
from instructavatar.media.audio import SAMPLE_RATE_HZ
from instructavatar.media.files import cannot_write, ffmpeg_name, written_beside

FRAME_RATE_HZ = 25

# Measured at 512 x 512 on two threads: veryfast 5 ms a frame, medium 10 ms; 18 is visually lossless.
# Macroblock trees make the bytes of small pictures vary from run to run (7 of 40); without them a file is 4 % larger.
_X264 = {"preset": "veryfast", "crf": "18", "x264-params": "mbtree=0"}
_X264_THREADS = 2
# Players that ignore the edit list delay sound by the encoder's 1024 samples: 21 ms at 48 kHz, 64 ms at 16 kHz.
_AAC_RATE_HZ = 48_000
_AAC_BITS_PER_S = 128_000
_AAC_BLOCK = 1024
_BT709 = 1
_BROADCAST_RANGE = 1


class VideoWriter:
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
    ) -> None:
        """`audio` is mono float32 [N]; it is cut, or continued with silence, to the length of the frames."""
        self.path = Path(path)
        self.fps = Fraction(fps).limit_denominator(1001)
        self.frame_count = 0
        self._audio = None if audio is None else _AudioTrack(audio, audio_rate_hz)
        self._metadata = dict(metadata or {})
        self._file = written_beside(self.path)
        self._bytes = 0
        self._container: Any = None
        self._video: Any = None

    def __enter__(self) -> VideoWriter:
        self._part = self._file.__enter__()
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        try:
            if error is None:
                self._finish()
        except BaseException as failure:
            self._release()
            self._file.__exit__(type(failure), failure, failure.__traceback__)
            raise
        self._release()
        self._file.__exit__(kind, error, trace)

    def write(self, frame: NDArray[np.uint8]) -> None:
        """Add one frame, uint8 RGB [H, W, 3]; all of one size, with even sides."""
        if self._container is None:
            self._open(frame)
        if frame.shape != (self._video.height, self._video.width, 3) or frame.dtype != np.uint8:
            raise ValueError(f"expected uint8 frames {[self._video.height, self._video.width, 3]}, got {frame.dtype} {list(frame.shape)}")
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
        # FFmpeg assumes BT.601 unless told; players assume BT.709 for large pictures. Say the same to both.
        picture = picture.reformat(format="yuv420p", dst_colorspace="ITU709")
        picture.pts = self.frame_count
        picture.time_base = 1 / self.fps
        self.frame_count += 1
        with self._disk_errors():
            self._mux(self._video.encode(picture))
            self._sound(last=False)

    def _open(self, frame: NDArray[np.uint8]) -> None:
        if frame.ndim != 3 or frame.shape[2] != 3 or frame.shape[0] % 2 or frame.shape[1] % 2:
            raise ValueError(f"expected RGB frames with even sides for H.264, got shape {list(frame.shape)}")
        with self._disk_errors():
            # +use_metadata_tags keeps keys that the mp4 format does not know.
            self._container = av.open(ffmpeg_name(self._part), "w", format="mp4", options={"movflags": "+faststart+use_metadata_tags"})
            self._container.metadata.update(self._metadata)
            self._video = self._container.add_stream("libx264", rate=self.fps, options=_X264)
            self._set_up_picture(frame.shape[0], frame.shape[1])
            if self._audio is not None:
                self._audio.open(self._container)

    def _set_up_picture(self, height: int, width: int) -> None:
        self._video.height, self._video.width, self._video.pix_fmt = height, width, "yuv420p"
        context = self._video.codec_context
        context.thread_count = _X264_THREADS
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = _BROADCAST_RANGE

    def _sound(self, last: bool) -> None:
        if self._audio is not None:
            for packet in self._audio.packets_until(self.frame_count / self.fps, last):
                self._mux([packet])

    def _mux(self, packets: Iterable[Any]) -> None:
        for packet in packets:
            self._bytes += packet.size
            self._container.mux(packet)

    def _finish(self) -> None:
        if self._container is None:
            raise BadMedia(f"expected at least one frame to write to '{self.path}', got none; ask for a longer clip")
        with self._disk_errors():
            self._mux(self._video.encode(None))
            self._sound(last=True)
            container, self._container = self._container, None
            container.close()
        # Buffered writes can fail without a word; a file smaller than its packets is one that did not fit.
        if self._part.stat().st_size < self._bytes:
            raise CannotWrite(f"expected to write {self._bytes} bytes to '{self.path}', got a shorter file; free space on the disk")

    def _release(self) -> None:
        """Close after a failure; the file is thrown away, so what closing says is of no interest."""
        container, self._container = self._container, None
        if container is not None:
            try:
                container.close()
            except (av.error.FFmpegError, OSError, ValueError):
                return

    @contextmanager
    def _disk_errors(self) -> Iterator[None]:
        try:
            yield
        except (av.error.FFmpegError, OSError) as error:
            raise cannot_write(self.path, error) from error


class _AudioTrack:
    """Mono sound encoded to AAC in step with the picture."""

    def __init__(self, audio: NDArray[np.float32], rate_hz: int) -> None:
        self._audio = audio
        self._rate_hz = rate_hz
        self._read = 0  # samples of the source taken so far
        self._sent = 0  # samples given to the encoder so far
        self._fifo = av.AudioFifo()
        self._resampler = av.AudioResampler("fltp", "mono", _AAC_RATE_HZ)
        self._stream: Any = None

    def open(self, container: Any) -> None:
        self._stream = container.add_stream("aac", rate=_AAC_RATE_HZ, layout="mono")
        self._stream.bit_rate = _AAC_BITS_PER_S

    def packets_until(self, seconds: Fraction, last: bool) -> Iterator[Any]:
        """Packets for the sound up to that time; with `last`, everything that is left up to exactly there."""
        self._resample_until(round(seconds * self._rate_hz), last)
        end = round(seconds * _AAC_RATE_HZ)
        while last and self._sent < end or self._sent + _AAC_BLOCK <= end:
            block = self._next_block(min(_AAC_BLOCK, end - self._sent), last)
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
        block.time_base = Fraction(1, _AAC_RATE_HZ)
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
) -> int:
    """Write an mp4 and return the number of frames; `progress` is called with the frames written so far."""
    with VideoWriter(path, audio, fps, metadata, audio_rate_hz) as writer:
        for frame in frames:
            writer.write(frame)
            if progress is not None:
                progress(writer.frame_count)
    return writer.frame_count
