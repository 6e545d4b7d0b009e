"""The skin of a closing lid and its lashes, laid over the stretched strips of lids.py.

An open eye shows little of its upper lid: a narrow band, streaked by lashes and the shadow of the fold. Stretched over a closed eye it
would be a smear. So the skin is made from that around the eye (over the fold, on the band, under the eye), and laid between fold and edge
the more the lid comes down; next to the edge the portrait's own lashes stay. C columns run from image left to image right along the line
between the eye's corners; L is the length of that line.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from instructavatar.codecs.warp.compiled import njit
from instructavatar.codecs.warp.openings import STEPS, Opening, opening
from instructavatar.codecs.warp.topology import EyePoints

Array = NDArray[np.float32]

# Skin is where things are brighter: lashes, brows, folds and frames are dark. Share of the samples around a column that count, from the
# brightest on, and how far to the sides they are taken and smoothed (columns).
BRIGHT = (0.55, 0.95)
REACH, SMOOTH = 5, 4.0
# How much of the skin over the fold, on the band and under the eye is in the lid's colours.
SHARES = (0.45, 0.35, 0.2)
# The layer begins this share of the way from the fold to the brow's side, in the colours that are there, has its own from this share of
# its height on, and spares this much above the lid's edge (L).
OVER_FOLD, OWN_FROM, OWN_EDGE = 0.6, 0.55, 0.05
# The share of closing at which the layer covers in full, and how much of the portrait's own shows through it then.
FULL_AT, SHOWS = 0.7, 0.1
# A lid is round: darker at its fold and edge than in its middle.
ROUND = 0.1
# The fine texture of the skin under the eye, which the layer takes over: how far under the lower lid it begins (L), what counts as fine
# (L), and how strong it may be.
GRAIN_FROM, GRAIN_SIGMA, GRAIN_MOST = 0.1, 0.05, 0.07
# Lashes of a closed eye: how far they reach over and under the edge (L), and the most they cover.
LASH_OVER, LASH_UNDER, LASH_COVER = 0.02, 0.075, 0.75
# How far under the meeting lids the lower one's rim is covered (L), and the share of closing from which it is.
RIM, NEARLY = 0.07, 0.85
# Contrast of lashes and skin at which they are drawn in full (statues have none), and how much darker they are where they lie together.
LASH_CONTRAST, LASH_DARKER = 0.5, 0.75


@dataclass(frozen=True)
class LidSkin:
    """One upper lid of one portrait."""

    fold_row: tuple[int, ...]
    over_row: tuple[int, ...]
    begin: Array
    """[C, 3] colours where the layer begins."""
    skin: Array
    """[C, 3] the lid's own colours."""
    grain: Array
    """[h, w] factors around 1; its first row lies at the lid's edge, and it is as long as the eye."""
    lashes: Array
    """[3] colour"""
    lash_cover: float
    """0..1, 0 where the portrait has no lashes."""


def build_lid(box: NDArray[np.uint8], points: NDArray[np.float64], eye: EyePoints, lashes: Array) -> LidSkin:
    """The lid of one eye: box [h, w, 3] is the portrait, points [478, 2] its landmarks in pixels of it, lashes [3] their colour."""
    ends = eye.upper[0], eye.upper[-1]
    fold_row, over_row = (ends[0], *eye.fold, ends[1]), (ends[0], *eye.above, ends[1])
    mirrored = eye.side == "Left"
    lid, skin = opening(points, fold_row, eye.upper, mirrored), opening(points, over_row, fold_row, mirrored)
    eyes = opening(points, eye.upper, eye.lower, mirrored)
    length = float(eyes.frame[4])
    over = _looks(box, eyes, skin.low + np.linspace(0.35, 0.8, 4)[:, None] * (skin.top - skin.low))
    band = _looks(box, eyes, lid.low + np.linspace(0.5, 0.9, 4)[:, None] * (lid.top - lid.low))
    under = _looks(box, eyes, eyes.low - np.linspace(0.1, 0.24, 4)[:, None] * length)
    tone = sum((share * _skin_tone(samples) for share, samples in zip(SHARES, (over, band, under), strict=True)), np.float32(0))
    begin = _looks(box, eyes, skin.low + (OVER_FOLD + np.array([[-0.1], [0.0], [0.1]])) * (skin.top - skin.low)).mean(0)
    begin = cv2.GaussianBlur(begin[None], (0, 0), 0.5 * SMOOTH, borderType=cv2.BORDER_REPLICATE)[0]
    contrast = 1.0 - float(lashes.mean()) / max(float(np.mean(tone)), 1.0)
    cover = LASH_COVER * float(np.clip(contrast / LASH_CONTRAST, 0.0, 1.0))
    grain = _grain(box, eyes, length)
    return LidSkin(fold_row, over_row, np.asarray(begin, np.float32), np.asarray(tone, np.float32), grain, LASH_DARKER * lashes, cover)


def _looks(box: NDArray[np.uint8], eye: Opening, heights: NDArray[np.floating], columns: int = STEPS + 1) -> Array:
    """Pixels [rows, C, 3] of the portrait at heights [rows, C] over the line between the corners."""
    x, y, ex, ey, length = eye.frame
    along = np.linspace(0, length, columns, dtype=np.float32)
    at_x, at_y = x + ex * along + ey * heights, y + ey * along - ex * heights
    looked = cv2.remap(box, at_x.astype(np.float32), at_y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(looked, np.float32)


def _skin_tone(samples: Array) -> Array:
    """Smooth colours [C, 3] of what is bright among samples [rows, C, 3] around each column."""
    rows, columns, _ = samples.shape
    padded = np.pad(samples, ((0, 0), (REACH, REACH), (0, 0)), mode="edge")
    around = np.concatenate([padded[:, k : k + columns] for k in range(2 * REACH + 1)])
    order = np.argsort(around.sum(2), axis=0)
    first, last = (round(share * len(around)) for share in BRIGHT)
    tone = np.take_along_axis(around, order[first:last, :, None], 0).mean(0)
    return np.asarray(cv2.GaussianBlur(tone[None], (0, 0), SMOOTH, borderType=cv2.BORDER_REPLICATE)[0], np.float32)


def _grain(box: NDArray[np.uint8], eye: Opening, length: float) -> Array:
    """Fine light and dark of the skin under the eye [h, w], as factors."""
    columns, rows = max(round(length), 8), max(round(0.4 * length), 4)
    low = np.interp(np.linspace(0, 1, columns), np.linspace(0, 1, STEPS + 1), eye.low)
    depth = GRAIN_FROM * length + np.arange(rows)[:, None]
    light = _looks(box, eye, low - depth, columns).mean(2) + 8.0
    smooth = cv2.GaussianBlur(light, (0, 0), max(GRAIN_SIGMA * length, 0.8))
    return np.asarray(np.clip(light / smooth, 1 - GRAIN_MOST, 1 + GRAIN_MOST), np.float32)


def draw_lid(out: NDArray[np.uint8], lid: LidSkin, eye: EyePoints, points: NDArray[np.float64], closed: float) -> None:
    """Draw the lid of an eye that is `closed` 0..1 into `out` [h, w, 3]; points [V, 2] are the drawn vertices in pixels of the box."""
    mirrored = eye.side == "Left"
    upper = opening(points, lid.fold_row, eye.upper, mirrored)
    over = opening(points, lid.over_row, lid.fold_row, mirrored)
    begins = upper.top + OVER_FOLD * np.maximum(over.top - over.low, 0.0)
    length = float(upper.frame[4])
    region = Opening(upper.frame, begins, upper.low - LASH_UNDER * length).box(out.shape[1], out.shape[0])
    share = min(closed / FULL_AT, 1.0)
    amount = share * share * (3.0 - 2.0 * share)
    lash = lid.lash_cover * min(max(2.0 * closed - 1.0, 0.0), 1.0)
    _lay_lid(
        out,
        region,
        upper.frame,
        begins,
        upper.top,
        upper.low,
        lid.begin,
        lid.skin,
        lid.grain,
        amount * (1.0 - SHOWS),
        lid.lashes,
        lash,
        min(max((closed - NEARLY) / (1.0 - NEARLY), 0.0), 1.0),
        mirrored,
    )


@njit
def _lay_lid(
    out: NDArray[np.uint8],
    box: NDArray[np.int32],
    frame: NDArray[np.float32],
    begins: NDArray[np.float32],
    fold: NDArray[np.float32],
    edge: NDArray[np.float32],
    begin: NDArray[np.float32],
    skin: NDArray[np.float32],
    grain: NDArray[np.float32],
    amount: float,
    lashes: NDArray[np.float32],
    lash: float,
    shut: float,
    inner_first: bool,
) -> None:
    """Skin between the curves `begins` and `edge`, at full strength from `fold` on, and lashes along `edge`; curves as in `Opening`.

    `amount` of the skin, `lash` of the lashes and `shut` of the skin under the meeting lids are drawn.
    """
    length = frame[4]
    steps = edge.shape[0] - 1
    for y in range(box[1], box[3]):
        for x in range(box[0], box[2]):
            dx, dy = x - frame[0], y - frame[1]
            u = (dx * frame[2] + dy * frame[3]) / length
            if u <= 0.0 or u >= 1.0:
                continue
            i = int(u * steps)
            t = u * steps - i
            height = dx * frame[3] - dy * frame[2]
            low = edge[i] + (edge[i + 1] - edge[i]) * t
            high = begins[i] + (begins[i + 1] - begins[i]) * t
            if height >= high:
                continue
            slope = (edge[i + 1] - edge[i]) * steps / length
            rise = (height - low) / np.sqrt(1.0 + slope * slope)  # over the lid's edge
            side = min(6.0 * u * (1.0 - u), 1.0)
            if rise > 0.0:
                full = fold[i] + (fold[i + 1] - fold[i]) * t
                begun = min((high - height) / max(high - full, 1e-3), 1.0)
                spared = min(rise / (OWN_EDGE * length), 1.0)
                weight = amount * side * begun * begun * (3.0 - 2.0 * begun) * spared * spared * (3.0 - 2.0 * spared)
                if weight > 0.0:
                    down = min(max((high - height) / max(high - low, 1e-3), 0.0), 1.0)
                    row, column = min(int(rise), grain.shape[0] - 1), int(u * (grain.shape[1] - 1))
                    own = min(down / OWN_FROM, 1.0)
                    own *= own * (3.0 - 2.0 * own)
                    light = grain[row, column] * (1.0 + ROUND * own * (4.0 * down * (1.0 - down) - 0.7))
                    for k in range(3):
                        colour = begin[i, k] + (skin[i, k] - begin[i, k]) * own
                        value = out[y, x, k] + (colour * light - out[y, x, k]) * weight
                        out[y, x, k] = np.uint8(min(max(value + 0.5, 0.0), 255.0))
            elif shut > 0.0 and rise > -RIM * length:
                # The lower lid's wet rim, and what of the white the measured edge left out, lie under the upper lid's lashes.
                weight = shut * min(20.0 * u * (1.0 - u), 1.0) * (1.0 + rise / (RIM * length))
                for k in range(3):
                    value = out[y, x, k] + (skin[i, k] - out[y, x, k]) * weight
                    out[y, x, k] = np.uint8(min(max(value + 0.5, 0.0), 255.0))
            if lash > 0.0:
                # Few lashes grow next to the nose.
                place = u if inner_first else 1.0 - u
                grown = min(5.0 * place, 1.0) * min(14.0 * (1.0 - place), 1.0)
                if rise >= 0.0:
                    near = rise / (LASH_OVER * length + 0.5)
                    cover = np.exp(-near * near)
                else:
                    near = -rise / (LASH_UNDER * length * (0.4 + 0.6 * grown) + 0.5)
                    cover = max(1.0 - near, 0.0)
                cover *= lash * grown
                if cover > 0.004:
                    for k in range(3):
                        value = out[y, x, k] + (lashes[k] - out[y, x, k]) * cover
                        out[y, x, k] = np.uint8(min(max(value + 0.5, 0.0), 255.0))
