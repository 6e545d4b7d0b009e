"""Who else is in the picture: a second face makes it unclear whose voice is heard.

A frame every two seconds is searched, beginning with the middle of the first; the picture is shrunk first, so that a look costs about as
much as measuring one more frame.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from instructavatar.face.landmarks import Landmarks
from instructavatar.features.face_search import LEAST_TILE_PX
from instructavatar.features.landmarks import FaceLandmarker
from instructavatar.prepare.gates import Gates, Rejected

EVERY, FIRST = 50, 12  # frames
SEEN = 1 / 8  # the detector finds faces from this share of its view on
LEAST_VIEW_PX = 400.0  # below, faces are too blurred to be told from patterns
SURE = 0.8  # patterns that the detector takes for faces are not believed by the landmark net


class Companions:
    """Looks at the frames of a clip in order."""

    def __init__(self, gates: Gates, landmarker: FaceLandmarker) -> None:
        self.gates, self._landmarker = gates, landmarker
        self.looks = self.company = self.most = 0
        self._frames = 0

    def see(self, frame: NDArray[np.uint8], face: Landmarks | None) -> None:
        """The next frame [H, W, 3] and the face that is followed, if it is seen."""
        due = self._frames % EVERY == FIRST
        self._frames += 1
        if due and face is not None:
            others = companions(self._landmarker, frame, face, self.gates.second_face)
            self.looks, self.company, self.most = self.looks + 1, self.company + bool(others), max(self.most, others)

    def finish(self) -> None:
        """Refuse the clip if a companion was there too often."""
        if self.looks and self.company / self.looks > self.gates.most_company:
            found = f"{self.most + 1} faces of like size, on {self.company} of {self.looks} frames looked at"
            raise Rejected("two_faces", f"{found}; at most on {self.gates.most_company:.0%}")


def companions(landmarker: FaceLandmarker, frame: NDArray[np.uint8], face: Landmarks, share: float) -> int:
    """How many other faces of at least a share of the face's size are in a picture [H, W, 3]."""
    scale = _scale(max(frame.shape[:2]), share * _size(face))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    found = landmarker.find(np.asarray(cv2.resize(frame, None, fx=scale, fy=scale, interpolation=how), np.uint8))
    others = [other for other in found if other.score >= SURE and not _same(other, face, scale)]
    return sum(_size(other) >= share * _size(face) * scale for other in others)


def _scale(side: int, least: float) -> float:
    """How to resize a picture of that longer side, so that the search finds a face of `least` pixels and looks no closer than it must."""
    halvings = max(0, int(np.ceil(np.log2(side * SEEN / least))))  # levels of tiles below the whole picture
    return max(LEAST_VIEW_PX, LEAST_TILE_PX * 2.0**halvings) / side if halvings else LEAST_VIEW_PX / side


def _size(face: Landmarks) -> float:
    """The longer side of the face's box: turning a head makes it narrow, not short."""
    return max(face.width_px, face.height_px)


def _same(one: Landmarks, known: Landmarks, scale: float) -> bool:
    """Whether a face found in the shrunk picture is the known one: its middle lies in the known one's box."""
    left, top, right, bottom = (value * scale for value in known.box)
    x, y = one.points[:, :2].mean(0)
    return bool(left < x < right and top < y < bottom)
