"""The pictures of docs/gallery.md: portraits of different kinds x actions, drawn by the codec that ships.

    python tools/gallery.py [--out docs/gallery] [--material DIR] [--only NAME ...]

The portraits are the repository's, a photograph that comes with matplotlib (Grace Hopper, U.S. Navy, public domain), and other kinds of
picture made of these: a pencil drawing, an oil painting, a statue, a flat cartoon, an old print, a tiny face, a tilted head. Every picture
of a folder given as --material is drawn in their place, to look at and not to publish.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from contact_sheet import EXPRESSIONS, Picture, header, row
from matplotlib import cbook
from rich.progress import track

from instructavatar.codecs.warp import WarpCodec
from instructavatar.errors import InstructAvatarError
from instructavatar.features.base import weights_path
from instructavatar.features.landmarks import FaceLandmarker
from instructavatar.media.portrait import read_portrait

PORTRAITS = Path(__file__).resolve().parents[1] / "tests" / "assets" / "portraits"
SHOWN = {
    "smile": EXPRESSIONS["smile"],
    "open smile": EXPRESSIONS["big open smile"],
    "surprise": EXPRESSIONS["surprise"],
    "sad": EXPRESSIONS["sad"],
    "angry": EXPRESSIONS["angry"],
    "blink": EXPRESSIONS["blink"],
    "wink": EXPRESSIONS["wink"],
    "mouth wide open": {"jawOpen": 0.9},
    "pucker": {"mouthPucker": 0.9, "cheekPuff": 0.3},
    "puffed cheeks": {"cheekPuff": 1.0},
    "turn and look": EXPRESSIONS["turn and gaze"],
    "other side, down": {"yaw": -20.0, "pitch": -10.0, "roll": 8.0},
}
SIDE, MARGIN = 160, 0.85
Made = dict[str, Callable[[], Picture]]


def pencil(picture: Picture) -> Picture:
    """A drawing: light where a blurred negative lifts it, dark along edges."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    blurred = cv2.GaussianBlur(255 - grey, (0, 0), 9)
    drawn = cv2.divide(grey, 255 - np.minimum(blurred, 250), scale=256)
    return np.asarray(cv2.cvtColor(drawn, cv2.COLOR_GRAY2RGB), np.uint8)


def oil(picture: Picture) -> Picture:
    """Brushed flat areas, stronger colours, the weave of a canvas."""
    smooth = picture
    for _ in range(3):
        smooth = np.asarray(cv2.bilateralFilter(smooth, 9, 40, 7), np.uint8)
    tones = cv2.cvtColor(smooth, cv2.COLOR_RGB2HSV).astype(np.float32)
    tones[..., 1] *= 1.3
    height, width = picture.shape[:2]
    y, x = np.mgrid[:height, :width]
    tones[..., 2] = np.round(tones[..., 2] / 12) * 12 + 3 * np.sin(x * 1.6) * np.sin(y * 1.6)
    return np.asarray(cv2.cvtColor(np.clip(tones, 0, 255).astype(np.uint8), cv2.COLOR_HSV2RGB), np.uint8)


def stone(picture: Picture) -> Picture:
    """A statue: one colour, blotches and grain."""
    rng = np.random.default_rng(0)
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    size = grey.shape
    blotches = cv2.resize(rng.normal(size=(size[0] // 16, size[1] // 16)).astype(np.float32), size[::-1], interpolation=cv2.INTER_CUBIC)
    grey = 70 + 0.6 * grey + 6 * blotches + 5 * rng.normal(size=size)
    return np.asarray(np.clip(grey[..., None] * np.array([1.0, 0.97, 0.9]), 0, 255), np.uint8)


def cartoon(picture: Picture) -> Picture:
    """Few flat tones and dark outlines."""
    flat = np.asarray(cv2.pyrMeanShiftFiltering(picture, 12, 30), np.uint8)
    grey = cv2.medianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), 5)
    edges = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 11, 4)
    return np.asarray(flat // 24 * 24 + 12, np.uint8) & edges[..., None]


def old_print(picture: Picture) -> Picture:
    """Sepia, low contrast, noise and a white rim."""
    rng = np.random.default_rng(1)
    grey = 60 + 0.6 * cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) + 9 * rng.normal(size=picture.shape[:2])
    toned = np.clip(grey[..., None] * np.array([1.05, 0.95, 0.78]), 0, 255).astype(np.uint8)
    rim = max(picture.shape[0] // 24, 4)
    return np.asarray(cv2.copyMakeBorder(toned, rim, rim, rim, rim, cv2.BORDER_CONSTANT, value=(244, 240, 230)), np.uint8)


def tiny(picture: Picture) -> Picture:
    """The same in the lower left of a picture of 2,400 x 1,600 pixels, its face about 70 pixels wide."""
    small = cv2.resize(picture, None, fx=0.72, fy=0.72, interpolation=cv2.INTER_AREA)
    y = np.linspace(0, 1, 1600)[:, None, None]
    whole = np.broadcast_to((190 - 90 * y) * np.array([0.8, 0.95, 1.1]), (1600, 2400, 3)).astype(np.uint8).copy()
    whole[-small.shape[0] :, 300 : 300 + small.shape[1]] = small
    return whole


def tilted(picture: Picture) -> Picture:
    """Turned by 25 degrees in its plane."""
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 25, 1.15)
    return np.asarray(cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REFLECT), np.uint8)


def published() -> Made:
    """Name -> picture of each row of the page."""

    def repo(name: str) -> Picture:
        return read_portrait(PORTRAITS / f"{name}.png").rgb

    def hopper() -> Picture:
        return read_portrait(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)).rgb

    def demo() -> Picture:
        return read_portrait(weights_path("demo_portrait.jpg")).rgb

    return {
        "photograph": demo,
        "glasses_and_age": hopper,
        "half_length": lambda: repo("astronaut"),
        "render_1": lambda: repo("head_1"),
        "render_2": lambda: repo("head_2"),
        "render_3": lambda: repo("head_3"),
        "pencil": lambda: pencil(hopper()),
        "oil": lambda: oil(demo()),
        "stone": lambda: stone(repo("head_3")),
        "cartoon": lambda: cartoon(repo("head_2")),
        "old_print": lambda: old_print(hopper()),
        "tiny": lambda: tiny(repo("astronaut")),
        "tilted": lambda: tilted(demo()),
    }


def own(folder: Path) -> Made:
    """Name -> picture of each file of a folder."""
    return {path.stem: lambda path=path: read_portrait(path).rgb for path in sorted(folder.iterdir()) if path.is_file()}  # type: ignore[misc]


def sheets(wanted: Made, codec: WarpCodec, landmarker: FaceLandmarker) -> Iterator[tuple[str, Picture]]:
    """(name, one row of the portrait and all actions under their names)."""
    for name in track(wanted, description="drawing"):
        try:
            picture = wanted[name]()
            face = landmarker.choose(picture, "largest")
        except InstructAvatarError as problem:
            print(f"left out {name}: {problem}")
            continue
        yield name, np.vstack([header(["portrait", *SHOWN], SIDE), row(codec, picture, face, SHOWN, SIDE, MARGIN)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("docs/gallery"), metavar="DIR")
    parser.add_argument("--material", type=Path, metavar="DIR", help="draw the pictures of this folder instead")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="of these rows")
    parser.add_argument("--png", action="store_true", help="without loss")
    options = parser.parse_args()
    wanted = own(options.material) if options.material else published()
    options.out.mkdir(parents=True, exist_ok=True)
    chosen = {name: make for name, make in wanted.items() if not options.only or name in options.only}
    for name, sheet in sheets(chosen, WarpCodec.load(), FaceLandmarker.load()):
        path = options.out / f"{name}.{'png' if options.png else 'jpg'}"
        quality = [] if options.png else [cv2.IMWRITE_JPEG_QUALITY, 82]
        cv2.imwrite(str(path), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), quality)
        print(path)


if __name__ == "__main__":
    main()
