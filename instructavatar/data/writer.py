"""Writes a store: resumable at any moment, one writer at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Self

import lmdb
import numpy as np
from numpy.typing import NDArray

from instructavatar.data.disk import HEADER, clip_key, entries, open_to_read, open_to_write, pass_key, read_header, skip_key, text_key
from instructavatar.data.header import Header
from instructavatar.data.record import Record, check_record, from_bytes, head_of, to_bytes
from instructavatar.errors import BadBundle, CannotWrite, MissingFile
from instructavatar.face.motion import FRAME_RATE_HZ, MOTION_DIM

# smallest spread used for normalising: actions that hardly ever move must not be blown up
SMALLEST_STD = 0.01


class StoreWriter:
    """Writes a store; use it as a context. Opened again after a kill it keeps what is there.

    Args:
        path: folder of the store; made if missing.
        header: `Header.started(...)`; a store of another corpus or other extractors is refused.
    """

    # One transaction takes so many records: at one each, LMDB's syncs cost ten times as much. It comes earlier where memory or the work
    # that a kill would lose says so.
    batch = 256
    batch_bytes = 1 << 26
    batch_s = 10.0

    def __init__(self, path: Path | str, header: Header) -> None:
        self.path = Path(path)
        size = max(1 << 26, 2 * sum(file.stat().st_size for file in self.path.glob("data.mdb")))
        self.env = open_to_write(self.path, map_size=size, readahead=False)
        self.waiting: list[tuple[bytes, bytes]] = []
        self.flushed_s = time.monotonic()
        self._width = 0  # of the table of sentences, once it is known
        self.header = self._resumed(header)
        self.known = set(self._present())

    def _resumed(self, header: Header) -> Header:
        before = read_header(self.env, self.path)
        if before is None:
            self._put([(HEADER, to_bytes(header.to_json()))])
            return header
        for what in ("corpus_hash", "extractors"):
            if getattr(before, what) != getattr(header, what):
                wanted, got = getattr(header, what), getattr(before, what)
                raise BadBundle(f"expected {self.path.name} to hold the {what} {wanted}, got {got}; write to another folder")
        return before

    @staticmethod
    def reopen(path: Path | str) -> StoreWriter:
        """A finished store, or one within a pass (`begin`), to be changed; another is refused."""
        file = Path(path) / "data.mdb"
        header = read_header(open_to_read(Path(path)), Path(path)) if file.exists() else None
        if header is None:
            raise MissingFile(f"expected a store (a folder with data.mdb) at {path}, found none; make it with: instructavatar prepare")
        if not header.splits:
            raise BadBundle(f"expected a finished store in {path}, got one that was cut short; run the same prepare command again")
        return StoreWriter(path, header)

    def begin(self, feature: str, version: str) -> list[str]:
        """Start a pass that replaces every clip, or go on with one; gives the clips to do. Until `finish` the store is unfinished."""
        keys = [key for keys in self.header.splits.values() for key in keys]
        if not self.header.complete and self.header.extractors.get(feature) == version:
            return [key for key in keys if pass_key(key) not in self.known]
        extractors = {**self.header.extractors, feature: version}
        self.header = Header(**{**self.header.__dict__, "extractors": extractors, "complete": False})
        self._forget(b"pass/")
        self._put([(HEADER, to_bytes(self.header.to_json()))])
        return keys

    def passed(self, key: str, record: Record) -> None:
        """Replace a clip within a pass."""
        self.replace(key, record)
        self._enqueue(pass_key(key), to_bytes({}))

    def _forget(self, prefix: bytes) -> None:
        """Delete all entries whose key begins so."""
        self.flush()
        names = [key for key in self.known if key.startswith(prefix)]
        with self.env.begin(write=True) as txn:
            for name in names:
                txn.delete(name)
        self.known.difference_update(names)

    def _present(self) -> Iterator[bytes]:
        with self.env.begin() as txn:
            yield from (bytes(key) for key in txn.cursor().iternext(values=False))

    def __contains__(self, key: str) -> bool:
        """Is the clip there already?"""
        return clip_key(key) in self.known

    def skip(self, key: str, reason: str) -> None:
        """Remember why a clip is left out, so that a resumed run need not try it again."""
        self._enqueue(skip_key(key), to_bytes({"reason": reason}))

    def skipped(self) -> dict[str, str]:
        """Why clips were left out, by their ids."""
        self.flush()
        with self.env.begin() as txn:
            return {key[5:].decode(): head_of(data)["reason"] for key, data in entries(txn, b"skip/")}

    def forget_skipped(self) -> None:
        """Let the skipped clips be tried again."""
        self._forget(b"skip/")

    def replace(self, key: str, record: Record) -> None:
        """Put another record in the place of a clip's."""
        check_record(key, record)
        self.known.discard(clip_key(key))
        self._enqueue(clip_key(key), to_bytes(record))

    def record(self, key: str) -> Record:
        """The record of a clip that was added and flushed."""
        return from_bytes(self._data(key))

    def values(self, key: str) -> Record:
        """The plain values of a clip that was added and flushed."""
        return head_of(self._data(key))

    def _data(self, key: str) -> bytes:
        with self.env.begin() as txn:
            return bytes(txn.get(clip_key(key), b""))

    def has_text(self, sentence: str) -> bool:
        """Is the sentence in the table already?"""
        return text_key(sentence) in self.known

    def add(self, key: str, record: Record) -> None:
        """Add a clip; one that is there already is left as it is."""
        check_record(key, record)
        self._enqueue(clip_key(key), to_bytes(record))

    def add_text(self, sentence: str, tokens: NDArray[np.float16], pooled: NDArray[np.float16]) -> None:
        """Add a sentence's token states [L, C] and its pooled state [C] to the table; C is the same for all sentences."""
        width = self._text_dim() or pooled.shape[-1]
        if tokens.ndim != 2 or tokens.shape[1] != width or pooled.shape != (width,):
            raise BadBundle(f"expected token states [L, {width}] and a pooled state [{width}], got {tokens.shape} and {pooled.shape}")
        record = {"sentence": sentence.strip(), "tokens": tokens.astype(np.float16), "pooled": pooled.astype(np.float16)}
        self._enqueue(text_key(sentence), to_bytes(record))

    def _text_dim(self) -> int:
        """C of the table; 0 while it is empty."""
        if not self._width:
            with self.env.begin() as txn:
                waiting = ((key, data) for key, data in self.waiting if key.startswith(b"text/"))
                first = next(chain(entries(txn, b"text/"), waiting), None)
            self._width = len(from_bytes(first[1])["pooled"]) if first else 0
        return self._width

    def text(self, sentence: str) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
        """Token states and their mean of a sentence that was added and flushed."""
        with self.env.begin() as txn:
            record = from_bytes(txn.get(text_key(sentence), b""))
        return record["tokens"], record["pooled"]

    def _enqueue(self, key: bytes, data: bytes) -> None:
        if key in self.known:
            return
        self.known.add(key)
        self.waiting.append((key, data))
        size = sum(len(waiting) for _, waiting in self.waiting) if len(data) > self.batch_bytes // self.batch else 0
        if len(self.waiting) >= self.batch or size >= self.batch_bytes or time.monotonic() - self.flushed_s > self.batch_s:
            self.flush()

    def flush(self) -> None:
        """Put everything on the disk."""
        if self.waiting:
            self._put(self.waiting)
            self.waiting = []
        self.flushed_s = time.monotonic()

    def _put(self, items: list[tuple[bytes, bytes]]) -> None:
        while True:
            try:
                with self.env.begin(write=True) as txn:
                    for key, data in items:
                        txn.put(key, data)
                return
            except lmdb.MapFullError:
                self.env.set_mapsize(2 * self.env.info()["map_size"])
            except lmdb.Error as error:
                raise CannotWrite(
                    f"could not write the store {self.path} ({error}); free some space and run the same command again"
                ) from error

    def finish(self, splits: Mapping[str, list[str]]) -> Header:
        """Set splits (ids that are not in the store are left out), measure the motion, mark the store as complete."""
        self._forget(b"pass/")
        skipped = sum(key.startswith(b"skip/") for key in self.known)
        kept = {name: [key for key in keys if key in self] for name, keys in splits.items()}
        lengths, sums = self._measure(kept)
        mean, std = sums.moments()
        texts = sum(key.startswith(b"text/") for key in self.known)
        changed = {"splits": kept, "lengths": lengths, "motion_mean": mean, "motion_std": std, "clips": len(lengths), "sentences": texts}
        seconds = sum(lengths.values()) / FRAME_RATE_HZ
        changed |= {"seconds": seconds, "skipped": skipped, "complete": True}
        changed |= {"speech_dim": sums.speech_dim or self.header.speech_dim, "text_dim": self._text_dim() or self.header.text_dim}
        self.header = Header(**{**self.header.__dict__, **changed})
        self._put([(HEADER, to_bytes(self.header.to_json()))])
        self.env.sync(True)
        return self.header

    def _measure(self, splits: Mapping[str, list[str]]) -> tuple[dict[str, int], _Sums]:
        """Frames of each clip; sums over the frames of the train split (of all clips, if it is empty)."""
        lengths: dict[str, int] = {}
        sums = _Sums()
        with self.env.begin() as txn:
            for name, keys in splits.items():
                for key in keys:
                    record = from_bytes(txn.get(clip_key(key), b""))
                    lengths[key] = record["latent_length"]
                    sums.check(key, record)
                    if name == "train" or not splits.get("train"):
                        sums.add(record["motion_latent"])
        return lengths, sums

    def close(self) -> None:
        """Flush and close. Without `finish` the store stays marked as incomplete."""
        try:
            self.flush()
        finally:
            self.env.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class _Sums:
    """Running sums over frames of motion [T, D]."""

    def __init__(self) -> None:
        self.total = self.squares = np.zeros(0)
        self.count = self.speech_dim = 0

    def check(self, key: str, record: Record) -> None:
        """Every clip must be as wide as the first: motion D, speech W."""
        motion_dim, speech_dim = record["motion_latent"].shape[1], record["audio_feat"].shape[1]
        if not len(self.total):
            self.total, self.squares, self.speech_dim = np.zeros(motion_dim), np.zeros(motion_dim), speech_dim
        wanted, got = (len(self.total), self.speech_dim), (motion_dim, speech_dim)
        if wanted != got:
            raise BadBundle(
                f"clip {key}: expected motion and speech {wanted} wide as in the other clips, got {got}; prepare to another folder"
            )

    def add(self, motion: NDArray[np.float32]) -> None:
        """Count a clip's frames."""
        wide = motion.astype(np.float64)
        self.total, self.squares, self.count = self.total + wide.sum(0), self.squares + (wide**2).sum(0), self.count + len(wide)

    def moments(self) -> tuple[list[float], list[float]]:
        if not self.count:
            return [0.0] * MOTION_DIM, [1.0] * MOTION_DIM
        mean = self.total / self.count
        std = np.sqrt(np.maximum(self.squares / self.count - mean**2, SMALLEST_STD**2))
        return [round(float(v), 6) for v in mean], [round(float(v), 6) for v in std]
