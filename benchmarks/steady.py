"""What drawing must keep: the person, what stands still, and memory.

held: one strong expression held for a second; frames that follow each other should be equal. As drawn they are; in the video H.264 mends
its picture of a face that holds still step by step, so its mean over the second and its largest step are given.
jump: a slow motion, each readable action and angle risen and fallen in turn; how far a pixel is from the mean of the same pixel a frame
before and after, at the 99.9th percentile over face and frames, faces scaled to 200 pixels. Real videos of --material are measured alike.
csim: SFace's cosine of the face drawn and the portrait (needs `instructavatar assets --fetch sface`): over an idle, talking clip, and at
the strongest of each readable action. portrait_mb: what one analysed portrait of 1920 pixels with its painter takes of a process.
"""

from __future__ import annotations

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
from common import SOUNDS, VIDEOS, Row, console, files, options, portraits, report, row
from numpy.typing import NDArray

from instructavatar import Avatar
from instructavatar.avatar import Clip, Subject
from instructavatar.errors import InstructAvatarError, MissingFile
from instructavatar.face.actions import READABLE
from instructavatar.face.landmarks import Landmarks
from instructavatar.face.motion import FRAME_RATE_HZ, INDEX, FaceMotion
from instructavatar.media.audio import read_audio
from instructavatar.media.portrait import read_portrait
from instructavatar.media.video import frames_at
from instructavatar.metrics.crops import aligned
from instructavatar.metrics.identity import Identity
from instructavatar.metrics.weights import rows as embedded
from instructavatar.metrics.weights import sface

FACE_PX = 200
HELD = {"mouthSmileLeft": 1.0, "mouthSmileRight": 1.0, "browInnerUp": 0.7, "jawOpen": 0.4, "yaw": 12.0}
TURNS_DEG = {"pitch": 12.0, "yaw": 15.0, "roll": 12.0}
RISE_S = 2.0
TALK_S = 4.0
PICTURES = 8
BIG_SIDE = 1920
Picture = NDArray[np.uint8]


def subjects(avatar: Avatar, args: argparse.Namespace) -> list[tuple[str, Subject]]:
    """The portraits whose face can be found; others are named."""
    found = []
    for path in portraits(args.material, 2 if args.quick else None):
        try:
            found.append((path.stem, avatar.analyse(path, face="largest", max_side=1024)))
        except InstructAvatarError as error:
            console.print(f"  left out {path.name}: {error}", highlight=False)
    return found


# --- what stands still -----------------------------------------------------------------------------------------------------------------


def held_levels(avatar: Avatar, subject: Subject, folder: Path) -> tuple[float, float, float]:
    """Change from a frame to the next in grey levels: the largest as drawn; mean and largest as read from the video."""
    motion = FaceMotion.of(FRAME_RATE_HZ, {name: np.full(FRAME_RATE_HZ, value) for name, value in HELD.items()})
    clip = Clip(subject, motion, None, avatar.codec)
    drawn = list(clip.frames)
    read = list(frames_at(clip.save(folder / "held.mp4")))
    steps = [[float(np.abs(b.astype(int) - a).mean()) for a, b in itertools.pairwise(some)] for some in (drawn, read)]
    return max(steps[0]), float(np.mean(steps[1])), max(steps[1])


def slow_motion(name: str) -> FaceMotion:
    """One action or angle, risen and fallen as half a wave in `RISE_S` each way."""
    frames = round(2 * RISE_S * FRAME_RATE_HZ)
    wave = (1 - np.cos(2 * np.pi * np.arange(frames) / frames)) / 2
    sides = [name.replace("Left", side) for side in ("Left", "Right")] if "Left" in name else [name]
    return FaceMotion.of(frames, {side: wave * TURNS_DEG.get(name, 1.0) for side in sides})


def jumps(frames: Iterable[Picture], faces: Iterable[Landmarks]) -> float:
    """99.9th percentile of |half the second difference| in grey levels, over the face's box and all frames."""
    found: list[Picture] = []
    for frame, face in zip(frames, faces, strict=False):
        scale = FACE_PX / face.width_px
        left, top, right, bottom = (round(edge) for edge in face.box)
        crop = frame[max(top, 0) : bottom, max(left, 0) : right]
        size = (max(round(crop.shape[1] * scale), 1), max(round(crop.shape[0] * scale), 1))
        found.append(np.asarray(cv2.cvtColor(cv2.resize(crop, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)))
    stack = np.stack(found).astype(np.float32)
    return float(np.percentile(np.abs(stack[1:-1] - (stack[:-2] + stack[2:]) / 2), 99.9))


def drawn_jumps(avatar: Avatar, subject: Subject, quick: bool) -> dict[str, float]:
    """Of each slow motion. Closing eyes in two seconds is slow too: a lid is not faster here than a smile."""
    names = [name for name in READABLE if "Right" not in name]
    names = [*(names[::4] if quick else names), *TURNS_DEG]
    found = {}
    for name in names:
        frames = avatar.codec.decode(subject.appearance, slow_motion(name).values)
        found[name] = jumps(frames, itertools.repeat(subject.landmarks))
    return found


def real_jumps(avatar: Avatar, path: Path) -> float:
    """Of a video, its box that of the first frame."""
    first = avatar.landmarker.find(next(iter(frames_at(path))))
    return jumps(itertools.islice(frames_at(path), 8 * FRAME_RATE_HZ), itertools.repeat(first[0]))


def steady_rows(avatar: Avatar, people: list[tuple[str, Subject]], args: argparse.Namespace) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        held = [held_levels(avatar, subject, Path(folder)) for _, subject in people]
    slow: dict[str, list[float]] = {}
    for name, subject in people:
        found = drawn_jumps(avatar, subject, args.quick)
        worst = max(found, key=found.__getitem__)
        console.print(f"  {name}: jump {np.median(list(found.values())):.2f}, at most {found[worst]:.2f} ({worst})", highlight=False)
        for motion, value in found.items():
            slow.setdefault(motion, []).append(value)
    medians = {name: float(np.median(values)) for name, values in slow.items()}
    worst = max(medians, key=medians.__getitem__)
    real = [real_jumps(avatar, path) for path in files("videos", VIDEOS, args.material)]
    return [
        row("held_levels", max(drawn for drawn, _, _ in held), "grey levels, worst portrait", "<= 0.5"),
        row("held_levels_mp4", max(mean for _, mean, _ in held), "grey levels, mean in the video", "<= 0.5"),
        row("held_step_mp4", max(step for _, _, step in held), "grey levels, largest in the video"),
        row("jump", float(np.median(list(medians.values()))), "grey levels, median motion"),
        row("jump_worst", medians[worst], f"grey levels, {worst}"),
        row("jump_real", float(np.median(real)) if real else None, f"grey levels, {len(real)} real videos"),
    ]


# --- the person -------------------------------------------------------------------------------------------------------------------------


def likeness(avatar: Avatar, subject: Subject, pictures: Iterator[Picture], weights: Path) -> NDArray[np.float32]:
    """SFace's cosine of each picture with the portrait; pictures without a face are left out."""
    crops = [aligned(subject.picture, subject.landmarks)]
    for picture in pictures:
        face = next(avatar.landmarker.track([picture], face=subject.landmarks))
        if face is not None:
            crops.append(aligned(picture, face))
    found = embedded(sface(weights), crops)
    return np.asarray(found[1:] @ found[0], np.float32)


def strongest(action: str) -> NDArray[np.float32]:
    """A motion [1, 58] with one action, or both sides of it, at 1."""
    motion = FaceMotion.of(1, {}).values
    for side in ("Left", "Right"):
        motion[:, INDEX[action.replace("Left", side)]] = 1.0
    return motion


def identity_rows(avatar: Avatar, people: list[tuple[str, Subject]], args: argparse.Namespace) -> list[Row]:
    judge = Identity()
    try:
        judge.check()
    except MissingFile as error:
        console.print(f"  likeness is not measured: {error}", highlight=False)
        return [row("csim_rest", None, "", ">= 0.85"), row("csim_strongest", None, "", ">= 0.7")]
    speech = read_audio(files("speech", SOUNDS, None)[0])
    names = [name for name in READABLE if "Right" not in name]
    strong = np.concatenate([strongest(name) for name in (names[::4] if args.quick else names)])
    rest, full, least = [], [], []
    step = round(TALK_S * FRAME_RATE_HZ) // PICTURES
    for _, subject in people:
        looked_at = itertools.islice(avatar.animate(subject, speech, seconds=TALK_S).frames, 0, None, step)
        rest.append(float(likeness(avatar, subject, looked_at, judge.path()).mean()))
        cosines = likeness(avatar, subject, avatar.codec.decode(subject.appearance, strong), judge.path())
        full.append(float(cosines.mean()))
        least.append(float(cosines.min()))
    return [
        row("csim_rest", float(np.mean(rest)), "cosine, talking at rest", ">= 0.85"),
        row("csim_rest_worst", min(rest), "of the portraits"),
        row("csim_strong", float(np.mean(full)), "cosine, actions at 1"),
        row("csim_strongest", float(np.mean(least)), "cosine, each portrait's worst action", ">= 0.7"),
        row("csim_strongest_worst", min(least), "of the portraits"),
    ]


# --- memory -----------------------------------------------------------------------------------------------------------------------------


def portrait_mb() -> float:
    """Growth of a fresh process by each further portrait that it holds, in MB."""
    done = subprocess.run([sys.executable, __file__, "--hold"], check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])


def hold(count: int = 4) -> None:
    """Analyse portraits and keep them with their painters; print the growth by each."""
    avatar = Avatar.load()
    picture = read_portrait(portraits(None)[0]).rgb
    factor = BIG_SIDE / max(picture.shape[:2])
    big = np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC), np.uint8)
    kept: list[object] = []
    sizes = []
    for _ in range(count + 1):
        subject = avatar.analyse(big.copy(), max_side=BIG_SIDE)
        frames = avatar.codec.decode(subject.appearance, FaceMotion.of(2, {}).values)
        kept.append((subject, frames, next(frames)))
        sizes.append(resident_mb())
    print((sizes[-1] - sizes[0]) / count)


def resident_mb() -> float:
    """Memory of this process that is in use."""
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024**2


def measure(args: argparse.Namespace) -> list[Row]:
    avatar = Avatar.load()
    people = subjects(avatar, args)
    memory = row("portrait_mb", portrait_mb() if Path("/proc/self/statm").exists() else None, "MB", "<= 300")
    return [*steady_rows(avatar, people, args), *identity_rows(avatar, people, args), memory]


def main() -> None:
    parser = options(__doc__.splitlines()[0])
    parser.add_argument("--hold", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.hold:
        return hold()
    report("steady", measure(args), args.json)
    return None


if __name__ == "__main__":
    main()
