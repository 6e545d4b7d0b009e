"""What the two-encoder VAE is trained for: named terms, each with a weight, and a critic that must not tell its pictures from real ones.

B batch, S side of a picture in pixels, N = 3 S S numbers of a picture. Pictures are RGB in -1..1. The published loss sums over a picture;
here every term is that sum over N, so its published weight holds and numbers at any size compare.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from instructavatar.models.vae import Encoded
from instructavatar.models.vae.perceptual import VggFeatures


@dataclass(frozen=True)
class Pair:
    """What a term looks at."""

    encoded: Encoded
    target: Tensor
    """[B, 3, S, S]"""
    points: Tensor
    """[B, 478, 2] landmarks of the target in pixels of S"""
    looks: Tensor
    """[B, 3, S, S] the picture that the appearance was taken from"""


class Term(nn.Module, ABC):
    """One number to make small."""

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        if not weight >= 0:
            raise ValueError(f"expected a weight of at least 0, got {weight}")
        self.weight = weight

    @abstractmethod
    def forward(self, pair: Pair) -> Tensor:
        """The term without its weight, a mean over the batch."""


class PixelTerm(Term):
    """L1 of all pixels."""

    def forward(self, pair: Pair) -> Tensor:
        """0..2."""
        return (pair.encoded.output - pair.target).abs().mean()


class FaceTerm(Term):
    """L1 inside the box of the target's landmarks, where a small model should spend its strength. Not in the published loss."""

    def forward(self, pair: Pair) -> Tensor:
        """0..2; each picture's face counts alike."""
        inside = box_masks(pair.points, pair.target.shape[-1])
        error = (pair.encoded.output - pair.target).abs().mean(1)
        return ((error * inside).sum((1, 2)) / inside.sum((1, 2)).clamp(min=1)).mean()


class ChangeTerm(Term):
    """L1 where the target differs from the looks: a small model else learns to copy them, for most of a picture stays as it is.

    Not in the published loss.
    """

    def forward(self, pair: Pair) -> Tensor:
        """0..2; a place counts by how much changes around it, and each picture alike."""
        changed = (pair.target - pair.looks).abs().mean(1, keepdim=True)
        share = functional.avg_pool2d(changed, 5, stride=1, padding=2)[:, 0]
        error = (pair.encoded.output - pair.target).abs().mean(1)
        return ((error * share).sum((1, 2)) / share.sum((1, 2)).clamp(min=1e-3)).mean()


class EdgeTerm(Term):
    """L1 of the differences between neighbours; keeps outlines where no trained net watches. Not in the published loss."""

    def forward(self, pair: Pair) -> Tensor:
        """0..4."""
        off = pair.encoded.output - pair.target
        return off.diff(dim=-1).abs().mean() + off.diff(dim=-2).abs().mean()


class PerceptualTerm(Term):
    """Distance of deep features: LPIPS (Zhang et al. 2018) where the trained weights of its layers are given too.

    Args:
        trunk: file with the 13 convolutions of a VGG16 (`VggFeatures.read`).
        lin: file with the weights of LPIPS's five layers; without one, channels count alike.
        weight: 1.0 as published.
    """

    def __init__(self, trunk: str, lin: str | None = None, weight: float = 1.0) -> None:
        super().__init__(weight)
        self.features = VggFeatures.read(trunk, lin)

    def forward(self, pair: Pair) -> Tensor:
        """0 for equal pictures."""
        return self.features.distance(pair.encoded.output, pair.target).mean()


class AppearanceDivergence(Term):
    """Divergence of the appearance latent from the standard normal, in nats over N."""

    def __init__(self, weight: float = 1e-6) -> None:
        super().__init__(weight)

    def forward(self, pair: Pair) -> Tensor:
        """At least 0."""
        return pair.encoded.appearance.divergence().mean() / pair.target[0].numel()


class MotionDivergence(Term):
    """Divergence of the motion latent from the standard normal, in nats over N."""

    def __init__(self, weight: float = 1e-6) -> None:
        super().__init__(weight)

    def forward(self, pair: Pair) -> Tensor:
        """At least 0."""
        return pair.encoded.motion.divergence().mean() / pair.target[0].numel()


def box_masks(points: Tensor, size: int) -> Tensor:
    """[B, S, S] 1 inside the box of points [B, n, 2], 0 elsewhere."""
    low, high = points.amin(1), points.amax(1)  # [B, 2]
    place = torch.arange(size, device=points.device)
    inside = (place >= low[..., None].floor()) & (place <= high[..., None].ceil())  # [B, 2, S]
    return (inside[:, 1, :, None] & inside[:, 0, None, :]).float()


class Terms(nn.Module):
    """All terms of a loss by their names."""

    def __init__(self, terms: Mapping[str, Term]) -> None:
        super().__init__()
        if not terms:
            raise ValueError("expected at least one term, got none; an L1 named 'l1' is the least")
        self.terms = nn.ModuleDict(dict(terms))

    def forward(self, pair: Pair) -> dict[str, Tensor]:
        """Each term by its name, and `loss`, their weighted sum. Computed in float32."""
        found = {name: term(pair) for name, term in self.terms.items()}
        total = sum(self.terms[name].weight * value for name, value in found.items())  # type: ignore[operator]
        return {"loss": total, **found}  # type: ignore[dict-item]


class PatchCritic(nn.Module):
    """PatchGAN (Isola et al. 2017): says of each patch how real it looks.

    Args:
        layers: of stride 2; 3 see patches of 70 pixels.
        width: channels of the first.
    """

    def __init__(self, layers: int = 3, width: int = 64) -> None:
        super().__init__()
        steps: list[nn.Module] = [nn.Conv2d(3, width, 4, 2, 1), nn.LeakyReLU(0.2)]
        before = width
        for number in range(1, layers + 1):
            after = width * min(2**number, 8)
            stride = 2 if number < layers else 1
            steps += [nn.Conv2d(before, after, 4, stride, 1, bias=False), nn.BatchNorm2d(after), nn.LeakyReLU(0.2)]
            before = after
        self.net = nn.Sequential(*steps, nn.Conv2d(before, 1, 4, 1, 1))
        self.apply(_begin)

    def forward(self, pictures: Tensor) -> Tensor:
        """[B, 1, h, w] above 0 for real."""
        return self.net(pictures)


def _begin(module: nn.Module) -> None:
    """The beginning of DCGAN, which adversarial training is known to start well from."""
    if isinstance(module, nn.Conv2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


class Adversary(nn.Module):
    """A critic and how much its word counts.

    Args:
        weight: over the adaptive weight; 0.5 as published.
        start_step: before it the critic neither learns nor counts.
        largest: bound of the adaptive weight, on the published scale.
        layers: of the critic.
        width: of the critic.
    """

    def __init__(self, weight: float = 0.5, start_step: int = 0, largest: float = 1e4, layers: int = 3, width: int = 64) -> None:
        super().__init__()
        self.critic = PatchCritic(layers, width)
        self.weight, self.start_step, self.largest = weight, start_step, largest

    def counts(self, step: int) -> bool:
        """Has its time come?"""
        return step >= self.start_step

    def judgement(self, output: Tensor) -> Tensor:
        """What the decoder makes small: how unreal its pictures look."""
        return -self.critic(output).float().mean()

    def lesson(self, real: Tensor, made: Tensor) -> Tensor:
        """What the critic makes small: the hinge loss over real and made pictures."""
        right, wrong = self.critic(real).float(), self.critic(made.detach()).float()
        return 0.5 * (functional.relu(1 - right).mean() + functional.relu(1 + wrong).mean())

    def balance(self, reconstruction: Tensor, judgement: Tensor, last_weight: Tensor, numbers: int) -> Tensor:
        """The adaptive weight (Esser et al. 2021, equation 7): gradient of the reconstruction over that of the judgement at the last layer.

        On the published scale of sums over `numbers` = N it is bounded by `largest`; what is not a number counts as the bound.
        """
        ours = torch.autograd.grad(reconstruction, last_weight, retain_graph=True)[0].float().norm() * numbers
        theirs = torch.autograd.grad(judgement, last_weight, retain_graph=True)[0].float().norm()
        ratio = torch.nan_to_num(ours / (theirs + 1e-4), nan=self.largest)
        return ratio.clamp(0.0, self.largest).detach() * self.weight / numbers
