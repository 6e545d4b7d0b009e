"""Clips of a store as real clips: `evaluate --reference STORE`, or "STORE#CLIP" in a list of pairs.

A store (`instructavatar prepare`) holds a clip's motion and landmarks, its face crops where it was told to keep them, and its labels; no
sound. So the truth's face is known without any video, and the generated video's own sound is judged. Landmarks are kept to 1/8 pixel of a
crop of 256, and motion as it was measured when the store was made; the store's header says by what.

T frames at 25 Hz, D numbers a frame of motion.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import BadBundle
from instructavatar.face.landmarks import CAMERA_DISTANCE, Landmarks
from instructavatar.face.motion import ACTION_COUNT, MOTION_DIM, TRANSLATION, FaceMotion
from instructavatar.metrics.base import Take
from instructavatar.metrics.cache import Cache, digest
from instructavatar.metrics.clips import Clip, Picture, VideoClip
from instructavatar.metrics.pairs import Asked, asked_for

if TYPE_CHECKING:  # it brings lmdb, which only those need who compare with a store
    from instructavatar.data.store import FeatureStore

_MARK = "#"
_LABELS = ("instruction", "emotion", "intensity", "action_units")


class StoreClip(Clip):
    """One clip of a store."""

    def __init__(self, store: FeatureStore, name: str, cache: Cache) -> None:
        """Reads the motion and the landmarks; pictures are read when they are asked for.

        Raises:
            BadBundle: no such clip, or one without landmarks or FaceMotion.
        """
        super().__init__(cache)
        self.store, self.name = store, name
        record = store.read(name, ("motion_latent", "face_motion", "pose", "ldmk", "face_offsets"))
        self._points = record["ldmk"].astype(np.float32)
        if not len(self._points):
            raise BadBundle(f"clip {name}: expected landmarks in the store {store.path.name}, got none; prepare a corpus of videos")
        self._motion = _motion_of(name, record)
        self.pictured = bool(len(record["face_offsets"]))
        self.key = digest("stored", store.header.corpus_hash, store.header.extractors, name, self.pictured)

    @cached_property
    def faces(self) -> list[Landmarks | None]:
        """The faces as they were measured for the store."""
        rows = zip(self._points, self._motion.actions, self._motion.rotation_deg, _places(self._motion.translation), strict=True)
        return [Landmarks(*row) for row in rows]

    @cached_property
    def take(self) -> Take:
        """Motion and landmarks of the store; none is lost, for such clips are not taken into a store."""
        return Take(self._motion, self._points)

    def __len__(self) -> int:
        """T."""
        return len(self._points)

    @property
    def length_hint(self) -> int:
        """T."""
        return len(self)

    def frames(self) -> Iterator[Picture]:
        """The face crops.

        Raises:
            BadBundle: the store keeps none.
        """
        if not self.pictured:
            told = "prepare it with measure.params.frames=true, or give the videos as reference"
            raise BadBundle(f"expected face frames of {self.name} in the store {self.store.path.name}, got none; {told}")
        record = self.store.read(self.name, ("face_frames", "face_offsets"))
        offsets = record["face_offsets"]
        for begin, end in zip(offsets[:-1], offsets[1:], strict=True):
            picture = cv2.imdecode(record["face_frames"][begin:end], cv2.IMREAD_COLOR)
            if picture is None:
                raise BadBundle(f"clip {self.name}: expected JPEG files in the store {self.store.path.name}, got damaged bytes")
            yield np.ascontiguousarray(picture[..., ::-1], np.uint8)  # OpenCV decodes to blue, green, red


def real_clip(path: Path, cache: Cache) -> Clip:
    """The clip that a pair's reference names: a video file, or STORE#CLIP."""
    place, name = _parted(path)
    return VideoClip(path, cache) if place is None else StoreClip(_opened(place), name, cache)


def is_store(path: Path) -> bool:
    """Whether a folder is a store."""
    return (path / "data.mdb").is_file()


def references(path: Path) -> dict[str, tuple[Path, Asked]]:
    """What a store offers to generated videos, by name: its reference, and what was asked.

    A clip answers to its key, to the path of the video it was made of, and to that video's bare name where no other clip has it; all
    without endings.
    """
    store = _opened(path)
    found: dict[str, tuple[Path, Asked]] = {}
    bare: dict[str, list[str]] = {}
    for split in store.header.splits:
        for key, record in store.heads(split):
            offered = path.with_name(f"{path.name}{_MARK}{key}"), _asked(key, record)
            video = PurePosixPath(record.get("filename") or key).with_suffix("")
            found |= {key: offered, str(video): offered}
            bare.setdefault(video.name, []).append(key)
    return {name: found[keys[0]] for name, keys in bare.items() if len(keys) == 1} | found


def _asked(key: str, record: Mapping[str, Any]) -> Asked:
    return asked_for(f"clip {key}", {name: record.get(name) for name in _LABELS})


def _motion_of(name: str, record: Mapping[str, Any]) -> FaceMotion:
    """FaceMotion [T, 58] with the head's rotation as measured; in the record it counts from the first frame, and `pose` does not."""
    values = next(
        (record[field] for field in ("face_motion", "motion_latent") if record[field].shape == (len(record["pose"]), MOTION_DIM)), None
    )
    if values is None:
        raise BadBundle(f"clip {name}: expected FaceMotion [T, {MOTION_DIM}], got {list(record['motion_latent'].shape)}; prepare it again")
    return FaceMotion(np.concatenate([values[:, :ACTION_COUNT], record["pose"], values[:, TRANSLATION]], axis=1).astype(np.float32))


def _places(moved: NDArray[np.float32]) -> NDArray[np.float32]:
    """Translations of FaceMotion [T, 3] -> places as `Landmarks.translation` has them, of a face that begins in the middle.

    The inverse of `face.landmarks.places_from`.
    """
    grown = 1 / (1 - moved[:, 2:] / CAMERA_DISTANCE)
    return np.concatenate([moved[:, :2] / grown, CAMERA_DISTANCE * np.log(grown)], axis=1)


def _parted(path: Path) -> tuple[Path | None, str]:
    """(store, clip) of STORE#CLIP; (None, "") for anything else, such as a file with that character in its name."""
    if path.exists():
        return None, ""
    text = str(path)
    places = [place for place, letter in enumerate(text) if letter == _MARK and is_store(Path(text[:place]))]
    return (Path(text[: places[0]]), text[places[0] + 1 :]) if places else (None, "")


def _opened(path: Path) -> FeatureStore:
    from instructavatar.data.store import FeatureStore

    return FeatureStore.open(path)
