"""The portrait's head as a mesh: face points with depth, rings that carry hair, ears and neck, and how far each follows the skull.

Space: pixels of the portrait with x right, y UP (so minus the picture's y) and z towards the viewer. V vertices = 468 face points and then
R rings of 36 points. Lengths named _iod are in inter-ocular distances.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from instructavatar.codecs.warp import topology
from instructavatar.codecs.warp.lids import strip_triangles
from instructavatar.face import mesh
from instructavatar.face.landmarks import NECK_PIVOT, Landmarks

Array = NDArray[np.float32]

RINGS = 7
# Over this distance from the picture's border the head's movement fades.
BORDER_IOD = 0.3
# How far inside the outline the far side of a turned face finds its colours once it comes into view, and between which sines of the
# portrait's turn this sets in.
INSET_IOD, HIDDEN = 0.042, (0.1, 0.25)
# Places in the face's own frame (origin between the outer eye corners), in inter-ocular distances (9 cm). The skull's outline lies in
# the plane of its middle.
PIVOT_IOD = np.array(NECK_PIVOT)
SKULL_IOD = np.array([0.0, 0.2, -0.95])
# The landmark net's camera sees 63 degrees of a picture's height; a portrait's true lens is longer, so very near cameras are not believed.
FOCAL = 0.816
CAMERA_RANGE = (5.0, 10.0)
NECK_IOD = np.array([0.0, -1.6, -0.85])


@dataclass(frozen=True)
class FaceFrame:
    """Where the face's own axes lie in the picture."""

    frame: NDArray[np.float64]
    """[3, 3] rotation from the face's own axes to the picture's."""
    scale: float
    """Pixels in an inter-ocular distance."""
    origin: NDArray[np.float64]
    """[3] the point between the outer eye corners."""

    def place(self, point_iod: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points [..., 3] of the face's own frame in the space of this file."""
        return self.origin + self.scale * point_iod @ self.frame.T


@dataclass(frozen=True)
class Head(FaceFrame):
    """One portrait's head."""

    vertices: Array
    """[V, 3] in the space of this file."""
    triangles: NDArray[np.int32]
    """[F, 3] over the vertices and, after them, those of the lids' strips (lids.py)."""
    follow: Array
    """[V] share of the skull's movement that a vertex takes, 1 on the face, 0 on the outermost ring."""
    carrier: NDArray[np.int64]
    """[V] the face point whose expression offset a vertex takes (itself on the face)."""
    carried: Array
    """[V] how much of it."""
    inset: Array
    """[V, 2] where a vertex on the face's outline looks in the portrait once the head has turned, from its own place: inwards, so that no
    background shows on a cheek that turns into view."""
    pivot: NDArray[np.float64]
    """[3] where the neck turns."""
    camera: float
    """Distance of the portrait's camera from the face in pixels."""


def picture_points(landmarks: Landmarks) -> Array:
    """All 478 points with y up and z towards the viewer."""
    return landmarks.points * np.array([1, -1, -1], np.float32)


def fit_head(landmarks: Landmarks, height: int, width: int) -> Head:
    """Fit the canonical face to the points, take its relief, and grow the rings inside a picture of that size."""
    points = picture_points(landmarks)[: topology.FACE_POINTS].astype(np.float64)
    frame, scale_cm, centre = fit_frame(points)
    canonical = mesh.canonical_mesh()
    own = canonical.vertices.astype(np.float64)
    scale = scale_cm * canonical.interocular
    # The net's depth is flat and noisy; the canonical relief, turned as the face is, gives the parallax of a real head.
    points[:, 2] = (own @ frame.T)[:, 2] * scale_cm
    face = FaceFrame(frame, scale, points[list(mesh.OUTER_EYE_CORNERS)].mean(0))
    rings, follow, carried = _grow_rings(points, face, height, width)
    loop = np.array(mesh.FACE_OVAL)
    strips = strip_triangles(len(points) + RINGS * len(loop))
    return Head(
        vertices=np.concatenate([points, rings.reshape(-1, 3)]).astype(np.float32),
        triangles=np.concatenate([topology.ring_triangles(mesh.FACE_OVAL, RINGS), topology.face_triangles(), strips]),
        follow=np.concatenate([np.ones(len(points)), follow.ravel()]).astype(np.float32),
        carrier=np.concatenate([np.arange(len(points)), np.tile(loop, RINGS)]),
        carried=np.concatenate([np.ones(len(points)), carried.ravel()]).astype(np.float32),
        inset=np.concatenate([_outline_inset(points, frame, scale), np.zeros((RINGS * len(loop), 2))]).astype(np.float32),
        frame=face.frame,
        scale=face.scale,
        origin=face.origin,
        pivot=face.place(PIVOT_IOD),
        camera=scale * float(np.clip(FOCAL * height / scale, *CAMERA_RANGE)),
    )


def fit_frame(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], float, NDArray[np.float64]]:
    """(rotation [3, 3], pixels per centimetre, centre [3]) of the canonical face under a weak-perspective camera.

    Only x and y are trusted. The steady points of the landmark net count most; the others keep odd faces upright.
    """
    canonical = mesh.canonical_mesh()
    weights = canonical.pose_weights.astype(np.float64)
    weights = weights / weights.sum() + 0.25 / len(weights)
    weights /= weights.sum()
    own = canonical.vertices.astype(np.float64)
    own_centre, centre = weights @ own, weights @ points
    a, b = own - own_centre, (points - centre)[:, :2]
    rows = np.linalg.solve((a * weights[:, None]).T @ a, (a * weights[:, None]).T @ b).T  # [2, 3]
    u, stretch, vt = np.linalg.svd(rows, full_matrices=False)
    two = u @ vt
    rotation = np.stack([two[0], two[1], np.cross(two[0], two[1])])
    return rotation, float(stretch.mean()), centre


def _outline_inset(points: NDArray[np.float64], frame: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    """Inward steps [468, 2] (y up) of the points along the outline of a turned face's far side."""
    far = frame[:2, 2]  # where the face looks: its far side lies there in the picture
    turned = np.clip((np.linalg.norm(far) - HIDDEN[0]) / (HIDDEN[1] - HIDDEN[0]), 0.0, 1.0)
    hull = cv2.convexHull(points[:, :2].astype(np.float32))[:, 0].astype(np.float64)
    along = np.roll(hull, -1, axis=0) - hull
    outward = np.stack([along[:, 1], -along[:, 0]], 1) / np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    outward *= np.sign(np.sum(outward * (hull - hull.mean(0)), axis=1))[:, None]
    depth = np.einsum("ek,vek->ve", outward, hull[None] - points[:, None, :2])  # inside an edge, pixels
    side = np.clip(outward @ far / max(float(np.linalg.norm(far)), 1e-9), 0.0, 1.0)
    push = turned * side * np.maximum(INSET_IOD * scale - depth, 0.0)
    most = push.argmax(1)
    return -outward[most] * push[np.arange(len(points)), most][:, None]


def _smooth(t: NDArray[np.float64]) -> NDArray[np.float64]:
    t = np.clip(t, 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def _grow_rings(points: NDArray[np.float64], face: FaceFrame, height: int, width: int) -> tuple[NDArray[np.float64], ...]:
    """Rings [R, 36, 3], their share of the skull's movement [R, 36] and of their face point's expression [R, 36]."""
    oval = points[list(mesh.FACE_OVAL)]
    own = (oval - face.origin) @ face.frame / face.scale  # in the face's own frame
    outward = own[:, :2] - np.array([0.0, -0.35])
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    up, down = np.clip(outward[:, 1], 0, 1), np.clip(-outward[:, 1], 0, 1)
    stays = 0.35 + 0.35 * up - 0.35 * down  # follows fully up to here ...
    ends = 1.6 + 0.5 * up + 0.1 * down  # ... and not at all from here
    steps = np.array([0.1, 0.22, 0.37, 0.55, 0.73, 0.88, 1.0])[:, None]
    distance = steps * ends
    roll = face.frame[:2, 0] / np.linalg.norm(face.frame[:2, 0])
    turned = np.stack([outward @ np.array([roll[0], -roll[1]]), outward @ np.array([roll[1], roll[0]])], 1)
    rings = np.empty((RINGS, len(oval), 3))
    rings[..., :2] = oval[None, :, :2] + face.scale * distance[..., None] * turned
    middle = np.where(outward[:, 1] < -0.3, face.place(NECK_IOD)[2], face.place(SKULL_IOD)[2])
    reach = _smooth(distance / 0.45)
    rings[..., 2] = oval[:, 2] * (1 - reach) + middle * reach
    follow = 1.0 - _smooth((distance - stays) / (ends - stays))
    follow[-1] = 0.0
    edge = np.minimum.reduce([rings[..., 0], width - 1 - rings[..., 0], -rings[..., 1], height - 1 + rings[..., 1]]) / face.scale
    # What touches the picture's border stays there: nothing is known beyond it.
    follow *= _smooth(edge / BORDER_IOD)
    carried = np.exp(-((distance / 0.45) ** 2)) * _smooth(edge / BORDER_IOD)
    carried[-1] = 0.0
    return rings, follow, carried
