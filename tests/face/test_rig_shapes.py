"""The corrections that tools/rig_shapes.py makes to the sculpted targets, each on a basis made up here."""

import sys
from pathlib import Path

import numpy as np
import pytest

from instructavatar.face import mesh
from instructavatar.face.motion import ACTIONS, INDEX
from instructavatar.face.rig import Rig

sys.path.append(str(Path(__file__).parents[2] / "tools"))
import rig_shapes as shapes  # noqa: E402

NEUTRAL = Rig.load().neutral.astype(np.float64)
INNER_UPPER, INNER_LOWER = list(mesh.LIPS_INNER_UPPER), list(mesh.LIPS_INNER_LOWER)


@pytest.fixture
def basis():
    return np.random.default_rng(0).normal(0, 0.02, (52, 468, 3))


def test_gains_and_blends_name_what_exists():
    stems = {shapes.stem_of(name) for name in ACTIONS}
    assert set(shapes.GAINS) <= stems and set(shapes.BLENDS) <= stems
    assert {other for parts in shapes.BLENDS.values() for other in parts} <= stems
    beyond = {name for name, gain in shapes.GAINS.items() if gain > 1.5}
    assert beyond <= {"browInnerUp", "browDown"}, "stronger than anatomy allows"


def test_the_halves_of_a_face_add_up():
    left, right = shapes.half(NEUTRAL, "Left"), shapes.half(NEUTRAL, "Right")
    assert np.allclose(left + right, 1)
    assert left[291] == 1 and left[61] == 0


def test_a_blend_stays_on_its_side(basis):
    changed = shapes.blended(basis, NEUTRAL) - basis
    press = np.abs(changed[INDEX["mouthPressLeft"]] + 0.2 * basis[INDEX["mouthSmileLeft"]])
    assert press[61].max() == pytest.approx(0, abs=1e-12), "rolled lips belong to the other half there"
    assert press[291].max() > 0
    assert not changed[INDEX["jawOpen"]].any()


def test_shut_lips_never_part(basis):
    after = shapes.shut(basis)
    up, low = INNER_UPPER[1:-1], INNER_LOWER[1:-1]
    for name in shapes.SHUT:
        offsets = after[INDEX[name]]
        assert (offsets[up, 1] - offsets[low, 1]).max() < 1e-12
        assert np.allclose(offsets[up][:, [0, 2]], offsets[low][:, [0, 2]])
    assert np.array_equal(after[INDEX["jawOpen"]], basis[INDEX["jawOpen"]])


def test_a_v_becomes_a_parabola():
    offsets = np.zeros((468, 3))
    offsets[INNER_LOWER, 1] = -np.concatenate([np.linspace(0, 1, 6), np.linspace(0.8, 0, 5)])
    shapes.parabola(offsets, (mesh.LIPS_INNER_LOWER,), (1.0,))
    assert np.allclose(offsets[INNER_LOWER, 1], np.linspace(-1, 1, 11) ** 2 - 1)


def test_brow_rows_keep_their_distance(basis):
    upper, lower = list(mesh.LEFT_BROW_UPPER), list(mesh.LEFT_BROW_LOWER)
    before, after = basis[INDEX["browDownLeft"]], shapes.stiff_brows(basis)[INDEX["browDownLeft"]]
    assert np.allclose(after[upper] - after[lower], 0.15 * (before[upper] - before[lower]))
    assert np.allclose(after[upper] + after[lower], before[upper] + before[lower])


def test_rolled_lips_keep_some_red():
    basis = np.zeros((52, 468, 3))
    outer, inner = list(mesh.LIPS_OUTER_UPPER[2:-2]), INNER_UPPER[2:-2]
    basis[INDEX["mouthRollUpper"], outer, 1] = -1.0
    rolled = NEUTRAL + shapes.thick(basis, NEUTRAL)[INDEX["mouthRollUpper"]]
    height = NEUTRAL[outer, 1] - NEUTRAL[inner, 1]
    assert np.allclose(rolled[outer, 1] - rolled[inner, 1], 0.25 * height)


def test_lids_meet(basis):
    blinking = NEUTRAL + shapes.blink_meets(basis, NEUTRAL)[INDEX["eyeBlinkRight"]]
    assert np.allclose(blinking[list(mesh.RIGHT_EYE_UPPER[1:-1])], blinking[list(mesh.RIGHT_EYE_LOWER[1:-1])])
