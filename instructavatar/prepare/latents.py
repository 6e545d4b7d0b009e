"""Latents: a trained codec's motion and appearance as features of a finished store.

`motion_latent` [T, D] becomes what the codec makes of the measured faces, and FaceMotion moves to `face_motion` [T, 58]. `appear_latent`
becomes what the codec keeps of the clip's first face frame, where the store has face frames and the codec has latents of that kind.
Killed at any moment, the same call goes on; until it is done, the store counts as unfinished.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from instructavatar.codecs.base import Codec
from instructavatar.codecs.loading import load_codec
from instructavatar.data.record import Record
from instructavatar.data.writer import StoreWriter
from instructavatar.errors import BadBundle
from instructavatar.face.landmarks import Landmarks
from instructavatar.face.motion import ACTION_COUNT, MOTION_DIM, TRANSLATION
from instructavatar.pool import open_pool
from instructavatar.prepare.corpora.base import Progress

FEATURE = "latents"


@dataclass(frozen=True)
class Seen:
    """What a codec needs to see of a clip."""

    key: str
    landmarks: NDArray[np.float16]
    """[T, 478, 3] in pixels of the face crop."""
    motion: NDArray[np.float32]
    """[T, 58]"""
    pose: NDArray[np.float32]
    """[T, 3]"""
    looks: NDArray[np.uint8]
    """The first face crop as JPEG; empty without one."""

    @classmethod
    def of(cls, key: str, record: Record) -> Seen:
        """From a record, whatever codec was here before."""
        if not len(record["ldmk"]):
            raise BadBundle(
                f"clip {key}: expected landmarks for the codec, got none (a performed corpus has none); prepare a corpus of videos"
            )
        offsets = record["face_offsets"]
        looks = record["face_frames"][offsets[0] : offsets[1]] if len(offsets) else np.zeros(0, np.uint8)
        return cls(key, record["ldmk"], readable(record), record["pose"], looks)

    def faces(self) -> list[Landmarks]:
        """The clip's faces as they were measured."""
        rows = zip(self.landmarks.astype(np.float32), self.motion, self.pose, strict=True)
        return [Landmarks(points, row[:ACTION_COUNT], pose, row[TRANSLATION]) for points, row, pose in rows]


@dataclass
class Encoder:
    """A codec at work; goes to every process, which loads the codec for itself."""

    path: Path
    codec: Codec | None = field(default=None, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        """The path alone travels."""
        return {"path": self.path, "codec": None}

    def encode(self, seen: Seen) -> tuple[NDArray[np.float32], NDArray[np.float16]]:
        """Motion [T, D], and the looks as [any] numbers (none where there is no picture, or the codec keeps no such numbers)."""
        if self.codec is None:
            self.codec = load_codec(self.path)[0]
        faces = seen.faces()
        motion = np.ascontiguousarray(self.codec.encode_motion(faces), np.float32)
        if not len(seen.looks):
            return motion, np.zeros(0, np.float16)
        picture = cv2.imdecode(seen.looks, cv2.IMREAD_COLOR)
        if picture is None:
            raise BadBundle(f"clip {seen.key}: expected JPEG face frames, got damaged bytes; prepare the store again")
        portrait = np.ascontiguousarray(picture[..., ::-1], np.uint8)
        appearance = self.codec.encode_appearance(portrait, faces[0], np.zeros(MOTION_DIM, np.float32))
        return motion, np.asarray(getattr(appearance, "latent", np.zeros(0)), np.float16).reshape(-1)


class Waiting(Sequence[Seen]):
    """Clips of a store that is being written, each read when it is its turn."""

    def __init__(self, writer: StoreWriter, keys: Sequence[str]) -> None:
        self.writer, self.keys = writer, keys

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, which: Any) -> Any:
        """One clip, or those of a slice."""
        if isinstance(which, slice):
            return [self._seen(key) for key in self.keys[which]]
        return self._seen(self.keys[which])

    def __iter__(self) -> Iterator[Seen]:
        return map(self._seen, self.keys)

    def _seen(self, key: str) -> Seen:
        return Seen.of(key, self.writer.record(key))


def add_latents(store: Path | str, path: Path | str, workers: int = 1, progress: Progress | None = None) -> tuple[int, str, int]:
    """Put a codec's latents into a store.

    Args:
        store: folder of a finished store with landmarks.
        path: a codec bundle, or a file of configs/codec/.
        workers: processes.
        progress: called with ("latents", done, total).

    Returns:
        The number of clips that were changed, the codec's version, and D.
    """
    tell = progress or (lambda stage, done, total: None)
    codec, version = load_codec(path)
    encoder = Encoder(Path(path).absolute(), codec)
    with StoreWriter.reopen(store) as writer, open_pool(workers) as pool:
        done_before = writer.header.complete and writer.header.extractors.get(FEATURE) == version
        keys = [] if done_before else writer.begin(FEATURE, version)
        for done, (seen, (motion, looks)) in enumerate(pool.map(encoder.encode, Waiting(writer, keys), 1), 1):
            record = writer.record(seen.key)
            writer.passed(seen.key, {**record, "motion_latent": motion, "face_motion": readable(record), "appear_latent": looks})
            tell("latents", done, len(keys))
        if not done_before:
            writer.finish(writer.header.splits)
    return len(keys), version, codec.motion_dim


def readable(record: Record) -> NDArray[np.float32]:
    """FaceMotion [T, 58] of a record, with or without a codec's latents."""
    return record["face_motion"] if len(record["face_motion"]) else record["motion_latent"]
