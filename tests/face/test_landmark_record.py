import numpy as np
import pytest

from instructavatar.face.landmarks import OUTER_EYES, Landmarks


def some_face() -> Landmarks:
    rng = np.random.default_rng(0)
    points = rng.uniform(100, 200, (478, 3))
    points[0, :2], points[1, :2] = (50, 90), (250, 300)
    points[list(OUTER_EYES)] = [[110, 150, 10], [170, 150, -70]]
    return Landmarks(points, rng.uniform(0, 1, 52))


def test_box_and_sizes() -> None:
    face = some_face()
    assert face.box == (50, 90, 250, 300)
    assert (face.width_px, face.height_px) == (200, 210)
    assert face.interocular_px == pytest.approx(100)  # depth counts: 60 across, 80 deep
    assert face.points.dtype == face.actions.dtype == np.float32


def test_moved_scales_then_shifts() -> None:
    face = some_face()
    moved = face.moved(0.5, (10, -5))
    assert moved.box == (35, 40, 135, 145)
    assert moved.interocular_px == pytest.approx(50)
    assert moved.actions is face.actions and face.box == (50, 90, 250, 300)


@pytest.mark.parametrize(("points", "actions"), [((468, 3), 52), ((478, 2), 52), ((478, 3), 51)])
def test_other_shapes_are_refused(points: tuple[int, int], actions: int) -> None:
    with pytest.raises(ValueError, match="expected"):
        Landmarks(np.zeros(points), np.zeros(actions))


def test_angles_must_be_three() -> None:
    with pytest.raises(ValueError, match="rotation_deg"):
        Landmarks(np.zeros((478, 3)), np.zeros(52), rotation_deg=np.zeros(2))
