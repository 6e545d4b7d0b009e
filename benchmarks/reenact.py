"""Reenactment: the motion of real videos, drawn by the codec on a portrait and measured again.

Each video drives its own first frame (`self_` rows: frames and landmarks are compared with the video itself, beside the first frame
held still) and a few other portraits (`cross_` rows: only what the face does can be compared). r is Pearson's over a clip, the median
over clips; what a driver hardly does is left out. With --material, its videos/ are the drivers and its faces/ join the portraits.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from common import VIDEOS, Row, console, files, options, portraits, report, row
from numpy.typing import NDArray

from instructavatar import Avatar
from instructavatar.errors import InstructAvatarError, MissingFile
from instructavatar.features.fetch import fetched_path
from instructavatar.metrics.base import Take
from instructavatar.metrics.cache import Cache
from instructavatar.metrics.clips import Clip, DrawnClip, StillClip, VideoClip, first_frame, portrait_clip
from instructavatar.metrics.efficientnet import SIDE as INPUT
from instructavatar.metrics.efficientnet import converted, efficientnet
from instructavatar.metrics.lips import correlation
from instructavatar.metrics.readings import upright
from instructavatar.prepare.filming import JUDGED, MUST_AGREE

LEAST_MOVED = 0.05  # standard deviation of a driver's action below which there is nothing to follow
LEAST_TURNED_DEG = 1.0
LONGEST_S = 12
SIDE = 256  # pixels of the face crops that are compared
PEOPLE = 4
POSE = ("pitch", "yaw", "roll")
ENDS = ("", "_l1", "_features")


def summed(take: Take, name: str) -> NDArray[np.float64]:
    """One of the rows of `JUDGED` over a take [T]."""
    return np.sum([share * take.motion.column(column) for column, share in JUDGED[name].items()], axis=0, dtype=np.float64)


def followed(driver: Take, made: Take) -> dict[str, float]:
    """R of what the driver does with what the drawn face is seen to do."""
    frames = min(len(driver), len(made))
    driver, made = driver.first(frames), made.first(frames)
    found = {name: correlation(summed(driver, name), summed(made, name)) for name in JUDGED if summed(driver, name).std() >= LEAST_MOVED}
    for axis in POSE:
        if driver.motion.column(axis).std() >= LEAST_TURNED_DEG:
            found[axis] = correlation(driver.motion.column(axis), made.motion.column(axis))
    return found


def landmark_error(driver: Take, made: Take) -> float:
    """Mean distance of the points in the face's own frame, in inter-ocular distances."""
    assert driver.points is not None and made.points is not None
    frames = min(len(driver), len(made))
    one, other = (upright(take.points[:frames], take.motion.rotation_deg[:frames]) for take in (driver, made))  # type: ignore[index]
    return float(np.linalg.norm(one - other, axis=-1).mean())


def crops(driver: Clip, made: Clip) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Face crops [SIDE, SIDE, 3] of both at the same times; both cut by the driver's face."""
    frames = min(len(driver), len(made))
    for (picture, face), other in zip(driver.seen(length=frames), made.pictures(length=frames), strict=False):
        left, top, right, bottom = (round(edge) for edge in face.box)
        size = (picture.shape[1], picture.shape[0])
        same = np.asarray(cv2.resize(other, size)) if other.shape != picture.shape else other
        box = slice(max(top, 0), bottom), slice(max(left, 0), right)
        mine, other_crop = (np.asarray(cv2.resize(one[box], (SIDE, SIDE), interpolation=cv2.INTER_AREA)) for one in (picture, same))
        yield mine, other_crop


def picture_error(driver: Clip, made: Clip) -> float:
    """Mean absolute difference of face crops, in grey levels."""
    return float(np.mean([np.abs(one.astype(np.float32) - other).mean() for one, other in crops(driver, made)]))


def feature_error(driver: Clip, made: Clip) -> float | None:
    """Distance 1 - cosine of a picture net's features of the crops, as a person would tell pictures apart; None without its weights."""
    try:
        net = efficientnet(converted(fetched_path("efficientnet_lite0")))
    except MissingFile:
        return None
    found = []
    for pair in crops(driver, made):
        one, other = (net(np.asarray(cv2.resize(crop, (INPUT, INPUT), interpolation=cv2.INTER_AREA), np.uint8)) for crop in pair)
        found.append(1 - float(one @ other) / max(float(np.linalg.norm(one) * np.linalg.norm(other)), 1e-9))
    return float(np.mean(found))


class Head(VideoClip):
    """The first seconds of a video."""

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """Frames up to `LONGEST_S`."""
        return (frame for frame, _ in zip(super().frames(), range(LONGEST_S * 25), strict=False))

    @property
    def length_hint(self) -> int:
        """At most `LONGEST_S`."""
        return min(super().length_hint, LONGEST_S * 25)


def drivers(args: argparse.Namespace, folder: Path) -> list[VideoClip]:
    """The material's videos; without any, two that the shipped model makes."""
    paths = files("videos", VIDEOS, args.material)
    if not paths:
        avatar = Avatar.load()
        for n, text in enumerate(("talk happily, nodding", "look surprised, then turn your head left and smile")):
            voice = str(Path(__file__).parents[1] / "tests/assets/speech/awb_1.flac") if n == 0 else None
            paths.append(avatar.animate(portraits(None)[n], voice, text, seconds=5.0).save(folder / f"driver{n}.mp4"))
    return [Head(path, Cache(None)) for path in (paths[:2] if args.quick else paths)]


def pairs(args: argparse.Namespace, videos: list[VideoClip]) -> Iterator[tuple[str, VideoClip, StillClip, bool]]:
    """(name, driver, portrait, whether it is the driver's own)."""
    for video in videos:
        yield video.path.stem, video, first_frame(video), True
    for place, path in enumerate(portraits(args.material, 1 if args.quick else PEOPLE)):
        video = videos[place % len(videos)]
        yield f"{path.stem} <- {video.path.stem}", video, portrait_clip(path, Cache(None)), False


def measure(args: argparse.Namespace) -> list[Row]:
    codec = Avatar.load().codec
    followings: dict[str, list[float]] = {}
    errors: dict[str, list[float]] = {f"{what}{end}": [] for end in ENDS for what in ("drawn", "still")}
    with tempfile.TemporaryDirectory() as folder:
        for name, driver, portrait, own in pairs(args, drivers(args, Path(folder))):
            drawn = DrawnClip(portrait, driver, codec, "warp")
            try:
                found = followed(driver.take, drawn.take)
            except InstructAvatarError as error:
                console.print(f"  left out {name}: {error}", highlight=False)
                continue
            told = ", ".join(f"{row} {r:.2f}" for row, r in found.items())
            console.print(f"  {name}: {told}", highlight=False, soft_wrap=True)
            for what, r in found.items():
                followings.setdefault(f"{'self' if own else 'cross'}_{what}", []).append(r)
            if own:
                still = portrait.held(len(driver))
                for what, clip in (("drawn", drawn), ("still", still)):
                    errors[what].append(landmark_error(driver.take, clip.take))
                    errors[f"{what}_l1"].append(picture_error(driver, clip))
                    features = feature_error(driver, clip)
                    errors[f"{what}_features"] += [] if features is None else [features]
    return [*r_rows(followings), *error_rows(errors)]


def r_rows(found: dict[str, list[float]]) -> list[Row]:
    """The median r of each action and angle, self and cross."""
    rows = []
    for kind in ("self", "cross"):
        for name in (*JUDGED, *POSE):
            values = found.get(f"{kind}_{name}", [])
            goal = ">= 0.85" if name in MUST_AGREE else ">= 0.9" if name in POSE else ""
            rows.append(
                row(f"{kind}_{name.replace(' ', '_')}", float(np.median(values)) if values else None, f"median r of {len(values)}", goal)
            )
    return rows


def error_rows(errors: dict[str, list[float]]) -> list[Row]:
    """Self-reenactment beside the still first frame."""
    means = {name: float(np.mean(values)) if values else None for name, values in errors.items()}
    ratio = [means[f"drawn{end}"] / means[f"still{end}"] if means[f"drawn{end}"] and means[f"still{end}"] else None for end in ENDS]  # type: ignore[operator]
    return [
        row("self_landmarks", means["drawn"], "eye distances"),
        row("still_landmarks", means["still"], "eye distances, first frame held"),
        row("landmarks_x", ratio[0], "of the still's", "<= 0.8"),
        row("self_l1", means["drawn_l1"], "grey levels in the face"),
        row("still_l1", means["still_l1"], "grey levels, first frame held"),
        row("l1_x", ratio[1], "of the still's", "<= 1"),
        row("self_features", means["drawn_features"], "1 - cosine of EfficientNet's features"),
        row("still_features", means["still_features"], "the same, first frame held"),
        row("features_x", ratio[2], "of the still's", "<= 1"),
    ]


def main() -> None:
    args = options(__doc__.splitlines()[0]).parse_args()
    report("reenact", measure(args), args.json)


if __name__ == "__main__":
    main()
