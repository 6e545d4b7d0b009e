"""The compiled inner loops of the mesh: triangles to a source map, map to pixels.

Pictures are uint8 [h, w, 3]; coordinates are pixels with the centre of the first pixel at (0, 0). V vertices, F triangles.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from instructavatar.codecs.warp.compiled import njit

# Depth that a triangle seen from behind is pushed back by, so that it shows only where nothing else does.
BEHIND = 1.0e6


# A triangle of more pixels than this (a mesh gone wild) is not drawn: its map to the portrait has no digits left.
ABSURD = 1.0e12


@njit
def _bounded(value: float, low: float, high: float) -> int:
    """A whole number within bounds, compared as a float: a huge one would wrap when made an integer. NaN gives the lower bound."""
    if not value > low:
        return int(low)
    return int(min(value, high))


@njit
def rasterise(
    drawn: NDArray[np.float32], triangles: NDArray[np.int32], owner: NDArray[np.int16], depth: NDArray[np.float32], behind: float
) -> None:
    """Write into `owner` [h, w] the nearest triangle of every pixel, -1 where there is none.

    drawn [V, 3]: x, y in pixels of the box and z towards the viewer. depth [h, w] is working space.
    """
    height, width = owner.shape
    for y in range(height):
        for x in range(width):
            owner[y, x] = -1
            depth[y, x] = -1.0e30
    for f in range(triangles.shape[0]):
        a, b, c = triangles[f, 0], triangles[f, 1], triangles[f, 2]
        ax, ay, az = drawn[a, 0], drawn[a, 1], drawn[a, 2]
        bx, by, bz = drawn[b, 0], drawn[b, 1], drawn[b, 2]
        cx, cy, cz = drawn[c, 0], drawn[c, 1], drawn[c, 2]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if not (0.0 < abs(area) < ABSURD):  # NaN neither
            continue
        push = 0.0 if area > 0.0 else behind
        low_y = _bounded(np.ceil(min(ay, by, cy) - 1e-3), 0.0, height * 1.0)
        high_y = _bounded(np.floor(max(ay, by, cy) + 1e-3), -1.0, height - 1.0)
        inverse = 1.0 / area
        # Barycentric weights of b and c are linear in x and y.
        ub_x, ub_y = (cy - ay) * inverse, -(cx - ax) * inverse
        uc_x, uc_y = -(by - ay) * inverse, (bx - ax) * inverse
        z_x, z_y = (bz - az) * ub_x + (cz - az) * uc_x, (bz - az) * ub_y + (cz - az) * uc_y
        for y in range(low_y, high_y + 1):
            # Span of x on this row where all three weights are >= 0 (a hair's width of slack leaves no cracks).
            left, right = 0.0, width - 1.0
            for k in range(3):
                if k == 0:
                    slope, offset = ub_x, ub_y * (y - ay) - ub_x * ax
                elif k == 1:
                    slope, offset = uc_x, uc_y * (y - ay) - uc_x * ax
                else:
                    slope = -(ub_x + uc_x)
                    offset = 1.0 - (ub_y + uc_y) * (y - ay) + (ub_x + uc_x) * ax
                if slope > 1e-9:
                    left = max(left, -offset / slope - 1e-3)
                elif slope < -1e-9:
                    right = min(right, -offset / slope + 1e-3)
                elif offset < -1e-4:
                    right = -1.0
            first, last = _bounded(np.ceil(left), 0.0, width * 1.0), _bounded(np.floor(right), -1.0, width - 1.0)
            z = az + z_x * (first - ax) + z_y * (y - ay) - push
            for x in range(first, last + 1):
                if z > depth[y, x]:
                    depth[y, x] = z
                    owner[y, x] = f
                z += z_x


@njit
def source_maps(drawn: NDArray[np.float32], source: NDArray[np.float32], triangles: NDArray[np.int32], maps: NDArray[np.float32]) -> None:
    """Fill maps [F, 6]: sx = m0 x + m1 y + m2 and sy = m3 x + m4 y + m5 take a drawn pixel to where it is in the portrait."""
    for f in range(triangles.shape[0]):
        a, b, c = triangles[f, 0], triangles[f, 1], triangles[f, 2]
        ax, ay = drawn[a, 0], drawn[a, 1]
        bx, by, cx, cy = drawn[b, 0] - ax, drawn[b, 1] - ay, drawn[c, 0] - ax, drawn[c, 1] - ay
        area = bx * cy - by * cx
        if abs(area) < 1e-6:
            area = 1e-6
        for k in range(2):
            p, q = source[b, k] - source[a, k], source[c, k] - source[a, k]
            mx, my = (p * cy - q * by) / area, (q * bx - p * cx) / area
            maps[f, 3 * k] = mx
            maps[f, 3 * k + 1] = my
            maps[f, 3 * k + 2] = source[a, k] - mx * ax - my * ay


@njit
def pack(picture: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Pixels [h, w, 3] as one 64-bit number each, 21 bits a channel: room for four weighted pixels to be added at once."""
    height, width = picture.shape[0], picture.shape[1]
    packed = np.empty((height, width), np.uint64)
    for y in range(height):
        for x in range(width):
            packed[y, x] = (
                np.uint64(picture[y, x, 0]) | np.uint64(picture[y, x, 1]) << np.uint64(21) | np.uint64(picture[y, x, 2]) << np.uint64(42)
            )
    return packed


@njit
def _apart(maps: NDArray[np.float32], f: int, g: int, x: float, y: float) -> bool:
    """Whether two triangles see places of the portrait that are more than a pixel and a half apart."""
    dx = (maps[f, 0] - maps[g, 0]) * x + (maps[f, 1] - maps[g, 1]) * y + maps[f, 2] - maps[g, 2]
    dy = (maps[f, 3] - maps[g, 3]) * x + (maps[f, 4] - maps[g, 4]) * y + maps[f, 5] - maps[g, 5]
    return dx * dx + dy * dy > 2.25


@njit
def _folded(place: np.float32, last: np.float32, fold: np.float32) -> np.float32:
    """A place along an axis brought between 0 and `last`."""
    if place < 0.0:
        return min(min(-place, fold), last)
    if place > last:
        # `last` is a hair less than the last pixel's place.
        return max(last - min(max(place - last - np.float32(0.002), np.float32(0.0)), fold), np.float32(0.0))
    return place if place == place else np.float32(0.0)


@njit
def sample(
    picture: NDArray[np.uint8],
    packed: NDArray[np.uint64],
    owner: NDArray[np.int16],
    maps: NDArray[np.float32],
    seams: NDArray[np.int32],
    out: NDArray[np.uint8],
    fold: float,
) -> int:
    """Fill `out` [h, w, 3] with bilinear samples of `picture` (`packed` is the same); returns how many seam pixels it listed in `seams`.

    Beyond the picture's sides its mirror image continues it for `fold` pixels, and then the colour reached.
    Pixels without an owner are copied from the same place. Seams [N, 2] are places (x, y) where one part of the face passes over another.
    """
    height, width = owner.shape
    flat, wide = packed.ravel(), np.uint64(width)
    last_x, last_y = np.float32(width - 1.001), np.float32(height - 1.001)
    zero, half, whole = np.float32(0.0), np.float32(0.5), np.float32(4096.0)
    rounding = np.uint64(2048) | np.uint64(2048) << np.uint64(21) | np.uint64(2048) << np.uint64(42)
    count, room = 0, seams.shape[0]
    for y in range(height):
        fy = np.float32(y)
        before = np.int32(-1)
        step_x, step_y, start_x, start_y = zero, zero, zero, zero
        for x in range(width):
            f = np.int32(owner[y, x])
            if f < 0:
                out[y, x, 0] = picture[y, x, 0]
                out[y, x, 1] = picture[y, x, 1]
                out[y, x, 2] = picture[y, x, 2]
                before = f
                continue
            if f != before:
                step_x, start_x = maps[f, 0], maps[f, 1] * fy + maps[f, 2]
                step_y, start_y = maps[f, 3], maps[f, 4] * fy + maps[f, 5]
                if before >= 0 and count < room and _apart(maps, f, before, x - 0.5, y * 1.0):
                    seams[count, 0], seams[count, 1] = x, y
                    count += 1
                before = f
            if y > 0:
                g = np.int32(owner[y - 1, x])
                if g != f and g >= 0 and count < room and _apart(maps, f, g, x * 1.0, y - 0.5):
                    seams[count, 0], seams[count, 1] = x, y
                    count += 1
            fx = np.float32(x)
            sx, sy = step_x * fx + start_x, step_y * fx + start_y
            if not (zero <= sx <= last_x and zero <= sy <= last_y):
                sx, sy = _folded(sx, last_x, fold), _folded(sy, last_y, fold)
            ix, iy = np.int32(sx), np.int32(sy)
            dx, dy = sx - np.float32(ix), sy - np.float32(iy)
            # Weights of the four neighbours in 4096ths; their sum is exact, so a pixel seen in place comes back unchanged.
            both = np.int32(dx * dy * whole + half)
            right, under = np.int32(dx * whole + half) - both, np.int32(dy * whole + half) - both
            at = np.uint64(iy) * wide + np.uint64(ix)
            total = flat[at] * np.uint64(4096 - both - right - under) + flat[at + np.uint64(1)] * np.uint64(right) + rounding
            total += flat[at + wide] * np.uint64(under) + flat[at + wide + np.uint64(1)] * np.uint64(both)
            out[y, x, 0] = np.uint8((total >> np.uint64(12)) & np.uint64(255))
            out[y, x, 1] = np.uint8((total >> np.uint64(33)) & np.uint64(255))
            out[y, x, 2] = np.uint8((total >> np.uint64(54)) & np.uint64(255))
    return count


@njit
def soften(out: NDArray[np.uint8], seams: NDArray[np.int32], count: int) -> None:
    """Blur the seams' pixels with their neighbours (tent 1 2 1), so that outlines of near parts are not stair steps."""
    height, width = out.shape[0], out.shape[1]
    mixed = np.empty((count, 3), np.uint8)
    for n in range(count):
        x, y = seams[n, 0], seams[n, 1]
        for k in range(3):
            total = 8
            for j in range(-1, 2):
                for i in range(-1, 2):
                    weight = (2 - abs(i)) * (2 - abs(j))
                    total += weight * int(out[min(max(y + j, 0), height - 1), min(max(x + i, 0), width - 1), k])
            mixed[n, k] = total >> 4
    for n in range(count):
        for k in range(3):
            out[seams[n, 1], seams[n, 0], k] = mixed[n, k]


@njit
def _channel(pixel: np.uint64, k: int) -> float:
    """One channel of a packed pixel."""
    return float((pixel >> np.uint64(21 * k)) & np.uint64(255))


@njit
def fill(
    out: NDArray[np.uint8],
    packed: NDArray[np.uint64],
    owner: NDArray[np.int16],
    drawn: NDArray[np.float32],
    triangles: NDArray[np.int32],
    filled: NDArray[np.int32],
    values: NDArray[np.float32],
    amount: float,
) -> None:
    """Mix other places of a packed picture into the pixels of some triangles.

    filled [K] are numbers of triangles. values [V, 6] for each vertex: x, y of the other place, weight 0..1, what to add to its colour.
    amount 0..1 fades it in.
    """
    height, width = owner.shape
    other = np.empty(6, np.float32)
    for n in range(filled.shape[0]):
        f = filled[n]
        a, b, c = triangles[f, 0], triangles[f, 1], triangles[f, 2]
        ax, ay = drawn[a, 0], drawn[a, 1]
        bx, by, cx, cy = drawn[b, 0] - ax, drawn[b, 1] - ay, drawn[c, 0] - ax, drawn[c, 1] - ay
        area = bx * cy - by * cx
        if not (1e-6 < abs(area) < ABSURD):
            continue
        x0, x1 = _bounded(np.floor(ax + min(bx, cx, 0.0)), 0.0, width * 1.0), _bounded(np.ceil(ax + max(bx, cx, 0.0)), -1.0, width - 1.0)
        y0, y1 = _bounded(np.floor(ay + min(by, cy, 0.0)), 0.0, height * 1.0), _bounded(np.ceil(ay + max(by, cy, 0.0)), -1.0, height - 1.0)
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                if owner[y, x] != f:
                    continue
                u, v = ((x - ax) * cy - (y - ay) * cx) / area, ((y - ay) * bx - (x - ax) * by) / area
                for k in range(6):
                    other[k] = values[a, k] + (values[b, k] - values[a, k]) * u + (values[c, k] - values[a, k]) * v
                # The filling ends within a short way of the last vertex that has it, so outlines stay crisp.
                weight = amount * min(max(2.5 * other[2] - 1.5, 0.0), 1.0)
                if weight <= 0.0:
                    continue
                px, py = min(max(other[0], 0.0), width - 1.001), min(max(other[1], 0.0), height - 1.001)
                ix, iy = int(px), int(py)
                dx, dy = px - ix, py - iy
                for k in range(3):
                    top = _channel(packed[iy, ix], k) * (1.0 - dx) + _channel(packed[iy, ix + 1], k) * dx
                    low = _channel(packed[iy + 1, ix], k) * (1.0 - dx) + _channel(packed[iy + 1, ix + 1], k) * dx
                    value = min(max(top * (1.0 - dy) + low * dy + other[3 + k], 0.0), 255.0)
                    out[y, x, k] = np.uint8(out[y, x, k] + (value - out[y, x, k]) * weight + 0.5)
