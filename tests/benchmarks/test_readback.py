import numpy as np
import pytest

from instructavatar.codecs.warp import WarpCodec
from instructavatar.face.actions import READABLE
from instructavatar.face.motion import ACTION_COUNT, INDEX, mirror
from instructavatar.features.landmarks import FaceLandmarker


@pytest.fixture
def readback(benchmark_module):
    return benchmark_module("readback")


def deltas_of(readback, actions, response):
    """[faces, actions, levels, 52] with the commanded action answered by `response(level, face)`."""
    values = np.zeros((3, len(actions), len(readback.LEVELS), ACTION_COUNT), np.float32)
    for face in range(3):
        for i, action in enumerate(actions):
            values[face, i, :, INDEX[action]] = [response(level, face) for level in readback.LEVELS]
    return values


def test_commands_hold_the_level_and_its_companions(readback):
    rows = readback.commands(("eyeLookInLeft", "mouthClose", "jawOpen"))
    assert len(rows) == 15
    action, level, motion = rows[4]
    assert (action, level) == ("eyeLookInLeft", 1.0)
    assert {name for name in INDEX if motion[INDEX[name]]} == {"eyeLookInLeft", "eyeLookOutRight"}
    assert rows[5][2][INDEX["jawOpen"]] == pytest.approx(readback.JAW_FOR_LIPS) and rows[5][2][INDEX["mouthClose"]] == 0
    assert rows[10][2].sum() == 0


def test_companions_are_mirrored_alike(readback):
    for action in READABLE:
        motions = [motion for _, _, motion in readback.commands((action,))]
        other = readback.mirror_name(action)
        assert np.allclose(mirror(np.stack(motions)), np.stack([m for _, _, m in readback.commands((other,))]))


def test_pooled_r_counts_gains_that_differ_between_faces(readback):
    varied = deltas_of(readback, ("jawOpen",), lambda level, face: (face + 0.1) * level)
    assert readback.pooled_correlations(varied, ("jawOpen",))["jawOpen"] < 0.8
    assert readback.correlations(varied, ("jawOpen",))["jawOpen"] == pytest.approx(1)


def test_what_hardly_moves_was_not_read(readback):
    actions = ("jawOpen", "mouthSmileLeft", "cheekPuff")
    r = readback.correlations(deltas_of(readback, actions, lambda level, face: 0.7 * level), actions)
    assert all(value == pytest.approx(1) for value in r.values())
    assert set(readback.correlations(deltas_of(readback, actions, lambda level, face: 0.04 * level), actions).values()) == {0.0}
    two_of_three = deltas_of(readback, actions[:1], lambda level, face: level * (face > 0))
    assert readback.correlations(two_of_three, actions[:1])["jawOpen"] == pytest.approx(1)
    one_of_three = deltas_of(readback, actions[:1], lambda level, face: level * (face > 1))
    assert readback.correlations(one_of_three, actions[:1])["jawOpen"] == 0


def test_lost_faces_do_not_hide_the_others(readback):
    values = deltas_of(readback, ("jawOpen",), lambda level, face: level)
    values[0, 0, 4] = np.nan
    assert readback.correlations(values, ("jawOpen",))["jawOpen"] == pytest.approx(1)


def test_crosstalk_names_what_else_moved(readback):
    values = deltas_of(readback, ("jawOpen",), lambda level, face: level)
    values[:, 0, -1, INDEX["mouthSmileLeft"]] = -0.3
    values[:, 0, -1, INDEX["browInnerUp"]] = 0.04
    assert readback.crosstalk(values, ("jawOpen",)) == {"jawOpen": {"mouthSmileLeft": pytest.approx(-0.3)}}


def test_a_gain_is_what_is_read_per_unit_asked(readback):
    values = deltas_of(readback, ("jawOpen", "mouthPucker"), lambda level, face: (0.4, 0.5, 0.9)[face] * level)
    values[0, 1, 1] = np.nan  # a drawing without a face
    found = readback.gains(values, ("jawOpen", "mouthPucker"))
    assert found["jawOpen"] == pytest.approx(0.5) and found["mouthPucker"] == pytest.approx(0.5, abs=0.1)


def test_a_drawn_face_reads_as_commanded(readback, benchmark_module):
    """The whole way on one portrait of the repo: draw, detect, compare."""
    codec, landmarker = WarpCodec.load(), FaceLandmarker.load()
    paths = [path for path in readback.portraits(None) if path.stem.startswith("head")][:1]
    kept, faces = readback.usable([*paths, paths[0].with_name("absent.png")], codec, landmarker)
    assert kept == paths
    actions = ("jawOpen", "mouthSmileLeft")
    deltas = readback.action_deltas(faces, actions, codec, landmarker)
    assert deltas.shape == (1, 2, 5, ACTION_COUNT)
    assert min(readback.correlations(deltas, actions).values()) > 0.8
    errors = readback.pose_errors(faces, codec, landmarker)
    assert errors.shape == (1, 3, 4) and errors.mean() < 5
