"""Which of the faces in a picture to animate, and which pictures to refuse."""

from __future__ import annotations

from collections.abc import Sequence

from instructavatar.errors import BadOption, FaceProblem
from instructavatar.face.landmarks import Landmarks

LEAST_WIDTH_PX = 60
MOST_TURNED_DEG = 40.0
MOST_ROLLED_DEG = 60.0
COMPANION_SHARE = 1 / 3  # faces narrower than this share of the largest are background, not a choice


def choose_face(faces: Sequence[Landmarks], face: int | str | None, size: tuple[int, int]) -> Landmarks:
    """The face to animate, out of all in a picture, largest first.

    Args:
        faces: as `FaceLandmarker.find` gives them.
        face: a number, 0 being the largest; "largest"; or None, where several faces of like size are refused.
        size: height and width of the picture in pixels.

    Raises:
        FaceProblem: no face, several without a choice, or the chosen one too small or too turned.
        BadOption: `face` is neither a number of a face nor "largest".
    """
    if not faces:
        raise FaceProblem(
            f"expected a face in the picture ({size[1]}x{size[0]} pixels), found none; give one that shows a face from the front, "
            f"at least {LEAST_WIDTH_PX} pixels wide, upright and uncovered"
        )
    return _fit_to_animate(faces[_number(faces, face, size)])


def _number(faces: Sequence[Landmarks], face: int | str | None, size: tuple[int, int]) -> int:
    if face is None:
        companions = [one for one in faces if one.width_px >= COMPANION_SHARE * faces[0].width_px]
        if len(companions) > 1:
            raise FaceProblem(f"expected one face, found {len(companions)}: {_listed(companions, size)}; choose one with --face NUMBER")
        return 0
    if face == "largest":
        return 0
    try:
        number = int(face)
    except ValueError:
        raise BadOption(f"expected --face to be a number or 'largest', got {face!r}; the faces are {_listed(faces, size)}") from None
    if not 0 <= number < len(faces):
        raise BadOption(f"expected --face between 0 and {len(faces) - 1}, got {number}; the faces are {_listed(faces, size)}")
    return number


def _listed(faces: Sequence[Landmarks], size: tuple[int, int]) -> str:
    return ", ".join(f"{number} ({_place(face, size)}, {face.width_px:.0f} px wide)" for number, face in enumerate(faces))


def _place(face: Landmarks, size: tuple[int, int]) -> str:
    """Where in the picture, in words."""
    left, top, right, bottom = face.box
    row = ("top", "", "bottom")[_third((top + bottom) / 2 / size[0])]
    column = ("left", "middle", "right")[_third((left + right) / 2 / size[1])]
    return f"{row} {column}".strip()


def _third(share: float) -> int:
    return min(2, max(0, int(share * 3)))


def _fit_to_animate(face: Landmarks) -> Landmarks:
    width = face.width_px
    if width < LEAST_WIDTH_PX:
        raise FaceProblem(
            f"expected a face at least {LEAST_WIDTH_PX} pixels wide, got {width:.0f}; give a larger picture or one closer to the face"
        )
    pitch, yaw, roll = (abs(float(angle)) for angle in face.rotation_deg)
    _refuse_turned("turned aside", yaw, MOST_TURNED_DEG, "give a picture nearer to a frontal view")
    _refuse_turned("turned up or down", pitch, MOST_TURNED_DEG, "give a picture nearer to a frontal view")
    _refuse_turned("tilted", roll, MOST_ROLLED_DEG, "turn the picture upright")
    return face


def _refuse_turned(how: str, angle: float, most: float, remedy: str) -> None:
    if angle > most:
        raise FaceProblem(f"expected a face {how} by at most {most:.0f} degrees, got {angle:.0f}; {remedy}")
