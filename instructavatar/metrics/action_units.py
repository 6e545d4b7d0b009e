"""Action units: does the face show those that were asked for, or those of the real clip?

A unit is asked where the pairs name units (`asked.action_units`), otherwise where the real clip shows it. Higher is better throughout. Two
families that must not be compared with one another:

PublishedActionUnits, as the field computes it: the units that all of 3 frames show, and precision, recall and F1 of each clip, averaged
over the clips (scikit-learn's average="samples"). AUF1 = mean over clips of 2 |asked and seen| / (|asked| + |seen|). Three frames of a
talking mouth share little, so much is lost; the frames are drawn at random (here by `seed` and the clip). A clip without any asked unit is
not scored, which is told. `au_emo_published` is the recall of the four units that are typical of the emotion (face/emotions.py), of
which the default detector cannot read all.

ActionUnits, the sound version: 16 frames spread evenly over the clip, what the face shows at rest taken off, only units that can be read
from a face, and counts pooled over the clips: `au_precision`, `au_recall` and `au_f1` over all units together (micro), `au_f1_macro` the
mean of the units' own F1. `au_emo` is the recall of the emotion's typical units that can be read.

Readable are the units whose main actions the landmarker's scores show on real faces (face/actions.py): inner and outer brow raiser (1, 2),
brow lowerer (4), lid tightener (7), upper lip raiser (10), lip corner puller (12), dimpler (14), lower lip depressor (16), chin raiser
(17), lip pucker (18), lip stretcher (20), lip tightener (23), lip pressor (24), lips part (25), jaw drop (26), mouth stretch (27), lip bite
(32), and the one-sided ones of 1, 2, 4, 10 and 14. Not: 5, 6, 9, 11, 13, 15, 19, 22, 38 and 39 (nostrils have no action of their own).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import BadOption
from instructavatar.face.action_units import ACTION_UNITS, vector
from instructavatar.face.actions import READABLE
from instructavatar.face.emotions import TYPICAL_UNITS
from instructavatar.face.landmarks import Landmarks
from instructavatar.face.motion import ACTION_COUNT, ACTIONS, FaceMotion
from instructavatar.features.action_units import CALM, QUARTER, FromActions, UnitDetector, checked, frame_strengths, spread, summed_up
from instructavatar.features.region import crop_region, region_of_points
from instructavatar.metrics.base import Metric, NotScored, Scores, Take, Value
from instructavatar.metrics.case import Case
from instructavatar.metrics.clips import Clip, Picture
from instructavatar.metrics.pairs import Asked

Mask = NDArray[np.bool_]


def _readable(name: str) -> bool:
    """Whether all main actions of a unit can be read; nostrils only borrow a lip's."""
    shape = vector(ACTION_UNITS[name].shape)[:ACTION_COUNT]
    return "nostril" not in name and all(ACTIONS[place] in READABLE for place in np.flatnonzero(shape >= 0.5 * shape.max()))


READABLE_UNITS: tuple[str, ...] = tuple(name for name in ACTION_UNITS if _readable(name))
"""Units that `ActionUnits` judges, in the table's order."""


class PublishedActionUnits(Metric):
    """The field's numbers on action units.

    Args:
        frames: how many frames are intersected.
        seed: draws the frames, differently for each clip.
        detector: a `UnitDetector`; None: read from the measured actions.
    """

    values = {
        "au_precision_published": Value("0..1"),
        "au_recall_published": Value("0..1"),
        "au_f1_published": Value("0..1"),
        "au_emo_published": Value("0..1"),
    }
    reads = True

    def __init__(self, frames: int = 3, seed: int = 0, detector: UnitDetector | None = None) -> None:
        """Checks the number; loads nothing."""
        if frames < 1:
            raise BadOption(f"expected at least 1 frame, got {frames}")
        self.frames, self.seed, self.detector = frames, seed, detector or FromActions()

    def identity(self) -> str:
        """With the detector's version for its name."""
        return f"{type(self).__name__}-{self.version} {self.frames} {self.seed} {self.detector.version}"

    def score(self, case: Case) -> Scores:
        """Units that this detector does not know count as missed, as published."""
        asked = set(known_units(case.asked.action_units)) or self._units(case.needs_truth())
        if not asked:
            raise NotScored("no action unit in the reference")
        seen = self._units(case.clip)
        hits = len(asked & seen)
        found = {
            "au_precision_published": hits / len(seen) if seen else 0.0,
            "au_recall_published": hits / len(asked),
            "au_f1_published": 2 * hits / (len(asked) + len(seen)),
        }
        typical = TYPICAL_UNITS.get(case.asked.emotion)
        if typical:
            found["au_emo_published"] = len(seen & set(typical)) / len(typical)
        return found

    def _units(self, clip: Clip) -> set[str]:
        """The units on all of a few frames that show a face."""
        seen = [t for t, face in enumerate(clip.faces) if face is not None]
        if not seen:
            raise NotScored("no face")
        rng = np.random.default_rng([self.seed, *clip.key.encode()])
        chosen = sorted(int(t) for t in rng.choice(seen, min(self.frames, len(seen)), replace=False))
        motion = clip.take.motion.values
        sets = [set(self.detector.strengths(FaceMotion(motion[t : t + 1]), self._crops(clip, t))) for t in chosen]
        return set.intersection(*sets)

    def _crops(self, clip: Clip, frame: int) -> list[Picture]:
        face = clip.faces[frame]
        if self.detector.pictures == 0 or face is None:
            return []
        picture = next(picture for t, picture in enumerate(clip.frames()) if t == frame)
        return [face_crop(picture, face)]


class ActionUnits(Metric):
    """Precision, recall and F1 over the units that can be read.

    A clip's scores also hold `units_asked` and `units_seen`: whether each of `READABLE_UNITS` was [U]; `unit_f1` makes bars of them.

    Args:
        frames: how many frames are looked at.
        threshold: share of full strength from which on a unit is present.
        zero_division: what a ratio counts as that has no denominator, such as the F1 of a unit that was neither asked nor seen; None:
            it is left out.
        detector: a `UnitDetector` that decides instead, with its own frames and threshold; what the face shows at rest stays in it.
    """

    values = {
        "au_precision": Value("0..1"),
        "au_recall": Value("0..1"),
        "au_f1": Value("0..1"),
        "au_f1_macro": Value("0..1"),
        "au_emo": Value("0..1"),
    }
    reads = True

    def __init__(
        self, frames: int = 16, threshold: float = 0.5, zero_division: float | None = None, detector: UnitDetector | None = None
    ) -> None:
        """Checks the numbers; loads nothing."""
        self.frames, self.threshold = checked(frames, threshold)
        self.zero_division, self.detector = zero_division, detector

    def identity(self) -> str:
        """With the detector's version for its name."""
        how = self.detector.version if self.detector else f"{self.frames}x{self.threshold:g}"
        return f"{type(self).__name__}-{self.version} {how} {self.zero_division}"

    def score(self, case: Case) -> Scores:
        """Needs units or an emotion that is asked, or a real clip."""
        rest = resting_units(case.calm(), self.threshold)
        seen = self.present(case.clip, rest)
        found: Scores = {}
        if case.asked.action_units or case.truth is not None:
            asked = known_units(case.asked.action_units) or self.present(case.needs_truth(), rest)
            found = {"units_asked": mask_of(asked), "units_seen": mask_of(seen)}
            ratios = self._ratios(found["units_asked"][None], found["units_seen"][None])
            found |= {name: ratios[name] for name in ("au_precision", "au_recall", "au_f1") if name in ratios}
        typical = typical_units(case.asked)
        if typical:
            found["au_emo"] = len(set(typical) & set(seen)) / len(typical)
        if not found:
            raise NotScored("no action units or emotion asked, and no reference video")
        return found

    def present(self, clip: Clip, rest: Mapping[str, float]) -> list[str]:
        """Readable units that a clip shows; `rest` is what its face shows unasked."""
        if self.detector is None:
            motion = clip.take.motion
            rows = frame_strengths(motion.actions[spread(self.frames, len(motion))])
            found = summed_up(rows, self.threshold, rest)
        else:
            crops = [face_crop(picture, face) for picture, face in clip.seen(self.detector.pictures)] if self.detector.pictures else []
            found = self.detector.strengths(clip.take.motion, crops)
        return [name for name in found if name in READABLE_UNITS]

    def compute(self, scores: Sequence[Scores]) -> dict[str, float]:
        """Counts pooled over the clips; `au_emo` is a mean over clips."""
        judged = [one for one in scores if "units_asked" in one]
        emo = [float(one["au_emo"]) for one in scores if "au_emo" in one]
        found = {"au_emo": float(np.mean(emo))} if emo else {}
        if judged:
            asked, seen = (np.stack([one[name] for one in judged]) for name in ("units_asked", "units_seen"))
            found |= self._ratios(asked, seen)
        return found

    def _ratios(self, asked: Mask, seen: Mask) -> dict[str, float]:
        """The numbers over clips and units [N, U]; those without a denominator as `zero_division` says."""
        hits, wanted, shown = (asked & seen).sum(0), asked.sum(0), seen.sum(0)
        every = {
            "au_precision": [_ratio(hits.sum(), shown.sum(), self.zero_division)],
            "au_recall": [_ratio(hits.sum(), wanted.sum(), self.zero_division)],
            "au_f1": [_ratio(2 * hits.sum(), (wanted + shown).sum(), self.zero_division)],
            "au_f1_macro": [_ratio(2 * h, n, self.zero_division) for h, n in zip(hits, wanted + shown, strict=True)],
        }
        known = {name: [one for one in found if one is not None] for name, found in every.items()}
        return {name: float(np.mean(found)) for name, found in known.items() if found}


def unit_f1(scores: Sequence[Scores]) -> dict[str, tuple[float, int]]:
    """Of `ActionUnits`' scores of several clips: unit -> its F1 and in how many clips it was asked or seen.

    This is what bars for each unit are drawn from; units that were neither are not there.
    """
    judged = [one for one in scores if "units_asked" in one]
    if not judged:
        return {}
    asked, seen = (np.stack([np.asarray(one[name], bool) for one in judged]) for name in ("units_asked", "units_seen"))
    hits, total, either = (asked & seen).sum(0), asked.sum(0) + seen.sum(0), (asked | seen).sum(0)
    return {name: (2 * float(h) / float(n), int(e)) for name, h, n, e in zip(READABLE_UNITS, hits, total, either, strict=True) if n}


def known_units(names: Iterable[str]) -> list[str]:
    """The names, which must be known.

    Raises:
        NotScored: one is not a unit of face/action_units.py.
    """
    listed = list(names)
    unknown = [name for name in listed if name not in ACTION_UNITS]
    if unknown:
        raise NotScored(f"unknown action unit {unknown[0]!r}; face/action_units.py names them")
    return listed


def typical_units(asked: Asked) -> list[str]:
    """The readable units typical of the emotion that is asked; [] for one without such units, as neutral."""
    return [name for name in TYPICAL_UNITS.get(asked.emotion, ()) if name in READABLE_UNITS]


def mask_of(names: Iterable[str]) -> Mask:
    """Which of `READABLE_UNITS` are named [U]."""
    listed = set(names)
    return np.array([name in listed for name in READABLE_UNITS], bool)


def resting_units(calm: Take, threshold: float) -> dict[str, float]:
    """Strength of each unit that the face shows unasked: what most calm faces read, or more where this face's calm clip does.

    A portrait that shows a unit plainly, from the threshold on, is no face at rest: most lists give the real clip's first frame for one.
    There, the usual calm face's value is taken.
    """
    rows = frame_strengths(calm.motion.actions[spread(16, len(calm))])
    reached = {name: float(np.percentile([row[name] for row in rows], QUARTER)) for name in ACTION_UNITS}
    return {name: max(CALM.get(name, 0.0), value if value < threshold else 0.0) for name, value in reached.items()}


def face_crop(picture: Picture, face: Landmarks) -> Picture:
    """The face upright in the middle of a square [256, 256, 3], with a quarter of its size around it."""
    return np.asarray(np.round(crop_region(picture, region_of_points(face.points))[0] * 255), np.uint8)


def _ratio(part: float, whole: float, zero_division: float | None) -> float | None:
    return float(part / whole) if whole else zero_division
