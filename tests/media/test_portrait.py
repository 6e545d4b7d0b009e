import base64
import struct
import time
import zlib

import cv2
import numpy as np
import pytest

from instructavatar.errors import BadMedia, MissingFile
from instructavatar.media.exif import orientation_of
from instructavatar.media.portrait import NEUTRAL_BACKGROUND, Box, crop, crop_box, paste_back, read_portrait

# 16 x 16, Adobe CMYK: upper half red, lower half blue.
CMYK = base64.b64decode(
    "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwANCQoLCggNCwoLDg4NDxMgFRMSEhMnHB4XIC4pMTAuKS0sMzpKPjM2RjcsLUBXQUZMTlJTUjI+WmFaUGBKUVJP"
    "/8AAFAgAEAAQBEMRAE0RAFkRAEsRAP/EABYAAQEBAAAAAAAAAAAAAAAAAAAHCP/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAOBEMATQBZAEsAAD8ApyYJgpwA"
    "zENOgA//2Q=="
)


def picture(height=48, width=64):
    """Red grows to the right, green downwards, blue is constant."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 4, y * 4, np.full_like(x, 77)], -1).clip(0, 255).astype(np.uint8)


def encoded(ending, rgb, *options):
    order = {2: rgb, 3: rgb[..., ::-1] if rgb.ndim == 3 else rgb}[rgb.ndim]
    if rgb.ndim == 3 and rgb.shape[2] == 4:
        order = rgb[..., [2, 1, 0, 3]]
    return cv2.imencode(ending, np.ascontiguousarray(order), list(options))[1].tobytes()


def read_bytes(tmp_path, data, name="лицо 1 %03d.bin", **options):
    (tmp_path / name).write_bytes(data)
    return read_portrait(tmp_path / name, **options)


def exif(orientation, order="<"):
    head = b"II*\0" if order == "<" else b"MM\0*"
    entries = [(0x010F, 2, 4, 0x41414141), (0x0112, 3, 1, orientation)]
    body = struct.pack(order + "H", len(entries)) + struct.pack(order + "HHII", *entries[0])
    return head + struct.pack(order + "I", 8) + body + struct.pack(order + "HHIHH", *entries[1], 0) + b"\0" * 4


def with_exif(data, orientation):
    """The file's bytes with an orientation mark put in."""
    if data[:2] == b"\xff\xd8":
        block = b"Exif\0\0" + exif(orientation, ">")
        return data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + data[2:]
    if data[:4] == b"RIFF":
        block = exif(orientation)
        chunk = b"EXIF" + struct.pack("<I", len(block)) + block
        flags = b"VP8X" + struct.pack("<I", 10) + bytes([8, 0, 0, 0, 63, 0, 0, 47, 0, 0])
        body = b"WEBP" + flags + data[12:] + chunk
        return b"RIFF" + struct.pack("<I", len(body)) + body
    block = exif(orientation)
    chunk = struct.pack(">I", len(block)) + b"eXIf" + block + struct.pack(">I", zlib.crc32(b"eXIf" + block))
    return data[:33] + chunk + data[33:]


LOOKS = {2: lambda p: p[:, ::-1], 3: lambda p: p[::-1, ::-1], 4: lambda p: p[::-1], 5: lambda p: p.swapaxes(0, 1)}
LOOKS |= {6: lambda p: np.rot90(p, -1), 7: lambda p: np.rot90(p.swapaxes(0, 1), 2), 8: lambda p: np.rot90(p), 1: lambda p: p}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", [".jpg", ".png", ".webp"])
def test_orientation_marks_turn_the_picture_upright(tmp_path, ending, orientation):
    options = (cv2.IMWRITE_WEBP_QUALITY, 101) if ending == ".webp" else ()
    data = with_exif(encoded(ending, picture(), *options), orientation)
    assert orientation_of(data) == orientation
    expected = LOOKS[orientation](picture())
    got = read_bytes(tmp_path, data).rgb
    assert got.shape == expected.shape
    assert np.abs(got.astype(int) - expected).mean() < 4


def test_tiff_with_a_mark_and_damaged_marks():
    assert orientation_of(exif(6) + b"\0" * 99) == 6
    assert orientation_of(with_exif(encoded(".jpg", picture()), 99)) == 1
    assert orientation_of(b"II*\0\xff\xff\xff\x7f") == 1
    assert orientation_of(b"") == 1


@pytest.mark.parametrize("ending", [".png", ".bmp", ".tiff", ".webp"])
def test_lossless_files_come_back_exactly(tmp_path, ending):
    options = (cv2.IMWRITE_WEBP_QUALITY, 101) if ending == ".webp" else ()
    portrait = read_bytes(tmp_path, encoded(ending, picture(), *options))
    assert portrait.alpha is None and portrait.rgb.dtype == np.uint8
    assert np.array_equal(portrait.rgb, picture())


def test_grey_becomes_rgb(tmp_path):
    portrait = read_bytes(tmp_path, encoded(".png", picture()[..., 0]))
    assert np.array_equal(portrait.rgb, np.repeat(picture()[..., :1], 3, axis=2))


@pytest.mark.parametrize("channels", [1, 3])
def test_16_bit_becomes_8_bit(tmp_path, channels):
    deep = picture().astype(np.uint16) * 257
    deep = deep[..., 0] if channels == 1 else deep
    got = read_bytes(tmp_path, encoded(".png", deep)).rgb
    assert np.array_equal(got, np.repeat(picture()[..., :1], 3, 2) if channels == 1 else picture())


def test_cmyk_becomes_rgb(tmp_path):
    rgb = read_bytes(tmp_path, CMYK).rgb
    assert rgb[2, 2].tolist() == pytest.approx([255, 0, 0], abs=3)
    assert rgb[14, 2].tolist() == pytest.approx([0, 0, 255], abs=3)


def test_alpha_is_kept_and_drawn_on_a_neutral_background(tmp_path):
    rgba = np.dstack([picture(), np.full((48, 64), 255, np.uint8)])
    rgba[:24, :, 3] = 0
    portrait = read_bytes(tmp_path, encoded(".png", rgba))
    assert np.array_equal(portrait.alpha, rgba[..., 3])
    assert (portrait.rgb[:24] == NEUTRAL_BACKGROUND).all() and np.array_equal(portrait.rgb[24:], picture()[24:])


def test_alpha_that_hides_nothing_or_everything(tmp_path):
    rgba = np.dstack([picture(), np.full((48, 64), 255, np.uint8)])
    assert read_portrait(rgba).alpha is None
    rgba[..., 3] = 0
    with pytest.raises(BadMedia, match="transparent everywhere"):
        read_portrait(rgba)


def test_what_opencv_cannot_read_ffmpeg_may(tmp_path, monkeypatch):
    monkeypatch.setattr(cv2, "imdecode", lambda data, flags: None)
    assert np.array_equal(read_bytes(tmp_path, encoded(".png", picture())).rgb, picture())


def test_odd_sides_lose_a_pixel_and_large_ones_shrink():
    assert read_portrait(picture(47, 63)).rgb.shape == (46, 62, 3)
    assert read_portrait(picture(300, 200), max_side=101).rgb.shape == (100, 68, 3)
    assert read_portrait(picture(30, 40), max_side=1920).rgb.shape == (30, 40, 3)


def test_floats_and_grey_arrays():
    assert np.array_equal(read_portrait(picture() / 255.0).rgb, picture())
    assert read_portrait(picture()[..., :1]).rgb.shape == (48, 64, 3)
    assert read_portrait((picture() / 255.0).astype(np.float64), max_side=32).rgb.shape == (24, 32, 3)


def test_pil_images_are_taken_as_they_are():
    image = pytest.importorskip("PIL.Image")
    assert np.array_equal(read_portrait(image.fromarray(picture())).rgb, picture())
    grey_alpha = image.fromarray(picture()).convert("LA")
    assert read_portrait(grey_alpha).rgb.shape == (48, 64, 3)


def test_a_hundred_megapixels_are_no_trouble(tmp_path):
    big = np.tile(picture(100, 100), (100, 100, 1))
    (tmp_path / "big.jpg").write_bytes(encoded(".jpg", big))
    del big
    begin = time.perf_counter()
    assert read_portrait(tmp_path / "big.jpg").rgb.shape == (1920, 1920, 3)
    assert time.perf_counter() - begin < 20


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((8, 64, 3), np.uint8), "at least"),
        (np.zeros((64, 64, 2), np.uint8), "shape"),
        (np.zeros(64, np.uint8), "shape"),
        (np.zeros((64, 64, 3), np.int64), "int64"),
        (np.full((64, 64, 3), 255.0), "0..1"),
        (np.full((64, 64, 3), np.nan), "0..1"),
    ],
)
def test_unusable_arrays_are_refused(array, words):
    with pytest.raises(BadMedia, match=words):
        read_portrait(array)


@pytest.mark.parametrize("data", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 50, b"<svg xmlns='http://www.w3.org/2000/svg'/>"])
def test_unusable_files_are_refused(tmp_path, data, capfd):
    with pytest.raises(BadMedia) as caught:
        read_bytes(tmp_path, data)
    assert "expected" in str(caught.value) and "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""


def test_absent_picture_is_missing(tmp_path):
    with pytest.raises(MissingFile):
        read_portrait(tmp_path / "absent.png")


def square_of_points(left, top, right, bottom):
    points = np.zeros((478, 3), np.float32)
    points[:, :2] = np.random.default_rng(0).uniform((left, top), (right, bottom), (478, 2))
    points[0, :2], points[1, :2] = (left, top), (right, bottom)
    return points


def test_crop_box_is_a_square_around_the_face():
    assert crop_box(square_of_points(300, 200, 400, 320), (800, 1000), scale=2.0) == Box(230, 140, 470, 380)


def test_crop_box_stays_inside():
    box = crop_box(square_of_points(0, 10, 100, 110), (300, 400))
    assert box == Box(0, 0, 200, 200)
    assert crop_box(square_of_points(10, 10, 390, 290), (300, 400)) == Box(50, 0, 350, 300)


@pytest.mark.parametrize("size", [64, 256])
def test_crop_then_paste_changes_little(size):
    y, x = np.mgrid[:300, :400]
    smooth = np.stack([x * 0.5, y * 0.6, (x + y) * 0.3], -1).astype(np.uint8)
    box = Box(100, 50, 228, 178)
    patch = crop(smooth, box, size)
    assert patch.shape == (size, size, 3)
    pasted = paste_back(smooth, patch, box)
    assert np.abs(pasted.astype(int) - smooth).max() <= 3


def test_pasted_patch_has_no_border():
    grey = np.full((200, 200, 3), 100, np.uint8)
    pasted = paste_back(grey, np.full((80, 80, 3), 140, np.uint8), Box(40, 40, 140, 140), feather=0.2)
    assert (pasted[:40] == 100).all() and (pasted[90, 90] == 140).all() and (grey == 100).all()
    steps = np.abs(np.diff(pasted[90, :, 0].astype(int)))
    assert steps.max() <= 4  # 40 levels over 20 pixels of fade: no step the eye would see as a line


def test_patch_is_whole_at_the_pictures_own_edge():
    pasted = paste_back(np.zeros((100, 100, 3), np.uint8), np.full((50, 50, 3), 200, np.uint8), Box(0, 0, 50, 50))
    assert pasted[0, 0, 0] == 200 and pasted[49, 20, 0] == 0
