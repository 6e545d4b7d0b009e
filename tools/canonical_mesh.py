"""The canonical face mesh inside face_landmarker.task (Apache-2.0): 468 vertices and 898 triangles, read from its protocol buffer."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Field = int | float | bytes


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def _fields(data: bytes) -> Iterator[tuple[int, Field]]:
    """(field number, value) of one protocol buffer message."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        if kind == 2:
            size, at = _varint(data, at)
            yield key >> 3, data[at : at + size]
        else:
            size = 4 if kind == 5 else 8
            yield key >> 3, struct.unpack("<f" if kind == 5 else "<d", data[at : at + size])[0]
        at += size


def canonical_mesh(task: Path) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Vertices [468, 3] (centimetres, x image-right, y up, z to the viewer) and triangles [898, 3]."""
    with zipfile.ZipFile(task) as archive:
        data = archive.read("geometry_pipeline_metadata_landmarks.binarypb")
    mesh = next(value for number, value in _fields(data) if number == 1 and isinstance(value, bytes))
    pairs = list(_fields(mesh))
    vertices = np.array([value for number, value in pairs if number == 3], np.float32).reshape(-1, 5)[:, :3]
    return vertices, np.array([value for number, value in pairs if number == 4], np.int32).reshape(-1, 3)


def mirror_map(vertices: NDArray[np.float32]) -> NDArray[np.int64]:
    """For each vertex the one on the other side of the face, [468]."""
    mirrored = vertices * np.array([-1, 1, 1], np.float32)
    return np.linalg.norm(vertices[None] - mirrored[:, None], axis=-1).argmin(1)
