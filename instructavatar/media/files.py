"""Files in and out: checks before reading; writing beside the target, then renaming."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from instructavatar.errors import BadMedia, CannotWrite, MissingFile


def existing_file(path: str | os.PathLike[str], what: str) -> Path:
    """The path of a file that is there and not empty. `what` names it in the error: "sound", "portrait"."""
    found = Path(path)
    try:
        size = found.stat().st_size
    except (OSError, ValueError) as error:
        raise MissingFile(f"expected a {what} at '{found}', got no such file; check the path") from error
    if found.is_dir():
        raise BadMedia(f"expected a {what} file, got the folder '{found}'; name a file in it")
    if not os.access(found, os.R_OK):
        raise MissingFile(f"expected a readable {what}, got no permission for '{found}'; change its permissions")
    if size == 0 and found.is_file():
        raise BadMedia(f"expected a {what}, got an empty file of 0 bytes: '{found}'; fetch or export it again")
    return found


def ffmpeg_name(path: Path) -> str:
    """A name FFmpeg takes for a local file: an absolute path is never read as `protocol:rest`."""
    return os.path.abspath(path)


def _make_folder(folder: Path) -> list[Path]:
    """Make a folder and its parents; returns those that were not there before, deepest first."""
    missing = [p for p in (folder, *folder.parents) if not p.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def cannot_write(path: Path, error: Exception) -> CannotWrite:
    """The error for a target that could not be written, with the system's own reason."""
    reason = getattr(error, "strerror", None) or str(error)
    return CannotWrite(f"expected to write '{path}', got: {reason}; free space there or choose another place")


@contextmanager
def written_beside(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path in the target's folder; becomes the target when the block ends well.

    If the block raises, neither the temporary file nor a folder made for it stays, and an older target is untouched.
    An OSError (no permission, full disk) becomes CannotWrite.
    """
    target = Path(path)
    made: list[Path] = []
    # The suffix stays, because encoders choose the container by it; the dot keeps file browsers from showing it.
    part = target.parent / f".{secrets.token_hex(8)}.part{target.suffix}"
    try:
        if target.exists() and not target.is_file():
            # A folder, or a device: renaming over /dev/null would take it away from everybody.
            raise CannotWrite(f"expected a file name to write, got '{target}', which is no ordinary file; add a file name")
        made = _make_folder(target.parent)
        part.open("wb").close()
        yield part
        os.replace(part, target)
    except BaseException as error:
        _clear(part, made)
        if isinstance(error, OSError):
            raise cannot_write(target, error) from error
        raise


def check_writable(path: str | os.PathLike[str]) -> None:
    """Refuse a file that `written_beside` could not write, before the work rather than after it; leaves nothing.

    Raises:
        CannotWrite: no permission, no room, or a folder of that name.
    """
    target = Path(path)
    if target.exists() and not target.is_file():
        raise CannotWrite(f"expected a file name to write, got '{target}', which is no ordinary file; add a file name")
    with suppress(_Checked), written_beside(target):
        raise _Checked


class _Checked(Exception):
    """The file could be opened; what was made for it is taken away."""


@contextmanager
def folder_beside(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary folder inside the target folder, which is made; it goes when the block ends, well or not.

    If the block raises, nothing that was made for it stays. An OSError becomes CannotWrite.
    """
    target = Path(path)
    made: list[Path] = []
    part = target / f".{secrets.token_hex(8)}.part"
    try:
        made = _make_folder(target)
        part.mkdir()
        yield part
        shutil.rmtree(part)
    except BaseException as error:
        shutil.rmtree(part, ignore_errors=True)
        _clear(part, made)
        if isinstance(error, OSError):
            raise cannot_write(target, error) from error
        raise


def _clear(part: Path, made: list[Path]) -> None:
    with suppress(OSError):
        part.unlink(missing_ok=True)
    for folder in made:
        with suppress(OSError):
            folder.rmdir()
