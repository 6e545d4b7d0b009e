"""One denoising step as an ONNX graph, free in batch, frames, tokens and segments.

B batch, T video frames, D motion width, C feature widths, L text tokens, S segments.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from instructavatar.models.denoiser import Denoiser
from instructavatar.models.inputs import EXTRA_NAMES, INPUT_NAMES, OUTPUT_NAME

AXES: dict[str, dict[int, str]] = {
    "x": {0: "B", 1: "T"},
    "noise_level": {0: "B"},
    "known": {0: "B", 1: "T"},
    "known_mask": {0: "B", 1: "T"},
    "speech": {0: "B", 1: "T2"},
    "speech_mask": {0: "B", 1: "T"},
    "tokens": {0: "B", 1: "L"},
    "pooled": {0: "B", 1: "S"},
    "tokens_alive": {0: "B", 1: "T", 2: "L"},
    "pooled_alive": {0: "B", 1: "T", 2: "S"},
    "clock": {0: "B", 1: "T"},
    "frame_mask": {0: "B", 1: "T"},
    "key": {0: "B"},
    "pose": {0: "B", 1: "T"},
    "pose_mask": {0: "B", 1: "T"},
    OUTPUT_NAME: {0: "B", 1: "T"},
}


def example_inputs(
    motion_dim: int, speech_width: int, text_width: int, b: int = 2, t: int = 7, tokens: int = 5, s: int = 2
) -> tuple[Tensor, ...]:
    """Inputs of the right shapes, in the order of `INPUT_NAMES`."""
    generator = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    given = torch.zeros(b, t, motion_dim)
    given[:, 0] = 1
    alive = torch.zeros(b, t, s)
    alive[:, : t // 2, 0], alive[:, t // 2 :, -1] = 1, 1
    owner = torch.arange(tokens) * s // tokens
    values = {
        "x": normal(b, t, motion_dim),
        "noise_level": torch.linspace(0.1, 0.9, b),
        "known": normal(b, t, motion_dim),
        "known_mask": given,
        "speech": normal(b, 2 * t, speech_width),
        "speech_mask": torch.ones(b, t),
        "tokens": normal(b, tokens, text_width),
        "pooled": normal(b, s, text_width),
        "tokens_alive": alive[:, :, owner],
        "pooled_alive": alive,
        "clock": normal(b, t, 2).abs(),
        "frame_mask": torch.ones(b, t),
    }
    return tuple(values[name] for name in INPUT_NAMES)


def example_extras(motion_dim: int, b: int = 2, t: int = 7) -> dict[str, Tensor]:
    """Inputs of the right shapes that only some networks have, by name."""
    generator = torch.Generator().manual_seed(1)
    pose_mask = torch.zeros(b, t)
    pose_mask[: b // 2 + 1] = 1
    values = (torch.randn(b, motion_dim, generator=generator), 10 * torch.randn(b, t, 3, generator=generator), pose_mask)
    return dict(zip(EXTRA_NAMES, values, strict=True))


def export_denoiser(denoiser: Denoiser, path: str | Path, half_weights: bool = True) -> Path:
    """Write the network to an ONNX file.

    Args:
        denoiser: its weights are rounded to float16 in place when `half_weights`, so that it stays equal to the file.
        path: written beside and renamed.
        half_weights: store large weights as float16; all computing stays float32. Halves the file.
    """
    import onnx

    path, beside = Path(path), Path(path).with_suffix(".part")
    denoiser = denoiser.eval()
    if half_weights:
        _round_weights(denoiser)
    inputs = example_inputs(denoiser.motion_dim, denoiser.speech.speech_width, denoiser.text.text_width)
    extras = {name: value for name, value in example_extras(denoiser.motion_dim).items() if name in denoiser.extra_inputs}
    names = [*INPUT_NAMES, *extras]
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            denoiser,
            (*inputs, *extras.values()),
            str(beside),
            input_names=names,
            output_names=[OUTPUT_NAME],
            dynamic_axes={name: AXES[name] for name in (*names, OUTPUT_NAME)},
            opset_version=17,
            dynamo=False,
        )
    if half_weights:
        onnx.save(_half(onnx.load(str(beside))), str(beside))
    os.replace(beside, path)
    return path


def _round_weights(denoiser: Denoiser) -> None:
    with torch.no_grad():
        for parameter in denoiser.parameters():
            parameter.copy_(parameter.half().float())


def _half(model: Any, smallest: int = 1024) -> Any:
    """Store float32 constants of at least `smallest` numbers as float16, each behind a cast that runtimes fold at load."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    graph = model.graph
    casts = []
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims, dtype=np.int64) < smallest:
            continue
        name = tensor.name
        half = numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), f"{name}.half")
        tensor.CopyFrom(half)
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    for node in reversed(casts):
        graph.node.insert(0, node)
    return model
