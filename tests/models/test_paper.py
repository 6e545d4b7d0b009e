"""The published parts: sizes, key frame, head pose, adapters, readers; what is off at the start and what padding cannot touch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn
from toy_generator import DIM, SPEECH, TEXT, UNITS, WIDTH, diffusion, inputs, padded, tiny_paper, toy_batch

from instructavatar import config
from instructavatar.models.conditions.adapted_text import AdaptedText, Adapter
from instructavatar.models.conditions.clock import ClockCondition
from instructavatar.models.conditions.key import KeyCondition, KeyFilm
from instructavatar.models.conditions.pose import PoseCondition
from instructavatar.models.conditions.speech import SpeechCondition
from instructavatar.models.conditions.strided_speech import StridedSpeech
from instructavatar.models.conditions.text import TextCondition
from instructavatar.models.conformer import Conformer
from instructavatar.models.denoiser import Denoiser
from instructavatar.models.diffusion.readers import MotionReader, intensity_loss, mean_motion, pose_loss, reading_loss, units_loss
from instructavatar.models.export import export_denoiser
from instructavatar.models.motion_diffusion import LossTerms, MotionDiffusion

PAPER = Path(__file__).parents[2] / "configs" / "motion" / "paper.yaml"


def test_the_published_size():
    """Within 3 % of 285.4 M, the frozen text encoder apart; counted without memory for the weights."""
    with torch.device("meta"):
        module = config.build(config.load(PAPER).model.params.backbone_config), config.build(config.load(PAPER).model.params.conditions)
        params = config.load(PAPER).model.params
        net = Denoiser(module[0], **module[1], motion_dim=768, patch=1, level_waves=params.level_waves, level_hidden=params.level_hidden)
    count = sum(p.numel() for p in net.parameters())
    assert abs(count / 285.4e6 - 1) < 0.03, count
    assert net.extra_inputs == ("key", "pose", "pose_mask")


@torch.no_grad()
@pytest.mark.parametrize("frames", [1, 2, 7, 12])
@pytest.mark.parametrize("patch", [1, 2])
def test_a_clip_alone_equals_the_clip_in_a_batch(patch, frames):
    net = tiny_paper(patch)
    feed = inputs(frames, net=net)
    alone = net.denoise(**feed)
    other = padded(feed, 5, 3, 1)
    other["known_mask"][:, frames:] = 0
    another = {name: value * (1.0 if "mask" in name or "alive" in name else 0.5) for name, value in other.items()}
    together = net.denoise(**{name: torch.cat([value, another[name]]) for name, value in other.items()})
    torch.testing.assert_close(together.motion[:1, :frames], alone.motion, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(together.pose_deg[:1, :frames], alone.pose_deg, atol=1e-4, rtol=1e-5)
    assert not together.motion[:, frames:].any()


def test_nothing_mixes_the_rows_of_a_batch():
    kinds = {type(module).__name__ for module in tiny_paper().modules()}
    assert not [kind for kind in kinds if "BatchNorm" in kind or "GroupNorm" in kind or "InstanceNorm" in kind]


@torch.no_grad()
def test_text_and_key_frame_are_exactly_off_before_training():
    net = tiny_paper(trained=False)
    torch.nn.init.normal_(net.leave.weight)
    feed = inputs(9, net=net)
    out = net(**feed)
    for name in ("tokens", "pooled", "key"):
        assert torch.equal(net(**{**feed, name: feed[name].flip(-1)}), out), name
    trained = tiny_paper()
    out = trained(**feed)
    for name in ("tokens", "pooled", "key", "pose"):
        assert not torch.allclose(trained(**{**feed, name: feed[name].flip(-1)}), out, atol=1e-4), name


@torch.no_grad()
def test_key_frame_equals_attention_to_its_copies():
    """The published layer attends T copies of the key frame; one value projection gives the same."""
    torch.manual_seed(0)
    film, attention = KeyFilm(WIDTH), nn.MultiheadAttention(WIDTH, 4, batch_first=True)
    nn.init.normal_(film.bend.weight)
    attention.in_proj_weight[2 * WIDTH :] = film.value.weight
    attention.in_proj_bias[2 * WIDTH :] = film.value.bias
    attention.out_proj.load_state_dict(film.out.state_dict())
    x, key = torch.randn(2, 7, WIDTH), torch.randn(2, WIDTH)
    copies = key[:, None].expand(2, 7, WIDTH)
    gain, shift = film.bend(film.norm(x + attention(x, copies, copies)[0])).chunk(2, -1)
    torch.testing.assert_close(film(x, key), x * (1 + gain) + shift, atol=1e-5, rtol=1e-5)


def test_the_pose_is_predicted_given_or_left_out():
    torch.manual_seed(0)
    part = PoseCondition(WIDTH, hidden=16).eval()
    heard, mask = torch.randn(3, 6, WIDTH, requires_grad=True), torch.ones(3, 6)
    given, shown = 10 * torch.randn(3, 6, 3), torch.tensor([0.0, 1.0, 0.0])[:, None].expand(3, 6)
    mask[2] = 0  # silent and nothing given
    made = part(heard * mask[..., None], mask, given, shown)
    assert made.features.shape == (3, 6, WIDTH) and made.predicted_deg.shape == (3, 6, 3)
    torch.testing.assert_close(made.features[0], part.enter(made.predicted_deg[0] / 15.0))
    torch.testing.assert_close(made.features[1], part.enter(given[1] / 15.0))
    assert not made.features[2].any()
    made.predicted_deg.sum().backward()
    assert heard.grad is None, "the speech features learn nothing by the pose"
    part.zero_grad()
    part(heard, mask, given, shown).features.sum().backward()
    assert part.predict.weight.grad is None, "the prediction learns from its own loss alone"
    with pytest.raises(ValueError, match="0 to 1"):
        PoseCondition(WIDTH, shown=2.0)


def test_adapters_keep_four_tenths():
    torch.manual_seed(0)
    adapter, states = Adapter(8), torch.randn(3, 8)
    torch.testing.assert_close(adapter(states), 0.4 * states + 0.6 * adapter.net(states))
    text = AdaptedText(TEXT, WIDTH, hidden=24)
    context = text(torch.randn(1, 5, TEXT), torch.randn(1, 2, TEXT), torch.ones(1, 4, 5), torch.ones(1, 4, 2))
    assert context.tokens.shape == (1, 5, WIDTH) and context.pooled.shape == (1, 2, WIDTH)
    assert context.tokens_bias.shape == (1, 1, 4, 6)
    with pytest.raises(ValueError, match="0 to 1"):
        Adapter(8, kept=-1)


def test_strided_speech_is_frame_aligned():
    """Frame t hears the features 2t - 1 to 2t + 1 before the Conformer mixes them."""
    torch.manual_seed(0)
    part = StridedSpeech(SPEECH, WIDTH, layers=0, heads=2, hidden=32).eval()
    speech = torch.randn(1, 20, SPEECH)
    changed = speech.clone()
    changed[:, 9] += 1
    moved = (part(speech, torch.ones(1, 10), torch.ones(1, 10)) - part(changed, torch.ones(1, 10), torch.ones(1, 10))).abs().amax(-1)[0]
    assert moved.nonzero().flatten().tolist() == [4, 5]
    assert not part(speech, torch.zeros(1, 10), torch.zeros(1, 10)).any()


def test_readers_ask_only_about_clips_whose_answer_is_known():
    answers = torch.tensor([[9.0, -9.0], [-9.0, 9.0]])
    units = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    assert units_loss(answers, units, torch.tensor([1.0, 0.0])) < 1e-3 < 8 < units_loss(answers, units, torch.tensor([0.0, 1.0]))
    assert units_loss(answers, units, torch.zeros(2)) == 0
    levels = torch.tensor([[9.0, 0.0, 0.0], [9.0, 0.0, 0.0]])
    assert intensity_loss(levels, torch.tensor([1, 0])) < 1e-3 < 4 < intensity_loss(levels, torch.tensor([0, 3])) < 10
    assert intensity_loss(levels, torch.zeros(2, dtype=torch.int64)) == 0
    assert pose_loss(torch.ones(1, 2, 3), torch.zeros(1, 2, 3), torch.tensor([[1.0, 0.0]])) == 1.0
    assert pose_loss(torch.ones(1, 2, 3), torch.zeros(1, 2, 3), torch.zeros(1, 2)) == 0.0
    assert mean_motion(torch.tensor([[[2.0], [4.0], [99.0]]]), torch.tensor([[1.0, 1.0, 0.0]])).item() == 3.0


def test_a_reader_learns_on_true_motion_and_moves_the_generators():
    torch.manual_seed(0)
    reader, clean, predicted = MotionReader(DIM, 3, 16), torch.randn(2, DIM), torch.randn(2, DIM, requires_grad=True)

    def judge(answers):
        return intensity_loss(answers, torch.tensor([1, 2]))

    reading_loss(reader, predicted, clean, judge).backward()
    learned = [p.grad.clone() for p in reader.parameters()]
    assert predicted.grad.abs().sum() > 0
    reader.zero_grad()
    judge(reader(clean)).backward()
    for found, alone in zip(learned, (p.grad for p in reader.parameters()), strict=True):
        torch.testing.assert_close(found, alone)


def test_terms_have_names_and_weights():
    batch = toy_batch()
    found = diffusion(paper=True).losses(batch, torch.Generator().manual_seed(0))
    assert list(found) == ["motion", "loss", "noise", "pose", "units", "intensity"]
    weighed = found["motion"] + found["noise"] + found["pose"] + 0.1 * found["units"] + 0.1 * found["intensity"]
    torch.testing.assert_close(found["loss"], weighed)
    without = diffusion(paper=True, units=0.0).losses(batch, torch.Generator().manual_seed(0))
    assert "units" not in without and "intensity" in without


def test_a_term_without_its_part_is_refused():
    parts = diffusion(paper=True)
    settings = (parts.schedule, parts.columns, None)
    with pytest.raises(ValueError, match="reader 'units'.*only one"):
        MotionDiffusion(parts.denoiser, *settings, LossTerms(pose=1.0, units=0.1))
    with pytest.raises(ValueError, match="pose condition"):
        MotionDiffusion(parts.denoiser, *settings, LossTerms())
    with pytest.raises(ValueError, match="got smile"):
        MotionDiffusion(parts.denoiser, *settings, LossTerms(pose=1.0), {"smile": MotionReader(DIM, 2)})


def test_parts_that_do_not_fit_are_refused():
    rest = SpeechCondition(SPEECH, WIDTH, 2), TextCondition(TEXT, WIDTH), ClockCondition(WIDTH)
    with pytest.raises(ValueError, match="keyed"):
        Denoiser(Conformer(WIDTH, 1, 2, keyed=True), *rest)
    with pytest.raises(ValueError, match="keyed"):
        Denoiser(Conformer(WIDTH, 1, 2), *rest, key=KeyCondition(DIM, WIDTH))
    with pytest.raises(ValueError, match="pose condition of the same patch 2"):
        Denoiser(Conformer(WIDTH, 1, 2), *rest, pose=PoseCondition(WIDTH, patch=1))


def test_every_weight_learns():
    """One step's gradients reach all weights but those behind a zero that training opens first."""
    model = diffusion(paper=True)
    for parameter in model.parameters():
        if not parameter.abs().sum():
            torch.nn.init.normal_(parameter, std=0.1)
    model.losses(toy_batch(), torch.Generator().manual_seed(0))["loss"].backward()
    still = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum()]
    assert not still


@pytest.mark.parametrize("patch", [1, 2])
def test_onnx_equals_torch_with_key_and_pose(patch, tmp_path):
    net = tiny_paper(patch)
    session = onnxruntime.InferenceSession(str(export_denoiser(net, tmp_path / "net.onnx")), providers=["CPUExecutionProvider"])
    assert [i.name for i in session.get_inputs()][-3:] == ["key", "pose", "pose_mask"]
    for t, b in ((1, 1), (9, 3), (40, 2)):
        feed = inputs(t, b, net=net)
        with torch.no_grad():
            expected = net(**feed).numpy()
        (found,) = session.run(None, {name: value.numpy() for name, value in feed.items()})
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_units_are_those_of_the_house():
    params = config.load(PAPER).model.params
    assert params.readers.units.params.answers == UNITS == 41
    assert params.readers.intensity.params.answers == 3
