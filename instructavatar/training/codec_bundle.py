"""A run of the two-encoder VAE becomes a codec bundle: three ONNX networks and a config.yaml that names the codec which reads them."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from instructavatar.codecs.loading import load_codec
from instructavatar.errors import BadBundle, CannotWrite
from instructavatar.models.vae.export import export_vae
from instructavatar.training.codec_training import CodecTraining
from instructavatar.training.fit import load_run

FORMAT_VERSION = 1
SETTINGS, WITHIN = "config.yaml", "codec"
CODEC = "instructavatar.codecs.onnx_vae.OnnxVaeCodec"


def export_codec(run: str | Path, output: str | Path, name: str | None = None) -> Path:
    """Write the codec bundle of a run, with its averaged weights.

    The codec's `folder` is written relative to config.yaml, so the bundle may lie anywhere; the hashes of the networks are in config.yaml,
    so its own hash tells one codec from another.
    """
    module, config, checkpoint = load_run(run)
    if not isinstance(module, CodecTraining):
        raise BadBundle(f"expected a run of a codec in {run}, got one of {type(module).__name__}; export it with instructavatar export")
    folder = Path(output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files = export_vae(module.vae, folder)
        settings = settings_of(module, config, checkpoint, name or Path(run).name)
        settings["files"] = {file: _described(folder / file) for file in files}
        beside = folder / f"{SETTINGS}.part"
        beside.write_text(OmegaConf.to_yaml(OmegaConf.create(settings)), encoding="utf-8")
        os.replace(beside, folder / SETTINGS)
    except OSError as error:
        raise CannotWrite(f"could not write the codec to {folder}: {error.strerror}; choose another folder or free some space") from error
    return folder


def place_codec(bundle: str | Path, codec: str | Path) -> Path:
    """Put the codec that a generator moves in beside it: BUNDLE/codec, where `generate` looks for it.

    Raises:
        BadBundle: the generator was trained on another codec's latents; nothing was copied.
    """
    bundle, codec = Path(bundle), Path(codec)
    version = load_codec(codec)[1]
    named = OmegaConf.select(OmegaConf.load(bundle / SETTINGS), "trained.extractors.latents")
    if named != version:
        raise BadBundle(f"expected the codec that {bundle} was trained on, {named or 'none: it moves in curves'}, got {version}")
    target, beside = bundle / WITHIN, bundle / f"{WITHIN}.part"
    try:
        for old in (beside, target):
            shutil.rmtree(old, ignore_errors=True)
        shutil.copytree(codec, beside)
        os.replace(beside, target)
    except OSError as error:
        raise CannotWrite(f"could not copy the codec to {target}: {error.strerror}; free some space") from error
    return target


def settings_of(module: CodecTraining, config: DictConfig, checkpoint: dict[str, Any], name: str) -> dict[str, Any]:
    """Contents of a codec bundle's config.yaml, but for its files."""
    vae, drawing = module.vae, config.data.params.drawing_config.params
    values: Any = OmegaConf.to_container(config, resolve=False)
    values["data"]["params"]["store"] = "???"  # the machine's own paths do not travel
    values["model"]["params"]["first_weights"] = None
    return {
        "format": FORMAT_VERSION,
        "name": name,
        "codec": {
            "target": CODEC,
            "params": {"folder": ".", "points": int(drawing.points), "radius": int(drawing.radius)},
        },
        "vae": {
            "size": vae.size,
            "motion_dim": vae.motion_dim,
            "appearance": list(vae.appearance_shape),
            "motion": list(vae.motion_shape),
            "parameters": sum(p.numel() for p in vae.parameters()),
        },
        "trained": {
            "corpus_hash": str(checkpoint["corpus_hash"]),
            "extractors": dict(checkpoint["extractors"]),
            "steps": int(checkpoint["global_step"]),
            "minutes": round(module.budget.spent_s / 60, 1),
            "config": values,
        },
    }


def _described(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    return {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
