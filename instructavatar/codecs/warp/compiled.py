"""numba, with its cache in a folder that can be written; import `njit` from here, never from numba itself.

numba stores compiled code beside the source, or else under HOME. Where neither can be written (a read-only container) it would compile
anew in every process, or fail; then a private folder in the temporary directory serves. Where that
cannot be written either, compiling anew is what remains.
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


def _private_folder() -> str | None:
    """A folder of this user alone: compiled code is run, so nobody else may have put it there. None where none can be made."""
    try:
        folder = Path(tempfile.gettempdir()) / f"instructavatar-compiled-{_user()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        mine = not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid()
        if mine and not folder.is_symlink() and folder.stat().st_mode & 0o022 == 0 and _writable(folder):
            return str(folder)
    except OSError:
        pass
    try:
        return tempfile.mkdtemp(prefix="instructavatar-compiled-")
    except OSError:
        return None


def choose_cache_folder() -> bool:
    """Set NUMBA_CACHE_DIR unless the user did or the usual place, `__pycache__` beside this file, can be written.

    False where compiled code can be kept nowhere.
    """
    usual = Path(__file__).parent / "__pycache__"
    if "NUMBA_CACHE_DIR" in os.environ:
        return _writable(Path(os.environ["NUMBA_CACHE_DIR"])) or _writable(usual)
    if _writable(usual):
        return True
    folder = _private_folder()
    if folder is not None:
        os.environ["NUMBA_CACHE_DIR"] = folder
    return folder is not None


CACHED = choose_cache_folder()

import numba  # noqa: E402  (the cache folder must be chosen before numba is loaded)


def njit(function: Callable[..., Any]) -> Any:
    """Compile a function of arrays and numbers: cached on disk if that can be, releases the interpreter lock."""
    return numba.njit(cache=CACHED, nogil=True, fastmath={"nsz", "arcp", "contract"})(function)
