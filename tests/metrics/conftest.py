"""Clips and cases without files: the rig gives the landmarks of a known motion, so that what is measured is known.

Fixtures give functions:

    draw_faces(motion)               list of Landmarks: the rig's points under that motion
    make_clip(motion)                a clip of known faces (its frames are plain grey, unless frames are given)
    make_clip(frames=pictures)       a clip of given pictures [H, W, 3]; its faces are measured
    make_portrait()                  one picture with one face; `.held(T)` holds it
    make_case(clip, truth=..., ...)  a case; portrait, sound, asked, phones and baseline as they are given
    drawn_clip(motion)               the demo portrait moved by the codec that ships; faces are measured (25 frames/s; slow)
    speech()                         (motion, sound, phones) that fit each other, 2.8 s; repeat=2 says it twice
"""

from itertools import count

import numpy as np
import pytest

from instructavatar.face.landmarks import POINT_COUNT, Landmarks
from instructavatar.face.motion import ACTION_COUNT, FRAME_RATE_HZ, SAMPLES_PER_FRAME, FaceMotion, rotation_matrix
from instructavatar.face.rig import RIG_FILE, Rig
from instructavatar.face.visemes import lip_aperture, mouth_actions
from instructavatar.features.face_motion import resting_motion
from instructavatar.media.portrait import read_portrait
from instructavatar.metrics.benchmark import warp_codec
from instructavatar.metrics.cache import Cache
from instructavatar.metrics.case import Case
from instructavatar.metrics.clips import Clip, StillClip, landmarker
from instructavatar.metrics.pairs import Asked

SIDE = 256  # pixels of made pictures
PHONES = (
    ("pau", 0.0, 0.8),
    ("m", 0.8, 0.9),
    ("aa", 0.9, 1.2),
    ("p", 1.2, 1.3),
    ("ae", 1.3, 1.6),
    ("b", 1.6, 1.7),
    ("ow", 1.7, 2.0),
    ("pau", 2.0, 2.8),
)
SPEECH_FRAMES = 70
_NUMBERS = count()


class MadeClip(Clip):
    """A clip whose frames, faces and sound are given."""

    def __init__(self, pictures, faces=None, sound=None, key=None):
        super().__init__(Cache(None))
        self.made, self.heard, self.key = pictures, sound, key or f"made-{next(_NUMBERS)}"
        if faces is not None:
            self.__dict__["faces"] = list(faces)  # fills the cached property

    def frames(self):
        return iter(self.made)

    @property
    def sound(self):
        return self.heard

    @property
    def length_hint(self):
        return len(self.made)


class MadePortrait(StillClip):
    """A portrait whose face is given; None: it is measured."""

    def __init__(self, picture, face=None, length=1, key=None):
        super().__init__(picture, key or f"portrait-{next(_NUMBERS)}", length, Cache(None))
        self.given = face
        if face is not None:
            self.__dict__["face"] = face

    def held(self, length):
        return MadePortrait(self.picture, self.given, length, self._picture_key)


def faces_of(motion, noise=0.0, shake_px=0.0, seed=0, size_px=60.0, middle_px=(128.0, 128.0)):
    """Faces [T] of a motion: the rig's points, `size_px` between the eyes, about `middle_px`.

    `noise` is the standard deviation of the scores, `shake_px` of the points, new on each frame.
    """
    rig, rng = Rig.load(), np.random.default_rng(seed)
    solid = rig.neutral + rig.offsets(motion.actions)  # [T, 468, 3]
    turns = np.stack([rotation_matrix(*angles) for angles in motion.rotation_deg])
    turned = np.einsum("tpj,tij->tpi", solid, turns)
    turned[..., :2] += motion.translation[:, None, :2]
    points = np.zeros((len(motion), POINT_COUNT, 3), np.float32)
    points[:, :468] = turned * np.array([size_px, -size_px, -size_px]) + np.array([*middle_px, 0.0])
    points[:, 468:] = points[:, :468].mean(1, keepdims=True)
    points += rng.normal(0, shake_px, points.shape) if shake_px else 0
    actions = (motion.actions + rng.normal(0, noise, motion.actions.shape)).clip(0, 1) if noise else motion.actions
    return [Landmarks(*row) for row in zip(points, actions, motion.rotation_deg, motion.translation, strict=True)]


def clip_of(motion=None, frames=None, faces=None, sound=None, key=None, **drawn):
    """A clip of a motion, of pictures, of faces, or of what of them is given."""
    if faces is None and motion is not None:
        faces = faces_of(motion, **drawn)
    if frames is None:
        frames = [np.full((SIDE, SIDE, 3), 128, np.uint8)] * len(faces)
    return MadeClip(frames, faces, sound, key)


def portrait_of(motion=None, picture=None, key=None, **drawn):
    """A portrait with the face of the motion's first frame; the neutral one where none is given."""
    face = faces_of(FaceMotion.still(1) if motion is None else motion, **drawn)[0]
    return MadePortrait(np.full((SIDE, SIDE, 3), 128, np.uint8) if picture is None else picture, face, key=key)


def case_of(clip, truth=None, portrait=None, asked=None, baseline=None, sound=None, phones=(), sound_key=""):
    """A case; the sound is the truth's or the clip's own where none is given."""
    heard = next((one for one in (sound, truth and truth.sound, clip.sound) if one is not None), None)
    key = sound_key or (f"sound-{next(_NUMBERS)}" if heard is not None else "")
    return Case("made", clip, portrait or portrait_of(), asked or Asked(), truth, baseline, heard, key, tuple(phones))


def voice_of(loudness, seed=0):
    """A sound [T * 640]: noise as loud on each frame as the curve [T] says, 0..1."""
    times = (np.arange(len(loudness) * SAMPLES_PER_FRAME) + 0.5) / SAMPLES_PER_FRAME - 0.5
    envelope = np.interp(times, np.arange(len(loudness)), loudness)
    return (0.5 * envelope * np.random.default_rng(seed).uniform(-1, 1, len(times))).astype(np.float32)


def said(repeat=1, late=0, seed=0, level=0.002):
    """Motion [70 * repeat frames], sound and phones of one who speaks PHONES; `late` shifts the lips by so many frames."""
    frames, length_s = SPEECH_FRAMES * repeat, SPEECH_FRAMES / FRAME_RATE_HZ
    phones = tuple((name, start + n * length_s, end + n * length_s) for n in range(repeat) for name, start, end in PHONES)
    values = FaceMotion.still(frames).values.copy()
    values[:, :ACTION_COUNT] = np.roll(mouth_actions(phones, frames), late, axis=0)
    return FaceMotion(values), voice_of(lip_aperture(phones, frames) + level, seed), phones


@pytest.fixture
def draw_faces():
    """The function `faces_of`."""
    return faces_of


@pytest.fixture
def make_clip():
    """The function `clip_of`."""
    return clip_of


@pytest.fixture
def make_portrait():
    """The function `portrait_of`."""
    return portrait_of


@pytest.fixture
def make_case():
    """The function `case_of`."""
    return case_of


@pytest.fixture
def make_voice():
    """The function `voice_of`."""
    return voice_of


@pytest.fixture
def speech():
    """The function `said`."""
    return said


@pytest.fixture(scope="session")
def demo_face():
    """The portrait that ships, at most 512 pixels high, with its face: (picture, Landmarks)."""
    picture = read_portrait(RIG_FILE.parent / "demo_portrait.jpg", max_side=512).rgb
    return picture, landmarker().find(picture)[0]


@pytest.fixture
def drawn_clip(demo_face):
    """A function: motion -> the demo portrait that makes it, drawn by the codec that ships."""

    def draw(motion, sound=None):
        picture, face = demo_face
        appearance = warp_codec().encode_appearance(picture, face, resting_motion(face))
        return MadeClip(list(warp_codec().decode(appearance, motion.values)), sound=sound)

    return draw
