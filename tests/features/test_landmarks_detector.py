import numpy as np
import pytest

from instructavatar.features.face_detector import Box, FaceDetector, anchors, merge, overlap
from instructavatar.features.face_search import tiles
from instructavatar.features.region import CROP, Region, crop_region, region_of_box, region_of_points


def box(left: float, top: float, right: float, bottom: float, score: float = 0.9) -> Box:
    keypoints = np.array([[left, top], [right, top], *[[left, bottom]] * 4], np.float32)
    return Box(np.array([left, top, right, bottom], np.float32), keypoints, score)


class FakeNet:
    """A net whose answers are given: offsets [1, 896, 16] in 128ths of the view and logits [1, 896, 1]."""

    def __init__(self, hits: dict[int, tuple[float, list[float]]]) -> None:
        self.offsets, self.logits = np.zeros((1, 896, 16), np.float32), np.full((1, 896, 1), -200, np.float32)
        for anchor, (logit, offsets) in hits.items():
            self.logits[0, anchor], self.offsets[0, anchor] = logit, offsets

    def get_input_details(self) -> list[dict]:
        return [{"index": 0}]

    def get_output_details(self) -> list[dict]:
        return [{"index": 1, "shape": self.offsets.shape}, {"index": 2, "shape": self.logits.shape}]

    def set_tensor(self, index: int, value: np.ndarray) -> None:
        self.seen = value

    def invoke(self) -> None:
        pass

    def get_tensor(self, index: int) -> np.ndarray:
        return {1: self.offsets, 2: self.logits}[index]


def test_anchors_lie_on_two_grids() -> None:
    centres = anchors()
    assert centres.shape == (896, 2)
    assert centres[0].tolist() == centres[1].tolist() == [1 / 32, 1 / 32]
    assert centres[2].tolist() == [3 / 32, 1 / 32]  # x runs first
    assert centres[512].tolist() == centres[517].tolist() == [1 / 16, 1 / 16]
    assert centres[-1].tolist() == [15 / 16, 15 / 16]


def test_offsets_become_pixels_of_a_padded_picture() -> None:
    # Anchor 512 + 6 * (8 * 4 + 4) lies at 9/16 of the view; a 400x200 picture has 100 px of padding above and below.
    offsets = [0, 0, 32, 16, -8, 4, *[0] * 10]
    (found,) = FaceDetector(FakeNet({512 + 6 * 36: (2.0, offsets)})).detect(np.zeros((200, 400, 3), np.uint8), 0.5)
    assert found.corners.tolist() == [225 - 50, 125 - 25, 225 + 50, 125 + 25]
    assert found.keypoints[0].tolist() == [225 - 25, 125 + 12.5]
    assert found.score == pytest.approx(1 / (1 + np.exp(-2)))


def test_the_view_is_the_picture_in_the_middle_of_black() -> None:
    net = FakeNet({})
    assert FaceDetector(net).detect(np.full((200, 400, 3), 255, np.uint8), 0.5) == []
    assert net.seen.shape == (1, 128, 128, 3)
    assert (net.seen[0, 40:88] == 1).all() and (net.seen[0, :30] == -1).all() and (net.seen[0, 98:] == -1).all()


def test_scores_below_the_least_are_dropped() -> None:
    detector = FaceDetector(FakeNet({600: (0.5, [0, 0, 32, 32, *[0] * 12])}))
    picture = np.zeros((128, 128, 3), np.uint8)
    assert len(detector.detect(picture, 0.6)) == 1 and detector.detect(picture, 0.7) == []


def test_overlap_is_intersection_over_union() -> None:
    one = box(0, 0, 10, 10).corners
    many = np.stack([box(0, 0, 10, 10).corners, box(5, 0, 15, 10).corners, box(20, 20, 30, 30).corners])
    assert overlap(one, many) == pytest.approx([1, 1 / 3, 0])


def test_merging_averages_by_score_and_keeps_the_best_score() -> None:
    faces = merge([box(100, 0, 110, 10, 0.6), box(0, 0, 10, 10, 0.9), box(3, 0, 13, 10, 0.3)])
    assert [face.score for face in faces] == [0.9, 0.6]
    assert faces[0].corners == pytest.approx([0.75, 0, 10.75, 10])
    assert faces[0].keypoints[0] == pytest.approx([0.75, 0])
    assert merge([]) == []


@pytest.mark.parametrize(("width", "height", "side"), [(512, 512, 256), (2000, 700, 250), (300, 900, 450)])
def test_tiles_cover_the_picture_and_overlap(width: int, height: int, side: int) -> None:
    covered = np.zeros((height, width), int)
    for x, y, size in tiles(width, height, side):
        assert x >= 0 and y >= 0
        covered[y : y + size, x : x + size] += 1
    assert covered.min() >= 1
    xs = sorted({x for x, _, _ in tiles(width, height, side)})
    assert max(np.diff(xs), default=0) <= 0.6 * side + 1


def test_region_of_a_box_is_level_with_the_eyes() -> None:
    tilted = box(0, 0, 100, 80)
    tilted.keypoints[:2] = [[20, 20], [60, 60]]
    region = region_of_box(tilted)
    assert (region.x, region.y, region.side) == (50, 40, 150)
    assert np.rad2deg(region.angle) == pytest.approx(45)


def test_crop_maps_back_to_the_picture() -> None:
    region = Region(60, 40, 64, np.deg2rad(30))
    matrix = region.to_picture()
    assert matrix @ [CROP / 2, CROP / 2, 1] == pytest.approx([60, 40])
    right = matrix @ [CROP, CROP / 2, 1]  # the middle of the crop's right edge lies to the lower right in the picture
    assert right == pytest.approx([60 + 32 * np.cos(np.pi / 6), 40 + 32 * np.sin(np.pi / 6)])
    ramp = np.repeat(np.arange(120, dtype=np.uint8)[:, None, None] * 2, 120, 1).repeat(3, 2)
    crop = crop_region(ramp, region)
    assert crop.shape == (1, CROP, CROP, 3) and crop.max() <= 1
    assert crop[0, 128, 128, 0] * 255 / 2 == pytest.approx(40, abs=0.6)


def test_region_of_points_does_not_depend_on_tilt() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(478, 3)).astype(np.float32) * 50 + 200
    points[33, :2], points[263, :2] = (150, 200), (250, 200)
    turn = np.array([[np.cos(0.5), -np.sin(0.5)], [np.sin(0.5), np.cos(0.5)]], np.float32)
    tilted = points.copy()
    tilted[:, :2] = points[:, :2] @ turn.T
    level, other = region_of_points(points), region_of_points(tilted)
    assert level.angle == pytest.approx(0) and other.angle == pytest.approx(0.5, abs=1e-4)
    assert other.side == pytest.approx(level.side, rel=1e-4)
    assert turn @ [level.x, level.y] == pytest.approx([other.x, other.y], abs=1e-2)


def test_mapped_follows_a_rotation() -> None:
    quarter = np.array([[0.0, -1, 10], [1, 0, 20]])
    region = Region(3, 4, 50, 0.1).mapped(quarter)
    assert (region.x, region.y, region.side) == (6, 23, 50) and region.angle == pytest.approx(0.1 + np.pi / 2)
