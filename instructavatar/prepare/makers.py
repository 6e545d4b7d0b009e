"""Makers: one clip of a corpus -> the record of the store, in any process. One maker performs, the other measures.

A clip that cannot be made gives the reason as text; whatever is wrong with it, the build goes on.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from instructavatar.data.record import Record, complete
from instructavatar.errors import BadMedia, CannotWrite, InstructAvatarError
from instructavatar.face.motion import FRAME_RATE_HZ, ROTATION, SPEECH_PER_FRAME, FaceMotion, frames_of
from instructavatar.face.script import Script
from instructavatar.features.speech import SPEECH_DIM, SpeechEncoder
from instructavatar.prepare.corpora.base import ClipRecord, FilmedCorpus, PerformedCorpus


class Maker(Protocol):
    """What turns clips into records."""

    def versions(self) -> dict[str, str]:
        """What makes the record's fields, by version."""
        ...

    def unheard(self, records: Sequence[ClipRecord]) -> list[ClipRecord]:
        """One record for each sound that must be measured before the clips are made."""
        ...

    def hear(self, record: ClipRecord) -> str:
        """Measure that sound; "" or the reason why it cannot be."""
        ...

    def make(self, record: ClipRecord) -> Record | str:
        """The clip as the store wants it, or the reason why it cannot be."""
        ...


@dataclass(frozen=True)
class PerformedClips:
    """Clips whose motion the corpus makes. Speech features are measured once for each sound and kept in the cache."""

    corpus: PerformedCorpus
    cache: Path

    def versions(self) -> dict[str, str]:
        """As `Maker`."""
        return {"speech": speech_encoder().version, "motion": f"{self.corpus.name}/{self.corpus.motion_version()}"}

    def unheard(self, records: Sequence[ClipRecord]) -> list[ClipRecord]:
        """As `Maker`."""
        for part in self.cache.glob("speech-*/*.part"):
            part.unlink(missing_ok=True)  # of a run that was killed
        distinct = {record.audio: record for record in records if record.audio}
        return [record for record in distinct.values() if not self.speech_file(record).exists()]

    def speech_file(self, record: ClipRecord) -> Path:
        """Where the features of the clip's sound are kept: by the encoder's version and the sound's hash."""
        return self.cache / f"speech-{short(speech_encoder().version)}" / f"{self.corpus.sound_hash(record)}.npy"

    def hear(self, record: ClipRecord) -> str:
        """As `Maker`."""
        path = self.speech_file(record)
        if path.exists():
            return ""
        try:
            features = speech_encoder().encode(self.corpus.sound(record))
        except CannotWrite:
            raise  # a full disk is no fault of the clip
        except InstructAvatarError as error:
            return str(error)
        self._keep(path, features.astype(np.float16))
        return ""

    @staticmethod
    def _keep(path: Path, features: NDArray[np.float16]) -> None:
        part = path.with_suffix(f".{os.getpid()}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                np.save(file, features, allow_pickle=False)
            os.replace(part, path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise CannotWrite(
                f"could not write the cache {path.parent} ({error.strerror or error}); free some space and run the same command again"
            ) from error

    def make(self, record: ClipRecord) -> Record | str:
        """As `Maker`."""
        return _or_reason(self._made, record)

    def _made(self, record: ClipRecord) -> Record:
        check_scripts(record.instructions, record.seconds)
        motion = self.corpus.motion(record)
        frames, speech = frames_of(record.seconds), np.zeros((0, SPEECH_DIM), np.float16)
        if record.audio:
            speech = np.load(self.speech_file(record), allow_pickle=False)
        if len(motion) != frames or len(speech) not in (0, SPEECH_PER_FRAME * frames):
            have = f"motion for {len(motion)}, speech for {len(speech) / SPEECH_PER_FRAME:g}"
            raise BadMedia(f"expected {frames} frames ({record.seconds} s) of everything, got {have}; mend the corpus's times")
        given = {"audio_feat": speech, "audio_flag": bool(record.audio), "filename": record.audio or record.id}
        return complete({**told(record, record.instructions), **moved(motion), **given, "action_units": list(record.action_units)})


@dataclass(frozen=True)
class MeasuredClips:
    """Clips whose motion is measured on their videos."""

    corpus: FilmedCorpus
    measurer: Any  # prepare.measured.Measurer

    def versions(self) -> dict[str, str]:
        """As `Maker`."""
        return self.measurer.versions()

    def unheard(self, records: Sequence[ClipRecord]) -> list[ClipRecord]:
        """None: sound is measured with the clip it belongs to."""
        return []

    def hear(self, record: ClipRecord) -> str:
        """Nothing to do."""
        return ""

    def make(self, record: ClipRecord) -> Record | str:
        """As `Maker`."""
        return _or_reason(self._made, record)

    def _made(self, record: ClipRecord) -> Record:
        corpus = self.corpus
        found = self.measurer.measure(corpus.video_path(record), corpus.sound_path(record), corpus.is_silent(record))
        wordings = self.corpus.write(record, found.units)
        check_scripts(wordings, len(found.motion) / FRAME_RATE_HZ)
        # A portrait's own pose counts as zero everywhere else, and the first frame is the portrait; `pose` stays as measured.
        motion = found.motion.values.copy()
        motion[:, ROTATION] -= motion[0, ROTATION]
        return complete(
            {
                **told(record, wordings),
                **moved(FaceMotion(motion)),
                "pose": np.ascontiguousarray(found.motion.values[:, ROTATION]),
                "audio_feat": found.speech,
                "audio_flag": found.audio_flag,
                "filename": record.video,
                "action_units": list(found.units),
                "unit_strengths": [round(float(strength), 3) for strength in found.units.values()],
                "ldmk": found.landmarks.astype(np.float16),
                "crop": [round(float(value), 2) for value in found.crop],
                **_packed(found.frames),
            }
        )


def _or_reason(work: Callable[[ClipRecord], Record], record: ClipRecord) -> Record | str:
    """What the work makes of a clip, or why it cannot; a full disk is no fault of the clip, and is raised."""
    try:
        return work(record)
    except CannotWrite:
        raise
    except InstructAvatarError as error:
        return str(error)


def told(record: ClipRecord, wordings: Sequence[str]) -> Record:
    """What the corpus says of a clip."""
    labels = {"speaker": record.speaker, "emotion": record.emotion, "intensity": record.intensity}
    return {**labels, "instruction": list(wordings), "inst_flag": bool(wordings)}


def moved(motion: FaceMotion) -> Record:
    """The fields that hold motion."""
    return {"motion_latent": motion.values, "latent_length": len(motion), "pose": np.ascontiguousarray(motion.values[:, ROTATION])}


def check_scripts(wordings: Sequence[str], seconds: float) -> None:
    """Refuse malformed wordings here, where the clip is known."""
    for text in wordings:
        Script.parse(text, seconds)


def _packed(frames: Sequence[bytes]) -> dict[str, NDArray[Any]]:
    """JPEG files one after another, with where each begins."""
    if not frames:
        return {}
    offsets = np.concatenate([[0], np.cumsum([len(frame) for frame in frames])]).astype(np.int64)
    return {"face_frames": np.frombuffer(b"".join(frames), np.uint8), "face_offsets": offsets}


@lru_cache(maxsize=1)
def speech_encoder() -> SpeechEncoder:
    """The default encoder, once for each process."""
    return SpeechEncoder.load(threads=1)


def short(version: str) -> str:
    """A version as part of a file's name."""
    return hashlib.sha256(version.encode()).hexdigest()[:12]
