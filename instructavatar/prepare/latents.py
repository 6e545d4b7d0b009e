"""Latents: a trained codec's motion and appearance as features of a finished store.

`motion_latent` [T, D] becomes what the codec makes of the measured faces, and FaceMotion moves to `face_motion` [T, 58]. `appear_latent`
becomes what the codec keeps of the clip's first face frame, where the store has face frames and the codec has latents of that kind.
Killed at any moment, the same call goes on; until it is done, the store counts as unfinished.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from instructavatar.codecs.base import Codec
from instructavatar.data.record import Record
from instructavatar.data.writer import StoreWriter
from instructavatar.errors import BadBundle
from instructavatar.face.landmarks import Landmarks
from instructavatar.face.motion import ACTION_COUNT, MOTION_DIM, TRANSLATION
from instructavatar.prepare.corpora.base import Progress

FEATURE = "latents"


def add_latents(store: Path | str, codec: Codec, version: str, progress: Progress | None = None) -> int:
    """Put the codec's latents into a store; gives the number of clips that were changed."""
    tell = progress or (lambda stage, done, total: None)
    with StoreWriter.reopen(store) as writer:
        keys = writer.begin(FEATURE, version)
        for done, key in enumerate(keys, 1):
            writer.passed(key, encoded(key, writer.record(key), codec))
            tell("latents", done, len(keys))
        writer.finish(writer.header.splits)
    return len(keys)


def encoded(key: str, record: Record, codec: Codec) -> Record:
    """The record with the codec's latents."""
    faces = measured_faces(key, record)
    motion = record["face_motion"] if len(record["face_motion"]) else record["motion_latent"]
    latents = np.ascontiguousarray(codec.encode_motion(faces), np.float32)
    return {**record, "motion_latent": latents, "face_motion": motion, "appear_latent": _appearance(record, faces[0], codec)}


def measured_faces(key: str, record: Record) -> list[Landmarks]:
    """The clip's faces as they were measured, in pixels of the face crop."""
    if not len(record["ldmk"]):
        raise BadBundle(f"clip {key}: expected landmarks for the codec, got none (a performed corpus has none); prepare a corpus of videos")
    motion = record["face_motion"] if len(record["face_motion"]) else record["motion_latent"]
    rows = zip(record["ldmk"].astype(np.float32), motion, record["pose"], strict=True)
    return [Landmarks(points, row[:ACTION_COUNT], pose, row[TRANSLATION]) for points, row, pose in rows]


def _appearance(record: Record, face: Landmarks, codec: Codec) -> np.ndarray[Any, Any]:
    """[any] numbers: the codec's `latent` of the first face frame; nothing where it keeps no such numbers."""
    import cv2

    offsets = record["face_offsets"]
    if not len(offsets):
        return np.zeros(0, np.float16)
    picture = cv2.imdecode(record["face_frames"][offsets[0] : offsets[1]], cv2.IMREAD_COLOR)
    if picture is None:
        raise BadBundle("expected JPEG face frames, got damaged bytes; prepare the store again")
    appearance = codec.encode_appearance(np.ascontiguousarray(picture[..., ::-1], np.uint8), face, np.zeros(MOTION_DIM, np.float32))
    return np.asarray(getattr(appearance, "latent", np.zeros(0)), np.float16).reshape(-1)
