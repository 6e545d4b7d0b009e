"""Renew landmarks_astronaut.json with MediaPipe itself, which the tests never need.

    pip install mediapipe==1.2.2 opencv-python-headless
    python tests/golden/landmarks_renew.py

"image" is one look at the still picture; "video" is the fifth look at the same picture, found by tracking.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "tests" / "assets" / "portraits" / "astronaut.png"
TASK = ROOT / "instructavatar" / "weights" / "face_landmarker.task"


def main() -> None:
    import cv2
    import mediapipe
    from mediapipe.tasks.python.vision import RunningMode

    pixels = cv2.cvtColor(cv2.imread(str(PICTURE)), cv2.COLOR_BGR2RGB)
    image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=pixels)
    tracker = _landmarker(RunningMode.VIDEO)
    looks = [tracker.detect_for_video(image, 40 * frame) for frame in range(5)]
    golden = {
        "mediapipe": mediapipe.__version__,
        "image": _record(_landmarker(RunningMode.IMAGE).detect(image), pixels.shape),
        "video": _record(looks[-1], pixels.shape),
    }
    (Path(__file__).parent / "landmarks_astronaut.json").write_text(json.dumps(golden) + "\n", encoding="utf-8")


def _landmarker(mode: Any) -> Any:
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(TASK)),
        running_mode=mode,
        output_face_blendshapes=True,
        output_facial_transformation_matrixes=True,
    )
    return vision.FaceLandmarker.create_from_options(options)


def _record(result: Any, shape: tuple[int, ...]) -> dict[str, Any]:
    """Points in pixels, scores by name, the 4x4 matrix."""
    height, width = shape[:2]
    return {
        "points": [[round(p.x * width, 3), round(p.y * height, 3), round(p.z * width, 3)] for p in result.face_landmarks[0]],
        "scores": {score.category_name: round(score.score, 5) for score in result.face_blendshapes[0]},
        "matrix": [[round(float(value), 6) for value in row] for row in result.facial_transformation_matrixes[0]],
    }


if __name__ == "__main__":
    main()
