"""Outcomes -> the document that `evaluate` prints, draws and writes: numbers with intervals for every row, and what failed and why."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from instructavatar import __version__
from instructavatar.media.files import written_beside
from instructavatar.metrics.base import Metric, Scores, Value
from instructavatar.metrics.benchmark import ROWS, Benchmark, Outcome
from instructavatar.metrics.clips import MEASURE_VERSION, PICTURES, landmarker
from instructavatar.metrics.report.wording import counted, number, title_of

SCHEMA = Path(__file__).with_name("schema.json")
_PACKAGES = ("numpy", "onnxruntime", "ai-edge-litert", "opencv-python-headless", "av", "torch", "transformers", "scikit-image", "librosa")
CONFIDENCE = 95
CONTROLS = ("still", "shuffled_audio", "shuffled_text")
_NAMED = 4
_LEAST_CLIPS = 2  # one clip better than the truth is chance


def document(benchmark: Benchmark, outcomes: Sequence[Outcome], aside: Sequence[str] = ()) -> dict[str, Any]:
    """All results as plain JSON; its form is metrics/schema.json."""
    able, lacking = benchmark.runnable()
    rows = {row: _row(row, able, outcomes, benchmark) for row in ROWS}
    rows = {row: found for row, found in rows.items() if found["metrics"] or found["failed"]}
    failed = [{"clip": outcome.name, **problem} for outcome in outcomes for problem in outcome.failed]
    scored = sum(bool(outcome.scores.get("system")) and any(outcome.scores["system"].values()) for outcome in outcomes)
    return {
        "metrics": rows.get("system", {}).get("metrics", {}),
        "rows": rows,
        "clips": len(outcomes),
        "scored": scored,
        "failed": failed,
        "not_run": lacking,
        "not_compared": list(aside),
        "notes": {outcome.name: outcome.notes for outcome in outcomes if outcome.notes},
        "warnings": warnings(able, outcomes, benchmark) + unmatched(outcomes),
        "seed": benchmark.seed,
        "versions": versions(benchmark, able),
    }


def write_json(found: Mapping[str, Any], path: Path) -> None:
    """Write the document; a number that is no number becomes null."""
    with written_beside(path) as part:
        part.write_text(json.dumps(_finite(found), indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def per_clip(outcomes: Sequence[Outcome], metrics: Mapping[str, Metric]) -> list[dict[str, Any]]:
    """{clip, row, name, value} of every number of every clip, in order."""
    return [
        {"clip": outcome.name, "row": row, "name": name, "value": float(scores[name])}
        for outcome in outcomes
        for row, by_metric in outcome.scores.items()
        for metric, scores in by_metric.items()
        for name in metrics[metric].values
        if isinstance(scores.get(name), int | float)
    ]


def versions(benchmark: Benchmark, able: Mapping[str, Metric]) -> dict[str, Any]:
    """Everything that a number depends on beside the clips."""
    packages = {}
    for name in _PACKAGES:
        try:
            packages[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {
        "instructavatar": __version__,
        "python": platform.python_version(),
        "landmarker": landmarker().version,
        "measurement": MEASURE_VERSION,
        "pictures_per_clip": PICTURES,
        "codec": type(benchmark.codec).__name__ if benchmark.codec else "WarpCodec",
        "metrics": {name: metric.identity() for name, metric in able.items()},
        "packages": packages,
    }


def warnings(metrics: Mapping[str, Metric], outcomes: Sequence[Outcome], benchmark: Benchmark) -> list[str]:
    """Where the system beats the ground truth, which is overdone or chance, never a win; and where a control is not worse.

    Two rows are compared over the clips that both have.
    """
    found = []
    for name, metric in metrics.items():
        for row in ("ground_truth", *CONTROLS):
            if row == "still" and not (metric.hears or metric.reads):
                continue  # a portrait that does not move is the best at much that has nothing to do with speech and instruction
            both = [one.scores for one in outcomes if name in one.scores.get("system", {}) and name in one.scores.get(row, {})]
            mine, other = (_numbers(metric, [scores[side][name] for scores in both], benchmark) for side in ("system", row))
            tell = _beaten_truth if row == "ground_truth" else _close_control
            found += [told for number_name in mine if (told := tell(row, number_name, metric.values[number_name], mine, other))]
    return found


def _beaten_truth(row: str, name: str, value: Value, mine: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    true = other.get(name)
    if true is None or value.higher_is_better is None or value.given or not _better(value, mine[name]["value"], true["value"]):
        return ""
    if true["n"] < _LEAST_CLIPS or _overlap(mine[name]["ci"], true["ci"]):
        return ""
    told = f"the system's {number(mine[name]['value'])} beats the {title_of(row)}'s {number(true['value'])}"
    return f"{name}: {told} on {counted(true['n'], 'clip')}: overdone or calmer than people are, not better"


def _close_control(row: str, name: str, value: Value, mine: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    control = other.get(name)
    if control is None or value.higher_is_better is None:
        return ""
    if _better(value, mine[name]["value"], control["value"]) and not _overlap(mine[name]["ci"], control["ci"]):
        return ""
    told = f"{title_of(row)} scores {number(control['value'])}, the system {number(mine[name]['value'])}"
    return f"{name}: {told} on {counted(control['n'], 'clip')}: not clearly apart, so on these clips the number says little"


def unmatched(outcomes: Sequence[Outcome]) -> list[str]:
    """Clips without a real one, where others have theirs."""
    lone = [one.name for one in outcomes if one.scores.get("system") and "ground_truth" not in one.scores]
    if not lone or len(lone) == len(outcomes):
        return []
    named = ", ".join(lone[:_NAMED]) + (", ..." if len(lone) > _NAMED else "")
    return [f"{counted(len(lone), 'clip')} of {len(outcomes)} without a real one to compare with: {named}"]


def _better(value: Value, one: float, other: float) -> bool:
    return one > other if value.higher_is_better else one < other


def _overlap(one: list[float] | None, other: list[float] | None) -> bool:
    """Whether two intervals meet; those of a single clip are unknown and may."""
    if one is None or other is None:
        return False
    return one[0] <= other[1] and other[0] <= one[1]


def _row(row: str, metrics: Mapping[str, Metric], outcomes: Sequence[Outcome], benchmark: Benchmark) -> dict[str, Any]:
    numbers: dict[str, Any] = {}
    for name, metric in metrics.items():
        scores = [outcome.scores[row][name] for outcome in outcomes if name in outcome.scores.get(row, {})]
        numbers |= _numbers(metric, scores, benchmark)
    failed = sum(any(problem["row"] == row for problem in outcome.failed) for outcome in outcomes)
    scored = sum(bool(outcome.scores.get(row)) for outcome in outcomes)
    return {"metrics": numbers, "scored": scored, "failed": failed}


def _numbers(metric: Metric, scores: Sequence[Scores], benchmark: Benchmark) -> dict[str, Any]:
    """Each of a metric's numbers over the clips, with its interval."""
    if not scores:
        return {}
    values = {name: value for name, value in metric.compute(scores).items() if np.isfinite(value)}
    draws = benchmark.resamples if metric.resamples is None else metric.resamples
    intervals = bootstrap(metric, scores, draws, benchmark.seed)
    return {
        name: {
            "value": float(value),
            "unit": metric.values[name].unit,
            "higher_is_better": metric.values[name].higher_is_better,
            "ci": intervals.get(name),
            "n": sum(name in one for one in scores) or len(scores),
        }
        for name, value in values.items()
    }


def bootstrap(metric: Metric, scores: Sequence[Scores], draws: int, seed: int) -> dict[str, list[float]]:
    """Percentile intervals of a metric's numbers when clips are drawn again with replacement (Efron 1979); {} for fewer than two clips."""
    if len(scores) < 2 or draws < 2:
        return {}
    # How often each clip is drawn, for all draws at once [draws, clips].
    times = np.random.default_rng(seed).multinomial(len(scores), np.full(len(scores), 1 / len(scores)), draws)
    drawn = _drawn_means(metric, scores, times) if type(metric).compute is Metric.compute else _drawn_anew(metric, scores, times)
    tail = (100 - CONFIDENCE) / 2
    found = {name: [value for value in values if np.isfinite(value)] for name, values in drawn.items()}
    return {name: [float(bound) for bound in np.percentile(values, (tail, 100 - tail))] for name, values in found.items() if values}


def _drawn_anew(metric: Metric, scores: Sequence[Scores], times: NDArray[np.int64]) -> dict[str, list[float]]:
    """A metric's own numbers of the clips that were drawn, for each draw."""
    found: dict[str, list[float]] = {}
    for row in times:
        for name, value in metric.compute([one for one, often in zip(scores, row, strict=True) for _ in range(often)]).items():
            found.setdefault(name, []).append(value)
    return found


def _drawn_means(metric: Metric, scores: Sequence[Scores], times: NDArray[np.int64]) -> dict[str, list[float]]:
    """Means of the clips that were drawn, for each draw; NaN where none of them has the number."""
    table = np.array([[float(one.get(name, np.nan)) for name in metric.values] for one in scores])
    known = np.isfinite(table)
    with np.errstate(invalid="ignore"):
        means = (times @ np.where(known, table, 0.0)) / (times @ known)
    return {name: means[:, place].tolist() for place, name in enumerate(metric.values)}


def _finite(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {str(key): _finite(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_finite(value) for value in node]
    if isinstance(node, float | np.floating):
        return float(node) if np.isfinite(node) else None
    return node
