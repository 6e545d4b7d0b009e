"""The store: prepared clips in one LMDB, read by training without locks. Training side only.

T video frames (25 Hz), L text tokens. A clip's record has the fields of `data/record.py`; `motion_latent` [T, D] and `audio_feat` [2T, W]
(or [0, W] without sound) lie frame to frame. Beside the clips stand a table sentence -> token states, so training needs no text encoder,
and why each skipped clip was skipped. The header tells what the store holds: version, shapes, rates, statistics of the motion, who
measured, splits, hash of the corpus.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterator
from pathlib import Path
from typing import Any

import lmdb
import numpy as np
from numpy.typing import NDArray

from instructavatar.data.disk import clip_key, entries, open_to_read, read_header, text_key
from instructavatar.data.header import Header
from instructavatar.data.record import Record, check_record, from_bytes, head_of
from instructavatar.errors import BadBundle, InstructAvatarError, MissingFile
from instructavatar.face.motion import FRAME_RATE_HZ


class NotInStore(BadBundle, KeyError):
    """A clip or sentence that the store lacks."""

    def __str__(self) -> str:
        return str(self.args[0])


def _refuse_published(path: Path) -> None:
    """The published recipe's LMDB holds pickled pyarrow objects, which can run code when they are read."""
    folder = path if path.is_dir() else path.parent
    files = [path] if path.is_file() else sorted(folder.glob("*.lmdb")) + sorted(folder.glob("meta_info.pkl"))
    if path.suffix == ".lmdb" and path.is_file() or any(file.is_file() and file.name != "data.mdb" for file in files):
        raise BadBundle(
            f"expected a store written by instructavatar prepare, got the published pickle/pyarrow layout in {folder} "
            f"({files[0].name}), which is not read because unpickling runs code; prepare the corpus again with instructavatar prepare"
        )


class FeatureStore:
    """A finished store, read-only and without locks; may be handed to other processes. Open one with `open`."""

    def __init__(self, path: Path, header: Header) -> None:
        self.path = path
        self.header = header
        self._env: lmdb.Environment | None = None
        self._process = -1

    @staticmethod
    def open(path: Path | str) -> FeatureStore:
        """The store in a folder; a missing, unfinished or foreign one is refused."""
        path = Path(path)
        _refuse_published(path)
        if not (path / "data.mdb").exists():
            raise MissingFile(f"expected a store (a folder with data.mdb) at {path}, found none; make it with: instructavatar prepare")
        header = read_header(open_to_read(path), path)
        if header is None or not header.complete:
            raise BadBundle(f"expected a finished store in {path}, got one that was cut short; run the same prepare command again")
        return FeatureStore(path, header)

    @property
    def env(self) -> lmdb.Environment:
        """LMDB of this process."""
        if self._env is None or self._process != os.getpid():
            self._env = open_to_read(self.path)
            self._process = os.getpid()
        return self._env

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_env": None, "_process": -1}

    def __len__(self) -> int:
        return self.header.clips

    def keys(self, split: str | None = None) -> list[str]:
        """Ids of a split's clips in the corpus's order; of all clips without a name."""
        if split is None:
            return [key for keys in self.header.splits.values() for key in keys]
        if split not in self.header.splits:
            raise BadBundle(f"expected one of the splits {', '.join(self.header.splits)}, got {split!r}")
        return self.header.splits[split]

    def lengths(self, split: str | None = None) -> dict[str, int]:
        """Frames of each clip of a split, from the header alone."""
        return {key: self.header.lengths[key] for key in self.keys(split)}

    def __getitem__(self, key: str) -> Record:
        """The record of a clip, as `FIELDS` describes it."""
        return self._get(clip_key(key), f"clip {key}")

    def read(self, key: str, arrays: Container[str]) -> Record:
        """The plain values of a clip's record and, of its arrays, those named: pictures and landmarks are most of it."""
        return self._get(clip_key(key), f"clip {key}", arrays)

    def heads(self, split: str) -> Iterator[tuple[str, Record]]:
        """Each clip of a split with the plain values of its record; a tenth of a millisecond each."""
        with self.env.begin(buffers=True) as txn:
            for key in self.keys(split):
                yield key, self._read(txn.get(clip_key(key)), f"clip {key}", head_of)

    def text(self, sentence: str) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
        """Token states [L, C] and pooled state [C] of a sentence that the corpus uses."""
        record = self._get(text_key(sentence), f"sentence {sentence!r}")
        return record["tokens"], record["pooled"]

    def sentences(self) -> Iterator[str]:
        """All sentences of the table."""
        with self.env.begin() as txn:
            yield from (head_of(data)["sentence"] for _, data in entries(txn, b"text/"))

    def skipped(self) -> dict[str, str]:
        """Why clips were left out, by their ids."""
        with self.env.begin() as txn:
            return {key[5:].decode(): head_of(data)["reason"] for key, data in entries(txn, b"skip/")}

    def _get(self, key: bytes, what: str, arrays: Container[str] | None = None) -> Record:
        with self.env.begin(buffers=True) as txn:
            return self._read(txn.get(key), what, lambda data: from_bytes(data, arrays))

    def _read(self, data: memoryview | None, what: str, how: Callable[[memoryview], Record]) -> Record:
        """What is read from the bytes of an entry; a missing or damaged one is named."""
        if data is None:
            raise NotInStore(f"expected {what} in the store {self.path.name}, found none; prepare the store again")
        try:
            return how(data)
        except BadBundle as error:
            raise BadBundle(f"{what} of the store {self.path.name}: {error}") from error

    def verify(self) -> dict[str, str]:
        """Read every clip and look up its sentences; gives what is wrong, by clip. An intact store gives nothing."""
        found: dict[str, str] = {}
        for key in self.keys():
            try:
                self._check(key)
            except InstructAvatarError as error:
                found[key] = str(error)
        return found

    def _check(self, key: str) -> None:
        from instructavatar.face.script import Script

        record = self[key]
        check_record(key, record)
        widths = record["motion_latent"].shape[1], record["audio_feat"].shape[1]
        wanted = len(self.header.motion_mean), self.header.speech_dim
        if widths != wanted or record["latent_length"] != self.header.lengths.get(key):
            told = f"{self.header.lengths.get(key)} frames and widths {wanted}"
            raise BadBundle(f"clip {key}: the header tells {told}, got {record['latent_length']} and {widths}; prepare the store again")
        for text in record["instruction"]:
            for segment in Script.parse(text, record["latent_length"] / FRAME_RATE_HZ).segments:
                self.text(segment.text)
