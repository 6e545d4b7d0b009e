"""The report: a folder with a page that opens without a network, the numbers of every clip as CSV, and the pictures it shows.

    index.html     read this
    results.json   the document (metrics/schema.json)
    clips.csv      clip, row, name, value
    pictures/      plots and contact sheets

A report that is there is brought up to date; the page itself comes last, so an older one stays whole until then.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from instructavatar.errors import CannotWrite
from instructavatar.media.files import written_beside
from instructavatar.metrics.benchmark import Benchmark, Outcome
from instructavatar.metrics.cache import Cache
from instructavatar.metrics.pairs import Pair
from instructavatar.metrics.report import plots
from instructavatar.metrics.report.gallery import NO_PLOTS, Gallery, Shown, fill, sections
from instructavatar.metrics.report.ranking import RULE
from instructavatar.metrics.report.tables import failures, list_of, numbers, rows_told, unscored, versions_told
from instructavatar.metrics.report.wording import broken, counted
from instructavatar.metrics.results import per_clip, write_json

PAGES = Path(__file__).with_name("pages")
_COLUMNS = ("clip", "row", "name", "value")


def write_report(
    results: Mapping[str, Any], outcomes: Sequence[Outcome], pairs: Sequence[Pair], benchmark: Benchmark, cache: Cache, folder: Path
) -> None:
    """Write or renew a report.

    Args:
        results: the document of these outcomes.
        outcomes: what came of every pair.
        pairs: the same pairs, whose videos are opened again for the pictures.
        benchmark: what judged them.
        cache: where their faces are remembered.
        folder: made if it is not there.

    Raises:
        CannotWrite: no folder can be made or written there.
    """
    if folder.exists() and not folder.is_dir():
        raise CannotWrite(f"expected a folder for the report, got the file '{folder}'; choose another --report")
    able, _ = benchmark.runnable()
    write_json(results, folder / "results.json")
    _write_csv(per_clip(outcomes, able), folder / "clips.csv")
    gallery = Gallery(folder, cache)
    fill(gallery, outcomes, pairs, benchmark)
    with written_beside(folder / "index.html") as part:
        part.write_text(page(results, benchmark, gallery.shown, gallery.lost), encoding="utf-8")
    gallery.clear()


def _write_csv(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    with written_beside(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, _COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def page(results: Mapping[str, Any], benchmark: Benchmark, shown: Sequence[Shown] = (), lost: Sequence[str] = ()) -> str:
    """The whole page as HTML; pictures lie beside it."""
    pictures = sections(shown)
    parts = [
        ("numbers", "Numbers", _intro(results) + numbers(results, benchmark.metrics)),
        ("rows", "What the rows mean", rows_told(results)),
        *_plots(pictures),
        ("worst", "Worst clips", f"<p>{escape(RULE)}</p>" + _figures(pictures.get("worst", []), "sheet") if "worst" in pictures else ""),
        ("lost", "Not drawn", list_of(lost)),
        ("failed", "Failed", failures(broken(results["failed"]))),
        ("unscored", "Not scored", unscored(results["failed"])),
        ("not-run", "Metrics not run", list_of(f"{name}: {lack}" for name, lack in results["not_run"].items())),
        ("aside", "Real videos without a generated one", list_of(results["not_compared"])),
        ("notes", "Notes on clips", list_of(f"{name}: {'; '.join(notes)}" for name, notes in results["notes"].items())),
        ("versions", "Made with", versions_told(results)),
    ]
    parts = [part for part in parts if part[2]]
    body = "\n".join(f'<section id="{key}"><h2>{title}</h2>\n{content}</section>' for key, title, content in parts)
    links = " ".join(f'<a href="#{key}">{title}</a>' for key, title, _ in parts)
    head = f"<h1>Evaluation</h1>\n{_summary(results)}\n<nav>{links}</nav>\n{_warnings(results['warnings'])}"
    return _framed(f"{head}\n{body}")


def _framed(content: str) -> str:
    style = (PAGES / "report.css").read_text(encoding="utf-8")
    meta = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    head = f"<head>{meta}\n<title>Evaluation</title>\n<style>\n{style}</style></head>"
    return f'<!doctype html>\n<html lang="en">{head}\n<body><main>\n{content}\n</main></body></html>\n'


def _summary(results: Mapping[str, Any]) -> str:
    failed = {name for problem in broken(results["failed"]) for name in problem.clips}
    told = [f"{results['scored']} of {counted(results['clips'], 'clip')} scored"]
    told += [f'<a href="#failed">something failed on {counted(len(failed), "clip")}</a>'] if failed else []
    told += [f'<a href="#not-run">{counted(len(results["not_run"]), "metric")} not run</a>'] if results["not_run"] else []
    return f'<p>{", ".join(told)}. <a href="clips.csv">clips.csv</a> <a href="results.json">results.json</a></p>'


def _warnings(warnings: Sequence[str]) -> str:
    return f'<div class="warnings"><strong>Be careful with</strong>\n{list_of(warnings)}</div>' if warnings else ""


def _intro(results: Mapping[str, Any]) -> str:
    return (
        "<p>Below each number: its 95 % interval, by drawing the clips again with replacement, and the clips it rests on. "
        f"↑ higher is better, ↓ lower is better. Shuffles and intervals are drawn with the seed {results['seed']}.</p>\n"
    )


def _plots(pictures: Mapping[str, Sequence[Shown]]) -> list[tuple[str, str, str]]:
    """The sections of plots; a line where there can be none."""
    if not plots.available():
        return [("plots", "Plots", f"<p>{escape(NO_PLOTS)}</p>")]
    titles = {"units": "Action units", "courses": "Lips and head", "drift": "Likeness over time", "spreads": "Spread over clips"}
    return [(key, title, _figures(pictures.get(key, []))) for key, title in titles.items()]


def _figures(shown: Sequence[Shown], kind: str = "plot") -> str:
    return "\n".join(
        f'<figure class="{kind}"><h3>{escape(one.title)}</h3>'
        f'<img src="{quote(one.file)}" alt="{escape(one.title)}" loading="lazy"><figcaption>{escape(one.caption)}</figcaption></figure>'
        for one in shown
    )
