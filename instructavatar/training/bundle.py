"""A training run becomes a model bundle: the network as ONNX, its settings, its first losses, checksums."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from instructavatar.errors import CannotWrite
from instructavatar.models.export import export_denoiser
from instructavatar.training.motion_training import MotionTraining

FORMAT_VERSION = 1
NETWORK, SETTINGS, LOSSES, MANIFEST = "generator.onnx", "config.yaml", "losses.json", "manifest.json"
SOURCE = "trained by this project from the corpus named in config.yaml"


def settings_of(
    module: MotionTraining, config: DictConfig, step: int, name: str, corpus_hash: str, extractors: Mapping[str, str]
) -> dict[str, Any]:
    """Contents of a bundle's config.yaml; `extractors` are the versions of what measured the training features."""
    denoiser, sampling = module.diffusion.denoiser, config.sampling
    return {
        "format": FORMAT_VERSION,
        "name": name,
        "generator": {
            "motion_dim": denoiser.motion_dim,
            "patch": denoiser.patch,
            "speech_width": denoiser.speech.speech_width,
            "text_width": denoiser.text.text_width,
            "parameters": sum(p.numel() for p in denoiser.parameters()),
            **({"inputs": list(denoiser.extra_inputs)} if denoiser.extra_inputs else {}),
        },
        "motion": {"mean": _rounded(module.diffusion.mean), "std": _rounded(module.diffusion.std)},
        "sampler": {"steps": int(sampling.steps), "method": str(sampling.method), "schedule": str(sampling.schedule)},
        "guidance": {
            "text": float(sampling.text_guidance),
            "text_late": float(sampling.late_text_guidance),
            "speech": float(sampling.speech_guidance),
        },
        "window": {"frames": int(sampling.window_frames), "overlap": int(sampling.overlap_frames)},
        "trained": {
            "corpus_hash": corpus_hash,
            "extractors": dict(extractors),
            "steps": step,
            "minutes": round(module.budget.spent_s / 60, 1),
            "config": _portable(config),
        },
    }


def write_bundle(module: MotionTraining, folder: str | Path, settings: dict[str, Any], losses: list[float] | None) -> Path:
    """Write or renew the generator's files in a folder; entries of other files in its manifest stay."""
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        export_denoiser(module.diffusion.denoiser, folder / NETWORK)
        _replace(folder / SETTINGS, OmegaConf.to_yaml(OmegaConf.create(settings)))
        names = [NETWORK, SETTINGS]
        if losses is not None:
            _replace(folder / LOSSES, json.dumps({"losses": losses}, indent=1) + "\n")
            names.append(LOSSES)
        _replace(folder / MANIFEST, json.dumps(_manifest(folder, names), indent=1, sort_keys=True) + "\n")
    except OSError as error:
        raise CannotWrite(f"could not write the bundle to {folder}: {error.strerror}; choose another folder or free some space") from error
    return folder


def _manifest(folder: Path, names: list[str]) -> dict[str, Any]:
    path = folder / MANIFEST
    entries = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    for name in names:
        data = (folder / name).read_bytes()
        entries[name] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data), "source": SOURCE, "licence": "Apache-2.0"}
    return entries


def _replace(path: Path, text: str) -> None:
    beside = path.with_suffix(".part")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)


def _rounded(values: Any) -> list[float]:
    return [round(float(v), 6) for v in values]


def _portable(config: DictConfig) -> dict[str, Any]:
    """The config that trained the model, without the machine's own paths."""
    values: Any = OmegaConf.to_container(config, resolve=False)
    values["data"]["params"]["store"] = "???"
    return values
