"""Plots of an evaluation, by matplotlib, which only training brings along: where it is missing, the page says so and has none.

Backgrounds are clear and words grey, so that the same picture is readable on a light page and on a dark one. T frames at 25 Hz.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from instructavatar.face.motion import FRAME_RATE_HZ
from instructavatar.metrics.report.wording import ROW_TITLES, title_of

Curve = NDArray[np.float64]
ANGLES = ("pitch", "yaw", "roll")

_GREY, _MINE, _REAL = "#808080", "#2f7fd6", "#e08a1e"
_PALE = {"oracle": "#3a9d6e", "still": "#9a9a9a", "shuffled_audio": "#b06fb8", "shuffled_text": "#8f7fd0"}
_COLOURS = {"system": _MINE, "ground_truth": _REAL, **_PALE}
_DOTS_AT_MOST = 150  # more clips than this are drawn as boxes
_DPI = 110


@dataclass(frozen=True)
class Course:
    """What moves over a clip."""

    opening: Curve
    """[T] of the lips, in inter-ocular distances."""
    rotation_deg: Curve
    """[T, 3] pitch, yaw, roll."""


def available() -> bool:
    """Whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def _figure(width: float, height: float, rows: int = 1, columns: int = 1, layout: Any = "constrained", **options: Any) -> tuple[Any, Any]:
    """A figure in inches and its axes [rows, columns]."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout=layout)
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False, **options)
    for axis in axes.flat:
        axis.set_facecolor("none")
        axis.tick_params(colors=_GREY, labelsize=8, length=2)
        axis.spines[["top", "right"]].set_visible(False)
        axis.spines[["left", "bottom"]].set_color(_GREY)
    return figure, axes


def _png(figure: Any) -> bytes:
    held = io.BytesIO()
    figure.savefig(held, format="png", dpi=_DPI, transparent=True, metadata={"Software": None})
    return held.getvalue()


def _label(axis: Any, **texts: str) -> None:
    axis.set(**texts)
    for part in (axis.xaxis.label, axis.yaxis.label, axis.title):
        part.set(color=_GREY, fontsize=9)


def _legend(axis: Any) -> None:
    axis.legend(loc="upper right", fontsize=8, frameon=False, labelcolor=_GREY, ncols=3, bbox_to_anchor=(1.0, 1.28), borderaxespad=0)


def courses(mine: Course, real: Course | None, loudness_db: Curve | None) -> bytes:
    """A clip's lips above its head's three angles, beside the real clip's; the sound's loudness lies behind the lips."""
    figure, axes = _figure(9.5, 6.2, 4, 1, sharex=True, height_ratios=(1.7, 1, 1, 1))
    lips, heads = axes[0, 0], axes[1:, 0]
    _two(lips, mine.opening, None if real is None else real.opening)
    if loudness_db is not None:
        _sound(lips, loudness_db)
    _label(lips, ylabel="lips' opening\n(inter-ocular)")
    _legend(lips)
    for place, (axis, name) in enumerate(zip(heads, ANGLES, strict=True)):
        _two(axis, mine.rotation_deg[:, place], None if real is None else real.rotation_deg[:, place])
        _label(axis, ylabel=f"{name} (°)")
    _label(heads[-1], xlabel="seconds")
    lips.set_xlim(0, max(len(mine.opening) - 1, 1) / FRAME_RATE_HZ)
    return _png(figure)


def _two(axis: Any, mine: Curve, real: Curve | None) -> None:
    if real is not None:
        axis.plot(np.arange(len(real)) / FRAME_RATE_HZ, real, color=_REAL, linewidth=1.8, label="real")
    axis.plot(np.arange(len(mine)) / FRAME_RATE_HZ, mine, color=_MINE, linewidth=1.2, label="generated")


def _sound(axis: Any, loudness_db: Curve) -> None:
    behind = axis.twinx()
    behind.fill_between(np.arange(len(loudness_db)) / FRAME_RATE_HZ, loudness_db, -60, color=_GREY, alpha=0.22, linewidth=0)
    behind.set(ylim=(-60, 0), yticks=[])
    behind.spines[:].set_visible(False)
    behind.set_zorder(-1)
    axis.fill_between([], [], color=_GREY, alpha=0.22, label="loudness, -60 to 0 dB")


def spreads(rows: Sequence[Mapping[str, Any]], units: Mapping[str, str]) -> bytes:
    """Every number's values over the clips, a strip for each row: `rows` as `results.per_clip` gives them, `units` by the number's name."""
    across = min(4, len(units))
    down = -(-len(units) // across)
    wide, high, between, below = 1.6, 0.95, 1.05, 0.72  # inches
    width, height = across * (wide + between) + 0.35, down * (high + below) + 0.1
    figure, axes = _figure(width, height, down, across, layout="none")  # dozens of axes would be laid out for seconds
    figure.subplots_adjust(between / width, 0.45 / height, 1 - 0.35 / width, 1 - 0.3 / height, between / wide, below / high)
    for axis, (name, unit) in zip(axes.flat, units.items(), strict=False):
        _strips(axis, [row for row in rows if row["name"] == name])
        _label(axis, title=name, xlabel=unit)
    for axis in axes.flat[len(units) :]:
        axis.set_visible(False)
    return _png(figure)


def _strips(axis: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """The first row on top; a bar at each median."""
    having = [name for name in ROW_TITLES if any(row["row"] == name for row in rows)]
    for height, name in enumerate(reversed(having)):
        values = np.array([row["value"] for row in rows if row["row"] == name])
        colour = _COLOURS.get(name, _GREY)
        if len(values) > _DOTS_AT_MOST:
            axis.boxplot(values, positions=[height], orientation="horizontal", showfliers=False, widths=0.5, medianprops={"color": colour})
        else:
            axis.plot(values, height + _jitter(len(values)), "o", color=colour, markersize=3.2, alpha=0.75, markeredgewidth=0)
        axis.plot([np.median(values)] * 2, [height - 0.32, height + 0.32], color=colour, linewidth=2)
    axis.set_yticks(range(len(having)), [title_of(name) for name in reversed(having)])
    axis.set_ylim(-0.6, len(having) - 0.4)
    axis.locator_params(axis="x", nbins=4)
    axis.ticklabel_format(axis="x", useOffset=False)


def _jitter(count: int) -> Curve:
    """Heights in which dots lie apart, the same each time: the golden ratio's multiples fill a strip evenly."""
    return np.asarray(((np.arange(count) * 0.6180339887) % 1 - 0.5) * 0.4)


def unit_bars(by_row: Mapping[str, Mapping[str, tuple[float, int]]]) -> bytes:
    """A bar for each action unit of the row system, the best on top, with the other rows' marks on it.

    `by_row` holds row -> unit -> (F1, in how many clips the unit was asked or seen).
    """
    system = by_row["system"]
    names = sorted(system, key=lambda name: (system[name][0], name))
    figure, axes = _figure(7.5, 0.25 * len(names) + 1.0)
    axis = axes[0, 0]
    axis.barh(range(len(names)), [system[name][0] for name in names], color=_MINE, height=0.66, alpha=0.85, label="system")
    for row, units in by_row.items():
        places = [(units[name][0], place) for place, name in enumerate(names) if name in units]
        if row != "system" and places:
            axis.plot(*zip(*places, strict=True), "|", color=_COLOURS[row], markersize=11, markeredgewidth=2.5, label=title_of(row))
    axis.set_yticks(range(len(names)), [f"{name.replace('_', ' ')} ({system[name][1]})" for name in names])
    axis.set(xlim=(-0.01, 1.01), ylim=(-0.6, len(names) - 0.4))
    _label(axis, xlabel="F1")
    figure.legend(loc="outside upper right", fontsize=8, frameon=False, labelcolor=_GREY, ncols=4)
    return _png(figure)


def drifts(by_clip: Mapping[str, Curve], unit: str) -> bytes:
    """How a likeness goes over each clip, from its beginning (0 %) to its end: thin lines for clips, a thick one for their mean."""
    figure, axes = _figure(7.5, 3.0)
    axis = axes[0, 0]
    shares = np.linspace(0, 100, 50)
    lines = [np.interp(shares, np.linspace(0, 100, len(curve)), curve) for curve in by_clip.values() if len(curve) > 1]
    for line in lines:
        axis.plot(shares, line, color=_MINE, linewidth=0.8, alpha=0.4)
    axis.plot(shares, np.mean(lines, axis=0), color=_MINE, linewidth=2.2)
    axis.set_xlim(0, 100)
    _label(axis, xlabel="share of the clip, %", ylabel=unit)
    return _png(figure)
