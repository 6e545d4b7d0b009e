"""A generator whose motion is a codec's latents: any width, nothing of FaceMotion's columns assumed. Needs no torch."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from toy_bundle import WIDTH, Recorder, bundle_config

from instructavatar.errors import BadBundle, BadOption
from instructavatar.motion.generator import Generator, Wishes

DIM = 40  # fewer than FaceMotion has actions
MEAN, STD = -3.0, 0.5


def latent_config(tmp_path, **more):
    generator = {"motion_dim": DIM, "speech_width": WIDTH, "text_width": WIDTH, **more}
    trained = {"extractors": {"latents": "OnnxVaeCodec-abc"}}
    return bundle_config(tmp_path, generator=generator, motion={"mean": [MEAN] * DIM, "std": [STD] * DIM}, trained=trained)


@pytest.fixture
def latents(tmp_path) -> Generator:
    return Generator(Recorder(), latent_config(tmp_path))


def test_latents_start_at_the_portraits_own_and_are_not_clipped(latents):
    rest = np.linspace(-9, 9, DIM).astype(np.float32)
    made = latents.values(30, rest=rest)
    assert made.shape == (30, DIM) and made.dtype == np.float32
    np.testing.assert_allclose(made[0], rest, atol=1e-5)
    assert made[1:].max() < 0  # mean -3: FaceMotion's actions would have been clipped to 0
    feed = latents.network.feeds[0]
    np.testing.assert_allclose(feed["known"][0, 0], (rest - MEAN) / STD, rtol=1e-5)


def test_without_the_portraits_own_nothing_is_given(latents):
    latents.values(12)
    assert not latents.network.feeds[0]["known_mask"].any()


def test_windows_of_latents_join_in_every_column(latents):
    """All columns follow a curve that the network shifts by 2 from its second window on."""
    curve = np.sin(np.arange(200) / 10)[:, None].repeat(WIDTH, 1).astype(np.float32)
    inner, shift = latents.network, 2.0

    def shifted(feed):
        out = inner(feed)
        return out + shift * (feed["known_mask"][:, 4:5, :1] == 1) * (1 - feed["known_mask"])

    made = Generator(shifted, latents.config).values(34, speech=curve, speech_guidance=1.0)
    steps = np.abs(np.diff(made, axis=0))[1:]
    assert steps.max() < 0.6 * shift * STD
    assert np.ptp(made[-1] - made[-1].mean()) < 0.2  # no column was left out


def test_facts_of_the_bundle(latents, tmp_path):
    assert (latents.motion_dim, latents.codec, latents.config.inputs) == (DIM, "OnnxVaeCodec-abc", ())
    face = Generator(Recorder(), bundle_config(tmp_path, trained={"extractors": {"latents": "x"}}))
    assert (face.motion_dim, face.codec) == (58, "")


def test_what_latents_cannot_do_is_refused(latents):
    with pytest.raises(BadBundle, match="latents of 40; decode them with their codec \\(OnnxVaeCodec-abc\\)"):
        latents.generate(10)
    with pytest.raises(BadOption, match=r"as 40 numbers, got \[58\]"):
        latents.values(10, rest=np.zeros(58, np.float32))
    with pytest.raises(BadOption, match="takes no head pose"):
        latents.values(10, pose=np.zeros((10, 3), np.float32))


def test_key_and_pose_reach_a_network_that_has_them(tmp_path):
    generator = Generator(Recorder(), latent_config(tmp_path, inputs=["key", "pose", "pose_mask"]))
    rest, pose = np.full(DIM, MEAN + 2 * STD, np.float32), np.arange(90, dtype=np.float32).reshape(30, 3)
    generator.values(30, rest=rest, pose=pose)
    first, last = generator.network.feeds[0], generator.network.feeds[-1]
    np.testing.assert_allclose(first["key"], np.full((1, DIM), 2.0), rtol=1e-5)
    np.testing.assert_array_equal(last["pose"][0], pose[15:])
    assert last["pose_mask"].shape == (1, 15) and last["pose_mask"].all()
    generator.values(30)
    assert not generator.network.feeds[-1]["pose_mask"].any() and not generator.network.feeds[-1]["key"].any()


def test_what_may_be_wished_is_what_values_takes():
    assert set(Wishes.__annotations__) == set(inspect.signature(Generator.values).parameters) - {"self", "frames"}
