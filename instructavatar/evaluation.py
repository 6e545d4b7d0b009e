"""The command `evaluate`: generated videos -> numbers, with the rows that keep them honest."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from instructavatar.console import ProgressBars, whole_between
from instructavatar.errors import BadOption
from instructavatar.media.files import check_writable


def add_commands(commands: Any) -> None:
    """Add `evaluate` to the command line's."""
    p = commands.add_parser(
        "evaluate",
        help="measure generated videos against real ones; the same command resumes",
        epilog="example: instructavatar evaluate out/videos --reference data/real --json out/numbers.json --report out/report",
    )
    p.add_argument("generated", nargs="?", type=Path, metavar="VIDEOS|PAIRS.jsonl", help="folder of generated videos, or a list of pairs")
    p.add_argument("-r", "--reference", type=Path, metavar="DIR|STORE", help="real videos of equal names, or a store")
    p.add_argument("--metrics", nargs="+", type=Path, default=[], metavar="YAML", help="configs/metrics/NAME.yaml, over the usual set")
    p.add_argument("--only", metavar="NAME,...", help="only these metrics")
    p.add_argument("-e", "--extra", default="", metavar="a.b=c,...", help="overrides of the configuration")
    p.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers as JSON")
    p.add_argument("--report", type=Path, metavar="DIR", help="also write a page with plots, and the numbers of every clip as CSV")
    p.add_argument("--workers", type=whole_between(1, 256), metavar="N", help="processes (default: as many as cores)")
    p.add_argument("--seed", type=whole_between(0, 2**32 - 1), metavar="N", help="of shuffles and intervals (default: the YAML's)")
    p.add_argument("--cache", type=Path, metavar="DIR", help="where measurements are remembered (default: the user's cache folder)")
    p.add_argument("-q", "--quiet", action="store_true", help="no progress bars")
    people = p.add_argument_group("judged by people")
    people.add_argument("--rate", type=Path, metavar="DIR", help="write a page for raters there; without videos, read their answers back")
    people.add_argument("--against", type=Path, metavar="DIR", help="another system's videos to compare with (default: the reference)")
    planned = p.add_argument_group("the published test sets")
    planned.add_argument("--plan", nargs="+", type=Path, metavar="YAML", help="configs/metrics/mead_in_domain.yaml and the like")
    planned.add_argument("-o", "--output", type=Path, metavar="DIR", help="where --plan writes jobs.jsonl and pairs.jsonl")
    p.set_defaults(command=_evaluate)


def _evaluate(args: argparse.Namespace) -> int:
    if args.plan:
        return _plan(args)
    if args.rate:
        from instructavatar.metrics.report.rating import rate

        if args.json or args.report:
            raise BadOption("expected --rate alone, got --json or --report too; answers are read into mos.json beside the page")
        return rate(args.rate, args.generated, args.against or args.reference, args.seed or 0)
    from instructavatar.metrics.cache import Cache, usual_cache
    from instructavatar.metrics.pairs import find_pairs
    from instructavatar.metrics.report.terminal import show
    from instructavatar.metrics.results import document, write_json

    if args.generated is None:
        raise BadOption("expected a folder of generated videos or a list of pairs, got none; see instructavatar evaluate --help")
    for target in (args.json, args.report and args.report / "results.json"):
        if target:
            check_writable(target)
    benchmark = benchmark_of(args)
    found = find_pairs(args.generated, args.reference)
    cache = Cache(args.cache or usual_cache())
    if not cache.writable:
        print(f"nothing is remembered: {cache.folder} cannot be written; give --cache DIR")
        cache = Cache(None)
    with ProgressBars(args.quiet) as bars:
        outcomes = benchmark.run(found.pairs, cache, args.workers or len(os.sched_getaffinity(0)), bars)
    results = document(benchmark, outcomes, found.aside)
    if args.json:
        write_json(results, args.json)
    if args.report:
        from instructavatar.metrics.report.page import write_report

        write_report(results, outcomes, found.pairs, benchmark, cache, args.report)
    show(results)
    return 0 if results["scored"] else 1


def _plan(args: argparse.Namespace) -> int:
    """Write the lists of a published test set."""
    from instructavatar import config
    from instructavatar.metrics.protocols import plan

    if args.output is None:
        raise BadOption("expected --output DIR beside --plan, got none; example: --output out/mead")
    made = plan(args.plan, args.output, config.split_extra(args.extra))
    print(f"{made.count} clips to make: instructavatar generate --list {made.jobs}")
    print(f"then: instructavatar evaluate {made.pairs}")
    return 0


def benchmark_of(args: argparse.Namespace) -> Any:
    """The benchmark that the options describe."""
    from instructavatar import config
    from instructavatar.metrics.benchmark import Benchmark

    usual = Path(__file__).with_name("metrics") / "default.yaml"
    resolved = config.load([usual, *args.metrics], config.split_extra(args.extra))
    if args.seed is not None:
        resolved.benchmark.seed = args.seed
    metrics = dict(config.build(resolved.metrics))
    if args.only:
        unknown = [name for name in args.only.split(",") if name not in metrics]
        if unknown:
            raise BadOption(f"expected --only to name some of {', '.join(metrics)}, got {unknown[0]!r}")
        metrics = {name: metrics[name] for name in args.only.split(",")}
    return Benchmark(metrics, **config.build(resolved.benchmark))
