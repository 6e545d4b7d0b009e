"""A codec by its bundle, or by a file of configs/codec/."""

from __future__ import annotations

from pathlib import Path

from instructavatar import config as configuration
from instructavatar.codecs.base import Codec
from instructavatar.errors import BadBundle, BadOption, MissingFile
from instructavatar.features.base import version_of

SETTINGS = "config.yaml"


def load_codec(path: Path | str) -> tuple[Codec, str]:
    """The codec of a bundle (a folder with config.yaml) or of a file of configs/codec/, and its version.

    Raises:
        MissingFile: nothing is there.
        BadBundle: the file describes no codec.
        BadOption: it names something else.
    """
    path = Path(path)
    file = path / SETTINGS if path.is_dir() else path
    if not file.is_file():
        raise MissingFile(f"expected a codec bundle (a folder with {SETTINGS}) or a file of configs/codec/ at {path}, found none")
    settings = configuration.load([file])
    section = settings.get("codec", settings)
    if "target" not in section:
        raise BadBundle(f"expected {file} to describe a codec (target and params), got the keys {', '.join(map(str, settings))}")
    # a bundle's files lie beside its config.yaml, wherever that is
    given = {"folder": file.parent / section.params.folder} if "folder" in (section.get("params") or {}) else {}
    codec = configuration.build(section, **given)
    if not isinstance(codec, Codec):
        raise BadOption(f"expected {file} to name a codec, got {type(codec).__name__}; see configs/codec/warp.yaml")
    return codec, f"{section.target.rpartition('.')[2]}-{version_of(file)}"
