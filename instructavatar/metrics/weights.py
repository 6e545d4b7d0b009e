"""The nets of metrics of pictures: where their weights lie, and how each is opened. Nothing is loaded before it is needed.

K pictures [K, S, S, 3] RGB uint8 go in, K rows of features come out; pictures go through a net one by one, so no row depends on the others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import BadBundle, MissingFile
from instructavatar.features.base import version_of
from instructavatar.features.fetch import fetched_path
from instructavatar.metrics.base import Metric, NotScored
from instructavatar.metrics.clips import Picture

Net = Callable[[Picture], NDArray[np.float32]]
"""A picture -> its features [D]."""


class NetMetric(Metric):
    """A metric that needs weights which do not ship.

    `weights` is a path, or None for the file that `instructavatar assets --fetch` puts in place; `weights_version` is its checksum, so that
    other weights are other scores.
    """

    extra: str
    """Name in `features.fetch.EXTRAS`."""

    def __init__(self, weights: str | None = None) -> None:
        self.weights = weights
        self.weights_version = ""

    def check(self) -> None:
        """The weights must be there."""
        self.weights_version = version_of(self.path()) if self.path().is_file() else folder_version(self.path())

    def path(self) -> Path:
        """Where the weights lie.

        Raises:
            MissingFile: nowhere.
        """
        return fetched_path(self.extra, self.weights)


def rows(net: Net, pictures: Iterable[Picture]) -> NDArray[np.float32]:
    """Features [K, D] of pictures; the same picture over and over, as a still clip shows it, is looked at once.

    Raises:
        NotScored: there are none.
    """
    last: Picture | None = None
    found: list[NDArray[np.float32]] = []
    for picture in pictures:
        found.append(found[-1] if picture is last else net(picture))
        last = picture
    if not found:
        raise NotScored("no frames")
    return np.stack(found)


def needed(package: str, user: str) -> None:
    """An optional package.

    Raises:
        MissingFile: it cannot be imported; says how to install it.
    """
    import importlib

    try:
        importlib.import_module(package)
    except ImportError as error:
        raise MissingFile(f"{user} needs the package {package} ({error}); install it with: pip install 'instructavatar[train]'") from error


@lru_cache(maxsize=2)
def sface(path: Path) -> Net:
    """SFace: an aligned face of 112 pixels -> 128 numbers of length 1.

    The 8-bit file declares weights as inputs that no layer reads; onnxruntime wants them, so they are given as zeros.
    """
    net = _unpacked(path)
    unread = {one.name: np.zeros(one.shape, np.float32) for one in net.get_inputs()[1:]}
    name = net.get_inputs()[0].name

    def embedded(picture: Picture) -> NDArray[np.float32]:
        batch = picture.astype(np.float32).transpose(2, 0, 1)[None]  # [H, W, 3] 0..255 -> [1, 3, H, W]
        found = np.asarray(net.run(None, {name: batch, **unread})[0][0], np.float32)
        return found / max(float(np.linalg.norm(found)), 1e-12)

    return embedded


def _unpacked(path: Path) -> Any:
    """A session that turns 8-bit weights into floats once when it is opened, rather than on every run: 30 ms a face instead of 45."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors have no common base that it exports
        raise BadBundle(f"expected an ONNX net in {path}, got an error ({str(error).splitlines()[0]}); fetch it again") from error


@lru_cache(maxsize=2)
def torchscript(path: Path) -> Any:
    """A frozen TorchScript net on the CPU, one thread."""
    import torch

    torch.set_num_threads(1)  # clips are judged in several processes
    try:
        return torch.jit.load(str(path), map_location="cpu").eval()
    except Exception as error:  # torch raises RuntimeError, ValueError and kinds of its own for damaged files
        raise BadBundle(f"expected a TorchScript net in {path}, got an error ({str(error).splitlines()[0]}); get the file again") from error


@lru_cache(maxsize=2)
def inception(path: Path) -> Net:
    """InceptionV3 of the published FID (TensorFlow's 2015-12-05 weights): a picture of any size -> 2048 pooled features.

    The net resizes to 299 pixels and scales 0..255 itself, as TensorFlow did.
    """
    import torch

    net = torchscript(path)

    def features(picture: Picture) -> NDArray[np.float32]:
        batch = torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))[None]
        with torch.inference_mode():
            return np.asarray(net(batch, return_features=True)[0].float().numpy())

    return features


@lru_cache(maxsize=2)
def i3d(path: Path) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    """I3D of Kinetics-400: pictures [T, 224, 224, 3] of a clip, uint8 -> 400 logits, in the manner of StyleGAN-V (rescaled to -1..1)."""
    import torch

    net = torchscript(path)

    def features(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        batch = torch.from_numpy(np.ascontiguousarray(pictures.transpose(3, 0, 1, 2))).float()[None]  # (T, H, W, C) -> (1, C, T, H, W)
        with torch.inference_mode():
            return np.asarray(net(batch, rescale=True, resize=False, return_features=True)[0].float().numpy())

    return features


def folder_version(folder: Path) -> str:
    """A checksum of the files of a model's folder, by name and size and by the content of the small ones."""
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.iterdir() if path.is_file()):
        digest.update(f"{file.name} {file.stat().st_size} ".encode())
        if file.stat().st_size < 1 << 20:
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
