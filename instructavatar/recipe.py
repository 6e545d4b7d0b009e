"""The commands of the recipe: prepare, train, export. The rooms behind them need the training extra and load when they are called."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path
from typing import Any

from instructavatar.console import ProgressBars, whole_between
from instructavatar.errors import BadOption, MissingFile

_PARTS = ("instructions", "latents")


def add_commands(commands: Any) -> None:
    """Add the recipe's commands to the command line's."""
    _add_prepare(commands)
    _add_train(commands)
    _add_export(commands)


def training_side(module: str) -> Any:
    """Import a module that needs the training extra, or say in one line how to install it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("instructavatar"):
            raise
        raise MissingFile(
            f"this command needs the package {error.name!r}; pip install torch==2.13.0, then pip install 'instructavatar[train]'"
        ) from error


def _add_prepare(commands: Any) -> None:
    p = commands.add_parser(
        "prepare",
        help="corpus -> features -> store; the same command resumes",
        epilog="example: instructavatar prepare --base configs/corpora/folder.yaml --root my_videos --output data/mine --workers 2",
    )
    p.add_argument("-b", "--base", nargs="+", metavar="YAML", help="configs/corpora/NAME.yaml; later over earlier")
    p.add_argument("-o", "--output", "--out", type=Path, required=True, metavar="DIR", help="folder of the store")
    p.add_argument("--root", type=Path, metavar="TREE", help="where the corpus lies (corpus.params.root)")
    p.add_argument("--workers", type=whole_between(1, 256), default=2, metavar="N", help="processes (default 2)")
    p.add_argument("--ray", metavar="ADDRESS", help="work on a running Ray cluster: auto or host:port")
    p.add_argument("-e", "--extra", default="", metavar="a.b=c,...", help="overrides of the configuration")
    look = p.add_argument_group("look at a store")
    look.add_argument("--verify", action="store_true", help="check every record of the store")
    look.add_argument("--show", metavar="CLIP", help="print one clip and draw it to a PNG")
    look.add_argument("--png", type=Path, metavar="FILE", help="where --show draws (default STORE.CLIP.png)")
    part = p.add_argument_group("change one part of a finished store")
    part.add_argument("--only", choices=_PARTS, help="instructions: paraphrase them; latents: add a codec's")
    part.add_argument("--paraphrase", metavar="SERVICE", help="an OpenAI-compatible service: its URL, or a YAML file that describes it")
    part.add_argument("--dry-run", action="store_true", help="print what would be sent and what it would cost, and send nothing")
    part.add_argument("--codec", type=Path, metavar="BUNDLE", help="a codec bundle, or a file of configs/codec/")
    p.set_defaults(command=_prepare)


def _add_train(commands: Any) -> None:
    p = commands.add_parser(
        "train",
        help="train a motion generator; the same command resumes",
        epilog="example: instructavatar train --base configs/motion/tiny.yaml --logdir runs/tiny --extra data.params.store=data/tiny",
    )
    p.add_argument("-b", "--base", nargs="+", required=True, metavar="YAML", help="configs/motion/NAME.yaml; later over earlier")
    p.add_argument("-t", "--train", action="store_true", help="accepted for the published command; training is what this does")
    p.add_argument("-l", "--logdir", type=Path, default=Path("runs/default"), metavar="DIR", help="folder of the run")
    p.add_argument("-e", "--extra", default="", metavar="a.b=c,...", help="e.g. model.params.backbone_config.params.dropout=0.08")
    p.add_argument("--dry-run", action="store_true", help="print the resolved configuration and stop")
    p.set_defaults(command=_train)


def _add_export(commands: Any) -> None:
    p = commands.add_parser("export", help="training run -> model bundle", epilog="example: instructavatar export runs/tiny -o bundle")
    p.add_argument("run", type=Path, metavar="RUN", help="folder of the run")
    p.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder of the bundle")
    p.add_argument("--probe", type=Path, metavar="STORE", help="also log 30 losses of a fresh run on this store (losses.json)")
    p.add_argument("--store", type=Path, metavar="STORE", help="the store it was trained on, for a run that does not name its encoders")
    p.add_argument("--model_name", metavar="NAME", help="name that videos will carry (default: the run's)")
    p.set_defaults(command=_export)


def _prepare(args: argparse.Namespace) -> int:
    if args.verify:
        return _verify_store(args.output)
    if args.show:
        return _show(args.output, args.show, args.png)
    if args.only == "latents":
        return _latents(args)
    if args.only == "instructions":
        return _paraphrase(args)
    return _build(args)


def _build(args: argparse.Namespace) -> int:
    from instructavatar import config

    if not args.base:
        raise BadOption("expected --base configs/corpora/NAME.yaml, got none; see instructavatar prepare --help")
    building = training_side("instructavatar.prepare.build")
    resolved = config.load(args.base, config.split_extra(args.extra))
    if args.root:
        resolved = config.override(resolved, ["corpus.params.root=given"])  # which refuses corpora without a root
        resolved.corpus.params.root = str(args.root).replace("${", r"\${")  # a path is no YAML and no reference
    with ProgressBars(quiet=False) as bars:
        report = building.prepare_from_config(resolved, args.output, workers=args.workers, ray=args.ray, progress=bars)
    print(report)
    return 0


def _verify_store(path: Path) -> int:
    store = training_side("instructavatar.data.store").FeatureStore.open(path)
    problems, skipped = store.verify(), store.skipped()
    splits = ", ".join(f"{name} {len(keys)}" for name, keys in store.header.splits.items())
    print(f"{path}: {len(store)} clips ({splits}), {store.header.seconds / 3600:.2f} h, {len(problems)} damaged, {len(skipped)} skipped")
    for problem in problems.values():
        print(f"  {problem}")
    return 8 if problems else 0


def _show(path: Path, clip: str, png: Path | None) -> int:
    store = training_side("instructavatar.data.store").FeatureStore.open(path)
    showing = training_side("instructavatar.prepare.show")
    print(showing.describe(store, clip))
    print(showing.draw(store, clip, png or path.with_name(f"{path.name}.{clip.replace('/', '_')}.png")))
    return 0


def _latents(args: argparse.Namespace) -> int:
    if args.codec is None:
        raise BadOption("expected --codec BUNDLE beside --only latents, got none; example: --codec configs/codec/identity.yaml")
    adding = training_side("instructavatar.prepare.latents")
    codec, version = adding.load_codec(args.codec)
    with ProgressBars(quiet=False) as bars:
        count = adding.add_latents(args.output, codec, version, bars)
    print(f"{args.output}: {count} clips now hold the latents of {version}, {codec.motion_dim} numbers a frame")
    return 0


def _paraphrase(args: argparse.Namespace) -> int:
    if args.paraphrase is None:
        raise BadOption("expected --paraphrase SERVICE beside --only instructions, got none; give a URL or a YAML file")
    paraphrasing = training_side("instructavatar.prepare.paraphrase")
    with ProgressBars(quiet=False) as bars:
        report = paraphrasing.paraphrase(args.output, args.paraphrase, dry_run=args.dry_run, say=print, progress=bars)
    if report is not None:
        print(report)
    return 0


def _train(args: argparse.Namespace) -> int:
    from instructavatar import config

    resolved = config.load(args.base, [*config.split_extra(args.extra), *args.trainer])
    if args.dry_run:
        from omegaconf import OmegaConf

        print(OmegaConf.to_yaml(resolved, resolve=True))
        return 0
    training_side("instructavatar.training.fit").fit(resolved, args.logdir)
    return 0


def _export(args: argparse.Namespace) -> int:
    bundle = training_side("instructavatar.training.fit").export_run(args.run, args.output, args.probe, args.model_name, args.store)
    print(f"{bundle}  is ready: instructavatar generate face.jpg -a voice.wav --model {bundle}")
    return 0
