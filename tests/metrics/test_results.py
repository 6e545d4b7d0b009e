"""From outcomes to the document: means, intervals, warnings, and numbers that are no numbers."""

import json

import numpy as np
import pytest

from instructavatar.metrics.base import Metric, Value
from instructavatar.metrics.benchmark import Benchmark, Outcome
from instructavatar.metrics.results import bootstrap, document, per_clip, write_json


class Mark(Metric):
    """A number that the outcomes bring."""

    values = {"mark": Value("points", True), "cost": Value("euros", False), "self": Value("", True, given=True)}

    def score(self, case):
        raise AssertionError("the outcomes are given")


def outcomes(**rows):
    """row -> marks of the clips."""
    count = max(map(len, rows.values()))
    found = [Outcome(f"clip {place}") for place in range(count)]
    for row, marks in rows.items():
        for outcome, mark in zip(found, marks, strict=False):
            outcome.scores[row] = {"mark": {"mark": mark}}
    return found


def test_a_row_is_the_mean_with_an_interval_and_a_count():
    found = document(Benchmark({"mark": Mark()}), outcomes(system=[1.0, 2.0, 3.0, 6.0], still=[0.0, 0.0]))
    mine = found["rows"]["system"]["metrics"]["mark"]
    assert mine["value"] == 3.0 and mine["n"] == 4 and mine["unit"] == "points" and mine["higher_is_better"]
    assert 1 <= mine["ci"][0] < 3 < mine["ci"][1] <= 6
    assert found["metrics"]["mark"] == mine and found["scored"] == 4
    assert found["rows"]["still"]["metrics"]["mark"]["n"] == 2 and "oracle" not in found["rows"]


def test_the_interval_is_that_of_a_mean():
    scores = [{"mark": float(value)} for value in np.random.default_rng(0).normal(0, 1, 100)]
    low, high = bootstrap(Mark(), scores, 2000, 0)["mark"]
    width = 2 * 1.96 * np.std([one["mark"] for one in scores]) / 10
    assert high - low == pytest.approx(width, rel=0.1)
    assert bootstrap(Mark(), scores, 2000, 0) == bootstrap(Mark(), scores, 2000, 0)
    assert bootstrap(Mark(), scores[:1], 2000, 0) == {}


def test_a_score_above_the_truth_is_warned_of_only_where_it_means_something():
    above = outcomes(system=[5.0, 5.1], ground_truth=[1.0, 1.1])
    assert any("mark" in line and "overdone" in line for line in document(Benchmark({"mark": Mark()}), above)["warnings"])
    level = outcomes(system=[5.0, 1.0], ground_truth=[1.0, 5.1])
    assert not document(Benchmark({"mark": Mark()}), level)["warnings"]
    for outcome in above:
        for row, by_metric in outcome.scores.items():
            by_metric["mark"] = {"self": 2.0 if row == "system" else 1.0}
    assert not document(Benchmark({"mark": Mark()}), above)["warnings"]


def test_a_control_that_does_as_well_is_warned_of():
    found = document(Benchmark({"mark": Mark()}), outcomes(system=[1.0, 1.0], shuffled_text=[2.0, 2.0]))
    assert any("shuffled text" in line for line in found["warnings"])
    apart = document(Benchmark({"mark": Mark()}), outcomes(system=[5.0, 5.1], shuffled_text=[1.0, 1.1]))
    assert not apart["warnings"]


def test_rows_are_compared_over_the_clips_that_both_have():
    # The clips without a real one are the better ones; on the others the truth is ahead.
    lone = outcomes(system=[1.0, 1.1, 9.0, 9.1], ground_truth=[2.0, 2.1])
    told = document(Benchmark({"mark": Mark()}), lone)["warnings"]
    assert not any("overdone" in line for line in told)
    assert any("2 clips of 4 without a real one" in line and "clip 2, clip 3" in line for line in told)
    one = outcomes(system=[5.0], ground_truth=[1.0])
    assert not document(Benchmark({"mark": Mark()}), one)["warnings"]


def test_a_held_portrait_is_a_control_of_what_hears_or_reads():
    still = outcomes(system=[1.0, 1.0], still=[2.0, 2.0])
    assert not document(Benchmark({"mark": Mark()}), still)["warnings"]
    reading = type("Reading", (Mark,), {"reads": True})
    (line,) = document(Benchmark({"mark": reading()}), still)["warnings"]
    assert "still scores 2.00, the system 1.00 on 2 clips" in line


def test_failures_are_told_with_clip_row_and_metric(tmp_path):
    found = [
        Outcome("a", failed=[{"row": "system", "metric": "mark", "reason": "no sound"}]),
        Outcome("b", {"system": {"mark": {"mark": 1.0}}}),
    ]
    told = document(Benchmark({"mark": Mark()}), found, ["real/c.mp4"])
    assert told["failed"] == [{"clip": "a", "row": "system", "metric": "mark", "reason": "no sound"}]
    assert (told["clips"], told["scored"], told["rows"]["system"]["failed"]) == (2, 1, 1)
    assert told["not_compared"] == ["real/c.mp4"]
    told["rows"]["system"]["metrics"]["mark"]["value"] = float("nan")
    write_json(told, tmp_path / "deep" / "x.json")
    assert json.loads((tmp_path / "deep" / "x.json").read_text())["rows"]["system"]["metrics"]["mark"]["value"] is None


def test_every_clip_has_its_own_numbers():
    rows = per_clip(outcomes(system=[1.0, 2.0]), {"mark": Mark()})
    assert rows[1] == {"clip": "clip 1", "row": "system", "name": "mark", "value": 2.0} and len(rows) == 2
