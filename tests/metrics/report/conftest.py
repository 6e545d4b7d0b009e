"""Results to show: made by the real benchmark's own functions from outcomes that are given."""

import pytest

from instructavatar.errors import MissingFile
from instructavatar.metrics.base import Metric, Value
from instructavatar.metrics.benchmark import Benchmark, Outcome
from instructavatar.metrics.results import document


class Mark(Metric):
    """Numbers that the outcomes bring."""

    values = {"mark": Value("points", True), "cost": Value("euros", False), "speed": Value("degrees/s", None)}

    def score(self, case):
        raise AssertionError("the outcomes are given")


class Heavy(Metric):
    """A metric without its weights."""

    values = {"weight": Value("kg", False)}

    def check(self):
        raise MissingFile("expected weights at x.onnx; get them from their maker")

    def score(self, case):
        raise AssertionError("never runs")


ROWS = {"system": 1.0, "ground_truth": 2.0, "oracle": 1.5, "still": 0.1, "shuffled_audio": 0.9, "shuffled_text": 0.8}


def outcomes_of(count=4):
    """Clips "clip 0" and so on; a clip's mark grows with its number, in every row."""
    found = [Outcome(f"clip {place}") for place in range(count)]
    for place, outcome in enumerate(found):
        for row, level in ROWS.items():
            outcome.scores[row] = {"judged": {"mark": level + place / 10, "cost": 5.0 - place, "speed": 40.0}}
    return found


@pytest.fixture
def benchmark():
    """One metric that runs, one that lacks its weights."""
    return Benchmark({"judged": Mark(), "heavy": Heavy()}, resamples=50)


@pytest.fixture
def outcomes():
    """A function: so many clips, all scored in every row."""
    return outcomes_of


@pytest.fixture
def results(benchmark):
    """A function: outcomes -> the document."""

    def made(outcomes, aside=()):
        return document(benchmark, outcomes, aside)

    return made
