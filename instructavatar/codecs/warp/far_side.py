"""The far side of a turned face: where it comes into view, the near side's mirror image fills in what the portrait hardly shows.

V vertices of head.py, the face's 468 and the rings'; boxes and pictures are in pixels of the drawn box.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from instructavatar.codecs.warp import kernels
from instructavatar.codecs.warp.head import INSET_IOD, RINGS, Head, relief_cm
from instructavatar.codecs.warp.topology import EYES, FACE_POINTS
from instructavatar.face import mesh

Array = NDArray[np.float32]

# Sines of the portrait's turn from which it has a far side, and from which that is hidden in full.
LEAST_TURN, FULL_TURN = 0.12, 0.3
# Facing (1 looks at the camera, 0 is seen edge on) below which a place is seen badly, how much better its mirror place must be seen, and
# over how much each sets in.
BADLY, BETTER, SETS_IN = 0.6, 0.1, 0.25
# Lighter filling is left out (kernels.fill).
LEAST_WEIGHT = 0.6
# Light is compared over this distance.
LIGHT_IOD = 0.07
# Where both sides face the camera more than this, the difference between their colours is believed, up to so many grey levels.
KNOWN, MOST_LIGHT = 0.45, 60.0
# The part of the face, from its middle, whose colours are compared.
SKIN = 0.93
# So far inside the near side's outline the filling of the far one is taken.
INWARDS_IOD = 0.05
# Degrees of turning back after which the filling is whole.
FULL_DEG = 8.0
# Around eyes and lips the portrait's own pixels stay: the sides of a face look and smile differently.
KEEP_IOD = 0.1
NOSE = (*mesh.NOSE_BRIDGE, *mesh.NOSE_BASE)


@dataclass(frozen=True)
class FarSide:
    """What fills the far side of one portrait."""

    triangles: NDArray[np.int32]
    """[K] numbers of the head's triangles that have any filling."""
    values: Array
    """[V, 6] for each vertex: x, y of its mirror place in the box, weight 0..1, and what to add to red, green and blue there."""
    back: float
    """+1 or -1: the sign of the yaw that brings it into view."""

    def draw(
        self, out: NDArray[np.uint8], packed: NDArray[np.uint64], owner: NDArray[np.int16], points: Array, head: Head, yaw: float
    ) -> None:
        """Fill what a turn by `yaw` degrees from the portrait shows of it.

        `packed` is the portrait's box (kernels.pack), points [V.., 3] are the drawn vertices in it.
        """
        amount = float(np.clip(self.back * yaw / FULL_DEG, 0.0, 1.0))
        if amount > 0.0:
            amount *= amount * (3.0 - 2.0 * amount)
            kernels.fill(out, packed, owner, points, head.triangles, self.triangles, self.values, np.float32(amount))


def build_far_side(inside: NDArray[np.uint8], head: Head, offset: NDArray[np.float64]) -> FarSide | None:
    """The filling of a portrait's far side; None for a face that looks straight ahead. offset [2] is the box's corner in the portrait."""
    looks = float(head.frame[0, 2])
    if abs(looks) < LEAST_TURN:
        return None
    facing, twin = _facing(head), _twins()
    weight = _smooth((BADLY - facing) / SETS_IN) * _smooth((facing[twin[:FACE_POINTS]] - facing - BETTER) / SETS_IN)
    # Along the outline the landmarks may lie on what is behind the head.
    outline = np.linalg.norm(head.inset[:FACE_POINTS], axis=1) / (INSET_IOD * head.scale)
    weight = np.maximum(weight, _smooth(4.0 * outline) * _smooth((facing[twin[:FACE_POINTS]] - facing) / SETS_IN))
    weight *= _smooth(np.array((abs(looks) - LEAST_TURN) / (FULL_TURN - LEAST_TURN)))
    weight *= _smooth((_from_features(head) - KEEP_IOD) / KEEP_IOD)
    weights = np.concatenate([weight, np.zeros(len(head.vertices) - FACE_POINTS)])
    if weights.max() <= LEAST_WEIGHT:
        return None
    places = head.vertices[:, :2].astype(np.float64) * [1.0, -1.0] - offset
    known = _smooth((np.minimum(facing, facing[twin[:FACE_POINTS]]) - KNOWN) / SETS_IN) * (1.0 - _smooth(2.0 * outline))
    light = _light_difference(inside, places[:FACE_POINTS], twin[:FACE_POINTS], known, head)
    # The near side's outline lies on ear and hair as often as on the cheek.
    loop = np.array(mesh.FACE_OVAL)
    inwards = places[loop].mean(0) - places[loop]
    places[loop] += INWARDS_IOD * head.scale * inwards / np.maximum(np.linalg.norm(inwards, axis=1, keepdims=True), 1e-9)
    values = np.concatenate([places[twin], weights[:, None], light[head.carrier]], 1).astype(np.float32)
    corners = head.triangles[: 2 * RINGS * len(mesh.FACE_OVAL) + len(mesh.canonical_mesh().triangles)]
    used = np.flatnonzero(weights[corners].max(1) > LEAST_WEIGHT).astype(np.int32)
    return FarSide(used, values, -np.sign(looks))


def _smooth(t: NDArray[np.float64]) -> NDArray[np.float64]:
    t = np.clip(t, 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def _twins() -> NDArray[np.int64]:
    """[V] the vertex on the other side of the face."""
    face = np.asarray(mesh.mirror_index(), np.int64)[:FACE_POINTS]
    loop = np.array(mesh.FACE_OVAL)
    across = np.array([int(np.flatnonzero(loop == face[point])[0]) for point in loop])
    return np.concatenate([face, *(FACE_POINTS + ring * len(loop) + across for ring in range(RINGS))])


def _facing(head: Head) -> NDArray[np.float64]:
    """[468] how much the face's surface looks at the camera, 1 straight at it, negative away."""
    own, triangles = relief_cm(), mesh.canonical_mesh().triangles
    a, b, c = (own[triangles[:, k]] for k in range(3))
    flat = np.cross(b - a, c - a)
    flat *= np.sign(flat[:, 2:] + 1e-12)  # outwards
    normals = np.zeros_like(own)
    for k in range(3):
        np.add.at(normals, triangles[:, k], flat)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    return np.asarray((normals @ head.frame.T)[:, 2])


def _from_features(head: Head) -> NDArray[np.float64]:
    """[468] distance from the eyes' and lips' outlines in the face's own frame, in inter-ocular distances."""
    own = relief_cm()[:, :2] / mesh.canonical_mesh().interocular
    features = [*(point for eye in EYES for point in (*eye.upper, *eye.lower)), *mesh.LIPS_OUTER_UPPER, *mesh.LIPS_OUTER_LOWER, *NOSE]
    return np.asarray(np.linalg.norm(own[:, None] - own[None, features], axis=-1).min(1))


def _light_difference(
    inside: NDArray[np.uint8], places: NDArray[np.float64], twin: NDArray[np.int64], known: NDArray[np.float64], head: Head
) -> NDArray[np.float64]:
    """[468, 3] colour of each place less that of its mirror place: measured where both are seen, spread over the mesh elsewhere."""
    shrink = min(2.0 / (LIGHT_IOD * head.scale), 1.0)  # two pixels of the small picture
    size = [max(round(side * shrink), 1) for side in (inside.shape[1], inside.shape[0])]
    small = cv2.resize(inside, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    # Only skin counts: what is behind the head must not shine through.
    face = np.zeros(small.shape[:2], np.float32)
    middle = places.mean(0)
    hull = cv2.convexHull(((middle + SKIN * (places - middle)) * shrink).astype(np.float32))
    cv2.fillPoly(face, [np.rint(hull).astype(np.int32)], (1.0,))
    sigma = max(LIGHT_IOD * head.scale * shrink, 0.5)
    share = cv2.GaussianBlur(face, (0, 0), sigma)[..., None]
    soft = (cv2.GaussianBlur(small * face[..., None], (0, 0), sigma) / np.maximum(share, 1e-3)).astype(np.float64)
    at = np.floor((places + 0.5) * size / [inside.shape[1], inside.shape[0]]).astype(int)
    colours = soft[at[:, 1].clip(0, size[1] - 1), at[:, 0].clip(0, size[0] - 1)]
    known = np.minimum(known + 1e-6, 1.0)[:, None]
    measured = np.clip(colours - colours[twin], -MOST_LIGHT, MOST_LIGHT)
    near = np.zeros((len(places), len(places)))
    for a, b in ((0, 1), (1, 2), (2, 0)):
        triangles = mesh.canonical_mesh().triangles
        near[triangles[:, a], triangles[:, b]] = near[triangles[:, b], triangles[:, a]] = 1.0
    near /= np.maximum(near.sum(1, keepdims=True), 1.0)
    light = measured * known
    for _ in range(60):
        light = known * measured + (1.0 - known) * (near @ light)
    return light
