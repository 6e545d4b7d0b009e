"""Several processes train one run: the same weights as one process on the same batches, one journal, one end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from instructavatar import config
from instructavatar.training.callbacks import read_journal
from instructavatar.training.fit import fit, read_checkpoint
from instructavatar.training.processes import all_names, is_first, total
from instructavatar.training.run import latest_checkpoint

ROOT = Path(__file__).parents[2]
TINY = ROOT / "configs/motion/tiny.yaml"
EXTRA = "lightning.journal_steps=2,lightning.threads=1"
HELPERS = '''
import os, signal
from lightning.pytorch.callbacks import Callback

class Poison(Callback):
    """The second process gets a broken batch in its third step."""
    def on_train_batch_start(self, trainer, module, batch, number):
        if trainer.global_rank == 1 and trainer.global_step == 2:
            batch.motion.fill_(float("nan"))

class Stop(Callback):
    """The second process is asked to stop in its third step, and it alone."""
    def on_train_batch_start(self, trainer, module, batch, number):
        if trainer.global_rank == 1 and trainer.global_step == 2:
            os.kill(os.getpid(), signal.SIGTERM)

class Die(Callback):
    """The second process is killed in its third step."""
    def on_train_batch_start(self, trainer, module, batch, number):
        if trainer.global_rank == 1 and trainer.global_step == 2:
            os.kill(os.getpid(), signal.SIGKILL)
'''


def together(store: Path, run: Path, *words: object, launcher: tuple[str, ...] = (), overlay: str = "") -> subprocess.CompletedProcess:
    """Run main.py with two processes; `overlay` is one more YAML."""
    (run.parent / "helpers.py").write_text(HELPERS, encoding="utf-8")
    more = run.parent / "overlay.yaml"
    more.write_text(overlay or "lightning: {logger: null}\n", encoding="utf-8")
    given = ["--base", TINY, more, "--train", "--trainer.devices", 2, "--trainer.accelerator", "cpu", "--logdir", run, *words]
    command = [sys.executable, *launcher, str(ROOT / "main.py"), *map(str, given), "--extra", f"data.params.store={store},{EXTRA}"]
    hidden = ("LOCAL_RANK", "NODE_RANK", "WORLD_SIZE", "MASTER_PORT", "MASTER_ADDR")
    env = {name: value for name, value in os.environ.items() if name not in hidden}
    env |= {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(run.parent)}
    return subprocess.run(command, capture_output=True, text=True, timeout=900, env=env, check=False)


def alone(store: Path, run: Path, steps: int) -> Path:
    """One process that takes the two batches of a step one after the other."""
    before = torch.get_num_threads()
    chosen = config.load(TINY, [f"data.params.store={store}", *EXTRA.split(","), f"lightning.trainer.max_steps={steps}"])
    chosen.lightning.trainer.accumulate_grad_batches = 2
    chosen.lightning.logger = None
    try:
        return fit(chosen, run)
    finally:
        torch.set_num_threads(before)


def furthest(one: Path, other: Path) -> float:
    """Largest difference of weights and averages."""
    ends = [read_checkpoint(run / "checkpoints/last.ckpt") for run in (one, other)]
    first, second = ([*end["state_dict"].values(), *end["average"]["values"]] for end in ends)
    assert ends[0]["global_step"] == ends[1]["global_step"]
    return max(float((a.float() - b.float()).abs().max()) for a, b in zip(first, second, strict=True))


def test_two_processes_equal_one_on_the_same_batches(toy_path, tmp_path):
    """Six steps without dropout; process r of two takes the batches 2 k + r."""
    done = together(toy_path, tmp_path / "two", "--trainer.max_steps", 6)
    assert done.returncode == 0, done.stderr
    one = alone(toy_path, tmp_path / "one", 6)
    assert furthest(tmp_path / "two", one) < 1e-5
    rows = [
        [{k: v for k, v in row.items() if k != "minutes"} for row in read_journal(run / "metrics.jsonl")] for run in (tmp_path / "two", one)
    ]
    assert [row.keys() for row in rows[0]] == [row.keys() for row in rows[1]] and len(rows[0]) == 4
    for ours, theirs in zip(*rows, strict=True):
        assert ours == pytest.approx(theirs, abs=2e-5)  # means over both processes
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.slow
def test_a_launcher_of_its_own_and_a_resume_change_nothing(toy_path, tmp_path):
    torchrun = ("-m", "torch.distributed.run", "--nproc_per_node", "2")
    for steps in (3, 6):
        done = together(toy_path, tmp_path / "two", "--trainer.max_steps", steps, "--seed", 0, launcher=torchrun)
        assert done.returncode == 0, done.stderr
    # the learning rate of three steps ends sooner, so the comparison is with the same two runs of one process
    alone(toy_path, tmp_path / "one", 3)
    assert furthest(tmp_path / "two", alone(toy_path, tmp_path / "one", 6)) < 1e-5


@pytest.mark.slow
def test_one_process_that_is_asked_to_stop_stops_all(toy_path, tmp_path):
    overlay = "lightning: {logger: null, callbacks: {stop: {target: helpers.Stop}}}\n"
    done = together(toy_path, tmp_path / "run", "--trainer.max_steps", 1000, overlay=overlay)
    assert done.returncode == 130, done.stderr
    assert done.stderr.count("interrupted") == 1
    assert read_checkpoint(tmp_path / "run/checkpoints/last.ckpt")["global_step"] == 3


@pytest.mark.slow
def test_a_loss_that_is_not_finite_in_one_process_stops_all_and_names_its_clips(toy_path, tmp_path):
    overlay = "lightning: {logger: null, callbacks: {poison: {target: helpers.Poison}}}\n"
    done = together(toy_path, tmp_path / "run", "--trainer.max_steps", 1000, overlay=overlay)
    assert done.returncode == 8, done.stderr
    (line,) = {line for line in done.stderr.splitlines() if line.startswith("error:")}
    assert line.startswith("error: the loss of step 2 is not finite; look at the clips toy0")
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_one_process_that_is_killed_ends_all_and_the_same_command_goes_on(toy_path, tmp_path):
    overlay = "lightning: {logger: null, checkpoint_minutes: 0, callbacks: {die: {target: helpers.Die}}}\n"
    done = together(toy_path, tmp_path / "run", "--trainer.max_steps", 6, overlay=overlay)
    assert done.returncode != 0 and "Traceback" not in done.stderr
    assert read_checkpoint(latest_checkpoint(tmp_path / "run"))["global_step"] == 1  # that of step 2 was under way
    assert together(toy_path, tmp_path / "run", "--trainer.max_steps", 6).returncode == 0
    assert furthest(tmp_path / "run", alone(toy_path, tmp_path / "one", 6)) < 1e-5


@pytest.mark.slow
def test_the_clock_of_the_first_process_ends_the_run(toy_path, tmp_path):
    words = ("--trainer.max_steps", -1)
    overlay = "lightning: {logger: null, budget_minutes: 0.02}\n"
    done = together(toy_path, tmp_path / "run", *words, overlay=overlay)
    assert done.returncode == 0, done.stderr
    last = read_checkpoint(tmp_path / "run/checkpoints/last.ckpt")
    assert 1.2 <= last["spent_s"] < 6 and last["global_step"] > 1


def test_alone_a_process_hears_itself(monkeypatch):
    assert total([1.5, -2.0], "cpu") == [1.5, -2.0]
    assert all_names(("a", "b")) == ["a", "b"]
    for name in ("RANK", "SLURM_PROCID", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    assert is_first()
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert not is_first()
