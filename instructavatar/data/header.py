"""What a store says about itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from instructavatar.data.record import FIELDS, SPEECH_DIM, TEXT_DIM
from instructavatar.errors import BadBundle
from instructavatar.face.motion import FRAME_RATE_HZ, MOTION_DIM, SAMPLE_RATE_HZ, SPEECH_RATE_HZ

FORMAT = "instructavatar store"
VERSION = 2


@dataclass(frozen=True)
class Header:
    """What a store says about itself."""

    corpus_hash: str
    extractors: dict[str, str]  # feature -> version of what measured it
    splits: dict[str, list[str]]  # name -> clip ids in the corpus's order
    lengths: dict[str, int]  # clip id -> frames
    motion_mean: list[float]  # [D] over the frames of the train split
    motion_std: list[float]  # [D], at least SMALLEST_STD
    clips: int = 0
    sentences: int = 0
    seconds: float = 0.0
    skipped: int = 0
    speech_dim: int = SPEECH_DIM  # W
    text_dim: int = TEXT_DIM  # C, width of the sentences' states; stores that do not tell have this one
    complete: bool = False
    about: str = ""
    version: int = VERSION
    format: str = FORMAT

    @staticmethod
    def started(corpus_hash: str, extractors: Mapping[str, str], about: str = "") -> Header:
        """The header of a store that is being written."""
        return Header(corpus_hash, dict(extractors), {}, {}, [0.0] * MOTION_DIM, [1.0] * MOTION_DIM, about=about)

    def to_json(self) -> dict[str, Any]:
        """All fields, and the constants that a reader in another language needs."""
        rates = {"frame_rate_hz": FRAME_RATE_HZ, "speech_rate_hz": SPEECH_RATE_HZ, "sample_rate_hz": SAMPLE_RATE_HZ}
        widths = {"D": len(self.motion_mean), "W": self.speech_dim}
        arrays = {name: kind for name, kind in FIELDS.items() if isinstance(kind, tuple)}
        shapes = {name: [dtype, [widths.get(size, size) for size in shape]] for name, (dtype, shape) in arrays.items()}
        return {**self.__dict__, "rates": rates, "shapes": shapes}

    @staticmethod
    def from_json(values: Mapping[str, Any], where: str) -> Header:
        """The header read back; another format or version is refused."""
        if values.get("format") != FORMAT or values.get("version") != VERSION:
            got = f"{values.get('format')!r} version {values.get('version')}"
            raise BadBundle(f"expected {where} to be an {FORMAT} of version {VERSION}, got {got}; prepare it again")
        return Header(**{name: values[name] for name in Header.__dataclass_fields__ if name != "text_dim" or name in values})
