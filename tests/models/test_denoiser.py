"""The network: padding never matters, odd lengths work, text is off at the start, known motion comes back."""

from __future__ import annotations

import pytest
import torch
from toy_generator import DIM, WIDTH, inputs, padded, tiny

from instructavatar.models.conditions.clock import ClockCondition
from instructavatar.models.conditions.speech import SpeechCondition
from instructavatar.models.conditions.text import TextCondition, same_segment
from instructavatar.models.conformer import Conformer
from instructavatar.models.denoiser import Denoiser


@torch.no_grad()
@pytest.mark.parametrize("two_ffn", [False, True])
@pytest.mark.parametrize("frames", [1, 2, 7, 12])
@pytest.mark.parametrize("patch", [1, 2, 3])
def test_a_clip_alone_equals_the_clip_in_a_batch(patch, frames, two_ffn):
    net, feed = tiny(patch, two_ffn=two_ffn), inputs(frames)
    alone = net(**feed)
    other = padded(feed, 5, 3, 1)
    other["known_mask"][:, frames:] = 0
    together = net(**{name: torch.cat([value, value.flip(0)]) for name, value in other.items()})
    assert alone.shape == (1, frames, DIM)
    torch.testing.assert_close(together[:1, :frames], alone, atol=1e-5, rtol=1e-5)
    assert not together[:, frames:].any()


@torch.no_grad()
def test_text_is_exactly_off_before_training():
    net, feed = tiny(trained=False), inputs(9)
    torch.nn.init.normal_(net.leave.weight)
    changed = {**feed, "tokens": feed["tokens"].flip(-1), "pooled": feed["pooled"].flip(-1)}
    assert torch.equal(net(**feed), net(**changed))
    trained = tiny()
    assert not torch.allclose(trained(**feed), trained(**changed), atol=1e-4)


@torch.no_grad()
def test_frames_hear_only_their_own_segment():
    """A dead segment changes nothing, not even through the token adapter."""
    net, feed = tiny(), inputs(8, tokens=6)
    feed["tokens_alive"] = torch.zeros(1, 8, 6)
    feed["tokens_alive"][:, :, :3] = 1
    feed["pooled_alive"] = torch.tensor([1.0, 0.0]).expand(1, 8, 2)
    changed = {**feed, "tokens": feed["tokens"].clone(), "pooled": feed["pooled"].clone()}
    changed["tokens"][:, 3:] = feed["tokens"][:, 3:].flip(-1)
    changed["pooled"][:, 1:] = feed["pooled"][:, 1:].flip(-1)
    torch.testing.assert_close(net(**feed), net(**changed))
    changed["tokens"][:, :1] = feed["tokens"][:, :1].flip(-1)
    assert not torch.allclose(net(**feed), net(**changed), atol=1e-4)


@torch.no_grad()
def test_known_motion_comes_back_and_its_noise_is_ignored():
    net, feed = tiny(), inputs(6)
    out = net(**feed)
    assert torch.equal(out[:, 0], feed["known"][:, 0])
    noisy = {**feed, "x": feed["x"].clone()}
    noisy["x"][:, 0] += 9
    assert torch.equal(net(**noisy), out)


@torch.no_grad()
def test_silence_is_not_unknown_speech():
    net, feed = tiny(), inputs(6)
    unknown = {**feed, "speech": torch.zeros_like(feed["speech"])}
    silent = {**feed, "speech_mask": torch.zeros_like(feed["speech_mask"])}
    deaf = {**unknown, "speech_mask": torch.zeros_like(feed["speech_mask"])}
    assert not torch.allclose(net(**unknown), net(**silent), atol=1e-4)
    torch.testing.assert_close(net(**silent), net(**deaf))


@torch.no_grad()
def test_every_input_matters():
    net, feed = tiny(), inputs(8)
    out = net(**feed)
    for name in ("x", "noise_level", "known", "speech", "tokens", "pooled", "clock", "tokens_alive", "pooled_alive"):
        changed = feed[name].flip(-1) if name not in ("noise_level", "tokens_alive", "pooled_alive") else feed[name] * 0.3
        assert not torch.allclose(net(**{**feed, name: changed}), out, atol=1e-5), name


def test_same_segment_tells_segments_apart():
    alive = torch.zeros(1, 6, 5)
    alive[:, :3, :2], alive[:, 3:, 2:4] = 1, 1  # the last token is alive nowhere
    same = same_segment(alive)[0]
    expected = torch.block_diag(torch.ones(2, 2), torch.ones(2, 2), torch.ones(1, 1))
    assert torch.equal(same, expected)


def test_parts_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="patch"):
        Denoiser(Conformer(WIDTH, 1, 2), SpeechCondition(24, WIDTH, patch=1), TextCondition(20, WIDTH), ClockCondition(WIDTH), DIM, 2)
    with pytest.raises(ValueError, match="odd kernel"):
        Conformer(WIDTH, 1, 2, kernel=4)
    with pytest.raises(ValueError, match="divisible"):
        Conformer(WIDTH, 1, heads=5)
