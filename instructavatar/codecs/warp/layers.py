"""The compiled inner loops of what shows through openings: eyeballs, mouth, tongue, and the line of the lashes.

Pictures are uint8 [h, w, 3]; coordinates are pixels with the centre of the first pixel at (0, 0).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from instructavatar.codecs.warp.compiled import njit


@njit
def _mix(under: int, over: float, amount: float) -> np.uint8:
    return np.uint8(min(max(under + (over - under) * amount + 0.5, 0.0), 255.0))


@njit
def _coverage(
    x: float, y: float, frame: NDArray[np.float32], top: NDArray[np.float32], low: NDArray[np.float32]
) -> tuple[float, float, float, float]:
    """(covered share of the pixel 0..1, place along the opening 0..1, pixels below the upper edge, pixels above the lower edge)."""
    dx, dy = x - frame[0], y - frame[1]
    u = (dx * frame[2] + dy * frame[3]) / frame[4]
    if u <= 0.0 or u >= 1.0:
        return 0.0, 0.0, 0.0, 0.0
    v = dx * frame[3] - dy * frame[2]
    steps = top.shape[0] - 1
    i = int(u * steps)
    t = u * steps - i
    upper, under = top[i] + (top[i + 1] - top[i]) * t, low[i] + (low[i + 1] - low[i]) * t
    step = frame[4] / steps
    # Height over the edge to distance from it.
    slope_upper, slope_under = (top[i + 1] - top[i]) / step, (low[i + 1] - low[i]) / step
    above, below = (upper - v) / np.sqrt(1.0 + slope_upper * slope_upper), (v - under) / np.sqrt(1.0 + slope_under * slope_under)
    # Two edges inside one pixel: what both leave free, so a closed opening covers nothing.
    covered = max(min(max(above + 0.5, 0.0), 1.0) + min(max(below + 0.5, 0.0), 1.0) - 1.0, 0.0)
    return covered, u, upper - v, v - under


@njit
def _look(picture: NDArray[np.uint8], x: float, y: float, colour: NDArray[np.float32]) -> None:
    """Bilinear sample of a picture [h, w, C] into `colour` [C]; places outside give the border."""
    height, width = picture.shape[0], picture.shape[1]
    x, y = min(max(x, 0.0), width - 1.001), min(max(y, 0.0), height - 1.001)
    ix, iy = int(x), int(y)
    wx, wy = x - ix, y - iy
    for k in range(picture.shape[2]):
        top = picture[iy, ix, k] * (1.0 - wx) + picture[iy, ix + 1, k] * wx
        low = picture[iy + 1, ix, k] * (1.0 - wx) + picture[iy + 1, ix + 1, k] * wx
        colour[k] = top * (1.0 - wy) + low * wy


@njit
def draw_eye(
    out: NDArray[np.uint8],
    box: NDArray[np.int32],
    frame: NDArray[np.float32],
    top: NDArray[np.float32],
    low: NDArray[np.float32],
    eyeball: NDArray[np.uint8],
    white: NDArray[np.uint8],
    iris: NDArray[np.uint8],
    to_eyeball: NDArray[np.float32],
    gaze: NDArray[np.float32],
    amount: float,
    shade: NDArray[np.float32],
) -> None:
    """Lay the eyeball into the opening of the lids.

    box: x0, y0, x1, y1 of the pixels to visit.
    frame: x, y of the image-left corner, unit vector to the other one, length.
    top, low: heights of the lids over that line.
    eyeball [h, w, 3]: the eye without lids, as it looks at rest; white [h, w, 3]: without iris; iris [h, w, 4]: alone (RGBA).
    to_eyeball [6] maps drawn pixels to these.
    gaze: x, y shift of the iris in eyeball pixels, and 0..1 how far white and iris stand for the eyeball.
    amount: 0..1 fades the layer in. shade: strength and reach (pixels) of the upper lid's shadow.
    """
    ball, base, over = np.empty(3, np.float32), np.empty(3, np.float32), np.empty(4, np.float32)
    for y in range(box[1], box[3]):
        for x in range(box[0], box[2]):
            covered, _, under_lid, _ = _coverage(x, y, frame, top, low)
            if covered <= 0.0:
                continue
            ex, ey = to_eyeball[0] * x + to_eyeball[1] * y + to_eyeball[2], to_eyeball[3] * x + to_eyeball[4] * y + to_eyeball[5]
            light = 1.0 - shade[0] * np.exp(-max(under_lid, 0.0) / shade[1])
            _look(eyeball, ex, ey, ball)
            if gaze[2] > 0.0:
                _look(iris, ex - gaze[0], ey - gaze[1], over)
                rest, alpha = 1.0 - gaze[2], over[3] / 255.0
                for k in range(3):
                    over[k], ball[k] = over[k] * alpha, ball[k] * rest
                _look(white, ex, ey, base)
                for k in range(3):
                    ball[k] += gaze[2] * (over[k] + base[k] * (1.0 - alpha))
            for k in range(3):
                out[y, x, k] = _mix(out[y, x, k], ball[k] * light, covered * amount)


@njit
def draw_mouth(
    out: NDArray[np.uint8],
    box: NDArray[np.int32],
    frame: NDArray[np.float32],
    top: NDArray[np.float32],
    low: NDArray[np.float32],
    cavity: NDArray[np.float32],
    upper: NDArray[np.uint8],
    to_upper: NDArray[np.float32],
    lower: NDArray[np.uint8],
    to_lower: NDArray[np.float32],
    amount: float,
    shade: NDArray[np.float32],
) -> None:
    """Lay cavity, lower teeth with tongue (`lower` RGBA) and upper teeth (`upper` RGBA) into the opening of the lips.

    cavity [3] is the colour of the dark; shade: strength and reach (pixels) of the lips' shadow. The rest is as for `draw_eye`.
    """
    back, front = np.empty(4, np.float32), np.empty(4, np.float32)
    brightest = max(cavity[0], cavity[1], cavity[2], 1.0)
    for y in range(box[1], box[3]):
        for x in range(box[0], box[2]):
            covered, u, under_lip, over_lip = _coverage(x, y, frame, top, low)
            if covered <= 0.0:
                continue
            _look(upper, to_upper[0] * x + to_upper[1] * y + to_upper[2], to_upper[3] * x + to_upper[4] * y + to_upper[5], front)
            _look(lower, to_lower[0] * x + to_lower[1] * y + to_lower[2], to_lower[3] * x + to_lower[4] * y + to_lower[5], back)
            corner = 4.0 * u * (1.0 - u)
            light = (1.0 - shade[0] * np.exp(-max(under_lip, 0.0) / shade[1])) * (
                1.0 - 0.5 * shade[0] * np.exp(-max(over_lip, 0.0) / shade[1])
            )
            light *= 0.6 + 0.4 * np.sqrt(corner)
            for k in range(3):
                value = cavity[k]
                value += (back[k] - value) * back[3] / 255.0
                value += (front[k] - value) * front[3] / 255.0
                # What lies in shadow takes the colour of the dark: flesh all around lights it.
                shaded = max(1.0 - (1.0 - light) * (1.4 - 0.4 * cavity[k] / brightest), 0.0)
                out[y, x, k] = _mix(out[y, x, k], cavity[k] + (value - cavity[k]) * shaded, covered * amount)


@njit
def lay(
    out: NDArray[np.uint8],
    box: NDArray[np.int32],
    frame: NDArray[np.float32],
    top: NDArray[np.float32],
    low: NDArray[np.float32],
    picture: NDArray[np.uint8],
    to_picture: NDArray[np.float32],
    amount: float,
) -> None:
    """Lay an RGBA picture over everything below an opening's upper edge, inside the opening and over its lower edge."""
    colour = np.empty(4, np.float32)
    height, width = picture.shape[0], picture.shape[1]
    for y in range(box[1], box[3]):
        for x in range(box[0], box[2]):
            px, py = to_picture[0] * x + to_picture[1] * y + to_picture[2], to_picture[3] * x + to_picture[4] * y + to_picture[5]
            if px < 0.0 or py < 0.0 or px > width - 1.0 or py > height - 1.0:
                continue
            dx, dy = x - frame[0], y - frame[1]
            u = min(max((dx * frame[2] + dy * frame[3]) / frame[4], 0.0), 0.9999)
            i = int(u * (top.shape[0] - 1))
            v = dx * frame[3] - dy * frame[2]
            seen = min(max(min(top[i], top[i + 1]) - v + 0.5, 0.0), 1.0)
            _look(picture, px, py, colour)
            strength = seen * amount * colour[3] / 255.0
            # What is still inside lies in the shadow of the mouth.
            light = 0.75 + 0.25 * min(max((low[i] - v) / (0.1 * frame[4]) + 1.0, 0.0), 1.0)
            for k in range(3):
                out[y, x, k] = _mix(out[y, x, k], colour[k] * light, strength)
