"""A killed run: the same command goes on, exactly, and never from a damaged checkpoint."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import lightning
import pytest
import torch

from instructavatar import config
from instructavatar.errors import BadBundle, CannotWrite
from instructavatar.training.callbacks import read_journal
from instructavatar.training.fit import fit, read_checkpoint
from instructavatar.training.motion_training import MotionTraining
from instructavatar.training.run import is_whole, latest_checkpoint

ROOT = Path(__file__).parents[2]
TINY = ROOT / "configs/motion/tiny.yaml"
# every step is saved, so that a kill at a random moment often falls into the writing of a checkpoint
OFTEN = ["lightning.checkpoint_minutes=0", "lightning.journal_steps=4", "lightning.threads=1", "lightning.logger=null"]
OVERLAY = "lightning: {logger: null}\n"


@pytest.fixture(autouse=True)
def one_thread():
    """Sums come out alike only where as many threads share them."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def settings(store: Path, overlay: Path, *overrides: str):
    overlay.write_text(OVERLAY, encoding="utf-8")
    return config.load([TINY, overlay], [f"data.params.store={store}", *OFTEN, *overrides])


def state(run: Path) -> list[torch.Tensor]:
    """Weights, averages and moments of the last checkpoint."""
    last = read_checkpoint(run / "checkpoints/last.ckpt")
    moments = [value for entry in last["optimizer_states"][0]["state"].values() for value in entry.values()]
    return [*last["state_dict"].values(), *last["average"]["values"], *moments]


def same(one: Path, other: Path) -> bool:
    return all(torch.equal(a, b) for a, b in zip(state(one), state(other), strict=True))


def rows(run: Path) -> list[dict[str, float]]:
    return [{name: value for name, value in row.items() if name != "minutes"} for row in read_journal(run / "metrics.jsonl")]


@pytest.mark.parametrize("accumulated", [1, 2])
def test_a_run_that_dies_between_checkpoints_goes_on_exactly(toy_path, tmp_path, monkeypatch, accumulated):
    """What a power cut leaves: the checkpoint of an earlier step, and a journal that is ahead of it."""
    chosen = settings(
        toy_path,
        tmp_path / "overlay.yaml",
        *("lightning.trainer.max_steps=9", "lightning.trainer.val_check_interval=3", "model.params.backbone_config.params.dropout=0.1"),
    )
    chosen.lightning.trainer.accumulate_grad_batches = accumulated
    whole = fit(chosen, tmp_path / "whole")
    original = MotionTraining.training_step

    def dies(self, batch, number=0):
        if self.batch_number == 6 * accumulated:
            raise RuntimeError("the lights go out")
        return original(self, batch, number)

    monkeypatch.setattr(MotionTraining, "training_step", dies)
    with pytest.raises(RuntimeError, match="lights"):
        fit(chosen, tmp_path / "parts")
    monkeypatch.undo()
    # so that the journal is ahead of the checkpoint
    os.replace(tmp_path / "parts/checkpoints/previous.ckpt", tmp_path / "parts/checkpoints/last.ckpt")
    assert read_checkpoint(tmp_path / "parts/checkpoints/last.ckpt")["global_step"] == 5
    parts = fit(chosen, tmp_path / "parts")
    assert same(whole, parts)
    assert rows(whole) == rows(parts)
    assert [row["step"] for row in rows(parts)] == [3, 4, 6, 8, 9]
    assert all(row["loss"] == pytest.approx(row["motion"] + row["velocity"], abs=2e-5) for row in rows(parts) if "loss" in row)


def test_a_damaged_checkpoint_is_passed_over(toy_path, tmp_path, caplog):
    chosen = settings(toy_path, tmp_path / "overlay.yaml", "lightning.trainer.max_steps=4")
    run = fit(chosen, tmp_path / "run")
    last, previous = run / "checkpoints/last.ckpt", run / "checkpoints/previous.ckpt"
    good = last.read_bytes()
    assert latest_checkpoint(run) == last
    middle = bytearray(good)
    middle[len(good) // 2] ^= 1  # loading would not notice one wrong bit
    for damaged in (bytes(middle), good[:-100], good[: len(good) // 2], b""):
        last.write_bytes(damaged)
        assert not is_whole(last)
        assert latest_checkpoint(run) == previous
    assert "last.ckpt is damaged; looking for the one before it" in caplog.text
    step = read_checkpoint(previous)["global_step"]
    assert step < 4
    fit(chosen, run)
    assert is_whole(last) and read_checkpoint(last)["global_step"] == 4
    for path in (last, previous):
        path.write_bytes(b"")
    with pytest.raises(BadBundle, match="found only damaged ones"):
        fit(chosen, run)


def test_a_full_disk_leaves_the_checkpoint_before(toy_path, tmp_path, monkeypatch):
    chosen = settings(toy_path, tmp_path / "overlay.yaml", "lightning.trainer.max_steps=9")
    original = lightning.Trainer.save_checkpoint

    def full(self, path, *rest, **more):
        original(self, path, *rest, **more)
        if self.global_step == 4:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(lightning.Trainer, "save_checkpoint", full)
    with pytest.raises(CannotWrite, match="No space left on device; free some space"):
        fit(chosen, tmp_path / "run")
    found = latest_checkpoint(tmp_path / "run")
    assert found is not None and read_checkpoint(found)["global_step"] == 3
    assert not list(tmp_path.rglob("*.part"))


def _start(store: Path, overlay: Path, run: Path, steps: int) -> subprocess.Popen:
    words = ["--base", TINY, overlay, "--train", "--logdir", run, "--trainer.max_steps", steps]
    extra = ",".join([f"data.params.store={store}", *OFTEN])
    command = [sys.executable, str(ROOT / "main.py"), *map(str, words), "--extra", extra]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, "OMP_NUM_THREADS": "1"})


def _kill_after(process: subprocess.Popen, run: Path, seconds: float) -> None:
    """Kill it so long after it has written a checkpoint."""
    last, begun = run / "checkpoints/last.ckpt", time.time()
    while process.poll() is None and not (last.exists() and last.stat().st_mtime > begun):
        time.sleep(0.02)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("kills", [2, pytest.param(10, marks=pytest.mark.slow)])
def test_kills_at_random_moments_change_nothing(toy_path, tmp_path, kills):
    overlay, run = tmp_path / "overlay.yaml", tmp_path / "run"
    steps, chance = 30 * kills, random.Random(kills)
    chosen = settings(toy_path, overlay, f"lightning.trainer.max_steps={steps}")
    reached = 0
    for _ in range(kills):
        _kill_after(_start(toy_path, overlay, run, steps), run, chance.uniform(0, 0.5))
        found = latest_checkpoint(run)
        assert found is not None
        step = read_checkpoint(found)["global_step"]
        assert step > reached  # it went on rather than began anew
        reached = step
    last = _start(toy_path, overlay, run, steps)
    assert last.communicate()[1].decode().count("Traceback") == 0 and last.returncode == 0
    chosen.lightning.checkpoint_minutes = 5
    assert same(run, fit(chosen, tmp_path / "whole"))
    assert not list(run.rglob("*.part"))
    assert rows(run) == rows(tmp_path / "whole")
