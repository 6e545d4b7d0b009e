"""What metrics share: the take (a face measured over a clip), the contract of a metric, and confidence intervals.

T measured frames.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import FaceProblem
from instructavatar.face.landmarks import Landmarks
from instructavatar.face.motion import FRAME_RATE_HZ, FaceMotion
from instructavatar.features.face_motion import face_motion, missing
from instructavatar.features.landmarks import FaceLandmarker

if TYPE_CHECKING:
    from instructavatar.metrics.case import Case

Scores = dict[str, Any]
"""What a metric says of one clip: floats, texts, whole numbers and arrays by name."""

# With more frames lost than this, what is left says little about the clip.
_LOST_SHARE = 0.2


@dataclass(frozen=True)
class Take:
    """One face measured over one clip."""

    motion: FaceMotion
    """[T, 58] as read back; head rotation absolute."""
    points: NDArray[np.float32] | None = None
    """[T, 478, 3] landmarks in pixels; None where only curves are known."""
    rate_hz: float = FRAME_RATE_HZ
    """Measured frames per second."""

    def __len__(self) -> int:
        """T."""
        return len(self.motion)

    def first(self, frames: int) -> Take:
        """The first so many frames."""
        return Take(FaceMotion(self.motion.values[:frames]), None if self.points is None else self.points[:frames], self.rate_hz)

    @staticmethod
    def measure(frames: Iterable[NDArray[np.uint8]], landmarker: FaceLandmarker, rate_hz: float = FRAME_RATE_HZ, every: int = 1) -> Take:
        """Measure every so-manieth of the frames [H, W, 3] RGB that come at `rate_hz`.

        Raises:
            FaceProblem: more than a fifth of the frames show no face.
        """
        return Take.of(list(landmarker.track(islice(frames, 0, None, every))), rate_hz / every)

    @staticmethod
    def of(faces: Sequence[Landmarks | None], rate_hz: float = FRAME_RATE_HZ) -> Take:
        """The take of faces measured frame by frame.

        Raises:
            FaceProblem: as `measure`.
        """
        lost = missing(faces)
        if not faces or lost > _LOST_SHARE * len(faces):
            raise FaceProblem(f"expected a face in the clip, found none in {lost} of {len(faces)} frames")
        # A frame without a face takes the points of the nearest one with a face.
        seen = np.array([t for t, face in enumerate(faces) if face is not None])
        points = np.stack([face.points for face in faces if face is not None])
        return Take(face_motion(faces), points[_nearest(seen, len(faces))], rate_hz)


def _nearest(seen: NDArray[np.intp], frames: int) -> NDArray[np.intp]:
    """For each of T frames the place in `seen` [N], which rises, of the nearest one; of two the earlier."""
    halfway = (seen[:-1] + seen[1:]) / 2
    return np.searchsorted(halfway, np.arange(frames), side="left")


@dataclass(frozen=True)
class Value:
    """What one of a metric's numbers is."""

    unit: str
    """For a person: "degrees", "% of clips", "" for a pure number."""
    higher_is_better: bool | None = True
    """None where neither is, as for blinks a minute."""
    given: bool = False
    """The ground truth reaches the best value by definition, because it would be compared with itself."""


class NotScored(Exception):
    """A metric cannot judge this clip; the text says why: "no sound", "shorter than 1 s". The clip is named in the report."""


class Metric(ABC):
    """Numbers about clips. One file holds one metric, and its first lines say the paper, the units and which way is better.

    A metric is made from a configuration's params, kept as public attributes under their own names (scores are remembered by them); it is
    sent to other processes, so what it loads lies in attributes that begin with "_" and is loaded when first needed.
    """

    values: ClassVar[Mapping[str, Value]]
    """Every number by its name, which no other metric has."""
    hears: ClassVar[bool] = False
    """Depends on the sound: judged against another clip's sound too, which must be worse."""
    reads: ClassVar[bool] = False
    """Depends on the instruction: judged against another clip's too."""
    version: ClassVar[int] = 1
    """Raised whenever the same clip would get another score."""
    resamples: ClassVar[int | None] = None
    """Draws of the bootstrap; None: as many as the benchmark takes, 0: no interval."""

    def check(self) -> None:  # noqa: B027 - most metrics need nothing
        """Called once before any clip.

        Raises:
            MissingFile: weights or a package are missing; says what to get and where to put it.
        """

    @abstractmethod
    def score(self, case: Case) -> Scores:
        """What one clip contributes: numbers by the names of `values`, and whatever else `compute` needs (texts, arrays).

        Equal cases give equal scores, in whatever order they come. A number that does not apply to the clip is left out.

        Raises:
            NotScored: none of them applies.
        """

    def compute(self, scores: Sequence[Scores]) -> dict[str, float]:
        """The numbers over all scored clips: the mean over the clips that have each."""
        found = {name: [float(one[name]) for one in scores if name in one] for name in self.values}
        return {name: float(np.mean(numbers)) for name, numbers in found.items() if numbers}

    def identity(self) -> str:
        """Class, version and params: equal text means equal scores."""
        params = {name: value for name, value in sorted(vars(self).items()) if not name.startswith("_")}
        return f"{type(self).__name__}-{self.version} {params}"

    def __getstate__(self) -> dict[str, Any]:
        """Without what was loaded: each process loads its own."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}


def wilson_interval(hits: int, trials: int, z: float = 1.96) -> tuple[float, float]:
    """95 % confidence interval of a rate (Wilson 1927); (0, 1) without trials.

    >>> [round(bound, 3) for bound in wilson_interval(8, 10)]
    [0.49, 0.943]
    """
    if trials == 0:
        return 0.0, 1.0
    rate, spread = hits / trials, z * z / trials
    half = z * np.sqrt(rate * (1 - rate) / trials + spread / trials / 4)
    return float((rate + spread / 2 - half) / (1 + spread)), float((rate + spread / 2 + half) / (1 + spread))
