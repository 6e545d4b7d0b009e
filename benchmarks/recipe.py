"""The recipe's own models, on pixels: how well the codec rebuilds faces, and what the generator on its latents makes them do.

    python benchmarks/recipe.py --store data/puppet_video --model runs/recipe_motion/bundle [--page out/recipe]

Pairs are two frames of a clip that was held out from training, of a person that was seen (`seen_`) or of one that never was (`unseen_`),
whose heads differ by 8 degrees or whose jaws by 0.4 at least. The codec rebuilds the one from the looks of the other and the landmarks of
the one; the gain is against simply copying the other. L1 counts inside the box of the face; landmarks are found anew on what was drawn.
The obey rows are those of benchmarks/obey.py, drawn by the trained codec on portraits that no film showed.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from common import ASSETS, Row, console, options, report, row
from numpy.typing import NDArray
from obey import MAX_SIDE, SECONDS, WORDINGS, Stage, baselines, judge_all

from instructavatar import Avatar
from instructavatar.avatar import Subject
from instructavatar.codecs.onnx_vae import OnnxVaeCodec
from instructavatar.data.record import Record
from instructavatar.data.store import FeatureStore
from instructavatar.errors import BadOption
from instructavatar.face.landmarks import OUTER_EYES
from instructavatar.face.motion import INDEX
from instructavatar.features.landmarks import FaceLandmarker

Picture = NDArray[np.uint8]
LEAST_DEG, LEAST_JAW = 8.0, 0.4
PAIRS, TRIES = 150, 40
LOOK_PX = 512  # faces are searched on pictures of this side: the landmarker was made for larger ones than the codec draws
SHOWN = ("turn your head left", "turn your head right", "smile", "open your mouth", "surprised", "look up")
TIMES = (0.0, 0.3, 0.5, 0.7, 0.95)  # of a clip, in the sheet of clips


@dataclass(frozen=True)
class Pair:
    """Two frames of a clip."""

    name: str
    looks: Picture
    target: Picture
    points: NDArray[np.float32]
    """[478, 3] landmarks of the target in pixels of it."""


@dataclass(frozen=True)
class Score:
    """How far a picture is from the target."""

    l1: float
    """Mean absolute difference in the face's box, 0..255."""
    landmarks: float | None
    """Mean distance in inter-ocular distances; None where no face is found."""


def pairs_of(store: FeatureStore, split: str, count: int, seed: int = 0) -> list[Pair]:
    """Pairs of frames that differ, drawn by chance from the clips of a split."""
    rng, found = np.random.default_rng(seed), []
    keys = store.header.splits.get(split, [])
    if not keys:
        raise BadOption(f"expected clips in the split {split}, got none; prepare configs/corpora/puppet_video.yaml")
    for _ in range(count * TRIES):
        key = keys[int(rng.integers(len(keys)))]
        record = store[key]
        target, looks = (int(i) for i in rng.integers(int(record["latent_length"]), size=2))
        if differ(record, target, looks):
            name = f"{key}[{target}<-{looks}]"
            found.append(Pair(name, face_frame(record, looks), face_frame(record, target), record["ldmk"][target].astype(np.float32)))
        if len(found) == count:
            break
    return found


def differ(record: Record, one: int, other: int) -> bool:
    """Whether two frames show heads or jaws apart."""
    motion = record["face_motion"] if len(record["face_motion"]) else record["motion_latent"]
    turned = np.abs(record["pose"][one] - record["pose"][other]).max()
    jaw = abs(float(motion[one, INDEX["jawOpen"]] - motion[other, INDEX["jawOpen"]]))
    return bool(turned >= LEAST_DEG or jaw >= LEAST_JAW)


def face_frame(record: Record, frame: int) -> Picture:
    """A face crop, RGB [S, S, 3]."""
    offsets = record["face_offsets"]
    if not len(offsets):
        raise BadOption("expected a store with face frames, got one without; prepare it with measure.params.frames=true")
    return np.ascontiguousarray(cv2.imdecode(record["face_frames"][offsets[frame] : offsets[frame + 1]], cv2.IMREAD_COLOR)[..., ::-1])


class Looker:
    """Finds the points of a face on a small picture."""

    def __init__(self) -> None:
        self.landmarker = FaceLandmarker.load()

    def points(self, picture: Picture) -> NDArray[np.float32] | None:
        """[478, 2] in pixels of the picture; None without a face."""
        large = np.asarray(cv2.resize(picture, (LOOK_PX, LOOK_PX), interpolation=cv2.INTER_CUBIC), np.uint8)
        faces = self.landmarker.find(large)
        return faces[0].points[:, :2] * (picture.shape[0] / LOOK_PX) if faces else None


def score(made: Picture, target: Picture, truth: NDArray[np.float32], looker: Looker) -> Score:
    """Compare a picture with the target, whose points are known."""
    left, top = np.floor(truth.min(0)).astype(int).clip(0)
    right, bottom = np.ceil(truth.max(0)).astype(int)
    box = slice(top, bottom), slice(left, right)
    l1 = float(np.abs(made[box].astype(np.float32) - target[box].astype(np.float32)).mean())
    points = looker.points(made)
    if points is None:
        return Score(l1, None)
    unit = float(np.linalg.norm(truth[OUTER_EYES[0]] - truth[OUTER_EYES[1]]))
    return Score(l1, float(np.linalg.norm(points - truth, axis=1).mean() / unit))


def rebuilt(codec: OnnxVaeCodec, pair: Pair) -> Picture:
    """The codec's picture of the target."""
    return next(codec.pictures(codec.latent_of(fitted(codec, pair.looks)), codec.motion_of(at(codec, pair))))


def at(codec: OnnxVaeCodec, pair: Pair) -> NDArray[np.float32]:
    """[1, 478, 3] the target's landmarks in pixels of the codec's pictures."""
    scale = codec.size / pair.target.shape[0]
    return pair.points[None] * scale + (scale - 1) / 2 * np.array([1, 1, 0], np.float32)


def fitted(codec: OnnxVaeCodec, picture: Picture) -> Picture:
    """A face crop at the side of the codec's pictures."""
    if picture.shape[0] == codec.size:
        return picture
    return np.asarray(cv2.resize(picture, (codec.size, codec.size), interpolation=cv2.INTER_AREA), np.uint8)


def codec_rows(codec: OnnxVaeCodec, pairs: Sequence[Pair], label: str, looker: Looker, goals: tuple[str, str] = ("", "")) -> list[Row]:
    """Gains over copying, in percent."""
    made, copied = [], []
    for pair in pairs:
        target = fitted(codec, pair.target)
        truth = looker.points(target)
        if truth is not None:
            made.append(score(rebuilt(codec, pair), target, truth, looker))
            copied.append(score(fitted(codec, pair.looks), target, truth, looker))
    both = [(m.landmarks, c.landmarks) for m, c in zip(made, copied, strict=True) if m.landmarks is not None and c.landmarks is not None]
    l1 = [float(np.mean([s.l1 for s in side])) for side in (made, copied)]
    marks = np.mean(both, axis=0) if both else np.array([np.nan, np.nan])
    return [
        row(f"{label}_l1_gain", 100 * (1 - l1[0] / l1[1]), f"% (of {l1[1]:.1f} grey levels)", goals[0]),
        row(f"{label}_landmark_gain", 100 * float(1 - marks[0] / marks[1]), f"% (of {marks[1]:.3f} eye distances)", goals[1]),
        row(f"{label}_no_face", 100 * sum(s.landmarks is None for s in made) / max(1, len(made)), f"% of {len(made)} pairs"),
    ]


def pair_sheet(codec: OnnxVaeCodec, pairs: Sequence[Pair], side: int = 192) -> Picture:
    """Rows of looks, landmarks, target and output."""
    lines = []
    for pair in pairs:
        drawn = cv2.cvtColor(codec.drawing.draw(at(codec, pair), codec.size)[0], cv2.COLOR_GRAY2RGB)
        pictures = (pair.looks, drawn, pair.target, rebuilt(codec, pair))
        lines.append(np.hstack([np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)) for picture in pictures]))
    return np.vstack(lines)


def crossed(pairs: Sequence[Pair]) -> list[Pair]:
    """The looks of each with the motion of the next."""
    return [
        Pair(a.name, a.looks, b.target, b.points)
        for a, b in zip(pairs, [*pairs[1:], pairs[0]], strict=True)
        if a.name.partition("--")[0] != b.name.partition("--")[0]
    ]


def people(avatar: Avatar, paths: Sequence[Path]) -> dict[str, Subject]:
    """Analysed portraits by name."""
    return {path.stem: avatar.analyse(path, face="largest", max_side=MAX_SIDE) for path in paths}


def clip_sheet(avatar: Avatar, subject: Subject, side: int = 192) -> Picture:
    """A row for each of a few unseen instructions: frames through the clip."""
    lines = []
    for kind in SHOWN:
        clip = avatar.animate(subject, instruction=WORDINGS[kind][0], seconds=SECONDS, seed=1)
        frames = list(clip.frames)
        chosen = [close(frames[round(time * (len(frames) - 1))], subject, side) for time in TIMES]
        lines.append(np.hstack(chosen))
    return np.vstack(lines)


def close(frame: Picture, subject: Subject, side: int) -> Picture:
    """The face with some room, as a square."""
    left, top, right, bottom = subject.landmarks.box
    half, x, y = 0.85 * max(right - left, bottom - top), (left + right) / 2, (top + bottom) / 2
    part = frame[max(0, int(y - half)) : int(y + half), max(0, int(x - half)) : int(x + half)]
    return np.asarray(cv2.resize(part, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def page(folder: Path, rows: Sequence[Row], pictures: dict[str, tuple[str, Picture]]) -> Path:
    """A Markdown page of the rows and pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["# What the recipe made", "", "| row | value | unit | goal | reached |", "|---|---:|---|---|---|"]
    for r in rows:
        value = "not measured" if r.value is None else f"{r.value:.3g}"
        lines.append(f"| {r.name} | {value} | {r.unit} | {r.goal} | {'' if r.ok is None else 'yes' if r.ok else 'no'} |")
    for name, (caption, picture) in pictures.items():
        cv2.imwrite(str(folder / f"{name}.jpg"), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
        lines += ["", f"## {caption}", "", f"![{caption}]({name}.jpg)"]
    path = folder / "README.md"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def measured_codec(codec: OnnxVaeCodec, args: argparse.Namespace) -> tuple[list[Row], dict[str, tuple[str, Picture]]]:
    """Rows and pictures of the codec."""
    store, looker, count = FeatureStore.open(args.store), Looker(), 20 if args.quick else PAIRS
    seen, unseen = pairs_of(store, "valid", count), pairs_of(store, "test", count)
    rows = codec_rows(codec, seen, "seen", looker, (">= 15", ">= 40")) + codec_rows(codec, unseen, "unseen", looker)
    pictures = {
        "seen": ("Seen people, unseen frames: looks, landmarks, truth, rebuilt", pair_sheet(codec, seen[:6])),
        "unseen": ("People that training never saw: looks, landmarks, truth, rebuilt", pair_sheet(codec, unseen[:6])),
        "crossed": (
            "One person's looks, another's motion",
            pair_sheet(codec, crossed(unseen)[:6]),
        ),
    }
    return rows, pictures


def obey_rows(avatar: Avatar, subjects: dict[str, Subject], texts: int) -> Iterator[Row]:
    """How many unseen instructions are followed on portraits that no film showed."""
    stage = Stage(avatar, FaceLandmarker.load())
    scored, _ = judge_all(stage, subjects, baselines(stage, subjects), texts, "obey")
    found = scored.compute()
    yield row("obey", 100 * found["rate"], f"% of {found['n']:.0f}")
    yield from (row(f"obey {kind}", 100 * found[kind], "%") for kind in WORDINGS if kind in found)


def main() -> None:
    parser = options(__doc__.splitlines()[0])
    parser.add_argument("--store", type=Path, required=True, metavar="DIR", help="store with face frames and the splits valid and test")
    parser.add_argument("--model", type=Path, metavar="BUNDLE", help="bundle of a generator on the codec's latents, with its codec")
    parser.add_argument("--codec", type=Path, metavar="BUNDLE", help="bundle of the codec (default: the one in the model's bundle)")
    parser.add_argument("--page", type=Path, metavar="DIR", help="also write a page with pictures there")
    args = parser.parse_args()
    if args.model is None and args.codec is None:
        parser.error("expected --model or --codec")
    codec = OnnxVaeCodec(args.codec or args.model / "codec")
    rows, pictures = measured_codec(codec, args)
    if args.model is not None:
        avatar = Avatar.load(args.model, codec=args.codec)
        subjects = people(avatar, sorted((ASSETS / "portraits").glob("*.png"))[: 2 if args.quick else None])
        rows += list(obey_rows(avatar, subjects, 1 if args.quick else 2))
        name, subject = next(iter(subjects.items()))
        captions = "; ".join(WORDINGS[kind][0] for kind in SHOWN)
        pictures["clips"] = (f"{name}, a portrait no film showed: {captions}", clip_sheet(avatar, subject))
    report("recipe", rows, args.json)
    if args.page:
        console.print(f"{page(args.page, rows, pictures)}  shows it", highlight=False)


if __name__ == "__main__":
    main()
