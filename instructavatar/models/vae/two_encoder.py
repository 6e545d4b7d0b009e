"""The two-encoder VAE: an appearance encoder (a quarter of the side), a motion encoder (a sixteenth) and one decoder.

B batch, S side of a picture in pixels, C channels of a latent, Z channels where both meet, D = C x (S / 16)^2 numbers of motion. Pictures
are RGB in -1..1. The encoders' and the decoder's blocks are those of diffusers, which have the published geometry and its parameter count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from diffusers.models.autoencoders.vae import Decoder, Encoder
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

APPEARANCE_FACTOR = 4
MOTION_FACTOR = 16
LOG_VARIANCE_RANGE = (-30.0, 20.0)  # beyond it the exponential leaves float32


@dataclass(frozen=True)
class Gaussian:
    """A diagonal normal distribution over a latent."""

    mean: Tensor
    """[B, C, h, w]"""
    log_variance: Tensor
    """[B, C, h, w]"""

    @classmethod
    def of(cls, moments: Tensor) -> Gaussian:
        """The distribution whose moments [B, 2C, h, w] a network gives; in float32 whatever the network computes in."""
        mean, log_variance = moments.float().chunk(2, 1)
        return cls(mean, log_variance.clamp(*LOG_VARIANCE_RANGE))

    def sample(self, chance: torch.Generator | None = None) -> Tensor:
        """A draw; its noise comes from the CPU, so that a seed means the same on every device."""
        noise = torch.randn(self.mean.shape, generator=chance).to(self.mean.device)
        return self.mean + torch.exp(0.5 * self.log_variance) * noise

    def divergence(self) -> Tensor:
        """[B] Kullback-Leibler divergence from the standard normal, summed over the latent, in nats."""
        return 0.5 * (self.mean.square() + self.log_variance.exp() - 1 - self.log_variance).flatten(1).sum(1)


@dataclass(frozen=True)
class Encoded:
    """What a pair of pictures becomes, and the picture made from it."""

    appearance: Gaussian
    motion: Gaussian
    output: Tensor
    """[B, 3, S, S], about -1..1"""


class MotionTail(nn.Module):
    """From a quarter of the side to a sixteenth: two convolutions of stride 2, then 1x1."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.down = nn.Sequential(*(nn.Conv2d(channels, channels, 3, stride=2, padding=1) for _ in range(2)))
        self.last = nn.Conv2d(channels, channels, 1)

    def forward(self, moments: Tensor) -> Tensor:
        """[B, 2C, S/4, S/4] -> [B, 2C, S/16, S/16]."""
        return self.last(self.down(moments))


class MotionLift(nn.Module):
    """Back from a sixteenth to a quarter: twice nearest neighbour and a convolution."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList([nn.Conv2d(channels, width, 3, padding=1), nn.Conv2d(width, width, 3, padding=1)])

    def forward(self, latent: Tensor) -> Tensor:
        """[B, C, S/16, S/16] -> [B, width, S/4, S/4]."""
        for conv in self.convs:
            latent = conv(nn.functional.interpolate(latent, scale_factor=2.0, mode="nearest"))
        return latent


class TwoEncoderVae(nn.Module):
    """Appearance of one frame + landmarks of another -> that other frame.

    Args:
        size: S, a multiple of 16.
        channels: width of the first level.
        multipliers: width of each level over the first: three levels, one fewer for each doubling of `patch`.
        blocks: residual blocks per level of the encoders; the decoder has one more.
        appearance_channels: C of the appearance latent.
        motion_channels: C of the motion latent.
        fused_channels: Z; as published, no wider than a latent.
        lift_channels: width of the motion once it is back at a quarter of the side; that of its latent without one.
        norm_groups: groups of the group norms; must divide every level's width.
        middle_attention: attention at the coarsest level.
        patch: side of the pixel blocks that enter and leave as one place: 1 as published; 2 and 4 leave out the finest and dearest levels.
        drawn_scale: side of the picture of landmarks over S; 1 as published. At 2 the lips of a small face do not run together.
        checkpointing: compute blocks again on the way back instead of keeping them; about a third more time, far less memory.
    """

    def __init__(
        self,
        size: int = 256,
        channels: int = 256,
        multipliers: Sequence[int] = (1, 2, 4),
        blocks: int = 8,
        appearance_channels: int = 3,
        motion_channels: int = 3,
        fused_channels: int = 3,
        lift_channels: int | None = None,
        norm_groups: int = 32,
        middle_attention: bool = True,
        patch: int = 1,
        drawn_scale: int = 1,
        checkpointing: bool = False,
    ) -> None:
        super().__init__()
        widths = tuple(channels * factor for factor in multipliers)
        _check(size, widths, norm_groups, patch, drawn_scale)
        self.size, self.patch, self.drawn_scale = size, patch, drawn_scale
        self.appearance_channels, self.motion_channels = appearance_channels, motion_channels
        shape: dict[str, Any] = {"block_out_channels": widths, "norm_num_groups": norm_groups, "mid_block_add_attention": middle_attention}
        downs, ups = ("DownEncoderBlock2D",) * len(widths), ("UpDecoderBlock2D",) * len(widths)
        colours = 3 * patch**2
        self.encoder = Encoder(colours, appearance_channels, downs, layers_per_block=blocks, **shape)
        self.quant_conv = nn.Conv2d(2 * appearance_channels, 2 * appearance_channels, 1)
        self.motion_encoder = Encoder(colours * drawn_scale**2, motion_channels, downs, layers_per_block=blocks, **shape)
        self.motion_tail = MotionTail(2 * motion_channels)
        lifted = lift_channels or motion_channels
        self.motion_lift = MotionLift(motion_channels, lifted)
        self.fusion = nn.Conv2d(appearance_channels + lifted, fused_channels, 1)
        self.post_quant_conv = nn.Conv2d(fused_channels, fused_channels, 1)
        self.decoder = Decoder(fused_channels, colours, ups, layers_per_block=blocks, **shape)
        self._set_checkpointing(checkpointing)

    @property
    def appearance_shape(self) -> tuple[int, int, int]:
        """Shape of one appearance latent."""
        side = self.size // APPEARANCE_FACTOR
        return self.appearance_channels, side, side

    @property
    def motion_shape(self) -> tuple[int, int, int]:
        """Shape of one motion latent."""
        side = self.size // MOTION_FACTOR
        return self.motion_channels, side, side

    @property
    def motion_dim(self) -> int:
        """D."""
        channels, height, width = self.motion_shape
        return channels * height * width

    @property
    def drawn_size(self) -> int:
        """Side of a picture of landmarks in pixels."""
        return self.size * self.drawn_scale

    @property
    def last_weight(self) -> Tensor:
        """Weights of the last layer, whose gradients balance the terms of the loss."""
        return self.decoder.conv_out.weight

    def encode_appearance(self, picture: Tensor) -> Gaussian:
        """From pictures [B, 3, S, S]."""
        return Gaussian.of(self.quant_conv(self.encoder(blocks_of(picture, self.patch))))

    def encode_motion(self, drawn: Tensor) -> Gaussian:
        """From pictures of landmarks [B, 1, S', S'] in -1..1, S' = S times the scale of drawings."""
        return Gaussian.of(self.motion_tail(self.motion_encoder(blocks_of(drawn.expand(-1, 3, -1, -1), self.patch * self.drawn_scale))))

    def decode(self, appearance: Tensor, motion: Tensor) -> Tensor:
        """Pictures [B, 3, S, S] from latents [B, C, S/4, S/4] and [B, C, S/16, S/16]."""
        both = torch.cat([appearance, self.motion_lift(motion)], 1)
        blocks = self.decoder(self.post_quant_conv(self.fusion(both)))
        return nn.functional.pixel_shuffle(blocks, self.patch) if self.patch > 1 else blocks

    def forward(self, picture: Tensor, drawn: Tensor, chance: torch.Generator | None = None) -> Encoded:
        """Latents are drawn in training, and the most likely ones in evaluation."""
        appearance, motion = self.encode_appearance(picture), self.encode_motion(drawn)
        latents = [g.sample(chance) if self.training else g.mean for g in (appearance, motion)]
        return Encoded(appearance, motion, self.decode(*latents))

    def _set_checkpointing(self, on: bool) -> None:
        for part in (self.encoder, self.motion_encoder, self.decoder):
            part.gradient_checkpointing = on
            part._gradient_checkpointing_func = partial(checkpoint, use_reentrant=False)  # type: ignore[assignment]


def blocks_of(picture: Tensor, patch: int) -> Tensor:
    """[B, 3, S, S] -> [B, 3 P^2, S/P, S/P] for a patch of P."""
    return nn.functional.pixel_unshuffle(picture, patch) if patch > 1 else picture


def _check(size: int, widths: Sequence[int], groups: int, patch: int, drawn_scale: int) -> None:
    if drawn_scale < 1:
        raise ValueError(f"expected a drawn_scale of at least 1, got {drawn_scale}")
    levels = {1: 3, 2: 2, 4: 1}
    if patch not in levels:
        raise ValueError(f"expected a patch of {', '.join(map(str, levels))}, got {patch}")
    if size % MOTION_FACTOR or size <= 0:
        raise ValueError(f"expected a size that is a multiple of {MOTION_FACTOR}, got {size}")
    if len(widths) != levels[patch]:
        raise ValueError(f"expected {levels[patch]} multipliers with a patch of {patch}, for a quarter of the side, got {len(widths)}")
    if any(width % groups for width in widths):
        raise ValueError(f"expected widths that {groups} norm groups divide, got {list(widths)}")
