"""The VAE as three ONNX graphs: both encoders (their most likely latents) and the decoder, free in the batch.

B batch, S side of a picture and S' of a picture of landmarks, D numbers of motion.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from instructavatar.models.vae.two_encoder import TwoEncoderVae

APPEARANCE, MOTION, DECODER = "appearance_encoder.onnx", "motion_encoder.onnx", "decoder.onnx"


class Part(nn.Module):
    """One function of a VAE as a module of its own, which is what the exporter takes."""

    def __init__(self, vae: TwoEncoderVae, run: Callable[..., Tensor]) -> None:
        super().__init__()
        self.vae = vae
        self.run = run

    def forward(self, *given: Tensor) -> Tensor:
        """What the function gives."""
        return self.run(self.vae, *given)


def appearance_latent(vae: TwoEncoderVae, picture: Tensor) -> Tensor:
    """[B, C, S/4, S/4] from pictures [B, 3, S, S]."""
    return vae.encode_appearance(picture).mean


def motion_latent(vae: TwoEncoderVae, drawn: Tensor) -> Tensor:
    """[B, D] from pictures of landmarks [B, 1, S', S']."""
    return vae.encode_motion(drawn).mean.flatten(1)


def decoded(vae: TwoEncoderVae, appearance: Tensor, motion: Tensor) -> Tensor:
    """[B, 3, S, S] from an appearance latent and motion [B, D]."""
    return vae.decode(appearance, motion.reshape(-1, *vae.motion_shape))


def export_vae(vae: TwoEncoderVae, folder: Path) -> list[str]:
    """Write the three graphs into a folder; gives their names. Each is written beside and renamed."""
    picture, drawn = torch.zeros(2, 3, vae.size, vae.size), torch.zeros(2, 1, vae.drawn_size, vae.drawn_size)
    latents = torch.zeros(2, *vae.appearance_shape), torch.zeros(2, vae.motion_dim)
    _export(Part(vae, appearance_latent), (picture,), ["picture"], folder / APPEARANCE)
    _export(Part(vae, motion_latent), (drawn,), ["drawn"], folder / MOTION)
    _export(Part(vae, decoded), latents, ["appearance", "motion"], folder / DECODER)
    return [APPEARANCE, MOTION, DECODER]


def _export(part: Part, given: tuple[Tensor, ...], names: list[str], path: Path) -> None:
    beside = path.with_suffix(".part")
    part.eval()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            part,
            given,
            str(beside),
            input_names=names,
            output_names=["output"],
            dynamic_axes={name: {0: "B"} for name in [*names, "output"]},
            opset_version=17,
            dynamo=False,
        )
    os.replace(beside, path)
