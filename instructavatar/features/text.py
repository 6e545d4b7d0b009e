"""Text features: what a frozen sentence encoder reads in an instruction.

N sentences, L tokens (with the encoder's own begin and end tokens), 384 channels. The encoder is all-MiniLM-L6-v2 with int8 weights
(tools/weights_text.py). Each sentence goes through it alone, so that neither padding nor neighbours can change its numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import BadBundle, BadOption, MissingFile
from instructavatar.features.base import session, version_of, weights_path

TEXT_DIM = 384
MAX_TOKENS = 128


@dataclass(frozen=True)
class TextStates:
    """Encoded sentences. Padding is zero and marked False."""

    tokens: NDArray[np.float32]  # [N, L, 384] state of each token
    mask: NDArray[np.bool_]  # [N, L] True where there is a token
    pooled: NDArray[np.float32]  # [N, 384] mean of a sentence's token states

    def __len__(self) -> int:
        return len(self.pooled)


class TextEncoder:
    """Frozen encoder of instructions: the file at `path` (default: the one in the package), with tokenizer.json beside it."""

    name = "text"
    rate_hz = 0.0
    dim = TEXT_DIM

    def __init__(self, path: Path | str | None = None, threads: int = 1) -> None:
        from tokenizers import Tokenizer

        path = Path(path) if path is not None else weights_path("text.onnx")
        vocabulary = path.with_name("tokenizer.json")
        for file in (path, vocabulary):
            if not file.is_file():
                raise MissingFile(f"expected the text encoder's file {file}, found none; make it with tools/build_weights.py --only text")
        try:
            self.tokenizer = Tokenizer.from_file(str(vocabulary))
        except Exception as error:  # tokenizers raises bare Exception
            raise BadBundle(f"expected a tokenizer in {vocabulary}, could not read it ({error}); fetch it again") from error
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(MAX_TOKENS)
        self.net = session(path, threads)
        self.path, self.threads = path, threads
        self.version = f"minilm-l6-int8/{version_of(path)}"

    def __reduce__(self) -> tuple[Any, ...]:
        return TextEncoder, (self.path, self.threads)  # a worker process loads its own

    @staticmethod
    def load(path: Path | str | None = None, threads: int = 1) -> TextEncoder:
        """The encoder in the file (default: the one in the package), with tokenizer.json beside it, on the CPU."""
        return TextEncoder(path, threads)

    def encode_one(self, sentence: str) -> NDArray[np.float32]:
        """Token states [L, 384] of one sentence, cut after 128 tokens."""
        return self._run([self._ids(sentence)])[0]

    def encode_many(self, sentences: Sequence[str], batch: int = 16) -> list[NDArray[np.float32]]:
        """Token states [L, 384] of each sentence; several times faster than one by one, and equal to 1e-5.

        Only sentences of the same length go through the net together, so nothing is padded.
        """
        ids = [self._ids(sentence) for sentence in sentences]
        order = sorted(range(len(ids)), key=lambda i: (len(ids[i]), i))
        found: list[NDArray[np.float32]] = [np.zeros((0, TEXT_DIM), np.float32)] * len(ids)
        for _, alike in groupby(order, key=lambda i: len(ids[i])):
            group = list(alike)
            for part in (group[i : i + batch] for i in range(0, len(group), batch)):
                for i, state in zip(part, self._run([ids[i] for i in part]), strict=True):
                    found[i] = state
        return found

    def pool(self, states: NDArray[np.float32]) -> NDArray[np.float32]:
        """The pooled state [384] of a sentence's token states [L, 384]: their mean."""
        return states.mean(0)

    def _ids(self, sentence: str) -> list[int]:
        if not sentence.strip():
            raise BadOption("expected a sentence to encode, got an empty one; leave the instruction out instead")
        return self.tokenizer.encode(sentence.strip()).ids

    def _run(self, ids: list[list[int]]) -> NDArray[np.float32]:
        """States [N, L, 384] of token numbers [N][L]."""
        numbers = np.array(ids, np.int64)
        feed = {"input_ids": numbers, "attention_mask": np.ones_like(numbers), "token_type_ids": np.zeros_like(numbers)}
        return self.net.run(["last_hidden_state"], feed)[0]

    def encode(self, sentences: Sequence[str]) -> TextStates:
        """States of all sentences, padded with zeros to the longest. No sentence at all gives empty arrays."""
        states = [self.encode_one(sentence) for sentence in sentences]
        longest = max((len(state) for state in states), default=0)
        tokens = np.zeros((len(states), longest, TEXT_DIM), np.float32)
        mask = np.zeros((len(states), longest), np.bool_)
        for i, state in enumerate(states):
            tokens[i, : len(state)] = state
            mask[i, : len(state)] = True
        pooled = np.stack([self.pool(state) for state in states]) if states else np.zeros((0, TEXT_DIM), np.float32)
        return TextStates(tokens, mask, pooled)
