"""One picture that says what was found in a portrait and what will be made of it, before anybody waits for a video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from instructavatar.codecs.base import Appearance, Codec
from instructavatar.face import mesh
from instructavatar.face.landmarks import Landmarks
from instructavatar.face.motion import MOTION_DIM, FaceMotion
from instructavatar.media.png import write_png

Picture = NDArray[np.uint8]
PANEL_PX = 560
MARGIN_PX = 12
LINE_PX = 24
TRY = {"jawOpen": 0.5, "mouthSmileLeft": 0.4, "mouthSmileRight": 0.4, "yaw": 12.0}
_PAPER, _INK = (250, 250, 250), (30, 30, 30)
_FACE, _OTHER, _CROP = (0, 200, 90), (150, 150, 150), (250, 170, 0)
_OUTLINES = (
    (*mesh.FACE_OVAL, mesh.FACE_OVAL[0]),
    mesh.LIPS_OUTER_UPPER,
    mesh.LIPS_OUTER_LOWER,
    mesh.LIPS_INNER_UPPER,
    mesh.LIPS_INNER_LOWER,
    mesh.RIGHT_EYE_UPPER,
    mesh.RIGHT_EYE_LOWER,
    mesh.LEFT_EYE_UPPER,
    mesh.LEFT_EYE_LOWER,
    mesh.RIGHT_BROW_UPPER,
    mesh.LEFT_BROW_UPPER,
)


@dataclass(frozen=True)
class Preview:
    """The portrait with every face's box, the chosen one's outline and the crop that will move; beside it the first frame and a try."""

    picture: Picture
    """RGB [H, W, 3]"""
    lines: tuple[str, ...]
    """What is written under it: size and angle of the face, and all faces where there are several."""
    marks: dict[str, str] = field(default_factory=dict)

    def save(self, path: str | Path) -> Path:
        """Write it as PNG, with the mark of the frames it shows."""
        return write_png(path, self.picture, self.marks)


def preview(codec: Codec, appearance: Appearance, faces: Sequence[Landmarks], marks: dict[str, str] | None = None) -> Preview:
    """The preview of an analysed portrait. `faces` are all that were found, largest first, the appearance's own among them."""
    crop = codec.moves_within(appearance)
    frames = codec.decode(appearance, _rows(codec, appearance))
    panels = [_found(appearance, faces, crop), *(_fitted(frame[crop[1] : crop[3], crop[0] : crop[2]])[0] for frame in frames)]
    titles = ["found", "first frame", "a try: mouth, smile, turn"]
    lines = _lines(appearance, faces, crop)
    return Preview(_sheet(panels, titles, lines), lines, dict(marks or {}))


def _rows(codec: Codec, appearance: Appearance) -> NDArray[np.float32]:
    first = codec.start(appearance)[None]
    # latents cannot be tried by name
    return np.concatenate([first, FaceMotion.of(1, TRY).values]) if codec.motion_dim == MOTION_DIM else first


def _lines(appearance: Appearance, faces: Sequence[Landmarks], crop: tuple[int, int, int, int]) -> tuple[str, ...]:
    height, width = appearance.portrait.shape[:2]
    face = appearance.landmarks
    pitch, yaw, roll = (f"{round(float(angle)):+d}" for angle in face.rotation_deg)
    size = f"{face.width_px:.0f} x {face.height_px:.0f} px in a picture of {width} x {height}"
    lines = [
        f"face {size}; pitch {pitch}, yaw {yaw}, roll {roll} degrees",
        f"green: the face as found; orange: what will move, {crop[2] - crop[0]} x {crop[3] - crop[1]} px",
    ]
    if len(faces) > 1:
        listed = (f"{number} ({one.width_px:.0f} px wide{', chosen' if one is face else ''})" for number, one in enumerate(faces))
        lines.append(f"{len(faces)} faces: {', '.join(listed)}; choose another with --face NUMBER")
    return tuple(lines)


def _found(appearance: Appearance, faces: Sequence[Landmarks], crop: tuple[int, int, int, int]) -> Picture:
    panel, scale = _fitted(appearance.portrait)
    _box(panel, crop, scale, _CROP)
    for number, face in enumerate(faces):
        _box(panel, face.box, scale, _FACE if face is appearance.landmarks else _OTHER)
        if len(faces) > 1:
            left, top, _, _ = (round(edge * scale) for edge in face.box)
            _write(panel, str(number), (left + 4, top + 20), _FACE if face is appearance.landmarks else _OTHER)
    points = appearance.landmarks.points[:, :2] * scale
    for outline in _OUTLINES:
        line = np.rint(points[list(outline)]).astype(np.int32)
        cv2.polylines(panel, [line.reshape(-1, 1, 2)], False, _FACE, 1, cv2.LINE_AA)
    return panel


def _fitted(picture: Picture) -> tuple[Picture, float]:
    """A copy that just fits into the panel's square, and its scale."""
    scale = PANEL_PX / max(picture.shape[:2])
    size = (max(round(picture.shape[1] * scale), 1), max(round(picture.shape[0] * scale), 1))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC), np.uint8), scale


def _box(panel: Picture, box: Sequence[float], scale: float, colour: tuple[int, int, int]) -> None:
    x0, y0, x1, y1 = (round(edge * scale) for edge in box)
    # a crop that reaches the picture's own edge is drawn just inside it
    corner = (min(x1, panel.shape[1]) - 1, min(y1, panel.shape[0]) - 1)
    cv2.rectangle(panel, (max(x0, 0), max(y0, 0)), corner, colour, 2, cv2.LINE_AA)


def _sheet(panels: Sequence[Picture], titles: Sequence[str], lines: Sequence[str]) -> Picture:
    width = sum(panel.shape[1] + MARGIN_PX for panel in panels) + MARGIN_PX
    wide = max([width, *(cv2.getTextSize(line, *_FONT)[0][0] + 2 * MARGIN_PX for line in lines)])
    high = max(panel.shape[0] for panel in panels) + LINE_PX + MARGIN_PX
    sheet = np.full((high + LINE_PX * len(lines) + MARGIN_PX, wide, 3), _PAPER, np.uint8)
    at = MARGIN_PX
    for panel, title in zip(panels, titles, strict=False):
        _write(sheet, title, (at, LINE_PX - 6))
        sheet[LINE_PX : LINE_PX + panel.shape[0], at : at + panel.shape[1]] = panel
        at += panel.shape[1] + MARGIN_PX
    for number, line in enumerate(lines, 1):
        _write(sheet, line, (MARGIN_PX, high + LINE_PX * number - 6))
    return sheet


_FONT = (cv2.FONT_HERSHEY_SIMPLEX, 0.55, 1)


def _write(picture: Picture, text: str, place: tuple[int, int], colour: tuple[int, int, int] = _INK) -> None:
    face, size, thickness = _FONT
    cv2.putText(picture, text, place, face, size, colour, thickness, cv2.LINE_AA)
