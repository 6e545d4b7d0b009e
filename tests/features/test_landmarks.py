"""The landmarker against MediaPipe's own numbers (golden/landmarks_renew.py renews them) and against what must hold for any picture."""

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from instructavatar.errors import BadBundle, FaceProblem, MissingFile
from instructavatar.face.landmarks import Landmarks
from instructavatar.face.mesh import mirror_index
from instructavatar.face.motion import ACTIONS, INDEX, mirror, rotation_angles, rotation_matrix
from instructavatar.features.base import weights_path
from instructavatar.features.head_pose import head_matrix
from instructavatar.features.landmarks import FaceLandmarker

TESTS = Path(__file__).resolve().parents[1]
GOLDEN = json.loads((TESTS / "golden" / "landmarks_astronaut.json").read_text())


@pytest.fixture(scope="module")
def landmarker() -> FaceLandmarker:
    return FaceLandmarker.load()


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    return cv2.cvtColor(cv2.imread(str(TESTS / "assets" / "portraits" / "astronaut.png")), cv2.COLOR_BGR2RGB)


@pytest.fixture(scope="module")
def face(landmarker: FaceLandmarker, astronaut: np.ndarray) -> Landmarks:
    (found,) = landmarker.find(astronaut)
    return found


def turned(image: np.ndarray, degrees: float) -> np.ndarray:
    """Counter-clockwise about the middle."""
    height, width = image.shape[:2]
    return cv2.warpAffine(image, cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1), (width, height))


def on_canvas(image: np.ndarray, scale: float, corner: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """The picture made small and put on a grey canvas of that height and width."""
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    canvas = np.full((*size, 3), 120, np.uint8)
    y, x = corner
    canvas[y : y + small.shape[0], x : x + small.shape[1]] = small
    return canvas


def golden_actions(kind: str) -> np.ndarray:
    return np.array([GOLDEN[kind]["scores"].get(name, 0) for name in ACTIONS])


def golden_angles(kind: str) -> np.ndarray:
    matrix = np.array(GOLDEN[kind]["matrix"])[:3, :3]
    return np.array(rotation_angles(matrix / np.cbrt(np.linalg.det(matrix))))


def test_agrees_with_mediapipe_on_a_picture(face: Landmarks) -> None:
    assert np.abs(face.points - GOLDEN["image"]["points"]).max() < 0.3
    assert np.abs(face.actions - golden_actions("image")).max() < 0.02
    assert np.abs(face.rotation_deg - golden_angles("image")).max() < 0.2


def test_agrees_with_mediapipe_while_tracking(landmarker: FaceLandmarker, astronaut: np.ndarray) -> None:
    last = list(landmarker.track([astronaut] * 5))[-1]
    assert last is not None
    assert np.abs(last.points[:, :2] - np.array(GOLDEN["video"]["points"])[:, :2]).max() < 1
    assert np.abs(last.actions - golden_actions("video")).max() < 0.06
    assert np.abs(last.rotation_deg - golden_angles("video")).max() < 1


def test_the_pose_fit_is_mediapipes() -> None:
    matrix = head_matrix(np.array(GOLDEN["image"]["points"], np.float32), 512, 512)
    assert np.abs(matrix - GOLDEN["image"]["matrix"]).max() < 1e-3


def test_reads_a_smiling_face_in_range(face: Landmarks) -> None:
    assert face.score > 0.9 and 60 < face.width_px < 120
    assert face.actions.min() >= 0 and face.actions.max() <= 1
    assert face.actions[INDEX["mouthSmileLeft"]] > 0.7 and face.actions[INDEX["mouthSmileRight"]] > 0.7
    assert face.actions[INDEX["jawOpen"]] < 0.2 and face.actions[INDEX["tongueOut"]] == 0


def test_a_mirrored_picture_swaps_sides_and_signs(landmarker: FaceLandmarker, astronaut: np.ndarray) -> None:
    picture = turned(astronaut, 20)
    (face,), (other,) = landmarker.find(picture), landmarker.find(np.ascontiguousarray(picture[:, ::-1]))
    expected = face.points[mirror_index()]
    expected[:, 0] = picture.shape[1] - 1 - expected[:, 0]
    assert np.abs(other.points[:, :2] - expected[:, :2]).mean() < 0.02 * face.width_px
    assert np.abs(other.rotation_deg - mirror(np.concatenate([face.actions, face.rotation_deg, np.zeros(3)]))[52:55]).max() < 5
    assert face.rotation_deg[2] > 12 and other.rotation_deg[2] < -12


def test_a_closed_left_eye_is_the_subjects_left(landmarker: FaceLandmarker, astronaut: np.ndarray, face: Landmarks) -> None:
    picture = astronaut.copy()
    # Paint skin over the eye in the right half of the picture.
    x, y = face.points[[263, 362], :2].mean(0)
    cheek = astronaut[int(y) + 12 : int(y) + 14, int(x) - 8 : int(x) + 8].mean((0, 1))
    cv2.ellipse(picture, (int(x), int(y)), (11, 5), 0, 0, 360, tuple(float(c) for c in cheek), -1)
    picture[int(y) + 3 : int(y) + 5, int(x) - 9 : int(x) + 9] = (90, 50, 45)  # the lash line
    (winking,) = landmarker.find(picture)
    rise = winking.actions - face.actions
    assert rise[INDEX["eyeBlinkLeft"]] > rise[INDEX["eyeBlinkRight"]] + 0.1


def test_a_balanced_face_is_the_same_in_the_mirror(landmarker: FaceLandmarker, astronaut: np.ndarray, face: Landmarks) -> None:
    mirrored = np.ascontiguousarray(astronaut[:, ::-1])
    plain, turned = (landmarker.find(picture)[0] for picture in (astronaut, mirrored))
    one, other = landmarker.balanced(astronaut, plain), landmarker.balanced(mirrored, turned)

    def apart(here: Landmarks, there: Landmarks) -> float:
        points = there.points[mirror_index(), :2] * [-1, 1] + [astronaut.shape[1] - 1, 0]
        return float(np.abs(here.points[:, :2] - points).mean())

    assert apart(one, other) < 0.25 * apart(plain, turned)
    assert np.abs(one.points - face.points).mean() < 0.02 * face.width_px
    assert one.rotation_deg[1:] == pytest.approx(-other.rotation_deg[1:], abs=0.3)
    assert one.actions[INDEX["mouthSmileLeft"]] == pytest.approx(other.actions[INDEX["mouthSmileRight"]], abs=0.05)


def test_choosing_measures_the_chosen_face_balanced(landmarker: FaceLandmarker, astronaut: np.ndarray) -> None:
    chosen = landmarker.choose(astronaut, "largest")
    np.testing.assert_array_equal(chosen.points, landmarker.balanced(astronaut, landmarker.find(astronaut)[0]).points)
    with pytest.raises(FaceProblem, match="found none"):
        landmarker.choose(np.zeros((64, 64, 3), np.uint8))


@pytest.mark.parametrize("degrees", [-45, -15, 15, 45])
def test_tilting_the_picture_tilts_the_head(landmarker: FaceLandmarker, astronaut: np.ndarray, face: Landmarks, degrees: float) -> None:
    # Counter-clockwise, so the head falls to the image's left: the subject's own right shoulder, positive roll.
    (tilted,) = landmarker.find(turned(astronaut, degrees))
    expected = rotation_angles(rotation_matrix(0, 0, degrees) @ rotation_matrix(*face.rotation_deg))
    assert abs(tilted.rotation_deg[2] - expected[2]) < 3
    assert np.sign(tilted.rotation_deg[2] - face.rotation_deg[2]) == np.sign(degrees)


def test_an_upside_down_face_is_found_as_such(landmarker: FaceLandmarker, astronaut: np.ndarray) -> None:
    (face,) = landmarker.find(np.ascontiguousarray(astronaut[::-1, ::-1]))
    assert abs(face.rotation_deg[2]) > 150


@pytest.mark.parametrize("width", [40, 60])
def test_small_faces_in_large_pictures_are_found(landmarker: FaceLandmarker, astronaut: np.ndarray, face: Landmarks, width: int) -> None:
    scale = width / face.width_px
    picture = on_canvas(astronaut, scale, (900, 300), (1500, 2000))
    (small,) = landmarker.find(picture)
    assert np.abs(small.points[:, :2] - (face.points[:, :2] * scale + [300, 900])).max() < 0.06 * width
    assert small.actions[INDEX["mouthSmileLeft"]] > 0.6


def test_very_large_pictures_are_searched_smaller_and_measured_whole(landmarker: FaceLandmarker, astronaut: np.ndarray) -> None:
    large = cv2.resize(astronaut, (4096, 4096))
    (face,), (reference,) = landmarker.find(large), landmarker.find(astronaut)
    assert np.abs(face.points[:, :2] / 8 - reference.points[:, :2]).max() < 0.04 * reference.width_px


def test_several_faces_come_largest_first(landmarker: FaceLandmarker, astronaut: np.ndarray) -> None:
    half = on_canvas(astronaut, 0.6, (0, 0), (512, 512))
    faces = landmarker.find(np.hstack([half, astronaut]))
    assert [one.points[1, 0] > 512 for one in faces] == [True, False]
    assert faces[0].width_px > 1.5 * faces[1].width_px


@pytest.mark.parametrize("seed", [0, 1])
def test_no_face_in_noise(landmarker: FaceLandmarker, seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 255, (48, 64, 3)).astype(np.uint8)
    assert landmarker.find(cv2.resize(noise, (640, 480), interpolation=cv2.INTER_CUBIC)) == []


def test_odd_pictures_hold_no_face(landmarker: FaceLandmarker) -> None:
    assert landmarker.find(np.zeros((1, 1, 3), np.uint8)) == []
    assert landmarker.find(np.full((3, 700, 3), 200, np.uint8)) == []


def test_tracking_yields_none_where_the_face_is_gone_and_comes_back(landmarker: FaceLandmarker, astronaut: np.ndarray) -> None:
    black = np.zeros_like(astronaut)
    moved = np.roll(astronaut, 150, axis=1)
    seen = list(landmarker.track(iter([astronaut, black, black, moved, moved])))
    assert [one is None for one in seen] == [False, True, True, False, False]
    assert seen[3].points[1, 0] - seen[0].points[1, 0] == pytest.approx(150, abs=2)
    # What is measured after a loss is measured as the tracker goes on measuring.
    assert np.abs(seen[4].actions - seen[3].actions).max() < 0.1


def test_tracking_follows_the_chosen_face(landmarker: FaceLandmarker, astronaut: np.ndarray) -> None:
    small = on_canvas(astronaut, 0.7, (0, 0), (512, 512))
    frame = np.hstack([small, astronaut])
    faces = landmarker.find(frame)
    chosen = list(landmarker.track([frame] * 3, faces[1]))
    largest = list(landmarker.track([frame] * 2))
    assert all(one.points[1, 0] < 512 for one in chosen) and all(one.points[1, 0] > 512 for one in largest)
    # A black frame in between: the nearest face is taken up again, not the largest.
    again = list(landmarker.track([frame, np.zeros_like(frame), frame], faces[1]))
    assert again[1] is None and again[2].points[1, 0] < 512


def test_measuring_twice_gives_the_same(landmarker: FaceLandmarker, astronaut: np.ndarray, face: Landmarks) -> None:
    again = FaceLandmarker.load(weights_path("face_landmarker.task"), threads=2).find(astronaut)[0]
    assert np.abs(again.points - face.points).max() < 1e-2


@pytest.mark.parametrize("image", [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 4), np.uint8), np.zeros((8, 8, 3), np.float32)])
def test_other_arrays_are_refused(landmarker: FaceLandmarker, image: np.ndarray) -> None:
    with pytest.raises(ValueError, match="RGB"):
        landmarker.find(image)
    with pytest.raises(ValueError, match="RGB"):
        next(landmarker.track([image]))


def test_missing_and_damaged_nets_are_refused(tmp_path: Path) -> None:
    (tmp_path / "face_landmarker.task").write_bytes(b"not a zip")
    with pytest.raises(BadBundle, match="damaged"):
        FaceLandmarker.load(tmp_path)
    with pytest.raises(MissingFile):
        FaceLandmarker(tmp_path / "other.task")


def test_the_version_names_the_nets(landmarker: FaceLandmarker) -> None:
    assert landmarker.version == "face_landmarker-64184e229b26"
    assert (landmarker.name, landmarker.dim) == ("landmarks", 1434)


def test_loading_prints_nothing_and_leaves_standard_error_open(capfd: pytest.CaptureFixture[str]) -> None:
    FaceLandmarker.load()
    os.write(2, b"still here")
    assert capfd.readouterr() == ("", "still here")
