import numpy as np
import pytest

from instructavatar.errors import BadOption, FaceProblem
from instructavatar.face.landmarks import Landmarks
from instructavatar.features.face_choice import choose_face

SIZE = (900, 1200)


def a_face(width: float, centre: tuple[float, float] = (600, 450), rotation: tuple[float, float, float] = (0, 0, 0)) -> Landmarks:
    points = np.zeros((478, 3), np.float32)
    points[:, :2] = centre
    points[0, 0] -= width / 2
    points[1, 0] += width / 2
    return Landmarks(points, np.zeros(52), np.array(rotation))


def test_one_good_face_is_taken() -> None:
    face = a_face(200)
    assert choose_face([face], None, SIZE) is face
    assert choose_face([face], 0, SIZE) is face
    assert choose_face([face], "largest", SIZE) is face


def test_none_found_says_what_to_give() -> None:
    with pytest.raises(FaceProblem, match="1200x900.*found none; give"):
        choose_face([], None, SIZE)


def test_several_without_a_choice_are_listed_with_place_and_size() -> None:
    faces = [a_face(200, (200, 450)), a_face(100, (1100, 100)), a_face(90, (600, 800))]
    with pytest.raises(FaceProblem) as refusal:
        choose_face(faces, None, SIZE)
    text = str(refusal.value)
    assert "found 3" in text and "--face" in text
    assert "0 (left, 200 px wide)" in text and "1 (top right, 100 px wide)" in text and "2 (bottom middle, 90 px wide)" in text


def test_faces_in_the_background_are_no_choice() -> None:
    faces = [a_face(300), a_face(80, (100, 100))]
    assert choose_face(faces, None, SIZE) is faces[0]
    assert choose_face(faces, 1, SIZE) is faces[1]


def test_a_choice_picks_by_size_order() -> None:
    faces = [a_face(200), a_face(150, (100, 100))]
    assert choose_face(faces, 1, SIZE) is faces[1]
    assert choose_face(faces, "1", SIZE) is faces[1]
    assert choose_face(faces, "largest", SIZE) is faces[0]


@pytest.mark.parametrize("face", [2, -1, "7", "the left one", ""])
def test_a_choice_that_does_not_exist_is_refused_with_the_list(face: int | str) -> None:
    with pytest.raises(BadOption, match="--face.*0 \\(middle, 200 px wide\\)"):
        choose_face([a_face(200), a_face(150)], face, SIZE)


def test_too_small_is_refused_with_its_size() -> None:
    assert choose_face([a_face(61)], None, SIZE)
    with pytest.raises(FaceProblem, match="at least 60 pixels wide, got 59"):
        choose_face([a_face(59)], None, SIZE)


@pytest.mark.parametrize(
    ("rotation", "text"),
    [((0, 41, 0), "aside"), ((0, -55, 0), "aside"), ((45, 0, 0), "up or down"), ((0, 0, -90), "tilted.*turn the picture upright")],
)
def test_too_turned_is_refused(rotation: tuple[float, float, float], text: str) -> None:
    with pytest.raises(FaceProblem, match=text):
        choose_face([a_face(200, rotation=rotation)], None, SIZE)


def test_moderately_turned_is_fine() -> None:
    assert choose_face([a_face(200, rotation=(-20, 35, 45))], None, SIZE)
