import numpy as np
import pytest

from instructavatar.errors import BadBundle, MissingFile
from instructavatar.face import mesh

SIDED = ["EYE_UPPER", "EYE_LOWER", "BROW_UPPER", "BROW_LOWER"]
ACROSS = ["LIPS_OUTER_UPPER", "LIPS_OUTER_LOWER", "LIPS_INNER_UPPER", "LIPS_INNER_LOWER", "NOSE_BASE"]
LINES = [*ACROSS[:4], "NOSE_BRIDGE", "FACE_OVAL", *(f"{side}_{line}" for side in ("RIGHT", "LEFT") for line in SIDED)]


def edges() -> set[tuple[int, int]]:
    triangles = mesh.canonical_mesh().triangles
    pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    return {(int(a), int(b)) for a, b in np.sort(pairs, axis=1)}


def place(names: tuple[int, ...]) -> np.ndarray:
    return mesh.canonical_mesh().vertices[list(names)].mean(0)


def test_shapes_and_size() -> None:
    canonical = mesh.canonical_mesh()
    assert canonical.vertices.shape == (468, 3) and canonical.uv.shape == (468, 2) and canonical.triangles.shape == (898, 3)
    assert canonical.interocular == pytest.approx(8.892, abs=0.001)
    assert canonical.uv.min() >= 0 and canonical.uv.max() <= 1
    assert (canonical.pose_weights > 0).sum() == 33


def test_axes_x_image_right_y_up_z_to_viewer() -> None:
    vertices = mesh.canonical_mesh().vertices
    assert vertices[mesh.FOREHEAD, 1] > vertices[mesh.NOSE_TIP, 1] > vertices[mesh.CHIN, 1]
    assert vertices[mesh.NOSE_TIP, 2] > vertices[list(mesh.FACE_OVAL), 2].max()
    assert place(mesh.RIGHT_EYE_UPPER)[0] < 0 < place(mesh.LEFT_EYE_UPPER)[0]
    assert vertices[mesh.OUTER_EYE_CORNERS[0], 0] < 0 < vertices[mesh.OUTER_EYE_CORNERS[1], 0]
    assert vertices[mesh.MOUTH_CORNERS[0], 0] < 0 < vertices[mesh.MOUTH_CORNERS[1], 0]


def test_upper_lines_lie_above_lower_ones() -> None:
    for pair in ("LIPS_OUTER", "LIPS_INNER", "RIGHT_EYE", "LEFT_EYE", "RIGHT_BROW", "LEFT_BROW"):
        assert place(getattr(mesh, f"{pair}_UPPER"))[1] > place(getattr(mesh, f"{pair}_LOWER"))[1], pair


def test_eyes_run_from_the_outer_corner_and_close() -> None:
    vertices = mesh.canonical_mesh().vertices
    for side in ("RIGHT", "LEFT"):
        upper, lower = getattr(mesh, f"{side}_EYE_UPPER"), getattr(mesh, f"{side}_EYE_LOWER")
        assert (upper[0], upper[-1]) == (lower[0], lower[-1])
        assert abs(vertices[upper[0], 0]) > abs(vertices[upper[-1], 0])
        assert set(upper[1:-1]).isdisjoint(lower[1:-1])


@pytest.mark.parametrize("line", SIDED)
def test_pairs_mirror_point_by_point(line: str) -> None:
    right, left = getattr(mesh, f"RIGHT_{line}"), getattr(mesh, f"LEFT_{line}")
    assert mesh.mirror_index()[list(right)].tolist() == list(left)


@pytest.mark.parametrize("line", ACROSS)
def test_lines_across_the_face_are_symmetric_and_run_from_the_subjects_right(line: str) -> None:
    points = list(getattr(mesh, line))
    assert mesh.mirror_index()[points][::-1].tolist() == points
    assert np.diff(mesh.canonical_mesh().vertices[points, 0]).min() > 0


@pytest.mark.parametrize("line", LINES)
def test_lines_follow_the_meshs_edges(line: str) -> None:
    points, known = getattr(mesh, line), edges()
    assert all((min(a, b), max(a, b)) in known for a, b in zip(points, points[1:], strict=False))


def test_oval_is_the_border_of_the_mesh() -> None:
    triangles = mesh.canonical_mesh().triangles
    pairs = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    unique, count = np.unique(pairs, axis=0, return_counts=True)
    assert set(unique[count == 1].ravel().tolist()) == set(mesh.FACE_OVAL)


def test_mirror_index_is_its_own_inverse() -> None:
    mirror = mesh.mirror_index()
    assert mirror.shape == (478,)
    assert (mirror[mirror] == np.arange(478)).all()
    assert mirror[mesh.RIGHT_IRIS[0]] == mesh.LEFT_IRIS[0] and mirror[mesh.NOSE_TIP] == mesh.NOSE_TIP


def test_dlib_68_has_their_layout() -> None:
    points = np.array(mesh.DLIB_68)
    assert len(points) == len(set(points.tolist())) == 68
    x, y = mesh.canonical_mesh().vertices[points, :2].T
    assert np.diff(x[:17]).min() > -0.6 and y[8] == y.min()  # the jaw from the subject's right to left over the chin
    swap = mesh.mirror_index()[points]
    assert (swap[:17][::-1] == points[:17]).all() and (swap[17:22][::-1] == points[22:27]).all()
    assert swap[36] == points[45] and swap[39] == points[42] and swap[48] == points[54] and swap[60] == points[64]
    assert y[51] > y[62] > y[66] > y[57]  # outer upper, inner upper, inner lower, outer lower lip


def test_missing_and_damaged_bundles_are_refused(tmp_path) -> None:
    with pytest.raises(MissingFile, match="build_weights"):
        mesh.canonical_mesh(tmp_path / "none.task")
    with pytest.raises(BadBundle, match="wire type"):
        list(mesh._messages(b"\x0b"))
