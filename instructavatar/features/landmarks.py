"""478 landmarks, 52 ARKit scores and the head's pose of each face in a picture, on LiteRT alone.

The three nets and the canonical mesh come from Google's face landmarker bundle (Apache-2.0); regions of interest, un-projection and
scores follow its graph, so the numbers agree with MediaPipe's (tests/golden/landmarks_astronaut.json).
"""

from __future__ import annotations

import os
import sys
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import BadBundle
from instructavatar.face.landmarks import POINT_COUNT, Landmarks
from instructavatar.face.mesh import mirror_index
from instructavatar.face.motion import ACTIONS, INDEX, mirror_name
from instructavatar.features.base import version_of, weights_path
from instructavatar.features.face_choice import choose_face
from instructavatar.features.face_detector import FaceDetector
from instructavatar.features.face_search import search, search_near, search_turned
from instructavatar.features.head_pose import head_pose
from instructavatar.features.region import CROP, Region, crop_region, region_of_points

TASK = "face_landmarker.task"
SURE_SCORE = 0.95  # upright faces score more, be they photographed, painted or carved
FULL_SEARCH_EVERY = 25  # frames without a face between two long searches in a video
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
_OTHER_SIDE = np.array([INDEX[mirror_name(name)] for name in ACTIONS])
_ACTION_FROM_SCORE = np.array([INDEX[name] for name in SCORE_NAMES[1:]])


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
        # Asking a net for these takes as long as drawing a crop.
        self._points_input, self._score_input = (net.get_input_details()[0]["index"] for net in (self._points_net, self._score_net))
        self._score_output = self._score_net.get_output_details()[0]["index"]

    @classmethod
    def load(cls, path: Path | str | None = None, threads: int = 1) -> FaceLandmarker:
        """The landmarker of the package, or of a folder or .task file."""
        if path is not None and Path(path).is_file():
            return cls(Path(path), threads)
        return cls(weights_path(TASK, path), threads)

    def find(self, image: NDArray[np.uint8]) -> list[Landmarks]:
        """All faces in a picture [H, W, 3] RGB uint8, largest first; empty where there is none.

        The whole picture is searched, then ever smaller tiles, to one level beyond the first that showed a face, so that companions of up
        to half the size are found too; if no level shows one for sure, turned copies.
        """
        _check(image)
        faces: list[Landmarks] = []
        for level, regions in enumerate(search(self._detector, image)):
            enough = bool(faces)
            self._add(faces, image, regions, again=level > 0)
            if enough:
                break
        if max((face.score for face in faces), default=0.0) < SURE_SCORE:
            faces = self._turned_or(faces, image)
        return sorted(faces, key=lambda face: -face.width_px)

    def _turned_or(self, faces: list[Landmarks], image: NDArray[np.uint8]) -> list[Landmarks]:
        """Faces in turned copies of the picture if the net is surer of them: it half believes in faces that are upside down."""
        turned: list[Landmarks] = []
        self._add(turned, image, search_turned(self._detector, image), again=True)
        return max(turned, faces, key=lambda some: max((face.score for face in some), default=0.0))

    def choose(self, image: NDArray[np.uint8], face: int | str | None = None) -> Landmarks:
        """The face to animate in a picture [H, W, 3], as `choose_face` chooses it and `balanced` measures it.

        Raises:
            FaceProblem, BadOption: as `choose_face`.
        """
        return self.balanced(image, choose_face(self.find(image), face, image.shape[:2]))

    def balanced(self, image: NDArray[np.uint8], face: Landmarks) -> Landmarks:
        """The mean of a face measured as it is and in the picture's mirror image, where both show it.

        The nets favour a side: what they say of a face and of its mirror image differs by some percent; a portrait is measured but once.
        """
        width, sides = image.shape[1], mirror_index()
        turned = _turned(face.points, width)[sides]
        one = self.measure(image, region_of_points(face.points))
        other = self.measure(np.ascontiguousarray(image[:, ::-1]), region_of_points(turned))
        if one is None or other is None:
            return face
        points = (one.points + _turned(other.points[sides], width)) * np.float32(0.5)
        actions = (one.actions + other.actions[_OTHER_SIDE]) * np.float32(0.5)
        rotation, position = head_pose(points, width, image.shape[0])
        return Landmarks(points, actions, rotation, position, min(one.score, other.score))

    def track(self, frames: Iterable[NDArray[np.uint8]], face: Landmarks | None = None) -> Iterator[Landmarks | None]:
        """One face through a video: each frame is searched where the last one had it; None where no face is seen.

        `face` is the one to follow, measured on a frame like the first; without it the largest is followed.
        """
        last, missed = face, 0
        for frame in frames:
            _check(frame)
            seen = self.measure(frame, region_of_points(last.points)) if last and not missed else None
            seen = seen or self._seek(frame, last, full=missed % FULL_SEARCH_EVERY == 0)
            missed = 0 if seen else missed + 1
            last = seen or last
            yield seen

    def _seek(self, frame: NDArray[np.uint8], last: Landmarks | None, full: bool) -> Landmarks | None:
        """The face nearest to the lost one, or the largest if there was none yet; measured as the tracker will go on measuring it."""
        faces: list[Landmarks] = []
        if last is not None:
            self._add(faces, frame, search_near(self._detector, frame, region_of_points(last.points)), again=False)
        elif not full:
            self._add(faces, frame, next(search(self._detector, frame)), again=False)
        if full and not faces:
            faces = self.find(frame)
        if not faces:
            return None
        face = max(faces, key=lambda one: one.width_px) if last is None else min(faces, key=lambda one: _apart(one, last))
        return self.measure(frame, region_of_points(face.points)) or face

    def _add(self, faces: list[Landmarks], image: NDArray[np.uint8], regions: list[Region], again: bool) -> None:
        """Measure the candidates that are not yet among the faces; `again`: twice, for boxes of small or turned faces are rough."""
        for region in regions:
            if any(_inside(region.x, region.y, face) for face in faces):
                continue
            face = self.measure(image, region)
            if face and again:
                face = self.measure(image, region_of_points(face.points))
            if face and not any(_inside(*_centre(face), other) for other in faces):
                faces.append(face)

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
        self._points_net.set_tensor(self._points_input, crop)
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
        net.set_tensor(self._score_input, points[None, SCORE_POINTS, :2])
        net.invoke()
        scores = net.get_tensor(self._score_output).reshape(-1)
        actions = np.zeros(len(ACTIONS), np.float32)
        actions[_ACTION_FROM_SCORE] = scores[1:]
        return actions


def _check(image: NDArray[np.uint8]) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        raise ValueError(f"expected a picture of shape [H, W, 3] and type uint8 (RGB), got {list(image.shape)} {image.dtype}")


def _turned(points: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Where the points [N, 3] lie in the mirror image of a picture of that width."""
    return np.concatenate([width - 1 - points[:, :1], points[:, 1:]], 1)


def _centre(face: Landmarks) -> tuple[float, float]:
    left, top, right, bottom = face.box
    return (left + right) / 2, (top + bottom) / 2


def _inside(x: float, y: float, face: Landmarks) -> bool:
    left, top, right, bottom = face.box
    return left < x < right and top < y < bottom


def _apart(one: Landmarks, other: Landmarks) -> float:
    """Distance of two faces' centres in pixels."""
    return float(np.hypot(*np.subtract(_centre(one), _centre(other))))


def _nets(task_file: Path, threads: int) -> dict[str, Any]:
    """The allocated nets of the bundle by their name."""
    from ai_edge_litert.interpreter import Interpreter

    try:
        with zipfile.ZipFile(task_file) as bundle:
            contents = {Path(name).stem: bundle.read(name) for name in bundle.namelist() if name.endswith(".tflite")}
    except zipfile.BadZipFile as error:
        raise BadBundle(f"expected a face landmarker bundle in {task_file}, got a damaged file; copy or rebuild it") from error
    with _silenced():
        nets = {name: Interpreter(model_content=content, num_threads=threads) for name, content in contents.items()}
        for net in nets.values():
            net.allocate_tensors()
    return nets


@contextmanager
def _silenced() -> Iterator[None]:
    """Nothing reaches standard error: LiteRT prints a line there when it sets up, from C++ and without a switch."""
    if sys.stderr is not None:
        sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # the program has no standard error
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _landmark_outputs(net: Any) -> tuple[int, int]:
    """Indices of the landmarks [.., 1434] and of the face score [1, 1, 1, 1]."""
    details = {tuple(detail["shape"]): detail["index"] for detail in net.get_output_details()}
    return details[(1, 1, 1, POINT_COUNT * 3)], details[(1, 1, 1, 1)]
