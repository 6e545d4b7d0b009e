import cv2
import numpy as np
import pytest

from instructavatar.errors import MissingFile
from instructavatar.face.motion import FaceMotion
from instructavatar.features.fetch import fetched_path
from instructavatar.metrics import similarity
from instructavatar.metrics.base import NotScored
from instructavatar.metrics.similarity import BEST_DB, Lpips, LpipsHed, Similarity, pairs, psnr, ssim


def detailed(seed=0, side=256):
    """A picture with large and small detail."""
    rng = np.random.default_rng(seed)
    made = sum(cv2.resize(rng.normal(0, 40, (n, n, 3)), (side, side), interpolation=cv2.INTER_CUBIC) for n in (4, 16, 64))
    return np.clip(made + 128, 0, 255).astype(np.uint8)


def spoilt(picture, how, much):
    if how == "blur":
        return cv2.GaussianBlur(picture, (0, 0), much)
    return np.clip(picture + np.random.default_rng(1).normal(0, much, picture.shape), 0, 255).astype(np.uint8)


def clip_pair(make_clip, change=lambda one: one, frames=10):
    motion = FaceMotion.still(frames)
    truth = [detailed(t) for t in range(frames)]
    return make_clip(motion, frames=[change(one) for one in truth]), make_clip(motion, frames=truth)


def test_an_error_of_one_level_everywhere_by_hand():
    picture = np.full((32, 32, 3), 100, np.uint8)
    assert psnr(picture, picture + 1) == pytest.approx(20 * np.log10(255))
    assert psnr(picture, picture + 10) == pytest.approx(20 * np.log10(25.5))
    # flat pictures: only the means are left
    means = (2 * 100 * 110 + 6.5025) / (100**2 + 110**2 + 6.5025)
    assert ssim(picture, picture + 10) == pytest.approx(means)


def test_equal_pictures_are_a_hundred_decibels_and_one(make_clip, make_case):
    clip, truth = clip_pair(make_clip)
    assert Similarity().score(make_case(clip, truth)) == {"psnr": BEST_DB, "ssim": pytest.approx(1)}


@pytest.mark.parametrize(("how", "much"), [("blur", 2.0), ("noise", 20.0)])
def test_as_torchmetrics_computes_it(how, much):
    torch = pytest.importorskip("torch")
    theirs = pytest.importorskip("torchmetrics.functional.image")
    one, other = detailed(), spoilt(detailed(), how, much)
    batch = [torch.from_numpy(x.transpose(2, 0, 1)[None].astype(np.float64)) for x in (other, one)]
    assert psnr(other, one) == pytest.approx(float(theirs.peak_signal_noise_ratio(*batch, data_range=255.0)), abs=1e-4)
    # torchmetrics also counts places where the window hangs over the edge, onto mirrored pixels
    _, places = theirs.structural_similarity_index_measure(*batch, data_range=255.0, sigma=1.5, return_full_image=True)
    assert ssim(other, one) == pytest.approx(float(places[..., 5:-5, 5:-5].mean()), abs=1e-6)


def test_worse_with_more_blur_and_more_noise(make_clip, make_case):
    for how, levels in (("blur", (0.7, 2.0, 6.0)), ("noise", (3.0, 15.0, 60.0))):
        found = [{"psnr": BEST_DB, "ssim": 1.0}]
        for level in levels:
            clip, truth = clip_pair(make_clip, lambda one, how=how, level=level: spoilt(one, how, level))
            found.append(Similarity().score(make_case(clip, truth)))
        for name in ("psnr", "ssim"):
            values = [one[name] for one in found]
            assert all(a > b for a, b in zip(values, values[1:], strict=False)), (how, name, values)


def test_frames_of_the_same_times_are_compared_over_the_common_length(make_clip, make_case):
    frames = [np.full((256, 256, 3), t, np.uint8) for t in range(90)]
    clip, truth = make_clip(FaceMotion.still(60), frames=frames[:60]), make_clip(FaceMotion.still(90), frames=frames)
    assert Similarity().score(make_case(clip, truth))["psnr"] == BEST_DB
    late = make_clip(FaceMotion.still(60), frames=frames[3:63])
    assert Similarity().score(make_case(late, truth))["psnr"] == pytest.approx(20 * np.log10(255 / 3))


def test_only_the_real_face_matters_wherever_the_other_one_was_found(make_clip, make_case, draw_faces):
    truth = make_clip(FaceMotion.still(4), frames=[detailed()] * 4, size_px=30.0)
    outside = detailed().copy()
    outside[:40], outside[-40:] = 0, 0
    clip = make_clip(faces=draw_faces(FaceMotion.still(4), middle_px=(60.0, 60.0)), frames=[outside] * 4)
    assert Similarity().score(make_case(clip, truth))["psnr"] == BEST_DB
    inside = detailed().copy()
    inside[120:136, 120:136] = 0
    assert Similarity().score(make_case(make_clip(FaceMotion.still(4), frames=[inside] * 4), truth))["psnr"] < 40


def test_another_size_is_brought_to_the_real_one_and_another_shape_refused(make_clip, make_case):
    twice = make_clip(FaceMotion.still(2), frames=[cv2.resize(detailed(), (512, 512), interpolation=cv2.INTER_NEAREST)] * 2)
    truth = make_clip(FaceMotion.still(2), frames=[detailed()] * 2)
    assert Similarity().score(make_case(twice, truth))["psnr"] == BEST_DB
    wide = make_clip(FaceMotion.still(2), frames=[np.zeros((256, 300, 3), np.uint8)] * 2)
    with pytest.raises(NotScored, match="300 x 256 pixels, the reference 256 x 256"):
        Similarity().score(make_case(wide, truth))


def test_needs_a_real_clip_with_a_face(make_clip, make_case):
    clip, truth = clip_pair(make_clip, frames=4)
    with pytest.raises(NotScored, match="no reference"):
        Similarity().score(make_case(clip))
    with pytest.raises(NotScored, match="no face"):
        Similarity().score(make_case(clip, make_clip(faces=[None] * 4)))
    assert len(pairs(make_case(clip, truth), 2)) == 2


def test_lpips_has_two_names_for_two_trunks(monkeypatch, tmp_path):
    monkeypatch.setenv("INSTRUCTAVATAR_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert set(LpipsHed.values) == {"lpips_hed"} and set(Lpips.values) == {"lpips"}
    with pytest.raises(MissingFile, match="assets --fetch vgg_hed"):
        LpipsHed().check()
    with pytest.raises(MissingFile, match="vgg16-397923af.pth"):
        Lpips().check()


def test_lpips_runs_on_a_trunk_of_torchvisions_form(tmp_path, make_clip, make_case):
    """A tiny trunk of random weights: the distance is the perceptual term's own, 0 for equal pictures."""
    torch = pytest.importorskip("torch")
    from instructavatar.models.vae.perceptual import VggFeatures

    generator, layers, into = torch.Generator().manual_seed(0), {}, 3
    for place in (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28):
        layers[f"features.{place}.weight"] = torch.randn(4, into, 3, 3, generator=generator) / 4
        layers[f"features.{place}.bias"] = torch.zeros(4)
        into = 4
    torch.save(layers, tmp_path / "vgg16.pth")
    torch.save({f"lin{stage}.model.1.weight": torch.full((1, 4, 1, 1), 0.25) for stage in range(5)}, tmp_path / "lin.pth")
    metric = Lpips(pictures=2, trunk=str(tmp_path / "vgg16.pth"), lin=str(tmp_path / "lin.pth"))
    metric.check()
    assert metric.weights_version
    clip, truth = clip_pair(make_clip, lambda one: spoilt(one, "noise", 40.0), frames=2)
    assert metric.score(make_case(truth, truth)) == {"lpips": 0.0}
    net = VggFeatures.read(tmp_path / "vgg16.pth", tmp_path / "lin.pth")
    batches = [
        torch.from_numpy(np.stack(side)).permute(0, 3, 1, 2) / 127.5 - 1 for side in zip(*pairs(make_case(clip, truth), 2), strict=True)
    ]
    assert metric.score(make_case(clip, truth))["lpips"] == pytest.approx(float(net.distance(*batches).mean()), rel=1e-4)


@pytest.mark.slow
def test_the_edge_trunk_ranks_blur_and_noise(make_clip, make_case):
    try:
        metric = LpipsHed(pictures=1, trunk=str(fetched_path("vgg_hed")), lin=str(fetched_path("lpips_vgg")))
        metric.check()
    except MissingFile as error:
        pytest.skip(str(error))
    for how, levels in (("blur", (1.0, 5.0)), ("noise", (5.0, 25.0))):
        found = [0.0]
        for level in levels:
            clip, truth = clip_pair(make_clip, lambda one, how=how, level=level: spoilt(one, how, level), frames=1)
            found.append(metric.score(make_case(clip, truth))["lpips_hed"])
        assert found == sorted(found) and found[1] > 0, (how, found)


def test_the_window_is_wangs():
    """A single bright pixel shows the window: Gaussian, sigma 1.5, 11 wide, sum 1."""
    dot = np.zeros((31, 31, 3))
    dot[15, 15] = 1
    found = similarity._blurred(dot)[..., 0]
    line = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    assert found.shape == (21, 21)
    assert np.allclose(found[5:16, 5:16], np.outer(line, line) / line.sum() ** 2, atol=1e-9)
