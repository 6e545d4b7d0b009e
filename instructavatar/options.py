"""The options of the commands that make videos, each with its range and an example to paste."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from instructavatar.console import number_between, whole_between

FORMATS = ("mp4", "webm", "mov", "gif", "png")  # those of media.output, which takes a while to load


def add_generate(commands: Any) -> argparse.ArgumentParser:
    """The parser of generate."""
    p: argparse.ArgumentParser = commands.add_parser(
        "generate",
        help="animate a portrait by a voice, an instruction, both or neither",
        epilog="example: instructavatar generate face.jpg -a voice.wav -i '0-2s: smile | 2-4s: turn your head left' -o out.mp4",
    )
    _add_portrait(p)
    p.add_argument(
        "-a",
        "--audio",
        "--driven_audio",
        "--driving_audio",
        metavar="AUDIO",
        help="speech: wav, mp3, m4a, opus, flac ...; example: -a voice.wav",
    )
    p.add_argument("-i", "--instruction", metavar="TEXT", help="how the face should act; example: -i '0-2s: smile | 2-4s: turn left'")
    p.add_argument("--motion", metavar="CURVES", help="draw given curves instead of generating motion; example: --motion curves.csv")
    p.add_argument(
        "--seconds", type=number_between(1 / 25, 10_800), metavar="S", help="length (default: the audio's, else 5); example: --seconds 4"
    )
    p.add_argument(
        "--intensity",
        type=number_between(0, 2),
        default=1.0,
        metavar="X",
        help="strength of the instruction, 0 to 2; example: --intensity 1.5",
    )
    p.add_argument(
        "--cfg_scale", type=number_between(0, 20), metavar="X", help="guidance scale of the instruction, 0 to 20; example: --cfg_scale 3"
    )
    p.add_argument(
        "--audio_cfg_scale",
        type=number_between(0, 20),
        metavar="X",
        help="guidance scale of the speech, 0 to 20; example: --audio_cfg_scale 2",
    )
    p.add_argument(
        "--seed",
        type=whole_between(0, 2**63 - 1),
        default=0,
        metavar="N",
        help="the same seed gives the same video (default 0); example: --seed 7",
    )
    p.add_argument(
        "--preview",
        type=Path,
        metavar="FILE.png",
        help="one picture, without waiting for a video (that is made only if --output is given too): the face found, what will move, "
        "the first frame; example: --preview look.png",
    )
    _add_shape(p)
    many = p.add_argument_group("many at once; finished videos are kept, so the same command goes on")
    many.add_argument("--list", type=Path, metavar="JOBS.jsonl", help="many jobs, one JSON object a line; example: --list jobs.jsonl")
    many.add_argument(
        "--appear-dir", "--appear_dir", type=Path, metavar="DIR", help="every portrait of a folder; example: --appear-dir faces -o videos"
    )
    many.add_argument(
        "--audio-dir", "--audio_dir", type=Path, metavar="DIR", help="with every sound of a folder; example: --audio-dir voices"
    )
    many.add_argument(
        "--pairs", choices=("every", "stem"), default="every", help="stem: only with the sound of the same name; example: --pairs stem"
    )
    many.add_argument("--overwrite", action="store_true", help="make finished videos again; example: --list jobs.jsonl --overwrite")
    p.add_argument(
        "--save_motion", type=Path, metavar="FILE", help="also write the curves, .csv or .json; example: --save_motion curves.csv"
    )
    _add_output(p)
    p.add_argument(
        "--format",
        choices=FORMATS,
        default="mp4",
        help="kind of the videos that --output does not name (default mp4); example: --format webm",
    )
    _add_model(p)
    return p


def add_demo(commands: Any) -> argparse.ArgumentParser:
    """The parser of demo."""
    p: argparse.ArgumentParser = commands.add_parser(
        "demo", help="animate the portrait and voice that ship", epilog="example: instructavatar demo"
    )
    p.add_argument(
        "-i", "--instruction", default="talk with a happy smile", metavar="TEXT", help="how the face should act; example: -i 'look sad'"
    )
    p.add_argument("--seed", type=whole_between(0, 2**63 - 1), default=0, metavar="N", help="default 0; example: --seed 7")
    p.add_argument(
        "-o", "--output", type=Path, default=Path("out/demo.mp4"), metavar="OUT", help="default out/demo.mp4; example: -o demo.webm"
    )
    p.add_argument("--concat", action="store_true", help="portrait and result side by side; example: --concat -o out.mp4")
    _add_model(p)
    return p


def add_reenact(commands: Any) -> argparse.ArgumentParser:
    """The parser of reenact."""
    p: argparse.ArgumentParser = commands.add_parser(
        "reenact",
        help="let a portrait make the motion of a video or of curves",
        epilog="example: instructavatar reenact face.jpg --driving clip.mp4 -o out.mp4",
    )
    _add_portrait(p)
    p.add_argument("-d", "--driving", required=True, metavar="VIDEO", help="a video, or curves (.csv or .json); example: -d clip.mp4")
    p.add_argument("-a", "--audio", metavar="AUDIO", help="sound (default: the driving video's own); example: -a voice.wav")
    how = p.add_mutually_exclusive_group()
    how.add_argument(
        "--relative",
        action="store_const",
        const=True,
        dest="relative",
        help="add what the driver does beyond his calm face to the portrait's own expression (default: the driver's expressions, the head "
        "from the video's first frame); example: reenact smiling.jpg --driving clip.mp4 --relative",
    )
    how.add_argument(
        "--absolute",
        action="store_const",
        const=False,
        dest="relative",
        help="the driver's expressions and head angle as they are; example: reenact face.jpg --driving clip.mp4 --absolute",
    )
    p.add_argument(
        "--smooth",
        type=number_between(0, 1),
        default=0.0,
        metavar="X",
        help="take the trembling out of the motion, 0 (default, as measured) to 1; blinks, meeting lips and nods stay, and nothing comes "
        "later; example: --smooth 0.5",
    )
    _add_shape(p)
    p.add_argument(
        "--save_motion", type=Path, metavar="FILE", help="also write the curves, .csv or .json; example: --save_motion curves.csv"
    )
    _add_output(p)
    _add_model(p)
    return p


def _add_portrait(p: argparse.ArgumentParser) -> None:
    p.add_argument("portrait", nargs="?", metavar="PORTRAIT", help="a picture with a face")
    p.add_argument("-s", "--source_image", metavar="PORTRAIT", help="the same, by the name other tools use; example: -s face.jpg")
    p.add_argument("--face", metavar="N|largest", help="which face when there are several; example: --face largest")
    p.add_argument(
        "--max_side",
        "--max-side",
        type=whole_between(64, 8192),
        default=1920,
        metavar="PX",
        help="longest side (default 1920); example: --max_side 1024",
    )


def _add_shape(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "--head-motion",
        "--head_motion",
        type=number_between(0, 1),
        default=1.0,
        metavar="X",
        help="share of the head's turning and moving that stays, 0 to 1 (default 1); an instruction that asks for a head movement loses "
        "it too; example: --head-motion 0.4",
    )
    p.add_argument(
        "--blink",
        type=number_between(0, 1),
        default=1.0,
        metavar="X",
        help="share of the blinks that stay, 0 (none) to 1 (default); also of blinks that an instruction asks for, but not of eyes that "
        "are to stay closed, wink or look; example: --blink 0",
    )
    p.add_argument(
        "--still",
        action="store_true",
        help="head and body hold still, only the face moves (the same as --head-motion 0); example: generate face.jpg -a voice.wav --still",
    )


def _add_output(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="OUT",
        help="its ending says what is written: .mp4, .webm, .mov (ProRes), .gif (12.5 frames a second, at most 480 pixels, no sound), or a "
        "folder or name_%%05d.png for PNG frames; all but mp4 keep a transparent background (default: out/PORTRAIT--AUDIO.mp4); "
        "example: -o out.webm",
    )
    p.add_argument("--concat", action="store_true", help="portrait and result side by side; example: --concat -o out.mp4")


def _add_model(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "--model",
        type=Path,
        metavar="RUN|BUNDLE",
        help="a training run, or what `export` made of one (default: the one that ships); example: --model runs/x",
    )
    p.add_argument(
        "--codec",
        type=Path,
        metavar="BUNDLE",
        help="a codec bundle or a file of configs/codec/ (default: the model's own); example: --codec codecs/x",
    )
    p.add_argument("-q", "--quiet", action="store_true", help="no progress bars; example: generate face.jpg -q")
