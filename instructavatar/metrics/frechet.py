"""How far the look of all generated frames lies from that of all real ones: Frechet distances of Gaussians fitted to features.

d = |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^1/2) (Dowson & Landau 1982; Heusel et al. 2017); lower is better, 0 for equal sets.

frechet_efficientnet: features of EfficientNet-Lite0 [1280] of faces aligned to 224 pixels. Its own scale: not to be compared with FID.
fid: features of InceptionV3 [2048] with the published weights. Crops, resizing and the number of frames change it several times over, so
both are stated and papers' numbers are not comparable unless they are equal.
fvd: logits of I3D [400] of 16 frames of each clip, fed as StyleGAN-V does (-1..1). Some papers' code feeds 0..1: other numbers.

Few frames make all of them too large, and frames of one clip are alike: they tell systems apart that were run on the same clips, no more.
With fewer frames than features the covariances are those of the frames there are, of low rank. *_frames is how many generated frames
(clips for fvd) were compared.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import partial
from itertools import islice
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import BadOption
from instructavatar.metrics.base import NotScored, Scores, Value
from instructavatar.metrics.case import Case
from instructavatar.metrics.clips import PICTURES, Clip
from instructavatar.metrics.crops import aligned, cut, looks, square, stills
from instructavatar.metrics.efficientnet import SIDE, converted, efficientnet
from instructavatar.metrics.weights import NetMetric, i3d, inception, needed, rows

Features = NDArray[np.floating]
MARGIN = 0.15  # of aligned crops, at each edge: from the hair to below the chin
GROW = 1.3  # of a clip's square about the face
_NOTHING = 1e-12  # what rounding leaves between equal sets, as a share of their spread
WINDOW, FIRST = 16, 20  # frames that fvd looks at, from the 21st on where there are so many


class Frechet(NetMetric):
    """What the distances share: features of each clip and of its real clip, pooled over all clips."""

    resamples = 20  # each draw is a decomposition

    def score(self, case: Case) -> Scores:
        """`features` and `reference` [K, D] of one clip."""
        return {"features": self._of(case.clip), "reference": self._of(case.needs_truth())}

    @abstractmethod
    def features(self, clip: Clip) -> Features:
        """[K, D] of a clip."""

    def compute(self, scores: Sequence[Scores]) -> dict[str, float]:
        """The distance over all clips and the number of rows it comes from; {} for fewer than two."""
        name, count = self.values
        found = {side: np.concatenate([np.atleast_2d(one[side]) for one in scores]) for side in ("features", "reference")}
        if min(map(len, found.values())) < 2:
            return {}
        return {name: frechet_distance(found["features"], found["reference"]), count: float(len(found["features"]))}

    def _of(self, clip: Clip) -> Features:
        return clip.once(f"frechet {self.identity()}", partial(self.features, clip))


class FrechetEfficientnet(Frechet):
    """On EfficientNet-Lite0.

    Args:
        pictures: frames of a clip that are looked at, up to 8. Each costs about 12 ms.
        weights: the checkpoint; None: the fetched one.
    """

    extra = "efficientnet_lite0"
    values = {"frechet_efficientnet": Value("", False, given=True), "frechet_efficientnet_frames": Value("frames", None)}

    def __init__(self, pictures: int = 4, weights: str | None = None) -> None:
        super().__init__(weights)
        self.pictures = pictures

    def check(self) -> None:
        """Also turns the checkpoint into ONNX where that has not been done."""
        super().check()
        converted(self.path())

    def features(self, clip: Clip) -> Features:
        """[K, 1280], half precision: its error is a thousandth of the features' spread."""
        seen = looks(clip, self.pictures)
        crops = {id(look.picture): aligned(look.picture, look.face, SIDE, MARGIN) for look in seen}
        return rows(efficientnet(converted(self.path())), [crops[id(look.picture)] for look in seen]).astype(np.float16)


class Fid(Frechet):
    """FID.

    Args:
        pictures: frames of a clip that are looked at, up to 8.
        crop: "face": aligned to 256 pixels with a margin; "frame": whole frames.
        weights: InceptionV3 as TorchScript; None: inception-2015-12-05.pt in the folder of weights.
    """

    extra = "inception"
    resamples = 0
    values = {"fid": Value("", False, given=True), "fid_frames": Value("frames", None)}

    def __init__(self, pictures: int = PICTURES, crop: str = "face", weights: str | None = None) -> None:
        super().__init__(weights)
        self.pictures, self.crop = pictures, _crop(crop)

    def check(self) -> None:
        """Also torch must be there."""
        super().check()
        needed("torch", "fid")

    def features(self, clip: Clip) -> Features:
        """[K, 2048]."""
        if self.crop == "frame":
            return rows(inception(self.path()), [picture for _, picture in stills(clip, self.pictures)])
        crops = [aligned(look.picture, look.face, 256, MARGIN) for look in looks(clip, self.pictures)]
        return rows(inception(self.path()), crops)


class Fvd(Frechet):
    """FVD: one row of features for each clip.

    Args:
        crop: "face": one upright square about the face, the same for the 16 frames; "frame": whole frames. Both at 224 pixels.
        weights: I3D as TorchScript; None: i3d_torchscript.pt in the folder of weights.
    """

    extra = "i3d"
    resamples = 0
    values = {"fvd": Value("", False, given=True), "fvd_clips": Value("clips", None)}

    def __init__(self, crop: str = "face", weights: str | None = None) -> None:
        super().__init__(weights)
        self.crop = _crop(crop)

    def check(self) -> None:
        """Also torch must be there."""
        super().check()
        needed("torch", "fvd")

    def features(self, clip: Clip) -> Features:
        """[1, 400]; needs 16 frames."""
        return i3d(self.path())(window(clip, self.crop))[None]


def window(clip: Clip, crop: str) -> NDArray[np.uint8]:
    """The 16 frames [16, 224, 224, 3] that fvd looks at: from the 21st on, or the middle ones of a clip of less than 36."""
    first = FIRST if len(clip) >= FIRST + WINDOW else (len(clip) - WINDOW) // 2
    if first < 0:
        raise NotScored(f"shorter than {WINDOW} frames")
    frames = list(islice(clip.frames(), first, first + WINDOW))
    faces = [face for face in clip.faces[first : first + WINDOW] if face is not None]
    if len(frames) < WINDOW or (crop == "face" and not faces):
        raise NotScored(f"no face on the {WINDOW} frames that are looked at")
    if crop == "frame":
        return np.stack([cv2.resize(frame, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for frame in frames])
    # one square for all, for a square that jumps would be motion
    matrix = np.median([square(face, SIDE, GROW) for face in faces], axis=0)
    return np.stack([cut(frame, matrix, SIDE) for frame in frames])


def frechet_distance(one: Features, other: Features) -> float:
    """Between the Gaussians of two sets of features [N, D] and [M, D]; N and M at least 2.

    tr (S1 S2)^1/2 is the sum of the singular values of A B', where S1 = A' A and S2 = B' B. So no square root of a matrix is taken, and
    with few rows nothing of D x D is made.
    """
    x, y = (np.asarray(features, np.float64) for features in (one, other))
    moved = float(np.sum((x.mean(0) - y.mean(0)) ** 2))
    a, b = _root(x), _root(y)
    shared = float(np.linalg.svd(a @ b.T, compute_uv=False).sum())
    spread = float((a * a).sum() + (b * b).sum())
    distance = moved + spread - 2 * shared
    return distance if distance > _NOTHING * spread else 0.0


def _root(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """A with A' A the covariance [D, D]; it has as few rows as that allows."""
    centred = (features - features.mean(0)) / np.sqrt(len(features) - 1)
    return centred if len(centred) <= centred.shape[1] else np.asarray(np.linalg.qr(centred, mode="r"))


def _crop(crop: Any) -> str:
    if crop not in ("face", "frame"):
        raise BadOption(f"expected the crop face or frame, got {crop!r}; mend it in the config")
    return str(crop)
