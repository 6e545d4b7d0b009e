import numpy as np
import pytest

from instructavatar.face.action_units import ACTION_UNITS, unit_strengths
from instructavatar.face.emotions import BASIC, INTENSITY, PLAIN_INTENSITY, PROTOTYPES, TYPICAL_UNITS, expression
from instructavatar.face.motion import INDEX

FELT = [name for name in PROTOTYPES if name != "neutral"]


def test_the_eight_of_mead_are_there():
    assert len(BASIC) == 8 and set(BASIC) <= set(PROTOTYPES)
    assert not expression("neutral").any()


@pytest.mark.parametrize("name", FELT)
def test_intensity_is_ordered(name):
    slight, plain, very = (expression(name, s)[:52] for s in (INTENSITY[1], PLAIN_INTENSITY, INTENSITY[3]))
    main = int(np.argmax(plain))
    assert plain[main] - slight[main] >= 0.05
    assert very[main] - plain[main] >= 0.04
    assert very.max() <= 1.0


def test_emotions_differ_from_each_other():
    shapes = np.stack([expression(name)[:52] for name in BASIC if name != "neutral"])
    unit = shapes / np.linalg.norm(shapes, axis=1, keepdims=True)
    assert (unit @ unit.T - np.eye(len(unit))).max() < 0.85


def test_typical_units_are_known_and_mostly_shown():
    for name, units in TYPICAL_UNITS.items():
        assert set(units) <= set(ACTION_UNITS)
        strengths = unit_strengths(expression(name, INTENSITY[3])[:52])
        assert sum(strengths[unit] >= 0.3 for unit in units) >= 2, name


def test_signs_of_an_emotion():
    sad, angry, surprised = expression("sad"), expression("angry"), expression("surprised")
    assert sad[INDEX["pitch"]] < 0 and sad[INDEX["browInnerUp"]] > 0.6
    assert angry[INDEX["browDownLeft"]] > 0.6 and angry[INDEX["mouthSmileLeft"]] == 0
    assert surprised[INDEX["jawOpen"]] > 0.3 and surprised[INDEX["eyeWideLeft"]] > 0.5


def test_a_mixture_shows_both():
    mixed = expression("happy+surprised")
    assert mixed[INDEX["mouthSmileLeft"]] > 0.3
    assert mixed[INDEX["browInnerUp"]] > 0.3
