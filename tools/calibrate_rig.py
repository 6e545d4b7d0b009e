"""Measure what the rig's actions read as, to set GAINS and BLENDS in rig_shapes.py.

    python tools/calibrate_rig.py FOLDER_OF_PORTRAITS [--rig rig.npz] [--actions mouthPress,browDown]

Each action is drawn at 0.25, 0.5, 0.75 and 1 on every portrait (both sides together where it has two), read back by the landmarker, and
the neutral drawing's scores are taken off. Printed: medians over the faces at each level, the median over faces of r between command and
reading, how much of the drawn movement of the points the landmarker saw, and what else was read at 1.0. The landmarker keeps faces near
the ones it knows: it sees about half of a brow's movement and three quarters of a smile's.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rig_shapes import stem_of

from instructavatar.codecs.base import Appearance
from instructavatar.codecs.warp import WarpCodec
from instructavatar.face.landmarks import Landmarks
from instructavatar.face.mesh import OUTER_EYE_CORNERS, VERTEX_COUNT
from instructavatar.face.motion import ACTION_COUNT, ACTIONS, INDEX, MOTION_DIM
from instructavatar.face.rig import Rig
from instructavatar.features.landmarks import FaceLandmarker

LEVELS = (0.25, 0.5, 0.75, 1.0)
STEADY = [6, 168, 197, 195, 5, 4]  # the bridge of the nose: what moves with it is the head
FACE_PX = 200  # portraits are scaled so that the face is this wide


@dataclass(frozen=True)
class Reading:
    """Of one action on F faces. scores: [F, levels, 52], less neutral; seen: [F], share of the drawn movement that was measured."""

    scores: NDArray[np.float64]
    seen: NDArray[np.float64]


class Bench:
    """Portraits ready to be drawn and read."""

    def __init__(self, paths: list[Path], rig: Rig) -> None:
        self.codec, self.landmarker, self.rig = WarpCodec(rig), FaceLandmarker.load(), rig
        self.faces: list[tuple[Appearance, Landmarks]] = []
        for path in paths:
            picture = cv2.imread(str(path))
            found = self.landmarker.find(np.ascontiguousarray(picture[..., ::-1])) if picture is not None else []
            if not found:
                print(f"left out {path.name}: no face found")
                continue
            scale = FACE_PX / found[0].width_px
            small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
            appearance = self.codec.encode_appearance(
                np.ascontiguousarray(small[..., ::-1]), found[0].moved(scale), np.zeros(MOTION_DIM, np.float32)
            )
            self.faces.append((appearance, self.read(appearance, np.zeros(ACTION_COUNT))))

    def read(self, appearance: Appearance, actions: NDArray[np.float64]) -> Landmarks:
        """What the landmarker finds where the actions [52] were drawn."""
        motion = np.zeros((1, MOTION_DIM), np.float32)
        motion[0, :ACTION_COUNT] = actions
        picture = next(self.codec.decode(appearance, motion))
        return next(self.landmarker.track([picture], face=appearance.landmarks)) or appearance.landmarks

    def measure(self, actions: NDArray[np.float64]) -> Reading:
        """Draw `actions` [52] at every level on every face."""
        scores, seen = [], []
        for appearance, neutral in self.faces:
            read = [self.read(appearance, level * actions) for level in LEVELS]
            scores.append([found.actions.astype(np.float64) - neutral.actions for found in read])
            seen.append(self._seen(neutral, read[-1], actions))
        return Reading(np.array(scores), np.array(seen))

    def _seen(self, neutral: Landmarks, moved: Landmarks, actions: NDArray[np.float64]) -> float:
        """Projection of the measured on the drawn movement, for faces that look at the viewer."""
        drawn = self.rig.offsets(actions)[:, :2].astype(np.float64)
        right, left = neutral.points[list(OUTER_EYE_CORNERS), :2]
        measured = (moved.points - neutral.points)[:VERTEX_COUNT, :2] * [1, -1] / np.linalg.norm(left - right)
        measured = measured - measured[STEADY].mean(0)
        return float((measured * drawn).sum() / max((drawn**2).sum(), 1e-12))


def sides(stem: str) -> list[int]:
    """Columns of an action or of both its sides."""
    return [INDEX[stem]] if stem in ACTIONS else [INDEX[f"{stem}Left"], INDEX[f"{stem}Right"]]


def table_row(stem: str, reading: Reading) -> str:
    """One line of the printed table."""
    columns = sides(stem)
    own = reading.scores[..., columns].mean(-1)
    levels = np.array((0.0, *LEVELS))
    curves = np.concatenate([np.zeros((len(own), 1)), own], 1)
    r = [np.corrcoef(levels, curve)[0, 1] if curve.std() > 1e-6 else 0.0 for curve in curves]
    others = np.median(reading.scores[:, -1], 0)
    named = [f"{ACTIONS[i]} {others[i]:+.2f}" for i in np.argsort(-np.abs(others))[:8] if i not in columns and abs(others[i]) > 0.12]
    medians = " ".join(f"{m:5.2f}" for m in np.median(own, 0))
    return f"{stem:<16} {medians}   r {np.median(r):5.2f}   seen {np.median(reading.seen):5.2f}   {', '.join(named)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("portraits", type=Path)
    parser.add_argument("--rig", type=Path, help="a rig file; by default the one that ships")
    parser.add_argument("--actions", help="comma-separated, without sides; by default all")
    arguments = parser.parse_args()
    bench = Bench(sorted(p for p in arguments.portraits.iterdir() if p.suffix in (".png", ".jpg")), Rig.load(arguments.rig))
    stems = arguments.actions.split(",") if arguments.actions else list(dict.fromkeys(map(stem_of, ACTIONS)))
    print(f"{len(bench.faces)} faces; medians at {LEVELS}")
    for stem in stems:
        actions = np.zeros(ACTION_COUNT)
        actions[sides(stem)] = 1
        print(table_row(stem, bench.measure(actions)), flush=True)


if __name__ == "__main__":
    main()
