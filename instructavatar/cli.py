"""The command line: argparse only; every command is a few lines over the rooms.

Exit codes: 0 done; 2 a bad option or configuration; 3 a missing file or package; 4 unusable media; 5 a problem with the face;
6 a malformed instruction script; 7 the output cannot be written; 8 a damaged bundle, store or run; 9 anything else a user can mend;
1 a job of a list failed; 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from instructavatar import __version__, evaluation, recipe
from instructavatar.console import Parser, ProgressBars, face_choice, number_between, options_of, trainer_overrides, whole_between
from instructavatar.errors import BadMedia, BadOption, CannotWrite, InstructAvatarError
from instructavatar.jobs import folder_jobs, read_jobs

Command = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; errors become one line on stderr."""
    try:
        parser = _parser()
        args, unknown = parser.parse_known_args(argv)
        args.trainer = trainer_overrides(unknown, args.name, options_of(parser, args.name))
        command: Command = args.command
        return command(args)
    except InstructAvatarError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except MemoryError:
        print("error: not enough memory for this; give a smaller picture or a shorter clip", file=sys.stderr)
        return InstructAvatarError.exit_code
    except KeyboardInterrupt as stop:
        print(f"interrupted; {str(stop) or 'nothing half-written was left'}", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 0
    except OSError as error:
        print(f"error: {error.strerror or error}: {error.filename or 'no file named'}; check the path and the free space", file=sys.stderr)
        return CannotWrite.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="instructavatar",
        description="A portrait + a voice + a sentence that says how the face should act -> the video.",
        epilog="example: instructavatar generate face.jpg -a voice.wav -i 'talk happily' -o out.mp4",
    )
    parser.add_argument("--version", action="version", version=f"instructavatar {__version__}")
    commands = parser.add_subparsers(dest="name", required=True, metavar="COMMAND", parser_class=Parser)
    _add_generate(commands)
    _add_demo(commands)
    _add_reenact(commands)
    recipe.add_commands(commands)
    evaluation.add_commands(commands)
    _add_verify(commands)
    _add_assets(commands)
    return parser


# --- animate -----------------------------------------------------------------------------------------------------------------------------


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
    p.add_argument("--save_motion", type=Path, metavar="FILE", help="also write the curves (.csv or .json)")
    _add_output(p)
    _add_model(p)
    p.set_defaults(command=_reenact)


def _add_portrait(p: argparse.ArgumentParser) -> None:
    p.add_argument("portrait", nargs="?", metavar="PORTRAIT", help="a picture with a face")
    p.add_argument("-s", "--source_image", metavar="PORTRAIT", help="the same, by the name other tools use")
    p.add_argument("--face", metavar="N|largest", help="which face when there are several")
    p.add_argument("--max_side", "--max-side", type=whole_between(64, 8192), default=1920, metavar="PX", help="longest side (default 1920)")


def _add_output(p: argparse.ArgumentParser) -> None:
    p.add_argument("-o", "--output", type=Path, metavar="OUT", help="the mp4 (default: out/PORTRAIT--AUDIO.mp4)")
    p.add_argument("--concat", action="store_true", help="portrait and result side by side")


def _add_model(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "--model", type=Path, metavar="RUN|BUNDLE", help="a training run, or what `export` made of one (default: the one that ships)"
    )
    p.add_argument("--codec", type=Path, metavar="BUNDLE", help="a codec bundle or a file of configs/codec/ (default: the model's own)")
    p.add_argument("-q", "--quiet", action="store_true", help="no progress bars")


def _generate(args: argparse.Namespace) -> int:
    if args.list:
        _refuse_together("--list", args, "portrait", "source_image", "output", "save_motion")
        return _run_jobs(args, read_jobs(args.list))
    if args.appear_dir or args.audio_dir:
        return _run_folders(args)
    portrait = _portrait_of(args)
    output = args.output or _default_output(portrait, args.audio or args.motion)
    _check_job(args, portrait, output)
    _animate(_load_avatar(args), args, portrait, output)
    return 0


def _check_job(args: argparse.Namespace, portrait: str, output: Path) -> None:
    """Fail before the work rather than after it."""
    if args.motion:
        _refuse_together("--motion", args, "instruction", "seconds", "cfg_scale", "audio_cfg_scale")
    for target in (output, args.save_motion):
        if target:
            _refuse_unwritable(Path(target), portrait, args.audio, args.motion)


def _animate(avatar: Any, args: argparse.Namespace, portrait: str, output: Path) -> None:
    started = time.perf_counter()
    with ProgressBars(args.quiet) as bars:
        shared = {"face": face_choice(args.face), "max_side": args.max_side, "progress": bars}
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
    spent = time.perf_counter() - started
    print(f"{output}  {clip.seconds:.2f} s of video in {spent:.1f} s ({spent / clip.seconds:.2f} x real time)")


def _demo(args: argparse.Namespace) -> int:
    from instructavatar.features.base import weights_path

    extra = {"audio": str(weights_path("demo_speech.flac")), "motion": None, "seconds": None, "intensity": 1.0, "face": None}
    rest = {"cfg_scale": None, "audio_cfg_scale": None, "max_side": 1920, "save_motion": None}
    full = argparse.Namespace(**vars(args) | extra | rest)
    _animate(_load_avatar(args), full, str(weights_path("demo_portrait.jpg")), args.output)
    return 0


def _reenact(args: argparse.Namespace) -> int:
    portrait = _portrait_of(args)
    output = args.output or _default_output(portrait, args.driving)
    for target in (output, args.save_motion):
        if target:
            _refuse_unwritable(target, portrait, args.driving, args.audio)
    avatar = _load_avatar(args)
    started = time.perf_counter()
    with ProgressBars(args.quiet) as bars:
        clip = avatar.reenact(
            portrait, Path(args.driving), audio=args.audio, face=face_choice(args.face), max_side=args.max_side, progress=bars
        )
        _finish(clip, args, output, bars, started)
    return 0


def _run_folders(args: argparse.Namespace) -> int:
    """Portraits of a folder with the sounds of another; either may be a single file."""
    _refuse_together("--appear-dir" if args.appear_dir else "--audio-dir", args, "list", "motion", "save_motion")
    if args.appear_dir:
        _refuse_together("--appear-dir", args, "portrait", "source_image")
    if args.audio_dir:
        _refuse_together("--audio-dir", args, "audio")
    portraits = args.appear_dir or Path(_portrait_of(args))
    sounds = args.audio_dir or (Path(args.audio) if args.audio else None)
    jobs, aside = folder_jobs(portraits, sounds, args.output or Path("out"), args.pairs == "stem")
    done = _run_jobs(args, jobs)
    if aside:
        print(f"left aside, as no portrait or sound or without a partner: {', '.join(aside)}", file=sys.stderr)
    return done


def _run_jobs(args: argparse.Namespace, jobs: list[dict[str, Any]]) -> int:
    """Every job; finished ones are kept unless they are to be made again, failed ones are named at the end."""
    avatar = _load_avatar(args)
    failed: list[str] = []
    kept = 0
    for number, job in enumerate(jobs, 1):
        merged = argparse.Namespace(**vars(args) | job)
        name = f"job {number} of {len(jobs)}"
        try:
            portrait = _portrait_of(merged)
            output = Path(job["output"]) if job.get("output") else _default_output(portrait, merged.audio or merged.motion, number)
            if output.exists() and not args.overwrite:
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


# --- look ---------------------------------------------------------------------------------------------------------------------------------


def _add_verify(commands: Any) -> None:
    p = commands.add_parser("verify", help="read the provenance mark of a video", epilog="example: instructavatar verify out.mp4")
    p.add_argument("video", type=Path, metavar="VIDEO")
    p.set_defaults(command=_verify)


def _add_assets(commands: Any) -> None:
    p = commands.add_parser(
        "assets",
        help="list the weights, their licences and whether each is intact; fetch those of evaluate",
        epilog="example: instructavatar assets --fetch sface facex",
    )
    p.add_argument("--model", type=Path, metavar="BUNDLE", help="another bundle than the one that ships")
    p.add_argument("--fetch", nargs="+", metavar="NAME|all", help="download weights that only evaluate uses; the one command that may")
    p.add_argument("--to", type=Path, metavar="DIR", help="where they go (default: $INSTRUCTAVATAR_WEIGHTS, else the user's data folder)")
    p.set_defaults(command=_assets)


def _verify(args: argparse.Namespace) -> int:
    from instructavatar.media.provenance import read_provenance

    found = read_provenance(args.video)
    if not found:
        raise BadMedia(f"{args.video} carries no InstructAvatar mark; it was made by something else or the mark was stripped")
    print(json.dumps(found, indent=1, ensure_ascii=False))
    return 0


def _assets(args: argparse.Namespace) -> int:
    from instructavatar.features.base import inspect_weights
    from instructavatar.features.fetch import inspect_extras

    if args.fetch:
        return _fetch(args.fetch, args.to)
    rows = inspect_weights(args.model)
    _list_weights(rows)
    print("\nThat do not ship; `instructavatar evaluate` uses them where they are:")
    _list_weights(inspect_extras(args.to))
    return 0 if all(row["state"] == "intact" for row in rows) else 8


def _list_weights(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        size = f"{row['bytes'] / 1e6:6.2f} MB" if row["bytes"] else " " * 9
        print(f"{row.get('name') or row['file']:<22} {size}  {row['state']:<8} {row['licence']}")
        print(f"    from {row['source']}" + (f"\n    SHA-256 {row['sha256']}" if row["sha256"] else ""))
        if "purpose" in row:
            print(f"    for {row['purpose']}" + ("" if row["fetchable"] else f"; bring it yourself as {row['file']}"))


def _fetch(names: list[str], folder: Path | None) -> int:
    from instructavatar.features.fetch import fetch, wanted

    for name in wanted(names):
        print(f"{name}  {fetch(name, folder)}", flush=True)
    return 0


# --- shared ------------------------------------------------------------------------------------------------------------------------------


def _portrait_of(args: argparse.Namespace) -> str:
    given = args.portrait or args.source_image
    if args.portrait and args.source_image:
        raise BadOption("expected one portrait, got two: PORTRAIT and --source_image")
    if not given:
        raise BadOption("expected a portrait, got none; example: instructavatar generate face.jpg -a voice.wav -o out.mp4")
    return str(given)


def _default_output(portrait: str, driver: str | None, number: int | None = None) -> Path:
    parts = [Path(portrait).stem, Path(driver).stem if driver else "", "" if number is None else f"{number:03d}"]
    return Path("out") / ("--".join(part for part in parts if part) + ".mp4")


def _refuse_unwritable(output: Path, *inputs: Any) -> None:
    """Refuse an output that is a folder, an input, or in a place that cannot be written; nothing is made."""
    if output.is_dir():
        raise CannotWrite(f"expected a file name for the output, got the folder {output}")
    if output.exists() and any(given and Path(given).exists() and output.samefile(given) for given in inputs):
        raise CannotWrite(f"expected an output beside the inputs, got {output}, which is one of them; choose another name")
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


if __name__ == "__main__":
    sys.exit(main())
