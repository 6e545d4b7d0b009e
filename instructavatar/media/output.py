"""Which kind of file an output's name asks for, and the writer of that kind.

mp4 is H.264 and AAC; webm is VP9 and Opus; mov is ProRes and PCM, for editing. webm, mov and PNG keep opacity whole, a GIF as there or not.
A GIF loops at 12.5 frames a second and at most 480 pixels. GIF and PNG frames have no sound. A folder stands for numbered PNG frames.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import BadOption
from instructavatar.media.audio import SAMPLE_RATE_HZ
from instructavatar.media.frame_writer import FrameWriter
from instructavatar.media.gif import GifWriter
from instructavatar.media.png import PATTERN, PngWriter, frames_in
from instructavatar.media.video_writer import FRAME_RATE_HZ, MOV, MP4, WEBM, VideoWriter

VIDEOS = {".mp4": MP4, ".webm": WEBM, ".mov": MOV}
GIF, FRAMES = ".gif", ".png"
KINDS = (*VIDEOS, GIF, FRAMES)
"""Endings; .png means frames, DIR/%05d.png"""


def kind_of(path: str | os.PathLike[str]) -> str:
    """The kind of output: one of `KINDS`, where .png means numbered frames.

    >>> kind_of("a.webm"), kind_of("frames"), kind_of("frames/%05d.png")
    ('.webm', '.png', '.png')

    Raises:
        BadOption: another ending, or a single .png.
    """
    name = Path(path).name
    ending = Path(path).suffix.lower()
    if not ending or Path(path).is_dir():
        return FRAMES
    if ending == FRAMES and not PATTERN.search(name):
        raise BadOption(f"expected a place for the frame's number, got '{path}'; write '{Path(name).stem}_%05d.png', or name a folder")
    if ending not in KINDS:
        raise BadOption(f"expected an output that ends in {', '.join((*VIDEOS, GIF))} or %05d.png, or a folder, got '{path}'")
    return ending


def keeps_alpha(path: str | os.PathLike[str]) -> bool:
    """Whether that kind of file keeps opacity."""
    kind = kind_of(path)
    return kind not in VIDEOS or VIDEOS[kind].alpha_pixels is not None


def keeps_sound(path: str | os.PathLike[str]) -> bool:
    """Whether that kind of file has sound."""
    return kind_of(path) in VIDEOS


def is_there(path: str | os.PathLike[str]) -> bool:
    """Whether an output exists already."""
    return bool(frames_in(path)) if kind_of(path) == FRAMES else Path(path).exists()


def writer(
    path: str | os.PathLike[str],
    audio: NDArray[np.float32] | None = None,
    metadata: Mapping[str, str] | None = None,
    audio_rate_hz: int = SAMPLE_RATE_HZ,
) -> FrameWriter:
    """The writer of 25 frames a second for a target's name; sound is left out where the kind has none."""
    kind = kind_of(path)
    if kind == GIF:
        return GifWriter(path, metadata)
    if kind == FRAMES:
        return PngWriter(path, metadata)
    return VideoWriter(path, audio, FRAME_RATE_HZ, metadata, audio_rate_hz, VIDEOS[kind])


def write_output(
    path: str | os.PathLike[str],
    frames: Iterable[NDArray[np.uint8]],
    audio: NDArray[np.float32] | None = None,
    metadata: Mapping[str, str] | None = None,
    audio_rate_hz: int = SAMPLE_RATE_HZ,
) -> int:
    """Write 25 frames a second, [H, W, 3 or 4], as the name asks; returns how many."""
    with writer(path, audio, metadata, audio_rate_hz) as target:
        for frame in frames:
            target.write(frame)
    return target.frame_count
