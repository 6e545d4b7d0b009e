"""Emotion accuracy: does a classifier that knows nothing of the instruction see the emotion that was asked for?

The classifier is facex 1.1.0's (MIT; 200 x 200 pixels, seven classes); its weights are not shipped: `instructavatar assets --fetch facex`.
It looks at 8 frames spread evenly over the clip.

emotion_accuracy: share of clips whose mean probabilities over the frames are highest for what was asked; higher is better.
emotion_frames: share of frames, likewise.

Not comparable with the field's "emotion accuracy" by Emotion-FAN or HSEmotion: every classifier has its own. On 16 acted photographs this
one read 10 right (happy 5 of 5, angry 2 of 3, fear 2 of 3, sad 1 of 2, disgusted 0 of 3), so compare a system's numbers with the rows of
the ground truth and the oracle. It is sensitive to the crop: a tight square, 0.9 of the landmarks' extent.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import BadBundle
from instructavatar.face.landmarks import Landmarks
from instructavatar.features.base import version_of
from instructavatar.features.fetch import fetched_path
from instructavatar.metrics.base import Metric, NotScored, Scores, Value
from instructavatar.metrics.case import Case
from instructavatar.metrics.clips import PICTURES, Picture

# The net's classes in their order, by our names for them.
CLASSES = ("angry", "disgusted", "fear", "happy", "neutral", "sad", "surprised")
SIDE = 200
TIGHT = 0.9


class EmotionAccuracy(Metric):
    """Share of clips and frames whose class is the emotion that was asked.

    Args:
        weights: facex's tflite file; None: the fetched one.
    """

    values = {"emotion_accuracy": Value("% of clips"), "emotion_frames": Value("% of frames")}
    reads = True

    def __init__(self, weights: str | Path | None = None) -> None:
        """Loads nothing."""
        self.weights = str(weights) if weights is not None else None
        self.weights_version = ""
        self._net: Any = None

    def __getstate__(self) -> dict[str, Any]:
        """Without the net: each process loads its own."""
        return {**self.__dict__, "_net": None}

    def check(self) -> None:
        """The weights must be there; their checksum is part of the scores' key."""
        self.weights_version = version_of(fetched_path("facex", self.weights))

    def score(self, case: Case) -> Scores:
        """Needs an emotion that the classifier knows."""
        asked = case.asked.emotion
        if asked not in CLASSES:
            raise NotScored(f"the classifier has no class {asked!r}" if asked else "no emotion asked")
        found = case.clip.once("facex", lambda: self._classified(case))
        wanted = CLASSES.index(asked)
        right = found.mean(0).argmax() == wanted
        return {"emotion_accuracy": 100.0 * right, "emotion_frames": 100.0 * float((found.argmax(1) == wanted).mean())}

    def _classified(self, case: Case) -> NDArray[np.float32]:
        """Probabilities of the classes on each picture [K, 7]."""
        seen = case.clip.seen(PICTURES)
        if not seen:
            raise NotScored("no face on the frames looked at")
        return np.stack([self.probabilities(tight_crop(picture, face)) for picture, face in seen])

    def probabilities(self, crop: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities of the classes [7] for a face [200, 200, 3], RGB in 0..1."""
        if self._net is None:
            self._net = _opened(fetched_path("facex", self.weights))
        self._net.set_tensor(self._net.get_input_details()[0]["index"], crop[None])
        self._net.invoke()
        return np.array(self._net.get_tensor(self._net.get_output_details()[0]["index"])[0], np.float32)


def tight_crop(picture: Picture, face: Landmarks) -> NDArray[np.float32]:
    """The face without its surroundings: a square of 0.9 of the landmarks' box's longer side, as [200, 200, 3], RGB in 0..1."""
    left, top, right, bottom = face.box
    side = TIGHT * max(face.width_px, face.height_px)
    scale = side / SIDE
    to_picture = np.array([[scale, 0, (left + right - side) / 2], [0, scale, (top + bottom - side) / 2]])
    return np.asarray(_shrunk(picture, to_picture), np.float32) / np.float32(255)


def _shrunk(picture: Picture, to_picture: NDArray[np.float64]) -> Picture:
    """The part of a picture that an affine map names; where it must shrink, it is drawn larger first and then averaged."""
    times = max(1, int(np.ceil(to_picture[0, 0])))
    larger = to_picture.copy()
    larger[:, :2] /= times
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    drawn = cv2.warpAffine(picture, larger, (SIDE * times, SIDE * times), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(drawn, (SIDE, SIDE), interpolation=cv2.INTER_AREA) if times > 1 else drawn, np.uint8)


def _opened(path: Path) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    try:
        net = Interpreter(model_content=path.read_bytes(), num_threads=1)
        net.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise BadBundle(f"expected facex's net in {path}, got {str(error).splitlines()[0]}; fetch it again") from error
    shapes = [tuple(detail[0]["shape"]) for detail in (net.get_input_details(), net.get_output_details())]
    if shapes != [(1, SIDE, SIDE, 3), (1, len(CLASSES))]:
        raise BadBundle(f"expected a net from {SIDE} x {SIDE} RGB to {len(CLASSES)} classes in {path}, got shapes {shapes}; fetch it again")
    return net
