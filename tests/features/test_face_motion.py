import numpy as np
import pytest

from instructavatar.errors import BadOption, FaceProblem
from instructavatar.face.landmarks import CAMERA_DISTANCE, Landmarks
from instructavatar.face.motion import INDEX, ROTATION, TRANSLATION
from instructavatar.features.face_motion import SHRINK, face_motion, gaussian, missing, resting_motion


def a_face(rotation: tuple[float, float, float] = (0, 0, 0), place: tuple[float, float, float] = (0, 0, 0), **scores: float) -> Landmarks:
    actions = np.zeros(52, np.float32)
    for name, score in scores.items():
        actions[INDEX[name]] = score
    return Landmarks(np.zeros((478, 3)), actions, np.array(rotation), np.array(place))


def test_actions_and_rotation_are_absolute() -> None:
    motion = face_motion([a_face((1, 2, 3), jawOpen=0.5), a_face((4, 5, 6))])
    assert motion.column("jawOpen").tolist() == [0.5, 0]
    assert motion.rotation_deg.tolist() == [[1, 2, 3], [4, 5, 6]]


def test_translation_counts_from_the_reference() -> None:
    faces = [a_face(place=(1, 2, -5)), a_face(place=(1.5, 1, -5)), a_face(place=(3, 3, -5))]
    assert face_motion(faces).translation == pytest.approx(np.array([[0, 0, 0], [0.5, -1, 0], [2, 1, 0]]))
    assert face_motion(faces, reference="median").translation == pytest.approx(np.array([[-0.5, 0, 0], [0, -1, 0], [1.5, 1, 0]]))


def test_growing_is_undone_by_the_nominal_camera() -> None:
    # The face grows by a quarter about the middle of the frame, so its place in its own distances stays.
    faces = [a_face(place=(1, 1, 0)), a_face(place=(1, 1, CAMERA_DISTANCE * np.log(1.25)))]
    x, y, z = face_motion(faces).translation[1]
    assert CAMERA_DISTANCE / (CAMERA_DISTANCE - z) == pytest.approx(1.25)
    assert (x, y) == pytest.approx((0.25, 0.25))  # one distance of the first frame has become 1.25 of them


def test_gaps_are_filled_and_counted() -> None:
    faces = [None, a_face(jawOpen=0.2), None, None, a_face((0, 30, 0), jawOpen=0.8), None]
    motion = face_motion(faces)
    assert missing(faces) == 4 and len(motion) == 6
    assert motion.column("jawOpen") == pytest.approx([0.2, 0.2, 0.4, 0.6, 0.8, 0.8])
    assert motion.column("yaw") == pytest.approx([0, 0, 10, 20, 30, 30])


def test_angles_do_not_jump_at_the_half_turn() -> None:
    roll = face_motion([a_face((0, 0, 178)), None, a_face((0, 0, -178))]).column("roll")
    assert roll == pytest.approx([178, 180, 182], abs=1e-3)


def test_no_face_at_all_is_refused() -> None:
    with pytest.raises(FaceProblem, match="2 frames"):
        face_motion([None, None])
    with pytest.raises(BadOption, match="reference"):
        face_motion([a_face()], reference="last")


def test_smoothing_keeps_constants_and_calms_noise() -> None:
    rng = np.random.default_rng(0)
    curves = np.stack([np.full(50, 0.7), rng.normal(size=50)], axis=1).astype(np.float32)
    smooth = gaussian(curves, 1.0)
    assert smooth.shape == curves.shape and smooth.dtype == np.float32
    assert smooth[:, 0] == pytest.approx(0.7) and smooth[:, 1].std() < 0.8 * curves[:, 1].std()
    faces = [a_face(jawOpen=value) for value in (0, 1, 0, 1, 0)]
    assert np.ptp(face_motion(faces, smooth=1.0).column("jawOpen")) < 0.5
    assert np.ptp(face_motion(faces).column("jawOpen")) == 1


def test_a_clear_smile_rests_shrunk() -> None:
    rest = resting_motion(a_face(mouthSmileLeft=0.9, mouthSmileRight=0.8, mouthUpperUpLeft=0.6))
    assert rest.shape == (58,) and rest.dtype == np.float32
    assert rest[INDEX["mouthSmileLeft"]] == pytest.approx(SHRINK * 0.9)
    assert rest[INDEX["mouthSmileRight"]] == pytest.approx(SHRINK * 0.8)
    assert rest[INDEX["mouthUpperUpLeft"]] == pytest.approx(SHRINK * 0.6)


@pytest.mark.parametrize(
    "name", ["eyeSquintLeft", "eyeSquintRight", "browDownLeft", "browOuterUpRight", "mouthPucker", "eyeLookInLeft", "mouthShrugLower"]
)
def test_likely_misreadings_never_rest(name: str) -> None:
    assert not resting_motion(a_face(**{name: 0.95})).any()


def test_lowered_lids_rest_and_narrow_eyes_do_not() -> None:
    """Each eye alone, so a wink stays a wink."""
    assert not resting_motion(a_face(eyeBlinkLeft=0.22, eyeBlinkRight=0.2)).any()
    rest = resting_motion(a_face(eyeBlinkLeft=0.6, eyeBlinkRight=0.1))
    assert rest[INDEX["eyeBlinkLeft"]] == pytest.approx(0.5)
    assert rest[INDEX["eyeBlinkRight"]] == 0
    assert resting_motion(a_face(eyeBlinkRight=0.4))[INDEX["eyeBlinkRight"]] == pytest.approx(0.4)


def test_weak_scores_do_not_rest_and_the_ramp_has_no_step() -> None:
    assert not resting_motion(a_face(mouthSmileLeft=0.29, jawOpen=0.25, browInnerUp=0.55)).any()
    values = [resting_motion(a_face(jawOpen=score))[INDEX["jawOpen"]] for score in np.linspace(0, 1, 101)]
    assert np.diff(values).min() >= 0 and np.diff(values).max() < 0.05


def test_raised_lips_need_a_smile_or_an_open_jaw() -> None:
    assert not resting_motion(a_face(mouthUpperUpLeft=0.9)).any()
    assert resting_motion(a_face(mouthLowerDownLeft=0.9, jawOpen=0.7))[INDEX["mouthLowerDownLeft"]] == pytest.approx(SHRINK * 0.7)


def test_pose_never_rests() -> None:
    rest = resting_motion(a_face((10, 20, 30), (1, 2, 3), jawOpen=0.8))
    assert not rest[ROTATION].any() and not rest[TRANSLATION].any()
