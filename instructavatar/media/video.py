"""Video files -> frames and sound. The way out, `write_video`, lives in video_writer.py and is offered here too.

Frames are uint8 RGB [H, W, 3], upright (the file's rotation mark is applied) and with square pixels.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import BadMedia
from instructavatar.media.audio import SAMPLE_RATE_HZ, decoded, read_audio
from instructavatar.media.files import existing_file, ffmpeg_name
from instructavatar.media.video_writer import FRAME_RATE_HZ, VideoWriter, write_video

__all__ = ["FRAME_RATE_HZ", "Video", "VideoWriter", "frames_at", "read_video", "write_video"]

_VIDEO_FORMATS = "mov,mp4,m4a,matroska,webm,avi,mpeg,mpegts,asf,flv,ogg,gif,mjpeg,h264,hevc,ivf,y4m,yuv4mpegpipe,rawvideo"
_SAFE_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": _VIDEO_FORMATS}


@dataclass(frozen=True)
class Video:
    """A video file that was found to be readable."""

    path: Path
    fps: float
    """Average frames per second; a phone's video may vary around it."""
    frame_count: int | None
    """As the file states it; None where it does not."""
    height: int
    """Of the upright picture, in pixels."""
    width: int
    has_audio: bool
    metadata: dict[str, str]

    @property
    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """Every frame as stored, decoded as it is asked for; each access starts at the beginning."""
        return (picture() for picture, _, _ in _timed_frames(self.path))

    @cached_property
    def audio(self) -> NDArray[np.float32] | None:
        """The sound as mono float32 [N] at 16 kHz, starting with the first frame; None if there is none."""
        return _aligned_audio(self.path) if self.has_audio else None


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with av.open(ffmpeg_name(path), options=_SAFE_OPTIONS) as container:
            if not container.streams.video:
                raise BadMedia(f"expected a video, got a file without pictures: '{path}'; choose another file")
            yield container
    except (av.error.FFmpegError, ValueError, OSError) as error:
        raise BadMedia(
            f"expected a video (mp4, mov, webm, mkv, avi), got one that cannot be decoded: '{path}' ({error}); export it again"
        ) from error


def read_video(path: str | os.PathLike[str]) -> Video:
    """Open a video; decodes its first frame to see that it can be read and which way up it stands."""
    file = existing_file(path, "video")
    with _opened(file) as container:
        stream = container.streams.video[0]
        fps = float(stream.average_rate or stream.guessed_rate or FRAME_RATE_HZ)
        count, metadata, sound = stream.frames or None, dict(container.metadata), bool(container.streams.audio)
        first = next(decoded(container, stream, file), None)
        if first is None:
            raise BadMedia(f"expected a video, got no frame that can be decoded in '{file}'; export it again")
        height, width = _upright(first, _pixel_shape(stream)).shape[:2]
    return Video(file, fps, count, height, width, sound, metadata)


def frames_at(path: str | os.PathLike[str], fps: float = FRAME_RATE_HZ) -> Iterator[NDArray[np.uint8]]:
    """The video at another, even frame rate: frames are dropped or repeated by their time stamps, never blended.

    A source frame fills the output frames from round(its time x fps) up to the next one's; the first starts at 0.
    """
    if not (math.isfinite(fps) and fps > 0):
        raise ValueError(f"expected a positive frame rate, got {fps}")
    held: Callable[[], NDArray[np.uint8]] | None = None
    given, end = 0, 0.0
    for picture, start, stop in _timed_frames(existing_file(path, "video")):
        due = math.floor(start * fps + 0.5)
        if held is not None and due > given:
            yield from _repeated(held(), due - given)
            given = due
        held, end = picture, stop
    if held is not None:
        yield from _repeated(held(), max(math.floor(end * fps + 0.5) - given, 0))


def _repeated(picture: NDArray[np.uint8], times: int) -> Iterator[NDArray[np.uint8]]:
    """The picture so many times; copies, so that who draws on one frame does not draw on the next."""
    for _ in range(times - 1):
        yield picture.copy()
    if times > 0:
        yield picture


def _timed_frames(path: Path) -> Iterator[tuple[Callable[[], NDArray[np.uint8]], float, float]]:
    """(function that gives the picture, start_s, end_s); the first frame starts at 0.

    A frame without a time stamp follows on the last. Pictures are converted only when asked for: dropped ones cost nothing.
    """
    with _opened(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        usual = 1.0 / float(stream.average_rate or stream.guessed_rate or FRAME_RATE_HZ)
        shape = _pixel_shape(stream)
        zero: float | None = None
        end = 0.0
        for frame in decoded(container, stream, path):
            time = end if frame.time is None else frame.time
            zero = time if zero is None else zero
            start = max(time - zero, 0.0)
            end = start + usual
            yield partial(_upright, frame, shape), start, end


def _pixel_shape(stream: Any) -> float:
    """Width over height of one stored pixel; 1 where the file does not say."""
    ratio = stream.codec_context.sample_aspect_ratio or stream.sample_aspect_ratio
    return float(ratio) if ratio and ratio > 0 else 1.0


def _upright(frame: Any, pixel_shape: float) -> NDArray[np.uint8]:
    """RGB picture of a decoded frame, rotated as the file says, with square pixels."""
    width = max(round(frame.width * pixel_shape), 1)
    picture = frame.reformat(width=width, height=frame.height, format="rgb24").to_ndarray()
    turns = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(picture, turns)) if turns else picture


def _aligned_audio(path: Path) -> NDArray[np.float32]:
    audio = read_audio(path)
    with _opened(path) as container:
        starts = [float((s.start_time or 0) * s.time_base) for s in (container.streams.audio[0], container.streams.video[0])]
    late = round((starts[0] - starts[1]) * SAMPLE_RATE_HZ)
    if late >= 0:
        return np.concatenate([np.zeros(late, np.float32), audio]) if late else audio
    return audio[-late:]
