"""The main job on real input with the shipped model, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from instructavatar import cli
from instructavatar.features.base import weights_path
from instructavatar.media.audio import read_audio, write_wav

SIDE = 240


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("a folder with späces")
    picture = cv2.imread(str(weights_path("demo_portrait.jpg")))
    cv2.imwrite(str(folder / "face.png"), cv2.resize(picture, (320, 320), interpolation=cv2.INTER_AREA))
    write_wav(folder / "voice.wav", read_audio(weights_path("demo_speech.flac"))[:20_000])
    write_wav(folder / "silence.wav", np.zeros(16_000, np.float32))
    return folder


def look(path: Path) -> dict:
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        frames = sum(1 for _ in container.decode(video))
        sound = container.streams.audio[0] if container.streams.audio else None
        return {
            "codec": video.codec_context.name,
            "size": (video.width, video.height),
            "rate": video.average_rate,
            "frames": frames,
            "sound": sound and sound.codec_context.name,
            "sound_s": sound and float(sound.duration * sound.time_base),
        }


def generate(folder: Path, name: str, *words: str) -> Path:
    out = folder / name
    assert cli.main(["generate", str(folder / "face.png"), *words, "-o", str(out), "--max_side", str(SIDE), "-q"]) == 0
    return out


@pytest.mark.parametrize("name", ["voice", "silence"])
def test_portrait_and_audio(folder, name, capsys):
    made = look(generate(folder, f"{name}.mp4", "-a", str(folder / f"{name}.wav")))
    expected_s = 1.25 if name == "voice" else 1.0
    assert made["codec"] == "h264" and made["sound"] == "aac" and made["rate"] == 25
    assert made["size"] == (SIDE, SIDE)
    assert abs(made["frames"] / 25 - expected_s) <= 0.04 and abs(made["sound_s"] - expected_s) <= 0.04
    line = capsys.readouterr().out.strip().splitlines()[-1]
    assert "s of video in" in line and "x real time" in line


def test_portrait_and_instruction_is_silent(folder):
    made = look(generate(folder, "instructed.mp4", "-i", "0-1s: smile | 1-2s: turn your head left", "--seconds", "2"))
    assert made["frames"] == 50 and made["sound"] is None


def test_neither_is_idle_and_concat_is_twice_as_wide(folder):
    made = look(generate(folder, "idle.mp4", "--seconds", "0.4", "--concat"))
    assert made["frames"] == 10 and made["size"] == (2 * SIDE, SIDE)


def test_same_seed_same_motion_and_it_starts_from_the_picture(folder):
    words = ["-a", str(folder / "voice.wav"), "-i", "be happy", "--save_motion"]
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        generate(folder, f"{name}.mp4", *words, str(folder / f"{name}.csv"), "--seed", seed)
    a, b, c = ((folder / f"{name}.csv").read_text() for name in "abc")
    assert a == b != c


def test_curves_are_drawn(folder):
    (folder / "curves.csv").write_text("jawOpen,yaw\n" + "".join(f"{i / 10},{i}\n" for i in range(8)))
    made = look(generate(folder, "curves.mp4", "--motion", str(folder / "curves.csv")))
    assert made["frames"] == 8


def test_list_keeps_going_resumes_and_names_what_failed(folder, capsys):
    jobs = [
        {"portrait": str(folder / "face.png"), "seconds": 0.2, "output": str(folder / "job1.mp4")},
        {"portrait": str(folder / "none.png"), "output": str(folder / "job2.mp4")},
    ]
    (folder / "jobs.jsonl").write_text("\n".join(map(json.dumps, jobs)))
    words = ["generate", "--list", str(folder / "jobs.jsonl"), "--max_side", "240", "-q"]
    assert cli.main(words) == 1
    captured = capsys.readouterr()
    assert "1 of 2 jobs done" in captured.out and "failed: job 2 of 2" in captured.err
    assert (folder / "job1.mp4").exists() and not (folder / "job2.mp4").exists()
    assert cli.main(words) == 1
    assert "is there already, kept" in capsys.readouterr().out


def test_every_video_says_that_it_is_synthetic(folder, capsys):
    path = generate(folder, "marked.mp4", "--seconds", "0.2")
    capsys.readouterr()
    assert cli.main(["verify", str(path)]) == 0
    assert "InstructAvatar" in capsys.readouterr().out


BLOCKED = """
import sys

for name in ("torch", "lightning", "lmdb", "onnx", "transformers", "scipy", "PIL", "soundfile"):
    sys.modules[name] = None
connections = []
watched = ("socket.connect", "socket.getaddrinfo", "socket.sendto")
sys.addaudithook(lambda event, args: connections.append(event) if event in watched else None)
from instructavatar import cli

code = cli.main(sys.argv[1:])
assert not connections, connections
sys.exit(code)
"""


def test_works_without_torch_and_opens_no_connection(folder):
    words = ["generate", str(folder / "face.png"), "-a", str(folder / "voice.wav"), "-i", "smile", "-o", str(folder / "alone.mp4"), "-q"]
    done = subprocess.run([sys.executable, "-c", BLOCKED, *words, "--max_side", "240"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert look(folder / "alone.mp4")["frames"] == 31


def bad_inputs(folder: Path) -> dict[str, tuple[list[str], int, str]]:
    """name -> (words after generate, exit code, part of the message)."""
    face, voice = str(folder / "face.png"), str(folder / "voice.wav")
    codec = folder / "codec.yaml"
    codec.write_text("target: fractions.Fraction\n")
    (folder / "empty.wav").write_bytes(b"")
    (folder / "noise.bin").write_bytes(np.random.default_rng(0).bytes(3000))
    (folder / "cut.png").write_bytes((folder / "face.png").read_bytes()[:200])
    cv2.imwrite(str(folder / "wall.png"), np.full((200, 200, 3), 120, np.uint8))
    picture = cv2.imread(face)
    cv2.imwrite(str(folder / "two.png"), np.hstack([picture, picture]))
    small = np.full((900, 900, 3), 128, np.uint8)
    small[:110, :110] = cv2.resize(picture, (110, 110), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(folder / "tiny.png"), small)
    return {
        "no portrait": ([], 2, "expected a portrait"),
        "missing portrait": ([str(folder / "none.png")], 3, "none.png"),
        "missing audio": ([face, "-a", str(folder / "none.wav")], 3, "none.wav"),
        "empty audio": ([face, "-a", str(folder / "empty.wav")], 4, "empty.wav"),
        "noise as audio": ([face, "-a", str(folder / "noise.bin")], 4, "noise.bin"),
        "noise as portrait": ([str(folder / "noise.bin")], 4, "noise.bin"),
        "cut portrait": ([str(folder / "cut.png")], 4, "cut.png"),
        "no face": ([str(folder / "wall.png")], 5, "face"),
        "two faces": ([str(folder / "two.png")], 5, "--face"),
        "face too small": ([str(folder / "tiny.png")], 5, "face"),
        "face number out of range": ([face, "--face", "3"], 2, "--face"),
        "face is not a number": ([face, "--face", "left"], 2, "--face"),
        "inverted segment": ([face, "-i", "2-1s: smile"], 6, "segment 1"),
        "overlapping segments": ([face, "-i", "0-2s: smile | 1-3s: nod"], 6, "nod"),
        "no seconds": ([face, "--seconds", "0"], 2, "--seconds"),
        "endless seconds": ([face, "--seconds", "inf"], 2, "--seconds"),
        "strange intensity": ([face, "--intensity", "-1"], 2, "--intensity"),
        "unknown option": ([face, "--speed", "3"], 2, "--speed"),
        "missing bundle": ([face, "--model", str(folder / "nowhere")], 3, "nowhere"),
        "missing codec": ([face, "--codec", str(folder / "none.yaml")], 3, "none.yaml"),
        "missing curves": ([face, "--motion", str(folder / "none.csv")], 3, "none.csv"),
        "output is an input": ([face, "-o", face], 7, "one of them"),
        "motion over the audio": ([face, "-a", voice, "--save_motion", voice], 7, "one of them"),
        "motion and instruction": ([face, "--motion", voice, "-i", "smile"], 2, "--instruction"),
        "two portraits": ([face, "-s", face], 2, "two"),
        "codec that is none": ([face, "--codec", str(codec)], 2, "codec"),
        "new folder stays unmade": ([str(folder / "wall.png"), "-o", str(folder / "new" / "out.mp4")], 5, "face"),
        "ending that is no video": ([face, "-o", str(folder / "out.avi")], 2, ".webm"),
        "one picture": ([face, "-o", str(folder / "out.png")], 2, "out_%05d.png"),
        "too much head motion": ([face, "--head-motion", "2"], 2, "expected a number from 0 to 1, got '2'"),
        "blinks in percent": ([face, "--blink", "50"], 2, "--blink"),
        "still but moving": ([face, "--still", "--head-motion", "0.5"], 2, "--still"),
        "preview that is no png": ([face, "--preview", str(folder / "look.jpg")], 2, "--preview look.png"),
        "preview of no face": ([str(folder / "wall.png"), "--preview", str(folder / "look.png")], 5, "face"),
        "two faces beside a preview": (
            [str(folder / "two.png"), "--preview", str(folder / "look.png"), "-o", str(folder / "two.mp4")],
            5,
            "--face",
        ),
        "preview without its sound": ([face, "-a", str(folder / "none.wav"), "--preview", str(folder / "look.png")], 3, "none.wav"),
        "preview over the portrait": ([face, "--preview", face], 7, "one of them"),
        "file as folder": ([face, "-a", voice, "-o", str(folder / "voice.wav" / "out.mp4")], 7, "voice.wav"),
    }


NAMES = [
    "no portrait",
    "missing portrait",
    "missing audio",
    "empty audio",
    "noise as audio",
    "noise as portrait",
    "cut portrait",
    "no face",
    "two faces",
    "face too small",
    "face number out of range",
    "face is not a number",
    "inverted segment",
    "overlapping segments",
    "no seconds",
    "endless seconds",
    "strange intensity",
    "unknown option",
    "missing bundle",
    "missing codec",
    "missing curves",
    "output is an input",
    "motion over the audio",
    "motion and instruction",
    "two portraits",
    "codec that is none",
    "new folder stays unmade",
    "ending that is no video",
    "one picture",
    "too much head motion",
    "blinks in percent",
    "still but moving",
    "preview that is no png",
    "preview of no face",
    "two faces beside a preview",
    "preview without its sound",
    "preview over the portrait",
    "file as folder",
]


@pytest.mark.parametrize("name", NAMES)
def test_refused_with_one_line_and_no_output(folder, name, capsys):
    words, code, part = bad_inputs(folder)[name]
    before = {path for path in folder.rglob("*")}
    if "-o" not in words:
        words = [*words, "-o", str(folder / "refused.mp4")]
    assert cli.main(["generate", *words, "-q"]) == code
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1 and part in error, error
    assert {path for path in folder.rglob("*")} == before


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ('{"portrait": "a.png", "seconds": "long"}', "seconds"),
        ('{"portrait": "a.png", "seed": 1.5}', "seed"),
        ('{"portrait": "a.png", "instruction": 5}', "instruction"),
        ('{"portrait": "a.png", "face": "left"}', "--face"),
        ('{"portrait": "a.png", "mood": "happy"}', "keys among"),
        ('{"portrait": "a.png", "head_motion": 3}', "head_motion"),
        ('{"portrait": "a.png", "blink": "some"}', "blink"),
        ('{"portrait": "a.png", "still": "perhaps"}', "still"),
        ("smile", "not JSON"),
        ("", "no jobs"),
    ],
)
def test_a_list_is_checked_before_anything_is_made(folder, line, part, capsys):
    (folder / "bad.jsonl").write_text(line + "\n")
    assert cli.main(["generate", "--list", str(folder / "bad.jsonl"), "-q"]) == 2
    assert part in capsys.readouterr().err


def test_timed_segments_set_the_length(folder):
    assert look(generate(folder, "timed.mp4", "-i", "0-0.4s: smile | 0.4-0.8s: nod"))["frames"] == 20


def test_an_interruption_leaves_nothing(folder, monkeypatch, capsys):
    from instructavatar.codecs.warp import WarpCodec

    def interrupted(self, appearance, motion):
        yield appearance.portrait
        raise KeyboardInterrupt

    monkeypatch.setattr(WarpCodec, "decode", interrupted)
    before = set(folder.rglob("*"))
    words = ["generate", str(folder / "face.png"), "--seconds", "1", "-o", str(folder / "broken.mp4"), "--max_side", "240", "-q"]
    assert cli.main(words) == 130
    assert set(folder.rglob("*")) == before and "interrupted" in capsys.readouterr().err


def test_a_full_disk_is_one_line(folder, monkeypatch, capsys):
    def full(*_, **__):
        raise OSError(28, "No space left on device", "out.mp4")

    monkeypatch.setattr("instructavatar.avatar.write_output", full)
    words = ["generate", str(folder / "face.png"), "--seconds", "0.2", "-o", str(folder / "full.mp4"), "--max_side", "240", "-q"]
    assert cli.main(words) == 7
    assert capsys.readouterr().err.count("\n") == 1


def test_the_refusals_are_all_tested(folder):
    assert sorted(bad_inputs(folder)) == sorted(NAMES)
