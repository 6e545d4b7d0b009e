"""The commands of the recipe: prepare, train, export. The rooms behind them need the training extra and load when they are called."""

from __future__ import annotations

import argparse
import importlib
import os
import pdb
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from instructavatar.console import ProgressBars, whole_between, yes_or_no
from instructavatar.errors import BadOption, MissingFile

_PARTS = ("instructions", "latents")
_NETWORK = "generator.onnx"  # what makes a bundle one of a motion generator
_SWITCH: dict[str, Any] = {"nargs": "?", "const": True, "default": False, "type": yes_or_no, "metavar": "yes|no"}


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
        help="train a motion generator or a codec; the same command resumes",
        epilog="example: instructavatar train --base configs/motion/tiny.yaml --logdir runs/tiny --extra data.params.store=data/tiny",
    )
    p.add_argument("-b", "--base", nargs="+", default=[], metavar="YAML", help="configs/motion/NAME.yaml; later over earlier")
    p.add_argument("-e", "--extra", default="", metavar="a.b=c,...", help="e.g. model.params.backbone_config.params.dropout=0.08")
    p.add_argument(
        "-s", "--seed", type=whole_between(0, 2**32 - 1), metavar="N", help="fixes every batch and all noise (default: the YAML's)"
    )
    p.add_argument("-t", "--train", **_SWITCH, help="accepted for the published command; training is what this does")
    p.add_argument("--dry-run", action="store_true", help="print the resolved configuration and stop")
    _add_run_folder(p)
    more = p.add_argument_group("more of the published command")
    more.add_argument(
        "--trainer.ARGUMENT", dest="trainer_argument", metavar="VALUE", help="any argument of lightning.Trainer: --trainer.devices 8"
    )
    more.add_argument("--scale_lr", **_SWITCH, help="learning rate x the batches of a step: devices, nodes, accumulated ones")
    more.add_argument("--no-test", "--no_test", **_SWITCH, help="do not validate the finished run once more")
    more.add_argument("--only-val", "--only_val", **_SWITCH, help="print the validation loss of the run in --logdir and stop")
    more.add_argument("-d", "--debug", **_SWITCH, help="show where an error comes from, and open the debugger there")
    p.set_defaults(command=_train)


def _add_run_folder(p: argparse.ArgumentParser) -> None:
    run = p.add_argument_group("folder of the run")
    run.add_argument("-l", "--logdir", type=Path, metavar="DIR", help="folder of the run (default runs/default); with a name, of the runs")
    run.add_argument("-n", "--name", dest="run_name", metavar="NAME", help="the run is LOGDIR/NAME")
    run.add_argument(
        "-f", "--postfix", default="", metavar="TEXT", help="the run is LOGDIR/NAME + TEXT; NAME is the first YAML's without one"
    )
    run.add_argument("-r", "--resume", type=Path, metavar="RUN|CKPT", help="go on with a run: its folder and its configuration are used")
    run.add_argument("--resume_from_checkpoint", type=Path, metavar="CKPT", help="begin a new run from another's checkpoint")
    run.add_argument("--not_resume_from_checkpoint", **_SWITCH, help="begin anew; what the folder holds is set aside in it")


def _add_export(commands: Any) -> None:
    p = commands.add_parser("export", help="training run -> model bundle", epilog="example: instructavatar export runs/tiny -o bundle")
    p.add_argument("run", type=Path, metavar="RUN|CKPT", help="folder of the run, or one of its checkpoints")
    p.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder of the bundle")
    p.add_argument("-b", "--base", type=Path, metavar="YAML", help="configuration of a checkpoint that lies outside of a run")
    p.add_argument("--probe", type=Path, metavar="STORE", help="also log 30 losses of a fresh run on this store (losses.json)")
    p.add_argument("--store", type=Path, metavar="STORE", help="the store it was trained on, for a run that does not name its encoders")
    p.add_argument("--codec", type=Path, metavar="BUNDLE", help="put the codec whose latents it makes beside it")
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
    with ProgressBars(quiet=False) as bars:
        count, version, width = adding.add_latents(args.output, args.codec, args.workers, bars)
    print(f"{args.output}: {count} clips changed; the latents are those of {version}, {width} numbers a frame")
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
    settings, run, checkpoint = _run_of(args)
    if args.dry_run:
        from omegaconf import OmegaConf

        print(f"# run: {run}\n{OmegaConf.to_yaml(settings, resolve=True)}", end="")
        return 0
    with _post_mortem(args.debug):
        training = training_side("instructavatar.training.fit")
        if args.only_val:
            step, loss = training.validate(settings, run, checkpoint)
            print(f"{run}  step {step}: validation loss {loss:.5f}")
            return 0
        anew, begin_from = args.not_resume_from_checkpoint, args.resume_from_checkpoint
        training.fit(settings, run, resume=not anew, checkpoint=checkpoint, begin_from=begin_from, test=not args.no_test)
    return 0


def _run_of(args: argparse.Namespace) -> tuple[Any, Path, Path | None]:
    """The whole configuration of a command, the folder of its run, and the checkpoint that was asked for."""
    from instructavatar import config

    if args.not_resume_from_checkpoint and (args.resume or args.resume_from_checkpoint):
        raise BadOption(
            "--not_resume_from_checkpoint does not go together with --resume or --resume_from_checkpoint; leave one of them out"
        )
    checkpoint = None
    if args.resume:
        if args.logdir or args.run_name or args.postfix:
            raise BadOption("--resume takes the folder of its run; leave --logdir, --name and --postfix out")
        run, checkpoint = _resumed(args.resume)
        files = [run / "config.yaml", *args.base]
    elif args.base:
        run, files = _folder(args), args.base
    else:
        raise BadOption("expected --base configs/motion/NAME.yaml or --resume RUN, got neither; see instructavatar train --help")
    settings = config.load(files, config.split_extra(args.extra))
    return _with_flags(_with_trainer(settings, args.trainer), args), run, checkpoint


def _folder(args: argparse.Namespace) -> Path:
    """LOGDIR alone is the run's folder; with a name or a postfix the run lies in it."""
    if not args.run_name and not args.postfix:
        return args.logdir or Path("runs/default")
    return (args.logdir or Path("runs")) / ((args.run_name or Path(args.base[0]).stem) + args.postfix)


def _resumed(given: Path) -> tuple[Path, Path | None]:
    """Folder of a run, and its checkpoint where one was named."""
    run = given.parent.parent if given.is_file() else given
    if not (run / "config.yaml").is_file():
        raise MissingFile(f"expected --resume to name a run (a folder with config.yaml) or a checkpoint in one, found none at {given}")
    return run, given if given.is_file() else None


def _with_trainer(settings: Any, overrides: list[str]) -> Any:
    """The configuration with `--trainer.*`, also for arguments that the YAML does not hold; `gpus` of older versions become devices."""
    from instructavatar import config

    trainer = config.section(settings, "lightning.trainer")
    for item in overrides:
        name = item.partition("=")[0].removeprefix("lightning.trainer.")
        if name not in trainer and name != "gpus":
            training_side("instructavatar.training.trainer").check_argument(name)
        trainer.setdefault(name, None)
    settings = config.override(settings, overrides)
    trainer = settings.lightning.trainer
    if trainer.get("gpus") is not None:
        gpus = trainer.pop("gpus")
        trainer.update({"accelerator": "gpu", "devices": gpus} if gpus else {"accelerator": "cpu", "devices": 1})
        if os.environ.get("LOCAL_RANK", "0") == "0":  # once, not by every process
            print(f"note: gpus={gpus} is an older name: accelerator={trainer.accelerator}, devices={trainer.devices}", file=sys.stderr)
    return settings


def _with_flags(settings: Any, args: argparse.Namespace) -> Any:
    """The configuration with the flags that stand for keys of it."""
    if args.seed is not None:
        settings.seed = args.seed
        if "seed" in settings.data.params:  # a resumed run's configuration is resolved already
            settings.data.params.seed = args.seed
    if args.scale_lr:
        settings.model.scale_learning_rate = True
    return settings


@contextmanager
def _post_mortem(wanted: bool) -> Iterator[None]:
    """Where it is wanted, an error shows its traceback and, at a terminal, opens the debugger."""
    try:
        yield
    except Exception:
        if wanted:
            traceback.print_exc()
            if sys.stdin.isatty():
                pdb.post_mortem()
        raise


def _export(args: argparse.Namespace) -> int:
    exporting = training_side("instructavatar.training.fit")
    bundle = exporting.export_run(args.run, args.output, args.probe, args.model_name, args.store, args.base)
    if args.codec:
        training_side("instructavatar.training.codec_bundle").place_codec(bundle, args.codec)
    if (bundle / _NETWORK).is_file():
        print(f"{bundle}  is ready: instructavatar generate face.jpg -a voice.wav --model {bundle}")
    else:
        print(f"{bundle}  is ready: instructavatar prepare --output STORE --only latents --codec {bundle}")
    return 0


def bundle_of(model: Path) -> Path:
    """The bundle of a run or of one of its checkpoints, exported into the run when it is newer; a bundle stays as it is.

    Raises:
        MissingFile: it must be exported, and the training extra is not installed.
        BadOption: it is a run of a codec.
    """
    if model.is_file():
        run, bundle, checkpoint = model.parent.parent, model.parent.parent / f"bundle-{model.stem}", model
    elif (model / "checkpoints").is_dir():
        run, bundle, checkpoint = model, model / "bundle", model / "checkpoints" / "last.ckpt"
    else:
        return model
    made = bundle / "manifest.json"
    written = checkpoint.stat().st_mtime_ns if checkpoint.is_file() else None
    if written is None or not made.is_file() or made.stat().st_mtime_ns < written:
        training_side("instructavatar.training.fit").export_run(model, bundle, name=run.name)
        if written is not None and made.is_file():  # a checkpoint that came meanwhile is newer
            os.utime(made, ns=(written, written))
    if not (bundle / _NETWORK).is_file():
        raise BadOption(f"expected --model to name a motion generator, got {run}, which is a run of a codec; give it to --codec")
    return bundle
