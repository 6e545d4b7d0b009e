"""Which way up a picture file stands: the orientation mark of its EXIF block.

Orientation values are those of EXIF 2.3, tag 0x0112: 1 upright, 2 mirrored, 3 upside down, 6 and 8 turned by 90 degrees, ...
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

_TAG_ORIENTATION = 0x0112
_JPEG_APP1 = 0xE1
_JPEG_SCAN = 0xDA


def orientation_of(data: bytes) -> int:
    """The orientation 1..8 of a JPEG, PNG, WebP or TIFF file's bytes; 1 if there is no mark or it cannot be read."""
    try:
        value = _tiff_orientation(_exif_block(data))
    except (struct.error, IndexError):
        return 1
    return value if 1 <= value <= 8 else 1


def turned_upright(picture: NDArray[np.generic], orientation: int) -> NDArray[np.generic]:
    """The picture [H, W] or [H, W, C] as its orientation mark means it to be seen."""
    if orientation in (5, 6, 7, 8):
        picture = picture.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        picture = picture[:, ::-1]
    if orientation in (3, 4, 7, 8):
        picture = picture[::-1]
    return np.ascontiguousarray(picture)


def _exif_block(data: bytes) -> bytes:
    """The TIFF structure that holds the tags; empty if there is none."""
    if data[:2] == b"\xff\xd8":
        return _from_jpeg(data)
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return _from_chunks(data, 8, ">", b"eXIf", name_first=False, trailer=4)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        block = _from_chunks(data, 12, "<", b"EXIF", name_first=True, trailer=0)
        return block.removeprefix(b"Exif\0\0")
    return data if data[:4] in (b"II*\0", b"MM\0*") else b""


def _from_jpeg(data: bytes) -> bytes:
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != _JPEG_SCAN:
        (size,) = struct.unpack_from(">H", data, at + 2)
        body = data[at + 4 : at + 2 + size]
        if data[at + 1] == _JPEG_APP1 and body.startswith(b"Exif\0\0"):
            return body[6:]
        at += 2 + size
    return b""


def _from_chunks(data: bytes, at: int, order: str, wanted: bytes, name_first: bool, trailer: int) -> bytes:
    """The body of the first chunk of that name; chunks are (size, name) or (name, size), then the body."""
    while at + 8 <= len(data):
        name = data[at : at + 4] if name_first else data[at + 4 : at + 8]
        (size,) = struct.unpack_from(order + "I", data, at + 4 if name_first else at)
        if name == wanted:
            return data[at + 8 : at + 8 + size]
        at += 8 + size + trailer + (size % 2 if name_first else 0)
    return b""


def _tiff_orientation(block: bytes) -> int:
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None:
        return 1
    (directory,) = struct.unpack_from(order + "I", block, 4)
    (entries,) = struct.unpack_from(order + "H", block, directory)
    for i in range(entries):
        tag, _, _, value = struct.unpack_from(order + "HHIH", block, directory + 2 + 12 * i)
        if tag == _TAG_ORIENTATION:
            return int(value)
    return 1
