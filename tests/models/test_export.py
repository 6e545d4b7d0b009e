"""ONNX: the file equals the network, for any batch, frames, tokens and segments."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from instructavatar.face.script import Script, clock_of
from instructavatar.models.conditions.clock import ClockCondition
from instructavatar.models.conditions.speech import SpeechCondition
from instructavatar.models.conditions.text import TextCondition
from instructavatar.models.conformer import Conformer
from instructavatar.models.denoiser import Denoiser
from instructavatar.models.export import example_inputs, export_denoiser
from instructavatar.models.inputs import INPUT_NAMES
from instructavatar.motion.conditions import Text
from instructavatar.motion.windows import Window


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    torch.manual_seed(0)
    net = Denoiser(Conformer(64, 2, 2, 128, 5, 0.0, 32, 1), SpeechCondition(24, 64, inner=32), TextCondition(20, 64), ClockCondition(64))
    for parameter in net.parameters():
        if not parameter.abs().sum():
            torch.nn.init.normal_(parameter, std=0.1)
    return net, export_denoiser(net, tmp_path_factory.mktemp("onnx") / "net.onnx")


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (2, 7, 5, 2), (3, 40, 12, 3), (1, 161, 4, 1)])
def test_onnx_equals_torch(exported, shape):
    net, path = exported
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    feed = example_inputs(58, 24, 20, *shape)
    with torch.no_grad():
        expected = net(*feed).numpy()
    (found,) = session.run(None, {name: value.numpy() for name, value in zip(INPUT_NAMES, feed, strict=True)})
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_large_weights_are_stored_in_half(exported):
    _, path = exported
    floats = [t for t in onnx.load(str(path)).graph.initializer if t.data_type == onnx.TensorProto.FLOAT]
    assert all(np.prod(t.dims) < 1024 for t in floats)
    assert [i.name for i in onnx.load(str(path)).graph.input] == list(INPUT_NAMES)


def test_dead_text_changes_nothing(exported):
    """The generator leaves out of each window what is not alive in it; the network must not tell the difference."""
    _, path = exported
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    feed = {name: value.numpy() for name, value in zip(INPUT_NAMES, example_inputs(58, 24, 20, 1, 24, 9, 3), strict=True)}
    rng, owner, window = np.random.default_rng(0), np.array([0, 0, 0, 1, 1, 2, 2, 2, 2]), Window(20, 44, 0)
    segments = Script.parse("0-0.7s: a | 0.9-1.3s: b | 1.3-3s: c", 3.0).segments
    text = Text(segments, rng.normal(size=(9, 20)).astype(np.float32), rng.normal(size=(3, 20)).astype(np.float32), owner)
    made = {}
    for name, given in (("whole", text), ("left out", text.within(window))):
        alive = given.alive(window)
        texts = {"tokens": given.tokens, "pooled": given.pooled, "tokens_alive": alive[:, given.owner], "pooled_alive": alive}
        texts["clock"] = clock_of(given.segments, window.start, len(window))
        made[name] = session.run(None, feed | {key: value[None] for key, value in texts.items()})[0]
    assert len(text.within(window).pooled) == 2
    np.testing.assert_allclose(made["whole"], made["left out"], atol=1e-5)
