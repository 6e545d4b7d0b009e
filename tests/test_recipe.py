"""The recipe repeats: the committed corpus gives the losses that were logged with the shipped bundle.

Renew losses.json with `instructavatar export RUN --output instructavatar/weights --probe STORE` where STORE is
`instructavatar prepare --base configs/corpora/tiny.yaml --output STORE`.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from instructavatar import cli, config
from instructavatar.features.base import manifest, weights_path

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    store = tmp_path_factory.mktemp("recipe") / "tiny"
    assert cli.main(["prepare", "--base", str(ROOT / "configs/corpora/tiny.yaml"), "--output", str(store)]) == 0
    return store


@pytest.fixture(autouse=True)
def _in_the_repository(monkeypatch):
    monkeypatch.chdir(ROOT)


def test_thirty_steps_give_the_losses_logged_with_the_bundle(tiny):
    from instructavatar.training.fit import probe_losses

    logged = json.loads(weights_path("losses.json").read_text(encoding="utf-8"))["losses"]
    trained = OmegaConf.load(weights_path("config.yaml")).trained
    losses = probe_losses(OmegaConf.create(trained.config), str(tiny))
    assert len(logged) == 30 and np.mean(logged[-10:]) < 0.9 * np.mean(logged[:10])
    np.testing.assert_allclose(losses, logged, rtol=0.01)


def test_the_bundle_says_what_trained_it():
    bundle = OmegaConf.load(weights_path("config.yaml"))
    assert len(bundle.trained.corpus_hash) == 64 and bundle.trained.steps > 1000
    assert bundle.trained.config.model == config.load(ROOT / "configs/motion/default.yaml").model
    assert set(manifest()) >= {"generator.onnx", "config.yaml", "losses.json", "speech.onnx", "text.onnx", "rig.npz"}


def test_every_shipped_file_is_in_the_manifest_and_intact(capsys):
    assert cli.main(["assets"]) == 0
    shipped = {path.name for path in weights_path("manifest.json").parent.iterdir()} - {"manifest.json"}
    assert shipped == set(manifest())
    assert max(path.stat().st_size for path in weights_path("manifest.json").parent.iterdir()) <= 25e6


def test_train_resumes_exports_and_generates(tiny, tmp_path, capsys):
    words = ["train", "--base", "configs/motion/tiny.yaml", "--logdir", str(tmp_path / "run"), "--extra", f"data.params.store={tiny}"]
    assert cli.main([*words, "--trainer.max_steps", "2"]) == 0
    assert cli.main([*words, "--trainer.max_steps=4"]) == 0
    steps = [json.loads(line).get("step") for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert max(step for step in steps if step is not None) >= 4
    assert cli.main(["export", str(tmp_path / "run"), "-o", str(tmp_path / "bundle"), "--probe", str(tiny)]) == 0
    assert len(json.loads((tmp_path / "bundle" / "losses.json").read_text())["losses"]) == 30
    portrait = str(weights_path("demo_portrait.jpg"))
    made = ["generate", portrait, "--seconds", "0.4", "--max_side", "240", "-q", "-o", str(tmp_path / "a.mp4")]
    assert cli.main([*made, "--model", str(tmp_path / "bundle")]) == 0


@pytest.mark.parametrize(
    ("words", "code", "part"),
    [
        (["train", "--base", "none.yaml"], 3, "none.yaml"),
        (["train", "--base", "configs/motion/tiny.yaml", "--extra", "model.params.pach=2"], 2, "did you mean"),
        (["train", "--base", "configs/motion/tiny.yaml"], 2, "data.params.store"),
        (["train", "--base", "configs/motion/tiny.yaml", "--trainer.devices"], 2, "--trainer.devices"),
        (["train", "--base", "configs/motion/tiny.yaml", "--devices", "8"], 2, "unknown option --devices"),
        (["export", "nowhere", "-o", "x"], 3, "nowhere"),
        (["prepare", "--base", "configs/corpora/tiny.yaml", "--output", "x", "--extra", "corpus.params.pack=nowhere"], 3, "nowhere"),
        (["verify", "README.md"], 4, "README.md"),
    ],
)
def test_the_recipe_refuses_in_one_line(words, code, part, capsys, tmp_path):
    words = [str(tmp_path / word) if word == "x" else word for word in words]
    assert cli.main([*words, *(["--logdir", str(tmp_path / "run")] if words[0] == "train" else [])]) == code
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1 and part in error, error


def test_dry_run_prints_the_resolved_configuration(capsys, tmp_path):
    extra = "data.params.store=s,model.params.backbone_config.params.dropout=0.08"
    assert cli.main(["train", "--base", "configs/motion/default.yaml", "--extra", extra, "--dry-run", "--logdir", str(tmp_path)]) == 0
    assert "dropout: 0.08" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())
