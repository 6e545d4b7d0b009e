"""Motion to drawn vertices: rig offsets in the face's own frame, lids and lips that meet, and the head turned about the neck.

Same space as head.py. V vertices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from instructavatar.codecs.warp.head import CAMERA_RANGE, Head
from instructavatar.codecs.warp.lids import LidCloser, strip_vertices
from instructavatar.codecs.warp.lips import LipCloser
from instructavatar.codecs.warp.skin import puffed_outline
from instructavatar.codecs.warp.topology import FACE_POINTS, JAW
from instructavatar.face.landmarks import CAMERA_DISTANCE, Landmarks
from instructavatar.face.motion import ACTION_COUNT, INDEX, ROTATION, TRANSLATION, rotation_matrix
from instructavatar.face.rig import Rig

Array = NDArray[np.float32]

# Actions of the jaw bone (a funnel opens it a little), and how much of the way of the skin under the lip the lower teeth go.
JAW_ACTIONS = [INDEX[name] for name in ("jawOpen", "jawForward", "jawLeft", "jawRight", "mouthFunnel")]
JAW_SHARE = 0.95
# A tongue that is put out opens the jaw this much.
TONGUE_OPENS = 0.22
_JAW_OPEN, _CHEEK_PUFF = INDEX["jawOpen"], INDEX["cheekPuff"]
# Degrees drawn per degree asked for, so that the landmark net reads back what was asked (measured on 15 faces): of pitch and yaw for the
# nearest and the farthest camera of head.py, and then of each axis (the sides of the face are flattened, the neck holds a tilted head).
TURN_GAINS = (1.0, 0.9)
AXIS_GAINS = np.array([1.0, 1.1, 1.06])  # pitch, yaw, roll


@dataclass(frozen=True)
class RigidMove:
    """A turn of the head about the neck, seen through the portrait's camera, in the space of head.py."""

    turn: NDArray[np.float64]
    """[3, 3]"""
    pivot: NDArray[np.float64]
    shift: NDArray[np.float64]
    """[2] in pixels of the picture."""
    grow: float
    centre: NDArray[np.float64]
    """[3] what the camera looks at."""
    distance: float
    """Of the camera from the centre, in pixels; nearer cameras draw near parts larger."""

    def __call__(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Moved points [..., 3]."""
        turned = (self._lift(points) - self._lift(self.pivot)) @ self.turn.T + self._lift(self.pivot)
        drawn = turned[..., :2] * (self.distance / (self.distance - turned[..., 2:]))
        base = self.pivot[:2]
        drawn = (drawn + self.centre[:2] - base) * self.grow + base + self.shift
        return np.concatenate([drawn, turned[..., 2:]], -1)

    def _lift(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where points drawn at x, y with depth z are in space, counted from the centre."""
        z = points[..., 2:] - self.centre[2]
        return np.concatenate([(points[..., :2] - self.centre[:2]) * ((self.distance - z) / self.distance), z], -1)


@dataclass(frozen=True)
class DrawnFace:
    """One frame's geometry."""

    vertices: NDArray[np.float64]
    """[V + strips, 3]"""
    skull: RigidMove
    jaw_shift: NDArray[np.float64]
    """[3] how the jaw bone moved before the head turned."""
    offsets: NDArray[np.float64]
    """[468, 3] expression offsets from the portrait's face, before the head turned, in inter-ocular distances and the face's own axes."""


class FacePoser:
    """Poses one portrait's head."""

    def __init__(self, rig: Rig, head: Head, rest: Array, landmarks: Landmarks) -> None:
        """`rest` [58] is the motion the portrait shows, as far as it is believed; `landmarks` is what was measured on it."""
        self.rig, self.head, self.rotation_deg = rig, head, landmarks.rotation_deg.astype(np.float64)
        self.rest_offsets = rig.offsets(rest[:ACTION_COUNT]).astype(np.float64)
        face = head.vertices[:FACE_POINTS].astype(np.float64)
        self.own = (face - head.origin) @ head.frame / head.scale
        self.lids = LidCloser(rig, self.own, rest[:ACTION_COUNT], landmarks.actions)
        self.puffed, self.rest_puff = puffed_outline(self.own), float(rest[_CHEEK_PUFF])
        self.lips = LipCloser(self.own, self.rest_offsets, rest)
        self.jaw_basis = JAW_SHARE * rig.basis[JAW_ACTIONS][:, list(JAW)].mean(1).astype(np.float64)
        self.rest_jaw = rest[JAW_ACTIONS]

    def pose(self, motion: Array) -> DrawnFace:
        """Geometry of one row of motion [58]."""
        motion = motion.copy()
        motion[_JAW_OPEN] = max(motion[_JAW_OPEN], TONGUE_OPENS * motion[INDEX["tongueOut"]])
        offsets = self.rig.offsets(motion[:ACTION_COUNT]).astype(np.float64) - self.rest_offsets
        offsets += (float(motion[_CHEEK_PUFF]) - self.rest_puff) * self.puffed
        offsets, jaw_rise = self.lips(self.lids(offsets, motion), motion)
        head = self.head
        moved = offsets @ head.frame.T * head.scale
        vertices = head.vertices + moved[head.carrier] * head.carried[:, None]
        skull = self._skull(motion)
        vertices = vertices + head.follow * (skull(vertices) - vertices)
        rigid = skull(head.vertices[:FACE_POINTS].astype(np.float64))
        vertices = np.concatenate([vertices, strip_vertices(vertices, rigid, head.scale)])
        jaw = (motion[JAW_ACTIONS] - self.rest_jaw).astype(np.float64) @ self.jaw_basis + np.array([0.0, jaw_rise, 0.0])
        jaw = jaw @ head.frame.T * head.scale
        return DrawnFace(vertices, skull, jaw, offsets)

    def _skull(self, motion: Array) -> RigidMove:
        """Rotation angles add to the portrait's own; z nearer is larger (weak perspective)."""
        start = rotation_matrix(*self.rotation_deg)
        gain = float(np.interp(self.head.camera / self.head.scale, CAMERA_RANGE, TURN_GAINS))
        angles = motion[ROTATION].astype(np.float64) * AXIS_GAINS * np.array([gain, gain, 1.0])
        turn = rotation_matrix(*(self.rotation_deg + angles)) @ start.T
        x, y, z = motion[TRANSLATION].astype(np.float64)
        grow = CAMERA_DISTANCE / (CAMERA_DISTANCE - min(z, 0.5 * CAMERA_DISTANCE))
        head = self.head
        return RigidMove(turn, head.pivot, np.array([x, y]) * head.scale, grow, head.origin, head.camera)
