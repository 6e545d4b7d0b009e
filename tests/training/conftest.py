"""A toy store with the real schema: text moves one column each, sound moves the jaw, all else is still."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from instructavatar.data.header import Header
from instructavatar.data.record import complete
from instructavatar.data.store import FeatureStore
from instructavatar.data.writer import StoreWriter
from instructavatar.face.motion import INDEX, MOTION_DIM

# sentence -> column and how far it goes
TOY_TEXTS = {"smile": ("mouthSmileLeft", 0.9), "turn left": ("yaw", 20.0), "turn right": ("yaw", -20.0), "blink": ("eyeBlinkLeft", 0.9)}


def toy_text(sentence: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(sum(map(ord, sentence)))
    tokens = rng.normal(size=(2 + len(sentence.split()), 384)).astype(np.float16)
    return tokens, tokens.mean(0)


def toy_speech(frames: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Features [2T, 384] and the jaw [T] that a linear map finds in them."""
    waves = np.sin(np.arange(2 * frames)[:, None] * rng.uniform(0.1, 0.4, 4) + rng.uniform(0, 6, 4))
    mix = np.random.default_rng(5).normal(size=(4, 384))
    features = (waves @ mix).astype(np.float16)
    jaw = np.clip(0.25 + 0.2 * waves[::2, 0], 0, 1)
    return features, jaw


def toy_record(key: str, frames: int, sentence: str | None, spoken: bool, rng: np.random.Generator) -> dict:
    motion = np.zeros((frames, MOTION_DIM), np.float32)
    speech = np.zeros((0, 384), np.float16)
    if spoken:
        speech, motion[:, INDEX["jawOpen"]] = toy_speech(frames, rng)
    if sentence:
        column, far = TOY_TEXTS[sentence]
        motion[:, INDEX[column]] = far * np.clip(np.arange(frames) / 12, 0, 1)
    given = {
        "motion_latent": motion,
        "audio_feat": speech,
        "latent_length": frames,
        "filename": key,
        "pose": motion[:, 52:55].copy(),
        "instruction": [sentence] if sentence else [],
        "inst_flag": bool(sentence),
        "audio_flag": spoken,
    }
    return complete(given)


def write_toy(path: Path, clips: int = 60) -> Path:
    rng = np.random.default_rng(0)
    sentences = [*TOY_TEXTS, None]
    with StoreWriter(path, Header.started("toy", {"speech": "toy", "text": "toy"})) as writer:
        for sentence in TOY_TEXTS:
            writer.add_text(sentence, *toy_text(sentence))
        keys = [f"toy{i:03d}" for i in range(clips)]
        for i, key in enumerate(keys):
            writer.add(key, toy_record(key, int(rng.integers(20, 60)), sentences[i % len(sentences)], i % 2 == 0, rng))
        writer.finish({"train": keys[:-6], "valid": keys[-6:]})
    return path


@pytest.fixture(scope="session")
def toy_path(tmp_path_factory) -> Path:
    return write_toy(tmp_path_factory.mktemp("toy") / "store")


@pytest.fixture(scope="session")
def toy_store(toy_path) -> FeatureStore:
    return FeatureStore.open(toy_path)
