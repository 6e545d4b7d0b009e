"""The benchmark's shell scripts: what they hand to `evaluate`, what they leave behind, and how they end."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from instructavatar.media.video import write_video

ROOT = Path(__file__).parents[1]
SCRIPTS = ("eval_benchmark_score.sh", "lip_sync_score.sh", "calculate_au_score.sh")
FULL = "configs/metrics/full.yaml"


def run(script, **env):
    """The script with these variables, run by the plain shell."""
    told = {"PATH": "/usr/bin:/bin", "HOME": os.environ.get("HOME", "/"), "OMP_NUM_THREADS": "1", **env}
    options = ["--more", "a b"] if "stand-in" in env.get("PYTHON", "") else ["-q", "--workers", "1"]
    return subprocess.run(["sh", str(ROOT / "scripts" / script), *options], env=told, capture_output=True, text=True, check=False, cwd=ROOT)


@pytest.fixture
def stand_in(tmp_path):
    """In place of Python: prints what it was called with and ends as STATUS says."""
    path = tmp_path / "stand-in"
    path.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\nexit "${STATUS:-0}"\n', encoding="utf-8")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def results(tmp_path):
    folder = tmp_path / "my videos"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    ("script", "only"),
    [
        ("eval_benchmark_score.sh", []),
        ("lip_sync_score.sh", ["--only", "sync,lips"]),
        ("calculate_au_score.sh", ["--only", "published_action_units,action_units"]),
    ],
)
def test_variables_are_handed_on(script, only, stand_in, results):
    done = run(script, PYTHON=stand_in, RESULT_DIR=str(results), REFERENCE="my store")
    words = done.stdout.splitlines()
    assert words[:4] == ["-m", "instructavatar.cli", "evaluate", str(results)]
    assert words[4] == "--metrics" and (ROOT / "scripts" / words[5]).samefile(ROOT / FULL)
    assert words[6:] == ["--reference", "my store", *only, "--more", "a b"]
    assert done.returncode == 0


def test_the_names_of_metrics_are_those_of_the_configurations():
    from instructavatar import config

    named = set(config.load([ROOT / "instructavatar/metrics/default.yaml", ROOT / FULL]).metrics)
    assert {"sync", "lips", "published_action_units", "action_units"} <= named


def test_a_list_of_pairs_is_taken_where_there_is_one(stand_in, results):
    (results / "pairs.jsonl").touch()
    assert run(SCRIPTS[0], PYTHON=stand_in, RESULT_DIR=str(results)).stdout.splitlines()[3] == str(results / "pairs.jsonl")
    assert run(SCRIPTS[0], PYTHON=stand_in, RESULT_DIR=str(results), REFERENCE="r").stdout.splitlines()[3] == str(results)
    assert run(SCRIPTS[0], PYTHON=stand_in, RESULT_DIR=str(results), PAIRS="p.csv").stdout.splitlines()[3] == "p.csv"


@pytest.mark.parametrize("script", SCRIPTS)
def test_results_are_appended_and_the_end_is_evaluates_own(script, stand_in, results):
    assert run(script, PYTHON=stand_in, RESULT_DIR=str(results)).returncode == 0
    assert run(script, PYTHON=stand_in, RESULT_DIR=str(results), STATUS="1").returncode == 1
    told = (results / "final_results.txt").read_text()
    assert told.count("instructavatar.cli") == 2
    assert told.count(str(results)) == 4  # above each, and in what was called
    assert [path.name for path in results.iterdir()] == ["final_results.txt"]


@pytest.mark.parametrize("script", SCRIPTS)
def test_without_a_folder_they_say_what_they_need(script, stand_in):
    done = run(script, PYTHON=stand_in)
    assert done.returncode != 0
    assert "RESULT_DIR" in done.stderr and "folder of generated videos" in done.stderr


def test_a_tiny_folder_is_scored(results, drawn_faces):
    write_video(results / "a.mp4", drawn_faces)
    done = run(SCRIPTS[0], PYTHON=sys.executable, RESULT_DIR=str(results), ONLY="smoothness", XDG_CACHE_HOME=str(results.parent))
    assert done.returncode == 0, done.stderr
    assert "1 of 1 clip scored" in done.stdout and "msi" in done.stdout
    assert "msi" in (results / "final_results.txt").read_text()


def test_nothing_scored_is_an_error(results):
    write_video(results / "a.mp4", [np.zeros((64, 64, 3), np.uint8)] * 30)
    done = run("lip_sync_score.sh", PYTHON=sys.executable, RESULT_DIR=str(results), XDG_CACHE_HOME=str(results.parent))
    assert done.returncode != 0
    assert "0 of 1 clip scored" in (results / "final_results.txt").read_text()


@pytest.fixture
def drawn_faces():
    """The portrait that ships, 30 times, at 256 pixels."""
    from instructavatar.media.portrait import read_portrait

    picture = read_portrait(ROOT / "instructavatar" / "weights" / "demo_portrait.jpg", max_side=256).rgb
    return [picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2]] * 30
