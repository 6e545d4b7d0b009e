"""What was measured is remembered on disk by what it was measured on, so that the same command goes on where it was stopped.

An entry is one NumPy archive without pickled objects: arrays by name, and "plain", the rest as JSON. It is written beside and renamed, so a
killed process leaves no half entry; a damaged one counts as not there.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from instructavatar.errors import CannotWrite
from instructavatar.media.files import written_beside

_PLAIN = "plain"


def usual_cache() -> Path:
    """The folder of this user's caches, as the XDG base directory specification names it."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / "instructavatar" / "evaluate"


def digest(*parts: Any) -> str:
    """A key for anything that JSON can write.

    >>> digest("a", 1) == digest("a", 1) != digest("a", 2)
    True
    """
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:32]


def file_digest(path: Path) -> str:
    """A key for a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]


class Cache:
    """Entries of numbers, texts and arrays by key. A folder that cannot be written remembers nothing, which `writable` tells."""

    def __init__(self, folder: Path | None) -> None:
        """None remembers nothing."""
        self.folder = folder

    @property
    def writable(self) -> bool:
        """Whether anything is remembered; makes the folder."""
        if self.folder is None:
            return False
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
        return os.access(self.folder, os.W_OK | os.X_OK)

    def load(self, kind: str, key: str) -> dict[str, Any] | None:
        """The entry, or None."""
        path = self._path(kind, key)
        if path is None or not path.is_file():
            return None
        try:
            with np.load(path, allow_pickle=False) as archive:
                found = {name: archive[name] for name in archive.files if name != _PLAIN}
                return {**json.loads(bytes(archive[_PLAIN])), **found}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None

    def save(self, kind: str, key: str, entry: Mapping[str, Any]) -> None:
        """Remember an entry; a full or read-only disk is no error, for it can be measured again."""
        path = self._path(kind, key)
        if path is None:
            return
        arrays = {name: value for name, value in entry.items() if isinstance(value, np.ndarray)}
        plain = json.dumps({name: value for name, value in entry.items() if name not in arrays}, default=float)
        with suppress(CannotWrite), written_beside(path) as part:
            _write(part, {**arrays, _PLAIN: np.frombuffer(plain.encode(), np.uint8)})

    def _path(self, kind: str, key: str) -> Path | None:
        return None if self.folder is None else self.folder / kind / key[:2] / f"{key}.npz"


def _write(path: Path, arrays: Mapping[str, Any]) -> None:
    """As `np.savez_compressed` does, which has no say in how hard it tries: at level 1 faces take a sixth of the time and 3 % more room."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.asarray(array), allow_pickle=False)
