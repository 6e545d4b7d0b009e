"""numba, with its cache in a folder that can be written; import `njit` from here, never from numba itself.

numba stores compiled code beside the source, or else under HOME. Where neither can be written (a read-only container) it would compile
anew in every process, or fail; then a private folder in the temporary directory serves.
"""

from __future__ import annotations

import getpass
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any


def _writable(folder: Path) -> bool:
    """Whether a file can be made there (permission bits alone do not tell on read-only mounts, nor for root)."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without an entry in the password file
        return str(os.getuid()) if hasattr(os, "getuid") else "user"


def _private_folder() -> str:
    """A folder of this user alone: compiled code is run, so nobody else may have put it there."""
    folder = Path(tempfile.gettempdir()) / f"instructavatar-compiled-{_user()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        mine = not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid()
        if mine and not folder.is_symlink() and folder.stat().st_mode & 0o022 == 0 and _writable(folder):
            return str(folder)
    except OSError:
        pass
    return tempfile.mkdtemp(prefix="instructavatar-compiled-")


def choose_cache_folder() -> None:
    """Set NUMBA_CACHE_DIR unless the user did or the usual place, `__pycache__` beside this file, can be written."""
    if "NUMBA_CACHE_DIR" not in os.environ and not _writable(Path(__file__).parent / "__pycache__"):
        os.environ["NUMBA_CACHE_DIR"] = _private_folder()


choose_cache_folder()

import numba  # noqa: E402  (the cache folder must be chosen before numba is loaded)


def njit(function: Callable[..., Any]) -> Any:
    """Compile a function of arrays and numbers: cached on disk, releases the interpreter lock."""
    return numba.njit(cache=True, nogil=True, fastmath={"nsz", "arcp", "contract"})(function)
