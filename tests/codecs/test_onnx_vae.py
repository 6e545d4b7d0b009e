"""The two-encoder VAE as a codec: drawing, geometry, and what it refuses. The networks are small and untrained."""

from __future__ import annotations

import subprocess
import sys

import cv2
import numpy as np
import pytest

from instructavatar.codecs.landmark_image import LandmarkImage, at_size, disc
from instructavatar.codecs.onnx_vae import OnnxVaeCodec, Square, cut, face_square, pasted
from instructavatar.errors import BadBundle, MissingFile
from instructavatar.face.landmarks import Landmarks
from instructavatar.face.layouts import dlib_68
from instructavatar.preview import preview

REST = np.zeros(58, np.float32)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    import torch

    from instructavatar.models.vae import TwoEncoderVae
    from instructavatar.models.vae.export import export_vae

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("codec")
    export_vae(TwoEncoderVae(32, 8, (1, 2), 1, 4, 3, 8, 8, norm_groups=4, patch=2), folder)
    return folder


@pytest.fixture(scope="module")
def codec(bundle):
    return OnnxVaeCodec(bundle)


def face(left=40.0, top=60.0, side=50.0, seed=0) -> Landmarks:
    """Points scattered over a square, its corners among them."""
    points = np.random.default_rng(seed).random((478, 3)) * side + np.array([left, top, 0])
    points[0, :2], points[1, :2] = (left, top), (left + side, top + side)
    return Landmarks(points, np.zeros(52))


def picture(height=200, width=160, seed=0) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


# ------------------------------------------------------------------ drawing


@pytest.mark.parametrize("radius", [0, 1, 2, 3])
def test_discs_are_those_of_opencv(radius):
    points = np.random.default_rng(radius).uniform(-5, 45, (3, 478, 3)).astype(np.float32)
    drawn = LandmarkImage(40, radius=radius).draw(points)
    assert drawn.shape == (3, 40, 40) and drawn.dtype == np.uint8
    for given, frame in zip(points, drawn, strict=True):
        expected = np.zeros((40, 40), np.uint8)
        for x, y in given[:, :2]:
            cv2.circle(expected, (int(x), int(y)), radius, 255, -1)
        np.testing.assert_array_equal(frame, expected)
    assert len(disc(1)) == 5


def test_the_68_points_are_an_alternative():
    points = np.random.default_rng(0).uniform(5, 35, (1, 478, 3))
    few = LandmarkImage(40, points=68, radius=0).draw(points)[0]
    x, y = dlib_68(points)[0].astype(int).T
    assert few.sum() / 255 == len(set(zip(x, y, strict=True))) and (few[y, x] == 255).all()


def test_points_scale_with_the_picture_and_what_is_outside_is_left_out():
    points = np.full((1, 478, 3), 20.7)
    assert np.argwhere(LandmarkImage(32, radius=0).draw(points, side=64)[0]).tolist() == [[10, 10]]
    assert np.argwhere(LandmarkImage(128, radius=0).draw(points, side=64)[0]).tolist() == [[41, 41]]
    assert at_size(np.array([[-0.5, 63.5]]), 64, 16).tolist() == [[-0.5, 15.5]], "edges stay edges"
    outside = np.full((1, 478, 3), -400.0)
    outside[0, 0], outside[0, 1] = np.nan, 1e30
    assert not LandmarkImage(32).draw(outside).any()
    assert LandmarkImage(32).draw(np.zeros((0, 478, 3))).shape == (0, 32, 32)


def test_wrong_drawings_are_refused():
    for wrong in ({"points": 5}, {"size": 2}, {"radius": -1}):
        with pytest.raises(ValueError, match="expected"):
            LandmarkImage(**wrong)
    with pytest.raises(ValueError, match=r"\[T, 478, 3\]"):
        LandmarkImage().draw(np.zeros((2, 68, 2)))


# ------------------------------------------------------------------ geometry


def test_the_square_around_faces():
    assert face_square([face(40, 60, 50)], 0.3) == Square(25, 45, 80)
    assert face_square([face(40, 60, 50), face(60, 60, 50)], 0.0) == Square(40, 50, 70), "all faces are inside"


def test_the_square_is_what_prepare_cuts():
    from instructavatar.prepare.measured import MARGIN, crop_of, crop_picture

    portrait, faces = picture(), [face(40.3, 60.2, 50), face(52, 64, 47)]
    square = Square(*(float(round(value)) for value in face_square(faces, MARGIN)))
    assert tuple(square) == crop_of(faces, 160, 200)
    np.testing.assert_array_equal(cut(portrait, square, 32), crop_picture(portrait, crop_of(faces, 160, 200), 32))


@pytest.mark.parametrize("size", [32, 64, 160])
def test_landmarks_of_a_crop_give_the_latents_of_the_video(codec, size):
    """`prepare` keeps landmarks in pixels of the crop, rounded; they are the same face, drawn as in training."""
    from instructavatar.prepare.measured import in_crop

    faces = [face(40, 60, 50, seed) for seed in range(3)]
    moved = in_crop(np.stack([f.points for f in faces]), (25.0, 45.0, 80.0), size)
    rows = codec.encode_motion([Landmarks(points, np.zeros(52)) for points in moved])
    np.testing.assert_allclose(rows, codec.encode_motion(faces), atol=1e-6)
    np.testing.assert_allclose(rows, codec.motion_of(moved, Square(0, 0, size)), atol=1e-6)


def test_what_is_outside_comes_from_the_border():
    portrait = np.zeros((40, 40, 3), np.uint8)
    portrait[:, 0] = 200
    part = cut(portrait, Square(-10, 5, 20), 20)
    assert (part[:, :11] == 200).all() and not part[:, 11:].any()
    with pytest.raises(ValueError, match="inside the picture"):
        cut(portrait, Square(50, 0, 10), 10)


@pytest.mark.parametrize("square", [Square(20, 30, 64), Square(-20, -10, 64), Square(120, 170, 64), Square(-20, 0, 300)])
def test_pasting_the_cut_back_changes_nothing(square):
    portrait = picture()
    size = int(square.side)
    again = pasted(portrait, cut(portrait, square, size), square, 0.1)
    np.testing.assert_array_equal(again, portrait)
    white = pasted(portrait, np.full((16, 16, 3), 255, np.uint8), square, 0.1)
    inside = np.zeros((200, 160), bool)
    inside[max(0, int(square.top)) : int(square.top) + size, max(0, int(square.left)) : int(square.left) + size] = True
    np.testing.assert_array_equal(white[~inside], portrait[~inside])
    assert (white[inside] == 255).mean() > 0.4


# ------------------------------------------------------------------ the codec


def test_sizes_come_from_the_networks(codec):
    assert codec.size == 32 and codec.motion_dim == 3 * 2 * 2
    appearance = codec.encode_appearance(picture(), face(), REST)
    assert appearance.latent.shape == (4, 8, 8) and appearance.latent.dtype == np.float32
    assert appearance.motion.shape == (12,) and appearance.rest.shape == (58,) and appearance.square == Square(25, 45, 80)


def test_motion_of_faces(codec):
    faces = [face(40 + 3 * k, 60, 50) for k in range(4)]
    rows = codec.encode_motion(faces)
    assert rows.shape == (4, 12) and rows.dtype == np.float32 and np.isfinite(rows).all()
    assert np.abs(np.diff(rows, axis=0)).max() > 0, "a face that moves moves in them"
    assert codec.encode_motion([]).shape == (0, 12)
    alone, portrait = codec.encode_motion([faces[0]])[0], codec.encode_appearance(picture(), faces[0], REST).motion
    np.testing.assert_allclose(alone, portrait, atol=1e-6)


def test_frames_have_the_portraits_size_and_change_only_the_square(codec):
    portrait = picture()
    appearance = codec.encode_appearance(portrait, face(), REST)
    motion = np.random.default_rng(0).normal(size=(3, 12)).astype(np.float32)
    frames = list(codec.decode(appearance, motion))
    assert [frame.shape for frame in frames] == [(200, 160, 3)] * 3 and frames[0].dtype == np.uint8
    outside = np.ones((200, 160), bool)
    outside[45:125, 25:105] = False
    for frame in frames:
        np.testing.assert_array_equal(frame[outside], portrait[outside])
    assert np.abs(frames[0][60:110, 40:90].astype(int) - portrait[60:110, 40:90]).mean() > 5
    np.testing.assert_array_equal(next(codec.decode(appearance, motion[2:])), frames[2])
    frames[0][:] = 0
    assert appearance.portrait.any() and portrait.any()


def test_the_preview_of_latents_has_the_first_frame_and_the_square(codec):
    appearance = codec.encode_appearance(picture(), face(left=-10.0), REST)
    x0, y0, x1, y1 = codec.moves_within(appearance)
    assert x0 == 0 and 0 < y0 < y1 <= 200 and x1 < 160
    look = preview(codec, appearance, [appearance.landmarks])
    assert look.picture.dtype == np.uint8 and "what will move" in look.lines[1]


def test_wrong_motion_and_appearance_are_refused_at_the_call(codec):
    appearance = codec.encode_appearance(picture(), face(), REST)
    with pytest.raises(ValueError, match=r"\[T, 12\]"):
        codec.decode(appearance, np.zeros((2, 58), np.float32))
    with pytest.raises(ValueError, match="finite"):
        codec.decode(appearance, np.full((1, 12), np.nan, np.float32))
    with pytest.raises(TypeError, match="OnnxVaeCodec"):
        codec.decode(object(), np.zeros((1, 12), np.float32))


def test_missing_and_damaged_networks_are_refused(bundle, tmp_path):
    with pytest.raises(MissingFile, match=r"appearance_encoder\.onnx"):
        OnnxVaeCodec(tmp_path)
    for path in bundle.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "decoder.onnx").write_bytes(b"nothing")
    with pytest.raises(BadBundle, match="could not open"):
        OnnxVaeCodec(tmp_path)


def test_no_training_side_is_loaded(bundle):
    words = f"import sys; from instructavatar.codecs.onnx_vae import OnnxVaeCodec; OnnxVaeCodec({str(bundle)!r})"
    ends = "; assert not {'torch', 'diffusers', 'lightning', 'lmdb'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", words + ends], check=True, timeout=60)
