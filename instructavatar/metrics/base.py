"""What metrics share: the take (a face measured over a clip), the contract of a metric, and a confidence interval.

T measured frames.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import FaceProblem
from instructavatar.face.motion import FRAME_RATE_HZ, FaceMotion
from instructavatar.features.face_motion import face_motion, missing
from instructavatar.features.landmarks import FaceLandmarker

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

    @staticmethod
    def measure(frames: Iterable[NDArray[np.uint8]], landmarker: FaceLandmarker, rate_hz: float = FRAME_RATE_HZ, every: int = 1) -> Take:
        """Measure every so-manieth of the frames [H, W, 3] RGB that come at `rate_hz`.

        Raises:
            FaceProblem: more than a fifth of the frames show no face.
        """
        faces = list(landmarker.track(islice(frames, 0, None, every)))
        lost = missing(faces)
        if not faces or lost > _LOST_SHARE * len(faces):
            raise FaceProblem(f"expected a face in the clip, found none in {lost} of {len(faces)} frames")
        seen = [t for t, face in enumerate(faces) if face is not None]
        # A frame without a face takes the points of the nearest one with a face.
        nearest = [min(seen, key=lambda s: abs(s - t)) for t in range(len(faces))]
        points = np.stack([face.points for t in nearest if (face := faces[t]) is not None])
        return Take(face_motion(faces), points, rate_hz / every)


class Metric(ABC):
    """A number about clips. One file holds one metric, and its first lines say the paper, the unit and which way is better."""

    @abstractmethod
    def compute(self) -> dict[str, float]:
        """The results so far by name; an empty dictionary if nothing was scored."""


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
