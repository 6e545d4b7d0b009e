"""Generators in miniature, with and without the published parts, and what they are fed; tests import it as `toy_generator`.

B batch, T frames, D motion width.
"""

from __future__ import annotations

from types import SimpleNamespace

import torch

from instructavatar.face.action_units import ACTION_UNITS
from instructavatar.models.conditions.adapted_text import AdaptedText
from instructavatar.models.conditions.clock import ClockCondition
from instructavatar.models.conditions.key import KeyCondition
from instructavatar.models.conditions.pose import PoseCondition
from instructavatar.models.conditions.speech import SpeechCondition
from instructavatar.models.conditions.strided_speech import StridedSpeech
from instructavatar.models.conditions.text import TextCondition
from instructavatar.models.conformer import Conformer
from instructavatar.models.denoiser import Denoiser
from instructavatar.models.diffusion.readers import MotionReader
from instructavatar.models.diffusion.schedule import CosineSchedule, LinearSchedule
from instructavatar.models.diffusion.weighting import ColumnWeights
from instructavatar.models.export import example_extras, example_inputs
from instructavatar.models.inputs import INPUT_NAMES
from instructavatar.models.motion_diffusion import Dropout, LossTerms, MotionDiffusion

DIM, WIDTH, SPEECH, TEXT = 58, 32, 24, 20
UNITS = len(ACTION_UNITS)


def tiny(patch: int = 2, trained: bool = True, two_ffn: bool = False, dim: int = DIM) -> Denoiser:
    """The default network's parts."""
    torch.manual_seed(0)
    net = Denoiser(
        Conformer(WIDTH, layers=2, heads=2, hidden=64, kernel=5, level_width=16, text_every=1, two_ffn=two_ffn),
        SpeechCondition(SPEECH, WIDTH, patch, inner=16, heads=2, hidden=32),
        TextCondition(TEXT, WIDTH, heads=2),
        ClockCondition(WIDTH),
        dim,
        patch,
    ).eval()
    return as_trained(net) if trained else net


def tiny_paper(patch: int = 1, trained: bool = True, dim: int = DIM, dropout: float = 0.0) -> Denoiser:
    """The published network's parts."""
    torch.manual_seed(0)
    net = Denoiser(
        Conformer(WIDTH, 2, 2, hidden=64, kernel=5, level_width=16, text_every=1, two_ffn=True, hears=True, keyed=True, dropout=dropout),
        StridedSpeech(SPEECH, WIDTH, patch, layers=1, heads=2, hidden=32, kernel=5, dropout=dropout),
        AdaptedText(TEXT, WIDTH, hidden=24, layers=1, dropout=dropout),
        ClockCondition(WIDTH),
        dim,
        patch,
        KeyCondition(dim, WIDTH, hidden=24, layers=1, dropout=dropout),
        PoseCondition(WIDTH, patch, hidden=16, dropout=dropout),
        level_waves=32,
        level_hidden=48,
    ).eval()
    return as_trained(net) if trained else net


def as_trained(net: Denoiser) -> Denoiser:
    """The same network with something where weights begin at zero, which would hide mistakes."""
    for parameter in net.parameters():
        if not parameter.abs().sum():
            torch.nn.init.normal_(parameter, std=0.1)
    return net


def inputs(t: int, b: int = 1, tokens: int = 5, segments: int = 2, net: Denoiser | None = None) -> dict[str, torch.Tensor]:
    """Inputs of a network by name; those that all have without one."""
    dim = DIM if net is None else net.motion_dim
    feed = dict(zip(INPUT_NAMES, example_inputs(dim, SPEECH, TEXT, b, t, tokens, segments), strict=True))
    extras = {} if net is None else {name: value for name, value in example_extras(dim, b, t).items() if name in net.extra_inputs}
    return feed | extras


def padded(feed: dict[str, torch.Tensor], frames: int, tokens: int, segments: int) -> dict[str, torch.Tensor]:
    """The same clip with junk behind it in time, and dead tokens and segments."""
    grown = {}
    for name, value in feed.items():
        shape = list(value.shape)
        if name not in ("noise_level", "tokens", "pooled", "key"):
            shape[1] += 2 * frames if name == "speech" else frames
        if name in ("tokens", "tokens_alive"):
            shape[1 if name == "tokens" else 2] += tokens
        if name in ("pooled", "pooled_alive"):
            shape[1 if name == "pooled" else 2] += segments
        fill = 0.0 if name in ("frame_mask", "tokens_alive", "pooled_alive") else 3.0
        grown[name] = torch.full(shape, fill)
        grown[name][tuple(slice(0, n) for n in value.shape)] = value
    return grown


def diffusion(paper: bool = False, dim: int = DIM, dropout: float = 0.0, **terms: float) -> MotionDiffusion:
    """A denoiser, untrained, with its losses."""
    if not paper:
        settings = LossTerms(**{"penalty": "square", **terms})
        return MotionDiffusion(tiny(trained=False, dim=dim), CosineSchedule(), ColumnWeights(dim), Dropout(speech=0.2, token=0.1), settings)
    found = {"penalty": "absolute", "velocity": 0.0, "noise": 1.0, "level_lowest": 1.0, "level_highest": 1.0}
    found |= {"pose": 1.0, "units": 0.1, "intensity": 0.1} | terms
    readers = {"units": MotionReader(dim, UNITS, 16), "intensity": MotionReader(dim, 3, 16)}
    kept = {name: reader for name, reader in readers.items() if found[name]}
    net = tiny_paper(trained=False, dim=dim, dropout=dropout)
    return MotionDiffusion(net, LinearSchedule(), ColumnWeights(dim), Dropout(speech=0.0), LossTerms(**found), kept)


def toy_batch(b: int = 4, t: int = 12, dim: int = DIM, seed: int = 0) -> SimpleNamespace:
    """A batch of training by the names of `inputs.MotionBatch`: smooth motion that depends on speech and text; the last clip is short."""
    feed = {name: value for name, value in zip(INPUT_NAMES, example_inputs(dim, SPEECH, TEXT, b, t), strict=True)}
    generator = torch.Generator().manual_seed(seed)
    curve = feed["speech"][:, ::2, :1] + feed["pooled"].mean((1, 2))[:, None, None]
    mask = torch.ones(b, t)
    mask[-1, t // 2 :] = 0
    label = torch.arange(b)
    return SimpleNamespace(
        motion=(0.5 * curve * torch.linspace(-1, 1, dim)).contiguous() * mask[..., None],
        known_mask=feed["known_mask"],
        **{name: feed[name] for name in ("speech", "tokens", "pooled", "tokens_alive", "pooled_alive", "clock")},
        speech_mask=mask * (label % 2 == 0)[:, None],
        frame_mask=mask,
        key=torch.randn(b, dim, generator=generator),
        key_mask=(label != 1).float(),
        pose=10 * torch.randn(b, t, 3, generator=generator),
        pose_mask=mask * (label != 2)[:, None],
        units=(torch.rand(b, UNITS, generator=generator) < 0.1).float(),
        units_mask=(label != 3).float(),
        intensity=label % 4,
    )
