"""The benchmarks are scripts in a folder of their own; tests load them as they load one another."""

import importlib
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def benchmark_module(monkeypatch):
    """A function that imports a benchmark by its name."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))

    def load(name):
        sys.modules.pop(name, None)
        return importlib.import_module(name)

    yield load
    for name in ("common", "readback", "obey", "lips", "speed", "prepare", "steady", "reenact"):
        sys.modules.pop(name, None)
