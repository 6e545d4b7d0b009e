"""The reenact benchmark: what follows the driver, and errors beside a still picture."""

import numpy as np
import pytest

from instructavatar.face.motion import FaceMotion
from instructavatar.metrics.base import Take


@pytest.fixture
def reenact(benchmark_module):
    return benchmark_module("reenact")


def take(**columns):
    """A take without points."""
    return Take(FaceMotion.of(50, columns))


WAVE = (1 + np.sin(np.arange(50) / 4)) / 2


def test_what_the_driver_hardly_does_is_left_out(reenact):
    driver = take(jawOpen=WAVE, yaw=10 * WAVE, pitch=0.1 * WAVE)
    made = take(jawOpen=0.3 * WAVE, yaw=-10 * WAVE, pitch=5 * WAVE)
    assert reenact.followed(driver, made) == {"jaw": pytest.approx(1), "yaw": pytest.approx(-1)}


def test_medians_and_ratios(reenact):
    rows = {row.name: row for row in reenact.r_rows({"self_jaw": [0.5, 0.9, 0.95], "cross_yaw": [0.7]})}
    assert rows["self_jaw"].value == 0.9 and rows["self_jaw"].ok and not rows["cross_yaw"].ok and rows["self_smile"].value is None
    errors = {f"{what}{end}": [] for end in reenact.ENDS for what in ("drawn", "still")}
    errors |= {"drawn": [0.02, 0.04], "still": [0.06], "drawn_l1": [9.0], "still_l1": [6.0]}
    rows = {row.name: row for row in reenact.error_rows(errors)}
    assert rows["landmarks_x"].value == pytest.approx(0.5) and rows["landmarks_x"].ok
    assert rows["l1_x"].value == pytest.approx(1.5) and not rows["l1_x"].ok and rows["features_x"].value is None
