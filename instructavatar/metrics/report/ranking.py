"""Which clips are worst: the mean of their ranks over all numbers of which one way is better.

Within a number, clips are ranked from 0 (best) to 1 (worst), equal ones alike; the ranks of a metric's numbers are averaged first, so that
a metric with ten numbers counts as one. Ranks rather than values, for units differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from instructavatar.metrics.base import Metric
from instructavatar.metrics.benchmark import Outcome

RULE = (
    "Clips are ranked by every number of which one way is better, from 0 (best) to 1 (worst); the ranks are averaged within each metric, "
    "then over the metrics."
)


def ranked(outcomes: Sequence[Outcome], metrics: Mapping[str, Metric]) -> list[tuple[str, float]]:
    """(clip, mean rank 0..1) of the row system, worst first; clips without any number are left out."""
    by_metric = [_means(_ranks(name, metric, outcomes)) for name, metric in metrics.items()]
    means = _means(np.stack(by_metric)) if by_metric else np.zeros(0)
    found = [(outcome.name, float(mean)) for outcome, mean in zip(outcomes, means, strict=True) if not np.isnan(mean)]
    return sorted(found, key=lambda pair: (-pair[1], pair[0]))


def _means(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means [clips] over what is known in each column of [numbers, clips]; NaN where nothing is."""
    known = ~np.isnan(table)
    return np.where(known.any(0), np.where(known, table, 0).sum(0) / np.maximum(known.sum(0), 1), np.nan)


def _ranks(name: str, metric: Metric, outcomes: Sequence[Outcome]) -> NDArray[np.float64]:
    """Ranks [numbers, clips] of a metric; NaN where a clip lacks the number."""
    rows = []
    for number, value in metric.values.items():
        if value.higher_is_better is None:
            continue
        given = [outcome.scores.get("system", {}).get(name, {}).get(number) for outcome in outcomes]
        column = np.array([float(one) if isinstance(one, int | float) else np.nan for one in given])
        if not np.isnan(column).all():
            rows.append(_rank(-column if value.higher_is_better else column))
    return np.stack(rows) if rows else np.zeros((0, len(outcomes)))


def _rank(costs: NDArray[np.float64]) -> NDArray[np.float64]:
    """0 for the least cost, 1 for the greatest, equal ones alike; 0.5 for a clip that stands alone."""
    known = ~np.isnan(costs)
    ranks = np.full(len(costs), np.nan)
    if known.sum() == 1:
        ranks[known] = 0.5
        return ranks
    _, place, counts = np.unique(costs[known], return_inverse=True, return_counts=True)
    ranks[known] = (np.cumsum(counts) - (counts + 1) / 2)[place] / (known.sum() - 1)
    return ranks
