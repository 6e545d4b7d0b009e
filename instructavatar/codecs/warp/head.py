"""The portrait's head as a mesh: face points with depth, rings that carry hair, ears and neck, and how far each follows the skull.

Space: pixels of the portrait with x right, y UP (so minus the picture's y) and z towards the viewer. V vertices = 468 face points and then
R rings of 36 points. Lengths named _iod are in inter-ocular distances.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from instructavatar.codecs.warp import topology
from instructavatar.codecs.warp.lids import strip_triangles
from instructavatar.codecs.warp.outline import LEAST_GAP_IOD, head_reach
from instructavatar.face import mesh
from instructavatar.face.landmarks import NECK_PIVOT, Landmarks

Array = NDArray[np.float32]

# Rings on the way from the face's outline to where the head's movement ends: as shares of it, denser at the end, so that what lies
# along the picture's border stays straight.
RING_STEPS = np.array([0.05, 0.11, 0.18, 0.26, 0.35, 0.45, 0.55, 0.65, 0.75, 0.84, 0.9, 0.93, 0.955, 0.975, 1.0])
RINGS = len(RING_STEPS)
# Over this distance from the picture's border the movement towards and from it fades; a strip that may be a painted frame stays.
BORDER_IOD, STRIP_IOD = 0.4, 0.02
# How far loose hair reaches beyond the outline that colours tell.
HAZE_IOD = 0.04
# How far from the outline the head is as deep as the middle of the skull: at the sides and the jaw, and over the forehead.
ROUNDING_IOD, CROWN_IOD = 0.8, 1.0
# The steepest the face's sides may be in a front view, depth over width, and where they begin, from the middle.
STEEPEST, SIDE_IOD = 1.3, 0.55
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
    """[V, 3] share of the skull's movement that a vertex takes along each axis, 1 on the face, 0 where the head's movement ends."""
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


def fit_head(landmarks: Landmarks, portrait: NDArray[np.uint8], others: Sequence[Landmarks] = ()) -> Head:
    """Fit the canonical face to the points, take its relief, and grow the rings inside the portrait [H, W, 3].

    The rings end before the heads of `others`.
    """
    height, width = portrait.shape[:2]
    points = picture_points(landmarks)[: topology.FACE_POINTS].astype(np.float64)
    frame, scale_cm, centre = fit_frame(points)
    canonical = mesh.canonical_mesh()
    own = relief_cm()
    scale = scale_cm * canonical.interocular
    # The net's depth is flat and noisy; the canonical relief, turned as the face is, gives the parallax of a real head.
    points[:, 2] = (own @ frame.T)[:, 2] * scale_cm
    face = FaceFrame(frame, scale, points[list(mesh.OUTER_EYE_CORNERS)].mean(0))
    rings, follow, carried = _grow_rings(points, face, portrait, others)
    loop = np.array(mesh.FACE_OVAL)
    strips = strip_triangles(len(points) + RINGS * len(loop))
    return Head(
        vertices=np.concatenate([points, rings.reshape(-1, 3)]).astype(np.float32),
        triangles=np.concatenate([topology.ring_triangles(mesh.FACE_OVAL, RINGS), topology.face_triangles(), strips]),
        follow=np.concatenate([np.ones((len(points), 3)), follow.reshape(-1, 3)]).astype(np.float32),
        carrier=np.concatenate([np.arange(len(points)), np.tile(loop, RINGS)]),
        carried=np.concatenate([np.ones(len(points)), carried.ravel()]).astype(np.float32),
        inset=np.concatenate([_outline_inset(points, frame, scale), np.zeros((RINGS * len(loop), 2))]).astype(np.float32),
        frame=face.frame,
        scale=face.scale,
        origin=face.origin,
        pivot=face.place(PIVOT_IOD),
        camera=scale * float(np.clip(FOCAL * height / scale, *CAMERA_RANGE)),
    )


@lru_cache(maxsize=1)
def relief_cm() -> NDArray[np.float64]:
    """The canonical face [468, 3] in centimetres, its sides no steeper than a picture can bear.

    A front view shows next to nothing of the last stretch before the ears; what it shows would be smeared over a turned head.
    """
    canonical = mesh.canonical_mesh()
    own = canonical.vertices.astype(np.float64)
    first, second = np.concatenate([canonical.triangles[:, [a, b]] for a, b in ((0, 1), (1, 2), (2, 0), (1, 0), (2, 1), (0, 2))]).T
    fall = STEEPEST * np.linalg.norm(own[first, :2] - own[second, :2], axis=1)
    side = np.abs(own[second, 0]) > SIDE_IOD * canonical.interocular
    first, second, fall = first[side], second[side], fall[side]
    for _ in range(8):  # rows of points from the cheek to the outline
        np.maximum.at(own[:, 2], second, own[first, 2] - fall)
    return own


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


def _grow_rings(
    points: NDArray[np.float64], face: FaceFrame, portrait: NDArray[np.uint8], others: Sequence[Landmarks]
) -> tuple[NDArray[np.float64], ...]:
    """Rings [R, 36, 3], their share of the skull's movement [R, 36, 3], and of their face point's expression [R, 36]."""
    height, width = portrait.shape[:2]
    oval = points[list(mesh.FACE_OVAL)]
    own = (oval - face.origin) @ face.frame / face.scale  # in the face's own frame
    outward = own[:, :2] - np.array([0.0, -0.35])
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    up, down = np.clip(outward[:, 1], 0, 1), np.clip(-outward[:, 1], 0, 1)
    roll = face.frame[:2, 0] / np.linalg.norm(face.frame[:2, 0])
    turned = np.stack([outward @ np.array([roll[0], -roll[1]]), outward @ np.array([roll[1], roll[0]])], 1)
    room = _room(oval[:, :2], turned, height, width) / face.scale
    flip = np.array([1.0, -1.0])
    reach = head_reach(portrait, oval[:, :2] * flip, turned * flip, face.scale)
    stays = 0.35 + 0.35 * up - 0.35 * down  # follows fully up to here ...
    stays = np.maximum(stays, (reach + HAZE_IOD) * (1.0 - _smooth((down - 0.1) / 0.3)))
    ends = np.maximum(1.6 + 0.5 * up + 0.1 * down, stays + 1.0)  # ... and not at all from here
    ends = np.minimum(ends, _way_to_others(oval[:, :2] * flip, turned * flip, others) / face.scale)
    stays = np.minimum(stays, 0.6 * ends)
    # Beside one that ends within the picture, a ray may not slide along the border, or the picture would tear between them.
    free = ends <= room
    last = (np.roll(free, 1) | np.roll(free, -1)) & (room > 0.0)
    ends = np.where(last, np.minimum(ends, room), ends)
    stays = np.minimum(stays, 0.6 * ends)
    pinned = _smooth(room / BORDER_IOD)
    distance = RING_STEPS[:, None] * (ends + pinned * (np.minimum(ends, room) - ends))
    rings = np.empty((RINGS, len(oval), 3))
    rings[..., :2] = oval[None, :, :2] + face.scale * distance[..., None] * turned
    _reach_corners(rings[-1], (pinned == 1.0) & (room < ends), height, width)
    neck = _smooth((down - 0.2) / 0.4)[:, None]
    middle = face.place(SKULL_IOD)[2] * (1 - neck[:, 0]) + face.place(NECK_IOD)[2] * neck[:, 0]
    behind = _smooth(distance / (ROUNDING_IOD + (CROWN_IOD - ROUNDING_IOD) * up))
    rings[..., 2] = oval[:, 2] * (1 - behind) + middle * behind
    follow = 1.0 - _smooth((distance - stays) / (ends - stays))
    # What touches the picture's border stays at it: nothing is known beyond. It may slide along.
    size = np.array([width - 1.0, height - 1.0])
    place = rings[..., :2] * flip
    edge = np.minimum(place, size - place) / face.scale - STRIP_IOD
    # Where there is background between head and border, it gives way rather than the hair.
    gap = np.where(
        (reach < room - LEAST_GAP_IOD / 2) & (down == 0.0), np.clip(room - reach - HAZE_IOD - STRIP_IOD, HAZE_IOD, BORDER_IOD), BORDER_IOD
    )
    kept = 1.0 + pinned[:, None] * (_smooth(edge / gap[:, None]) - 1.0)
    carried = np.exp(-((distance / 0.45) ** 2)) * kept.min(-1)
    carried[-1] = 0.0
    return rings, follow[..., None] * np.concatenate([kept, np.ones_like(kept[..., :1])], -1), carried


def _way_to_others(places: NDArray[np.float64], directions: NDArray[np.float64], others: Sequence[Landmarks]) -> NDArray[np.float64]:
    """Pixels [N] from places [N, 2] along unit directions (y down) to the line halfway to another face; infinite where there is none."""
    way = np.full(len(places), np.inf)
    for other in others:
        points = other.points[:, :2].astype(np.float64)
        towards = points.mean(0) - places.mean(0)
        towards /= max(float(np.linalg.norm(towards)), 1e-6)
        halfway = (float((places @ towards).max()) + float((points @ towards).min())) / 2
        speed = directions @ towards
        way = np.where(speed > 1e-3, np.minimum(way, (halfway - places @ towards) / np.maximum(speed, 1e-3)), way)
    return np.maximum(way, 0.0)


def _room(places: NDArray[np.float64], directions: NDArray[np.float64], height: int, width: int) -> NDArray[np.float64]:
    """Pixels [N] from places [N, 2] along unit directions (y up) to the picture's border; negative outside."""
    sizes = np.array([width - 1.0, height - 1.0])
    at, way = places * [1.0, -1.0], directions * [1.0, -1.0]
    ahead = np.where(way > 0, sizes - at, at) / np.maximum(np.abs(way), 1e-6)
    return np.asarray(ahead.min(1))


def _reach_corners(outermost: NDArray[np.float64], at_border: NDArray[np.bool_], height: int, width: int) -> None:
    """Where two neighbours [N, 3] lie on two sides of the picture, move one into the corner, so that no triangle cuts it off."""
    corners = np.array([[x, y] for x in (0.0, width - 1.0) for y in (0.0, 1.0 - height)])
    for one in range(len(outermost)):
        pair = [one - 1, one]
        if at_border[pair].all() and (np.abs(np.diff(outermost[pair, :2], axis=0)) > 0.5).all():
            away = np.abs(outermost[pair, None, :2] - corners).sum(-1)
            nearest, corner = np.unravel_index(away.argmin(), away.shape)
            outermost[pair[int(nearest)], :2] = corners[corner]
