from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from instructavatar.codecs.warp import compiled, kernels, layers, teeth
from instructavatar.codecs.warp.head import fit_frame
from instructavatar.codecs.warp.openings import affine, edge_distances, opening, smooth_row
from instructavatar.face.mesh import canonical_mesh
from instructavatar.face.motion import rotation_angles, rotation_matrix

SQUARE = np.array([[0, 0, 0], [9, 0, 0], [0, 9, 0], [9, 9, 0]], np.float32)
TWO = np.array([[0, 1, 3], [0, 3, 2]], np.int32)


def rasterised(drawn, triangles, side=10):
    owner, depth = np.empty((side, side), np.int16), np.empty((side, side), np.float32)
    kernels.rasterise(drawn.astype(np.float32), triangles, owner, depth, kernels.BEHIND)
    return owner


def warped(picture, drawn, source, triangles):
    owner = rasterised(drawn, triangles, len(picture))
    maps, seams, out = np.empty((len(triangles), 6), np.float32), np.empty((99, 2), np.int32), np.empty_like(picture)
    kernels.source_maps(drawn.astype(np.float32), source.astype(np.float32), triangles, maps)
    kernels.sample(picture, kernels.pack(picture), owner, maps, seams, out, np.float32(2.0))
    return out


@pytest.fixture
def picture():
    return np.random.default_rng(1).integers(0, 256, (10, 10, 3), np.uint8)


def test_triangles_cover_a_square_without_cracks_and_nothing_else():
    assert (rasterised(SQUARE, TWO) >= 0).all()
    owner = rasterised(SQUARE * 0.5 + [2, 2, 0], TWO)
    assert (owner >= 0).sum() == 25 and owner[0, 0] == -1 and owner[9, 9] == -1


def test_the_nearer_triangle_wins_and_backs_lose():
    two_layers = np.concatenate([SQUARE, SQUARE + [0, 0, 5]])
    triangles = np.concatenate([TWO + 4, TWO])
    assert rasterised(two_layers, triangles).max() == 1
    backs = triangles.copy()
    backs[:2] = backs[:2, ::-1]
    assert rasterised(two_layers, backs).min() == 2


@pytest.mark.parametrize("absurd", [1e5, 1e10, 1e20, 3e38, -1e20, np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("column", [0, 1, 2])
def test_absurd_vertices_write_nothing_outside(absurd, column):
    """The picture lies in the middle of a larger one; what a wild triangle writes past its edges would show there."""
    owner, depth = np.full((30, 10), 77, np.int16), np.full((30, 10), 7.0, np.float32)
    for corner in range(4):
        drawn = SQUARE.copy()
        drawn[corner, column] = absurd
        kernels.rasterise(drawn, TWO, owner[10:20], depth[10:20], kernels.BEHIND)
        for guarded, value in ((owner, 77), (depth, 7.0)):
            assert (guarded[:10] == value).all() and (guarded[20:] == value).all()
        assert owner[10:20].min() >= -1 and owner[10:20].max() <= 1
        if column < 2 and np.isnan(absurd):  # it is left out, and the other is drawn
            assert set(owner[10:20].ravel()) - {-1} == {n for n, triangle in enumerate(TWO) if corner not in triangle}


def test_still_meshes_copy_and_shifted_ones_shift(picture):
    assert np.array_equal(warped(picture, SQUARE, SQUARE, TWO), picture)
    shifted = warped(picture, SQUARE + [2, 0, 0], SQUARE, TWO)
    assert np.array_equal(shifted[:, 2:], picture[:, :-2])


def test_half_a_pixel_is_the_mean_of_two(picture):
    out = warped(picture, SQUARE + [0.5, 0, 0], SQUARE, TWO)
    expected = (picture[:, :-1].astype(float) + picture[:, 1:]) / 2
    np.testing.assert_allclose(out[:, 1:9], expected[:, :8], atol=0.51)


def test_seams_are_listed_and_softened(picture):
    drawn = np.concatenate([SQUARE, SQUARE * [0.45, 1, 1] + [0, 0, 5]])
    source = np.concatenate([SQUARE, SQUARE * [0.45, 1, 1] + [5, 0, 0]])
    triangles = np.concatenate([TWO, TWO + 4])
    owner = rasterised(drawn, triangles)
    maps, seams, out = np.empty((4, 6), np.float32), np.empty((99, 2), np.int32), np.empty_like(picture)
    kernels.source_maps(drawn.astype(np.float32), source.astype(np.float32), triangles, maps)
    count = kernels.sample(picture, kernels.pack(picture), owner, maps, seams, out, np.float32(2.0))
    assert count == 10 and set(seams[:count, 0]) == {5}
    sharp = out.copy()
    kernels.soften(out, seams, count)
    assert np.array_equal(out[:, :5], sharp[:, :5]) and (out[:, 5] != sharp[:, 5]).any()


def test_an_opening_covers_its_area():
    """A disc between two arcs: coverage sums to its area, and vanishes as the edges meet."""
    angle = np.linspace(np.pi, 0, 9)
    top = np.stack([30 + 20 * np.cos(angle), 30 - 12 * np.sin(angle)], 1)
    low = top * [1, -1] + [0, 60]
    rows = np.concatenate([top, low])
    upper, lower = list(range(9)), list(range(9, 18))
    for squeeze in (1.0, 0.4, 0.0):
        points = rows.copy()
        points[:, 1] = 30 + (rows[:, 1] - 30) * squeeze
        hole = opening(points, upper, lower)
        out = np.zeros((60, 60, 3), np.uint8)
        white = np.full((60, 60, 3), 255, np.uint8)
        gaze, shade = np.zeros(3, np.float32), np.array([0, 1], np.float32)
        still = affine(np.array([[0.0, 0], [1, 0], [0, 1]]), np.array([[0.0, 0], [1, 0], [0, 1]]))
        layers.draw_eye(
            out, hole.box(60, 60), hole.frame, hole.top, hole.low, white, white, np.dstack([white, white[..., 0]]), still, gaze, 1.0, shade
        )
        area = np.pi * 20 * 12 * squeeze
        assert out[..., 0].sum() / 255 == pytest.approx(area, rel=0.02, abs=1.0)


def test_edge_distances_have_the_right_sign_for_both_directions():
    points = np.array([[0.0, 5], [5, 0], [10, 5], [5, 8]])
    for upper, lower, mirrored in (([0, 1, 2], [0, 3, 2], False), ([2, 1, 0], [2, 3, 0], True)):
        below, above = edge_distances(opening(points, upper, lower, mirrored), np.array([5.0, 5.0]), np.array([4.0, -3.0]))
        assert below[0] == pytest.approx(4, abs=0.1) and above[0] == pytest.approx(4, abs=0.1)
        assert below[1] < 0 < above[1]


def test_smooth_rows_pass_through_their_points():
    row = np.array([[0.0, 0], [1, 2], [3, 1], [4, 4]])
    curve = smooth_row(row, 5)
    assert curve.shape == (16, 2)
    np.testing.assert_allclose(curve[::5], row)


@pytest.mark.parametrize("angles", [(0, 0, 0), (12, -25, 8), (-15, 30, -20)])
def test_the_frame_of_a_turned_face(angles):
    mesh = canonical_mesh()
    points = 7.5 * mesh.vertices.astype(np.float64) @ rotation_matrix(*angles).T + [300, -200, 0]
    points[:, 2] *= 0.4  # a wrong depth must not matter
    frame, scale, _ = fit_frame(points)
    np.testing.assert_allclose(rotation_angles(frame), angles, atol=0.01)
    assert scale == pytest.approx(7.5, rel=1e-4)


def test_teeth_take_the_light_and_colour_of_the_face():
    warm = np.tile([[220.0, 170.0, 140.0]], (50, 1))
    lips = np.tile([[180.0, 90.0, 90.0]], (20, 1))
    whites = np.full((20, 3), 200.0)
    bright, dim = teeth.light_of(warm, warm, lips, whites), teeth.light_of(0.4 * warm, 0.4 * warm, 0.4 * lips, 0.4 * whites)
    assert (dim.teeth < 0.6 * bright.teeth).all() and bright.teeth[0] > bright.teeth[2]
    assert teeth.light_of(0.4 * warm, 0.4 * warm, 0.4 * lips, whites).teeth.min() > 1.5 * dim.teeth.min()  # dark skin in bright light
    marble = np.full((50, 3), 128.0)
    grey = teeth.light_of(marble, marble, np.full((20, 3), 90.0), np.full((9, 3), 128.0))
    assert (teeth.light_of(warm, 0.4 * warm, lips, whites).teeth < 0.8 * bright.teeth).all()  # a mouth in the face's shadow
    assert np.ptp(grey.teeth) < 1.0  # a marble head has no ivory teeth
    row = teeth.draw_row(teeth.UPPER_WIDTHS, teeth.UPPER_LENGTHS, 10.0, bright, 4.0, 5.0)
    assert row.shape[2] == 4 and row[row.shape[0] // 2, row.shape[1] // 2, 3] == 255 and row[-1, 0, 3] == 0


PROBE = "import os; from instructavatar.codecs.warp import compiled; print(os.environ.get('NUMBA_CACHE_DIR', ''))"


def cache_folder(tmp_path: Path, **environment: str) -> str:
    clean = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True, env=clean | environment)
    return done.stdout.strip()


def test_the_users_own_cache_folder_is_kept(tmp_path):
    assert cache_folder(tmp_path, NUMBA_CACHE_DIR=str(tmp_path)) == str(tmp_path)


def test_a_read_only_package_compiles_in_a_private_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr(compiled.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(compiled, "_writable", lambda folder: Path(folder).name != "__pycache__")
    compiled.choose_cache_folder()
    folder = Path(os.environ["NUMBA_CACHE_DIR"])
    assert folder.parent == tmp_path and folder.stat().st_mode & 0o077 == 0
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    folder.chmod(0o777)  # a folder that others can write to is not trusted
    monkeypatch.setattr(compiled.tempfile, "mkdtemp", lambda prefix: str(tmp_path / "fresh"))
    compiled.choose_cache_folder()
    assert os.environ["NUMBA_CACHE_DIR"] == str(tmp_path / "fresh")


NOWHERE = """
import tempfile
def full(*_, **__):
    raise FileNotFoundError("no usable temporary directory")
tempfile.gettempdir = tempfile.mkdtemp = tempfile.TemporaryFile = full
from instructavatar.codecs.warp import compiled
print(compiled.CACHED, compiled.njit(lambda x: x + 1)(1))
"""


def test_where_nothing_can_be_written_code_is_compiled_anew():
    clean = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    done = subprocess.run([sys.executable, "-c", NOWHERE], capture_output=True, text=True, check=False, env=clean)
    assert done.stdout.split() == ["False", "2"], done.stderr


def test_writable_tells_the_truth(tmp_path):
    assert compiled._writable(tmp_path / "new")
    (tmp_path / "file").write_text("")
    assert not compiled._writable(tmp_path / "file" / "below")
