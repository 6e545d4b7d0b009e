"""The steady benchmark: what it calls a jump, a slow motion and a likeness."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest

from instructavatar.face.motion import FRAME_RATE_HZ, INDEX


@pytest.fixture
def steady(benchmark_module):
    return benchmark_module("steady")


def frames(levels):
    """Flat grey pictures."""
    return [np.full((80, 80, 3), level, np.uint8) for level in levels]


FACE = SimpleNamespace(width_px=40.0, box=(20.0, 20.0, 60.0, 60.0))


@pytest.mark.parametrize(
    ("levels", "jump"), [([9] * 6, 0), ([10, 20, 30, 40, 50], 0), ([10, 20, 50, 40, 50], 20), ([10, 10, 60, 10, 10], 50)]
)
def test_a_jump_is_the_way_off_the_mean_of_the_neighbours(steady, levels, jump):
    assert steady.jumps(frames(levels), itertools.repeat(FACE)) == pytest.approx(jump)


def test_only_the_face_counts(steady):
    pictures = frames([10] * 5)
    pictures[2][:15] = 255
    assert steady.jumps(pictures, itertools.repeat(FACE)) == 0


def test_a_slow_motion_rises_and_falls_on_both_sides(steady):
    smile = steady.slow_motion("mouthSmileLeft").values
    assert len(smile) == 2 * steady.RISE_S * FRAME_RATE_HZ and smile[0].max() == 0
    assert np.array_equal(smile[:, INDEX["mouthSmileLeft"]], smile[:, INDEX["mouthSmileRight"]])
    assert smile.max() == pytest.approx(1, abs=1e-3) and np.abs(np.diff(smile, axis=0)).max() < 0.04
    assert steady.slow_motion("yaw").column("yaw").max() == pytest.approx(steady.TURNS_DEG["yaw"], abs=0.05)
    assert np.flatnonzero(steady.strongest("eyeBlinkLeft")[0]).tolist() == [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]


def test_without_weights_likeness_is_not_measured(steady, monkeypatch, tmp_path):
    monkeypatch.setenv("INSTRUCTAVATAR_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    rows = steady.identity_rows(None, [], SimpleNamespace(quick=True))
    assert [row.value for row in rows] == [None, None] and not any(row.ok for row in rows)
