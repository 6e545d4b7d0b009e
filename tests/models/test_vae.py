"""The two-encoder VAE: shapes, published sizes, known values of its terms, first weights, and its ONNX graphs."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch.nn import functional

from instructavatar import config
from instructavatar.errors import BadBundle, MissingFile
from instructavatar.models.vae import Encoded, Gaussian, TwoEncoderVae
from instructavatar.models.vae.export import export_vae
from instructavatar.models.vae.perceptual import VggFeatures
from instructavatar.models.vae.stable_diffusion import fit_weights, load_stable_diffusion
from instructavatar.models.vae_losses import (
    Adversary,
    AppearanceDivergence,
    ChangeTerm,
    EdgeTerm,
    FaceTerm,
    MotionDivergence,
    Pair,
    PatchCritic,
    PixelTerm,
    Terms,
    box_masks,
)

CONFIGS = Path(__file__).parents[2] / "configs" / "codec"
SMALL = {"size": 32, "channels": 8, "blocks": 1, "norm_groups": 4}


def millions(module: torch.nn.Module) -> float:
    return sum(p.numel() for p in module.parameters()) / 1e6


def of_config(name: str) -> TwoEncoderVae:
    with torch.device("meta"):
        return config.build(config.load(CONFIGS / f"{name}.yaml").model.params.vae_config)


def small(**more) -> TwoEncoderVae:
    torch.manual_seed(0)
    return TwoEncoderVae(**{**SMALL, **more}).eval()


# ------------------------------------------------------------------ the network


def test_the_published_size():
    """reference: encoders 238.0 M each, decoder 280.5 M, 756 M in all."""
    vae = of_config("two_encoder_vae")
    assert millions(vae.encoder) == pytest.approx(238.0, abs=0.05)
    assert millions(vae.motion_encoder) == pytest.approx(238.0, abs=0.05)
    assert millions(vae.decoder) == pytest.approx(280.5, abs=0.05)
    assert millions(vae) == pytest.approx(756, rel=0.01)
    assert vae.appearance_shape == (3, 64, 64) and vae.motion_shape == (3, 16, 16) and vae.motion_dim == 768
    encoded = vae.eval()(torch.zeros(2, 3, 256, 256, device="meta"), torch.zeros(2, 1, 256, 256, device="meta"))
    assert encoded.output.shape == (2, 3, 256, 256) and encoded.motion.mean.shape == (2, 3, 16, 16)


def test_the_stock_and_the_tiny_size():
    assert millions(of_config("two_encoder_vae_stock")) == pytest.approx(77.7, abs=0.1)
    tiny = of_config("two_encoder_vae_tiny")
    assert millions(tiny) < 1.5 and tiny.motion_dim == 256 and tiny.appearance_shape == (4, 32, 32)


@pytest.mark.parametrize(("size", "scale"), [(32, 1), (48, 2)])
@pytest.mark.parametrize("sizes", [{"multipliers": (1, 2, 4)}, {"multipliers": (1, 2), "patch": 2}, {"multipliers": (2,), "patch": 4}])
def test_shapes(size, scale, sizes):
    vae = small(size=size, drawn_scale=scale, appearance_channels=3, motion_channels=5, lift_channels=6, fused_channels=7, **sizes)
    encoded = vae(torch.rand(2, 3, size, size), torch.rand(2, 1, vae.drawn_size, vae.drawn_size))
    assert encoded.appearance.mean.shape == (2, 3, size // 4, size // 4) == (2, *vae.appearance_shape)
    assert encoded.motion.mean.shape == (2, 5, size // 16, size // 16) == (2, *vae.motion_shape)
    assert encoded.output.shape == (2, 3, size, size)
    assert vae.motion_dim == 5 * (size // 16) ** 2


def test_the_most_likely_in_evaluation_a_draw_in_training():
    vae, given = small(), (torch.rand(1, 3, 32, 32), torch.rand(1, 1, 32, 32))
    assert torch.equal(vae(*given).output, vae(*given).output)
    vae.train()
    first, second, other = (vae(*given, torch.Generator().manual_seed(seed)).output for seed in (1, 1, 2))
    assert torch.equal(first, second) and not torch.equal(first, other)


def test_the_motion_encoder_sees_only_landmarks_and_the_other_only_looks():
    vae, drawn = small(), torch.rand(1, 1, 32, 32)
    a, b = vae(torch.zeros(1, 3, 32, 32), drawn), vae(torch.ones(1, 3, 32, 32), drawn)
    assert torch.equal(a.motion.mean, b.motion.mean) and not torch.equal(a.appearance.mean, b.appearance.mean)
    assert not torch.equal(a.output, b.output)


def test_a_batch_is_its_pictures_alone():
    vae = small()
    pictures, drawn = torch.rand(3, 3, 32, 32), torch.rand(3, 1, 32, 32)
    together, alone = vae(pictures, drawn).output, vae(pictures[1:2], drawn[1:2]).output
    torch.testing.assert_close(together[1:2], alone, atol=1e-5, rtol=1e-4)


def test_recomputed_blocks_give_the_same_gradients():
    grads = []
    for checkpointing in (False, True):
        vae = small(checkpointing=checkpointing)
        vae(torch.ones(1, 3, 32, 32), torch.ones(1, 1, 32, 32)).output.square().sum().backward()
        grads.append({name: p.grad for name, p in vae.named_parameters()})
    assert all(torch.allclose(grads[0][name], grads[1][name], atol=1e-5) for name in grads[0])


def test_every_parameter_learns():
    vae = small().train()
    encoded = vae(torch.rand(1, 3, 32, 32), torch.rand(1, 1, 32, 32))
    (encoded.output.square().sum() + encoded.motion.divergence().sum()).backward()
    assert not [name for name, p in vae.named_parameters() if p.grad is None]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"size": 40}, "multiple of 16"),
        ({"norm_groups": 3}, "norm groups"),
        ({"patch": 2}, "2 multipliers"),
        ({"patch": 3}, "patch"),
        ({"drawn_scale": 0}, "drawn_scale"),
    ],
)
def test_sizes_that_cannot_be_are_refused(wrong, told):
    with pytest.raises(ValueError, match=told):
        small(**wrong)


# ------------------------------------------------------------------ posteriors and terms


def test_divergence_of_known_gaussians():
    standard = Gaussian(torch.zeros(2, 1, 2, 2), torch.zeros(2, 1, 2, 2))
    assert standard.divergence().tolist() == [0, 0]
    moved = Gaussian(torch.full((1, 1, 2, 2), 2.0), torch.full((1, 1, 2, 2), math.log(4.0)))
    # 0.5 (m^2 + v - 1 - ln v) of each of four
    assert float(moved.divergence()) == pytest.approx(4 * 0.5 * (4 + 4 - 1 - math.log(4)))


def test_draws_have_the_moments():
    gaussian = Gaussian(torch.full((1, 1, 200, 200), 3.0), torch.full((1, 1, 200, 200), math.log(0.25)))
    drawn = gaussian.sample(torch.Generator().manual_seed(0))
    assert float(drawn.mean()) == pytest.approx(3, abs=0.01) and float(drawn.std()) == pytest.approx(0.5, abs=0.01)


def test_extreme_moments_stay_finite():
    moments = torch.tensor([1.0, 1e6]).view(1, 2, 1, 1)
    assert torch.isfinite(Gaussian.of(moments).sample()).all() and torch.isfinite(Gaussian.of(moments).divergence()).all()


def pair(output: torch.Tensor, target: torch.Tensor, box=(8.0, 8.0, 15.0, 15.0), looks: torch.Tensor | None = None) -> Pair:
    normal = Gaussian(torch.ones(len(output), 1, 2, 2), torch.zeros(len(output), 1, 2, 2))
    points = torch.tensor([[box[:2], box[2:]]]).expand(len(output), -1, -1)
    return Pair(Encoded(normal, normal, output), target, points, target if looks is None else looks)


def test_terms_of_known_pictures():
    target = torch.zeros(1, 3, 32, 32)
    output = torch.zeros(1, 3, 32, 32)
    output[:, :, 8:16, 8:16] = 0.5
    given = pair(output, target)
    assert float(PixelTerm()(given)) == pytest.approx(0.5 * 64 / 1024)
    assert float(FaceTerm()(given)) == pytest.approx(0.5)
    assert float(EdgeTerm()(given)) == pytest.approx(2 * 0.5 * 16 / (32 * 31))
    # four numbers of mean 1 and variance 1: 2 nats over 3072 numbers of the picture
    assert float(AppearanceDivergence()(given)) == float(MotionDivergence()(given)) == pytest.approx(2 / 3072)


def test_the_term_of_change_counts_where_something_moves():
    """Copying is as wrong as can be there, and what stays as it is does not count."""
    looks, target = torch.zeros(1, 3, 32, 32), torch.zeros(1, 3, 32, 32)
    target[:, :, 8:16, 8:16] = 1.0
    elsewhere = target.clone()
    elsewhere[:, :, 24:, 24:] = 1.0
    copied = float(ChangeTerm()(pair(looks, target, looks=looks)))
    assert copied > 0.6 and float(ChangeTerm()(pair(elsewhere, target, looks=looks))) == 0
    assert float(ChangeTerm()(pair(target, target, looks=target))) == 0, "nothing moves, nothing counts"


def test_the_face_box():
    mask = box_masks(torch.tensor([[[2.5, 4.0], [5.0, 6.2]], [[-9.0, -9.0], [50.0, 1.0]]]), 8)
    assert mask[0].nonzero().aminmax(dim=0).min.tolist() == [4, 2] and mask[0].nonzero().aminmax(dim=0).max.tolist() == [7, 5]
    assert mask[1].sum() == 16, "what reaches outside is cut"


def test_terms_are_weighed_by_name():
    terms = Terms({"l1": PixelTerm(2.0), "face": FaceTerm(0.0), "kl": MotionDivergence(10.0)})
    found = terms(pair(torch.ones(1, 3, 32, 32), torch.zeros(1, 3, 32, 32)))
    assert set(found) == {"loss", "l1", "face", "kl"}
    assert float(found["loss"]) == pytest.approx(2 * 1 + 10 * 2 / 3072)
    with pytest.raises(ValueError, match="at least one term"):
        Terms({})
    with pytest.raises(ValueError, match="weight"):
        PixelTerm(-1)


# ------------------------------------------------------------------ the critic


def test_the_published_critic():
    critic = PatchCritic()
    assert critic(torch.zeros(2, 3, 256, 256)).shape == (2, 1, 30, 30)
    convs = 3 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512 * 1
    assert sum(p.numel() for p in critic.parameters()) == 16 * convs + 64 + 1 + 2 * (128 + 256 + 512)


def test_hinge_of_known_scores():
    adversary = Adversary(layers=2, width=8)
    adversary.critic = torch.nn.Identity()  # type: ignore[assignment]
    real, made = torch.tensor([2.0, 0.5]), torch.tensor([-3.0, 0.5])
    assert float(adversary.lesson(real, made)) == pytest.approx(0.5 * ((0 + 0.5) / 2 + (0 + 1.5) / 2))
    assert float(adversary.judgement(made)) == pytest.approx(1.25)
    assert not Adversary(start_step=5).counts(4) and Adversary(start_step=5).counts(5)


def test_the_adaptive_weight():
    """It makes both gradients at the last layer equally long, times the weight, up to the bound."""
    last = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    reconstruction, judgement = 3 * last.sum(), 6 * last.sum()
    adversary = Adversary(weight=0.5, layers=2, width=8)
    assert float(adversary.balance(reconstruction, judgement, last, numbers=1)) == pytest.approx(0.25, rel=1e-3)
    assert float(adversary.balance(reconstruction, judgement, last, numbers=100)) == pytest.approx(0.25, rel=1e-3)
    # on the published scale the bound is 1e4: a million numbers reach it
    bounded = adversary.balance(reconstruction, judgement, last, numbers=10**6)
    assert float(bounded) == pytest.approx(0.5 * 1e4 / 1e6)
    nothing = adversary.balance(reconstruction, float("nan") * last.sum(), last, numbers=10)
    assert float(nothing) == pytest.approx(0.5 * 1e4 / 10)


def test_the_critic_learns_to_tell_and_does_not_teach_through_its_lesson():
    torch.manual_seed(0)
    adversary, made = Adversary(layers=2, width=8), torch.zeros(4, 3, 32, 32, requires_grad=True)
    real, optimizer = torch.ones(4, 3, 32, 32), torch.optim.Adam(adversary.parameters(), 1e-2)
    lessons = []
    for _ in range(25):
        lesson = adversary.lesson(real, made)
        optimizer.zero_grad()
        lesson.backward()
        optimizer.step()
        lessons.append(float(lesson.detach()))
    assert lessons[-1] < 0.3 * lessons[0] and made.grad is None


# ------------------------------------------------------------------ the perceptual term


def vgg_state(width: int = 4) -> dict[str, torch.Tensor]:
    """A VGG16 with few channels, named as torchvision names it."""
    generator, state, before = torch.Generator().manual_seed(0), {}, 3
    for place in (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28):
        state[f"features.{place}.weight"] = torch.randn(width, before, 3, 3, generator=generator) * 0.5
        state[f"features.{place}.bias"] = torch.zeros(width)
        before = width
    return state


def test_perceptual_distance(tmp_path):
    torch.save(vgg_state(), tmp_path / "vgg.pth")
    features = VggFeatures.read(tmp_path / "vgg.pth")
    assert not features.state_dict(), "frozen weights are not saved with the model"
    picture = torch.rand(2, 3, 32, 32) * 2 - 1
    near, far = picture + 0.02, functional.avg_pool2d(picture, 5, 1, 2)
    assert features.distance(picture, picture).tolist() == [0, 0]
    assert (features.distance(picture, near) < features.distance(picture, far)).all()
    stages = features(picture)
    assert [stage.shape[-1] for stage in stages] == [32, 16, 8, 4, 2]
    lengths = stages[0].square().sum(1).sqrt()
    torch.testing.assert_close(lengths[lengths > 0.5], torch.ones_like(lengths[lengths > 0.5]))


def test_lpips_weights_count_channels(tmp_path):
    torch.save(vgg_state(), tmp_path / "vgg.pth")
    torch.save({f"lin{i}.model.1.weight": torch.full((1, 4, 1, 1), 0.5) for i in range(5)}, tmp_path / "lin.pth")
    equal, given = VggFeatures.read(tmp_path / "vgg.pth"), VggFeatures.read(tmp_path / "vgg.pth", tmp_path / "lin.pth")
    a, b = torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32)
    torch.testing.assert_close(given.distance(a, b), 2 * equal.distance(a, b))  # 0.5 instead of 1/4


def test_missing_and_wrong_perceptual_weights_are_refused(tmp_path):
    with pytest.raises(MissingFile, match="perceptual term.*set the term to null"):
        VggFeatures.read(tmp_path / "none.pth")
    torch.save({"a": torch.zeros(1)}, tmp_path / "a.pth")
    with pytest.raises(BadBundle, match=r"features\.0\.weight"):
        VggFeatures.read(tmp_path / "a.pth")
    (tmp_path / "b.pth").write_bytes(b"no weights")
    with pytest.raises(BadBundle, match="state dict"):
        VggFeatures.read(tmp_path / "b.pth")


# ------------------------------------------------------------------ first weights


def stable_diffusion(channels=(8, 16, 32, 32), latent=4, old_names=True) -> dict[str, torch.Tensor]:
    """A random checkpoint of the shape of Stable Diffusion's VAE, narrower: four levels, attention under its older names."""
    from diffusers import AutoencoderKL

    torch.manual_seed(3)
    count = len(channels)
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * count,
        up_block_types=("UpDecoderBlock2D",) * count,
        block_out_channels=channels,
        layers_per_block=1,
        latent_channels=latent,
        norm_num_groups=4,
    )
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"} if old_names else {}
    state = {}
    for name, value in vae.state_dict().items():
        for new, before in old.items():
            name = name.replace(f"attentions.0.{new}.", f"attentions.0.{before}.")
        state[name] = value.clone()
    return state


def test_a_checkpoint_of_the_same_levels_fits_whole():
    vae, state = small(), stable_diffusion((8, 16, 32), latent=3)
    report = fit_weights(vae, state)
    own = vae.state_dict()
    assert not report.wrong_shape and not report.unused
    assert torch.equal(own["encoder.mid_block.attentions.0.to_q.weight"], state["encoder.mid_block.attentions.0.query.weight"])
    assert torch.equal(own["motion_encoder.conv_out.weight"], state["encoder.conv_out.weight"])
    assert torch.equal(own["post_quant_conv.bias"], state["post_quant_conv.bias"])
    assert set(report.fresh) == {name for name in own if name.startswith(("motion_tail", "motion_lift", "fusion"))}
    assert {name for name in own if name.startswith(("motion_encoder.", "encoder.", "decoder."))} <= {*report.fitted, *report.copied}
    assert report.numbers == sum(own[name].numel() for name in (*report.fitted, *report.copied))


def test_a_deeper_checkpoint_lends_what_fits_and_the_rest_is_told():
    """Stable Diffusion's own: one level more, four latent channels. Everything is accounted for, once."""
    vae, state = small(), stable_diffusion()
    before = {name: value.clone() for name, value in vae.state_dict().items()}
    report = fit_weights(vae, state, "sd")
    own = vae.state_dict()
    assert torch.equal(own["decoder.up_blocks.2.resnets.0.conv1.weight"], state["decoder.up_blocks.3.resnets.0.conv1.weight"])
    assert torch.equal(
        own["decoder.up_blocks.1.resnets.0.conv_shortcut.weight"], state["decoder.up_blocks.2.resnets.0.conv_shortcut.weight"]
    )
    assert torch.equal(own["motion_encoder.down_blocks.1.resnets.0.conv2.weight"], state["encoder.down_blocks.1.resnets.0.conv2.weight"])
    assert report.wrong_shape["encoder.conv_out.weight"] == ((6, 32, 3, 3), (8, 32, 3, 3))
    assert set(report.wrong_shape) == {
        *(f"{name}.{kind}" for name in ("encoder.conv_out", "quant_conv", "post_quant_conv") for kind in ("weight", "bias")),
        "decoder.conv_in.weight",
    }
    assert "encoder.down_blocks.3.resnets.0.conv1.weight" in report.unused and "decoder.up_blocks.0.resnets.0.conv1.weight" in report.unused
    names = [*report.fitted, *report.copied, *report.wrong_shape, *report.fresh]
    assert sorted(names) == sorted(own), "every weight of ours is told exactly once"
    assert len(report.fitted) + len(report.wrong_shape) + len(report.unused) == len(state), "and so is every one of theirs"
    for name in (*report.fresh, *report.wrong_shape):
        assert torch.equal(own[name], before[name])
    assert "7 of another shape: " in str(report) and "[6, 32, 3, 3] not [8, 32, 3, 3]" in str(report)


def test_names_of_today_and_linear_layers_as_convolutions():
    old, new = (small() for _ in range(2))
    fit_weights(old, stable_diffusion((8, 16, 32), 3))
    state = stable_diffusion((8, 16, 32), 3, old_names=False)
    state["encoder.mid_block.attentions.0.to_q.weight"] = state["encoder.mid_block.attentions.0.to_q.weight"][..., None, None]
    fit_weights(new, state)
    assert all(
        torch.equal(a, b)
        for name, a in old.state_dict().items()
        if not name.startswith(("motion_", "fusion"))
        for b in [new.state_dict()[name]]
    )


def test_weights_from_a_folder(tmp_path):
    from safetensors.torch import save_file

    (tmp_path / "vae").mkdir()
    save_file(stable_diffusion((8, 16, 32), 3), tmp_path / "vae" / "diffusion_pytorch_model.safetensors")
    report = load_stable_diffusion(small(), tmp_path)
    assert report.source == "diffusion_pytorch_model.safetensors" and not report.wrong_shape


def test_weights_that_are_none_are_refused(tmp_path):
    with pytest.raises(MissingFile, match="Stable Diffusion"):
        load_stable_diffusion(small(), tmp_path)
    (tmp_path / "a.safetensors").write_bytes(b"nothing")
    with pytest.raises(BadBundle, match="could not read"):
        load_stable_diffusion(small(), tmp_path / "a.safetensors")
    with pytest.raises(BadBundle, match="convert it with diffusers"):
        fit_weights(small(), {"first_stage_model.encoder.down.0.block.0.conv1.weight": torch.zeros(1)})


# ------------------------------------------------------------------ ONNX


@pytest.mark.parametrize("sizes", [{}, {"multipliers": (1, 2), "patch": 2, "lift_channels": 6, "fused_channels": 8}])
def test_onnx_equals_torch(tmp_path, sizes):
    vae = small(**sizes)
    names = export_vae(vae, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    looks, motion, decoder = (onnxruntime.InferenceSession(str(tmp_path / name), providers=["CPUExecutionProvider"]) for name in names)
    for count in (1, 3):
        pictures, drawn = torch.rand(count, 3, 32, 32) * 2 - 1, torch.rand(count, 1, 32, 32) * 2 - 1
        with torch.no_grad():
            encoded = vae(pictures, drawn)
        latent = looks.run(None, {"picture": pictures.numpy()})[0]
        rows = motion.run(None, {"drawn": drawn.numpy()})[0]
        assert rows.shape == (count, vae.motion_dim)
        np.testing.assert_allclose(latent, encoded.appearance.mean, atol=1e-4)
        np.testing.assert_allclose(rows, encoded.motion.mean.flatten(1), atol=1e-4)
        output = decoder.run(None, {"appearance": latent, "motion": rows})[0]
        np.testing.assert_allclose(output, encoded.output, atol=1e-3)
