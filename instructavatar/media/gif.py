"""Frames -> a looping GIF: fewer and smaller frames, one palette, transparent where opacity is below a half. A GIF has no sound.

The palette is that of the first five seconds, so memory stays flat however long the clip is.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from instructavatar.media.files import ffmpeg_name
from instructavatar.media.frame_writer import FrameWriter
from instructavatar.media.video_writer import FRAME_RATE_HZ, close_quietly

# Every second frame, 12.5 a second: GIFs time frames in hundredths, so 8 is exact, and lips still read. 480 pixels keep a face of half
# the picture clear and five seconds near 5 MB.
EVERY = 2
LONGEST_PX = 480
PALETTE_FRAMES = 64
_TICK = Fraction(1, 100)
# Ordered dithering stands still from frame to frame, so the picture does not crawl and frames differ only where the face moves.
_USE_PALETTE = "dither=bayer:bayer_scale=3:diff_mode=rectangle"
_OPAQUE = 128
_TRAILER = b";"
_COMMENT = b"!\xfe"


class GifWriter(FrameWriter):
    """Takes 25 frames a second. Use as a context, as `VideoWriter`."""

    def __init__(self, path: str | os.PathLike[str], metadata: Mapping[str, str] | None = None) -> None:
        """`metadata` becomes the file's comment."""
        super().__init__(path)
        self._metadata = dict(metadata or {})
        self._waiting: list[Any] | None = []  # frames that the palette is made of; None once it is there
        self._seen = self._encoded = 0
        self._container: Any = None
        self._stream: Any = None
        self._source: Any = None
        self._sink: Any = None

    def _encode(self, frame: NDArray[np.uint8]) -> None:
        number, self._seen = self._seen, self._seen + 1
        if number % EVERY:
            return
        picture = av.VideoFrame.from_ndarray(small(frame), format="rgba")
        picture.pts, picture.time_base = number * 100 // FRAME_RATE_HZ, _TICK
        if self._waiting is None:
            self._draw(picture)
            return
        self._waiting.append(picture)
        if len(self._waiting) == PALETTE_FRAMES:
            self._open()

    def _open(self) -> None:
        """Make the palette and draw what has waited for it."""
        waiting, self._waiting = self._waiting or [], None
        first = waiting[0]
        colours = _palette(waiting)
        graph = av.filter.Graph()
        self._graph = graph  # the filters live as long as it does
        self._source, palette = _door(graph, first), _door(graph, colours)
        use, self._sink = graph.add("paletteuse", _USE_PALETTE), graph.add("buffersink")
        self._source.link_to(use, 0, 0)
        palette.link_to(use, 0, 1)
        use.link_to(self._sink)
        graph.configure()
        colours.pts, colours.time_base = 0, _TICK
        palette.push(colours)
        palette.push(None)
        with self._disk_errors():
            self._container = av.open(ffmpeg_name(self._part), "w", format="gif", options={"loop": "0"})
            self._stream = self._container.add_stream("gif", rate=Fraction(FRAME_RATE_HZ, EVERY))
            self._stream.width, self._stream.height, self._stream.pix_fmt = first.width, first.height, "pal8"
        for picture in waiting:
            self._draw(picture)

    def _draw(self, picture: Any) -> None:
        self._source.push(picture)
        self._drain()

    def _drain(self) -> None:
        for drawn in _ready(self._sink):
            drawn.pts, drawn.time_base = self._encoded, Fraction(EVERY, FRAME_RATE_HZ)
            self._encoded += 1
            with self._disk_errors():
                self._container.mux(self._stream.encode(drawn))

    def _finish(self) -> None:
        if self._waiting is not None:
            self._open()
        self._source.push(None)
        self._drain()
        with self._disk_errors():
            self._container.mux(self._stream.encode(None))
            container, self._container = self._container, None
            container.close()
            _add_comment(self._part, self._metadata)

    def _release(self) -> None:
        container, self._container = self._container, None
        close_quietly(container)


def small(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A frame [H, W, 3 or 4] as RGBA that fits into 480 pixels; each pixel wholly there or not at all."""
    height, width = frame.shape[:2]
    scale = min(1.0, LONGEST_PX / max(height, width))
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    if frame.shape[2] == 3:
        resized = frame if scale == 1 else cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
        return np.dstack([resized, np.full(resized.shape[:2], 255, np.uint8)])
    if scale < 1:
        # Hidden colours must not bleed into the edge, so they are weighed by opacity while shrinking.
        weight = frame[..., 3:].astype(np.float32) / 255
        both = cv2.resize(np.dstack([frame[..., :3] * weight, weight]), size, interpolation=cv2.INTER_AREA)
        colours = both[..., :3] / np.maximum(both[..., 3:], 1 / 255)
        frame = np.rint(np.dstack([colours, both[..., 3] * 255]).clip(0, 255)).astype(np.uint8)
    there = frame[..., 3:] >= _OPAQUE
    return np.where(there, np.dstack([frame[..., :3], np.full(frame.shape[:2], 255, np.uint8)]), 0).astype(np.uint8)


def _palette(pictures: list[Any]) -> Any:
    """The 256 colours (one of them transparent) that suit the pictures best, as FFmpeg's 16 x 16 swatch."""
    graph = av.filter.Graph()
    source = _door(graph, pictures[0])
    make, sink = graph.add("palettegen", "reserve_transparent=1:stats_mode=full"), graph.add("buffersink")
    source.link_to(make)
    make.link_to(sink)
    graph.configure()
    for picture in pictures:
        source.push(picture)
    source.push(None)
    return sink.pull()


def _door(graph: Any, picture: Any) -> Any:
    """Where pictures like this one enter a graph."""
    return graph.add_buffer(width=picture.width, height=picture.height, format=picture.format, time_base=_TICK)


def _ready(sink: Any) -> Iterator[Any]:
    while True:
        try:
            yield sink.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return


def _add_comment(path: Path, metadata: Mapping[str, str]) -> None:
    """Put the metadata as a comment, a line a key, before the file's trailer."""
    if not metadata:
        return
    data = "\n".join(f"{key}={value}" for key, value in metadata.items()).encode()
    blocks = b"".join(bytes([len(part)]) + part for part in (data[at : at + 255] for at in range(0, len(data), 255)))
    with path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        if file.read(1) == _TRAILER:
            file.seek(-1, os.SEEK_END)
        file.write(_COMMENT + blocks + b"\0" + _TRAILER)


def gif_metadata(path: str | os.PathLike[str]) -> dict[str, str]:
    """What `GifWriter` was given as metadata; lines of other comments too, if they say key=value."""
    data = Path(path).read_bytes()
    found: dict[str, str] = {}
    for comment in _comments(data):
        pairs = (line.partition("=") for line in comment.decode("utf-8", "replace").splitlines())
        found |= {key: value for key, separator, value in pairs if separator}
    return found


def _comments(data: bytes) -> Iterator[bytes]:
    """The comment extensions of a GIF; ends quietly where the file is cut."""
    if data[:4] != b"GIF8" or len(data) < 13:
        return
    at = 13 + _table_bytes(data[10])
    while at + 1 < len(data):
        if data[at : at + 1] == b"!":
            body, after = _sub_blocks(data, at + 2)
            if data[at : at + 2] == _COMMENT:
                yield body
        elif data[at : at + 1] == b"," and at + 10 < len(data):
            _, after = _sub_blocks(data, at + 11 + _table_bytes(data[at + 9]))
        else:
            return
        at = after


def _table_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _sub_blocks(data: bytes, at: int) -> tuple[bytes, int]:
    """The joined blocks that begin there, and where the next thing begins."""
    parts = []
    while at < len(data) and data[at]:
        parts.append(data[at + 1 : at + 1 + data[at]])
        at += 1 + data[at]
    return b"".join(parts), at + 1
