"""A video file -> what a store keeps of it: landmarks, motion, speech features, action units, face crops; or the reason why not.

T video frames at 25 Hz, N samples at 16 kHz, D numbers a row of speech features, S the side of the face crop in pixels.

One pass over the pictures: each is judged (cuts.py), measured, and let go. Crops, where they are asked for, take a second pass, because the
crop is fixed for the whole clip. So memory holds landmarks and sound, about 15 MB a minute, and one picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import BadMedia, BadOption, MissingFile
from instructavatar.face.landmarks import Landmarks
from instructavatar.face.motion import FRAME_RATE_HZ, SAMPLES_PER_FRAME, FaceMotion
from instructavatar.features import face_motion as measuring
from instructavatar.features.action_units import FromActions, UnitDetector, spread
from instructavatar.features.landmarks import FaceLandmarker
from instructavatar.features.speech import SpeechEncoder
from instructavatar.media.audio import read_audio
from instructavatar.media.video import Video, frames_at, read_video
from instructavatar.prepare.companions import Companions
from instructavatar.prepare.cuts import PictureWatch
from instructavatar.prepare.gates import Gates, Rejected
from instructavatar.prepare.lag import check_lag

VERSION = "measured-1"
MARGIN = 0.3  # room around the face on each side of the crop, in sides of the face's box: hair, chin and a turned head stay inside
Crop = tuple[float, float, float]
Picture = NDArray[np.uint8]
# What damaged files make FFmpeg, and what is built on it, raise beside our own errors.
_DAMAGED = (BadMedia, av.error.FFmpegError, ValueError, OSError)


class SpeechFeatures(Protocol):
    """A frozen speech encoder; picklable, or loaded by each process itself."""

    version: str
    dim: int

    def encode(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        """Features [2T, D] of sound [N] at 16 kHz, T = frames_of(N / 16000)."""
        ...


@dataclass(frozen=True)
class Measured:
    """A clip as measured. All fields cover the same T frames."""

    landmarks: NDArray[np.float32]
    """[T, 478, 3] pixels of the face crop (S x S), z in the same scale; frames without a face are filled in linearly."""
    motion: FaceMotion
    """[T, 58]; actions and rotation absolute as measured, translation from the first frame."""
    speech: NDArray[np.float16]
    """[2T, D]; of a corpus without sound, the features of silence."""
    audio_flag: bool
    """False where the corpus has no sound."""
    units: dict[str, float]
    """Action unit -> strength 0..1 over the whole clip, those present, strongest first."""
    crop: Crop
    """Left, top, side in pixels of the upright video; the square may reach beyond the picture."""
    frames: tuple[bytes, ...] = ()
    """The face crops as JPEG files, one a frame; () unless asked for."""


@lru_cache(maxsize=1)
def landmarker() -> FaceLandmarker:
    """The face landmarker, once for each process."""
    return FaceLandmarker.load(threads=1)


@lru_cache(maxsize=1)
def speech_encoder() -> SpeechEncoder:
    """The default speech encoder, once for each process."""
    return SpeechEncoder.load(threads=1)


class Measurer:
    """Measures videos. Picklable: nets are loaded by each process when they are first needed.

    Args:
        size: side S of the face crop in pixels.
        frames: whether to keep the crops as JPEG.
        jpeg_quality: 1 to 100.
        least_frames: shorter clips are rejected.
        gates: the other limits; None for the usual ones.
        speech: speech encoder; None for the one that ships.
        units: action unit detector; None for the one that reads them off the motion.
    """

    def __init__(
        self,
        size: int = 256,
        frames: bool = False,
        jpeg_quality: int = 90,
        least_frames: int = 25,
        gates: Gates | None = None,
        speech: SpeechFeatures | None = None,
        units: UnitDetector | None = None,
    ) -> None:
        """Checks the numbers; loads nothing."""
        if size < 16 or not 1 <= jpeg_quality <= 100 or least_frames < 1:
            wrong = f"size {size}, jpeg_quality {jpeg_quality}, least_frames {least_frames}"
            raise BadOption(f"expected size >= 16, jpeg_quality 1..100, least_frames >= 1, got {wrong}; mend measure in the config")
        self.size, self.frames, self.jpeg_quality, self.least_frames = size, frames, jpeg_quality, least_frames
        self.gates, self.units = gates or Gates(), units or FromActions()
        self._speech = speech

    @property
    def speech(self) -> SpeechFeatures:
        """The encoder in use."""
        return self._speech or speech_encoder()

    def versions(self) -> dict[str, str]:
        """What measures, by version: a store remembers it and refuses to mix two."""
        gates = ",".join(f"{name}={value:g}" for name, value in asdict(self.gates).items() if value != getattr(Gates(), name))
        return {
            "landmarks": landmarker().version,
            "motion": measuring.VERSION,
            "speech": self.speech.version,
            "units": self.units.version,
            "clips": f"{VERSION}/{self.size}px/{self.least_frames}f/gates({gates})" + (f"/jpeg{self.jpeg_quality}" if self.frames else ""),
        }

    def measure(self, video: Path, sound: Path | None, silent: bool) -> Measured:
        """Measure one clip.

        Args:
            video: a video file.
            sound: its sound, if that is a file of its own; None for the video's own track.
            silent: the corpus has no sound: whatever the file holds, silence of equal length stands in.

        Raises:
            Rejected: the clip is no material; the code and the detail say why.
        """
        film = self._opened(video)
        audio = None if silent else self._heard(film, sound)
        faces = self._watched(film)
        length = len(faces) * SAMPLES_PER_FRAME if audio is None else len(audio)
        self.gates.lengths(len(faces), length, stated_s(film))
        count = min(len(faces), length // SAMPLES_PER_FRAME + (length % SAMPLES_PER_FRAME > SAMPLES_PER_FRAME // 2))
        if count < self.least_frames:
            raise Rejected("too_short", f"{count} frames at {FRAME_RATE_HZ} Hz; at least {self.least_frames}")
        faces = faces[:count]
        self.gates.faces(faces)
        if audio is not None:
            check_lag(self.gates, faces, audio)
        return self._assembled(film, faces, audio)

    def _opened(self, path: Path) -> Video:
        try:
            film = read_video(path)
        except MissingFile as error:
            raise Rejected("missing", str(error)) from error
        except _DAMAGED as error:
            raise Rejected("bad_video", str(error)) from error
        if (missing := missing_bytes(path)) > 0:
            raise Rejected("bad_video", f"'{path.name}' is cut off, {missing} bytes are missing at its end; fetch it again")
        self.gates.long(stated_s(film))
        return film

    def _heard(self, film: Video, sound: Path | None) -> NDArray[np.float32]:
        """The clip's sound [N]."""
        if sound is None and not film.has_audio:
            raise Rejected("no_sound", f"'{film.path.name}' has no sound track; set silent for a corpus without sound")
        try:
            audio = film.audio if sound is None else read_audio(sound)
        except MissingFile as error:
            raise Rejected("missing", str(error)) from error
        except _DAMAGED as error:
            raise Rejected("bad_sound", str(error)) from error
        assert audio is not None
        self.gates.sound(audio)
        return audio

    def _watched(self, film: Video) -> list[Landmarks | None]:
        """The face on each frame, None where there is none; refuses as soon as a picture shows that the clip is no material."""
        net = landmarker()
        watch, company, last = PictureWatch(self.gates), Companions(self.gates, net), _Last()
        faces: list[Landmarks | None] = []
        lost = 0
        try:
            for face in net.track(last.passing(frames_at(film.path))):
                watch.see(last.frame)
                company.see(last.frame, face)
                faces.append(face)
                lost = 0 if face is not None else lost + 1
                self._missed(lost, len(faces), watch)
        except _DAMAGED as error:
            raise Rejected("bad_video", str(error)) from error
        watch.finish()
        company.finish()
        if not faces:
            raise Rejected("bad_video", f"no frame could be decoded in '{film.path.name}'")
        return faces

    def _missed(self, lost: int, so_far: int, watch: PictureWatch) -> None:
        """Refuse a gap too long to be filled; black pictures are named as such."""
        self.gates.long(so_far / FRAME_RATE_HZ)
        if lost <= self.gates.longest_gap_s * FRAME_RATE_HZ:
            return
        since = (so_far - lost) / FRAME_RATE_HZ
        if watch.black_run >= lost // 2:
            raise Rejected("black", f"black pictures from {since:.1f} s on")
        raise Rejected("no_face", f"no face for more than {self.gates.longest_gap_s:g} s from {since:.1f} s on")

    def _assembled(self, film: Video, faces: Sequence[Landmarks | None], audio: NDArray[np.float32] | None) -> Measured:
        motion = measuring.face_motion(faces)
        crop = crop_of(faces, film.width, film.height)
        wanted = spread(self.units.pictures, len(faces)) if self.units.pictures else np.zeros(0, np.int64)
        looks = set(wanted.tolist())
        pictures: list[Picture] = []
        jpegs: list[bytes] = []
        if self.frames or looks:
            for number, picture in enumerate(self._crops(film, crop, len(faces))):
                if self.frames:
                    jpegs.append(as_jpeg(picture, self.jpeg_quality))
                if number in looks:
                    pictures.append(picture)
        return Measured(
            landmarks=in_crop(points_of(faces), crop, self.size),
            motion=motion,
            speech=self._features(audio, len(faces)),
            audio_flag=audio is not None,
            units=self.units.strengths(motion, pictures),
            crop=crop,
            frames=tuple(jpegs),
        )

    def _crops(self, film: Video, crop: Crop, count: int) -> Iterator[Picture]:
        """The face crops [S, S, 3] of the first `count` frames."""
        for number, frame in enumerate(frames_at(film.path)):
            if number == count:
                return
            yield crop_picture(frame, crop, self.size)

    def _features(self, audio: NDArray[np.float32] | None, frames: int) -> NDArray[np.float16]:
        """Speech features [2T, D] of the sound's first T frames; of silence where there is none."""
        samples = frames * SAMPLES_PER_FRAME
        heard = np.zeros(samples, np.float32)
        if audio is not None:
            heard[: min(len(audio), samples)] = audio[:samples]
        features = self.speech.encode(heard)
        if features.shape != (2 * frames, self.speech.dim) or not np.isfinite(features).all():
            shape = f"{list(features.shape)}, finite: {bool(np.isfinite(features).all())}"
            raise BadMedia(f"expected finite speech features of shape [{2 * frames}, {self.speech.dim}], got {shape}; mend the encoder")
        return features.astype(np.float16)


@dataclass
class _Last:
    """Remembers the frame that passed last, for who comes after an iterator that gives something else."""

    frame: Picture = field(default_factory=lambda: np.zeros((1, 1, 3), np.uint8))

    def passing(self, frames: Iterator[Picture]) -> Iterator[Picture]:
        for self.frame in frames:
            yield self.frame


def missing_bytes(path: Path) -> int:
    """How many bytes are missing at the end of an mp4 or mov file: its boxes say how long they are. 0 for other files."""
    size, at = path.stat().st_size, 0
    with path.open("rb") as file:
        while at < size:
            file.seek(at)
            head = file.read(16)
            if at == 0 and head[4:8] != b"ftyp":
                return 0
            length = int.from_bytes(head[:4])
            length = int.from_bytes(head[8:16]) if length == 1 else length
            if length < 8:  # 0: up to the end of the file; less than its own head: damaged, and FFmpeg's to judge
                return 0
            at += length
    return at - size


def stated_s(film: Video) -> float:
    """How long the file says the video is; 0 where it does not."""
    return film.frame_count / film.fps if film.frame_count and film.fps > 0 else 0.0


def crop_of(faces: Sequence[Landmarks | None], width: int, height: int) -> Crop:
    """The square around all of a clip's faces, with room, in whole pixels; moved into the picture of that size as far as it fits."""
    boxes = np.array([face.box for face in faces if face is not None])
    low, high = boxes[:, :2].min(0), boxes[:, 2:].max(0)
    side = max(2, round(float((high - low).max()) * (1 + 2 * MARGIN)))
    left, top = np.rint((low + high) / 2 - side / 2)
    return _inside(left, side, width), _inside(top, side, height), float(side)


def _inside(start: float, side: int, room: int) -> float:
    """Where a stretch begins once it is moved into 0..room; in the middle if it is longer."""
    return float((room - side) // 2) if side >= room else float(np.clip(start, 0, room - side))


def crop_picture(frame: Picture, crop: Crop, size: int) -> Picture:
    """A crop [size, size, 3] of a picture; what lies outside is filled from the border."""
    left, top, side = (int(value) for value in crop)
    height, width = frame.shape[:2]
    part = frame[max(0, top) : top + side, max(0, left) : left + side]
    margins = max(0, -top), max(0, top + side - height), max(0, -left), max(0, left + side - width)
    if any(margins):
        part = np.asarray(cv2.copyMakeBorder(part, *margins, borderType=cv2.BORDER_REPLICATE), np.uint8)
    how = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, (size, size), interpolation=how), np.uint8)


def in_crop(points: NDArray[np.float32], crop: Crop, size: int) -> NDArray[np.float32]:
    """Landmarks [T, 478, 3] in pixels of the picture -> pixels of the crop; depth in the same scale."""
    left, top, side = crop
    # cv2.resize lays pixel centres on pixel centres: the outer edges of both squares meet, so half a pixel goes in and out again.
    scale = np.float32(size / side)
    moved = points * scale
    moved[..., :2] += (scale - 1) / 2 - np.array([left, top], np.float32) * scale
    return moved


def points_of(faces: Sequence[Landmarks | None]) -> NDArray[np.float32]:
    """The landmarks of all frames [T, 478, 3]; gaps filled in linearly, ends held."""
    seen = np.array([frame for frame, face in enumerate(faces) if face is not None])
    points = np.stack([face.points for face in faces if face is not None])
    at = np.interp(np.arange(len(faces)), seen, np.arange(len(seen)))
    before = np.floor(at).astype(int)
    after = np.minimum(before + 1, len(seen) - 1)
    share = (at - before).astype(np.float32)[:, None, None]
    return points[before] * (1 - share) + points[after] * share


def as_jpeg(picture: Picture, quality: int) -> bytes:
    """A picture [H, W, 3] RGB as a JPEG file."""
    done, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return data.tobytes()


def seconds_of(found: Measured) -> float:
    """How long a measured clip is."""
    return len(found.motion) / FRAME_RATE_HZ
