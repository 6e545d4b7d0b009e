"""Pictures -> PNG with text in it, and a folder of such frames.

Text stands in iTXt chunks (PNG 1.2, section 4.2.3.3), one a key, before the pixels.
"""

from __future__ import annotations

import os
import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import CannotWrite
from instructavatar.media.files import cannot_write, folder_beside, written_beside
from instructavatar.media.frame_writer import FrameWriter

PATTERN = re.compile(r"%0?\d*d")
DEFAULT_NAME = "%05d.png"
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER_BYTES = 8 + 25  # the signature and IHDR
# Strong compression costs 40 ms a 512 x 512 frame and saves 5 %.
_COMPRESSION = [cv2.IMWRITE_PNG_COMPRESSION, 1]


def encoded_png(picture: NDArray[np.uint8], text: Mapping[str, str] | None = None) -> bytes:
    """A PNG file of uint8 [H, W, 3 or 4] with that text."""
    order = cv2.COLOR_RGB2BGR if picture.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
    data = cv2.imencode(".png", cv2.cvtColor(picture, order), _COMPRESSION)[1].tobytes()
    chunks = b"".join(_text_chunk(key, value) for key, value in (text or {}).items())
    return data[:_HEADER_BYTES] + chunks + data[_HEADER_BYTES:]


def write_png(path: str | os.PathLike[str], picture: NDArray[np.uint8], text: Mapping[str, str] | None = None) -> Path:
    """Write a picture, uint8 [H, W, 3 or 4], beside the target and rename it."""
    with written_beside(path) as part:
        part.write_bytes(encoded_png(picture, text))
    return Path(path)


def png_metadata(path: str | os.PathLike[str]) -> dict[str, str]:
    """The uncompressed texts of a PNG file; empty for another file."""
    found: dict[str, str] = {}
    for name, body in _chunks(Path(path).read_bytes()):
        key, _, rest = body.partition(b"\0")
        if name == b"iTXt" and rest[:1] == b"\0":
            found[key.decode("latin-1")] = rest[2:].split(b"\0", 2)[-1].decode("utf-8", "replace")
        elif name == b"tEXt":
            found[key.decode("latin-1")] = rest.decode("latin-1")
    return found


def _text_chunk(key: str, value: str) -> bytes:
    # keyword, its end, not compressed, no method, no language, no translated keyword
    body = b"iTXt" + key.encode("latin-1", "replace") + b"\0\0\0\0\0" + value.encode()
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE) if data.startswith(_SIGNATURE) else len(data)
    while at + 8 <= len(data):
        (size,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        at += 12 + size


def frame_places(path: str | os.PathLike[str]) -> tuple[Path, str]:
    """Folder and name pattern of frames: `DIR` stands for DIR/%05d.png, else the last part holds the number's place.

    >>> [str(part) for part in frame_places("out/frame_%04d.png")], [str(part) for part in frame_places("out")]
    (['out', 'frame_%04d.png'], ['out', '%05d.png'])
    """
    target = Path(path)
    return (target.parent, target.name) if PATTERN.search(target.name) else (target, DEFAULT_NAME)


def frames_in(path: str | os.PathLike[str]) -> list[Path]:
    """The frames that are already there under such names, in their order."""
    folder, pattern = frame_places(path)
    before, after = PATTERN.split(pattern, maxsplit=1)
    name = re.compile(re.escape(before) + r"\d+" + re.escape(after))
    return sorted(one for one in folder.iterdir() if name.fullmatch(one.name)) if folder.is_dir() else []


def refuse_earlier(path: str | os.PathLike[str]) -> None:
    """Refuse a place with frames: a shorter clip would leave the last ones of an older one behind it."""
    earlier = frames_in(path)
    if earlier:
        raise CannotWrite(
            f"expected a folder without frames of an earlier video, got {len(earlier)} of them such as '{earlier[0]}'; "
            "remove them or choose another name"
        )


class PngWriter(FrameWriter):
    """Frames as numbered PNG files, from 0 on; they appear together, when the block ends well."""

    def __init__(self, path: str | os.PathLike[str], metadata: Mapping[str, str] | None = None) -> None:
        """`path` as in `frame_places`; every frame carries the metadata."""
        self.folder, self._pattern = frame_places(path)
        self._metadata = dict(metadata or {})
        self._encoded = 0
        super().__init__(path)

    def _placed(self) -> AbstractContextManager[Path]:
        return self._moved_in()

    @contextmanager
    def _moved_in(self) -> Iterator[Path]:
        refuse_earlier(self.path)
        with folder_beside(self.folder) as part:
            yield part
            moved: list[Path] = []
            try:
                for frame in sorted(part.iterdir()):
                    moved.append(self.folder / frame.name)
                    os.replace(frame, moved[-1])
            except BaseException:
                for frame in moved:
                    with suppress(OSError):
                        frame.unlink(missing_ok=True)
                raise

    def _encode(self, frame: NDArray[np.uint8]) -> None:
        data = encoded_png(frame, self._metadata)
        try:
            (self._part / (self._pattern % self._encoded)).write_bytes(data)
        except OSError as error:
            raise cannot_write(self.path, error) from error
        self._encoded += 1

    def _finish(self) -> None:
        """Nothing is left to write."""
