"""Picture files, arrays and PIL images -> a portrait to animate; square crops and pasting back.

H, W picture height and width in pixels
"""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from typing import Any, NamedTuple

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import BadMedia
from instructavatar.media.exif import orientation_of, turned_upright
from instructavatar.media.files import existing_file

# The light grey of a photographer's paper; shows through where a picture is transparent.
NEUTRAL_BACKGROUND = 208
Picture = NDArray[Any]  # of any depth, as it came
_SMALLEST_SIDE = 16
_HELP = "save it as PNG or JPEG"


@dataclass(frozen=True)
class Portrait:
    """A picture ready to animate."""

    rgb: NDArray[np.uint8]
    """[H, W, 3], upright, even sides; transparent parts lie on a neutral background."""
    alpha: NDArray[np.uint8] | None
    """[H, W] opacity 0..255; None for a picture that is opaque everywhere."""


def read_portrait(source: Any, max_side: int = 1920) -> Portrait:
    """A portrait from a path, an array or a PIL image.

    Arrays are RGB: [H, W] grey, [H, W, 3] or [H, W, 4] with opacity; uint8, uint16, or floats in 0..1. Orientation marks are
    applied, 16-bit and CMYK become 8-bit RGB, the longer side becomes at most `max_side`, odd sides lose a pixel.
    """
    if isinstance(source, np.ndarray):
        picture = source
    elif hasattr(source, "convert") and hasattr(source, "getexif"):
        picture = _from_pil(source)
    else:
        picture = _from_file(source)
    return _portrait(_checked(picture), max_side)


def _from_pil(image: Any) -> Picture:
    orientation = int(image.getexif().get(0x0112, 1))
    if image.mode not in ("L", "RGB", "RGBA", "I;16"):
        image = image.convert("RGBA" if "A" in image.mode or "transparency" in image.info else "RGB")
    return turned_upright(np.asarray(image), orientation)


def _from_file(path: str | os.PathLike[str]) -> Picture:
    file = existing_file(path, "picture")
    data = file.read_bytes()
    picture = _decoded_by_opencv(data)
    if picture is None:
        picture = _decoded_by_ffmpeg(data)
    if picture is None:
        raise BadMedia(f"expected a picture (png, jpeg, webp, tiff, bmp), got one that cannot be decoded: '{file}'; {_HELP}")
    return turned_upright(picture, orientation_of(data))


def _decoded_by_opencv(data: bytes) -> Picture | None:
    """RGB(A) or grey as stored; None if OpenCV cannot read it."""
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # its complaints about a file we then refuse or read otherwise
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    finally:
        cv2.utils.logging.setLogLevel(level)
    if picture is None or picture.ndim == 2:
        return picture
    if picture.shape[2] == 4:
        return cv2.cvtColor(picture, cv2.COLOR_BGRA2RGBA)
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB) if picture.shape[2] == 3 else None


def _decoded_by_ffmpeg(data: bytes) -> NDArray[np.uint8] | None:
    """RGB of the first picture; None if FFmpeg cannot read it. Read from memory: a name could hold a pattern or a protocol."""
    try:
        with av.open(io.BytesIO(data), "r", options={"protocol_whitelist": ""}) as container:
            return np.asarray(next(container.decode(video=0)).to_ndarray(format="rgb24"), np.uint8)
    except (av.error.FFmpegError, StopIteration, ValueError, IndexError, OSError):
        return None


def _checked(picture: Picture) -> Picture:
    channels = 1 if picture.ndim == 2 else picture.shape[2] if picture.ndim == 3 else 0
    if channels not in (1, 3, 4):
        raise BadMedia(f"expected a picture [H, W], [H, W, 3] or [H, W, 4], got shape {list(picture.shape)}")
    if min(picture.shape[:2]) < _SMALLEST_SIDE:
        raise BadMedia(
            f"expected a picture of at least {_SMALLEST_SIDE} pixels a side, got {picture.shape[1]} x {picture.shape[0]}; use a larger one"
        )
    return picture


def _portrait(picture: Picture, max_side: int) -> Portrait:
    # Shrinking comes first: a 100-megapixel picture is then never copied at full size.
    small = _to_8_bit(_shrunk(picture, max_side))
    if small.ndim == 2 or small.shape[2] == 1:
        return Portrait(np.repeat(small.reshape(*small.shape[:2], 1), 3, axis=2), None)
    if small.shape[2] == 3:
        return Portrait(np.ascontiguousarray(small), None)
    alpha = np.ascontiguousarray(small[..., 3])
    if alpha.min() == 255:
        return Portrait(np.ascontiguousarray(small[..., :3]), None)
    if alpha.max() == 0:
        raise BadMedia(f"expected a visible picture, got one that is transparent everywhere; {_HELP} without transparency")
    return Portrait(_on_background(small[..., :3], alpha), alpha)


def _shrunk(picture: Picture, max_side: int) -> Picture:
    """The picture with even sides, the longer at most `max_side`; never enlarged."""
    height, width = picture.shape[:2]
    scale = max_side / max(height, width)
    if scale >= 1:
        return picture[: height - height % 2, : width - width % 2]
    size = [max(2 * round(side * scale / 2), 2) for side in (width, height)]
    source = picture if picture.dtype in (np.uint8, np.uint16, np.float32) else picture.astype(np.float32)
    return cv2.resize(source, size, interpolation=cv2.INTER_AREA)


def _to_8_bit(picture: Picture) -> NDArray[np.uint8]:
    if picture.dtype == np.uint8:
        return np.asarray(picture, np.uint8)
    if picture.dtype == np.uint16:
        return np.rint(picture / np.float32(257)).astype(np.uint8)  # 65535 / 255
    if not np.issubdtype(picture.dtype, np.floating):
        raise BadMedia(f"expected a picture of uint8, uint16 or floats in 0..1, got {picture.dtype}")
    values = np.asarray(picture, np.float32)
    if not np.isfinite(values).all() or values.min() < -0.01 or values.max() > 1.01:
        raise BadMedia(f"expected a float picture in 0..1, got {values.min():.3g} to {values.max():.3g}; divide by its maximum or {_HELP}")
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)


def _on_background(rgb: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    opacity = alpha[..., None].astype(np.float32) / 255
    return np.rint(rgb * opacity + NEUTRAL_BACKGROUND * (1 - opacity)).astype(np.uint8)


def with_opacity(flat: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture that lies on the neutral background, freed from it: [H, W, 3] and [H, W] -> [H, W, 4], colours not multiplied.

    The inverse of what `read_portrait` does to a picture with opacity, up to rounding; it also holds after both were moved alike.
    """
    picture = np.dstack([flat, alpha])
    rows, columns = np.nonzero((alpha > 0) & (alpha < 255))
    opacity = alpha[rows, columns, None].astype(np.float32) / 255
    colours = (flat[rows, columns] - NEUTRAL_BACKGROUND * (1 - opacity)) / opacity
    picture[rows, columns, :3] = np.rint(colours.clip(0, 255)).astype(np.uint8)
    return picture


class Box(NamedTuple):
    """A rectangle of whole pixels; right and bottom are just outside it."""

    left: int
    top: int
    right: int
    bottom: int


def crop_box(points: NDArray[np.floating], picture_size: tuple[int, int], scale: float = 2.0) -> Box:
    """The square around a face, inside the picture.

    `points` [478, 3] are landmarks in pixels (only x and y count), `picture_size` is (height, width). The side is `scale` times the
    face's longer extent, at most the picture's shorter side; a square that would reach outside is moved in.
    """
    height, width = picture_size
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    side = max(min(round(float((high - low).max()) * scale), height, width), 1)
    centre = (low + high) / 2
    left = int(np.clip(round(float(centre[0]) - side / 2), 0, width - side))
    top = int(np.clip(round(float(centre[1]) - side / 2), 0, height - side))
    return Box(left, top, left + side, top + side)


def crop(picture: NDArray[np.uint8], box: Box, size: int) -> NDArray[np.uint8]:
    """The part of the picture in the box, [size, size, C]; smooth both ways."""
    part = picture[box.top : box.bottom, box.left : box.right]
    way = cv2.INTER_AREA if size < part.shape[0] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(part, (size, size), interpolation=way), np.uint8)


def paste_back(picture: NDArray[np.uint8], patch: NDArray[np.uint8], box: Box, feather: float = 0.1) -> NDArray[np.uint8]:
    """A copy of the picture [H, W, 3] with the patch in the box, fading out over `feather` of the box towards its sides.

    Where the box touches the picture's own edge there is nothing to fade into, so the patch stays whole there.
    """
    height, width = box.bottom - box.top, box.right - box.left
    way = cv2.INTER_AREA if patch.shape[0] > height else cv2.INTER_CUBIC
    fitted = patch if patch.shape[:2] == (height, width) else cv2.resize(patch, (width, height), interpolation=way)
    across = _fade(width, feather, box.left > 0, box.right < picture.shape[1])
    down = _fade(height, feather, box.top > 0, box.bottom < picture.shape[0])
    weight = (down[:, None] * across[None, :])[..., None]
    result = picture.copy()
    old = result[box.top : box.bottom, box.left : box.right]
    result[box.top : box.bottom, box.left : box.right] = np.rint(old + (fitted.astype(np.float32) - old) * weight)
    return result


def _fade(length: int, feather: float, at_start: bool, at_end: bool) -> NDArray[np.float32]:
    """Weights [length]: 1 inside, falling to 0 as a smooth step towards the sides that fade."""
    ramp = max(round(length * feather), 1)
    place = np.arange(length, dtype=np.float32)
    near_start = np.clip(place / ramp, 0, 1) if at_start else np.ones(length, np.float32)
    near_end = np.clip((length - 1 - place) / ramp, 0, 1) if at_end else np.ones(length, np.float32)
    step = np.minimum(near_start, near_end)
    return np.asarray(step * step * (3 - 2 * step), np.float32)
