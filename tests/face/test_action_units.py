import numpy as np
import pytest

from instructavatar.face.action_units import ACTION_UNITS, present_units, sides, unit_strengths, vector
from instructavatar.face.motion import ACTION_COUNT, ACTIONS, INDEX, mirror


def of(name):
    """The unit at full strength as actions [52]."""
    return vector(ACTION_UNITS[name].shape)[:ACTION_COUNT]


def test_the_41_units():
    assert len(ACTION_UNITS) == 41
    assert sum(unit.side == "both" for unit in ACTION_UNITS.values()) == 27
    assert {unit.number for unit in ACTION_UNITS.values()} >= {1, 2, 4, 5, 6, 7, 9, 10, 12, 15, 17, 20, 23, 24, 25, 26, 27, 32, 38, 39}


@pytest.mark.parametrize("name", ACTION_UNITS)
def test_every_unit_moves_known_actions_within_range(name):
    shape = ACTION_UNITS[name].shape
    assert shape and all(0 < amount <= 1 for amount in shape.values())
    assert all(side in ACTIONS for action in shape for side in sides(action))
    assert len(ACTION_UNITS[name].plain) >= 2


@pytest.mark.parametrize("name", [n for n in ACTION_UNITS if n.startswith("left_")])
def test_left_and_right_are_mirrors(name):
    left, right = vector(ACTION_UNITS[name].shape), vector(ACTION_UNITS[name.replace("left", "right")].shape)
    assert np.allclose(mirror(left), right)
    assert not np.allclose(left, right)


def test_two_sided_units_are_symmetric():
    for unit in ACTION_UNITS.values():
        if unit.side == "both":
            assert np.allclose(mirror(vector(unit.shape)), vector(unit.shape))


def test_smile_is_the_lip_corner_puller():
    assert of("lip_corner_puller")[INDEX["mouthSmileLeft"]] >= 0.7
    assert vector({"mouthSmile": 0.5, "yaw": 7.0})[INDEX["yaw"]] == 7.0


@pytest.mark.parametrize("name", ACTION_UNITS)
def test_a_unit_is_found_where_it_was_put(name):
    actions = of(name)
    assert unit_strengths(actions)[name] == pytest.approx(1.0, abs=1e-5)
    # ARKit has one browInnerUp for both sides, so there the whole unit answers for its half.
    assert {name, name.split("_", 1)[-1]} & set(present_units(actions))


def test_nothing_is_present_in_a_neutral_face():
    assert present_units(np.zeros(52, np.float32)) == []


def test_a_one_sided_unit_is_not_reported_beside_its_whole():
    assert "left_brow_lowerer" not in present_units(of("brow_lowerer"))
    assert "brow_lowerer" not in present_units(of("left_brow_lowerer"))
