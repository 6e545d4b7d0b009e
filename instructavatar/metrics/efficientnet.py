"""EfficientNet-Lite0 (Tan & Le 2019, Google's variant without squeeze and swish) as an ONNX net: pictures -> 1280 features of ImageNet.

The weights come as a torch checkpoint. They are turned into ONNX once, with torch and onnx, and kept beside it; from then on neither is
needed, and a picture takes about a third of the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import BadBundle, CannotWrite, MissingFile
from instructavatar.features.base import session
from instructavatar.media.files import written_beside
from instructavatar.metrics.clips import Picture
from instructavatar.metrics.weights import Net, needed

SIDE = 224
# of the 16 blocks; TensorFlow pads so that the output is the input's size divided by the stride, rounded up
_STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)
_EPSILON = 1e-3  # of TensorFlow's batch normalisation
_MEAN, _SCALE = 127.0, 128.0  # what Google's Lite nets are fed

Arrays = Mapping[str, NDArray[np.float32]]


def converted(checkpoint: Path) -> Path:
    """The ONNX file beside the checkpoint, made if it is not there or older.

    Raises:
        MissingFile: torch or onnx is not installed, or the file cannot be written.
        BadBundle: the checkpoint is another net's.
    """
    target = checkpoint.with_suffix(".onnx")
    if target.is_file() and target.stat().st_mtime_ns >= checkpoint.stat().st_mtime_ns:
        return target
    needed("torch", "turning efficientnet_lite0.pth into ONNX")
    needed("onnx", "turning efficientnet_lite0.pth into ONNX")
    try:
        with written_beside(target) as part:
            part.write_bytes(model_bytes(_state(checkpoint)))
    except CannotWrite as error:
        raise MissingFile(f"expected to write {target} once, got an error ({error})") from error
    return target


@lru_cache(maxsize=2)
def efficientnet(path: Path) -> Net:
    """The net in an ONNX file: a picture of 224 pixels -> 1280 features."""
    net = session(path)

    def features(picture: Picture) -> NDArray[np.float32]:
        batch = (picture.astype(np.float32).transpose(2, 0, 1)[None] - _MEAN) / _SCALE
        return np.asarray(net.run(None, {"pictures": batch})[0], np.float32).reshape(-1)

    return features


def model_bytes(state: Arrays) -> bytes:
    """The trunk as ONNX: pictures [N, 3, 224, 224] -> features [N, 1280, 1, 1], the means over the picture."""
    from onnx import TensorProto, helper

    net = _Graph(state)
    try:
        x = net.conv("pictures", "_conv_stem", "_bn0", stride=2)
        for number, stride in enumerate(_STRIDES):
            x = net.block(x, f"_blocks.{number}.", stride)
        x = net.conv(x, "_conv_head", "_bn1")
    except KeyError as error:
        raise BadBundle(f"expected EfficientNet-Lite0, got a checkpoint without {error.args[0]}; fetch it again") from error
    net.nodes.append(helper.make_node("GlobalAveragePool", [x], ["features"]))
    side, width = (SIDE, SIDE), state["_conv_head.weight"].shape[0]
    graph = helper.make_graph(
        net.nodes,
        "efficientnet_lite0",
        [helper.make_tensor_value_info("pictures", TensorProto.FLOAT, ["N", 3, *side])],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", width, 1, 1])],
        net.constants,
    )
    opset = [helper.make_opsetid("", 13)]
    return bytes(helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString())


class _Graph:
    """Nodes and constants as they are added."""

    def __init__(self, state: Arrays) -> None:
        from onnx import numpy_helper

        self.state, self.tensor = state, numpy_helper.from_array
        self.nodes: list[Any] = []
        self.constants = [self.tensor(np.array(bound, np.float32), f"bound{bound}") for bound in (0, 6)]

    def conv(self, x: str, name: str, norm: str, stride: int = 1, bounded: bool = True) -> str:
        """A convolution with its batch normalisation folded in, then ReLU6; gives the output's name."""
        from onnx import helper

        weight = self.state[f"{name}.weight"]
        gain = self.state[f"{norm}.weight"] / np.sqrt(self.state[f"{norm}.running_var"] + _EPSILON)
        shift = self.state[f"{norm}.bias"] - self.state[f"{norm}.running_mean"] * gain
        self.constants += [self.tensor(weight * gain[:, None, None, None], f"{name}/weight"), self.tensor(shift, f"{name}/bias")]
        groups = len(weight) if weight.shape[1] == 1 else 1
        inputs = [x, f"{name}/weight", f"{name}/bias"]
        self.nodes.append(helper.make_node("Conv", inputs, [name], strides=[stride] * 2, auto_pad="SAME_UPPER", group=groups))
        if not bounded:
            return name
        self.nodes.append(helper.make_node("Clip", [name, "bound0", "bound6"], [f"{name}/bounded"]))
        return f"{name}/bounded"

    def block(self, x: str, name: str, stride: int) -> str:
        """An inverted bottleneck: wider, over the places, narrower; added to its input where the shapes are equal."""
        from onnx import helper

        y, first = x, f"{name}_expand_conv.weight" in self.state
        if first:
            y = self.conv(y, f"{name}_expand_conv", f"{name}_bn0")
        y = self.conv(y, f"{name}_depthwise_conv", f"{name}_bn1", stride)
        y = self.conv(y, f"{name}_project_conv", f"{name}_bn2", bounded=False)
        into = self.state[f"{name}{'_expand_conv' if first else '_depthwise_conv'}.weight"].shape[1 if first else 0]
        if stride != 1 or into != len(self.state[f"{name}_project_conv.weight"]):
            return y
        self.nodes.append(helper.make_node("Add", [x, y], [f"{name}sum"]))
        return f"{name}sum"


def _state(path: Path) -> Arrays:
    import torch

    try:
        return {name: value.float().numpy() for name, value in torch.load(path, map_location="cpu", weights_only=True).items()}
    except Exception as error:  # torch raises kinds of its own for damaged files
        raise BadBundle(f"expected a torch checkpoint in {path}, could not read it; fetch it again") from error
