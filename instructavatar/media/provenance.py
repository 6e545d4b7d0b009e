"""The mark that every video carries: it is synthetic, and which tool and model made it.

Stored as plain metadata keys of the mp4, readable with any media tool; `read_provenance` gives them back.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from instructavatar import __version__
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
    """The mark of a video file; None if it carries none."""
    return provenance_in(read_video(path).metadata)
