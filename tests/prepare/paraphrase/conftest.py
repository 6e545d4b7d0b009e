"""What the tests of paraphrases share; tests import the helpers from `paraphrase_fakes.py` by its name."""

import importlib.util
import sys
from pathlib import Path

import pytest

if "paraphrase_fakes" not in sys.modules:
    spec = importlib.util.spec_from_file_location("paraphrase_fakes", Path(__file__).with_name("paraphrase_fakes.py"))
    sys.modules["paraphrase_fakes"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules["paraphrase_fakes"])
fakes = sys.modules["paraphrase_fakes"]


@pytest.fixture
def service(monkeypatch):
    """A service on this machine that behaves."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # a service on this machine is asked without it
    fake = fakes.FakeService()
    yield fake
    fake.close()


@pytest.fixture
def store(tmp_path):
    """Clips of every kind."""
    return fakes.write_store(tmp_path / "s")


@pytest.fixture
def one(tmp_path):
    """A store of a single clip with ten pictures."""
    return fakes.write_store(tmp_path / "one", {"seen": fakes.CLIPS["seen"]})
