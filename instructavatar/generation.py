"""The commands that make videos: generate, demo and reenact."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

from instructavatar import recipe
from instructavatar.console import ProgressBars, face_choice
from instructavatar.errors import BadOption, CannotWrite, InstructAvatarError
from instructavatar.jobs import folder_jobs, named_as, read_jobs
from instructavatar.options import add_demo, add_generate, add_reenact


def add_commands(commands: Any) -> None:
    """Add them to the subparsers of the command line."""
    add_generate(commands).set_defaults(command=_generate)
    add_demo(commands).set_defaults(command=_demo)
    add_reenact(commands).set_defaults(command=_reenact)


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
        face = face_choice(args.face)
        # A picture alone shows all faces with their numbers, to choose from.
        found = avatar.analyse(portrait, face="largest" if face is None and not wanted else face, max_side=args.max_side)
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
