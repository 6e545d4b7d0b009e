"""The commands that make videos: generate, demo and reenact."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

from instructavatar import recipe
from instructavatar.console import ProgressBars, face_choice, number_between, whole_between
from instructavatar.errors import BadOption, CannotWrite, InstructAvatarError
from instructavatar.jobs import folder_jobs, named_as, read_jobs

FORMATS = ("mp4", "webm", "mov", "gif", "png")  # those of media.output, which takes a while to load


def add_commands(commands: Any) -> None:
    """Add them to the subparsers of the command line."""
    _add_generate(commands)
    _add_demo(commands)
    _add_reenact(commands)


def _add_generate(commands: Any) -> None:
    p = commands.add_parser(
        "generate",
        help="animate a portrait by a voice, an instruction, both or neither",
        epilog="example: instructavatar generate face.jpg -a voice.wav -i '0-2s: smile | 2-4s: turn your head left' -o out.mp4",
    )
    _add_portrait(p)
    p.add_argument("-a", "--audio", "--driven_audio", "--driving_audio", metavar="AUDIO", help="speech: wav, mp3, m4a, opus, flac ...")
    p.add_argument("-i", "--instruction", metavar="TEXT", help="how the face should act; may be timed: '0-2s: smile | 2-4s: turn left'")
    p.add_argument("--motion", metavar="CURVES", help="draw given curves (.csv or .json) instead of generating motion")
    p.add_argument("--seconds", type=number_between(1 / 25, 10_800), metavar="S", help="length (default: the audio's, else 5)")
    p.add_argument("--intensity", type=number_between(0, 2), default=1.0, metavar="X", help="strength of the instruction, 0 to 2")
    p.add_argument("--cfg_scale", type=number_between(0, 20), metavar="X", help="guidance scale of the instruction, 0 to 20")
    p.add_argument("--audio_cfg_scale", type=number_between(0, 20), metavar="X", help="guidance scale of the speech, 0 to 20")
    p.add_argument(
        "--seed", type=whole_between(0, 2**63 - 1), default=0, metavar="N", help="the same seed gives the same video (default 0)"
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
    many.add_argument("--list", type=Path, metavar="JOBS.jsonl", help="many jobs, one JSON object a line")
    many.add_argument(
        "--appear-dir", "--appear_dir", type=Path, metavar="DIR", help="every portrait of a folder; --output is a folder then"
    )
    many.add_argument("--audio-dir", "--audio_dir", type=Path, metavar="DIR", help="with every sound of a folder")
    many.add_argument("--pairs", choices=("every", "stem"), default="every", help="stem: only with the sound of the same name")
    many.add_argument("--overwrite", action="store_true", help="make finished videos again")
    p.add_argument("--save_motion", type=Path, metavar="FILE", help="also write the curves (.csv or .json)")
    _add_output(p)
    p.add_argument("--format", choices=FORMATS, default="mp4", help="kind of the videos that --output does not name (default mp4)")
    _add_model(p)
    p.set_defaults(command=_generate)


def _add_demo(commands: Any) -> None:
    p = commands.add_parser("demo", help="animate the portrait and voice that ship", epilog="example: instructavatar demo")
    p.add_argument("-i", "--instruction", default="talk with a happy smile", metavar="TEXT", help="how the face should act")
    p.add_argument("--seed", type=whole_between(0, 2**63 - 1), default=0, metavar="N", help="default 0")
    p.add_argument("-o", "--output", type=Path, default=Path("out/demo.mp4"), metavar="OUT", help="default out/demo.mp4")
    p.add_argument("--concat", action="store_true", help="portrait and result side by side")
    _add_model(p)
    p.set_defaults(command=_demo)


def _add_reenact(commands: Any) -> None:
    p = commands.add_parser(
        "reenact",
        help="let a portrait make the motion of a video or of curves",
        epilog="example: instructavatar reenact face.jpg --driving clip.mp4 -o out.mp4",
    )
    _add_portrait(p)
    p.add_argument("-d", "--driving", required=True, metavar="VIDEO", help="a video, or curves (.csv or .json)")
    p.add_argument("-a", "--audio", metavar="AUDIO", help="sound (default: the driving video's own)")
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
    p.add_argument("--save_motion", type=Path, metavar="FILE", help="also write the curves (.csv or .json)")
    _add_output(p)
    _add_model(p)
    p.set_defaults(command=_reenact)


def _add_portrait(p: argparse.ArgumentParser) -> None:
    p.add_argument("portrait", nargs="?", metavar="PORTRAIT", help="a picture with a face")
    p.add_argument("-s", "--source_image", metavar="PORTRAIT", help="the same, by the name other tools use")
    p.add_argument("--face", metavar="N|largest", help="which face when there are several")
    p.add_argument("--max_side", "--max-side", type=whole_between(64, 8192), default=1920, metavar="PX", help="longest side (default 1920)")


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
    p.add_argument("--concat", action="store_true", help="portrait and result side by side")


def _add_model(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "--model", type=Path, metavar="RUN|BUNDLE", help="a training run, or what `export` made of one (default: the one that ships)"
    )
    p.add_argument("--codec", type=Path, metavar="BUNDLE", help="a codec bundle or a file of configs/codec/ (default: the model's own)")
    p.add_argument("-q", "--quiet", action="store_true", help="no progress bars")


def _generate(args: argparse.Namespace) -> int:
    if args.list:
        _refuse_together("--list", args, "portrait", "source_image", "output", "save_motion", "preview")
        return _run_jobs(args, read_jobs(args.list))
    if args.appear_dir or args.audio_dir:
        return _run_folders(args)
    portrait = _portrait_of(args)
    wanted = args.output or not args.preview
    output = args.output or _default_output(portrait, args.audio or args.motion, args.format)
    _check_job(args, portrait, output if wanted else None)
    avatar = _load_avatar(args)
    found: Any = portrait
    if args.preview:
        found = avatar.analyse(portrait, face=face_choice(args.face), max_side=args.max_side)
        look = avatar.preview(found)
        print("\n".join([str(look.save(args.preview)), *look.lines]))
    if wanted:
        _animate(avatar, args, found, output)
    return 0


def _check_job(args: argparse.Namespace, portrait: str, output: Path | None) -> None:
    """Fail before the work rather than after it."""
    from instructavatar.media.files import existing_file

    if args.motion:
        _refuse_together("--motion", args, "instruction", "seconds", "cfg_scale", "audio_cfg_scale")
    if args.preview and args.preview.suffix.lower() != ".png":
        raise BadOption(f"expected --preview to end in .png, got {args.preview}; example: --preview look.png")
    if output:
        _refuse_output(output, portrait, args.audio, args.motion)
    for target in (args.save_motion, args.preview):
        if target:
            _refuse_unwritable(target, portrait, args.audio, args.motion)
    for given, what in ((args.audio, "sound"), (args.motion, "file of curves")):
        if given and args.preview:
            existing_file(given, what)  # a preview does not read it, and would hide that it is missing
    _shape_of(args)


def _shape_of(args: argparse.Namespace) -> dict[str, Any]:
    if args.still and args.head_motion < 1:
        raise BadOption("--still does not go together with --head-motion; leave one of them out")
    return {"head_motion": args.head_motion, "blink": args.blink, "still": args.still}


def _animate(avatar: Any, args: argparse.Namespace, portrait: Any, output: Path) -> None:
    started = time.perf_counter()
    with ProgressBars(args.quiet) as bars:
        shared = {"face": face_choice(args.face), "max_side": args.max_side, "progress": bars, **_shape_of(args)}
        if args.motion:
            clip = avatar.reenact(portrait, Path(args.motion), audio=args.audio, **shared)
        else:
            clip = avatar.animate(
                portrait,
                args.audio,
                args.instruction,
                seconds=args.seconds,
                seed=args.seed,
                text_guidance=args.cfg_scale,
                audio_guidance=args.audio_cfg_scale,
                intensity=args.intensity,
                **shared,
            )
        _finish(clip, args, output, bars, started)


def _finish(clip: Any, args: argparse.Namespace, output: Path, bars: Any, started: float) -> None:
    if args.save_motion:
        clip.save_motion(args.save_motion)
    clip.save(output, concat=args.concat, progress=bars)
    bars.stop()
    for lost in _lost(clip, output):
        print(f"note: {lost}", file=sys.stderr)
    spent = time.perf_counter() - started
    print(f"{output}  {clip.seconds:.2f} s of video in {spent:.1f} s ({spent / clip.seconds:.2f} x real time)")


def _lost(clip: Any, output: Path) -> list[str]:
    """What the clip had and the file cannot keep."""
    from instructavatar.media.output import keeps_alpha, keeps_sound

    lost = []
    if clip.subject.alpha is not None and not keeps_alpha(output):
        lost.append(f"{output.name} keeps no transparency, so the picture lies on grey; for a transparent video: -o {output.stem}.webm")
    if clip.audio is not None and not keeps_sound(output):
        lost.append(f"{output.name} has no sound; for a video with sound write .mp4 or .webm")
    return lost


def _demo(args: argparse.Namespace) -> int:
    from instructavatar.features.base import weights_path

    extra = {"audio": str(weights_path("demo_speech.flac")), "motion": None, "seconds": None, "intensity": 1.0, "face": None}
    rest: dict[str, Any] = {"cfg_scale": None, "audio_cfg_scale": None, "max_side": 1920, "save_motion": None}
    rest |= {"head_motion": 1.0, "blink": 1.0, "still": False}
    _refuse_output(args.output)
    full = argparse.Namespace(**vars(args) | extra | rest)
    _animate(_load_avatar(args), full, str(weights_path("demo_portrait.jpg")), args.output)
    return 0


def _reenact(args: argparse.Namespace) -> int:
    portrait = _portrait_of(args)
    output = args.output or _default_output(portrait, args.driving, "mp4")
    _refuse_output(output, portrait, args.driving, args.audio)
    if args.save_motion:
        _refuse_unwritable(args.save_motion, portrait, args.driving, args.audio)
    shape = _shape_of(args)
    avatar = _load_avatar(args)
    started = time.perf_counter()
    with ProgressBars(args.quiet) as bars:
        clip = avatar.reenact(
            portrait,
            Path(args.driving),
            audio=args.audio,
            relative=args.relative,
            smooth=args.smooth,
            face=face_choice(args.face),
            max_side=args.max_side,
            progress=bars,
            **shape,
        )
        _finish(clip, args, output, bars, started)
    return 0


def _run_folders(args: argparse.Namespace) -> int:
    """Portraits of a folder with the sounds of another; either may be a single file."""
    _refuse_together("--appear-dir" if args.appear_dir else "--audio-dir", args, "list", "motion", "save_motion", "preview")
    if args.appear_dir:
        _refuse_together("--appear-dir", args, "portrait", "source_image")
    if args.audio_dir:
        _refuse_together("--audio-dir", args, "audio")
    portraits = args.appear_dir or Path(_portrait_of(args))
    sounds = args.audio_dir or (Path(args.audio) if args.audio else None)
    jobs, aside = folder_jobs(portraits, sounds, args.output or Path("out"), args.pairs == "stem", args.format)
    done = _run_jobs(args, jobs)
    if aside:
        print(f"left aside, as no portrait or sound or without a partner: {', '.join(aside)}", file=sys.stderr)
    return done


def _run_jobs(args: argparse.Namespace, jobs: list[dict[str, Any]]) -> int:
    """Every job; finished ones are kept unless they are to be made again, failed ones are named at the end."""
    from instructavatar.media.output import is_there

    avatar = _load_avatar(args)
    failed: list[str] = []
    kept = 0
    for number, job in enumerate(jobs, 1):
        merged = argparse.Namespace(**vars(args) | job)
        name = f"job {number} of {len(jobs)}"
        try:
            portrait = _portrait_of(merged)
            driver = merged.audio or merged.motion
            output = Path(job["output"]) if job.get("output") else _default_output(portrait, driver, args.format, number)
            if is_there(output) and not args.overwrite:
                print(f"{output}  is there already, kept")
                kept += 1
                continue
            _check_job(merged, portrait, output)
            _animate(avatar, merged, portrait, output)
        except InstructAvatarError as error:
            failed.append(f"{name}: {error}")
            print(f"{name} failed: {error}", file=sys.stderr)
    print(f"{len(jobs) - len(failed)} of {len(jobs)} jobs done" + (f", {kept} of them before" if kept else ""))
    for line in failed:
        print(f"failed: {line}", file=sys.stderr)
    return 1 if failed else 0


def _portrait_of(args: argparse.Namespace) -> str:
    given = args.portrait or args.source_image
    if args.portrait and args.source_image:
        raise BadOption("expected one portrait, got two: PORTRAIT and --source_image")
    if not given:
        raise BadOption("expected a portrait, got none; example: instructavatar generate face.jpg -a voice.wav -o out.mp4")
    return str(given)


def _default_output(portrait: str, driver: str | None, kind: str, number: int | None = None) -> Path:
    parts = [Path(portrait).stem, Path(driver).stem if driver else "", "" if number is None else f"{number:03d}"]
    return Path("out") / named_as("--".join(part for part in parts if part), kind)


def _refuse_output(output: Path, *inputs: Any) -> None:
    """Refuse a name that asks for no kind of video, frames over older ones, and what `_refuse_unwritable` does."""
    from instructavatar.media.output import FRAMES, kind_of
    from instructavatar.media.png import refuse_earlier

    _refuse_input(output, *inputs)
    if kind_of(output) == FRAMES:
        refuse_earlier(output)
        output = output / "%05d.png" if output.is_dir() else output
    _refuse_unwritable(output, *inputs)


def _refuse_input(output: Path, *inputs: Any) -> None:
    if output.exists() and any(given and Path(given).exists() and output.samefile(given) for given in inputs):
        raise CannotWrite(f"expected an output beside the inputs, got {output}, which is one of them; choose another name")


def _refuse_unwritable(output: Path, *inputs: Any) -> None:
    """Refuse an output that is a folder, an input, or in a place that cannot be written; nothing is made."""
    if output.is_dir():
        raise CannotWrite(f"expected a file name for the output, got the folder {output}")
    _refuse_input(output, *inputs)
    folder = next(parent for parent in output.absolute().parents if parent.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise CannotWrite(f"expected a folder that can be written for {output}, got {folder}; choose another place")


def _refuse_together(option: str, args: argparse.Namespace, *others: str) -> None:
    given = [name for name in others if getattr(args, name) is not None]
    if given:
        raise BadOption(f"{option} does not go together with --{given[0]}; leave one of them out")


def _load_avatar(args: argparse.Namespace) -> Any:
    from instructavatar.avatar import Avatar

    model = recipe.bundle_of(args.model) if args.model else None
    return Avatar.load(model, codec=args.codec)
