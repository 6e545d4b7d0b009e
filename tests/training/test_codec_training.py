"""Training of the two-encoder VAE: it learns a toy, resumes exactly, shows what it makes, and ends in a bundle that a codec reads."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from instructavatar import config
from instructavatar.codecs.onnx_vae import OnnxVaeCodec
from instructavatar.data.frames import pair_of, unit
from instructavatar.data.header import Header
from instructavatar.data.record import complete
from instructavatar.data.store import FeatureStore
from instructavatar.data.writer import StoreWriter
from instructavatar.errors import BadBundle, MissingFile
from instructavatar.face.landmarks import Landmarks
from instructavatar.models.vae import TwoEncoderVae
from instructavatar.training.callbacks import read_journal
from instructavatar.training.codec_bundle import export_codec
from instructavatar.training.codec_training import CodecTraining
from instructavatar.training.fit import fit, load_run, read_checkpoint

CONFIGS = Path(__file__).parents[2] / "configs" / "codec"
SIZE = 32
SMALL = {"size": SIZE, "channels": 16, "norm_groups": 4, "fused_channels": 8, "lift_channels": 8}


def toy_face(colour: tuple[int, int, int], x: float, y: float, side: int = SIZE) -> tuple[np.ndarray, np.ndarray]:
    """A ball of a colour on grey, and 478 points on its rim."""
    picture = np.full((side, side, 3), 90, np.uint8)
    cv2.circle(picture, (round(x), round(y)), side // 5, colour, -1)
    angle = np.linspace(0, 2 * np.pi, 478)
    rim = np.stack([x + side / 5 * np.cos(angle), y + side / 5 * np.sin(angle), 0 * angle], -1)
    return picture, rim.astype(np.float16)


def toy_clip(colour: tuple[int, int, int], frames: int, rng: np.random.Generator, side: int = SIZE) -> dict:
    """A ball that jumps about."""
    made = [toy_face(colour, *rng.uniform(0.3 * side, 0.7 * side, 2), side) for _ in range(frames)]
    jpegs = [cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 98])[1].tobytes() for picture, _ in made]
    offsets = np.concatenate([[0], np.cumsum([len(data) for data in jpegs])]).astype(np.int64)
    given = {
        "motion_latent": np.zeros((frames, 58), np.float32),
        "latent_length": frames,
        "pose": np.zeros((frames, 3), np.float32),
        "filename": "toy.mp4",
        "ldmk": np.stack([points for _, points in made]),
        "face_frames": np.frombuffer(b"".join(jpegs), np.uint8),
        "face_offsets": offsets,
    }
    return complete(given)


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    rng, path = np.random.default_rng(0), tmp_path_factory.mktemp("toy") / "store"
    with StoreWriter(path, Header.started("toy", {"landmarks": "toy"})) as writer:
        for name, colour in (("red", (220, 40, 40)), ("blue", (40, 40, 220)), ("green", (30, 200, 60))):
            writer.add(name, toy_clip(colour, 8, rng))
        writer.finish({"train": ["red", "blue"], "valid": ["green"]})
    return path


def tiny(store: object, steps: int = 4, **more: object):
    """The shipped miniature, smaller still."""
    settings = config.load(CONFIGS / "two_encoder_vae_tiny.yaml", [f"data.params.store={store}"])
    settings.model.params.vae_config.params.update(SMALL)
    settings.data.params.drawing_config.params.size = 2 * SIZE
    settings.data.params.update({"size": SIZE, "ahead": 0, "validation_batches": 1})
    settings.lightning.update({"budget_minutes": None, "journal_steps": 1, "threads": 1})  # the same sums on every machine
    settings.lightning.trainer.update({"max_steps": steps, "val_check_interval": 2, "enable_progress_bar": False, "precision": "32-true"})
    for key, value in more.items():
        settings.model.params[key] = value
    return settings


CRITIC = {
    "target": "instructavatar.models.vae_losses.Adversary",
    "params": {"weight": 0.5, "start_step": 2, "largest": 1.0e4, "layers": 2, "width": 8},
}


def weights(run: Path) -> torch.Tensor:
    return torch.cat([value.flatten().double() for value in read_checkpoint(run / "checkpoints/last.ckpt")["state_dict"].values()])


@pytest.fixture(scope="module")
def trained(store, tmp_path_factory) -> Path:
    settings = tiny(store, 90)
    settings.lightning.trainer.val_check_interval = 45
    settings.lightning.journal_steps = 10
    settings.model.base_learning_rate = 4.0e-3
    settings.model.params.learning_config.params.update({"warmup_steps": 5, "ema": 0.9})
    settings.data.params.clips = 1
    return fit(settings, tmp_path_factory.mktemp("run"))


def test_it_learns_a_clip_and_notes_it(trained):
    rows = read_journal(trained / "metrics.jsonl")
    losses = [row for row in rows if "loss" in row]
    assert losses[-1]["l1"] < 0.4 * losses[0]["l1"] and losses[-1]["face"] < 0.5 * losses[0]["face"]
    assert {"l1", "face", "edges", "kl_appearance", "kl_motion"} <= set(losses[0])
    assert [row["step"] for row in rows if "valid" in row] == [45, 90]
    assert (trained / "losses.png").is_file()


def test_the_sheet_shows_looks_landmarks_target_and_output(trained):
    sheets = sorted((trained / "panels").glob("*.png"))
    assert [path.name for path in sheets] == ["0000045.png"], "the next one is due 500 steps later"
    sheet = cv2.imread(str(sheets[0]))[..., ::-1]
    assert sheet.shape == (4 * SIZE, 4 * SIZE, 3)
    looks, drawn, target = (sheet[:, i * SIZE : (i + 1) * SIZE] for i in range(3))
    assert drawn.min() == 0 and drawn.max() > 100 and np.ptp(drawn.astype(int), axis=-1).max() == 0
    # the ball of the validation clip is green in both, so channels are not swapped, and elsewhere
    for part in (looks, target):
        assert part[..., 1].max() > 180 > 120 > part[..., 2].max()
    assert np.abs(looks.astype(int) - target).max() > 80


def test_output_follows_the_landmarks_not_the_looks(trained, store):
    module, settings, _ = load_run(trained)
    data = config.build(settings.data, store=str(store))
    record = data.source["red"]
    errors, copied = [], []
    for target in range(8):
        pair = pair_of("red", record, target, (target + 3) % 8, data.drawing, SIZE)
        with torch.no_grad():
            made = module.encode(pair)[0].output
        errors.append(float((made - unit(pair.target)).abs().mean()))
        copied.append(float((unit(pair.appearance) - unit(pair.target)).abs().mean()))
    assert np.mean(errors) < 0.6 * np.mean(copied)


@pytest.mark.parametrize("critic", [None, CRITIC], ids=["alone", "with a critic"])
def test_a_resumed_run_equals_the_uninterrupted_one(store, tmp_path, critic):
    more = {"adversary_config": critic}
    whole = fit(tiny(store, 5, **more), tmp_path / "whole")
    _stop_after(3, tiny(store, 5, **more), tmp_path / "parts")
    assert read_checkpoint(tmp_path / "parts/checkpoints/last.ckpt")["global_step"] == 3
    parts = fit(tiny(store, 5, **more), tmp_path / "parts")
    assert torch.equal(weights(whole), weights(parts))
    one, two = (read_checkpoint(run / "checkpoints/last.ckpt") for run in (whole, parts))
    assert one["global_step"] == two["global_step"] == 5, "the critic's steps do not count"
    assert one["average"]["updates"] == two["average"]["updates"] == 5
    assert all(torch.equal(a, b) for a, b in zip(one["average"]["values"], two["average"]["values"], strict=True))
    assert len(one["optimizer_states"]) == (1 if critic is None else 2)


def _stop_after(steps: int, settings, run: Path) -> None:
    """Ask the run to stop while its step number `steps` is at work."""
    original = CodecTraining.training_step

    def step(self, batch, number=0):
        if self.global_step == steps - 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return original(self, batch, number)

    CodecTraining.training_step = step  # type: ignore[method-assign]
    try:
        with pytest.raises(KeyboardInterrupt):
            fit(settings, run)
    finally:
        CodecTraining.training_step = original  # type: ignore[method-assign]


def test_the_critic_waits_for_its_step_and_then_learns(store, tmp_path):
    run = fit(tiny(store, 4, adversary_config=CRITIC), tmp_path / "run")
    rows = [row for row in read_journal(run / "metrics.jsonl") if "loss" in row]
    assert [("critic" in row) for row in rows] == [False, False, True, True]
    assert rows[-1]["balance"] > 0
    before, _ = tiny(store, adversary_config=CRITIC), torch.manual_seed(0)
    fresh = {name: value for name, value in config.build(before.model.params.adversary_config).state_dict().items() if "weight" in name}
    state = read_checkpoint(run / "checkpoints/last.ckpt")["state_dict"]
    assert any(not torch.equal(state[f"adversary.{name}"], value) for name, value in fresh.items())
    critic = read_checkpoint(run / "checkpoints/last.ckpt")["optimizer_states"][1]["state"]
    assert {int(entry["step"]) for entry in critic.values()} == {2}


def test_half_precision_and_recomputed_blocks_train_too(store, tmp_path):
    settings = tiny(store, 3, adversary_config=CRITIC)
    settings.lightning.trainer.precision = "bf16-mixed"
    settings.model.params.vae_config.params.checkpointing = True
    run = fit(settings, tmp_path / "run")
    assert all(np.isfinite(row["loss"]) for row in read_journal(run / "metrics.jsonl") if "loss" in row)


def test_a_loss_that_is_not_finite_names_the_pairs(store, tmp_path, monkeypatch):
    monkeypatch.setattr(TwoEncoderVae, "decode", lambda self, appearance, motion: torch.full((4, 3, SIZE, SIZE), float("nan")))
    with pytest.raises(BadBundle, match=r"loss of step 0 is not finite.*(red|blue)\[\d<-\d\]"):
        fit(tiny(store), tmp_path / "run")


def test_first_weights_are_told_and_not_read_again(store, tmp_path):
    donor = TwoEncoderVae(
        **{**SMALL, "multipliers": (1, 2), "blocks": 1, "patch": 2, "drawn_scale": 2, "appearance_channels": 4, "motion_channels": 4}
    )
    torch.save({name: value for name, value in donor.state_dict().items() if name.startswith(("encoder", "decoder"))}, tmp_path / "sd.bin")
    more = {"first_weights": str(tmp_path / "sd.bin")}
    settings = tiny(store, 1, **more)
    settings.model.base_learning_rate = 1e-12
    run = fit(settings, tmp_path / "run")
    assert "copied to the motion encoder" in (run / "first_weights.txt").read_text()
    state = read_checkpoint(run / "checkpoints/last.ckpt")["state_dict"]
    expected = donor.state_dict()["encoder.conv_in.weight"]
    torch.testing.assert_close(state["vae.encoder.conv_in.weight"], expected)
    twin = donor.state_dict()["encoder.conv_out.weight"]
    torch.testing.assert_close(state["vae.motion_encoder.conv_out.weight"], twin)
    # the drawing is larger than the picture, so the first layers differ
    assert state["vae.motion_encoder.conv_in.weight"].shape[1] == 4 * expected.shape[1]
    (tmp_path / "sd.bin").unlink()
    settings.lightning.trainer.max_steps = 2
    fit(settings, run)  # goes on from its own weights
    with pytest.raises(MissingFile, match="sd.bin"):
        fit(tiny(store, 1, **more), tmp_path / "another")


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("two_encoder_vae*.yaml")), ids=lambda p: p.stem)
def test_every_config_takes_two_steps_in_miniature(path, store, tmp_path):
    """As it is written, but for the sizes and the weights that do not ship."""
    settings = config.load(path, [f"data.params.store={store}"])
    if "perceptual" in settings.model.params.terms:
        settings = config.override(settings, ["model.params.terms.perceptual=null"])
    vae = settings.model.params.vae_config.params
    vae.update({"size": SIZE, "channels": 8, "norm_groups": 4, "blocks": 1})
    settings.data.params.size, settings.data.params.drawing_config.params.size = SIZE, SIZE * vae.drawn_scale
    settings.lightning.update({"budget_minutes": None, "journal_steps": 1})
    settings.lightning.trainer.update({"max_steps": 2, "accelerator": "cpu", "enable_progress_bar": False})
    rows = [row for row in read_journal(fit(settings, tmp_path / "run") / "metrics.jsonl") if "loss" in row]
    assert [row["step"] for row in rows] == [1, 2] and all(np.isfinite(row["loss"]) for row in rows)
    pictures = settings.data.params.batch_size if settings.model.params.scale_rate else 1
    assert rows[-1]["rate"] <= settings.model.base_learning_rate * pictures
    assert ("critic" in rows[-1]) == (settings.model.params.adversary_config is not None)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "side"), [("two_encoder_vae_tiny", None), ("two_encoder_vae_stock", None), ("two_encoder_vae", 64)])
def test_every_size_takes_two_steps(name, side, store, tmp_path):
    """As written, on single pairs. The published size has all its 756 M parameters but sees small pictures (15 GB, minutes)."""
    settings = config.load(CONFIGS / f"{name}.yaml", [f"data.params.store={store}"])
    if side is not None:
        for params in (settings.data.params, settings.data.params.drawing_config.params, settings.model.params.vae_config.params):
            params.size = side
    if "perceptual" in settings.model.params.terms:
        settings = config.override(settings, ["model.params.terms.perceptual=null"])
    settings.data.params.update({"batch_size": 1, "validation_batches": 1})
    settings.lightning.update({"budget_minutes": None, "journal_steps": 1})
    settings.lightning.trainer.update({"max_steps": 2, "accelerator": "cpu", "enable_progress_bar": False, "precision": "auto"})
    rows = [row for row in read_journal(fit(settings, tmp_path / "run") / "metrics.jsonl") if "loss" in row]
    assert [row["step"] for row in rows] == [1, 2] and all(np.isfinite(row["loss"]) for row in rows)


@pytest.fixture(scope="module")
def bundle(trained, tmp_path_factory) -> Path:
    return export_codec(trained, tmp_path_factory.mktemp("bundle") / "codec", name="balls")


def test_the_bundle_says_what_it_is_and_holds_no_paths(bundle, store):
    settings = config.load(bundle / "config.yaml")
    assert {path.name for path in bundle.iterdir()} == {"appearance_encoder.onnx", "motion_encoder.onnx", "decoder.onnx", "config.yaml"}
    assert settings.codec.params.folder == "." and settings.name == "balls"
    assert settings.trained.corpus_hash == "toy" and settings.trained.steps == 90
    assert settings.vae.motion_dim == 4 * 2 * 2
    assert set(settings.files) == {"appearance_encoder.onnx", "motion_encoder.onnx", "decoder.onnx"}
    text = (bundle / "config.yaml").read_text()
    assert str(store) not in text and str(bundle) not in text


def test_the_bundle_gives_what_the_run_gives(bundle, trained, store):
    module, settings, _ = load_run(trained)
    codec = OnnxVaeCodec(bundle)
    record = FeatureStore.open(store)["red"]
    pair = pair_of("red", record, 2, 5, codec.drawing, SIZE)
    with torch.no_grad():
        looks, motion = module.vae.encode_appearance(unit(pair.appearance)).mean, module.vae.encode_motion(unit(pair.drawn)).mean
        output = module.vae.decode(looks, motion)
    picture = pair.appearance[0].permute(1, 2, 0).numpy()
    latent = codec.latent_of(picture)
    rows = codec.motion_of(record["ldmk"][2:3].astype(np.float32))
    np.testing.assert_allclose(latent, looks[0].numpy(), atol=1e-3)
    np.testing.assert_allclose(rows[0], motion.flatten().numpy(), atol=1e-3)
    made = next(codec.pictures(latent, rows))
    expected = ((output[0].clamp(-1, 1) + 1) * 127.5).permute(1, 2, 0).numpy()
    np.testing.assert_allclose(made, expected, atol=0.6)


def test_the_bundle_moves_a_portrait(bundle, store):
    """A red ball in a large picture goes where the landmarks of another frame say."""
    codec = OnnxVaeCodec(bundle)
    portrait, points = toy_face((220, 40, 40), 70, 64, 160)
    appearance = codec.encode_appearance(portrait, Landmarks(points, np.zeros(52)), np.zeros(58, np.float32))
    frames = list(codec.decode(appearance, np.stack([appearance.motion, appearance.motion])))
    assert [frame.shape for frame in frames] == [(160, 160, 3)] * 2
    np.testing.assert_array_equal(*frames)
    np.testing.assert_array_equal(frames[0][:5], portrait[:5])
    assert frames[0][64, 70, 0] > frames[0][64, 70, 2] + 60


def test_a_run_of_a_generator_is_no_codec(trained, tmp_path, monkeypatch):
    monkeypatch.setattr("instructavatar.training.codec_bundle.load_run", lambda run: (object(), None, {}))
    with pytest.raises(BadBundle, match="expected a run of a codec"):
        export_codec(trained, tmp_path / "b")
    assert not (tmp_path / "b").exists()
