import cv2
import numpy as np
import pytest

from instructavatar.face.motion import FaceMotion
from instructavatar.metrics.base import NotScored
from instructavatar.metrics.crops import aligned, boxed, cut, looks, similarity, square, stills


def smooth(side=256, seed=0):
    """A picture without fine detail, so that sampling it elsewhere changes little."""
    noise = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
    return cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC)


def test_a_known_turn_scale_and_shift_is_found():
    source = np.random.default_rng(0).normal(size=(5, 2))
    angle, scale, shift = 0.4, 1.7, (3.0, -2.0)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    found = similarity(source, source @ turn.T + shift)
    assert np.allclose(found[:, :2], turn) and np.allclose(found[:, 2], shift)


def test_a_turned_and_scaled_picture_gives_the_same_aligned_face(draw_faces):
    face, picture = draw_faces(FaceMotion.still(1))[0], smooth()
    matrix = cv2.getRotationMatrix2D((128, 128), 20, 0.8)
    turned = cv2.warpAffine(picture, matrix, (256, 256), borderMode=cv2.BORDER_REPLICATE)
    points = face.points.copy()
    points[:, :2] = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    moved = type(face)(points, face.actions)
    one, other = aligned(picture, face), aligned(turned, moved)
    assert np.abs(one.astype(int) - other).mean() < 3
    assert np.abs(one.astype(int) - aligned(turned, face)).mean() > 10  # without the points it is another crop


def test_a_picture_twice_or_five_times_as_large_gives_the_same_crop(draw_faces):
    face, picture = draw_faces(FaceMotion.still(1))[0], smooth()
    for times in (2, 5):
        large = cv2.resize(picture, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)
        grown = face.moved(times, ((times - 1) / 2,) * 2)  # pixel centres
        assert np.abs(boxed(picture, face, 64, 1.2).astype(int) - boxed(large, grown, 64, 1.2)).mean() < 1.5


def test_a_shrunk_picture_is_not_shifted(draw_faces):
    """Each column of a ramp has its number for a grey, so a crop tells where it was cut."""
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 256, 0).repeat(3, 2)
    face = draw_faces(FaceMotion.still(1))[0]
    for side in (256, 64, 16):
        matrix = square(face, side, 1.0)
        columns = (np.arange(side) - matrix[0, 2]) / matrix[0, 0]
        inside = (columns > 8) & (columns < 247)
        assert abs((cut(ramp, matrix, side)[side // 2, inside, 0] - columns[inside]).mean()) < 0.25, side


def test_fine_stripes_are_averaged_not_aliased(draw_faces):
    stripes = np.zeros((1024, 1024, 3), np.uint8)
    stripes[:, ::2] = 255
    face = draw_faces(FaceMotion.still(1))[0].moved(4)
    crop = boxed(stripes, face, 64, 1.2)
    assert np.abs(crop.astype(int) - 127).max() <= 8


def test_the_box_fills_its_share_of_the_crop(draw_faces):
    face = draw_faces(FaceMotion.still(1))[0]
    matrix = square(face, 256, 1.25)
    corners = np.array(face.box).reshape(2, 2) @ matrix[:, :2].T + matrix[:, 2]
    assert np.isclose((corners[1] - corners[0]).max(), 256 / 1.25)
    assert np.allclose(corners.mean(0), 128)


def test_eyes_nose_and_mouth_come_where_arcface_wants_them(draw_faces):
    """Dots on the landmarks of a face that is turned in the plane: image left and right, and the order, are as published."""
    wanted = {33: (38, 52), 263: (74, 52), 1: (56, 72), 61: (42, 92), 291: (71, 92)}
    points = draw_faces(FaceMotion.still(1))[0].points.copy()
    matrix = cv2.getRotationMatrix2D((128, 128), 40, 0.9)
    points[:, :2] = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    face = draw_faces(FaceMotion.still(1))[0]
    turned = type(face)(points, face.actions)
    for number, place in wanted.items():
        picture = np.zeros((256, 256, 3), np.uint8)
        cv2.circle(picture, tuple(int(round(v)) for v in points[number, :2]), 3, (255, 255, 255), -1)
        y, x = np.argwhere(aligned(picture, turned)[..., 0] > 100).mean(0)
        # outer eye corners lie beyond the eyes' middles
        assert np.hypot(x - place[0], y - place[1]) < (12 if number in (33, 263) else 7), (number, x, y)


def test_the_margin_of_a_crop_is_left_free(draw_faces):
    face = draw_faces(FaceMotion.still(1))[0]
    dark = np.zeros((256, 256, 3), np.uint8)
    nose = tuple(int(round(v)) for v in face.points[1, :2])
    cv2.circle(dark, nose, 3, (255, 255, 255), -1)
    for margin in (0.0, 0.2):
        y, x = np.argwhere(aligned(dark, face, 224, margin)[..., 0] > 128).mean(0)
        assert abs(x - 112) < 4 and 224 * (0.4 + margin / 10) < y < 224 * 0.7


def test_beyond_the_edge_the_last_pixels_are_repeated():
    assert (cut(np.full((8, 8, 3), 77, np.uint8), np.array([[1.0, 0, 20], [0, 1, 20]]), 32) == 77).all()


def test_fewer_stills_are_some_of_the_kept_ones(make_clip):
    pictures = [np.full((16, 16, 3), t, np.uint8) for t in range(100)]
    clip = make_clip(FaceMotion.still(100), frames=pictures)
    every, some = dict(stills(clip, 8)), dict(stills(clip, 4))
    assert len(every) == 8 and len(some) == 4 and set(some) <= set(every)
    assert all(picture[0, 0, 0] == t for t, picture in every.items())
    assert [t for t, _ in stills(clip, 8, 10)] == sorted({t for t, _ in stills(clip, 8, 10)}) and max(dict(stills(clip, 8, 10))) < 10


def test_frames_without_a_face_are_passed_over(make_clip, draw_faces):
    faces = draw_faces(FaceMotion.still(40))
    some = [face if t >= 20 else None for t, face in enumerate(faces)]
    assert all(look.time_s >= 20 / 25 for look in looks(make_clip(faces=some), 8))
    with pytest.raises(NotScored, match="no face"):
        looks(make_clip(faces=[None] * 40), 8)
