"""The pictures of a report: plots, curves of a few clips, contact sheets of the worst ones.

Clips are opened again; their faces are remembered by the cache, so only the frames that are shown cost anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import InstructAvatarError
from instructavatar.features.lip_sync import loudness, opening
from instructavatar.media.audio import read_audio
from instructavatar.media.files import written_beside
from instructavatar.metrics.action_units import unit_f1
from instructavatar.metrics.benchmark import Benchmark, Outcome
from instructavatar.metrics.cache import Cache
from instructavatar.metrics.clips import Clip, VideoClip
from instructavatar.metrics.pairs import Pair
from instructavatar.metrics.report import contact, plots
from instructavatar.metrics.report.ranking import ranked
from instructavatar.metrics.report.wording import number
from instructavatar.metrics.results import per_clip
from instructavatar.metrics.store_clips import real_clip

WORST = 5
PLACE = "pictures"
NO_PLOTS = "There are no plots here, for matplotlib is not installed: pip install 'instructavatar[train]', then run the same command again."


@dataclass(frozen=True)
class Shown:
    """A picture of the page, under the section it belongs to."""

    section: str
    file: str
    """Below the report's folder."""
    title: str
    caption: str


@dataclass
class Gallery:
    """Writes pictures into a folder and lists them.

    Args:
        folder: the report's.
        cache: where the clips' faces are remembered.
    """

    folder: Path
    cache: Cache
    shown: list[Shown] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    """What could not be drawn, and why."""

    def add(self, section: str, name: str, title: str, caption: str, make: Callable[[], bytes]) -> None:
        """Make a picture and write it; what fails is told on the page."""
        try:
            content = make()
        except InstructAvatarError as error:
            self.lost.append(f"{title}: {error}")
            return
        file = f"{PLACE}/{name}"
        with written_beside(self.folder / file) as part:
            part.write_bytes(content)
        self.shown.append(Shown(section, file, title, caption))

    def clear(self) -> None:
        """Take away the pictures of an older report that this one lacks."""
        current = {Path(one.file).name for one in self.shown}
        for path in (self.folder / PLACE).glob("*"):
            if path.suffix in (".png", ".jpg") and path.stem.startswith(_PREFIXES) and path.name not in current:
                path.unlink()


_PREFIXES = ("spreads", "units", "drift", "course-", "worst-")


def fill(gallery: Gallery, outcomes: Sequence[Outcome], pairs: Sequence[Pair], benchmark: Benchmark) -> None:
    """All pictures of a report."""
    able, _ = benchmark.runnable()
    order = ranked(outcomes, able)
    by_name = {pair.name: pair for pair in pairs}
    if plots.available():
        _add_numbers(gallery, outcomes, benchmark)
        for place, (name, rank) in enumerate(_some(order), 1):
            _add_course(gallery, f"course-{place}.png", by_name[name], rank)
    for place, (name, rank) in enumerate(order[:WORST], 1):
        _add_sheet(gallery, f"worst-{place}.jpg", by_name[name], rank)


def _some(order: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    """The worst, the middle and the best clip."""
    places = sorted({0, len(order) // 2, len(order) - 1})
    return [order[place] for place in places] if order else []


def _add_numbers(gallery: Gallery, outcomes: Sequence[Outcome], benchmark: Benchmark) -> None:
    able, _ = benchmark.runnable()
    rows = per_clip(outcomes, able)
    having = {row["name"] for row in rows}
    units = {name: value.unit for metric in able.values() for name, value in metric.values.items() if name in having}
    if units:
        caption = "Each dot is a clip, each bar a median; of many clips, boxes hold the middle half."
        gallery.add("spreads", "spreads.png", "Every number over the clips", caption, lambda: plots.spreads(rows, units))
    bars = {row: found for row in _BESIDE if (found := _units(outcomes, row))}
    if "system" in bars:
        caption = "A bar is the system; marks are the rows beside it. In brackets: clips in which the unit was asked or seen."
        gallery.add("units", "units.png", "F1 of each action unit that can be read", caption, lambda: plots.unit_bars(bars))
    curves = {outcome.name: curve for outcome in outcomes if (curve := _likeness(outcome)) is not None}
    if curves:
        caption = "Thin lines are clips, the thick one is their mean; a line that falls is a face that becomes another's."
        gallery.add("drift", "drift.png", "Likeness to the portrait over the clip", caption, lambda: plots.drifts(curves, "cosine"))


_BESIDE = ("system", "oracle", "still", "shuffled_text")


def _units(outcomes: Sequence[Outcome], row: str) -> dict[str, tuple[float, int]]:
    """Unit -> (F1, clips), where a metric tells which units each clip was asked and seen to show."""
    told = [scores for outcome in outcomes for scores in outcome.scores.get(row, {}).values() if "units_asked" in scores]
    return unit_f1(told)


def _likeness(outcome: Outcome) -> NDArray[np.float64] | None:
    """The likeness [K] over a clip's frames, where a metric tells it."""
    told = [scores["likeness"] for scores in outcome.scores.get("system", {}).values() if len(scores.get("likeness", ())) > 1]
    return np.asarray(told[0], np.float64) if told else None


def _add_course(gallery: Gallery, file: str, pair: Pair, rank: float) -> None:
    caption = f"Mean rank {number(rank)} (0 best, 1 worst). The sound's loudness lies behind the lips; head angles are as measured."
    gallery.add("courses", file, pair.name, caption, lambda: _course(pair, gallery.cache))


def _course(pair: Pair, cache: Cache) -> bytes:
    clip = VideoClip(pair.generated, cache)
    truth = real_clip(pair.reference, cache) if pair.reference else None
    real = None
    if truth is not None:
        try:
            real = _motion(truth)
        except InstructAvatarError:  # the failures' table says why
            truth = None
    heard = next((one.sound for one in (truth, clip) if one is not None and one.sound is not None), None)
    sound = read_audio(pair.audio) if pair.audio else heard
    return plots.courses(_motion(clip), real, None if sound is None else loudness(sound, len(clip)))


def _motion(clip: Clip) -> plots.Course:
    return plots.Course(opening(clip.faces), np.unwrap(clip.take.motion.rotation_deg.astype(np.float64), axis=0, period=360))


def _add_sheet(gallery: Gallery, file: str, pair: Pair, rank: float) -> None:
    what = (
        "Generated above, real below where there are pictures of it, at the same moments." if pair.reference else "There is no real clip."
    )
    asked = f" Asked for: {pair.asked.instruction}" if pair.asked.instruction else ""
    gallery.add("worst", file, pair.name, f"Mean rank {number(rank)}. {what}{asked}", lambda: _sheet(pair, gallery.cache))


def _sheet(pair: Pair, cache: Cache) -> bytes:
    truth = real_clip(pair.reference, cache) if pair.reference else None
    return contact.jpeg(contact.sheet(VideoClip(pair.generated, cache), truth if truth is not None and truth.pictured else None))


def sections(shown: Sequence[Shown]) -> Mapping[str, list[Shown]]:
    """Pictures by their section, in order."""
    found: dict[str, list[Shown]] = {}
    for one in shown:
        found.setdefault(one.section, []).append(one)
    return found
