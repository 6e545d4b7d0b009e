"""The canonical face mesh and the names of its landmarks.

The first 468 of the 478 landmarks are the vertices of this mesh; the last ten are the irises, which it lacks. Right and left are the
subject's own: RIGHT_EYE is at negative x, in the left half of an unmirrored picture. The lists of a pair run in mirrored order (irises
apart), so RIGHT_X[i] and LEFT_X[i] are the same spot on the two sides. The lists follow the edges of Google's face mesh (Apache-2.0);
tests/face/test_mesh.py checks sides, order and symmetry against the mesh itself.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import BadBundle, MissingFile

VERTEX_COUNT = 468
TASK_FILE = Path(__file__).resolve().parents[1] / "weights" / "face_landmarker.task"
_METADATA = "geometry_pipeline_metadata_landmarks.binarypb"
_VERTEX_FLOATS = 5  # x, y, z, u, v

# From the middle of the forehead over the subject's left side to the chin, and back over the right side.
FACE_OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
# Lips run from the subject's right corner (image left) to the left corner; upper and lower share both corners.
LIPS_OUTER_UPPER = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
LIPS_OUTER_LOWER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
LIPS_INNER_UPPER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
LIPS_INNER_LOWER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
# Lid edges run from the outer to the inner eye corner and share both.
RIGHT_EYE_UPPER = (33, 246, 161, 160, 159, 158, 157, 173, 133)
RIGHT_EYE_LOWER = (33, 7, 163, 144, 145, 153, 154, 155, 133)
LEFT_EYE_UPPER = (263, 466, 388, 387, 386, 385, 384, 398, 362)
LEFT_EYE_LOWER = (263, 249, 390, 373, 374, 380, 381, 382, 362)
# Brows run from the outer to the inner end.
RIGHT_BROW_UPPER = (70, 63, 105, 66, 107)
RIGHT_BROW_LOWER = (46, 53, 52, 65, 55)
LEFT_BROW_UPPER = (300, 293, 334, 296, 336)
LEFT_BROW_LOWER = (276, 283, 282, 295, 285)
# Down the bridge to the tip, then the lower rim from the subject's right nostril to the left.
NOSE_BRIDGE = (168, 6, 197, 195, 5, 4, 1)
NOSE_BASE = (98, 97, 2, 326, 327)
NOSE_TIP, CHIN, FOREHEAD = 1, 152, 10
# Irises: centre, image right, up, image left, down; the same image order on both sides.
RIGHT_IRIS = (468, 469, 470, 471, 472)
LEFT_IRIS = (473, 474, 475, 476, 477)
# The outer eye corners (right, left): their distance is the inter-ocular distance of this house.
OUTER_EYE_CORNERS = (33, 263)
MOUTH_CORNERS = (61, 291)
# The 68 points of the dlib / 300-W convention, by nearest landmark: jaw 0-16 (from the subject's right), brows 17-26, nose 27-35, eyes
# 36-47, outer lips 48-59, inner lips 60-67. The jaw line follows the mesh's outline, which lies a little inside theirs.
DLIB_68 = (
    *(127, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 356),
    *(70, 63, 105, 66, 107, 336, 296, 334, 293, 300),
    *(168, 197, 5, 4, 98, 97, 2, 326, 327),
    *(33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),
    *(61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181),
    *(78, 82, 13, 312, 308, 317, 14, 87),
)


@dataclass(frozen=True)
class CanonicalMesh:
    """The neutral face in centimetres: x image-right, y up, z to the viewer, origin inside the head."""

    vertices: NDArray[np.float32]
    """[468, 3] in centimetres."""
    uv: NDArray[np.float32]
    """[468, 2] texture coordinates 0..1."""
    triangles: NDArray[np.int32]
    """[898, 3] vertex indices, counter-clockwise seen from the front; they fill the mouth and the eyes, and end at FACE_OVAL."""
    pose_weights: NDArray[np.float32]
    """[468] how much a vertex counts when the head's pose is fitted; zero for all but 33 steady ones."""

    @property
    def interocular(self) -> float:
        """Distance of the outer eye corners in centimetres."""
        right, left = self.vertices[list(OUTER_EYE_CORNERS)]
        return float(np.linalg.norm(left - right))


@lru_cache(maxsize=4)
def canonical_mesh(task_file: Path = TASK_FILE) -> CanonicalMesh:
    """The mesh stored in the face landmarker's bundle (Apache-2.0)."""
    if not task_file.exists():
        raise MissingFile(f"expected the face nets at {task_file}, got no such file; run tools/build_weights.py --only face")
    with zipfile.ZipFile(task_file) as bundle:
        top = list(_messages(bundle.read(_METADATA)))
    mesh = list(_messages(next(value for number, value in top if number == 1)))
    floats = np.array([value for number, value in mesh if number == 3], np.float32).reshape(-1, _VERTEX_FLOATS)
    triangles = np.array([value for number, value in mesh if number == 4], np.int32).reshape(-1, 3)
    if len(floats) != VERTEX_COUNT:
        raise BadBundle(f"expected {VERTEX_COUNT} mesh vertices in {task_file.name}, got {len(floats)}; build it again")
    return CanonicalMesh(floats[:, :3].copy(), floats[:, 3:].copy(), triangles, _pose_weights(top))


def _pose_weights(top: list[tuple[int, Any]]) -> NDArray[np.float32]:
    """Field 2 of the metadata: pairs (landmark, weight)."""
    weights = np.zeros(VERTEX_COUNT, np.float32)
    for number, value in top:
        if number == 2:
            pair = dict(_messages(value))
            weights[pair[1]] = pair[2]
    return weights


def _messages(data: bytes) -> Iterator[tuple[int, Any]]:
    """(field number, value) of each field of a protocol buffer message: ints, floats, or bytes for strings and messages."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield key >> 3, value
        elif kind == 2:
            size, at = _varint(data, at)
            yield key >> 3, data[at : at + size]
            at += size
        elif kind == 5:
            yield key >> 3, struct.unpack_from("<f", data, at)[0]
            at += 4
        else:
            raise BadBundle(f"expected a known wire type in the face mesh, got {kind}; the face landmarker file is damaged")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A base-128 number and the position after it."""
    result = shift = 0
    while True:
        byte = data[at]
        result |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return result, at


@lru_cache(maxsize=1)
def mirror_index() -> NDArray[np.int64]:
    """[478] the landmark at the same spot of the other side: the nearest vertex to the mirrored one; irises by hand."""
    vertices = canonical_mesh().vertices
    mirrored = vertices * np.array([-1, 1, 1], np.float32)
    distance = np.linalg.norm(mirrored[:, None] - vertices[None], axis=2)
    irises = np.array([473, 476, 475, 474, 477, 468, 471, 470, 469, 472])
    return np.concatenate([distance.argmin(1), irises])
