"""The LMDB of a store: its keys, how it is opened, what its entries are. Values are framed by data/record.py; nothing is pickled."""

from __future__ import annotations

import errno
import hashlib
import os
import weakref
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import lmdb

from instructavatar.data.header import Header
from instructavatar.data.record import from_bytes
from instructavatar.errors import BadBundle, CannotWrite

HEADER = b"header"
_ROOM = 1 << 16  # bytes: more than an empty LMDB and its lock file take


def clip_key(key: str) -> bytes:
    """LMDB key of a clip."""
    return b"clip/" + key.encode()


def skip_key(key: str) -> bytes:
    """LMDB key of the reason why a clip was skipped."""
    return b"skip/" + key.encode()


def pass_key(key: str) -> bytes:
    """LMDB key that says: this clip was replaced in the pass that is under way."""
    return b"pass/" + key.encode()


def text_key(sentence: str) -> bytes:
    """LMDB key of a sentence; a hash, because LMDB's keys end at 511 bytes."""
    return b"text/" + hashlib.sha256(sentence.strip().encode()).hexdigest().encode()


def open_environment(path: Path, **options: Any) -> lmdb.Environment:
    """The LMDB in a folder; one that cannot be opened is refused."""
    try:
        return lmdb.open(str(path), **options)
    except lmdb.Error as error:
        raise BadBundle(f"expected a store in {path}, could not open it ({error}); prepare it again") from error


def open_to_write(path: Path, **options: Any) -> lmdb.Environment:
    """The LMDB in a folder, both made if missing; a place that cannot be written or is full is refused."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        _try_room(path)
        return lmdb.open(str(path), **options)
    except (OSError, lmdb.DiskError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CannotWrite(
            f"could not write the store {path} ({reason}); free some space or choose another folder, then run the same command again"
        ) from error
    except lmdb.Error as error:
        raise BadBundle(f"expected a store in {path}, could not open it ({error}); prepare it again") from error


def _try_room(path: Path) -> None:
    """LMDB writes its lock file through a map: on a full disk that would end the process (SIGBUS) instead of giving an error."""
    probe, data = path / "room.part", path / "data.mdb"
    try:
        probe.write_bytes(bytes(_ROOM))
    finally:
        with suppress(OSError):
            probe.unlink()
    if data.exists() and not os.access(data, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(data))


# LMDB refuses to open a store twice in one process, and an environment must not cross a fork: one for all readers of a process
_READING: weakref.WeakValueDictionary[tuple[int, int, int], lmdb.Environment] = weakref.WeakValueDictionary()


def open_to_read(path: Path) -> lmdb.Environment:
    """The LMDB in a folder, read-only and without locks; the same one for all readers of a process."""
    file = (path / "data.mdb").stat()
    key = (os.getpid(), file.st_dev, file.st_ino)
    env = _READING.get(key)
    if env is None:
        env = _READING[key] = open_environment(path, readonly=True, lock=False, readahead=False)
    return env


def read_header(env: lmdb.Environment, path: Path) -> Header | None:
    """The header; None where nothing was written yet."""
    with env.begin() as txn:
        data = txn.get(HEADER)
    if data is None:
        return None
    return Header.from_json(from_bytes(data), path.name)


def entries(txn: lmdb.Transaction, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of all entries whose key begins so."""
    cursor = txn.cursor()
    if cursor.set_range(prefix):
        for key, data in cursor:
            if not bytes(key).startswith(prefix):
                return
            yield bytes(key), bytes(data)
