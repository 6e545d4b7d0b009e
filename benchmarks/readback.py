"""Read-back: what the codec draws, measured again by the landmarker.

Each readable action is drawn at 0, 0.25, 0.5, 0.75 and 1 on each face; the score read back, less that of the face drawn neutral, should
follow. r is taken per action on each face and is 0 where the score does not move by 0.05; an action's r is the median over the faces.
r_pooled takes all faces and levels of an action together, so that it also counts against the codec (and the landmarker) how differently
strong faces read. Eyes move together, so gaze is asked of both; lips can close only over an open jaw, so mouthClose is asked with one.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from common import Row, console, options, portraits, report, row
from numpy.typing import NDArray

from instructavatar.codecs.base import Appearance, Codec
from instructavatar.codecs.warp import WarpCodec
from instructavatar.errors import InstructAvatarError
from instructavatar.face.actions import READABLE
from instructavatar.face.motion import ACTIONS, INDEX, MOTION_DIM, mirror_name
from instructavatar.features.face_motion import resting_motion
from instructavatar.features.landmarks import FaceLandmarker
from instructavatar.media.portrait import read_portrait

LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0)
ANGLES_DEG = (-20.0, -10.0, 10.0, 20.0)
JAW_FOR_LIPS = 0.4
LEAST_CHANGE = 0.05  # a score that moves less was not read; idle noise of the landmarker is about 0.01
Array = NDArray[np.float32]


@dataclass(frozen=True)
class Face:
    """A portrait ready to be drawn."""

    name: str
    appearance: Appearance


def load_face(path: Path, codec: Codec, landmarker: FaceLandmarker, flip: bool = False) -> Face:
    """The portrait's largest face, or that of its mirror image; its own expression taken back as far as it is believed."""
    picture = read_portrait(path, max_side=1024).rgb
    picture = np.ascontiguousarray(picture[:, ::-1]) if flip else picture
    landmarks = landmarker.choose(picture, "largest")
    return Face(path.stem, codec.encode_appearance(picture, landmarks, resting_motion(landmarks)))


def together(action: str) -> tuple[str, ...]:
    """The actions that are drawn with one another.

    >>> together("eyeLookOutLeft"), together("eyeLookUpRight"), together("jawOpen")
    (('eyeLookOutLeft', 'eyeLookInRight'), ('eyeLookUpRight', 'eyeLookUpLeft'), ('jawOpen',))
    """
    if not action.startswith("eyeLook"):
        return (action,)
    turned = action.replace("Out", "#").replace("In", "Out").replace("#", "In") if "Out" in action or "In" in action else action
    return (action, mirror_name(turned))


def commands(actions: tuple[str, ...]) -> list[tuple[str, float, Array]]:
    """(action, level, motion row [58]) of everything that is drawn."""
    rows = []
    for action in actions:
        for level in LEVELS:
            motion = np.zeros(MOTION_DIM, np.float32)
            motion[INDEX["jawOpen"]] = JAW_FOR_LIPS if action == "mouthClose" else 0.0
            for name in together(action):
                motion[INDEX[name]] = level
            rows.append((action, level, motion))
    return rows


def read(face: Face, motions: Array, codec: Codec, landmarker: FaceLandmarker, seen_as: Face | None = None) -> Array:
    """What is read back [N, 52 + 3]: scores and rotation in degrees; NaN where no face was seen.

    With `seen_as`, the face whose mirror image is drawn, each drawing is turned back before it is read.
    """
    measured = np.full((len(motions), len(ACTIONS) + 3), np.nan, np.float32)
    start = (seen_as or face).appearance.landmarks
    # Each picture is searched where the portrait's face was, so that one drawing does not lead the next.
    for i, picture in enumerate(codec.decode(face.appearance, motions)):
        upright = picture if seen_as is None else np.ascontiguousarray(picture[:, ::-1])
        seen = next(landmarker.track([upright], face=start))
        if seen is not None:
            measured[i] = np.concatenate([seen.actions, seen.rotation_deg])
    return measured


def action_deltas(faces: list[Face], actions: tuple[str, ...], codec: Codec, landmarker: FaceLandmarker) -> Array:
    """Read-back less neutral [faces, actions, levels, 52]."""
    drawn = np.stack([motion for _, _, motion in commands(actions)])
    found = []
    for face in faces:
        scores = read(face, drawn, codec, landmarker)[:, : len(ACTIONS)].reshape(len(actions), len(LEVELS), -1)
        found.append(scores - scores[:, :1])
        console.print(f"  {face.name}: drawn and read {len(drawn)} times", highlight=False)
    return np.stack(found)


def pooled_correlations(deltas: Array, actions: tuple[str, ...]) -> dict[str, float]:
    """Pearson r of commanded and read level per action, over all faces and levels together; 0 where nothing was read."""
    return {action: _r(deltas[:, i, :, INDEX[action]], 1e-6) for i, action in enumerate(actions)}


def correlations(deltas: Array, actions: tuple[str, ...]) -> dict[str, float]:
    """Median over the faces of r of commanded and read level, per action."""
    return {action: float(np.median([_r(face[i, :, INDEX[action]], LEAST_CHANGE) for face in deltas])) for i, action in enumerate(actions)}


def _r(values: Array, least_change: float) -> float:
    """Pearson r of values [..., levels] with the levels; 0 where they change too little, drawings without a face left out."""
    asked, good = np.broadcast_to(np.array(LEVELS), values.shape), np.isfinite(values)
    if good.sum() < 3 or np.ptp(values[good]) < least_change:
        return 0.0
    return float(np.corrcoef(asked[good], values[good])[0, 1])


def pose_errors(faces: list[Face], codec: Codec, landmarker: FaceLandmarker) -> Array:
    """Absolute error in degrees [faces, 3 axes, angles] of pitch, yaw and roll, each turned alone."""
    turns = np.zeros((1 + 3 * len(ANGLES_DEG), MOTION_DIM), np.float32)
    for axis, name in enumerate(("pitch", "yaw", "roll")):
        for k, angle in enumerate(ANGLES_DEG):
            turns[1 + axis * len(ANGLES_DEG) + k, INDEX[name]] = angle
    errors = []
    for face in faces:
        angles = read(face, turns, codec, landmarker)[:, len(ACTIONS) :]
        moved = (angles[1:] - angles[:1]).reshape(3, len(ANGLES_DEG), 3)
        errors.append([np.abs(moved[axis, :, axis] - ANGLES_DEG) for axis in range(3)])
    return np.array(errors, np.float32)


def mirror_difference(paths: list[Path], faces: list[Face], deltas: Array, codec: Codec, landmarker: FaceLandmarker) -> float:
    """How far a left action on a face and the right action on its mirror image differ, in % of what is read.

    The mirrored drawing is turned back and read as the other was, so that the landmarker's own lopsidedness does not count.
    """
    sided = [a for a in READABLE if "Left" in a]
    mirrored = np.stack([motion for _, level, motion in commands(tuple(map(mirror_name, sided))) if level in (0.0, 1.0)])
    apart = size = 0.0
    for number, (path, face) in enumerate(zip(paths, faces, strict=True)):
        turned = load_face(path, codec, landmarker, flip=True)
        scores = read(turned, mirrored, codec, landmarker, seen_as=face).reshape(len(sided), 2, -1)
        for i, action in enumerate(sided):
            there = float(scores[i, 1, INDEX[action]] - scores[i, 0, INDEX[action]])
            here = float(deltas[number, READABLE.index(action), -1, INDEX[action]])
            if np.isfinite(there) and np.isfinite(here):
                apart += abs(here - there)
                size += max(abs(here), abs(there))
    return 100 * apart / max(size, 1e-9)


def crosstalk(deltas: Array, actions: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """Commanded at 1 -> mean change of each other readable action that changed by 0.05 or more."""
    means = np.nanmean(deltas[:, :, -1], axis=0)
    own = {action: set(together(action)) for action in actions}
    return {
        action: {
            other: float(means[i, INDEX[other]]) for other in READABLE if other not in own[action] and abs(means[i, INDEX[other]]) >= 0.05
        }
        for i, action in enumerate(actions)
    }


def gains(deltas: Array, actions: tuple[str, ...]) -> dict[str, float]:
    """Read-back per unit asked, per action: the median over the faces of the slope through the origin."""
    levels = np.array(LEVELS)
    slopes = [np.nansum(deltas[:, i, :, INDEX[a]] * levels, 1) / (levels**2).sum() for i, a in enumerate(actions)]
    return {action: float(np.median(slope)) for action, slope in zip(actions, slopes, strict=True)}


def print_details(r: dict[str, float], slopes: dict[str, float], deltas: Array, errors: Array) -> None:
    """Each action's r and gain, the crosstalk matrix, and the pose error of each angle."""
    console.print("\nnumber, action, r, gain (read per unit asked), read at 1.0:")
    numbers = {action: i for i, action in enumerate(r)}
    for action, i in numbers.items():
        level = float(np.nanmedian(deltas[:, i, -1, INDEX[action]]))
        console.print(f"  {i:2d} {action:<22} {r[action]:6.3f} {slopes[action]:6.2f} {level:6.2f}", highlight=False)
    console.print("\ncrosstalk in hundredths: the row's action at 1.0 -> what the column's (by number) reads; below 5 is a dot:")
    means = np.nanmean(deltas[:, :, -1], axis=0)
    console.print(" " * 25 + "".join(f"{i:4d}" for i in numbers.values()), highlight=False, soft_wrap=True)
    for action, i in numbers.items():
        cells = (round(100 * float(means[i, INDEX[other]])) for other in numbers)
        line = "".join("   ." if abs(cell) < 5 else f"{cell:4d}" for cell in cells)
        console.print(f"  {i:2d} {action:<20}{line}", highlight=False, soft_wrap=True)
    axes = np.nanmean(errors, axis=(0, 2))
    console.print(f"\npose error by axis: pitch {axes[0]:.1f}, yaw {axes[1]:.1f}, roll {axes[2]:.1f} degrees\n", highlight=False)


def usable(paths: list[Path], codec: Codec, landmarker: FaceLandmarker) -> tuple[list[Path], list[Face]]:
    """The portraits whose face can be found; others are named."""
    kept: list[Path] = []
    faces: list[Face] = []
    for path in paths:
        try:
            faces.append(load_face(path, codec, landmarker))
            kept.append(path)
        except InstructAvatarError as error:
            console.print(f"  left out {path.name}: {error}", highlight=False)
    return kept, faces


def measure(args: argparse.Namespace) -> tuple[list[Row], dict[str, object]]:
    codec, landmarker = WarpCodec.load(), FaceLandmarker.load()
    paths, faces = usable(portraits(args.material, 2 if args.quick else None), codec, landmarker)
    deltas = action_deltas(faces, READABLE, codec, landmarker)
    r, pooled = correlations(deltas, READABLE), pooled_correlations(deltas, READABLE)
    errors, talk = pose_errors(faces, codec, landmarker), crosstalk(deltas, READABLE)
    slopes = gains(deltas, READABLE)
    print_details(r, slopes, deltas, errors)
    values = np.array(list(r.values()))
    rows = [
        row("r_median", float(np.median(values)), "", ">= 0.9"),
        row("r_share", float(np.mean(values >= 0.8)), "of actions with r >= 0.8", ">= 0.8"),
        row("pose_err_deg", float(np.nanmean(errors)), "degrees", "<= 3"),
        row("mirror_pct", mirror_difference(paths, faces, deltas, codec, landmarker), "%", "<= 5"),
        row("r_pooled", float(np.median(list(pooled.values())))),
        row("faces", float(len(faces)), "faces"),
        row("lost", float(np.isnan(deltas).any(-1).mean() * 100), "% of drawings without a face"),
    ]
    return rows, {"r": r, "gain": slopes, "r_pooled": pooled, "crosstalk": talk}


def main() -> None:
    args = options(__doc__.splitlines()[0]).parse_args()
    rows, more = measure(args)
    report("readback", rows, args.json, **more)


if __name__ == "__main__":
    main()
