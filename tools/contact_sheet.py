"""Draw expressions x portraits as one picture, to look at the codec with human eyes.

    python tools/contact_sheet.py tests/assets/portraits/astronaut.png --out sheet.png
    python tools/contact_sheet.py face.jpg --expressions blink wink kiss --side 400
    python tools/contact_sheet.py face.jpg --pose jawOpen=0.4,yaw=12 --pose eyeBlinkLeft=1

The first column is the portrait itself. Crops follow the face, so that small faces are seen too.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from instructavatar.codecs.base import Codec
from instructavatar.codecs.warp import WarpCodec
from instructavatar.errors import FaceProblem
from instructavatar.face.landmarks import Landmarks
from instructavatar.face.motion import FaceMotion
from instructavatar.features.face_motion import resting_motion
from instructavatar.features.landmarks import FaceLandmarker

Picture = NDArray[np.uint8]


def both(**values: float) -> dict[str, float]:
    """The same value for the left and the right action."""
    return {name + side: value for name, value in values.items() for side in ("Left", "Right")}


EXPRESSIONS: dict[str, dict[str, float]] = {
    "smile": both(mouthSmile=0.8, cheekSquint=0.5, eyeSquint=0.3),
    "big open smile": both(mouthSmile=0.9, mouthUpperUp=0.4, mouthLowerDown=0.3, cheekSquint=0.6, eyeSquint=0.4) | {"jawOpen": 0.3},
    "surprise": both(eyeWide=0.8, browOuterUp=0.9) | {"jawOpen": 0.5, "browInnerUp": 0.9},
    "sad": both(mouthFrown=0.8, eyeLookDown=0.3, eyeSquint=0.2) | {"browInnerUp": 0.9, "mouthShrugLower": 0.4, "pitch": -5.0},
    "angry": both(browDown=1.0, noseSneer=0.6, mouthPress=0.6, eyeSquint=0.5, eyeWide=0.2),
    "wink": {"eyeBlinkLeft": 1.0, "cheekSquintLeft": 0.5, "mouthSmileLeft": 0.6, "mouthSmileRight": 0.3},
    "kiss": both(eyeBlink=1.0) | {"mouthPucker": 0.9},
    "turn and gaze": {"yaw": 18.0, "pitch": 5.0, "roll": -4.0, "eyeLookInRight": 0.7, "eyeLookOutLeft": 0.7},
    "blink": both(eyeBlink=1.0),
    "speak": {"jawOpen": 0.25, "mouthFunnel": 0.3},
    "other side": {"yaw": -20.0, "roll": 6.0},
    "up": {"pitch": 15.0, "jawOpen": 0.15},
    "down": both(eyeLookUp=0.6) | {"pitch": -15.0},
    "disgust": both(noseSneer=0.9, mouthUpperUp=0.6, browDown=0.5, eyeSquint=0.6),
}
DEFAULT = tuple(EXPRESSIONS)[:8]


def parsed(pose: str) -> dict[str, float]:
    """Named values of a text like jawOpen=0.4,yaw=12."""
    pairs = (part.split("=") for part in pose.split(","))
    return {name.strip(): float(value) for name, value in pairs}


def crop(picture: Picture, face: Landmarks, side: int, margin: float) -> Picture:
    """The face and `margin` times its size around it, as a square."""
    left, top, right, bottom = face.box
    half = margin * max(right - left, bottom - top)
    middle = np.array([(left + right) / 2, (top + bottom) / 2])
    scale = side / (2 * half)
    matrix = np.array([[scale, 0, side / 2 - scale * middle[0]], [0, scale, side / 2 - scale * middle[1]]])
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    if scale < 0.5:  # warpAffine does not average, so shrink first
        picture = cv2.resize(picture, None, fx=2 * scale, fy=2 * scale, interpolation=cv2.INTER_AREA)
        matrix[:, :2] /= 2 * scale
    return cv2.warpAffine(picture, matrix, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE)


def row(codec: Codec, portrait: Picture, face: Landmarks, poses: dict[str, dict[str, float]], side: int, margin: float) -> Picture:
    """The portrait and its poses, side by side."""
    appearance = codec.encode_appearance(portrait, face, resting_motion(face))
    motion = np.concatenate([appearance.rest[None], *(FaceMotion.of(1, pose).values for pose in poses.values())])
    return np.hstack([crop(frame, face, side, margin) for frame in codec.decode(appearance, motion)])


def header(names: list[str], side: int) -> Picture:
    strip = np.full((22, side * len(names), 3), 255, np.uint8)
    for k, name in enumerate(names):
        cv2.putText(strip, name, (k * side + 4, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    return strip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("portraits", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=Path("sheet.png"))
    parser.add_argument("--side", type=int, default=240, help="pixels of a cell")
    parser.add_argument("--margin", type=float, default=0.85, help="half a cell in face sizes")
    parser.add_argument(
        "--expressions", nargs="+", default=list(DEFAULT), choices=list(EXPRESSIONS), metavar="NAME", help=", ".join(EXPRESSIONS)
    )
    parser.add_argument("--pose", action="append", default=[], metavar="jawOpen=0.4,yaw=12", help="a pose of your own, may be repeated")
    options = parser.parse_args()
    poses = {pose: parsed(pose) for pose in options.pose} or {name: EXPRESSIONS[name] for name in options.expressions}
    codec, landmarker = WarpCodec.load(), FaceLandmarker.load()
    rows = [header(["portrait", *poses], options.side)]
    for path in options.portraits:
        portrait = cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        try:
            face = landmarker.choose(portrait, "largest")
        except FaceProblem as problem:
            print(f"{path.name}: {problem}")
            continue
        rows.append(row(codec, portrait, face, poses, options.side, options.margin))
    cv2.imwrite(str(options.out), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))
    print(f"{options.out}: {len(rows) - 1} portraits x {len(poses)} expressions")


if __name__ == "__main__":
    main()
