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


def test_shares_tell_what_each_part_took(speed, monkeypatch):
    """Parts are timed inside the avatar, drawing frame by frame; what is left over is encoding and files."""
    now = [0.0]

    def taking(seconds, result):
        now[0] += seconds
        return result

    def decode(appearance, motion):
        for frame in range(3):
            yield taking(0.5, frame)

    monkeypatch.setitem(speed.Stopwatch.__enter__.__globals__, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    part = SimpleNamespace(encode=lambda x: taking(2.0, x), generate=lambda x: taking(0.25, x), decode=decode)
    avatar = SimpleNamespace(
        analyse=lambda x: taking(1.0, x), speech=part, text=SimpleNamespace(encode=lambda x: x), generator=part, codec=part
    )
    watch = speed.Stopwatch()
    speed.watched(avatar, watch)
    assert avatar.analyse(5) == 5 and avatar.speech.encode(1) == 1
    for frame in avatar.codec.decode(None, None):
        taking(0.75, frame)  # writing a frame is not drawing it
    rows = {r.name: r.value for r in speed.shares(watch, now[0])}
    expected = {"share analyse": 1.0, "share speech": 2.0, "share draw": 1.5, "share encode and files": 2.25}
    assert rows == pytest.approx({name: 100 * seconds / 6.75 for name, seconds in expected.items()})
