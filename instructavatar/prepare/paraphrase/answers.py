"""Answers that were paid for: a JSONL file beside the store, one line each, found again by what was asked.

A line is written at once and whole; one that a kill cut short is dropped when the file is opened to be continued.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

from instructavatar.errors import BadBundle, CannotWrite


@dataclass(frozen=True)
class Answer:
    """What a service said to one request."""

    key: str
    """`key_of` what was asked."""
    outcome: str
    """ok, refused or unusable."""
    variants: tuple[str, ...] = ()
    reason: str = ""
    """Why it is unusable or refused, in words."""
    text: str = ""
    """The answer itself."""
    about: str = ""
    """The clip or the text that was asked about."""
    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    """As the service counted them; 0 where it did not."""


def key_of(model: str, prompt: str, picture: bytes | None) -> str:
    """A request's name: SHA-256 over the model, the prompt and the picture."""
    parts = [model.encode(), prompt.encode(), picture or b""]
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


class Answers:
    """The answers in a file; `add` may be called from several threads. A missing file holds none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found: dict[str, Answer] = {}
        self.lock = threading.Lock()
        self._whole = 0  # bytes up to the end of the last whole line
        self._torn = False  # is there more behind them?
        if path.exists():
            self._read()

    def __len__(self) -> int:
        return len(self.found)

    def get(self, key: str) -> Answer | None:
        """The answer to a request, if it was given."""
        return self.found.get(key)

    def add(self, answer: Answer) -> None:
        """Keep an answer; it is on the disk when this returns."""
        line = json.dumps(asdict(answer), ensure_ascii=False).encode() + b"\n"
        with self.lock:
            self._append(line)
            self.found[answer.key] = answer

    def _read(self) -> None:
        data = self.path.read_bytes()
        self._whole = data.rfind(b"\n") + 1
        self._torn = self._whole < len(data)
        for number, line in enumerate(data[: self._whole].splitlines(), 1):
            try:
                values = json.loads(line)
                answer = Answer(**{**values, "variants": tuple(values["variants"])})
            except (ValueError, TypeError, KeyError) as error:
                raise BadBundle(f"expected an answer in line {number} of {self.path}, got damaged text; delete that line") from error
            self.found[answer.key] = answer

    def _append(self, line: bytes) -> None:
        try:
            if self._torn:
                os.truncate(self.path, self._whole)
                self._torn = False
            with self.path.open("ab") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise CannotWrite(f"could not write {self.path} ({error.strerror}); free some space and run the same command again") from error
