"""The default codec: the portrait itself, warped by the rig, with true openings for lids and lips. No training.

Works on photos, paintings, drawings and statues alike, at the portrait's own resolution. Only a box around head and shoulders is drawn
anew; the rest of the picture is copied.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from instructavatar.codecs.base import Appearance, Codec, checked_motion, checked_portrait, measured_motion
from instructavatar.codecs.warp import kernels
from instructavatar.codecs.warp.eyes import Eyeball, build_eyeballs, draw_eyeball
from instructavatar.codecs.warp.far_side import FarSide, build_far_side
from instructavatar.codecs.warp.head import Head, fit_head
from instructavatar.codecs.warp.lids import strip_vertices
from instructavatar.codecs.warp.mouth import Mouth, build_mouth, draw_mouth
from instructavatar.codecs.warp.opacity import Opacity
from instructavatar.codecs.warp.pose import DrawnFace, FacePoser
from instructavatar.codecs.warp.skin import LitSkin, Skin, build_skin
from instructavatar.codecs.warp.tongue import Tongue, build_tongue, draw_tongue
from instructavatar.codecs.warp.topology import FACE_POINTS
from instructavatar.face.landmarks import Landmarks
from instructavatar.face.motion import INDEX, MOTION_DIM, ROTATION
from instructavatar.face.rig import Rig

# Turn of the head from which on outlines look inwards in full.
FULL_INSET_DEG = 12.0
# How far the mirror image continues a face that the picture's border cuts: skin and hair, but not a second eye.
FOLD_IOD = 0.08


@dataclass(frozen=True)
class WarpAppearance(Appearance):
    """A portrait ready to be moved."""

    box: tuple[int, int, int, int]
    """x0, y0, x1, y1 of what can move, in pixels of the portrait."""
    head: Head
    poser: FacePoser
    eyes: list[Eyeball]
    mouth: Mouth
    tongue: Tongue
    far_side: FarSide | None
    skin: Skin


class WarpCodec(Codec):
    """Mesh warp with eyeballs and mouth; `motion_dim` is that of FaceMotion."""

    motion_dim = MOTION_DIM

    def __init__(self, rig: Rig | Path | str | None = None) -> None:
        """`rig` may be a loaded rig or a file; by default the one that ships."""
        self.rig = rig if isinstance(rig, Rig) else Rig.load(rig)

    @classmethod
    def load(cls, rig: Path | str | None = None) -> WarpCodec:
        """The codec with a rig file, by default the one that ships."""
        return cls(rig)

    def encode_appearance(
        self, portrait: NDArray[np.uint8], landmarks: Landmarks, rest: NDArray[np.float32], others: Sequence[Landmarks] = ()
    ) -> WarpAppearance:
        """Mesh, eyeballs and mouth of one portrait (tens of milliseconds)."""
        portrait, rest = checked_portrait(portrait), checked_motion(np.asarray(rest)[None], MOTION_DIM)[0]
        height, width = portrait.shape[:2]
        head = fit_head(landmarks, portrait, others)
        box = moving_box(head, height, width)
        inside = portrait[box[1] : box[3], box[0] : box[2]]
        offset = np.array(box[:2], np.float64)
        points = landmarks.points[:, :2].astype(np.float64) - offset
        eyes, mouth = build_eyeballs(inside, points, head, offset), build_mouth(inside, points, head, offset)
        tongue = build_tongue(head, mouth.light, mouth.size)
        poser = FacePoser(self.rig, head, rest, landmarks)
        skin, far_side = build_skin(inside, points, head, rest), build_far_side(inside, head, offset)
        return WarpAppearance(portrait, landmarks, rest, box, head, poser, eyes, mouth, tongue, far_side, skin)

    def encode_motion(self, landmarks: Sequence[Landmarks]) -> NDArray[np.float32]:
        """The measured motion itself."""
        return measured_motion(landmarks)

    def decode(self, appearance: Appearance, motion: NDArray[np.float32]) -> Iterator[NDArray[np.uint8]]:
        """Pictures of `Codec.decode`; needs an appearance of this codec."""
        if not isinstance(appearance, WarpAppearance):
            raise TypeError(f"expected an appearance made by WarpCodec.encode_appearance, got {type(appearance).__name__}")
        rows = checked_motion(motion, self.motion_dim)
        painter = Painter(appearance)
        return (painter.draw(row) for row in rows)

    def moves_within(self, appearance: Appearance) -> tuple[int, int, int, int]:
        """The box around head and shoulders."""
        return appearance.box if isinstance(appearance, WarpAppearance) else super().moves_within(appearance)

    def decode_with_alpha(
        self, appearance: Appearance, motion: NDArray[np.float32], alpha: NDArray[np.uint8]
    ) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
        """As `Codec.decode_with_alpha`: the opacity goes where the head goes."""
        if not isinstance(appearance, WarpAppearance):
            raise TypeError(f"expected an appearance made by WarpCodec.encode_appearance, got {type(appearance).__name__}")
        rows = checked_motion(motion, self.motion_dim)
        painter = Painter(appearance)
        opacity = Opacity(alpha, appearance.box)
        return ((painter.draw(row), opacity.drawn(painter.owner, painter.maps, painter.fold)) for row in rows)


def moving_box(head: Head, height: int, width: int) -> tuple[int, int, int, int]:
    """The part of a picture of that size that any motion of the head may change: x0, y0, x1, y1."""
    x, y = head.vertices[:, 0], -head.vertices[:, 1]
    x0, y0 = max(int(np.floor(x.min())), 0), max(int(np.floor(y.min())), 0)
    return x0, y0, min(int(np.ceil(x.max())) + 1, width), min(int(np.ceil(y.max())) + 1, height)


class Painter:
    """Draws frames of one appearance; holds the working memory of one thread."""

    def __init__(self, appearance: WarpAppearance) -> None:
        """Working pictures of the box's size."""
        self.appearance = appearance
        x0, y0, x1, y1 = appearance.box
        self.inside = np.ascontiguousarray(appearance.portrait[y0:y1, x0:x1])
        self.offset = np.array([x0, y0], np.float64)
        still = appearance.head.vertices.astype(np.float64)
        still = np.concatenate([still, strip_vertices(still, still, appearance.head.scale)])
        self.still = self._pixels(still).astype(np.float32)
        self.inset = np.zeros((len(still), 2), np.float32)
        self.inset[: len(appearance.head.inset)] = appearance.head.inset * np.array([1, -1], np.float32)
        self.owner = np.empty(self.inside.shape[:2], np.int16)
        self.depth = np.empty(self.inside.shape[:2], np.float32)
        self.out = np.empty_like(self.inside)
        self.lit_skin = LitSkin(appearance.skin, kernels.pack(self.inside))
        self.seams = np.empty((16 * sum(self.inside.shape[:2]), 2), np.int32)
        self.fold = np.float32(FOLD_IOD * appearance.head.scale)
        self.maps = np.empty((len(appearance.head.triangles), 6), np.float32)

    def _pixels(self, vertices: NDArray[np.float64]) -> NDArray[np.float64]:
        """x, y in pixels of the box, z as it is."""
        return np.stack([vertices[:, 0] - self.offset[0], -vertices[:, 1] - self.offset[1], vertices[:, 2]], 1)

    def _source(self, motion: NDArray[np.float32], drawn: DrawnFace) -> NDArray[np.float32]:
        """Where the vertices look in the portrait: their own places, inwards along the outline of a turning head, onto lips that move."""
        turn = float(np.clip(np.abs(motion[ROTATION][:2]).max() / FULL_INSET_DEG, 0.0, 1.0))
        source = self.still.copy()
        source[:, :2] += turn * self.inset
        source[:FACE_POINTS, :2] += self.appearance.mouth.source_shift(drawn)
        return source

    def draw(self, motion: NDArray[np.float32]) -> NDArray[np.uint8]:
        """The picture [H, W, 3] of one row of motion [58]."""
        portrait = self.appearance
        drawn = portrait.poser.pose(motion)
        vertices = self._pixels(drawn.vertices)
        points, triangles = vertices.astype(np.float32), portrait.head.triangles
        kernels.rasterise(points, triangles, self.owner, self.depth, kernels.BEHIND)
        kernels.source_maps(points, self._source(motion, drawn), triangles, self.maps)
        out = self.out
        lit = self.lit_skin(motion)
        seams = kernels.sample(self.inside, lit, self.owner, self.maps, self.seams, out, self.fold)
        if portrait.far_side is not None:
            portrait.far_side.draw(out, lit, self.owner, points, portrait.head, float(motion[INDEX["yaw"]]))
        kernels.soften(out, self.seams, seams)
        draw_mouth(out, portrait.mouth, drawn, vertices[:, :2], self.offset)
        draw_tongue(out, portrait.tongue, portrait.head, drawn, vertices[:, :2], float(motion[INDEX["tongueOut"]]))
        for eye in portrait.eyes:
            draw_eyeball(out, eye, drawn, vertices[:, :2], self.offset, motion, portrait.rest)
        picture = portrait.portrait.copy()
        x0, y0, x1, y1 = portrait.box
        picture[y0:y1, x0:x1] = out
        return picture
