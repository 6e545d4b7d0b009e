"""FaceMotion from measured faces: a video's motion, and the expression that a single portrait already shows.

T frames at 25 Hz. Actions and rotation are absolute as measured; translation counts from a reference frame.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import BadOption, FaceProblem
from instructavatar.face.landmarks import Landmarks, places_from
from instructavatar.face.motion import ACTION_COUNT, INDEX, MOTION_DIM, ROTATION, TRANSLATION, FaceMotion

VERSION = "face_motion-1"
REFERENCES = ("first", "median")

# What of a portrait's scores is believed, found by comparing scores and pictures of 14 photos, paintings, renders and a statue: smiles
# and open mouths were right in all of them; puckers (moustaches, small lips: up to 0.9), squints, lowered or raised outer brows (0.78 on
# a calm face with glasses), rolled and shrugged lips were mostly wrong. Blinks up to 0.21 were eyes that are narrow by nature; lids that
# cover a good part of the iris read higher. Gaze is right, but a face that looks at the viewer should go on doing so: zero gaze means as
# in the picture.
_SMILES = ("mouthSmileLeft", "mouthSmileRight")
_OPENERS = ("mouthUpperUpLeft", "mouthUpperUpRight", "mouthLowerDownLeft", "mouthLowerDownRight")  # believed beside a smile or open jaw
_SURE = {name: 0.3 for name in (*_SMILES, "jawOpen", *_OPENERS)}
_SURE |= {"mouthFrownLeft": 0.4, "mouthFrownRight": 0.4, "browInnerUp": 0.6}
_LIDS = ("eyeBlinkLeft", "eyeBlinkRight")
_HALF_SHUT, _SURELY = 0.25, 0.35  # blink scores between which an eye counts more and more as lowered, not narrow by nature
_NEARLY_SHUT = 0.5  # more than this never rests: a blink must have some way to go
SHRINK = 0.8  # taken back in full, a strong smile would leave an unnatural mouth
_RAMP = 0.15  # a score this much above its threshold counts fully


def face_motion(faces: Sequence[Landmarks | None], *, reference: str = "first", smooth: float = 0.0) -> FaceMotion:
    """The motion of one face through a video.

    Args:
        faces: one entry a frame; frames without a face are filled in linearly from their neighbours (`missing` counts them).
        reference: the frame that translation counts from, "first" or "median".
        smooth: standard deviation in frames of a light Gaussian over all curves; 0 leaves them as measured.

    Raises:
        FaceProblem: no frame shows a face.
    """
    if reference not in REFERENCES:
        raise BadOption(f"expected reference to be one of {', '.join(REFERENCES)}, got {reference!r}")
    seen = _seen(faces)
    rows = np.stack([_row(face) for face in faces if face is not None])
    places = rows[:, TRANSLATION]
    rows[:, TRANSLATION] = places_from(places[0] if reference == "first" else np.median(places, axis=0), places)
    values = _filled(rows, np.array(seen), len(faces))
    return FaceMotion(gaussian(values, smooth) if smooth > 0 else values)


def held(faces: Sequence[Landmarks | None]) -> list[Landmarks]:
    """The faces, with the last one seen (at the beginning the first) where a frame shows none.

    Raises:
        FaceProblem: no frame shows a face.
    """
    last = faces[_seen(faces)[0]]
    assert last is not None
    whole = []
    for face in faces:
        last = face or last
        whole.append(last)
    return whole


def _seen(faces: Sequence[Landmarks | None]) -> list[int]:
    """Frames with a face."""
    seen = [frame for frame, face in enumerate(faces) if face is not None]
    if not seen:
        raise FaceProblem(f"expected a face in the video, found none in {len(faces)} frames; give a video that shows a face from the front")
    return seen


def missing(faces: Sequence[Landmarks | None]) -> int:
    """How many frames show no face."""
    return sum(face is None for face in faces)


def resting_motion(face: Landmarks) -> NDArray[np.float32]:
    """The portrait's own expression [58] as far as it can be trusted and taken back; pose is zero.

    Only smiles, open mouths, frowns and raised inner brows that are clearly there count, shrunk by `SHRINK`, and lids that are clearly
    lowered; all else is 0.
    """
    rest = np.zeros(MOTION_DIM, np.float32)
    for name, least in _SURE.items():
        score = float(face.actions[INDEX[name]])
        rest[INDEX[name]] = SHRINK * score * np.clip((score - least) / _RAMP, 0, 1)
    for name in _LIDS:
        score = float(face.actions[INDEX[name]])
        rest[INDEX[name]] = min(score, _NEARLY_SHUT) * np.clip((score - _HALF_SHUT) / (_SURELY - _HALF_SHUT), 0, 1)
    mouth = max(float(rest[INDEX[name]]) for name in (*_SMILES, "jawOpen"))
    for name in _OPENERS:
        rest[INDEX[name]] = min(float(rest[INDEX[name]]), mouth)
    return rest


def gaussian(values: NDArray[np.float32], deviation: float) -> NDArray[np.float32]:
    """Curves [T, C] smoothed over time by a Gaussian; the ends are held. `deviation` is in frames."""
    reach = max(1, int(np.ceil(3 * deviation)))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    kernel /= kernel.sum()
    padded = np.pad(values, ((reach, reach), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, len(kernel), axis=0)
    return (windows @ kernel).astype(np.float32)


def _row(face: Landmarks) -> NDArray[np.float32]:
    return np.concatenate([face.actions, face.rotation_deg, face.translation])


def _filled(rows: NDArray[np.float32], seen: NDArray[np.int64], frames: int) -> NDArray[np.float32]:
    """Rows of the seen frames spread over all frames; gaps linearly, ends held; actions kept in 0..1, angles free of jumps at 180."""
    rows = rows.copy()
    rows[:, ROTATION] = np.unwrap(rows[:, ROTATION], axis=0, period=360)
    times = np.arange(frames)
    values = np.stack([np.interp(times, seen, column) for column in rows.T], axis=1).astype(np.float32)
    values[:, :ACTION_COUNT] = values[:, :ACTION_COUNT].clip(0, 1)
    return values
