"""A model bundle: a folder with the network, its settings and a manifest of checksums."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from omegaconf import OmegaConf

from instructavatar import config as configuration
from instructavatar.errors import BadBundle, InstructAvatarError, MissingFile
from instructavatar.face.motion import MOTION_DIM

FORMAT_VERSION = 1
DEFAULT_BUNDLE = Path(__file__).resolve().parents[1] / "weights"
CONFIG = "config.yaml"
NETWORK = "generator.onnx"
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class BundleConfig:
    """Settings of a generator, as its bundle's config.yaml holds them."""

    name: str
    motion_dim: int
    speech_width: int
    text_width: int
    mean: NDArray[np.float32]  # [D]
    std: NDArray[np.float32]  # [D]
    steps: int
    method: str
    schedule: str
    text_guidance: float
    late_text_guidance: float
    speech_guidance: float
    window_frames: int
    overlap_frames: int
    extractors: dict[str, str] = field(default_factory=dict)
    """What measured the features it was trained on: "speech", "text", "motion" and a codec's "latents", by version; empty if the bundle
    does not say."""
    inputs: tuple[str, ...] = ()
    """Inputs of the network beyond those that all have: "key", "pose", "pose_mask"."""

    @property
    def codec(self) -> str:
        """Version of the codec whose latents it makes; "" for FaceMotion, or where the bundle does not say."""
        return self.extractors.get("latents", "") if self.motion_dim != MOTION_DIM else ""

    @staticmethod
    def read(folder: Path) -> BundleConfig:
        """Settings in a folder; another format or a missing entry is refused."""
        if not (folder / CONFIG).is_file():
            raise MissingFile(f"expected a model bundle (a folder with {CONFIG} and {NETWORK}) at {folder}, found none; export a run first")
        try:
            values: Any = OmegaConf.to_container(configuration.read(folder / CONFIG), resolve=True)
            return BundleConfig._from(values)
        except (InstructAvatarError, KeyError, TypeError, ValueError) as error:
            raise BadBundle(
                f"expected {CONFIG} of a bundle of format {FORMAT_VERSION} in {folder}: {error!s}; export the run again"
            ) from error

    @staticmethod
    def _from(values: dict[str, Any]) -> BundleConfig:
        if values["format"] != FORMAT_VERSION:
            raise ValueError(f"it has format {values['format']}")
        sampler, guidance, window, generator = values["sampler"], values["guidance"], values["window"], values["generator"]
        found = BundleConfig(
            name=str(values["name"]),
            motion_dim=int(generator["motion_dim"]),
            speech_width=int(generator["speech_width"]),
            text_width=int(generator["text_width"]),
            mean=np.asarray(values["motion"]["mean"], np.float32),
            std=np.asarray(values["motion"]["std"], np.float32),
            steps=int(sampler["steps"]),
            method=str(sampler["method"]),
            schedule=str(sampler["schedule"]),
            text_guidance=float(guidance["text"]),
            late_text_guidance=float(guidance["text_late"]),
            speech_guidance=float(guidance["speech"]),
            window_frames=int(window["frames"]),
            overlap_frames=int(window["overlap"]),
            extractors={str(name): str(version) for name, version in ((values.get("trained") or {}).get("extractors") or {}).items()},
            inputs=tuple(str(name) for name in generator.get("inputs") or ()),
        )
        if found.mean.shape != (found.motion_dim,) or found.std.shape != (found.motion_dim,):
            raise ValueError(f"mean and std do not have {found.motion_dim} columns")
        return found


def check_extractors(config: BundleConfig, versions: Mapping[str, str]) -> None:
    """Refuse encoders other than those the bundle was trained on; one that the bundle does not name is let pass.

    Args:
        config: the bundle's settings.
        versions: of the encoders at hand, such as {"speech": SpeechEncoder.version}.
    """
    for name, version in versions.items():
        trained = config.extractors.get(name, version)
        if trained != version:
            raise BadBundle(
                f"{config.name} was trained on the {name} features of {trained}, got an encoder of {version}; "
                "use the weights it was made with, or prepare the corpus and train again"
            )


def check_file(folder: Path, name: str) -> Path:
    """The path of a bundle's file after its bytes were compared with the manifest."""
    path = folder / name
    if not path.is_file():
        raise MissingFile(f"expected {name} in the model bundle {folder}, found none; export the run again")
    entry = _manifest(folder).get(name)
    if entry is not None and entry.get("sha256") != hashlib.sha256(path.read_bytes()).hexdigest():
        raise BadBundle(f"{path} is damaged: its SHA-256 is not the one in {MANIFEST}; copy or export the bundle again")
    return path


def _manifest(folder: Path) -> dict[str, dict[str, Any]]:
    path = folder / MANIFEST
    if not path.is_file():
        return {}
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadBundle(f"expected JSON in {path}, got something else ({error}); copy or export the bundle again") from error
