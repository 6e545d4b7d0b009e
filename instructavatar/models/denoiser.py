"""The network: noisy motion, speech and text in, clean motion out. One call is one denoising step.

B batch, T frames (25 Hz), D motion width, C feature widths, L text tokens, S segments, N = ceil(T / patch) tokens, W width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from instructavatar.models.conditions.clock import ClockCondition
from instructavatar.models.conditions.known import impose, known_channels
from instructavatar.models.conditions.speech import SpeechCondition
from instructavatar.models.conditions.text import TextCondition
from instructavatar.models.conformer import Conformer, patch_sum
from instructavatar.models.positions import sinusoid


class Denoiser(nn.Module):
    """Predicts clean motion. Handed its parts, so that a test hands it tiny ones."""

    def __init__(
        self,
        backbone: Conformer,
        speech: SpeechCondition,
        text: TextCondition,
        clock: ClockCondition,
        motion_dim: int = 58,
        patch: int = 2,
    ) -> None:
        super().__init__()
        if speech.patch != 2 * patch:
            raise ValueError(f"expected a speech condition of the same patch {patch}, got {speech.patch // 2}")
        self.patch = patch
        self.motion_dim = motion_dim
        self.backbone = backbone
        self.speech = speech
        self.text = text
        self.clock = clock
        width, level = backbone.width, backbone.level_width
        # per frame: motion, which of it is known, and whether there is sound
        self.enter = nn.Linear(patch * (2 * motion_dim + 1), width)
        self.level = nn.Sequential(nn.Linear(64, level), nn.SiLU(), nn.Linear(level, level), nn.SiLU())
        self.leave = nn.Linear(width, patch * motion_dim)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(
        self,
        x: Tensor,
        noise_level: Tensor,
        known: Tensor,
        known_mask: Tensor,
        speech: Tensor,
        speech_mask: Tensor,
        tokens: Tensor,
        pooled: Tensor,
        tokens_alive: Tensor,
        pooled_alive: Tensor,
        clock: Tensor,
        frame_mask: Tensor,
    ) -> Tensor:
        """Clean motion [B, T, D], normalised; the inputs are described in `inputs.INPUT_NAMES`. Known entries come back as given."""
        frames = x.shape[1]
        live = frame_mask[..., None]
        mask = self._fit(frame_mask)
        token_mask = self._fold(mask).amax(-1)
        sound = self._fit(speech_mask * frame_mask)
        heard = self.speech(self._fit(speech, 2), sound, token_mask * (self._fold(sound).amax(-1) > 0))
        tokens_on, pooled_on = self._mean(tokens_alive, mask), self._mean(pooled_alive, mask)
        context = self.text(tokens, pooled, tokens_on, pooled_on)
        entered = torch.cat([known_channels(x, known, known_mask), speech_mask[..., None]], dim=-1) * live
        h = self.enter(self._fold(self._fit(entered))) + heard
        h = h + self.clock(self._mean(clock, mask), _any_alive(pooled_on))
        # noise level x 1000, as sinusoidal embeddings need steps of order one to tell levels apart
        level = self.level(sinusoid(noise_level * 1000.0, 64))
        h = self.backbone(h, token_mask, level, context)
        out = self.leave(h).reshape(h.shape[0], -1, self.motion_dim)[:, :frames]
        return impose(out, known, known_mask) * live

    def _fit(self, values: Tensor, rate: int = 1) -> Tensor:
        """Zero frames at the end, up to a multiple of the patch; [B, rate * T, ...]."""
        if self.patch == 1:
            return values
        frames = values.shape[1]
        block = self.patch * rate
        # appending a whole patch and cutting keeps the graph free of a branch on T
        tail = values.new_zeros((values.shape[0], block, *values.shape[2:]))
        return torch.cat([values, tail], dim=1)[:, : (frames + block - 1) // block * block]

    def _mean(self, values: Tensor, mask: Tensor) -> Tensor:
        """Means over the real frames of each token: [B, T, ...] to [B, N, ...]; mask [B, N * patch]."""
        if self.patch == 1:
            return values
        total = patch_sum(self._fit(values) * mask[..., None], self.patch)
        return total / patch_sum(mask, self.patch).clamp_min(1.0)[..., None]

    def _fold(self, values: Tensor) -> Tensor:
        """Frames side by side in their token: [B, N * patch, ...] to [B, N, patch * ...]."""
        return values.reshape(values.shape[0], values.shape[1] // self.patch, -1)


def _any_alive(pooled_alive: Tensor) -> Tensor:
    """How alive any segment is [B, N], for [B, N, S]; S may be 0."""
    return F.pad(pooled_alive, (0, 1)).amax(-1)
