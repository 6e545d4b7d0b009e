"""Whether pictures equal the real ones, frame by frame: PSNR, SSIM (Wang et al. 2004) and LPIPS (Zhang et al. 2018).

psnr: dB, higher is better; equal pictures count as 100 dB. ssim: -1..1, higher is better; Gaussian window of 11 pixels, sigma 1.5,
K 0.01 and 0.03, the mean over the three colours and over the places where the window lies within the crop
(as published; torchmetrics also counts the edge, on mirrored pixels).
lpips: lower is better; needs torchvision's VGG16. lpips_hed: the same with a VGG16 that was tuned to edges: it ranks alike, but its
numbers are not LPIPS.

All look at squares of 256 pixels about the REAL face's box in both pictures, so only clips of the real clip's framing can be compared. A
clip that speaks and looks about otherwise than the real one, rightly or not, is punished: this is for reenactment, not for invention.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import MissingFile
from instructavatar.face.motion import FRAME_RATE_HZ
from instructavatar.features.base import version_of
from instructavatar.features.fetch import fetched_path
from instructavatar.metrics.base import Metric, NotScored, Scores, Value
from instructavatar.metrics.case import Case
from instructavatar.metrics.clips import PICTURES, Picture
from instructavatar.metrics.crops import boxed, looks, stills
from instructavatar.metrics.weights import needed

SIDE = 256
GROW = 1.2
BEST_DB = 100.0
_WINDOW, _SIGMA = 11, 1.5
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_SHAPES_DIFFER = 0.02  # of the ratio of width to height


class Similarity(Metric):
    """PSNR and SSIM.

    Args:
        pictures: frames of a clip that are looked at, up to 8.
    """

    values = {"psnr": Value("dB", given=True), "ssim": Value("", given=True)}

    def __init__(self, pictures: int = PICTURES) -> None:
        self.pictures = pictures

    def score(self, case: Case) -> Scores:
        """Needs a real clip of the same framing."""
        both = pairs(case, self.pictures)
        return {
            "psnr": float(np.mean([psnr(mine, true) for mine, true in both])),
            "ssim": float(np.mean([ssim(mine, true) for mine, true in both])),
        }


class LpipsHed(Metric):
    """LPIPS on a VGG16 tuned to edges.

    Args:
        pictures: frames of a clip that are looked at, up to 8. Each costs about half a second.
        trunk: the VGG16; None: the fetched one.
        lin: weights of its channels; None: the fetched ones.
    """

    values = {"lpips_hed": Value("", False, given=True)}
    extra = "vgg_hed"

    def __init__(self, pictures: int = 4, trunk: str | None = None, lin: str | None = None) -> None:
        self.pictures, self.trunk, self.lin = pictures, trunk, lin
        self.weights_version = ""

    def check(self) -> None:
        """Both files, torch, and h5py for the .h5 file must be there."""
        trunk, lin = self._paths()
        needed("torch", self.extra)
        if trunk.suffix == ".h5":
            try:
                import h5py  # noqa: F401
            except ImportError as error:
                raise MissingFile(f"{trunk.name} needs the package h5py; install it with: pip install h5py") from error
        self.weights_version = f"{version_of(trunk)} {version_of(lin)}"

    def score(self, case: Case) -> Scores:
        """Needs a real clip of the same framing."""
        name = next(iter(self.values))
        measure = _perceptual(*self._paths())
        return {name: float(np.mean([measure(mine, true) for mine, true in pairs(case, self.pictures)]))}

    def _paths(self) -> tuple[Path, Path]:
        return fetched_path(self.extra, self.trunk), fetched_path("lpips_vgg", self.lin)


class Lpips(LpipsHed):
    """LPIPS (version 0.1, VGG16) as published; `trunk` is torchvision's vgg16-397923af.pth."""

    values = {"lpips": Value("", False, given=True)}
    extra = "vgg16"


def pairs(case: Case, count: int) -> list[tuple[Picture, Picture]]:
    """(the clip's, the real clip's) crops of the same frames.

    Raises:
        NotScored: no real clip, or one of another framing.
    """
    truth = case.needs_truth()
    length = min(len(case.clip), len(truth))
    mine = {t / FRAME_RATE_HZ: picture for t, picture in stills(case.clip, count, length)}
    real = [look for look in looks(truth, count, length) if look.time_s in mine]
    if not real:
        raise NotScored("no frame that both clips have")
    return [(boxed(fitted(mine[b.time_s], b.picture), b.face, SIDE, GROW), boxed(b.picture, b.face, SIDE, GROW)) for b in real]


def fitted(picture: Picture, real: Picture) -> Picture:
    """The picture at the real one's size.

    Raises:
        NotScored: its shape is another, so it cannot show the same.
    """
    (height, width), (real_height, real_width) = picture.shape[:2], real.shape[:2]
    if abs(width / height * real_height / real_width - 1) > _SHAPES_DIFFER:
        raise NotScored(f"{width} x {height} pixels, the reference {real_width} x {real_height}: not the same framing")
    if (height, width) == (real_height, real_width):
        return picture
    way = cv2.INTER_AREA if height > real_height else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (real_width, real_height), interpolation=way), np.uint8)


def psnr(one: Picture, other: Picture) -> float:
    """Peak signal to noise ratio in dB, at most 100."""
    error = float(np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2))
    return min(10 * np.log10(255**2 / error), BEST_DB) if error > 0 else BEST_DB


def ssim(one: Picture, other: Picture) -> float:
    """Structural similarity of pictures [H, W, 3]; H and W at least 11."""
    x, y = one.astype(np.float64), other.astype(np.float64)
    mean_x, mean_y = _blurred(x), _blurred(y)
    var_x, var_y = _blurred(x * x) - mean_x**2, _blurred(y * y) - mean_y**2
    both = _blurred(x * y) - mean_x * mean_y
    alike = (2 * mean_x * mean_y + _C1) * (2 * both + _C2)
    return float(np.mean(alike / ((mean_x**2 + mean_y**2 + _C1) * (var_x + var_y + _C2))))


def _blurred(picture: NDArray[np.float64]) -> NDArray[np.float64]:
    """The means under the window, where it lies within the picture: [H - 10, W - 10, 3]."""
    edge = _WINDOW // 2
    return np.asarray(cv2.GaussianBlur(picture, (_WINDOW, _WINDOW), _SIGMA), np.float64)[edge:-edge, edge:-edge]


@lru_cache(maxsize=2)
def _perceptual(trunk: Path, lin: Path) -> Callable[[Picture, Picture], float]:
    """A function: two pictures -> their LPIPS on that trunk."""
    import torch

    from instructavatar.models.vae.perceptual import VggFeatures

    torch.set_num_threads(1)  # clips are judged in several processes
    net = VggFeatures.read(trunk, lin)

    def tensor(picture: Picture) -> torch.Tensor:
        return torch.from_numpy(picture.transpose(2, 0, 1)[None].astype(np.float32)) / 127.5 - 1

    def distance(one: Picture, other: Picture) -> float:
        with torch.inference_mode():
            return float(net.distance(tensor(one), tensor(other)))

    return distance
