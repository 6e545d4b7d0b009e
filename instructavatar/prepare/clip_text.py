"""The published recipe's text features: what CLIP's text tower reads in an instruction.

L tokens of a sentence (with the begin and end tokens, without padding), C channels (768 in openai/clip-vit-large-patch14). Token states are
the tower's last hidden states; the pooled state is that of the end token through CLIP's text projection (`text_embeds`), not normalised.
The published code pads every sentence to 77 tokens and lets the padding be attended; here there is none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import BadBundle, BadOption, MissingFile

_RULE = "unpadded"  # part of the version: other rule, other numbers


class ClipTextEncoder:
    """Frozen text tower of a CLIP model of transformers; stands where `features.text.TextEncoder` does. Nothing is downloaded.

    Args:
        model: a folder with config.json, tokenizer and weights, or the name of a model that was fetched before.
        threads: CPU threads of torch; the setting holds for the whole process.
    """

    name = "text"
    rate_hz = 0.0

    def __init__(self, model: str | Path = "openai/clip-vit-large-patch14", threads: int = 1) -> None:
        if threads < 1:
            raise BadOption(f"expected at least one thread, got {threads}")
        self.model = str(model)
        self.threads = threads
        self.tokenizer, self.net = _loaded(self.model, threads)
        self.projection = np.ascontiguousarray(self.net.text_projection.weight.float().numpy())  # [C, C]
        self.dim = int(self.net.config.hidden_size)
        if self.projection.shape != (self.dim, self.dim):
            raise BadOption(
                f"expected a CLIP whose projection is as wide as its states, got {self.projection.shape[0]} and {self.dim} in {model}"
            )
        self.version = f"clip-text/{_RULE}/{_digest(self.net)}"

    def __reduce__(self) -> tuple[Any, ...]:
        return ClipTextEncoder, (self.model, self.threads)  # a worker process loads its own

    def encode_many(self, sentences: Sequence[str], batch: int = 16) -> list[NDArray[np.float32]]:
        """Token states [L, C] of each sentence. Only sentences of the same length go through the net together, so nothing is padded."""
        ids = [self._ids(sentence) for sentence in sentences]
        order = sorted(range(len(ids)), key=lambda i: (len(ids[i]), i))
        found: dict[int, NDArray[np.float32]] = {}
        for _, alike in groupby(order, key=lambda i: len(ids[i])):
            group = list(alike)
            for part in (group[i : i + batch] for i in range(0, len(group), batch)):
                found |= dict(zip(part, self._run([ids[i] for i in part]), strict=True))
        return [found[i] for i in range(len(ids))]

    def pool(self, states: NDArray[np.float32]) -> NDArray[np.float32]:
        """The pooled state [C] of a sentence's token states [L, C]: its end token, projected."""
        return states[-1] @ self.projection.T

    def _ids(self, sentence: str) -> list[int]:
        if not sentence.strip():
            raise BadOption("expected a sentence to encode, got an empty one; leave the instruction out instead")
        longest = int(self.net.config.max_position_embeddings)
        return self.tokenizer(sentence.strip(), truncation=True, max_length=longest)["input_ids"]

    def _run(self, ids: list[list[int]]) -> NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            return self.net(input_ids=torch.tensor(ids)).last_hidden_state.float().numpy()


def _loaded(model: str, threads: int) -> tuple[Any, Any]:
    """Tokenizer and text tower."""
    try:
        import torch
        import transformers
    except ImportError as error:
        raise MissingFile(f"expected the package {error.name} for CLIP's text, found none; run: pip install torch transformers") from error
    torch.set_num_threads(threads)
    how = f"fetch it once with `hf download {model}`, or give the folder of config.json, tokenizer and weights"
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(model, local_files_only=True)
        tower: Any = transformers.CLIPTextModelWithProjection
        net, told = tower.from_pretrained(model, local_files_only=True, output_loading_info=True)
    except Exception as error:  # transformers raises OSError, ValueError and more, whether files are missing or foreign
        why = " ".join(str(error).split())[:160]
        if Path(model).is_dir():
            raise BadBundle(f"expected a CLIP text model of transformers in {model}, could not load it ({why}); {how}") from error
        raise MissingFile(f"expected the CLIP text model {model} on this machine, found none; {how}") from error
    if told["missing_keys"]:
        lost = ", ".join(sorted(map(str, told["missing_keys"]))[:3])
        raise BadBundle(f"expected the weights of CLIP's whole text tower in {model}, missing {lost}; {how}")
    return tokenizer, net.eval().requires_grad_(False)


def _digest(net: Any) -> str:
    """The first 12 hex digits of a SHA-256 over the tower's weights."""
    found = hashlib.sha256()
    for name, value in sorted(net.state_dict().items()):
        found.update(name.encode())
        found.update(value.detach().cpu().float().numpy().tobytes())
    return found.hexdigest()[:12]
