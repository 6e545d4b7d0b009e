"""README's commands: each parses, and each runs at toy size."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import cv2
import pytest

from instructavatar import cli
from instructavatar.features.base import weights_path
from instructavatar.features.landmarks import FaceLandmarker
from instructavatar.media.audio import read_audio, write_wav

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands() -> list[list[str]]:
    blocks = re.findall(r"```bash\n(.*?)```", README, flags=re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.splitlines() if line.strip()]


def ours() -> list[list[str]]:
    return [words[1:] for words in commands() if words[0] == ".venv/bin/instructavatar"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What README takes as given: face.jpg, voice.wav, clip.mp4; and the repo's configs."""
    folder = tmp_path_factory.mktemp("readme")
    picture = cv2.imread(str(weights_path("demo_portrait.jpg")))
    cv2.imwrite(str(folder / "face.jpg"), cv2.resize(picture, (256, 256), interpolation=cv2.INTER_AREA))
    write_wav(folder / "voice.wav", read_audio(weights_path("demo_speech.flac"))[:16000])
    shutil.copytree(ROOT / "configs", folder / "configs")
    shutil.copytree(ROOT / "tests" / "assets" / "puppet_tiny", folder / "tests" / "assets" / "puppet_tiny")
    return folder


def put_videos(folder):
    """A folder with one video of a talking face that is large enough to be measured."""
    face = max(FaceLandmarker.load().find(cv2.imread(str(weights_path("demo_portrait.jpg")))[..., ::-1]), key=lambda one: one.width_px)
    left, top, right, bottom = map(int, face.box)
    reach = (right - left) // 2
    picture = cv2.imread(str(weights_path("demo_portrait.jpg")))[max(top - reach, 0) : bottom + reach, max(left - reach, 0) : right + reach]
    cv2.imwrite(str(folder / "near.png"), picture)
    command = ["generate", "near.png", "--audio", "voice.wav", "--output", "videos/take_1.mp4", "--max_side", "300", "--quiet"]
    assert cli.main(command) == 0


def test_make_targets_of_the_readme_exist():
    targets = {words[1] for words in commands() if words[0] == "make"}
    assert targets == {"demo", "test", "model", "recipe"}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in targets:
        assert re.search(rf"^{target}:.*##", makefile, flags=re.MULTILINE)


def test_readme_shows_every_command_of_the_recipe():
    assert {words[0] for words in ours()} >= {"generate", "reenact", "verify", "prepare", "train", "export", "evaluate"}


def test_commands_run_in_the_order_shown(folder, monkeypatch):
    """The seconds are cut and the picture is small; everything else is as README says."""
    monkeypatch.chdir(folder)
    for words in ours():
        if words[0] == "generate":
            words = [*words, "--max_side", "240", "--quiet", *([] if "--seconds" in words else ["--seconds", "1"])]
        if words[0] == "reenact":
            shutil.copy(folder / "out.mp4", folder / "clip.mp4")
            words = [*words, "--max_side", "240", "--quiet"]
        if "--root" in words:
            put_videos(folder)
        if words[0] == "evaluate":
            put_videos(folder)
            for place in ("out/videos", "data/real"):
                (folder / place).mkdir(parents=True, exist_ok=True)
                shutil.copy(folder / "videos" / "take_1.mp4", folder / place)
            words = [*words, "--cache", "cache", "--workers", "1", "--quiet"]
        if words[0] == "train":
            words[-1] += ",lightning.trainer.max_steps=2"
        assert cli.main(words) == 0, words


def test_python_example_is_the_real_interface(folder, monkeypatch):
    monkeypatch.chdir(folder)
    code = re.search(r"```python\n(.*?)```", README, flags=re.DOTALL).group(1)
    exec(compile(code, "README.md", "exec"), {})
    assert (folder / "out.csv").read_text().startswith("time,eyeBlinkLeft")
