from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from instructavatar.codecs.warp import WarpCodec
from instructavatar.features.face_motion import resting_motion
from instructavatar.features.landmarks import FaceLandmarker

PORTRAITS = Path(__file__).parents[1] / "assets" / "portraits"


@pytest.fixture(scope="session")
def landmarker():
    return FaceLandmarker.load()


@pytest.fixture(scope="session")
def codec():
    return WarpCodec.load()


def _subject(landmarker, codec, name):
    portrait = cv2.cvtColor(cv2.imread(str(PORTRAITS / name)), cv2.COLOR_BGR2RGB)
    face = landmarker.find(portrait)[0]
    return codec.encode_appearance(portrait, face, resting_motion(face))


@pytest.fixture(scope="session")
def smiling(landmarker, codec):
    """A small face that shows its teeth, in a larger picture."""
    return _subject(landmarker, codec, "astronaut.png")


@pytest.fixture(scope="session")
def calm(landmarker, codec):
    """A large neutral face with closed lips."""
    return _subject(landmarker, codec, "head_1.png")


@pytest.fixture(scope="session")
def draw(codec):
    """One picture of an appearance with named values of motion; its rest where none are given."""

    def drawn(appearance, **values):
        from instructavatar.face.motion import FaceMotion

        motion = FaceMotion.of(1, values).values if values else appearance.rest[None]
        return next(codec.decode(appearance, np.asarray(motion)))

    return drawn
