"""Motion of any width: a network that trains on latents of 40 numbers makes 40 numbers in `motion.generator`."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch
from toy_generator import SPEECH, TEXT, diffusion, toy_batch

from instructavatar.models.export import export_denoiser
from instructavatar.motion.bundle import BundleConfig
from instructavatar.motion.generator import Generator

DIM = 40


def generator(model, path, **changes) -> Generator:
    session = onnxruntime.InferenceSession(str(export_denoiser(model.denoiser, path)), providers=["CPUExecutionProvider"])
    settings = {"motion_dim": DIM, "speech_width": SPEECH, "text_width": TEXT, "window_frames": 20, "overlap_frames": 5}
    settings |= {"steps": 4, "method": "dpm", "schedule": "cosine", "text_guidance": 1.0, "late_text_guidance": 1.0, "speech_guidance": 1.0}
    settings |= {"mean": model.mean.numpy(), "std": model.std.numpy(), "inputs": model.denoiser.extra_inputs}
    return Generator(lambda feed: session.run(None, feed)[0], BundleConfig(name="toy", **(settings | changes)))


@pytest.mark.parametrize("paper", [False, True])
def test_latents_train_and_generate(paper, tmp_path):
    model = diffusion(paper, dim=DIM)
    batch = toy_batch(dim=DIM)
    batch.motion = batch.motion * 5 + 100  # far from FaceMotion's 0 to 1
    model.set_statistics([100.0] * DIM, [5.0] * DIM)
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3)
    motion = []
    for step in range(30):
        optimizer.zero_grad()
        terms = model.losses(batch, torch.Generator().manual_seed(step))
        terms["loss"].backward()
        optimizer.step()
        motion.append(float(terms["motion"].detach()))
    assert np.mean(motion[-5:]) < 0.8 * np.mean(motion[:5])
    method = {"method": "euler", "schedule": "linear", "steps": 20} if paper else {}
    made = generator(model, tmp_path / "net.onnx", **method)
    rest = np.linspace(95, 105, DIM).astype(np.float32)
    values = made.values(33, speech=np.ones((66, SPEECH), np.float32), rest=rest)
    assert values.shape == (33, DIM) and np.isfinite(values).all() and 80 < values.mean() < 120
    np.testing.assert_allclose(values[0], rest, atol=1e-3)


def test_key_and_pose_matter_to_the_bundle(tmp_path):
    model = diffusion(True, dim=DIM)
    for parameter in model.denoiser.parameters():
        if not parameter.abs().sum():
            torch.nn.init.normal_(parameter, std=0.1)
    made = generator(model, tmp_path / "net.onnx")
    rest, pose = np.ones(DIM, np.float32), np.full((15, 3), 20, np.float32)
    plain = made.values(15)
    assert np.abs(made.values(15, pose=pose) - plain).max() > 1e-3
    assert np.abs(made.values(15, rest=rest)[1:] - plain[1:]).max() > 1e-3
