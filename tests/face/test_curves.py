"""Curves: round trips, other rates, and what is refused."""

import numpy as np
import pytest

from instructavatar.errors import BadMedia, MissingFile
from instructavatar.face.curves import read_curves, write_curves
from instructavatar.face.motion import FaceMotion


@pytest.mark.parametrize("ending", [".csv", ".json"])
def test_round_trip(tmp_path, ending):
    motion = FaceMotion(np.random.default_rng(0).random((7, 58)).astype(np.float32))
    path = tmp_path / f"motion of a face{ending}"
    write_curves(motion, path)
    np.testing.assert_allclose(read_curves(path).values, motion.values, atol=1e-5)


def test_a_subset_at_another_rate_is_resampled(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("time,jawOpen\n" + "".join(f"{i / 50:.2f},{i / 100}\n" for i in range(100)))
    motion = read_curves(path)
    assert len(motion) == 50
    np.testing.assert_allclose(motion.column("jawOpen")[:3], [0, 0.02, 0.04], atol=1e-3)
    assert motion.column("yaw").max() == 0


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "jawOpne\n1\n", "did you mean 'jawOpen'"),
        ("a.csv", "jawOpen\n", "no rows"),
        ("a.csv", "jawOpen\nx\n", "does not hold motion curves"),
        ("a.csv", "jawOpen\nnan\n", "finite"),
        ("a.json", "{}", "does not hold motion curves"),
        ("a.json", '{"curves": {"jawOpen": [1], "yaw": [1, 2]}}', "one length"),
        ("a.json", '{"fps": 0, "curves": {"jawOpen": [1]}}', "1 to 1000 frames per second"),
        ("a.csv", "jawOpen,yaw\n0.1\n", "does not hold motion curves"),
        ("a.csv", "jawOpen\n55\n", "expected actions from -0.05 to 1.5 .* got 55"),
        ("a.csv", "yaw\n1e20\n", "head rotation"),
        ("a.csv", "z\n-9\n", "head translation"),
        ("a.json", "[", "does not hold motion curves"),
    ],
)
def test_refusals(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(BadMedia, match=message):
        read_curves(tmp_path / name)


def test_missing(tmp_path):
    with pytest.raises(MissingFile, match="no file at"):
        read_curves(tmp_path / "none.csv")
