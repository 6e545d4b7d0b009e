"""Teeth and tongue, drawn once per portrait in the portrait's own light, as RGBA pictures.

Lengths are in inter-ocular distances (9 cm on an adult), so an upper incisor of 10 mm is 0.11.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

# Widths of the visible teeth from the middle outwards, seen from the front (the arch turns away), in millimetres.
UPPER_WIDTHS = (8.6, 6.6, 6.0, 4.4, 3.4, 2.4)
LOWER_WIDTHS = (5.4, 5.8, 5.6, 4.6, 3.6, 2.6)
UPPER_LENGTHS = (1.0, 0.9, 0.97, 0.84, 0.76, 0.7)
LOWER_LENGTHS = (0.92, 0.95, 1.0, 0.88, 0.8, 0.72)
IVORY = np.array([234.0, 222.0, 198.0])
GUM = np.array([200.0, 116.0, 112.0])
TONGUE = np.array([186.0, 98.0, 98.0])


@dataclass(frozen=True)
class Light:
    """The light of the portrait's face."""

    teeth: NDArray[np.float64]
    """[3] colour of a lit tooth."""
    gum: NDArray[np.float64]
    tongue: NDArray[np.float64]
    cavity: NDArray[np.float64]


def light_of(skin: NDArray[np.float64], near: NDArray[np.float64], lips: NDArray[np.float64], eyes: NDArray[np.float64]) -> Light:
    """Colours that belong to a face with that skin, the skin near its mouth, those lips and eyes ([N, 3] pixels each).

    The brightest skin and the whites of the eyes tell how strong the light is (dark skin alone would not) and its colour, the skin near the
    mouth how much of it falls there, the lips how pink flesh looks in it; a grey or bronze face gets grey or bronze teeth.
    """
    bright, usual = np.percentile(skin, 85, axis=0), np.median(skin, axis=0)
    level = float(np.clip(max(bright.max() / 225.0, np.percentile(eyes, 90, axis=0).max() / 245.0), 0.25, 1.05))
    level *= float(np.clip(np.median(near) / max(np.median(skin), 1.0), 0.4, 1.05)) ** 0.6
    colourful = float(np.clip((usual.max() - usual.min()) / 40.0, 0.0, 1.0))
    whites = np.sort(eyes, axis=0)[-max(len(eyes) // 5, 1) :].mean(0)
    tint = 0.5 * usual / max(usual.max(), 1.0) + 0.5 * whites / max(whites.max(), 1.0)
    flesh = np.median(lips, axis=0)
    teeth = level * IVORY * (0.55 + 0.45 * tint)
    gum, tongue = 0.5 * level * GUM + 0.5 * flesh, 0.5 * level * TONGUE + 0.5 * flesh
    cavity = 0.22 * flesh * np.array([1.0, 0.7, 0.7])
    # Nothing is pink in a pencil drawing.
    teeth, gum, tongue, cavity = (colourful * colour + (1 - colourful) * colour.mean() for colour in (teeth, gum, tongue, cavity))
    return Light(np.minimum(teeth, 245), gum, tongue, cavity)


def draw_row(
    widths: tuple[float, ...], lengths: tuple[float, ...], length_mm: float, light: Light, pixels_per_mm: float, gum_mm: float
) -> NDArray[np.uint8]:
    """A row of teeth as RGBA, gum on top and edges below, its middle in the middle of the picture."""
    half = sum(widths) + 1.0
    width, height = int(2 * half * pixels_per_mm) + 2, int((length_mm * 1.12 + gum_mm) * pixels_per_mm) + 2
    y, x = np.mgrid[:height, :width] / pixels_per_mm
    x = np.abs(x - width / 2 / pixels_per_mm)
    edges = np.concatenate([[0.0], np.cumsum(widths)])
    index = np.clip(np.searchsorted(edges, x.ravel(), side="right").reshape(x.shape) - 1, 0, len(widths) - 1)
    left, span = edges[index], np.asarray(widths)[index]
    s = np.clip((x - left) / span, 0, 1) * 2 - 1  # -1..1 across a tooth
    crown = gum_mm + length_mm * np.asarray(lengths)[index]
    rounding = 0.10 * length_mm * np.abs(s) ** 3
    gumline = gum_mm + 0.10 * length_mm * (np.abs(s) ** 2)
    softness = 0.35
    alpha = np.clip((crown - rounding - y) / softness + 0.5, 0, 1) * np.clip((edges[-1] - x) / softness, 0, 1)
    # A tooth is brightest left of its middle line and a third down, darker at its sides and towards the back of the arch.
    body = 1.0 - 0.13 * np.abs(s) ** 2.5 - 0.05 * np.clip((y - gum_mm) / length_mm, 0, 1)
    arch = 1.0 - 0.5 * np.clip(x / edges[-1], 0, 1) ** 2
    gap = 1.0 - 0.26 * np.exp(-(((1 - np.abs(s)) * span / 0.5) ** 2))
    colour = light.teeth * (body * arch * gap)[..., None]
    is_gum = np.clip((gumline - y) / 0.8 + 0.5, 0, 1)[..., None]
    colour = colour * (1 - is_gum) + (light.gum * (arch * (0.75 + 0.25 * np.clip(y / gum_mm, 0, 1)))[..., None]) * is_gum
    return _rgba(colour, alpha)


def own_teeth(light: Light, inside: NDArray[np.float64]) -> Light:
    """The light with teeth as bright as those that show among the pixels [N, 3] of an open mouth, where some do."""
    brightest = np.percentile(inside, 85, axis=0)
    return replace(light, teeth=brightest) if brightest.mean() > 0.6 * light.teeth.mean() else light


def draw_tongue(light: Light, pixels_per_mm: float, width_mm: float, height_mm: float) -> NDArray[np.uint8]:
    """The tongue at rest behind the lower teeth, RGBA."""
    width, height = int(width_mm * pixels_per_mm) + 2, int(height_mm * pixels_per_mm) + 2
    y, x = np.mgrid[:height, :width].astype(np.float64)
    x, y = (x / width - 0.5) * 2, y / height
    top = 0.06 + 0.4 * np.abs(x) ** 2.4
    alpha = np.clip((y - top) / 0.08, 0, 1) * np.clip((1 - np.abs(x)) / 0.1, 0, 1)
    # Dark at the back, lit towards the tip, a faint furrow down the middle.
    shade = 0.28 + 0.57 * np.clip((y - top) / 0.45, 0, 1) - 0.08 * np.exp(-((x / 0.08) ** 2)) - 0.25 * np.abs(x) ** 2
    return _rgba(light.tongue * shade[..., None], alpha)


def draw_tongue_out(light: Light, pixels_per_mm: float, width_mm: float, length_mm: float) -> NDArray[np.uint8]:
    """The tongue seen from above its tip, RGBA; the tip is `length_mm` below the first row."""
    width, height = int((width_mm + 4) * pixels_per_mm) + 2, int((length_mm + 3) * pixels_per_mm) + 2
    y, x = np.mgrid[:height, :width] / pixels_per_mm
    x = (x - width / 2 / pixels_per_mm) / (width_mm / 2)
    y = y / length_mm
    half = np.where(y < 0.55, 1.0, np.sqrt(np.clip(1 - ((y - 0.55) / 0.45) ** 2, 0, 1)))
    alpha = np.clip((half - np.abs(x)) * width_mm / 2 / 0.8 + 0.3, 0, 1) * (y < 1.02)
    round_off = np.clip(np.abs(x) / np.maximum(half, 0.05), 0, 1)
    shade = 1.05 - 0.38 * round_off**3 - 0.16 * np.exp(-((x / 0.06) ** 2)) * np.clip((0.95 - y) / 0.2, 0, 1)
    shine = 0.12 * np.exp(-(((y - 0.72) / 0.1) ** 2) - ((x - 0.3) / 0.22) ** 2)
    return _rgba(light.tongue * (shade + shine)[..., None], alpha)


def paste(canvas: NDArray[np.uint8], part: NDArray[np.uint8], x: int, y: int) -> None:
    """Alpha-composite an RGBA part onto an RGBA canvas with its first pixel at (x, y); what hangs over is cut."""
    x0, y0 = max(x, 0), max(y, 0)
    x1, y1 = min(x + part.shape[1], canvas.shape[1]), min(y + part.shape[0], canvas.shape[0])
    if x1 <= x0 or y1 <= y0:
        return
    over = part[y0 - y : y1 - y, x0 - x : x1 - x].astype(np.float32)
    under = canvas[y0:y1, x0:x1].astype(np.float32)
    a, b = over[..., 3:] / 255, under[..., 3:] / 255
    total = a + b * (1 - a)
    colour = (over[..., :3] * a + under[..., :3] * b * (1 - a)) / np.maximum(total, 1e-6)
    canvas[y0:y1, x0:x1] = np.concatenate([colour, total * 255], -1).round().astype(np.uint8)


def _rgba(colour: NDArray[np.float64], alpha: NDArray[np.float64]) -> NDArray[np.uint8]:
    picture = np.concatenate([np.clip(colour, 0, 255), 255 * alpha[..., None]], -1)
    return cv2.GaussianBlur(picture.astype(np.float32), (0, 0), 0.7).round().astype(np.uint8)
