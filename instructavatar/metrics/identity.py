"""Whether it stays the same person: cosines of SFace's embeddings (Zhong et al. 2021) of faces aligned by five points to 112 pixels.

csim: mean cosine of the clip's frames with the PORTRAIT it was made from, -1..1, higher is better. Papers mean different things by CSIM
(ArcFace or others, against the portrait or the real frames), so compare only with numbers of this file. Same person: about 0.6 to 0.95,
different people: about -0.1 to 0.3. A face that never moves scores best: look at the still row.
csim_truth: the same, with the real clip's frames at the same times.
identity_worst: the least of the cosines with the portrait.
identity_drift: similarity to the portrait lost in 10 s, as a line through the frames tells; 0 is ideal, below 0 is chance. Needs 4 s.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from instructavatar.face.motion import FRAME_RATE_HZ
from instructavatar.metrics.base import Scores, Value
from instructavatar.metrics.case import Case
from instructavatar.metrics.clips import Clip
from instructavatar.metrics.crops import Look, aligned, looks
from instructavatar.metrics.weights import NetMetric, rows, sface

DRIFT_LEAST_S = 4.0
_DRIFT_PER_S = 10.0


class Identity(NetMetric):
    """Similarity of faces.

    Args:
        pictures: frames of a clip that are looked at, up to 8. Each costs about 30 ms.
        weights: SFace as ONNX; None: the fetched one.
    """

    extra = "sface"
    values = {
        "csim": Value("cosine with the portrait"),
        "csim_truth": Value("cosine with the real frames", given=True),
        "identity_worst": Value("cosine with the portrait"),
        "identity_drift": Value("cosine lost in 10 s", False),
    }

    version = 2

    def __init__(self, pictures: int = 4, weights: str | None = None) -> None:
        super().__init__(weights)
        self.pictures = pictures

    def score(self, case: Case) -> Scores:
        """Needs a face on one of the frames looked at; `likeness` [K] is the cosine over time, for the report."""
        seen, found = self._embedded(case.clip)
        _, portrait = self._embedded(case.portrait)
        likeness = found @ portrait[0]
        scores: Scores = {"csim": float(likeness.mean()), "identity_worst": float(likeness.min()), "likeness": likeness}
        if len(case.clip) >= DRIFT_LEAST_S * FRAME_RATE_HZ and len(seen) > 2:
            scores["identity_drift"] = drift([look.time_s for look in seen], likeness)
        if case.truth is not None:
            scores |= self._with_truth(case.clip, case.truth)
        return scores

    def _with_truth(self, clip: Clip, truth: Clip) -> Scores:
        """The cosine frame by frame, where both show a face."""
        length = min(len(clip), len(truth))
        (mine, found), (true, real) = self._embedded(clip, length), self._embedded(truth, length)
        places = {look.time_s: place for place, look in enumerate(true)}
        both = [(found[k], real[places[look.time_s]]) for k, look in enumerate(mine) if look.time_s in places]
        return {"csim_truth": float(np.mean([a @ b for a, b in both]))} if both else {}

    def _embedded(self, clip: Clip, length: int | None = None) -> tuple[list[Look], NDArray[np.float32]]:
        """The frames looked at and their embeddings [K, 128], made once for each clip."""
        frames = len(clip) if length is None else length

        def make() -> tuple[list[Look], NDArray[np.float32]]:
            seen = looks(clip, self.pictures, frames)
            # A clip that is held shows one picture over and over, which is cut and embedded once.
            crops = {id(look.picture): aligned(look.picture, look.face) for look in seen}
            return seen, rows(sface(self.path()), [crops[id(look.picture)] for look in seen])

        return clip.once(f"sface {self.path()} {self.pictures} of {frames}", make)


def drift(times_s: Sequence[float], likeness: NDArray[np.float32]) -> float:
    """Likeness lost in 10 s by the least-squares line.

    >>> round(drift([0.0, 1.0, 2.0], np.array([0.9, 0.89, 0.88])), 6)
    0.1
    """
    slope = np.polyfit(np.asarray(times_s, np.float64), likeness.astype(np.float64), 1)[0]
    return round(float(-slope * _DRIFT_PER_S), 9) + 0.0  # a held face drifts by 0, not by what rounding leaves
