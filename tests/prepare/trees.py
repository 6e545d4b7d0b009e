"""Miniature trees of every corpus, laid out as the owners do, with small real videos: plain functions, so that any test may build one.

clips = make_clips(folder)          # four short videos, a few seconds to make: once per run
build_mead(root, clips)             # and so on; each gives the ids a corpus must find, sorted
"""

from __future__ import annotations

import json
import shutil
import tarfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from instructavatar.codecs.warp import WarpCodec
from instructavatar.face.emotions import expression
from instructavatar.face.motion import FRAME_RATE_HZ, INDEX, SAMPLE_RATE_HZ
from instructavatar.features.face_motion import resting_motion
from instructavatar.features.landmarks import FaceLandmarker
from instructavatar.media.audio import read_audio
from instructavatar.media.portrait import read_portrait
from instructavatar.media.video import frames_at, read_video, write_video

WEIGHTS = Path(__file__).parents[2] / "instructavatar" / "weights"
SIDE = 256
FRAMES = 36
EMOTIONS = ("neutral", "happy", "sad", "surprised")


@dataclass(frozen=True)
class Clips:
    """The videos (H.264, AAC, 25 fps, 256 x 256, 36 frames); lips follow the speech."""

    neutral: Path
    happy: Path
    sad: Path
    surprised: Path


def make_clips(folder: Path) -> Clips:
    """Draw the portrait that ships, talking in four moods."""
    folder.mkdir(parents=True, exist_ok=True)
    landmarker = FaceLandmarker.load()
    portrait = _close_up(landmarker)
    face = landmarker.find(portrait)[0]
    rest = resting_motion(face)
    codec = WarpCodec.load()
    appearance = codec.encode_appearance(portrait, face, rest)
    speech = read_audio(WEIGHTS / "demo_speech.flac")
    for number, name in enumerate(EMOTIONS):
        samples = FRAMES * SAMPLE_RATE_HZ // FRAME_RATE_HZ
        sound = speech[number * samples : (number + 1) * samples]
        write_video(folder / f"{name}.mp4", codec.decode(appearance, _talk(rest, sound, name)), sound)
    return Clips(*(folder / f"{name}.mp4" for name in EMOTIONS))


def _close_up(landmarker: FaceLandmarker) -> np.ndarray:
    """The portrait's head and shoulders [256, 256, 3], where the face is large enough for every quality gate."""
    picture = read_portrait(WEIGHTS / "demo_portrait.jpg").rgb
    points = landmarker.find(picture)[0].points[:, :2]
    middle, half = (points.min(0) + points.max(0)) / 2, float(np.ptp(points, 0).max())
    x, y = (middle - half).astype(int).clip(0)
    return cv2.resize(picture[y : y + int(2 * half), x : x + int(2 * half)], (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def _talk(rest: np.ndarray, sound: np.ndarray, emotion: str) -> np.ndarray:
    """Motion [T, 58]: the jaw opens with the sound, the mood grows out of the portrait's own face, the head sways a little."""
    loud = np.sqrt(np.square(sound.reshape(FRAMES, -1)).mean(1))
    time = np.arange(FRAMES) / FRAMES
    grown = np.minimum(3 * time, 1)[:, None]
    motion = (1 - grown) * rest + grown * expression(emotion, 0.8)
    motion[:, INDEX["jawOpen"]] = np.clip(0.5 * loud / max(float(loud.max()), 1e-6), 0, 1)
    motion[:, INDEX["yaw"]] = 5 * np.sin(2 * np.pi * time)
    return motion.astype(np.float32)


def build_mead(root: Path, clips: Clips, tar: bool = False) -> list[str]:
    """Two persons, one of them of the published test set; as folders, or as the tars that the owners ship."""
    for person, emotion, level, name, video in (
        ("M003", "neutral", 1, "001", clips.neutral),
        ("M003", "happy", 3, "002", clips.happy),
        ("W009", "sad", 2, "001", clips.sad),
    ):
        put(video, root / person / "video" / "front" / emotion / f"level_{level}" / f"{name}.mp4")
        write_m4a(root / person / "audio" / emotion / f"level_{level}" / f"{name}.m4a", read_audio(video))
    put(clips.sad, root / "W009" / "video" / "left_30" / "sad" / "level_2" / "001.mp4")
    if tar:
        for folder in [root / person / kind for person in ("M003", "W009") for kind in ("video", "audio")]:
            with tarfile.open(folder.with_suffix(".tar"), "w") as archive:
                archive.add(folder, arcname=folder.name)
            shutil.rmtree(folder)
    return ["M003_happy_level_3_002", "M003_neutral_level_1_001", "W009_sad_level_2_001"]


def build_hdtf(root: Path, clips: Clips) -> list[str]:
    """Clips of two videos."""
    put(clips.neutral, root / "RD_Radio34_002.mp4")
    put(clips.happy, root / "WDA_KatieHill_000.mp4")
    return ["RD_Radio34_002", "WDA_KatieHill_000"]


def build_casual_conversations(root: Path, clips: Clips) -> list[str]:
    """Three segments with instructions, one of them unusable, and a list that names more than is there."""
    put(clips.happy, root / "CC_part_1_1" / "CC_part_1_1_1140_07_0_0.mp4")
    put(clips.sad, root / "CC_part_1_1" / "CC_part_1_1_1140_07_3_0.mp4")
    put(clips.neutral, root / "CC_part_5_4" / "CC_part_5_4_0996_12_1_0.MP4")
    said = {
        "CC_part_1_1_1140_07_0_0": "natural.  smile.",
        "CC_part_1_1_1140_07_3_0": "okay. % natural.  sad.",
        "CC_part_5_4_0996_12_1_0": "%",
        "CC_part_9_9_0001_01_1_0": "smile.",
    }
    (root / "video2instruction.json").write_text(json.dumps(said, indent=4))
    return ["CC_part_1_1_1140_07_0_0", "CC_part_1_1_1140_07_3_0"]


def build_talking_head_1kh(root: Path, clips: Clips) -> list[str]:
    """Two face clips, and the download one was cut from."""
    names = ["lJ7OLGxC-cM_0001_S0_E35_L390_T70_R860_B540", "-a_b0c1d2e3_0000_S12_E47_L10_T20_R266_B276"]
    for name, video in zip(names, (clips.neutral, clips.surprised), strict=True):
        put(video, root / "val" / "cropped_clips" / f"{name}.mp4")
    put(clips.neutral, root / "val" / "raw_videos" / "lJ7OLGxC-cM.mp4")
    return sorted(names)


def build_folder(root: Path, clips: Clips, sheet: str = "csv") -> list[str]:
    """Two videos in folders, one with a space in its name; `sheet`: csv, jsonl, or "" for none."""
    put(clips.happy, root / "anna" / "take 1.mp4")
    put(clips.sad, root / "ben" / "a.mp4")
    rows = [
        {
            "path": "anna/take 1.mp4",
            "instruction": ["smile", "look happy"],
            "emotion": "happy",
            "intensity": 3,
            "speaker": "anna",
            "split": "",
        },
        {"path": "ben/a.mp4", "instruction": [], "emotion": "sad", "intensity": 1, "speaker": "ben", "split": "valid"},
    ]
    if sheet == "jsonl":
        (root / "clips.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif sheet:
        lines = [
            ",".join(rows[0]),
            *(",".join([row["path"], " || ".join(row["instruction"]), *map(str, list(row.values())[2:])]) for row in rows),
        ]
        (root / "clips.csv").write_text("\n".join(lines) + "\n")
    return ["anna--take_1", "ben--a"]


def build_crema_d(root: Path, clips: Clips) -> list[str]:
    """Two Flash videos, and one whose name says nothing."""
    write_flv(root / "VideoFlash" / "1001_DFA_HAP_XX.flv", clips.happy)
    write_flv(root / "VideoFlash" / "1002_IEO_SAD_HI.flv", clips.sad)
    put(clips.neutral, root / "VideoFlash" / "trailer.mp4")
    return ["1001_DFA_HAP_XX", "1002_IEO_SAD_HI"]


BUILDERS = {
    "mead": build_mead,
    "hdtf": build_hdtf,
    "casual_conversations": build_casual_conversations,
    "talking_head_1kh": build_talking_head_1kh,
    "folder": build_folder,
    "crema_d": build_crema_d,
}


def put(video: Path, target: Path) -> Path:
    """Copy a video to its place in a tree."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(video, target)
    return target


def write_m4a(target: Path, sound: np.ndarray) -> None:
    """Sound as the m4a files of MEAD are: AAC at 48 kHz."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(target), "w", format="ipod") as container:
        _mux_sound(container, container.add_stream("aac", rate=48_000, layout="mono"), sound)


def write_flv(target: Path, video: Path) -> None:
    """A video as the Flash files of CREMA-D are: Sorenson pictures at 30 fps, mp3."""
    target.parent.mkdir(parents=True, exist_ok=True)
    found = read_video(video)
    with av.open(str(target), "w", format="flv") as container:
        pictures = container.add_stream("flv", rate=30)
        pictures.width, pictures.height, pictures.pix_fmt, pictures.bit_rate = found.width, found.height, "yuv420p", 2_000_000
        sound = container.add_stream("libmp3lame", rate=44_100, layout="mono")
        for number, picture in enumerate(frames_at(video, 30)):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 30)
            container.mux(pictures.encode(frame))
        container.mux(pictures.encode(None))
        _mux_sound(container, sound, found.audio)


def _mux_sound(container, stream, sound: np.ndarray) -> None:
    resampler = av.AudioResampler(stream.format.name, "mono", stream.rate, frame_size=stream.codec_context.frame_size or 1024)
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound[None], np.float32), "fltp", "mono")
    frame.sample_rate, frame.pts = SAMPLE_RATE_HZ, 0
    for part in [*resampler.resample(frame), *resampler.resample(None)]:
        container.mux(stream.encode(part))
    container.mux(stream.encode(None))
