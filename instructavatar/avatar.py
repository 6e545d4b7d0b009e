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
from instructavatar.errors import BadBundle, BadOption, MissingFile
from instructavatar.face.curves import read_curves, write_curves
from instructavatar.face.landmarks import Landmarks
from instructavatar.face.motion import FRAME_RATE_HZ, MOTION_DIM, SAMPLE_RATE_HZ, SAMPLES_PER_FRAME, SPEECH_PER_FRAME, FaceMotion, frames_of
from instructavatar.face.script import Script
from instructavatar.face.shaping import LATENTS, Shape, check_range
from instructavatar.features.driving import retargeted, smoothed
from instructavatar.features.face_motion import face_motion, held, resting_motion
from instructavatar.features.landmarks import FaceLandmarker, choose_face
from instructavatar.features.speech import SpeechEncoder
from instructavatar.features.text import TextEncoder
from instructavatar.media.files import written_beside
from instructavatar.media.output import keeps_alpha, write_output
from instructavatar.media.portrait import read_portrait, with_opacity
from instructavatar.media.provenance import mark
from instructavatar.media.soundtrack import fitted, own_sound, samples_of, soundtrack
from instructavatar.media.video import frames_at
from instructavatar.motion.bundle import check_extractors
from instructavatar.motion.generator import Generator
from instructavatar.preview import Preview, preview

SILENT_SECONDS = 5.0  # length of a clip without audio when none is asked for
LONGEST_SECONDS = 3 * 3600.0
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
    alpha: NDArray[np.uint8] | None = None  # opacity [H, W] of a picture that has one; `picture` then lies on grey
    faces: tuple[Landmarks, ...] = ()  # all that were found, largest first


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

    @property
    def transparent_frames(self) -> Iterator[NDArray[np.uint8]]:
        """RGBA frames [H, W, 4] of a portrait with opacity, which moves with the head; else `frames`."""
        alpha = self.subject.alpha
        if alpha is None:
            return self.frames
        pairs = self.codec.decode_with_alpha(self.subject.appearance, self.motion.values, alpha)
        return (with_opacity(picture, opacity) for picture, opacity in pairs)

    def save(self, path: str | Path, *, concat: bool = False, progress: Progress | None = None) -> Path:
        """Write the clip, with its provenance mark, as its name asks.

        Args:
            path: .mp4, .webm, .mov, .gif, a name with %05d.png, or a folder for PNG frames. All but mp4 keep a portrait's opacity; GIF
                and PNG have no sound (`media.output`).
            concat: put the portrait at the left.
            progress: called with (stage, done, total).

        Raises:
            BadOption: another ending.
            CannotWrite: the folder cannot be written or the disk is full; nothing is left.
        """
        clear = self.subject.alpha is not None and keeps_alpha(path)
        frames, portrait = (self.transparent_frames if clear else self.frames), self.subject.picture
        if clear and self.subject.alpha is not None:
            portrait = with_opacity(portrait, self.subject.alpha)
        if concat:
            frames = (np.concatenate([portrait, frame], 1) for frame in frames)
        counted = _counted(frames, len(self.motion), "drawing", progress)
        write_output(path, counted, self.audio, self.marks, self.audio_rate_hz)
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
        read = read_portrait(portrait, max_side=max_side)
        faces = self.landmarker.find(read.rgb)
        chosen = choose_face(faces, face, read.rgb.shape[:2])
        landmarks = self.landmarker.balanced(read.rgb, chosen)
        faces = [landmarks if one is chosen else one for one in faces]
        rest, others = resting_motion(landmarks), [one for one in faces if one is not landmarks]
        appearance = self.codec.encode_appearance(read.rgb, landmarks, rest, others)
        return Subject(read.rgb, landmarks, rest, appearance, read.alpha, tuple(faces))

    def preview(self, portrait: Any, *, face: int | str | None = None, max_side: int = 1920) -> Preview:
        """What was found in the picture and what will be made of it: see `preview.Preview`. Arguments and errors of `analyse`."""
        subject = portrait if isinstance(portrait, Subject) else self.analyse(portrait, face=face, max_side=max_side)
        return preview(self.codec, subject.appearance, subject.faces or (subject.landmarks,), self._marks())

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
        head_motion: float = 1.0,
        blink: float = 1.0,
        still: bool = False,
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
            head_motion: share of the head's rotation and translation that stays, 0 to 1, also of what the instruction asks for.
            blink: share of the blinks that stay, 0 to 1; eyes that are asked to close, wink or look stay as they are.
            still: head and body hold still and only the face moves, the same as a `head_motion` of 0.
            face: see `analyse`.
            max_side: see `analyse`.
            progress: called with (stage, done, total).

        Raises:
            InstructAvatarError: its subclasses say what is wrong with the input.
        """
        self._check_codec()
        _check_numbers(seconds=seconds, seed=seed, text_guidance=text_guidance, audio_guidance=audio_guidance, intensity=intensity)
        shape = Shape(head_motion, blink, still)
        shape.check(self.codec.motion_dim)
        if pose is not None and shape.share_of_head < 1:
            raise BadOption("expected either a pose to follow or less head motion, got both; leave one of them out")
        samples = samples_of(audio)
        length = _length(samples, seconds, instruction)
        script = Script.parse(instruction, length) if instruction and instruction.strip() else None
        subject = portrait if isinstance(portrait, Subject) else self.analyse(portrait, face=face, max_side=max_side)
        frames = frames_of(length)
        samples = None if samples is None else fitted(samples, frames * SAMPLES_PER_FRAME)
        values = self.generator.values(
            frames,
            speech=None if samples is None else fitted(self.speech.encode(samples), frames * SPEECH_PER_FRAME),
            script=script,
            text_states=self.text.encode([segment.text for segment in script.segments]) if script else None,
            rest=self.codec.start(subject.appearance),
            pose=None if pose is None else fitted(_checked_pose(pose), frames, hold=True),
            seed=seed,
            text_guidance=text_guidance,
            speech_guidance=audio_guidance,
            intensity=intensity,
            progress=None if progress is None else lambda done, total: progress("moving", done, total),
        )
        heard, rate_hz = soundtrack(audio, samples, frames)
        motion = shape.of(FaceMotion(values)) if self.generator.motion_dim == MOTION_DIM else Latents(values)
        return Clip(subject, motion, heard, self.codec, self._marks(), rate_hz)

    def reenact(
        self,
        portrait: Any,
        driving: Any,
        *,
        audio: Any = None,
        relative: bool | None = None,
        smooth: float = 0.0,
        head_motion: float = 1.0,
        blink: float = 1.0,
        still: bool = False,
        face: int | str | None = None,
        max_side: int = 1920,
        progress: Progress | None = None,
    ) -> Clip:
        """The portrait makes a given motion.

        Args:
            portrait: as in `animate`.
            driving: a video's path, a path of curves (.csv, .json), or a `FaceMotion`.
                A codec with latents of its own takes the video's faces as they are, with their shape.
            audio: sound to put under it; a driving video's own sound when not given.
            relative: True adds what the driver does beyond his calm face to the portrait's own expression; False takes expression and
                head angle as they are. When not given, expressions are the driver's and the head counts from the first frame of a
                video, or is as curves say.
            smooth: 0 (as measured) to 1; takes the trembling out and leaves blinks, meeting lips and nods, without delay.
            head_motion: as in `animate`.
            blink: as in `animate`.
            still: as in `animate`.
            face: see `analyse`.
            max_side: see `analyse`.
            progress: called with (stage, done, total).
        """
        shape = Shape(head_motion, blink, still)
        shape.check(self.codec.motion_dim)
        check_range("smooth", smooth, 0.0, 1.0)
        if self.codec.motion_dim != MOTION_DIM and (relative is not None or smooth > 0):
            raise BadOption(f"expected no relative, absolute or smooth motion {LATENTS}")
        subject = portrait if isinstance(portrait, Subject) else self.analyse(portrait, face=face, max_side=max_side)
        motion, filmed = self._driving(driving, progress)
        if isinstance(motion, FaceMotion):
            if self.codec.motion_dim != MOTION_DIM:
                raise BadOption("expected a video to follow, got curves; this codec moves in latents of its own, which curves are not")
            made = retargeted(smoothed(motion, smooth), subject.rest, subject.landmarks.rotation_deg, relative, filmed)
            motion = shape.of(made)
        heard, rate_hz = soundtrack(audio, samples_of(audio), len(motion))
        if audio is None and filmed:
            heard = own_sound(driving, len(motion))
        return Clip(subject, motion, heard, self.codec, self._marks(), rate_hz)

    def _check_codec(self) -> None:
        made, read = self.generator.motion_dim, self.codec.motion_dim
        if made != read:
            raise BadBundle(
                f"expected a codec of {made} numbers a frame, as {self.generator.name} makes them, got one of {read}; see --codec"
            )

    def _driving(self, driving: Any, progress: Progress | None) -> tuple[FaceMotion | Latents, bool]:
        """The driver's motion, as measured, and whether it was filmed."""
        if isinstance(driving, FaceMotion):
            return driving, False
        if Path(driving).suffix.lower() in CURVE_ENDINGS:
            return read_curves(driving), False
        tracked = []
        for landmarks in self.landmarker.track(frames_at(driving, FRAME_RATE_HZ)):
            tracked.append(landmarks)
            if progress:
                progress("watching", len(tracked), 0)
        if self.codec.motion_dim != MOTION_DIM:
            return Latents(self.codec.encode_motion(held(tracked))), True
        return face_motion(tracked), True

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


def _checked_pose(pose: Any) -> NDArray[np.float32]:
    values = np.asarray(pose, np.float32)
    if values.ndim != 2 or values.shape[1] != 3 or not len(values) or not np.isfinite(values).all():
        raise BadOption(f"expected a pose [T, 3] of finite degrees (pitch, yaw, roll), got an array of shape {list(values.shape)}")
    return values


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


def _check_numbers(seconds: float | None, seed: int, text_guidance: float | None, audio_guidance: float | None, intensity: float) -> None:
    ranges = {
        "seconds": (seconds, 1 / FRAME_RATE_HZ, LONGEST_SECONDS),
        "seed": (seed, 0, 2**63 - 1),
        "text_guidance": (text_guidance, 0.0, 20.0),
        "audio_guidance": (audio_guidance, 0.0, 20.0),
        "intensity": (intensity, 0.0, 2.0),
    }
    for name, (value, low, high) in ranges.items():
        if value is not None:
            check_range(name, value, low, high)


def _counted(frames: Iterator[Any], total: int, stage: str, progress: Progress | None) -> Iterator[Any]:
    for done, frame in enumerate(frames, 1):
        yield frame
        if progress:
            progress(stage, done, total)
