"""The product: a portrait, a voice and an instruction become a clip.

    avatar = Avatar.load()
    avatar.animate("face.jpg", audio="voice.wav", instruction="talk happily").save("out.mp4")

T video frames (25 Hz), D numbers of motion a frame: the 58 of FaceMotion, or a codec's latents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from instructavatar.codecs.base import Codec, Latents
from instructavatar.codecs.loading import load_codec
from instructavatar.errors import BadBundle, BadMedia, BadOption, MissingFile
from instructavatar.face.curves import read_curves, write_curves
from instructavatar.face.landmarks import Landmarks
from instructavatar.face.motion import FRAME_RATE_HZ, MOTION_DIM, SAMPLE_RATE_HZ, SAMPLES_PER_FRAME, SPEECH_PER_FRAME, FaceMotion, frames_of
from instructavatar.face.script import Script
from instructavatar.features.face_motion import face_motion, held, resting_motion
from instructavatar.features.landmarks import FaceLandmarker
from instructavatar.features.speech import SpeechEncoder
from instructavatar.features.text import TextEncoder
from instructavatar.media.audio import read_audio
from instructavatar.media.files import written_beside
from instructavatar.media.portrait import read_portrait
from instructavatar.media.provenance import mark
from instructavatar.media.video import frames_at, read_video, write_video
from instructavatar.motion.bundle import check_extractors
from instructavatar.motion.generator import Generator

SILENT_SECONDS = 5.0  # length of a clip without audio when none is asked for
LONGEST_SECONDS = 3 * 3600.0
FULL_RATE_HZ = 48_000
FULL_SOUND_S = 1200  # longer sound is kept at the 16 kHz that is there already
CURVE_ENDINGS = {".csv", ".json"}
CODEC = "codec"  # folder of a bundle that holds the codec its motion belongs to
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Subject:
    """A portrait that was analysed once and can be animated many times."""

    picture: NDArray[np.uint8]  # RGB [H, W, 3]
    landmarks: Landmarks
    rest: NDArray[np.float32]  # the picture's own expression [58]
    appearance: Any  # what the codec made of it


@dataclass(frozen=True)
class Clip:
    """A finished motion and the means to draw it. Frames are drawn when they are asked for, so memory stays flat."""

    subject: Subject
    motion: FaceMotion | Latents
    audio: NDArray[np.float32] | None  # mono, as long as the motion
    codec: Codec
    marks: dict[str, str] = field(default_factory=dict)
    audio_rate_hz: int = SAMPLE_RATE_HZ

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.motion.seconds

    @property
    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """RGB frames [H, W, 3] at 25 Hz in the picture's own size."""
        return self.codec.decode(self.subject.appearance, self.motion.values)

    def save(self, path: str | Path, *, concat: bool = False, progress: Progress | None = None) -> Path:
        """Write an H.264 + AAC mp4 with its provenance mark; `concat` puts the portrait at the left.

        Raises:
            CannotWrite: the folder cannot be written or the disk is full; no file is left.
        """
        frames = self.frames
        if concat:
            frames = (np.concatenate([self.subject.picture, frame], 1) for frame in frames)
        counted = _counted(frames, len(self.motion), "drawing", progress)
        write_video(path, counted, self.audio, fps=FRAME_RATE_HZ, metadata=self.marks, audio_rate_hz=self.audio_rate_hz)
        return Path(path)

    def save_motion(self, path: str | Path) -> Path:
        """Write the curves as CSV or JSON, by the file's ending.

        Raises:
            BadOption: the model moves in a codec's latents, which are no curves.
            CannotWrite: the folder cannot be written or the disk is full; no file is left.
        """
        if not isinstance(self.motion, FaceMotion):
            raise BadOption("expected a model that moves in curves, got one that moves in its codec's latents; leave the curves out")
        with written_beside(path) as part:
            write_curves(self.motion, part)
        return Path(path)


class Avatar:
    """Everything that animates a portrait. Make one with `Avatar.load`."""

    def __init__(
        self,
        *,
        generator: Generator,
        landmarker: FaceLandmarker,
        speech: SpeechEncoder,
        text: TextEncoder,
        codec: Codec,
    ) -> None:
        self.generator = generator
        self.landmarker = landmarker
        self.speech = speech
        self.text = text
        self.codec = codec

    @classmethod
    def load(cls, bundle: str | Path | None = None, *, codec: str | Path | None = None) -> Avatar:
        """Load a model bundle (a folder); without one, the default that ships with the package.

        Args:
            bundle: folder that `instructavatar export` wrote.
            codec: a codec bundle, or a file of configs/codec/ (default: the folder `codec` of the bundle, else the warp codec).

        Raises:
            BadBundle: the bundle is damaged or of another version, or its motion is another codec's.
            MissingFile: a file is not there.
        """
        generator, speech, text = Generator.load(bundle), SpeechEncoder.load(), TextEncoder.load()
        within = Path(bundle) / CODEC if bundle is not None else None
        drawn_by = _codec_for(generator, codec or (within if within and within.is_dir() else None))
        check_extractors(generator.config, {"speech": speech.version, "text": text.version})
        return cls(generator=generator, landmarker=FaceLandmarker.load(), speech=speech, text=text, codec=drawn_by)

    def analyse(self, portrait: Any, *, face: int | str | None = None, max_side: int = 1920) -> Subject:
        """Find the face and prepare the picture.

        Args:
            portrait: a path, an RGB array or a PIL image.
            face: which face when there are several: its number in the order of size, or 'largest'.
            max_side: longer sides are scaled down to this many pixels.

        Raises:
            FaceProblem: no face, several without a choice, or one too small or too turned.
        """
        picture = read_portrait(portrait, max_side=max_side).rgb
        landmarks = self.landmarker.choose(picture, face)
        rest = resting_motion(landmarks)
        return Subject(picture, landmarks, rest, self.codec.encode_appearance(picture, landmarks, rest))

    def animate(
        self,
        portrait: Any,
        audio: Any = None,
        instruction: str | None = None,
        *,
        seconds: float | None = None,
        pose: NDArray[np.float32] | None = None,
        seed: int = 0,
        text_guidance: float | None = None,
        audio_guidance: float | None = None,
        intensity: float = 1.0,
        face: int | str | None = None,
        max_side: int = 1920,
        progress: Progress | None = None,
    ) -> Clip:
        """A clip of the portrait that speaks the audio and follows the instruction.

        Audio alone talks neutrally, an instruction alone moves silently, neither gives idle life.

        Args:
            portrait: a path, an RGB array, a PIL image, or a `Subject` from `analyse`.
            audio: a path, or mono samples at 16 kHz.
            instruction: a sentence, or timed segments such as "0-2s: smile | 2-4s: turn left".
            seconds: length without audio (when not given: the end of timed segments, else 5); with audio, cuts or pads it.
            pose: head pitch, yaw, roll [T, 3] in degrees to follow instead of the predicted ones.
            seed: the same seed gives the same video.
            text_guidance: classifier-free guidance scale of the instruction; the bundle's own when not given.
            audio_guidance: the same for the speech.
            intensity: strength of the instruction, 0 (none) to 2.
            face: see `analyse`.
            max_side: see `analyse`.
            progress: called with (stage, done, total).

        Raises:
            InstructAvatarError: its subclasses say what is wrong with the input.
        """
        self._check_codec()
        _check_numbers(seconds=seconds, seed=seed, text_guidance=text_guidance, audio_guidance=audio_guidance, intensity=intensity)
        samples = _samples(audio)
        length = _length(samples, seconds, instruction)
        script = Script.parse(instruction, length) if instruction and instruction.strip() else None
        subject = portrait if isinstance(portrait, Subject) else self.analyse(portrait, face=face, max_side=max_side)
        frames = frames_of(length)
        samples = None if samples is None else _fit(samples, frames * SAMPLES_PER_FRAME)
        values = self.generator.values(
            frames,
            speech=None if samples is None else _fit(self.speech.encode(samples), frames * SPEECH_PER_FRAME),
            script=script,
            text_states=self.text.encode([segment.text for segment in script.segments]) if script else None,
            rest=self.codec.start(subject.appearance),
            pose=None if pose is None else _fit(_checked_pose(pose), frames, hold=True),
            seed=seed,
            text_guidance=text_guidance,
            speech_guidance=audio_guidance,
            intensity=intensity,
            progress=None if progress is None else lambda done, total: progress("moving", done, total),
        )
        heard, rate_hz = _heard(audio, samples, frames)
        motion = FaceMotion(values) if self.generator.motion_dim == MOTION_DIM else Latents(values)
        return Clip(subject, motion, heard, self.codec, self._marks(), rate_hz)

    def reenact(
        self,
        portrait: Any,
        driving: Any,
        *,
        audio: Any = None,
        face: int | str | None = None,
        max_side: int = 1920,
        progress: Progress | None = None,
    ) -> Clip:
        """The portrait makes a given motion.

        Args:
            portrait: as in `animate`.
            driving: a video's path, a path of curves (.csv, .json), or a `FaceMotion`. A video's head pose counts from its first frame;
                a codec with latents of its own takes the video's faces as they are, with their shape.
            audio: sound to put under it; a driving video's own sound when not given.
            face: see `analyse`.
            max_side: see `analyse`.
            progress: called with (stage, done, total).
        """
        subject = portrait if isinstance(portrait, Subject) else self.analyse(portrait, face=face, max_side=max_side)
        motion = driving if isinstance(driving, FaceMotion) else self._driving(driving, progress)
        if isinstance(motion, FaceMotion) and self.codec.motion_dim != MOTION_DIM:
            raise BadOption("expected a video to follow, got curves; this codec moves in latents of its own, which curves are not")
        heard, rate_hz = _heard(audio, _samples(audio), len(motion))
        if audio is None and isinstance(driving, str | Path) and Path(driving).suffix.lower() not in CURVE_ENDINGS:
            heard = _own_sound(driving, len(motion))
        return Clip(subject, motion, heard, self.codec, self._marks(), rate_hz)

    def _check_codec(self) -> None:
        made, read = self.generator.motion_dim, self.codec.motion_dim
        if made != read:
            raise BadBundle(
                f"expected a codec of {made} numbers a frame, as {self.generator.name} makes them, got one of {read}; see --codec"
            )

    def _driving(self, path: str | Path, progress: Progress | None) -> FaceMotion | Latents:
        if Path(path).suffix.lower() in CURVE_ENDINGS:
            return read_curves(path)
        tracked = []
        for landmarks in self.landmarker.track(frames_at(path, FRAME_RATE_HZ)):
            tracked.append(landmarks)
            if progress:
                progress("watching", len(tracked), 0)
        if self.codec.motion_dim != MOTION_DIM:
            return Latents(self.codec.encode_motion(held(tracked)))
        return FaceMotion(_from_first_pose(face_motion(tracked).values))

    def _marks(self) -> dict[str, str]:
        return mark(model=self.generator.name)


def _codec_for(generator: Generator, path: str | Path | None) -> Codec:
    """The codec at a path, or the warp codec; another one than the generator names is refused."""
    from instructavatar.codecs.warp import WarpCodec

    if path is None and generator.motion_dim != MOTION_DIM:
        raise MissingFile(f"{generator.name} moves in the latents of {generator.codec or 'a codec'}; name its bundle with --codec")
    codec, version = load_codec(path) if path is not None else (WarpCodec.load(), "")
    if generator.codec and generator.codec != version:
        raise BadBundle(
            f"expected the codec that {generator.name} moves in, {generator.codec}, got {version or path}; use the one it names"
        )
    return codec


def _from_first_pose(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Head pose counted from the first frame, so the portrait starts as it is. [T, 58]."""
    relative = values.copy()
    relative[:, -6:] -= values[0, -6:]
    return relative


def _samples(audio: Any) -> NDArray[np.float32] | None:
    if audio is None:
        return None
    if isinstance(audio, np.ndarray):
        whole = audio.ndim == 1 and audio.size > 0 and np.issubdtype(audio.dtype, np.floating)
        if not whole or not np.isfinite(audio).all():
            got = f"{audio.dtype} {list(audio.shape)}"
            raise BadMedia(f"expected finite mono samples [N] as floats from -1 to 1 at {SAMPLE_RATE_HZ} Hz, got an array of {got}")
        return audio.astype(np.float32)
    return read_audio(audio)


def _heard(audio: Any, samples: NDArray[np.float32] | None, frames: int) -> tuple[NDArray[np.float32] | None, int]:
    """The video's sound and its rate: a file's own at full quality, unless it is so long that memory would suffer."""
    if samples is None:
        return None, SAMPLE_RATE_HZ
    if isinstance(audio, np.ndarray) or len(samples) > FULL_SOUND_S * SAMPLE_RATE_HZ:
        return _fit(samples, frames * SAMPLES_PER_FRAME), SAMPLE_RATE_HZ
    return _fit(read_audio(audio, FULL_RATE_HZ), frames * FULL_RATE_HZ // FRAME_RATE_HZ), FULL_RATE_HZ


def _checked_pose(pose: Any) -> NDArray[np.float32]:
    values = np.asarray(pose, np.float32)
    if values.ndim != 2 or values.shape[1] != 3 or not len(values) or not np.isfinite(values).all():
        raise BadOption(f"expected a pose [T, 3] of finite degrees (pitch, yaw, roll), got an array of shape {list(values.shape)}")
    return values


def _own_sound(path: str | Path, frames: int) -> NDArray[np.float32] | None:
    """The driving video's sound, from its first frame on; None when it has none."""
    sound = read_video(path).audio
    return None if sound is None else _fit(sound, frames * SAMPLES_PER_FRAME)


def _length(samples: NDArray[np.float32] | None, seconds: float | None, instruction: str | None) -> float:
    """Length of the clip in seconds: as asked, else the audio's, else the end of the timed segments, else the default."""
    if seconds is not None:
        return seconds
    if samples is not None:
        return max(len(samples) / SAMPLE_RATE_HZ, 1 / FRAME_RATE_HZ)
    if not instruction or not instruction.strip():
        return SILENT_SECONDS
    last = Script.parse(instruction, LONGEST_SECONDS).segments[-1]
    return last.end_s if last.end_s < LONGEST_SECONDS else last.start_s + SILENT_SECONDS


def _fit(values: NDArray[np.float32], length: int, hold: bool = False) -> NDArray[np.float32]:
    """Cut or pad along the first axis, with zeros or by holding the last value."""
    short = length - len(values)
    if short <= 0:
        return values[:length]
    padding = [(0, short)] + [(0, 0)] * (values.ndim - 1)
    return np.pad(values, padding, mode="edge" if hold else "constant")


def _check_numbers(seconds: float | None, seed: int, text_guidance: float | None, audio_guidance: float | None, intensity: float) -> None:
    ranges = {
        "seconds": (seconds, 1 / FRAME_RATE_HZ, LONGEST_SECONDS),
        "seed": (seed, 0, 2**63 - 1),
        "text_guidance": (text_guidance, 0.0, 20.0),
        "audio_guidance": (audio_guidance, 0.0, 20.0),
        "intensity": (intensity, 0.0, 2.0),
    }
    for name, (value, low, high) in ranges.items():
        if value is not None and not (np.isfinite(value) and low <= value <= high):
            raise BadOption(f"expected {name} between {low:g} and {high:g}, got {value:g}")


def _counted(frames: Iterator[Any], total: int, stage: str, progress: Progress | None) -> Iterator[Any]:
    for done, frame in enumerate(frames, 1):
        yield frame
        if progress:
            progress(stage, done, total)
