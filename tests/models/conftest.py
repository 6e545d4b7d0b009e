"""Tests of this room import the toy generator from `toy_generator.py` by its name."""

import importlib.util
import sys
from pathlib import Path

if "toy_generator" not in sys.modules:
    spec = importlib.util.spec_from_file_location("toy_generator", Path(__file__).with_name("toy_generator.py"))
    sys.modules["toy_generator"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules["toy_generator"])
