"""What the generator's training asks of its configuration and its store."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from instructavatar import config
from instructavatar.data.header import Header
from instructavatar.data.writer import StoreWriter
from instructavatar.errors import BadOption
from instructavatar.motion.generator import Generator
from instructavatar.training.fit import build_data, build_training, export_run, fit, probe_losses

CONFIGS = Path(__file__).parents[2] / "configs" / "motion"
MINIATURE = [
    "model.params.motion_dim=58",
    "model.params.level_hidden=32",
    "model.params.backbone_config.params={width: 32, layers: 1, heads: 2, hidden: 32, level_width: 16, hears: true, keyed: true}",
    "model.params.conditions.speech.params={speech_width: 384, width: 32, layers: 1, heads: 2, hidden: 32}",
    "model.params.conditions.text.params={text_width: 384, width: 32, hidden: 32}",
    "model.params.conditions.clock.params.width=32",
    "model.params.conditions.key.params={motion_dim: 58, width: 32, hidden: 32}",
    "model.params.conditions.pose.params={width: 32, hidden: 32}",
]


def paper(*overrides: str):
    return config.load(CONFIGS / "paper.yaml", ["data.params.store=given", *MINIATURE, *overrides])


def test_the_paper_trains_on_face_motion_with_every_term(toy_store):
    settings = paper()
    data = build_data(settings, toy_store)
    batch = data.train[0]
    assert batch.key_mask.any()
    found = build_training(settings, data).diffusion.losses(batch, torch.Generator().manual_seed(0))
    assert list(found) == ["motion", "loss", "noise", "pose", "units", "intensity"]
    assert all(torch.isfinite(value) for value in found.values())
    assert np.isfinite(probe_losses(settings, toy_store, steps=2, frames_per_batch=64)).all()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            "model.params.conditions.speech.params.speech_width=512",
            "speech of 512 numbers a row, the store holds 384; .*speech_width=384",
        ),
        ("model.params.conditions.text.params.text_width=768", "text of 768 numbers a row, the store holds 384; .*text_width=384"),
        ("model.params.conditions.key=null", "keyed"),
        ("model.params.conditions.smile={target: pathlib.Path}", "clock, speech, text, got .*smile.*may take key and pose"),
        ("data.params.chances_config.params.key={}", "key frames for the condition 'key'"),
        ("model.params.readers={}", "reader 'units'"),
    ],
)
def test_what_does_not_fit_is_told_in_one_line(toy_store, change, told):
    settings = paper()
    key, _, value = change.partition("=")
    OmegaConf.update(settings, key, OmegaConf.from_dotlist([f"v={value}"]).v, merge=False, force_add=True)
    with pytest.raises(BadOption, match=told) as refused:
        build_training(settings, build_data(settings, toy_store))
    assert "\n" not in str(refused.value)


def test_latents_are_not_face_motion(toy_store):
    settings = config.load(CONFIGS / "latents_tiny.yaml", ["data.params.store=given"])
    with pytest.raises(BadOption, match=r"motion of 256 numbers a row, the store holds 58; set model.params.motion_dim=58"):
        build_training(settings, build_data(settings, toy_store))


def test_the_small_generator_of_latents_is_small():
    with torch.device("meta"):
        params = config.load(CONFIGS / "latents_tiny.yaml").model.params
        parts = config.build(params.backbone_config), *config.build(params.conditions).values()
    assert 1e6 < sum(p.numel() for part in parts for p in part.parameters()) < 2.5e6


@pytest.fixture(scope="module")
def latent_store(toy_store, tmp_path_factory):
    """The toy store with its motion as 256 numbers that a made-up codec would give, far from 0 to 1."""
    path = tmp_path_factory.mktemp("latents") / "store"
    mix = np.random.default_rng(0).normal(size=(58, 256)).astype(np.float32)
    keys = {split: names[:12] for split, names in toy_store.header.splits.items()}
    with StoreWriter(path, Header.started("toy", {"speech": "toy", "text": "toy", "latents": "ToyCodec-1"})) as writer:
        for sentence in ("smile", "turn left", "turn right", "blink"):
            writer.add_text(sentence, *toy_store.text(sentence))
        for key in (key for names in keys.values() for key in names):
            record = toy_store[key]
            latents = np.ascontiguousarray(record["motion_latent"] @ mix + 50)
            writer.add(key, {**record, "motion_latent": latents, "face_motion": record["motion_latent"]})
        writer.finish(keys)
    return path


def test_latents_become_a_bundle_that_knows_its_codec(latent_store, tmp_path):
    few = ["lightning.trainer.max_steps=2", "lightning.trainer.enable_progress_bar=false", "data.params.frames_per_batch=128"]
    settings = config.load(CONFIGS / "latents_tiny.yaml", [f"data.params.store={latent_store}", *few])
    generator = Generator.load(export_run(fit(settings, tmp_path / "run"), tmp_path / "bundle"))
    assert (generator.motion_dim, generator.codec) == (256, "ToyCodec-1")
    rest = np.full(256, 51, np.float32)
    made = generator.values(40, rest=rest)
    assert made.shape == (40, 256) and 30 < made.mean() < 70
    np.testing.assert_allclose(made[0], rest, atol=1e-3)


def test_columns_that_hardly_move_are_not_blown_up(latent_store):
    settings = config.load(CONFIGS / "latents_tiny.yaml", [f"data.params.store={latent_store}", "model.params.latent_floor=1.0"])
    data = build_data(settings)
    own = np.array(data.source.header.motion_std)
    std = build_training(settings, data).diffusion.std.numpy()
    np.testing.assert_allclose(std, np.maximum(own, own.mean()), rtol=1e-4)


@pytest.mark.slow
def test_the_published_size_takes_two_steps(toy_store):
    """Needs about 6 GB: weights, gradients and the optimiser's two moments."""
    face = ["model.params.motion_dim=58", *(f"model.params.conditions.{n}.params.{n}_width=384" for n in ("speech", "text"))]
    settings = config.load(CONFIGS / "paper.yaml", ["data.params.store=given", *face])
    losses = probe_losses(settings, toy_store, steps=2, frames_per_batch=64)
    assert np.isfinite(losses).all()
