"""The driver: the published flags, the sections of the configuration, and what a run's folder holds."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
from pathlib import Path

import lightning
import pytest
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import CSVLogger
from omegaconf import OmegaConf
from safetensors import safe_open

from instructavatar import cli, config
from instructavatar.errors import BadOption
from instructavatar.training.callbacks import read_journal
from instructavatar.training.fit import fit, load_run, read_checkpoint
from instructavatar.training.motion_training import MotionTraining
from instructavatar.training.samples import SampleVideos
from instructavatar.training.trainer import arguments_of, make_trainer

ROOT = Path(__file__).parents[2]
TINY = ROOT / "configs/motion/tiny.yaml"


@pytest.fixture
def train(toy_path, tmp_path, monkeypatch, capsys):
    """A function that runs `instructavatar train` in an empty folder and gives its exit code and what it printed."""
    monkeypatch.chdir(tmp_path)
    Path("quiet.yaml").write_text("lightning: {logger: null}\n", encoding="utf-8")

    def run(*words: object, base: bool = True, steps: int = 2) -> tuple[int, str]:
        extra = ["--extra", f"data.params.store={toy_path},lightning.journal_steps=1"] if base else []
        given = [*(["--base", TINY, "quiet.yaml"] if base else []), "--trainer.max_steps", steps, *words, *extra]
        code = cli.main(["train", *map(str, given)])
        shown = capsys.readouterr()
        return code, shown.out + shown.err

    return run


def resolved(text: str):
    return OmegaConf.create(text)


def step_of(run: str | Path) -> int:
    return read_checkpoint(Path(run) / "checkpoints/last.ckpt")["global_step"]


def test_the_published_command_resolves_as_it_says(train, toy_path):
    words = ["--train", "--trainer.devices", 8, "--logdir", "runs", "--dry-run", "--trainer.precision=bf16-mixed"]
    code, shown = train(*words, "--seed", 7, "--name", "mine", "--postfix", "_a", "--scale_lr", "True")
    settings = resolved(shown)
    assert code == 0 and shown.startswith("# run: runs/mine_a\n")
    assert settings.lightning.trainer.devices == 8 and settings.lightning.trainer.precision == "bf16-mixed"
    assert settings.seed == settings.data.params.seed == 7
    assert settings.model.scale_learning_rate is True
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("words", "folder"),
    [
        ([], "runs/default"),
        (["--logdir", "here"], "here"),
        (["-n", "mine"], "runs/mine"),
        (["-l", "here", "-f", "_b"], "here/tiny_b"),
    ],
)
def test_the_folder_of_a_run(train, words, folder):
    assert train("--dry-run", *words)[1].startswith(f"# run: {folder}\n")


@pytest.mark.parametrize(("gpus", "devices"), [("4", 4), ("0,1,", "0,1,"), ("0", 1)])
def test_gpus_are_taken_as_devices_with_a_note(train, gpus, devices):
    code, shown = train("--dry-run", "--trainer.gpus", gpus)
    trainer = resolved("\n".join(line for line in shown.splitlines() if not line.startswith("note"))).lightning.trainer
    assert code == 0 and trainer.devices == devices and "gpus" not in trainer
    assert trainer.accelerator == ("cpu" if gpus == "0" else "gpu")
    assert f"note: gpus={gpus} is an older name" in shown


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--trainer.acumulate_grad_batches", "2"], "did you mean 'accumulate_grad_batches'"),
        (["--trainer.logger", "x"], "give lightning.logger"),
        (["--trainer.max_epochs", "3"], "set max_steps or lightning.budget_minutes"),
        (["--trainer.precision", "odd"], "lightning.trainer: .*odd"),
        (["--logdr", "x"], "did you mean --logdir"),
        (["--resume", "nowhere"], "expected --resume to name a run"),
        (["--resume", "nowhere", "--logdir", "x"], "leave --logdir"),
        (["--not_resume_from_checkpoint", "--resume_from_checkpoint", "x"], "leave one of them out"),
        (["--no-test", "perhaps"], "expected yes or no, got 'perhaps'"),
    ],
)
def test_what_is_refused_in_one_line(train, words, told):
    code, shown = train(*words)
    (line,) = [line for line in shown.splitlines() if line.startswith("error:")]
    assert code in (2, 3) and re.search(told, line), line
    assert not Path("runs").exists()


def test_neither_a_base_nor_a_run_is_refused(train):
    assert "expected --base" in train(base=False)[1]


def test_the_folder_of_a_finished_run(train):
    code, _ = train("--logdir", "run", "--trainer.limit_val_batches", 1)
    run = Path("run")
    held = {path.name for path in run.iterdir()}
    assert code == 0 and held >= {"config.yaml", "checkpoints", "metrics.jsonl", "losses.png", "weights.safetensors"}
    rows = read_journal(run / "metrics.jsonl")
    assert [row["step"] for row in rows] == [1, 2, 2] and "valid" in rows[-1]  # judged once more at the end
    averaged = load_run(run)[0].state_dict()
    with safe_open(str(run / "weights.safetensors"), "pt") as file:
        assert file.metadata() == {"format": "pt", "steps": "2", "corpus_hash": "toy", "averaged": "true"}
        assert set(file.keys()) == set(averaged)
        assert all(torch.equal(file.get_tensor(name), averaged[name]) for name in file.keys())  # noqa: SIM118
    train("--logdir", "run")
    assert read_journal(run / "metrics.jsonl") == rows  # the same command again adds nothing


def test_without_a_test_the_end_is_not_judged(train):
    train("--logdir", "run", "--no-test")
    assert not any("valid" in row for row in read_journal("run/metrics.jsonl"))


def test_resume_takes_folder_and_configuration_of_its_run(train):
    train("--logdir", "run", "--seed", 5)
    assert train("--resume", "run", base=False, steps=4)[0] == 0
    assert step_of("run") == 4
    settings = config.load("run/config.yaml")
    assert settings.seed == settings.data.params.seed == 5 and settings.lightning.trainer.max_steps == 4
    # from an earlier checkpoint: the steps after it are taken again
    Path("run/checkpoints/two.ckpt").write_bytes(Path("run/checkpoints/previous.ckpt").read_bytes())
    assert step_of("run") == 4 and read_checkpoint("run/checkpoints/two.ckpt")["global_step"] == 2
    assert train("--resume", "run/checkpoints/two.ckpt", base=False, steps=3)[0] == 0
    assert step_of("run") == 3
    assert max(row["step"] for row in read_journal("run/metrics.jsonl")) == 3


def test_a_new_run_begins_from_anothers_checkpoint_and_then_from_its_own(train):
    train("--logdir", "first")
    begin = ["--logdir", "second", "--resume_from_checkpoint", "first/checkpoints/last.ckpt"]
    train(*begin, steps=3)
    assert step_of("second") == 3 and [row["step"] for row in read_journal("second/metrics.jsonl") if "loss" in row] == [3]
    Path("first/checkpoints/last.ckpt").unlink()
    assert train(*begin, steps=4)[0] == 0
    assert step_of("second") == 4


def test_weights_of_another_shape_are_named(train):
    train("--logdir", "first")
    code, shown = train(
        "--logdir", "second", "--resume_from_checkpoint", "first/checkpoints/last.ckpt", "--base", TINY, "quiet.yaml", _narrow()
    )
    assert code == 2 and "expected the weights of this model in first/checkpoints/last.ckpt, but" in shown
    assert not Path("second").exists()


def _narrow() -> Path:
    path = Path("narrow.yaml")
    path.write_text("model: {params: {backbone_config: {params: {hidden: 64}}}}\n", encoding="utf-8")
    return path


def test_beginning_anew_sets_the_earlier_run_aside(train):
    train("--logdir", "run", steps=3)
    train("--logdir", "run", "--not_resume_from_checkpoint", steps=2)
    assert step_of("run") == 2 and step_of("run/earlier-1") == 3
    assert Path("run/earlier-1/metrics.jsonl").exists()


def test_only_the_validation(train):
    train("--logdir", "run")
    (valid,) = [row["valid"] for row in read_journal("run/metrics.jsonl") if "valid" in row]
    before = {path: path.read_bytes() for path in Path("run").rglob("*") if path.is_file()}
    code, shown = train("--logdir", "run", "--only-val")
    assert code == 0 and f"run  step 2: validation loss {valid:.5f}" in shown
    assert {path: path.read_bytes() for path in Path("run").rglob("*") if path.is_file()} == before


def test_debug_shows_where_an_error_comes_from(train, monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert "Traceback" not in train("--logdir", "run", steps=-1)[1]
    assert "Traceback" in train("--logdir", "run", "--debug", steps=-1)[1]


def test_the_rate_grows_with_the_batches_of_a_step(train):
    train("--logdir", "one", "--trainer.accumulate_grad_batches", 3)
    train("--logdir", "three", "--trainer.accumulate_grad_batches", 3, "--scale_lr")
    rates = [read_journal(f"{name}/metrics.jsonl")[0]["rate"] for name in ("one", "three")]
    assert rates[1] == pytest.approx(3 * rates[0])


class Counter(Callback):
    """Counts the steps it sees, and keeps the count in checkpoints."""

    def __init__(self, begin: int = 0) -> None:
        self.seen = begin

    def on_train_batch_end(self, *_: object) -> None:
        self.seen += 1

    def state_dict(self) -> dict:
        return {"seen": self.seen}

    def load_state_dict(self, state_dict: dict) -> None:
        self.seen = state_dict["seen"]


def chosen(store: Path, monkeypatch, steps: int = 2, **sections: object):
    """The tiny configuration with sections of `lightning`; targets in this file are found as `driver`."""
    monkeypatch.setitem(__import__("sys").modules, "driver", __import__("types").SimpleNamespace(Counter=Counter))
    settings = config.load(TINY, [f"data.params.store={store}", f"lightning.trainer.max_steps={steps}"])
    return OmegaConf.merge(settings, {"lightning": {"logger": None, **sections}})


def test_callbacks_and_more_checkpoints_by_target_and_params(toy_path, tmp_path, monkeypatch):
    callbacks = {"counter": {"target": "driver.Counter", "params": {"begin": 10}}, "dropped": None}
    more = {"params": {"every_n_train_steps": 1, "save_top_k": -1, "save_last": True}}
    run = fit(chosen(toy_path, monkeypatch, 2, callbacks=callbacks, modelcheckpoint=more), tmp_path / "run")
    assert {path.name for path in (run / "checkpoints").iterdir()} == {"last.ckpt", "step-0000001.ckpt", "step-0000002.ckpt"}
    fit(chosen(toy_path, monkeypatch, 3, callbacks=callbacks), run)
    assert read_checkpoint(run / "checkpoints/last.ckpt")["callbacks"]["Counter"] == {"seen": 13}


def test_a_callback_can_watch_the_validation(toy_path, tmp_path, monkeypatch):
    stop = {"target": "lightning.pytorch.callbacks.EarlyStopping", "params": {"monitor": "valid", "divergence_threshold": -1.0}}
    settings = chosen(toy_path, monkeypatch, 9, callbacks={"stop": stop})
    settings.lightning.trainer.val_check_interval = 2
    run = fit(settings, tmp_path / "run")
    assert step_of(run) == 2


def test_what_is_no_callback_is_refused(toy_path, tmp_path, monkeypatch):
    with pytest.raises(BadOption, match="lightning.callbacks.odd to be a callback"):
        fit(chosen(toy_path, monkeypatch, callbacks={"odd": {"target": "pathlib.PurePath"}}), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("named", [False, True])
def test_a_logger_by_target_and_params_writes_into_the_run(toy_path, tmp_path, monkeypatch, named):
    node = {"target": "lightning.pytorch.loggers.CSVLogger", "params": {"name": "csv", "version": ""}}
    settings = chosen(toy_path, monkeypatch, logger={"first": node} if named else node, journal_steps=1)
    run = fit(settings, tmp_path / "run")
    lines = (run / "csv/metrics.csv").read_text().splitlines()
    assert "loss" in lines[0] and len(lines) >= 3
    assert isinstance(make_trainer(settings.lightning, run, []).loggers[0], CSVLogger)


def test_tensorboard_is_written_where_it_is_installed_and_missed_once_where_not(toy_path, tmp_path, monkeypatch, caplog):
    settings = chosen(toy_path, monkeypatch)
    settings.lightning.logger = "tensorboard"
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *_: None)
    with caplog.at_level(logging.WARNING):
        assert make_trainer(settings.lightning, tmp_path, []).loggers == []
    assert caplog.text.count("tensorboard is not installed") == 1
    monkeypatch.undo()
    pytest.importorskip("tensorboard")
    run = fit(settings, tmp_path / "run")
    assert list((run / "tensorboard").glob("events*"))


def test_steps_are_counted_not_batches(toy_path, monkeypatch):
    settings = chosen(toy_path, monkeypatch)
    settings.lightning.trainer.update({"accumulate_grad_batches": 3, "val_check_interval": 100})
    assert arguments_of(settings.lightning)["val_check_interval"] == 300


def test_batches_go_on_where_lightning_begins_an_epoch(toy_path, tmp_path, monkeypatch):
    rows = []
    for limit in (2, 1.0):
        settings = chosen(toy_path, monkeypatch, 5, journal_steps=1)
        settings.lightning.trainer.limit_train_batches = limit
        rows.append([row["loss"] for row in read_journal(fit(settings, tmp_path / f"{limit}") / "metrics.jsonl") if "loss" in row])
    assert rows[0] == rows[1] and len(set(rows[0])) == 5


@pytest.mark.parametrize("asked", ["SIGUSR1", "SIGTERM"])
def test_a_signal_saves_at_once(toy_path, tmp_path, monkeypatch, asked):
    """One saves and goes on; the other saves and stops, without a validation to wait for."""
    saved = []
    original, save = MotionTraining.training_step, lightning.Trainer.save_checkpoint

    def step(self, batch, number=0):
        if self.global_step == 1:
            os.kill(os.getpid(), getattr(signal, asked))
        return original(self, batch, number)

    def saving(self, *words, **more):
        saved.append(self.global_step)
        save(self, *words, **more)

    monkeypatch.setattr(MotionTraining, "training_step", step)
    monkeypatch.setattr(lightning.Trainer, "save_checkpoint", saving)
    settings = chosen(toy_path, monkeypatch, 4, journal_steps=1)
    if asked == "SIGUSR1":
        fit(settings, tmp_path / "run")
        assert saved == [2, 4]
        return
    with pytest.raises(KeyboardInterrupt, match="step 2 is saved in .*run; the same command goes on"):
        fit(settings, tmp_path / "run")
    assert saved == [2]
    assert not any("valid" in row for row in read_journal(tmp_path / "run/metrics.jsonl"))


def test_half_precision_trains(toy_path, tmp_path, monkeypatch):
    settings = chosen(toy_path, monkeypatch)
    settings.lightning.trainer.precision = "bf16-mixed"
    run = fit(settings, tmp_path / "run")
    assert step_of(run) == 2
    assert all(value.dtype == torch.float32 for value in read_checkpoint(run / "checkpoints/last.ckpt")["average"]["values"])


def test_sample_videos_are_asked_of_the_command_line(toy_path, tmp_path, monkeypatch):
    asked = []

    class Process:
        returncode = 0

        def __init__(self, command, **_):
            asked.append((command[3:], read_checkpoint(tmp_path / "run/checkpoints/last.ckpt")["global_step"]))

        def wait(self):
            return 0

        poll = wait

    settings = chosen(toy_path, monkeypatch, 5)
    settings.lightning.callbacks = {"samples": {"target": "instructavatar.training.samples.SampleVideos", "params": {"every_steps": 2}}}
    monkeypatch.setattr("instructavatar.training.samples.subprocess.Popen", Process)
    run = fit(settings, tmp_path / "run")
    assert [words[words.index("--output") + 1] for words, _ in asked] == [str(run / f"samples/step_000000{n}.mp4") for n in (2, 4)]
    assert [step for _, step in asked] == [2, 4]  # of the very checkpoint
    parsed = cli._parser().parse_args(asked[0][0])
    assert parsed.model == run and parsed.instruction == "talk with a happy smile"
    with pytest.raises(ValueError, match="portrait beside the audio"):
        SampleVideos(audio="x.wav")


@pytest.mark.parametrize("script", ["run_exp.sh", "evaluate_e2e.sh"])
def test_the_scripts_hand_their_variables_on(script, tmp_path):
    """A stand-in for Python prints what it was called with."""
    stand_in = tmp_path / "python"
    stand_in.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n', encoding="utf-8")
    stand_in.chmod(0o755)
    given = {
        "run_exp.sh": {"BASE": "a.yaml b.yaml", "LOGDIR": "my runs/x", "DEVICES": "8", "EXTRA": "a.b=1,c.d=e f"},
        "evaluate_e2e.sh": {"APPEAR_DIR": "my faces", "INSTRUCTION": "talk sadly", "AUDIO_FLAG": "False", "CKPT": "runs/x"},
    }[script]
    env = {"PATH": "/usr/bin:/bin", "PYTHON": str(stand_in), **given}
    done = subprocess.run(["bash", str(ROOT / "scripts" / script), "--more"], env=env, capture_output=True, text=True, check=True)
    words = done.stdout.splitlines()
    expected = {
        "run_exp.sh": ["--base", "a.yaml", "b.yaml", "--train", "--logdir", "my runs/x", "--trainer.devices", "8"],
        "evaluate_e2e.sh": ["generate", "--appear-dir", "my faces", "--output", "out/e2e", "--instruction", "talk sadly", "--seconds", "7"],
    }[script]
    begin = words.index(expected[0])
    assert words[begin : begin + len(expected)] == expected
    assert words[-1] == "--more" and ("a.b=1,c.d=e f" in words or "runs/x" in words)


def test_a_run_is_exported_once_for_generating(train, monkeypatch):
    from instructavatar import recipe

    train("--logdir", "run")
    bundle = recipe.bundle_of(Path("run"))
    manifest = json.loads((bundle / "manifest.json").read_text())
    assert bundle == Path("run/bundle") and "generator.onnx" in manifest
    with monkeypatch.context() as patched:
        patched.setattr("instructavatar.training.fit.export_run", lambda *_, **__: pytest.fail("exported again"))
        assert recipe.bundle_of(Path("run")) == bundle
        assert recipe.bundle_of(bundle) == bundle
    later = (bundle / "manifest.json").stat().st_mtime_ns + 10**9
    os.utime("run/checkpoints/last.ckpt", ns=(later, later))
    recipe.bundle_of(Path("run"))
    assert (bundle / "manifest.json").stat().st_mtime_ns == later
    assert recipe.bundle_of(Path("run/checkpoints/last.ckpt")) == Path("run/bundle-last")
