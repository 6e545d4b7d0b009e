import os
from types import SimpleNamespace

import numpy as np
import pytest


@pytest.fixture
def speed(benchmark_module):
    return benchmark_module("speed")


def test_material_has_the_asked_size(speed):
    assert speed.speech_of(10.0).shape == (160_000,) and np.abs(speed.speech_of(10.0)).max() > 0.05
    assert speed.square_portrait(512).shape == (512, 512, 3)


def test_one_core_is_given_back(speed):
    before = os.sched_getaffinity(0)
    with pytest.raises(KeyError), speed.one_core():
        assert len(os.sched_getaffinity(0)) == 1
        raise KeyError
    assert os.sched_getaffinity(0) == before


def test_shares_add_up_to_the_whole(speed):
    """Parts are timed inside the avatar; what is left over is encoding and files."""
    part = SimpleNamespace(encode=lambda x: x, generate=lambda x: x, decode=lambda a, m: iter(range(3)))
    avatar = SimpleNamespace(analyse=lambda x: x, speech=part, text=SimpleNamespace(encode=lambda x: x), generator=part, codec=part)
    watch = speed.Stopwatch()
    speed.watched(avatar, watch)
    assert avatar.analyse(5) == 5 and avatar.speech.encode(1) == 1 and list(avatar.codec.decode(None, None)) == [0, 1, 2]
    rows = speed.shares(watch, 10.0)
    assert {r.name for r in rows} == {"share analyse", "share speech", "share draw", "share encode and files"}
    assert sum(r.value for r in rows) == pytest.approx(100)
