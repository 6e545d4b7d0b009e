"""Training: it learns a toy, resumes exactly, saves when asked to stop, and ends in a bundle that obeys."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from instructavatar import config
from instructavatar.errors import BadBundle, BadOption, CannotWrite, MissingFile
from instructavatar.face.script import Script
from instructavatar.motion.bundle import BundleConfig
from instructavatar.motion.generator import Generator
from instructavatar.training.callbacks import read_journal
from instructavatar.training.fit import build_data, build_training, export_run, fit, load_run, probe_losses, read_checkpoint
from instructavatar.training.motion_training import MotionTraining
from instructavatar.training.progress import Budget, Learning

CONFIGS = Path(__file__).parents[2] / "configs" / "motion"


def tiny(store: object, *overrides: str):
    settings = config.load(CONFIGS / "tiny.yaml", [f"data.params.store={store}", *overrides])
    return settings


@pytest.fixture(scope="module")
def trained(toy_path, tmp_path_factory) -> Path:
    return fit(tiny(toy_path, "lightning.trainer.max_steps=300"), tmp_path_factory.mktemp("run"))


def weights(run: Path) -> torch.Tensor:
    return torch.cat([value.flatten() for value in read_checkpoint(run / "checkpoints/last.ckpt")["state_dict"].values()])


def test_losses_fall_and_are_noted(trained):
    rows = [row for row in read_journal(trained / "metrics.jsonl") if "loss" in row]
    assert rows[-1]["motion"] < 0.3 * rows[0]["motion"]
    assert any("valid" in row for row in read_journal(trained / "metrics.jsonl"))
    assert (trained / "losses.png").stat().st_size > 1000
    assert config.load(trained / "config.yaml").lightning.trainer.max_steps == 300


@pytest.mark.parametrize("end", ["lightning.trainer.max_steps=4", "lightning.budget_minutes=0.0001"])
def test_a_finished_run_is_left_as_it_is(toy_path, tmp_path, end):
    """By steps or by minutes: what was exported and encoded with its weights stays up to date."""
    settings = tiny(toy_path, "lightning.trainer.max_steps=4", end) if "minutes" not in end else tiny(toy_path, end)
    run = fit(settings, tmp_path / "run")
    before = {path: path.read_bytes() for path in (run / "weights.safetensors", run / "checkpoints/last.ckpt", run / "metrics.jsonl")}
    assert fit(settings, run) == run
    assert {path: path.read_bytes() for path in before} == before


def test_resumed_run_equals_the_uninterrupted_one(toy_path, tmp_path):
    """Six steps at once, and three, then three more: the same weights, bit for bit."""
    often = ["lightning.trainer.val_check_interval=2", "model.params.backbone_config.params.dropout=0.1"]
    whole = fit(tiny(toy_path, "lightning.trainer.max_steps=6", *often), tmp_path / "whole")
    config_ = tiny(toy_path, "lightning.trainer.max_steps=6", *often)
    stopped = tiny(toy_path, "lightning.trainer.max_steps=6", *often)
    _stop_after(3, stopped, tmp_path / "parts")
    assert read_checkpoint(tmp_path / "parts/checkpoints/last.ckpt")["global_step"] == 3
    parts = fit(config_, tmp_path / "parts")
    assert torch.equal(weights(whole), weights(parts))
    one, two = (read_checkpoint(run / "checkpoints/last.ckpt")["average"] for run in (whole, parts))
    assert one["updates"] == two["updates"] == 6
    assert all(torch.equal(a, b) for a, b in zip(one["values"], two["values"], strict=True))


def _stop_after(steps: int, settings, run: Path) -> None:
    """Ask the run to stop, as Ctrl-C or a job scheduler does, while its step number `steps` is at work."""
    original = MotionTraining.training_step

    def step(self, batch, number=0):
        if self.global_step == steps - 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return original(self, batch, number)

    MotionTraining.training_step = step  # type: ignore[method-assign]
    try:
        # saved, but not as a success: a script must not go on to export half a run
        with pytest.raises(KeyboardInterrupt):
            fit(settings, run)
    finally:
        MotionTraining.training_step = original  # type: ignore[method-assign]


def test_probe_losses_repeat(toy_store):
    settings = tiny("given")
    first = probe_losses(settings, toy_store, steps=5)
    assert first == probe_losses(settings, toy_store, steps=5)
    assert first != probe_losses(settings, toy_store, steps=5, seed=1)


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda p: p.stem)
def test_every_config_builds_and_its_miniature_takes_two_steps(path, toy_store):
    settings = config.load(path)
    small = {"width": 48, "layers": 2, "heads": 2, "hidden": 64}
    backbone = settings.model.params.backbone_config.params
    for name, value in small.items():
        backbone[name] = value
    for condition in settings.model.params.conditions.values():
        for name, value in {"width": 48, "heads": 2, "layers": 1, "hidden": 64}.items():
            if name in condition.params:
                condition.params[name] = value
        if "speech_width" in condition.params:
            condition.params.speech_width = 384
        if "text_width" in condition.params:
            condition.params.text_width = 384
    settings.model.params.motion_dim = 58
    losses = probe_losses(settings, toy_store, steps=2, frames_per_batch=64)
    assert len(losses) == 2 and np.isfinite(losses).all()


def test_a_loss_that_is_not_finite_names_the_clips(toy_store):
    settings = tiny("given")
    data = build_data(settings, toy_store)
    module = build_training(settings, data)
    torch.nn.init.constant_(module.diffusion.denoiser.enter.weight, float("nan"))
    with pytest.raises(BadBundle, match="toy0"):
        module.training_step(data.train[0])


def test_a_run_needs_an_end(toy_path, tmp_path):
    with pytest.raises(BadOption, match="needs an end"):
        fit(tiny(toy_path, "lightning.trainer.max_steps=-1"), tmp_path)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("model.params.backbone_config.params.dropout=0.2", "model section"),
        ("model.base_learning_rate=1.0e-4", "model section"),
        ("", "corpus"),
    ],
)
def test_another_run_in_the_folder_is_left_alone(toy_path, tmp_path, monkeypatch, change, told):
    run = fit(tiny(toy_path, "lightning.trainer.max_steps=1"), tmp_path / "run")
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    if not change:
        monkeypatch.setattr("instructavatar.training.fit.build_training", _of_another_corpus(build_training))
    with pytest.raises(BadOption, match=f"{told}.*choose another --logdir"):
        fit(tiny(toy_path, "lightning.trainer.max_steps=2", *filter(None, [change])), run)
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def _of_another_corpus(build):
    def built(config, data):
        module = build(config, data)
        module.corpus_hash = "another"
        return module

    return built


def test_more_steps_and_another_pace_are_the_same_run(toy_path, tmp_path):
    run = fit(tiny(toy_path, "lightning.trainer.max_steps=1"), tmp_path / "run")
    fit(tiny(toy_path, "lightning.trainer.max_steps=2", "lightning.checkpoint_minutes=1"), run)
    assert read_checkpoint(run / "checkpoints/last.ckpt")["global_step"] == 2
    assert not list(run.rglob("*.part"))


def test_a_folder_that_cannot_be_written_is_named(toy_path, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotWrite, match="choose another --logdir"):
        fit(tiny(toy_path, "lightning.trainer.max_steps=1"), tmp_path / "file" / "run")


@pytest.mark.parametrize("dropped", ["clock", "speech"])
def test_a_dropped_condition_is_named(toy_store, dropped):
    settings = tiny("given")
    del settings.model.params.conditions[dropped]
    with pytest.raises(
        BadOption, match=f"expected the conditions clock, speech, text, got {'speech' if dropped == 'clock' else 'clock'}, text"
    ):
        build_training(settings, build_data(settings, toy_store))


def test_missing_and_damaged_runs_are_refused(tmp_path):
    with pytest.raises(MissingFile, match="train first"):
        load_run(tmp_path)
    with pytest.raises(MissingFile, match="checkpoint"):
        read_checkpoint(tmp_path / "none.ckpt")
    (tmp_path / "bad.ckpt").write_bytes(b"not a checkpoint")
    with pytest.raises(BadBundle, match="could not read"):
        read_checkpoint(tmp_path / "bad.ckpt")


def test_learning_rate_follows_the_progress():
    learning = Learning(warmup_steps=10, decay_from=0.5, final=0.1)
    assert learning.rate(0, 0.0) == pytest.approx(0.1)
    assert learning.rate(50, 0.4) == 1.0
    assert learning.rate(50, 1.0) == pytest.approx(0.1)
    inverse = Learning(warmup_steps=100, schedule="inverse_sqrt")
    assert inverse.rate(399, 0.9) == pytest.approx(0.5)


def test_budget_is_steps_or_minutes():
    budget = Budget(max_steps=100, minutes=10, spent_s=300)
    assert budget.progress(10) == 0.5
    assert budget.progress(80) == 0.8
    assert Budget(-1, 1.0, 60.0).over(3)
    assert not Budget(5).over(4)


def test_a_bundle_holds_what_was_trained(trained, toy_path, tmp_path):
    bundle = export_run(trained, tmp_path / "bundle", probe_store=None, name="toy")
    manifest = json.loads((bundle / "manifest.json").read_text())
    assert set(manifest) == {"generator.onnx", "config.yaml"}
    settings = config.load(bundle / "config.yaml")
    assert settings.trained.corpus_hash == "toy"
    assert settings.trained.steps == 300
    assert BundleConfig.read(bundle).extractors == {"speech": "toy", "text": "toy"}
    assert len(settings.motion.mean) == len(settings.motion.std) == 58
    assert str(toy_path) not in (bundle / "config.yaml").read_text()


def test_a_run_that_does_not_name_its_encoders_is_exported_too(trained, toy_path, tmp_path):
    """Checkpoints of earlier runs lack them; the store they were trained on still knows."""
    (tmp_path / "run/checkpoints").mkdir(parents=True)
    (tmp_path / "run/config.yaml").write_bytes((trained / "config.yaml").read_bytes())
    checkpoint = read_checkpoint(trained / "checkpoints/last.ckpt")
    assert checkpoint.pop("extractors") == {"speech": "toy", "text": "toy"}
    torch.save(checkpoint, tmp_path / "run/checkpoints/last.ckpt")
    silent = export_run(tmp_path / "run", tmp_path / "silent")
    assert BundleConfig.read(silent).extractors == {}
    told = export_run(tmp_path / "run", tmp_path / "told", store=toy_path)
    assert BundleConfig.read(told).extractors == {"speech": "toy", "text": "toy"}
    checkpoint["corpus_hash"] = "another"
    torch.save(checkpoint, tmp_path / "run/checkpoints/last.ckpt")
    with pytest.raises(BadOption, match=r"corpus another\), got one of corpus toy"):
        export_run(tmp_path / "run", tmp_path / "wrong", store=toy_path)


@pytest.fixture(scope="module")
def generator(trained, tmp_path_factory) -> Generator:
    return Generator.load(export_run(trained, tmp_path_factory.mktemp("bundle")))


def _states(sentence: str) -> SimpleNamespace:
    tokens, pooled = toy_text(sentence)
    return SimpleNamespace(
        tokens=tokens[None].astype(np.float32), mask=np.ones((1, len(tokens)), bool), pooled=pooled[None].astype(np.float32)
    )


def test_the_exported_toy_obeys_its_text(generator):
    def last(sentence: str | None, column: str) -> float:
        script = Script.parse(sentence, 1.6) if sentence else None
        return float(generator.generate(40, script=script, text_states=_states(sentence) if sentence else None).column(column)[20:].mean())

    assert last("smile", "mouthSmileLeft") > 0.5 > 0.2 > last(None, "mouthSmileLeft")
    assert last("turn left", "yaw") > 8 and last("turn right", "yaw") < -8
    assert abs(last(None, "yaw")) < 5


def test_the_exported_toy_follows_its_speech(generator):
    features, jaw = toy_speech(100, np.random.default_rng(77))
    motion = generator.generate(100, speech=features.astype(np.float32))
    assert np.corrcoef(motion.column("jawOpen")[1:], jaw[1:])[0, 1] > 0.7
    assert generator.generate(40).column("jawOpen").mean() < 0.05


def toy_text(sentence: str) -> tuple[np.ndarray, np.ndarray]:
    """As the toy store's table has it."""
    rng = np.random.default_rng(sum(map(ord, sentence)))
    tokens = rng.normal(size=(2 + len(sentence.split()), 384)).astype(np.float16)
    return tokens, tokens.mean(0)


def toy_speech(frames: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """As the toy store's clips have it: four waves in 384 channels, the first one in the jaw."""
    waves = np.sin(np.arange(2 * frames)[:, None] * rng.uniform(0.1, 0.4, 4) + rng.uniform(0, 6, 4))
    mix = np.random.default_rng(5).normal(size=(4, 384))
    return (waves @ mix).astype(np.float16), np.clip(0.25 + 0.2 * waves[::2, 0], 0, 1)
