"""The gallery's kinds of picture: a face is still found on each, and all are pictures."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from instructavatar.features.landmarks import FaceLandmarker

TOOLS = Path(__file__).parents[2] / "tools"


@pytest.fixture(scope="module")
def landmarker():
    return FaceLandmarker.load()


@pytest.fixture
def gallery(monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.syspath_prepend(str(TOOLS))
    yield importlib.import_module("gallery")
    for name in ("gallery", "contact_sheet"):
        sys.modules.pop(name, None)


def test_every_kind_shows_a_face(gallery, landmarker):
    made = gallery.published()
    assert len(made) >= 10 and len(gallery.SHOWN) == 12
    for name, make in made.items():
        picture = make()
        assert picture.dtype == np.uint8 and picture.ndim == 3, name
        face = landmarker.choose(picture, "largest")
        assert face.width_px >= 60, name
