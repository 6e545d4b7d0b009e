"""Short real videos and the trees that are built from them, made once for all tests."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def trees():
    """tests/prepare/trees.py."""
    if "trees" not in sys.modules:
        spec = importlib.util.spec_from_file_location("trees", Path(__file__).with_name("trees.py"))
        sys.modules["trees"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["trees"])
    return sys.modules["trees"]


@pytest.fixture(scope="session")
def clips(trees, tmp_path_factory):
    """`trees.Clips`: four videos of 36 frames, 256 x 256."""
    return trees.make_clips(tmp_path_factory.mktemp("clips"))
