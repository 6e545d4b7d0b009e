"""What all frozen measurements share: where their weights lie, how they are named, how a net is opened.

Importing this file touches no disk and loads no net.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from instructavatar.errors import BadBundle, MissingFile

if TYPE_CHECKING:
    import onnxruntime

WEIGHTS = Path(__file__).resolve().parents[1] / "weights"


class Feature(Protocol):
    """A frozen measurement whose numbers go into a store."""

    name: str
    """Name of the field, such as "speech"."""
    rate_hz: float
    """Rows per second; 0 where the feature has no time."""
    dim: int
    """Length of a row."""
    version: str
    """Changes whenever the numbers change; a store remembers it and refuses to mix two."""


def weights_path(name: str, folder: Path | str | None = None) -> Path:
    """The file `name` in `folder` if given and there, else in the package. Folder first, so a bundle may bring its own."""
    places = [Path(folder)] if folder is not None else []
    for place in [*places, WEIGHTS]:
        if (place / name).is_file():
            return place / name
    looked = " or ".join(str(place) for place in [*places, WEIGHTS])
    raise MissingFile(f"expected the weights file {name} in {looked}, got none; {_how_to_get(name)}")


def _how_to_get(name: str) -> str:
    """What to do about a missing file; with its checksum where the package's manifest knows it."""
    entry = manifest().get(name)
    if entry is None:
        return "rebuild it with tools/build_weights.py and put it there"
    return f"reinstall instructavatar or rebuild it with tools/build_weights.py (from {entry['source']}; SHA-256 {entry['sha256']})"


def manifest(folder: Path | str = WEIGHTS) -> dict[str, dict[str, Any]]:
    """Per file of a weights folder: sha256, bytes, source, licence. Empty where the folder has no manifest."""
    path = Path(folder) / "manifest.json"
    if not path.is_file():
        return {}
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadBundle(f"expected JSON in {path}, got something else ({error}); restore the file") from error


def inspect_weights(folder: Path | str | None = None) -> list[dict[str, Any]]:
    """Each file of a weights folder's manifest: file, bytes, sha256, source, licence and state: intact, changed or missing."""
    place = WEIGHTS if folder is None else Path(folder)
    entries = manifest(place)
    if not entries:
        raise MissingFile(f"expected a manifest.json in {place}, found none; give a folder that `instructavatar export` wrote")
    return [{"file": name, "state": _state(place / name, entry["sha256"]), **entry} for name, entry in sorted(entries.items())]


def _state(path: Path, sha256: str) -> str:
    if not path.is_file():
        return "missing"
    return "intact" if hashlib.sha256(path.read_bytes()).hexdigest() == sha256 else "changed"


def version_of(path: Path) -> str:
    """The first 12 hex digits of a weights file's SHA-256, for a feature's version string."""
    if not path.is_file():
        raise MissingFile(f"expected a weights file at {path}, got none; {_how_to_get(path.name)}")
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def session(path: Path | str, threads: int = 1) -> onnxruntime.InferenceSession:
    """An ONNX Runtime session on the CPU; threads 0 lets the runtime choose."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors have no common base that it exports
        raise BadBundle(f"expected an ONNX net in {path}, got an error ({str(error).splitlines()[0]}); build or copy it again") from error
