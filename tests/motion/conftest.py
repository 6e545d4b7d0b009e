"""Tests of this room import the toy bundle from `toy_bundle.py` by its name."""

import importlib.util
import sys
from pathlib import Path

if "toy_bundle" not in sys.modules:
    spec = importlib.util.spec_from_file_location("toy_bundle", Path(__file__).with_name("toy_bundle.py"))
    sys.modules["toy_bundle"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules["toy_bundle"])
