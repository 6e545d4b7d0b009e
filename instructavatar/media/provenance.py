"""The mark that every video carries: it is synthetic, and which tool and model made it.

Stored as plain metadata keys of mp4, mov and webm, the comment of a GIF, and the text of every PNG frame; readable with any media tool,
and `read_provenance` gives them back.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from instructavatar import __version__
from instructavatar.errors import BadMedia
from instructavatar.media.files import existing_file
from instructavatar.media.gif import gif_metadata
from instructavatar.media.png import png_metadata
from instructavatar.media.video import read_video

TOOL = "InstructAvatar"
# IPTC's controlled vocabulary: "created algorithmically using a model trained on content sampled for it".
DIGITAL_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"

# Field of the mark -> key in the file. A prefix of our own keeps a re-encoded comment from being taken for a mark.
_KEYS = {
    "synthetic": "instructavatar.synthetic",
    "tool": "instructavatar.tool",
    "version": "instructavatar.version",
    "model": "instructavatar.model",
    "model_sha256": "instructavatar.model_sha256",
    "digital_source_type": "instructavatar.digital_source_type",
    "created": "instructavatar.created",
}


def mark(model: str, model_sha256: str | None = None, created: str | None = None) -> dict[str, str]:
    """The mark for a video made with that model, as metadata for `write_video`.

    `model` is its name, `model_sha256` that of its generator file. `created` is an ISO 8601 time; left out, the same job
    gives the same file.
    """
    fields = {
        "synthetic": "true",
        "tool": TOOL,
        "version": __version__,
        "model": model,
        "model_sha256": model_sha256,
        "digital_source_type": DIGITAL_SOURCE_TYPE,
        "created": created,
    }
    sentence = f"Synthetic video made with {TOOL} {__version__}"
    return {_KEYS[name]: value for name, value in fields.items() if value is not None} | {"comment": sentence}


def provenance_in(metadata: Mapping[str, str]) -> dict[str, str] | None:
    """The mark's fields (synthetic, tool, version, model, ...) found in a file's metadata; None without a mark."""
    lowered = {key.lower(): value for key, value in metadata.items()}
    found = {name: lowered[key] for name, key in _KEYS.items() if key in lowered}
    return found if "synthetic" in found else None


def read_provenance(path: str | os.PathLike[str]) -> dict[str, str] | None:
    """The mark of a video, a GIF, a PNG, or a folder of PNG frames; None if it carries none.

    Raises:
        BadMedia: it is none of these, or a folder of which only some frames carry a mark.
        MissingFile: no such file.
    """
    target = Path(path)
    if target.is_dir():
        frames = sorted(target.glob("*.png"))
        if not frames:
            raise BadMedia(f"expected a video or a folder of PNG frames, got '{target}', which holds none; name another")
        bare = [frame.name for frame in frames if provenance_in(png_metadata(frame)) is None]
        if bare and len(bare) < len(frames):
            raise BadMedia(
                f"expected a mark on all {len(frames)} frames of '{target}', got {len(bare)} without ({bare[0]} ...); "
                "these were made by something else"
            )
        target = frames[0]
    start = _first_bytes(target)
    if start.startswith(b"\x89PNG"):
        return provenance_in(png_metadata(target))
    if start.startswith(b"GIF8"):
        return provenance_in(gif_metadata(target))
    return provenance_in(read_video(target).metadata)


def _first_bytes(path: Path) -> bytes:
    with existing_file(path, "video").open("rb") as file:
        return file.read(8)
