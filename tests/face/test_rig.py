"""The shipped rig: shapes, units, sides, and what people would see of each kind of movement."""

import hashlib
import json

import numpy as np
import pytest

from instructavatar.errors import BadBundle, MissingFile
from instructavatar.face import mesh
from instructavatar.face.motion import ACTIONS, INDEX, mirror_name
from instructavatar.face.rig import RIG_FILE, Rig

RIG = Rig.load()
# Subject's right is image left: landmark 61 is the right mouth corner, 291 the left one.
RIGHT_CORNER, LEFT_CORNER = mesh.MOUTH_CORNERS
UPPER_LIP, LOWER_LIP = 13, 14


def face(**actions):
    """The neutral face moved by the named actions, [468, 3]."""
    return RIG.neutral + moved(**actions)


def moved(**actions):
    values = np.zeros(52, np.float32)
    for name, value in actions.items():
        values[INDEX[name]] = value
    return RIG.offsets(values)


def both(name, value=1.0):
    return {name + "Left": value, name + "Right": value}


def test_shapes_and_types():
    assert RIG.basis.shape == (52, 468, 3) and RIG.basis.dtype == np.float32
    assert RIG.neutral.shape == (468, 3) and RIG.triangles.shape == (898, 3)
    assert np.isfinite(RIG.basis).all()
    for shape in ((52,), (7, 52), (2, 3, 52)):
        assert RIG.offsets(np.zeros(shape)).shape == (*shape[:-1], 468, 3)


def test_units_are_interocular_distances():
    right, left = RIG.neutral[list(mesh.OUTER_EYE_CORNERS)]
    assert np.linalg.norm(left - right) == pytest.approx(1, abs=1e-5)
    assert left[0] > right[0], "the subject's left is image right"
    assert RIG.neutral[mesh.CHIN, 1] < RIG.neutral[mesh.FOREHEAD, 1]
    assert RIG.neutral[mesh.NOSE_TIP, 2] > RIG.neutral[234, 2]
    assert 0.3 < np.abs(RIG.basis).max() < 0.6


def test_neutral_face_has_no_offsets_and_offsets_are_linear():
    assert not RIG.offsets(np.zeros(52)).any()
    a = np.random.default_rng(0).uniform(0, 1, (2, 52)).astype(np.float32)
    assert np.allclose(RIG.offsets(a.sum(0)), RIG.offsets(a).sum(0), atol=1e-5)


def test_left_is_the_mirror_of_right():
    swap = [INDEX[mirror_name(name)] for name in ACTIONS]
    mirrored = RIG.basis[swap][:, RIG.mirror] * np.array([-1, 1, 1], np.float32)
    assert np.abs(mirrored - RIG.basis).max() < 1e-5
    assert np.abs(RIG.neutral[RIG.mirror] * [-1, 1, 1] - RIG.neutral).max() < 1e-5


def test_every_action_but_the_tongue_moves_the_face():
    size = np.abs(RIG.basis).max((1, 2))
    still = [name for name in ACTIONS if size[INDEX[name]] < 0.005]
    assert set(still) <= {"tongueOut", "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight"}


def test_blink_closes_its_own_eye():
    closed = face(eyeBlinkLeft=1)
    gap = (closed[list(mesh.LEFT_EYE_UPPER)] - closed[list(mesh.LEFT_EYE_LOWER)])[:, 1]
    other = (closed[list(mesh.RIGHT_EYE_UPPER)] - closed[list(mesh.RIGHT_EYE_LOWER)])[1:-1, 1]
    assert np.abs(gap).max() < 1e-4
    assert other.max() > 0.08 and other.min() > 0
    lids = moved(eyeBlinkLeft=1)
    assert lids[386, 1] < -0.08 and abs(lids[374, 1]) < 0.02, "the upper lid does it"


def test_gaze_and_squint_move_the_lids():
    assert moved(**both("eyeLookDown"))[386, 1] < -0.03
    assert moved(**both("eyeLookUp"))[386, 1] > 0.01
    assert moved(**both("eyeSquint"))[374, 1] > 0.03
    assert moved(**both("eyeWide"))[386, 1] > 0.03


def test_jaw_opens_downwards_and_roundly():
    jaw = moved(jawOpen=1)
    assert jaw[LOWER_LIP, 1] < -0.3 and jaw[mesh.CHIN, 1] < -0.15
    assert abs(jaw[UPPER_LIP, 1]) < 0.05
    lip = face(jawOpen=1)[list(mesh.LIPS_INNER_LOWER), 1]
    depth = (lip[0] - lip) / (lip[0] - lip[5])
    assert 0.5 < depth[2] < 0.8, "a parabola: a V would reach 0.4"


def test_mouth_close_shuts_an_open_jaw():
    shut = face(jawOpen=1, mouthClose=1)
    gap = (shut[list(mesh.LIPS_INNER_UPPER)] - shut[list(mesh.LIPS_INNER_LOWER)])[:, 1]
    assert np.abs(gap).max() < 0.06, "the whole line of the lips, not its middle only"
    assert shut[mesh.CHIN, 1] < RIG.neutral[mesh.CHIN, 1] - 0.12


def test_smile_lifts_and_widens_its_own_corner():
    smile = moved(mouthSmileLeft=1)
    assert smile[LEFT_CORNER, 1] > 0.1 and smile[LEFT_CORNER, 0] > 0.05
    assert np.abs(smile[RIGHT_CORNER]).max() < 0.02
    assert moved(mouthSmileRight=1)[RIGHT_CORNER, 0] < -0.05


def test_corners_go_where_their_names_say():
    assert moved(mouthFrownLeft=1)[LEFT_CORNER, 1] < -0.04
    assert moved(mouthStretchLeft=1)[LEFT_CORNER, 0] > 0.05
    for name in ("mouthPucker", "mouthFunnel"):
        assert moved(**{name: 1})[LEFT_CORNER, 0] < -0.03 < 0.03 < moved(**{name: 1})[RIGHT_CORNER, 0]
    for name in ("mouthLeft", "jawLeft"):
        assert moved(**{name: 1})[LOWER_LIP, 0] > 0.02, "the subject's left is image right"


def test_lips_open_and_press():
    funnel = face(mouthFunnel=1)
    assert (funnel[UPPER_LIP] - funnel[LOWER_LIP])[1] > 0.06
    assert moved(**both("mouthUpperUp"))[UPPER_LIP, 1] > 0.03
    assert moved(**both("mouthLowerDown"))[LOWER_LIP, 1] < -0.03
    upper, lower = list(mesh.LIPS_INNER_UPPER[1:-1]), list(mesh.LIPS_INNER_LOWER[1:-1])
    for name in ("mouthRollUpper", "mouthRollLower", "mouthPressLeft", "mouthPucker", "mouthSmileLeft", "mouthFrownRight", "mouthLeft"):
        offsets = moved(**{name: 1})
        assert (offsets[upper, 1] - offsets[lower, 1]).max() < 1e-5, f"{name} must not part the lips"
    assert moved(mouthRollUpper=1)[0, 1] < -0.02 and moved(mouthRollLower=1)[17, 1] > 0.02, "the red thins"


def test_brows():
    inner, outer = mesh.LEFT_BROW_UPPER[-1], mesh.LEFT_BROW_UPPER[1]
    raised = moved(browInnerUp=1)
    assert raised[inner, 1] > 0.05 and raised[inner, 1] > 2 * raised[outer, 1]
    arched = moved(browOuterUpLeft=1)
    assert arched[outer, 1] > 0.05 and arched[outer, 1] > 2 * arched[inner, 1]
    lowered = moved(**both("browDown"))
    assert lowered[inner, 1] < -0.04
    for name in ("browInnerUp", "browOuterUpLeft", "browDownLeft"):
        rows = moved(**{name: 1})[[list(mesh.LEFT_BROW_UPPER), list(mesh.LEFT_BROW_LOWER)], 1]
        assert np.abs(rows[0] - rows[1]).max() < 0.02, "both rows of a brow move together"


def test_the_upper_face_rests_while_the_mouth_moves():
    for name in ("jawOpen", "mouthPucker", "mouthFunnel", "mouthRollLower"):
        assert np.abs(moved(**{name: 1})[[10, 33, 263, 105, 334, 168]]).max() < 0.02


def test_the_manifest_names_this_very_file():
    entry = json.loads((RIG_FILE.parent / "manifest.json").read_text())["rig.npz"]
    assert entry["sha256"] == hashlib.sha256(RIG_FILE.read_bytes()).hexdigest()
    assert entry["licence"] == "CC0-1.0"


def test_wrong_input_is_named(tmp_path):
    with pytest.raises(ValueError, match="52"):
        RIG.offsets(np.zeros(58))
    with pytest.raises(MissingFile, match="rig"):
        Rig.load(tmp_path / "none.npz")
    np.savez(tmp_path / "bad.npz", basis=np.zeros((2, 3)))
    with pytest.raises(BadBundle):
        Rig.load(tmp_path / "bad.npz")
    np.savez(tmp_path / "small.npz", basis=np.zeros((51, 468, 3)), neutral=RIG.neutral, triangles=RIG.triangles, mirror=RIG.mirror)
    with pytest.raises(BadBundle, match="basis"):
        Rig.load(tmp_path / "small.npz")
    (tmp_path / "torn.npz").write_bytes(RIG_FILE.read_bytes()[:1000])
    with pytest.raises(BadBundle):
        Rig.load(tmp_path / "torn.npz")
