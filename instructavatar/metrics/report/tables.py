"""The tables and lists of the page. Everything that comes from outside is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from instructavatar.metrics.base import Metric
from instructavatar.metrics.report.wording import ROW_MEANINGS, Problem, arrow, counted, interval, not_scored, number, title_of

_UNFOLDED = 30


def numbers(results: Mapping[str, Any], metrics: Mapping[str, Metric]) -> str:
    """Every number of every row, grouped by metric."""
    rows = results["rows"]
    head = "".join(f'<th scope="col">{escape(title_of(row))}</th>' for row in rows)
    body = "".join(_group(name, metric, rows) for name, metric in metrics.items())
    if not body:
        return "<p>No metric could judge any clip.</p>"
    return f'<div class="wide"><table class="numbers"><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _group(name: str, metric: Metric, rows: Mapping[str, Any]) -> str:
    lines = [
        _line(number_name, metric, rows) for number_name in metric.values if any(number_name in row["metrics"] for row in rows.values())
    ]
    told = (type(metric).__doc__ or "").strip().split("\n")[0]
    head = f'<tr class="metric"><th scope="rowgroup">{escape(name)}</th><td colspan="{len(rows)}">{escape(told)}</td></tr>'
    return head + "".join(lines) if lines else ""


def _line(name: str, metric: Metric, rows: Mapping[str, Any]) -> str:
    value = metric.values[name]
    cells = "".join(_cell(row["metrics"].get(name)) for row in rows.values())
    return f'<tr><th scope="row">{escape(name)} {arrow(value.higher_is_better)}<small>{escape(value.unit)}</small></th>{cells}</tr>'


def _cell(entry: Mapping[str, Any] | None) -> str:
    if entry is None:
        return "<td></td>"
    span = interval(entry["ci"])
    return f"<td>{number(entry['value'])}<small>{span}</small><small>n = {entry['n']}</small></td>"


def rows_told(results: Mapping[str, Any]) -> str:
    """What each row is, and how many clips it has."""
    told = [
        f"<dt>{escape(title_of(row))}</dt><dd>{escape(ROW_MEANINGS.get(row, ''))} "
        f'<span class="soft">{counted(entry["scored"], "clip")} scored.</span></dd>'
        for row, entry in results["rows"].items()
    ]
    return f"<dl>{''.join(told)}</dl>"


def failures(problems: Sequence[Problem]) -> str:
    """What could not be judged, clip by clip."""
    rows = [(", ".join(one.clips), one.where, ", ".join(one.metrics) or "all", one.reason) for one in problems]
    return table(("clip", "row", "metric", "reason"), rows)


def unscored(failed: Sequence[Mapping[str, str]]) -> str:
    """Where a metric does not apply, reason by reason."""
    rows = [
        (
            one.reason,
            ", ".join(one.metrics),
            one.where,
            f"{len(one.clips)}: {', '.join(one.clips[:8])}" + (" ..." if len(one.clips) > 8 else ""),
        )
        for one in not_scored(failed)
    ]
    return table(("reason", "metric", "row", "clips"), rows)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A plain table; "" without rows."""
    if not rows:
        return ""
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def list_of(entries: Iterable[str]) -> str:
    """Lines as a list; "" without any, folded away if there are many."""
    lines = [f"<li>{escape(entry)}</li>" for entry in entries]
    told = f"<ul>{''.join(lines)}</ul>" if lines else ""
    return f"<details><summary>{len(lines)} of them</summary>{told}</details>" if len(lines) > _UNFOLDED else told


def versions_told(results: Mapping[str, Any]) -> str:
    """Seed and versions."""
    versions = results["versions"]
    told = {"seed": results["seed"], **{name: value for name, value in versions.items() if not isinstance(value, Mapping)}}
    told["packages"] = ", ".join(f"{name} {version}" for name, version in versions["packages"].items())
    plain = "".join(f"<dt>{escape(name.replace('_', ' '))}</dt><dd>{escape(str(value))}</dd>" for name, value in told.items())
    metrics = "".join(f"<dt>{escape(name)}</dt><dd><code>{escape(text)}</code></dd>" for name, text in versions["metrics"].items())
    return f"<dl>{plain}</dl>\n<h3>Metrics and their parameters</h3><dl>{metrics}</dl>"
