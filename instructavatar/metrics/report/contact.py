"""Contact sheets: a few frames of a clip in a row, above the same moments of its real clip."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from instructavatar.face.landmarks import Landmarks
from instructavatar.face.motion import FRAME_RATE_HZ
from instructavatar.features.action_units import spread
from instructavatar.metrics.clips import Clip, Picture

FRAMES = 8
_SIDE = 168  # pixels of a tile
_AROUND = 1.7  # side of the tile's square, in sizes of the face
_GAP = 4


def sheet(clip: Clip, truth: Clip | None) -> Picture:
    """A picture [168 or 340, 1372, 3]: frames at the middles of eight equal parts of what both clips have, with their times."""
    length = len(clip) if truth is None else min(len(clip), len(truth))
    rows = [_row(one, length) for one in (clip, truth) if one is not None]
    times = [f"{t / FRAME_RATE_HZ:.2f} s" for t in spread(FRAMES, length)]
    for tile, time in zip(rows[0], times, strict=False):
        _write(tile, time)
    lined = [_beside(row) for row in rows]
    return np.concatenate([part for row in lined for part in (row, _white(_GAP, row.shape[1]))][:-1])


def jpeg(picture: Picture) -> bytes:
    """As a file's content."""
    _, content = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 86])
    return content.tobytes()


def _row(clip: Clip, length: int) -> list[Picture]:
    """Squares around where the face is over the clip, so that a head that moves is seen to move."""
    pictures = clip.pictures(FRAMES, length)
    box = _square([face for face in clip.faces[:length] if face is not None])
    return [_tile(picture, box) for picture in pictures]


def _square(faces: Sequence[Landmarks]) -> tuple[float, float, float] | None:
    """Middle x, y and side of the square, in pixels; None without any face."""
    if not faces:
        return None
    left, top, right, bottom = np.median([face.box for face in faces], axis=0)
    return (left + right) / 2, (top + bottom) / 2, _AROUND * max(right - left, bottom - top)


def _tile(picture: Picture, box: tuple[float, float, float] | None) -> Picture:
    """The square of a picture; all of it on grey where no face was ever seen."""
    height, width = picture.shape[:2]
    x, y, side = box or (width / 2, height / 2, float(max(height, width)))
    if box is not None:  # kept inside the picture, as far as that is as wide and as high
        side = min(side, height, width)
        x, y = (float(np.clip(middle, side / 2, size - side / 2)) for middle, size in ((x, width), (y, height)))
    scale = _SIDE / side
    move = np.array([[scale, 0, _SIDE / 2 - scale * x], [0, scale, _SIDE / 2 - scale * y]])
    if scale < 0.5:  # warping skips pixels; shrink first
        picture = np.asarray(cv2.resize(picture, None, fx=2 * scale, fy=2 * scale, interpolation=cv2.INTER_AREA), np.uint8)
        move[:, :2] = np.eye(2) / 2
    tile = cv2.warpAffine(
        picture, move, (_SIDE, _SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(128, 128, 128)
    )
    return np.asarray(tile, np.uint8)


def _write(tile: Picture, text: str) -> None:
    for colour, thickness in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(tile, text, (5, _SIDE - 7), cv2.FONT_HERSHEY_SIMPLEX, 0.42, colour, thickness, cv2.LINE_AA)


def _beside(tiles: Sequence[Picture]) -> Picture:
    parts = [part for tile in tiles for part in (tile, _white(_SIDE, _GAP))][:-1]
    return np.concatenate(parts, axis=1)


def _white(height: int, width: int) -> NDArray[np.uint8]:
    return np.full((height, width, 3), 255, np.uint8)
