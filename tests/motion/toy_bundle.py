"""A bundle in miniature and a network that tells what it was asked; tests import it as `toy_bundle`. Needs no torch."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from omegaconf import OmegaConf

from instructavatar.face.motion import MOTION_DIM
from instructavatar.face.script import Script
from instructavatar.motion.bundle import BundleConfig

WIDTH = 6


def settings(**changes) -> dict:
    values = {
        "format": 1,
        "name": "toy",
        "generator": {"motion_dim": MOTION_DIM, "speech_width": WIDTH, "text_width": WIDTH},
        "motion": {"mean": [0.5] * MOTION_DIM, "std": [2.0] * MOTION_DIM},
        "sampler": {"steps": 4, "method": "dpm", "schedule": "cosine"},
        "guidance": {"text": 1.5, "text_late": 1.25, "speech": 1.25},
        "window": {"frames": 20, "overlap": 5},
    }
    return {**values, **changes}


def bundle_config(tmp_path, **changes) -> BundleConfig:
    (tmp_path / "config.yaml").write_text(OmegaConf.to_yaml(OmegaConf.create(settings(**changes))))
    return BundleConfig.read(tmp_path)


def states(script: Script) -> SimpleNamespace:
    count = len(script.segments)
    tokens = np.arange(count * 3 * WIDTH, dtype=np.float32).reshape(count, 3, WIDTH)
    mask = np.ones((count, 3), bool)
    mask[0, 2] = False
    return SimpleNamespace(tokens=tokens, mask=mask, pooled=tokens.mean(1))


class Recorder:
    """A network whose clean motion follows the first speech feature, plus one where text is alive; keeps its inputs."""

    def __init__(self) -> None:
        self.feeds: list[dict[str, np.ndarray]] = []

    def __call__(self, feed):
        self.feeds.append(feed)
        out = np.broadcast_to(feed["speech"][:, ::2, :1] * feed["speech_mask"][..., None], feed["x"].shape) + 0.05 * np.tanh(feed["x"])
        out = out + feed["pooled_alive"].max(-1, keepdims=True)
        return (out * (1 - feed["known_mask"]) + feed["known"] * feed["known_mask"]).astype(np.float32)
