"""The command line: argparse only; every command is a few lines over the rooms.

Exit codes: 0 done; 2 a bad option or configuration; 3 a missing file or package; 4 unusable media; 5 a problem with the face;
6 a malformed instruction script; 7 the output cannot be written; 8 a damaged bundle, store or run; 9 anything else a user can mend;
1 a job of a list failed; 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from instructavatar import __version__, evaluation, generation, recipe
from instructavatar.console import Parser, options_of, trainer_overrides
from instructavatar.errors import BadMedia, CannotWrite, InstructAvatarError

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
    generation.add_commands(commands)
    recipe.add_commands(commands)
    evaluation.add_commands(commands)
    _add_verify(commands)
    _add_assets(commands)
    return parser


def _add_verify(commands: Any) -> None:
    p = commands.add_parser("verify", help="read the provenance mark of a video", epilog="example: instructavatar verify out.webm")
    p.add_argument("video", type=Path, metavar="VIDEO", help="mp4, webm, mov, gif, png, or a folder of PNG frames")
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


if __name__ == "__main__":
    sys.exit(main())
