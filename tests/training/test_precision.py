"""Precision: `auto` is settled by what the machine does faster, and alike by all processes."""

import pytest

from instructavatar.training import precision
from instructavatar.training.precision import FAST, PLAIN, chosen


@pytest.mark.parametrize("given", ["32-true", "16-mixed", 64, None])
def test_what_is_named_is_taken(given, monkeypatch):
    monkeypatch.setattr(precision, "gain", lambda: 9.0)
    assert chosen(given) == given


@pytest.mark.parametrize(("gain", "several", "expected"), [(2.0, False, FAST), (1.1, False, PLAIN), (2.0, True, PLAIN)])
def test_auto_asks_the_machine(gain, several, expected, monkeypatch):
    monkeypatch.setattr(precision, "gain", lambda: gain)
    assert chosen("auto", "cpu", several) == expected


def test_the_gain_is_a_ratio_of_times():
    assert 0.01 < precision.gain(side=64, repeats=2) < 100
