"""Which action units a clip shows, and how strongly: one answer for the whole clip, from frames spread evenly over it.

T frames at 25 Hz, K frames looked at. A detector gives a strength 0..1 per unit and frame; `summed_up` makes the clip's set of it:

1. K = 16 frames, the middles of equal parts of the clip. Nothing is drawn at random, so the same clip gives the same set, and a clip of one
   second is looked at as closely as one of ten.
2. A unit's strength is what it reaches on a quarter of them (the 75th percentile). So a smile that comes late counts, and a blink or the
   jaw of one vowel does not. The intersection of all frames would keep only what never moves, and lose a smile that begins with the second
   word; a maximum would keep every slip of the measurement.
3. What a calm face reads is taken off first (`CALM`): the measurement sees half-tight lids and lifted brows on most people.
4. What is left must reach the threshold, half of full strength.
5. One-sided units count only where the sides differ clearly and the two-sided unit is absent; a mouth stretched open (27) is not also a
   dropped jaw (26), as in FACS.

The clip's own lowest values are deliberately not taken off: acted clips hold their expression from the first frame to the last, and would
lose it.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import BadOption, MissingFile
from instructavatar.face.action_units import ACTION_UNITS, vector
from instructavatar.face.motion import ACTION_COUNT, FaceMotion

Picture = NDArray[np.uint8]
QUARTER = 75.0  # percentile: reached on a quarter of the frames
STRETCHED = 0.78  # jawOpen half-way between full strength of 26 (0.5) and of 27 (0.9), as a share of the latter
SIDES_DIFFER = 0.4  # calm faces lean to one side by up to 0.32 (18 faces), which is no expression

# What three of four calm or talking people do not exceed, in strengths of `unit_strengths` (14 portraits, photos and paintings, and the
# calm 30 % of four videos); units that read below 0.2 are left out.
CALM: dict[str, float] = {
    "inner_brow_raiser": 0.25,
    "outer_brow_raiser": 0.33,
    "lid_tightener": 0.30,
    "lip_pucker": 0.57,
    "nostril_compressor": 0.26,
    "left_inner_brow_raiser": 0.41,
    "right_inner_brow_raiser": 0.41,
    "left_outer_brow_raiser": 0.39,
    "right_outer_brow_raiser": 0.39,
}


class UnitDetector(Protocol):
    """What measures a clip's action units. It is handed to worker processes, so it must be picklable."""

    version: str
    """Changes whenever the strengths would."""
    pictures: int
    """How many face crops it wants to see; 0 where the motion is enough."""

    def strengths(self, motion: FaceMotion, pictures: Sequence[Picture] = ()) -> dict[str, float]:
        """Name -> strength 0..1 of the units that are present, strongest first.

        motion is the clip's [T, 58]; pictures are square RGB crops at the middles of equal parts of the clip.
        """
        ...


def spread(count: int, frames: int) -> NDArray[np.int64]:
    """The frames at the middles of equal parts of a clip: `count` of them, or all if there are fewer.

    >>> spread(4, 100).tolist(), spread(4, 2).tolist()
    ([12, 37, 62, 87], [0, 1])
    """
    if frames <= count:
        return np.arange(frames)
    return ((np.arange(count) + 0.5) * frames / count).astype(np.int64)


@lru_cache(maxsize=1)
def _main_shares() -> dict[str, tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Unit -> its main actions and how far they go at full strength, as in `unit_strengths`."""
    shapes = {name: vector(unit.shape)[:ACTION_COUNT] for name, unit in ACTION_UNITS.items()}
    mains = {name: np.flatnonzero(shape >= 0.5 * shape.max()) for name, shape in shapes.items()}
    return {name: (mains[name], shapes[name][mains[name]]) for name in ACTION_UNITS}


def frame_strengths(actions: NDArray[np.float32]) -> list[dict[str, float]]:
    """`unit_strengths` of each frame of actions [K, 52], all at once."""
    columns = {name: (actions[:, main] / full).min(1) for name, (main, full) in _main_shares().items()}
    return [{name: float(column[frame]) for name, column in columns.items()} for frame in range(len(actions))]


def summed_up(rows: Sequence[Mapping[str, float]], threshold: float, calm: Mapping[str, float] | None = None) -> dict[str, float]:
    """A clip's units from the strengths on single frames: steps 2 to 5 of this file's rule. No frame gives no unit."""
    if not rows:
        return {}
    names = [name for name in ACTION_UNITS if name in rows[0]]
    reached = np.percentile([[row[name] for name in names] for row in rows], QUARTER, axis=0)
    resting = np.array([(calm or {}).get(name, 0.0) for name in names])
    strengths = dict(zip(names, ((reached - resting) / (1 - resting)).clip(0, 1).tolist(), strict=True))
    found = {name: value for name, value in strengths.items() if value >= threshold and _counts(name, strengths, threshold)}
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _counts(name: str, strengths: Mapping[str, float], threshold: float) -> bool:
    """Whether a unit that is strong enough is not said better by another."""
    if name in ("jaw_drop", "mouth_stretch"):
        return (strengths.get("mouth_stretch", 0.0) >= STRETCHED) == (name == "mouth_stretch")
    unit = ACTION_UNITS[name]
    if unit.side == "both":
        return True
    stem = name.split("_", 1)[1]
    other = ("right_" if unit.side == "left" else "left_") + stem
    return strengths.get(stem, 0.0) < threshold and strengths[name] - strengths.get(other, 0.0) >= SIDES_DIFFER


class FromActions:
    """Units read off the measured ARKit actions by the table of `face/action_units.py`. No net beside the landmarker's.

    Args:
        frames: how many frames are looked at.
        threshold: share of full strength from which on a unit is present.
    """

    pictures = 0

    def __init__(self, frames: int = 16, threshold: float = 0.5) -> None:
        """Checks the numbers."""
        self.frames, self.threshold = checked(frames, threshold)
        self.version = f"actions-1/{frames}x{threshold:g}"

    def strengths(self, motion: FaceMotion, pictures: Sequence[Picture] = ()) -> dict[str, float]:
        """As `UnitDetector`; looks at the motion alone."""
        return summed_up(frame_strengths(motion.actions[spread(self.frames, len(motion))]), self.threshold, CALM)


class PyFeat:
    """Units by py-feat's detector (MIT; `pip install py-feat`), which fetches its nets by itself. It knows 20 units, all two-sided.

    Args:
        frames: how many face crops are looked at.
        threshold: probability from which on a unit is present.
        options: keyword arguments of `feat.Detector`, such as au_model or device.
    """

    def __init__(self, frames: int = 16, threshold: float = 0.5, options: Mapping[str, Any] | None = None) -> None:
        """Checks the numbers; the detector is loaded when it is first needed."""
        self.pictures, self.threshold = checked(frames, threshold)
        self.options = dict(options or {})
        self.version = f"py-feat/{frames}x{threshold:g}/{sorted(self.options.items())}"
        self._detector: Any = None

    def __getstate__(self) -> dict[str, Any]:
        """Without the nets: each process loads its own."""
        return {**self.__dict__, "_detector": None}

    def strengths(self, motion: FaceMotion, pictures: Sequence[Picture] = ()) -> dict[str, float]:
        """As `UnitDetector`; crops in which it finds no face are left out."""
        if self._detector is None:
            feat = needed("feat", "py-feat", "PyFeat")
            self._detector = getattr(feat, "Detectorv1", None) or feat.Detector
            self._detector = self._detector(**self.options)
        batch = as_batch(pictures)
        found = self._detector.detect(batch, data_type="tensor", batch_size=len(pictures), num_workers=0, progress_bar=False)
        columns = {column: name for column in found.aus.columns if (name := name_of_number(column))}
        rows = [{name: float(row[column]) for column, name in columns.items()} for row in found.aus.to_dict("records")]
        return summed_up([row for row in rows if np.isfinite(list(row.values())).all()], self.threshold)


class FaceTorch:
    """Units by facetorch's action unit net (Apache-2.0; `pip install facetorch`): the 41 units that the published system used.

    Args:
        config: facetorch's own configuration file, with an `analyzer` that has the predictor `au`.
        frames: how many face crops are looked at.
        threshold: confidence from which on a unit is present.
    """

    def __init__(self, config: str, frames: int = 16, threshold: float = 0.5) -> None:
        """Checks the numbers; the nets are loaded when they are first needed."""
        self.pictures, self.threshold = checked(frames, threshold)
        self.config = config
        self.version = f"facetorch/{frames}x{threshold:g}"
        self._analyzer: Any = None

    def __getstate__(self) -> dict[str, Any]:
        """Without the nets: each process loads its own."""
        return {**self.__dict__, "_analyzer": None}

    def strengths(self, motion: FaceMotion, pictures: Sequence[Picture] = ()) -> dict[str, float]:
        """As `UnitDetector`; crops in which it finds no face, or several, are left out."""
        if self._analyzer is None:
            facetorch = needed("facetorch", "facetorch", "FaceTorch")
            self._analyzer = facetorch.FaceAnalyzer(needed("omegaconf", "omegaconf", "FaceTorch").OmegaConf.load(self.config).analyzer)
        labels = self._analyzer.predictors["au"].postprocessor.labels
        rows = []
        for picture in as_batch(pictures):
            faces = self._analyzer.run(image_source=picture, include_tensors=True).faces
            if len(faces) == 1:
                scores = np.asarray(faces[0].preds["au"].logits, np.float64).reshape(-1)
                rows.append({name: float(score) for name, score in zip(labels, scores, strict=True) if name in ACTION_UNITS})
        return summed_up(rows, self.threshold)


def name_of_number(label: str) -> str | None:
    """Our two-sided unit for a label like "AU06"; None for one that the table lacks, such as AU43 (eyes closed).

    >>> name_of_number("AU12"), name_of_number("AU43")
    ('lip_corner_puller', None)
    """
    digits = label.removeprefix("AU")
    if not digits.isdigit():
        return None
    return next((unit.name for unit in ACTION_UNITS.values() if unit.number == int(digits) and unit.side == "both"), None)


def needed(module: str, package: str, user: str) -> Any:
    """An optional module; a one-line error that names the package where it is missing."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingFile(f"{user} needs the package {package!r} ({error}); install it with: pip install {package}") from error


def as_batch(pictures: Sequence[Picture]) -> Any:
    """Pictures of one size as a torch tensor [K, 3, H, W], 0..255."""
    torch = needed("torch", "torch", "an action unit detector")
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float()  # (K, H, W, 3) -> (K, 3, H, W)


def checked(frames: int, threshold: float) -> tuple[int, float]:
    """The two numbers all detectors have."""
    if frames < 1 or not 0 < threshold <= 1:
        raise BadOption(f"expected frames of at least 1 and a threshold in 0..1, got {frames} and {threshold}; mend units in the config")
    return int(frames), float(threshold)
