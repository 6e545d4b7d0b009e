"""The command `evaluate`: what a user types, and what happens when it is killed or the input is odd."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from instructavatar import cli
from instructavatar.media.portrait import read_portrait
from instructavatar.media.video import write_video

ROOT = Path(__file__).parents[1]
FACE = ROOT / "tests" / "assets" / "portraits" / "head_1.png"
ONLY = "smoothness,landmark_distance"  # which need no sound


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """Folders `made` and `real` with three clips each: a portrait that drifts."""
    root = tmp_path_factory.mktemp("films")
    shown = cv2.resize(read_portrait(FACE, max_side=480).rgb, None, fx=0.8, fy=0.8, interpolation=cv2.INTER_AREA)
    shown = shown[: shown.shape[0] // 2 * 2, : shown.shape[1] // 2 * 2]
    for place, folder in enumerate(("made", "real")):
        for n in range(3):
            frames = (np.roll(shown, (t * (n + 1) + place) // 3, axis=1) for t in range(25))
            write_video(root / folder / f"clip{n}.mp4", frames, None)
    return root


def words(films, tmp_path, *more):
    folders = [str(films / "made"), "--reference", str(films / "real"), "--cache", str(tmp_path / "cache")]
    return ["evaluate", *folders, "--only", ONLY, "--workers", "1", "--quiet", *more]


def test_it_prints_every_row_and_writes_the_same_numbers(films, tmp_path, capsys):
    assert cli.main(words(films, tmp_path, "--json", str(tmp_path / "n.json"))) == 0
    found = json.loads((tmp_path / "n.json").read_text())
    assert set(found["rows"]) == {"system", "ground_truth", "oracle", "still"} and found["scored"] == found["clips"] == 3
    assert found["rows"]["ground_truth"]["metrics"]["lmd_face"]["value"] == 0
    assert found["rows"]["still"]["metrics"]["head_speed"]["value"] == 0 < found["metrics"]["lmd_face"]["value"]
    printed = capsys.readouterr().out
    assert "lmd_face" in printed and "oracle" in printed and "3 of 3" in printed


def test_odd_input_is_one_line(films, tmp_path, capsys):
    assert cli.main(["evaluate"]) == 2
    assert cli.main(["evaluate", str(tmp_path / "nowhere")]) == 3
    assert cli.main(words(films, tmp_path, "--only", "smoothnes")) == 2
    assert cli.main(words(films, tmp_path, "--metrics", str(tmp_path / "no.yaml"))) == 3
    assert cli.main(words(films, tmp_path, "--extra", "benchmark.resample=3")) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 5 and all(line.startswith("error: ") for line in errors)
    assert "did you mean 'benchmark.resamples'" in errors[-1]


def test_nothing_scored_is_a_failure_with_its_reason(tmp_path, capsys):
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "broken.mp4").write_bytes(b"no video")
    assert cli.main(["evaluate", str(tmp_path / "made"), "--cache", str(tmp_path / "c"), "--workers", "1", "--quiet"]) == 1
    assert "broken" in capsys.readouterr().out


def test_an_overlay_adds_and_drops_metrics(films, tmp_path):
    overlay = tmp_path / "mine.yaml"
    target = "{target: instructavatar.metrics.smoothness.Smoothness, params: {}}"
    overlay.write_text(f"metrics:\n  mine: {target}\n  smoothness: null\n", encoding="utf-8")
    made = [str(films / "made"), "--cache", str(tmp_path / "c"), "--workers", "1", "--quiet", "--metrics", str(overlay), "--only", "mine"]
    assert cli.main(["evaluate", *made, "--json", str(tmp_path / "n.json")]) == 0
    assert "msi" in json.loads((tmp_path / "n.json").read_text())["metrics"]


@pytest.mark.slow
def test_killed_at_any_moment_it_goes_on_with_what_was_measured(films, tmp_path):
    command = [sys.executable, "-m", "instructavatar.cli", *words(films, tmp_path)]
    cache = tmp_path / "cache"
    for _ in range(6):
        before = {path: path.stat().st_mtime_ns for path in cache.rglob("*.npz")}
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        while process.poll() is None and len(list(cache.rglob("*.npz"))) < len(before) + 2:
            time.sleep(0.02)
        process.kill()
        process.wait()
        for path, written in before.items():
            assert path.stat().st_mtime_ns == written, "measured again"
    assert cli.main(words(films, tmp_path, "--json", str(tmp_path / "after.json"))) == 0
    clean = [word.replace(str(cache), str(tmp_path / "clean")) for word in words(films, tmp_path, "--json", str(tmp_path / "clean.json"))]
    assert cli.main(clean) == 0
    after, whole = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("after", "clean"))
    for row, found in whole["rows"].items():
        for name, number in found["metrics"].items():
            assert after["rows"][row]["metrics"][name]["value"] == pytest.approx(number["value"], rel=1e-3, abs=1e-3)
