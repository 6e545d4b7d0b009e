"""Small stores that tell where everything comes from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from instructavatar.data.header import Header
from instructavatar.data.record import complete
from instructavatar.data.writer import StoreWriter

VERSIONS = {"speech": "s1", "text": "t1", "motion": "m1", "landmarks": "l1"}


def clip(frames: int, value: float = 0.0, width: int = 58, speech: int = 384, **labels: Any) -> dict[str, Any]:
    """A silent clip; frame t is `value` + t in every column but the last, which is `value`."""
    motion = (value + np.arange(frames, dtype=np.float32))[:, None].repeat(width, 1)
    motion[:, -1] = value
    given = {"motion_latent": motion, "latent_length": frames, "pose": motion[:, :3].copy(), "filename": "f"}
    given["audio_feat"] = np.zeros((0, speech), np.float16)
    if labels.get("instruction"):
        labels["inst_flag"] = True
    return complete({**given, **labels})


def write_store(
    path: Path,
    clips: Mapping[str, dict[str, Any]],
    valid: tuple[str, ...] = (),
    versions: Mapping[str, str] = VERSIONS,
    text: int = 384,
    train: bool = True,
) -> Path:
    """A store of these clips; those of `valid` make up its validation split. A sentence's states are the number of its letters."""
    with StoreWriter(path, Header.started(f"hash of {path.name}", versions)) as writer:
        for sentence in {sentence for record in clips.values() for sentence in record["instruction"]} | {"any"}:
            tokens = np.full((2, text), len(sentence), np.float16)
            writer.add_text(sentence, tokens, tokens[0])
        for key, record in clips.items():
            writer.add(key, record)
        splits = {"train": [key for key in clips if key not in valid]} if train else {}
        writer.finish({**splits, **({"valid": list(valid)} if valid else {})})
    return path


@pytest.fixture(scope="session")
def two(tmp_path_factory) -> tuple[Path, Path]:
    """Two stores: `long` of 30 clips of 40 to 69 frames, `short` of 60 clips of 10 to 39; both judge on their last two."""
    folder = tmp_path_factory.mktemp("two")
    long = {f"a{i:02d}": clip(40 + i, 1000 + i) for i in range(32)}
    short = {f"b/{i:02d}": clip(10 + i // 2, 2000 + i) for i in range(62)}
    return write_store(folder / "long", long, ("a30", "a31")), write_store(folder / "short", short, ("b/60", "b/61"))
