"""Clips as metrics see them: frames, sound, and the faces on them, measured once and remembered.

A clip is a video file, a still picture held for a while, or a true motion drawn by a codec. T frames at 25 Hz.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from instructavatar.codecs.base import Codec
from instructavatar.errors import FaceProblem
from instructavatar.face.landmarks import Landmarks
from instructavatar.face.motion import FRAME_RATE_HZ
from instructavatar.features.action_units import spread
from instructavatar.features.face_choice import COMPANION_SHARE, choose_face
from instructavatar.features.face_motion import held, missing, resting_motion
from instructavatar.features.landmarks import FaceLandmarker
from instructavatar.media.portrait import read_portrait
from instructavatar.media.video import frames_at, read_video
from instructavatar.metrics.base import Take
from instructavatar.metrics.cache import Cache, digest, file_digest

Picture = NDArray[np.uint8]
Sound = NDArray[np.float32]
Made = TypeVar("Made")

MEASURE_VERSION = 2
PICTURES = 8  # frames of a clip that metrics of single pictures look at
LONGEST_SIDE = 1920
_STEP = 64.0  # points are remembered to 1/64 pixel


@lru_cache(maxsize=1)
def landmarker() -> FaceLandmarker:
    """The face landmarker, once for each process."""
    return FaceLandmarker.load(threads=1)


class Clip(ABC):
    """Frames at 25 Hz with one face on them. Everything is read and measured when it is first asked for."""

    key: str
    """Names what is seen: equal keys, equal frames."""
    pictured: bool = True
    """Whether there are frames to look at; a store may keep landmarks alone."""

    def __init__(self, cache: Cache) -> None:
        self.cache = cache
        self._kept: dict[int, Picture] = {}
        self._made: dict[str, Any] = {}

    @abstractmethod
    def frames(self) -> Iterator[Picture]:
        """Every frame [H, W, 3] RGB, from the beginning."""

    @property
    def sound(self) -> Sound | None:
        """Mono at 16 kHz [N], beginning with the first frame; None without any."""
        return None

    @property
    def length_hint(self) -> int:
        """About how many frames there are; 0 where that is not known before they were read."""
        return 0

    @cached_property
    def faces(self) -> list[Landmarks | None]:
        """The face on each frame [T], None where none is seen; of several, the largest is followed."""
        entry = self.cache.load("faces", digest(self.key, MEASURE_VERSION, landmarker().version))
        if entry is None:
            entry = _packed(self._watch())
            self.cache.save("faces", digest(self.key, MEASURE_VERSION, landmarker().version), entry)
        return _unpacked(entry)

    @cached_property
    def take(self) -> Take:
        """The face over the clip.

        Raises:
            FaceProblem: more than a fifth of the frames show no face.
        """
        return Take.of(self.faces)

    def __len__(self) -> int:
        """T."""
        return len(self.faces)

    @property
    def notes(self) -> list[str]:
        """What a reader of the numbers should know: lost frames."""
        lost = missing(self.faces)
        return [f"no face on {lost} of {len(self)} frames"] if lost else []

    def pictures(self, count: int = PICTURES, length: int | None = None) -> list[Picture]:
        """Frames at the middles of equal parts of the clip, or of its first `length` frames: [H, W, 3] each."""
        wanted = spread(count, len(self) if length is None else min(length, len(self))).tolist()
        if not set(wanted) <= set(self._kept):
            self._kept |= {t: frame for t, frame in enumerate(self.frames()) if t in set(wanted)}
        return [self._kept[t] for t in wanted if t in self._kept]

    def seen(self, count: int = PICTURES, length: int | None = None) -> list[tuple[Picture, Landmarks]]:
        """Those of `pictures` that show a face, with it."""
        wanted = spread(count, len(self) if length is None else min(length, len(self)))
        both = zip(self.pictures(count, length), (self.faces[t] for t in wanted), strict=True)
        return [(picture, face) for picture, face in both if face is not None]

    def once(self, name: str, make: Callable[[], Made]) -> Made:
        """What `make` gives, made only once for this clip: what several metrics need, such as embeddings of the face."""
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]  # type: ignore[no-any-return]

    def _watch(self) -> list[Landmarks | None]:
        """Follow the face; the frames that `pictures` will ask for are kept by the way."""
        wanted = set(spread(PICTURES, self.length_hint).tolist()) if self.length_hint else set()

        def watched() -> Iterator[Picture]:
            for t, frame in enumerate(self.frames()):
                if t in wanted:
                    self._kept[t] = frame
                yield frame

        return list(landmarker().track(watched()))


class VideoClip(Clip):
    """A video file, at 25 Hz whatever its own rate."""

    def __init__(self, path: Path, cache: Cache) -> None:
        """Opens it.

        Raises:
            MissingFile: no such file.
            BadMedia: it is no video.
        """
        super().__init__(cache)
        self.path, self._video = path, read_video(path)
        self.key = digest("video", file_digest(path))

    def frames(self) -> Iterator[Picture]:
        """Every frame, upright."""
        return frames_at(self.path, FRAME_RATE_HZ)

    @cached_property
    def sound(self) -> Sound | None:  # type: ignore[override]
        """The file's own."""
        return self._video.audio

    @property
    def length_hint(self) -> int:
        """From the file's head."""
        video = self._video
        return round((video.frame_count or 0) / video.fps * FRAME_RATE_HZ) if video.fps > 0 else 0

    @property
    def notes(self) -> list[str]:
        """Also: more faces than one, another frame rate."""
        more = list(super().notes)
        several = self._several()
        if several > 1:
            more.append(f"{several} faces on the first frame; the largest is judged")
        if abs(self._video.fps - FRAME_RATE_HZ) > 0.01:
            more.append(f"{self._video.fps:.5g} frames/s; judged at {FRAME_RATE_HZ}")
        return more

    def _several(self) -> int:
        """Faces on the first frame that are no mere background."""
        key = digest(self.key, MEASURE_VERSION, landmarker().version)
        entry = self.cache.load("companions", key)
        if entry is None:
            faces = landmarker().find(next(iter(self.frames())))
            entry = {"faces": sum(face.width_px >= COMPANION_SHARE * faces[0].width_px for face in faces)}
            self.cache.save("companions", key, entry)
        return int(entry["faces"])


class StillClip(Clip):
    """One picture for a while: a portrait that does nothing."""

    def __init__(self, picture: Picture, key: str, length: int, cache: Cache) -> None:
        """`key` names the picture [H, W, 3]; `length` is T."""
        super().__init__(cache)
        self.picture, self.length = picture, length
        self.key = digest("still", key, length)
        self._picture_key = key

    @cached_property
    def face(self) -> Landmarks:
        """The largest face.

        Raises:
            FaceProblem: none is seen.
        """
        key = digest("picture", self._picture_key, MEASURE_VERSION, landmarker().version)
        entry = self.cache.load("faces", key)
        if entry is None:
            found = landmarker().find(self.picture)
            entry = _packed(found[:1] or [None])
            self.cache.save("faces", key, entry)
        face = _unpacked(entry)[0]
        if face is None:
            raise FaceProblem("expected a face on the portrait, found none")
        return face

    @cached_property
    def faces(self) -> list[Landmarks | None]:
        """The same face T times."""
        return [self.face] * self.length

    def frames(self) -> Iterator[Picture]:
        """The same picture T times."""
        return (self.picture for _ in range(self.length))

    def held(self, length: int) -> StillClip:
        """The same picture for another time."""
        return StillClip(self.picture, self._picture_key, length, self.cache)


class DrawnClip(Clip):
    """A portrait that makes the true motion, drawn by a codec: what a generator could reach at best."""

    def __init__(self, portrait: StillClip, truth: Clip, codec: Codec, codec_name: str) -> None:
        super().__init__(truth.cache)
        self._portrait, self._truth, self._codec = portrait, truth, codec
        self.key = digest("drawn", portrait.key, truth.key, codec_name, MEASURE_VERSION)

    @property
    def length_hint(self) -> int:
        """As long as the truth."""
        return len(self._truth)

    def frames(self) -> Iterator[Picture]:
        """Drawn as they are asked for, at the portrait's size."""
        picture = self._portrait.picture
        face = landmarker().balanced(picture, choose_face([self._portrait.face], "largest", picture.shape[:2]))
        appearance = self._codec.encode_appearance(picture, face, resting_motion(face))
        return self._codec.decode(appearance, self._codec.encode_motion(held(self._truth.faces)))

    @property
    def sound(self) -> Sound | None:
        """The truth's."""
        return self._truth.sound


def portrait_clip(path: Path, cache: Cache) -> StillClip:
    """A picture file, one frame long."""
    return StillClip(read_portrait(path, max_side=LONGEST_SIDE).rgb, file_digest(path), 1, cache)


def first_frame(clip: Clip) -> StillClip:
    """A clip's first frame, as its portrait."""
    picture = next(iter(clip.frames()), None)
    if picture is None:
        raise FaceProblem("expected a clip with at least one frame, got an empty one")
    return StillClip(picture, digest("first", clip.key), 1, clip.cache)


def _packed(faces: Sequence[Landmarks | None]) -> dict[str, Any]:
    """Faces as arrays: those seen, one after another, and on which of the T frames."""
    seen = [face for face in faces if face is not None]

    def stacked(name: str, width: tuple[int, ...]) -> NDArray[np.float32]:
        return np.stack([getattr(face, name) for face in seen]) if seen else np.zeros((0, *width), np.float32)

    return {
        "seen": np.array([face is not None for face in faces], bool),
        "points": np.round(stacked("points", (478, 3)) * _STEP) / np.float32(_STEP),
        "actions": stacked("actions", (52,)),
        "rotation_deg": stacked("rotation_deg", (3,)),
        "translation": stacked("translation", (3,)),
        "score": np.array([face.score for face in seen], np.float32),
    }


def _unpacked(entry: dict[str, Any]) -> list[Landmarks | None]:
    names = ("points", "actions", "rotation_deg", "translation", "score")
    rows = iter(zip(*(entry[name] for name in names), strict=True))
    return [Landmarks(*next(rows)) if seen else None for seen in entry["seen"]]
