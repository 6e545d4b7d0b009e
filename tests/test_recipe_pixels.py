"""The recipe with pixels in miniature, by the commands of `make recipe`: films -> store -> codec -> latents -> generator -> video."""

import gc
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from instructavatar import cli
from instructavatar.avatar import Avatar
from instructavatar.codecs.warp import WarpCodec
from instructavatar.data.store import FeatureStore
from instructavatar.errors import BadBundle, BadOption, MissingFile
from instructavatar.face.motion import FaceMotion
from instructavatar.features.landmarks import FaceLandmarker
from instructavatar.media.video import read_video
from instructavatar.prepare.filming import film, sitter

ROOT = Path(__file__).parents[1]
FACE = ROOT / "tests" / "assets" / "portraits" / "head_3.png"
FRAMES = 26
SMALL_CODEC = ",".join(
    [
        *(f"model.params.vae_config.params.{name}={value}" for name, value in (("size", 32), ("channels", 16), ("norm_groups", 4))),
        "model.params.vae_config.params.fused_channels=8",
        "model.params.vae_config.params.lift_channels=8",
        "data.params.size=32",
        "data.params.drawing_config.params.size=64",
        "data.params.batch_size=2",
        "data.params.validation_batches=1",
        "lightning.budget_minutes=null",
    ]
)
SMALL_GENERATOR = "model.params.motion_dim=16,lightning.budget_minutes=null,data.params.frames_per_batch=64"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Everything, step by step."""
    place = tmp_path_factory.mktemp("recipe")
    codec, landmarker, rows = WarpCodec.load(), FaceLandmarker.load(), []
    (place / "films").mkdir()
    for number, name in enumerate(("head_1", "head_2")):
        who = sitter(ROOT / "tests" / "assets" / "portraits" / f"{name}.png", codec, landmarker, 192)
        motion = FaceMotion.of(FRAMES, {"jawOpen": np.linspace(0, 0.6, FRAMES), "yaw": np.linspace(0, 12.0 * (1 - 2 * number), FRAMES)})
        film(place / "films" / f"{name}.mp4", who, motion, None, codec)
        side = "left" if not number else "right"
        rows.append({"path": f"{name}.mp4", "instruction": [f"turn {side}"], "silent": "yes", "split": "train" if not number else "valid"})
    (place / "films" / "clips.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def run(*words):
        assert cli.main([str(word) for word in words]) == 0, words
        gc.collect()  # a store opens once in a process, and the trainer lets go of it late

    store, frames = place / "store", "measure.params.frames=true,measure.params.size=64"
    prepare = ["prepare", "--base", ROOT / "configs/corpora/folder.yaml", "--root", place / "films", "--output", store, "--extra", frames]
    ends = ["--trainer.max_steps", "2", "--trainer.enable_progress_bar", "false", "--seed", "1"]
    run(*prepare, "--workers", "1")
    vae = ROOT / "configs/codec/two_encoder_vae_tiny.yaml"
    run("train", "--base", vae, "--logdir", place / "vae", "--extra", f"data.params.store={store},{SMALL_CODEC}", *ends)
    run("export", place / "vae", "--output", place / "codec")
    run("prepare", "--output", store, "--only", "latents", "--codec", place / "codec", "--workers", "1")
    run(*prepare, "--workers", "1")  # again, as a run that was stopped later would
    motion = ROOT / "configs/motion/latents_tiny.yaml"
    run("train", "--base", motion, "--logdir", place / "motion", "--extra", f"data.params.store={store},{SMALL_GENERATOR}", *ends)
    run("export", place / "motion", "--output", place / "bundle", "--codec", place / "codec")
    return place


def test_the_store_holds_the_codecs_latents(made):
    store = FeatureStore.open(made / "store")
    record = store["head_1"]
    assert record["motion_latent"].shape == (FRAMES, 16) and record["face_motion"].shape == (FRAMES, 58)
    assert len(record["appear_latent"]) == 4 * 8 * 8 and store.header.extractors["latents"].startswith("OnnxVaeCodec-")


def test_the_bundle_makes_a_video_through_its_codec(made, tmp_path, capsys):
    video = tmp_path / "out.mp4"
    words = [
        "generate",
        str(FACE),
        "--instruction",
        "turn left",
        "--seconds",
        "0.4",
        "--model",
        str(made / "bundle"),
        "--output",
        str(video),
    ]
    assert cli.main(words) == 0, capsys.readouterr().err
    frames = list(read_video(video).frames)
    assert len(frames) == 10 and frames[0].shape == (512, 512, 3)
    assert cli.main([*words, "--save_motion", str(tmp_path / "a.csv"), "--output", str(tmp_path / "b.mp4")]) != 0
    assert "latents" in capsys.readouterr().err and not (tmp_path / "a.csv").exists()


def test_a_face_of_a_video_drives_the_codec(made):
    avatar = Avatar.load(made / "bundle")
    clip = avatar.reenact(FACE, made / "films" / "head_1.mp4")
    assert clip.motion.values.shape == (FRAMES, 16) and clip.seconds == FRAMES / 25
    assert next(iter(clip.frames)).shape == (512, 512, 3)
    with pytest.raises(BadOption, match="expected a video to follow"):
        avatar.reenact(FACE, FaceMotion.of(3, {}))


def test_a_codec_that_is_not_the_generators_is_refused(made, tmp_path):
    alone = tmp_path / "alone"
    shutil.copytree(made / "bundle", alone, ignore=shutil.ignore_patterns("codec"))
    with pytest.raises(MissingFile, match="name its bundle with --codec"):
        Avatar.load(alone)
    with pytest.raises(BadBundle, match="expected the codec that"):
        Avatar.load(alone, codec=ROOT / "configs/codec/warp.yaml")
    curves = Avatar.load(codec=made / "codec")  # to follow videos; the shipped generator moves in curves
    with pytest.raises(BadBundle, match="expected a codec of 58 numbers a frame"):
        curves.animate(FACE, instruction="smile", seconds=0.2)


def test_another_codec_is_not_put_beside_a_generator(made, capsys):
    words = ["export", str(made / "motion"), "--output", str(made / "other"), "--codec", str(ROOT / "configs/codec/identity.yaml")]
    assert cli.main(words) != 0
    assert "expected the codec that" in capsys.readouterr().err and not (made / "other" / "codec").exists()
