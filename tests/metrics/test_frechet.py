import os
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from instructavatar.errors import BadBundle, BadOption, MissingFile
from instructavatar.face.motion import FaceMotion
from instructavatar.features.fetch import fetched_path
from instructavatar.metrics.base import NotScored
from instructavatar.metrics.efficientnet import _STRIDES, converted, efficientnet
from instructavatar.metrics.frechet import FIRST, WINDOW, Fid, FrechetEfficientnet, Fvd, frechet_distance, window

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def weights():
    try:
        return str(fetched_path("efficientnet_lite0"))
    except MissingFile as error:
        pytest.skip(str(error))


class Pooled(torch.nn.Module):
    """What an Inception net of TorchScript looks like from outside: uint8 [N, 3, H, W] -> [N, 2048]."""

    def forward(self, x: torch.Tensor, return_features: bool = False) -> torch.Tensor:
        assert x.dtype == torch.uint8
        small = torch.nn.functional.adaptive_avg_pool2d(x.float(), 27).flatten(1)
        return small[:, :2048] if return_features else small[:, :8]


class Moving(torch.nn.Module):
    """What I3D of TorchScript looks like from outside: float [N, 3, T, 224, 224], 0..255 -> [N, 400]."""

    def forward(self, x: torch.Tensor, rescale: bool = False, resize: bool = True, return_features: bool = False) -> torch.Tensor:
        assert rescale and not resize and return_features and x.shape[1:] == (3, 16, 224, 224)
        return torch.nn.functional.adaptive_avg_pool3d(x / 127.5 - 1, (2, 8, 9)).flatten(1)[:, :400]


@pytest.fixture(scope="module")
def nets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nets")
    for name, net in (("inception.pt", Pooled()), ("i3d.pt", Moving())):
        torch.jit.script(net).save(str(folder / name))
    return folder


def gaussian(rows, mean, spread, seed=0):
    """Rows whose sample mean and covariance (diagonal) are exactly the given ones."""
    noise = np.random.default_rng(seed).normal(size=(rows, len(mean)))
    noise -= noise.mean(0)
    noise = np.linalg.qr(noise)[0] * np.sqrt(rows - 1)
    return noise * spread + mean


def test_gaussians_along_the_axes_in_closed_form():
    one = gaussian(200, np.zeros(3), np.array([1.0, 2.0, 3.0]))
    other = gaussian(300, np.array([1.0, 0.0, 2.0]), np.array([2.0, 2.0, 1.0]), seed=1)
    # |m1 - m2|^2 + sum (s1 - s2)^2 = 5 + 1 + 0 + 4
    assert frechet_distance(one, other) == pytest.approx(10.0, abs=1e-9)


@pytest.mark.parametrize(("rows", "others"), [(50, 60), (10, 12), (10, 80), (80, 10)])
def test_as_torchmetrics_computes_it_with_more_and_with_fewer_rows_than_features(rows, others):
    fid = pytest.importorskip("torchmetrics.image.fid")
    rng = np.random.default_rng(3)
    mix = rng.normal(size=(24, 24))
    one, other = rng.normal(size=(rows, 24)) @ mix, rng.normal(size=(others, 24)) + 0.3
    moments = [(torch.from_numpy(x.mean(0)), torch.from_numpy(np.cov(x, rowvar=False))) for x in (one, other)]
    theirs = float(fid._compute_fid(*moments[0], *moments[1]))
    assert frechet_distance(one, other) == pytest.approx(theirs, rel=1e-5)


def test_equal_sets_are_at_nothing_and_order_does_not_matter():
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(30, 100)), rng.normal(size=(40, 100)) * 1.1
    assert frechet_distance(one, one) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(one, other) == pytest.approx(frechet_distance(other[::-1], rng.permutation(one)))
    assert frechet_distance(one, other) > 1


def test_clips_are_pooled_and_their_number_told():
    metric = FrechetEfficientnet()
    rng = np.random.default_rng(0)
    scores = [{"features": rng.normal(size=(4, 6)), "reference": rng.normal(size=(4, 6))} for _ in range(3)]
    found = metric.compute(scores)
    every = [np.concatenate([one[side] for one in scores]) for side in ("features", "reference")]
    assert found == {"frechet_efficientnet": frechet_distance(*every), "frechet_efficientnet_frames": 12.0}
    assert metric.compute([{"features": np.ones((1, 6)), "reference": np.ones((1, 6))}]) == {}


def spoilt(picture, how, much):
    """Blurred by a Gaussian of so many pixels, or with noise of so many grey levels."""
    if how == "blur":
        return cv2.GaussianBlur(picture, (0, 0), much)
    noise = np.random.default_rng(0).normal(0, much, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


@pytest.fixture
def faces_clip(demo_face, make_clip):
    """A function: the demo face under four lights, after a change of each picture."""
    picture, face = demo_face

    def make(change=lambda one: one):
        lights = [np.clip(picture * gain, 0, 255).astype(np.uint8) for gain in (0.7, 0.9, 1.0, 1.1)]
        return make_clip(frames=[change(one) for one in lights], faces=[face] * 4)

    return make


def test_grows_with_blur_and_with_noise(weights, faces_clip, make_case):
    metric = FrechetEfficientnet(weights=weights)
    truth = faces_clip()
    for how, levels in (("blur", (1.0, 3.0, 8.0)), ("noise", (8.0, 25.0, 70.0))):
        found = [0.0]
        for level in levels:
            clip = faces_clip(lambda one, how=how, level=level: spoilt(one, how, level))
            found.append(metric.compute([metric.score(make_case(clip, truth))])["frechet_efficientnet"])
        assert found == sorted(found) and found[1] > 0.5, (how, found)
    assert metric.compute([metric.score(make_case(truth, truth))])["frechet_efficientnet"] == pytest.approx(0, abs=1e-6)


def test_the_onnx_net_gives_what_torch_gives(weights, tmp_path):
    """Layer by layer with torch's own convolutions, on another picture than tests above."""
    state = torch.load(weights, weights_only=True)

    def conv(x, name, norm, stride=1, bounded=True):
        w, side = state[f"{name}.weight"], x.shape[-1]
        pad = max((-(-side // stride) - 1) * stride + w.shape[-1] - side, 0)
        x = torch.nn.functional.pad(x, [pad // 2, pad - pad // 2] * 2)
        x = torch.nn.functional.conv2d(x, w, stride=stride, groups=len(w) if w.shape[1] == 1 else 1)
        stats = [state[f"{norm}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")]
        x = torch.nn.functional.batch_norm(x, *stats, eps=1e-3)
        return x.clamp(0, 6) if bounded else x

    picture = np.random.default_rng(0).integers(0, 256, (224, 224, 3), np.uint8)
    x = conv((torch.from_numpy(picture).permute(2, 0, 1)[None].float() - 127) / 128, "_conv_stem", "_bn0", 2)
    for number, stride in enumerate(_STRIDES):
        name, y = f"_blocks.{number}.", x
        if f"{name}_expand_conv.weight" in state:
            y = conv(y, f"{name}_expand_conv", f"{name}_bn0")
        y = conv(conv(y, f"{name}_depthwise_conv", f"{name}_bn1", stride), f"{name}_project_conv", f"{name}_bn2", bounded=False)
        x = x + y if x.shape == y.shape else y
    theirs = conv(x, "_conv_head", "_bn1").mean((2, 3))[0].numpy()
    copy = tmp_path / "net.pth"
    copy.write_bytes(Path(weights).read_bytes())
    made = converted(copy)
    assert np.allclose(efficientnet(made)(picture), theirs, atol=1e-4)
    before = made.stat().st_mtime_ns
    assert converted(copy).stat().st_mtime_ns == before  # not made again
    os.utime(copy, ns=(before + 1, before + 1))
    assert converted(copy).stat().st_mtime_ns > before  # another checkpoint


def test_another_checkpoint_is_refused(tmp_path):
    torch.save({"layer.weight": torch.zeros(2)}, tmp_path / "net.pth")
    with pytest.raises(BadBundle, match="expected EfficientNet-Lite0"):
        converted(tmp_path / "net.pth")
    (tmp_path / "net.pth").write_bytes(b"no checkpoint")
    with pytest.raises(BadBundle, match="expected a torch checkpoint"):
        converted(tmp_path / "net.pth")
    assert [path.name for path in tmp_path.iterdir()] == ["net.pth"]


def test_a_still_costs_one_look(make_portrait, make_case, make_clip, nets, monkeypatch):
    from instructavatar.metrics import frechet

    looked = []
    monkeypatch.setattr(frechet, "inception", lambda path: lambda picture: looked.append(1) or np.zeros(4, np.float32))
    metric = Fid(crop="frame", weights=str(nets / "inception.pt"))
    metric.score(make_case(make_portrait().held(50), make_clip(FaceMotion.still(50))))
    assert len(looked) == 2  # the picture that is held, and the grey one of the other clip


def test_fid_sees_whole_frames_or_faces(nets, faces_clip, make_case):
    truth, blurred = faces_clip(), faces_clip(lambda one: cv2.GaussianBlur(one, (0, 0), 12))
    for crop in ("face", "frame"):
        metric = Fid(crop=crop, weights=str(nets / "inception.pt"))
        metric.check()
        score = metric.score(make_case(blurred, truth))
        assert score["features"].shape == score["reference"].shape == (4, 2048)
        assert metric.compute([score, score])["fid"] > 0 == metric.compute([metric.score(make_case(truth, truth))])["fid"]
        assert metric.compute([score, score])["fid_frames"] == 8
    with pytest.raises(BadOption, match="face or frame"):
        Fid(crop="faces")


def test_fvd_looks_at_sixteen_frames_in_a_row(nets, make_clip, make_case, draw_faces):
    def counted(length):
        return make_clip(faces=draw_faces(FaceMotion.still(length)), frames=[np.full((64, 64, 3), t, np.uint8) for t in range(length)])

    for length, first in ((60, FIRST), (36, FIRST), (30, 7), (16, 0)):
        assert window(counted(length), "frame")[:, 0, 0, 0].tolist() == list(range(first, first + WINDOW)), length
    with pytest.raises(NotScored, match="shorter than 16"):
        window(counted(15), "frame")
    metric = Fvd(weights=str(nets / "i3d.pt"))
    score = metric.score(make_case(counted(40), counted(30)))
    assert score["features"].shape == (1, 400)
    assert metric.compute([score]) == {}
    assert metric.compute([score, metric.score(make_case(counted(20), counted(20)))])["fvd_clips"] == 2


def test_one_square_for_all_sixteen_frames(make_clip, draw_faces):
    """A face that is found a little elsewhere on each frame of the same picture does not make the crops move."""
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (256, 256, 3), np.uint8)
    clip = make_clip(faces=draw_faces(FaceMotion.still(16), shake_px=2.0), frames=[picture] * 16)
    crops = window(clip, "face")
    assert (crops == crops[0]).all()


def test_missing_weights_say_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("INSTRUCTAVATAR_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    for metric, words in (
        (FrechetEfficientnet(), "assets --fetch efficientnet_lite0"),
        (Fid(), "inception-2015"),
        (Fvd(), "i3d_torchscript"),
    ):
        with pytest.raises(MissingFile, match=words):
            metric.check()


def test_other_weights_are_other_scores(tmp_path):
    found = []
    for content in (b"one", b"two"):
        (tmp_path / "net.pt").write_bytes(content)
        metric = Fid(weights=str(tmp_path / "net.pt"))
        metric.check()
        found.append(metric.identity())
    assert found[0] != found[1]


def test_a_clip_alone_equals_the_clip_among_others(nets, faces_clip, make_case):
    metric = Fid(weights=str(nets / "inception.pt"))
    truth = faces_clip()
    alone = metric.score(make_case(faces_clip(), truth))["features"]
    case = make_case(faces_clip(), truth)
    metric.score(replace(case, clip=faces_clip(lambda one: one[::-1].copy())))
    assert np.array_equal(metric.score(case)["features"], alone)
