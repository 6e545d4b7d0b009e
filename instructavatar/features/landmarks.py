"""478 landmarks, 52 ARKit scores and the head's pose of each face in a picture, on LiteRT alone.

The three nets and the canonical mesh come from Google's face landmarker bundle (Apache-2.0); regions of interest, un-projection and
scores follow its graph, so the numbers agree with MediaPipe's (tests/golden/landmarks_astronaut.json).
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import BadBundle
from instructavatar.face.landmarks import OUTER_EYES, POINT_COUNT, Landmarks
from instructavatar.face.motion import ACTIONS, INDEX
from instructavatar.features.base import version_of, weights_path
from instructavatar.features.face_detector import Box, FaceDetector
from instructavatar.features.head_pose import head_pose

TASK = "face_landmarker.task"
CROP = 256
GROW = 1.5  # the region of interest is this much larger than the face
# The score net's own order: "_neutral", then all actions but tongueOut by alphabet.
SCORE_NAMES = ("_neutral", *sorted(set(ACTIONS) - {"tongueOut"}))
# The landmarks that the score net looks at.
SCORE_POINTS = np.array(
    [
        *(0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66, 67, 70, 78, 80, 81, 82, 84, 87),
        *(88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144, 145, 146, 148, 149, 150, 152, 153, 154, 155, 157, 158, 159, 160),
        *(161, 162, 163, 168, 172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249, 251, 263, 267, 269, 270, 276, 282, 283, 284),
        *(285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314, 317, 318, 321, 323, 324, 332, 334, 336, 338, 356, 361, 362),
        *(365, 373, 374, 375, 377, 378, 379, 380, 381, 382, 384, 385, 386, 387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454),
        *(466, 468, 469, 470, 471, 472, 473, 474, 475, 476, 477),
    ]
)
_ACTION_FROM_SCORE = np.array([INDEX[name] for name in SCORE_NAMES[1:]])


@dataclass(frozen=True)
class Region:
    """A square of the picture, turned so that the eyes lie level. Pixels and radians, clockwise in the picture."""

    x: float
    y: float
    side: float
    angle: float

    def to_picture(self) -> NDArray[np.float64]:
        """[2, 3] affine map from crop pixels to picture pixels."""
        unit = self.side / CROP
        cos, sin = np.cos(self.angle) * unit, np.sin(self.angle) * unit
        half = CROP / 2
        return np.array([[cos, -sin, self.x - (cos - sin) * half], [sin, cos, self.y - (sin + cos) * half]])


def region_of_box(box: Box) -> Region:
    """The region around a detected face."""
    left, top, right, bottom = map(float, box.corners)
    side = max(right - left, bottom - top)
    return Region((left + right) / 2, (top + bottom) / 2, side * GROW, _tilt(*box.keypoints[:2]))


def region_of_points(points: NDArray[np.float32]) -> Region:
    """The region around landmarks [478, 3], for the next frame."""
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    x, y = (low + high) / 2
    return Region(float(x), float(y), float((high - low).max()) * GROW, _tilt(*points[list(OUTER_EYES), :2]))


def _tilt(right_eye: NDArray[np.float32], left_eye: NDArray[np.float32]) -> float:
    x, y = left_eye - right_eye
    return float(np.arctan2(y, x))


class FaceLandmarker:
    """Measures faces. Make one per thread: the nets keep state while they run."""

    name = "landmarks"
    rate_hz = 25.0
    dim = POINT_COUNT * 3

    def __init__(self, task_file: Path, threads: int = 1, least_score: float = 0.5) -> None:
        self.version = f"face_landmarker-{version_of(task_file)}"
        self.least_score = least_score
        nets = _nets(task_file, threads)
        self._detector = FaceDetector(nets["face_detector"])
        self._points_net, self._score_net = nets["face_landmarks_detector"], nets["face_blendshapes"]
        self._points_output, self._presence_output = _landmark_outputs(self._points_net)

    @classmethod
    def load(cls, path: Path | str | None = None, threads: int = 1) -> FaceLandmarker:
        """The landmarker of the package, or of a folder or .task file."""
        if path is not None and Path(path).is_file():
            return cls(Path(path), threads)
        return cls(weights_path(TASK, path), threads)

    def find(self, image: NDArray[np.uint8]) -> list[Landmarks]:
        """All faces in a picture [H, W, 3] RGB uint8, largest first; empty where there is none."""
        faces = [self.measure(image, region_of_box(box)) for box in self._detector.detect(image)]
        return sorted((face for face in faces if face), key=lambda face: -face.width_px)

    def track(self, frames: Iterable[NDArray[np.uint8]]) -> Iterator[Landmarks | None]:
        """One face through a video: each frame is searched where the last one had it; None where no face is seen."""
        face: Landmarks | None = None
        for frame in frames:
            face = self.measure(frame, region_of_points(face.points)) if face else None
            if face is None:
                found = self.find(frame)
                face = found[0] if found else None
            yield face

    def measure(self, image: NDArray[np.uint8], region: Region) -> Landmarks | None:
        """The face in a region of a picture, or None where the net sees none."""
        points, presence = self._points(image, region)
        if presence < self.least_score:
            return None
        height, width = image.shape[:2]
        rotation, position = head_pose(points, width, height)
        return Landmarks(points, self._actions(points), rotation, position, presence)

    def _points(self, image: NDArray[np.uint8], region: Region) -> tuple[NDArray[np.float32], float]:
        """Landmarks [478, 3] in pixels of the picture, and the score that this is a face."""
        crop = crop_region(image, region)
        self._points_net.set_tensor(self._points_net.get_input_details()[0]["index"], crop)
        self._points_net.invoke()
        points = self._points_net.get_tensor(self._points_output).reshape(POINT_COUNT, 3)
        logit = float(self._points_net.get_tensor(self._presence_output).reshape(-1)[0])
        matrix = region.to_picture()
        flat = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        depth = points[:, 2:] * (region.side / CROP)
        return np.concatenate([flat, depth], axis=1).astype(np.float32), float(1 / (1 + np.exp(-logit)))

    def _actions(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """The 52 scores in ARKit's order from landmarks in pixels; tongueOut, which the net lacks, stays 0."""
        net = self._score_net
        net.set_tensor(net.get_input_details()[0]["index"], points[None, SCORE_POINTS, :2])
        net.invoke()
        scores = net.get_tensor(net.get_output_details()[0]["index"]).reshape(-1)
        actions = np.zeros(len(ACTIONS), np.float32)
        actions[_ACTION_FROM_SCORE] = scores[1:]
        return actions


def crop_region(image: NDArray[np.uint8], region: Region) -> NDArray[np.float32]:
    """The region as the landmark net wants it: [1, 256, 256, 3] in 0..1."""
    crop = cv2.warpAffine(
        image, region.to_picture(), (CROP, CROP), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
    return crop[None] * np.float32(1 / 255)


def _nets(task_file: Path, threads: int) -> dict[str, Any]:
    """The allocated nets of the bundle by their name."""
    from ai_edge_litert.interpreter import Interpreter

    try:
        with zipfile.ZipFile(task_file) as bundle:
            contents = {Path(name).stem: bundle.read(name) for name in bundle.namelist() if name.endswith(".tflite")}
    except zipfile.BadZipFile as error:
        raise BadBundle(f"expected a face landmarker bundle in {task_file}, got a damaged file; copy or rebuild it") from error
    nets = {name: Interpreter(model_content=content, num_threads=threads) for name, content in contents.items()}
    for net in nets.values():
        net.allocate_tensors()
    return nets


def _landmark_outputs(net: Any) -> tuple[int, int]:
    """Indices of the landmarks [.., 1434] and of the face score [1, 1, 1, 1]."""
    details = {tuple(detail["shape"]): detail["index"] for detail in net.get_output_details()}
    return details[(1, 1, 1, POINT_COUNT * 3)], details[(1, 1, 1, 1)]
