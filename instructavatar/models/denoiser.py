"""The network: noisy motion, speech and text in, clean motion out. One call is one denoising step.

B batch, T frames (25 Hz), D motion width, C feature widths, L text tokens, S segments, N = ceil(T / patch) tokens, W width.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from instructavatar.models.conditions.adapted_text import AdaptedText
from instructavatar.models.conditions.clock import ClockCondition
from instructavatar.models.conditions.key import KeyCondition
from instructavatar.models.conditions.known import impose, known_channels
from instructavatar.models.conditions.pose import PoseCondition
from instructavatar.models.conditions.speech import SpeechCondition
from instructavatar.models.conditions.strided_speech import StridedSpeech
from instructavatar.models.conditions.text import TextCondition
from instructavatar.models.conformer import Conformer, Steering, patch_sum
from instructavatar.models.inputs import EXTRA_NAMES, INPUT_NAMES
from instructavatar.models.positions import sinusoid


class Denoised(NamedTuple):
    """Clean motion, and the head pose that was predicted on the way."""

    motion: Tensor  # [B, T, D] normalised
    pose_deg: Tensor | None  # [B, T, 3] pitch, yaw, roll; None without a pose condition


class Denoiser(nn.Module):
    """Predicts clean motion. Handed its parts, so that a test hands it tiny ones.

    Args:
        backbone: the Conformer.
        speech: what is heard.
        text: what is asked for.
        clock: where in its segment a frame is.
        motion_dim: D.
        patch: frames per token.
        key: the key frame, for a backbone that is `keyed`.
        pose: predicts the head's pose, or takes a given one.
        level_waves: sine and cosine features of the noise level.
        level_hidden: width within its perceptron; that of its embedding when not given.
    """

    def __init__(
        self,
        backbone: Conformer,
        speech: SpeechCondition | StridedSpeech,
        text: TextCondition | AdaptedText,
        clock: ClockCondition,
        motion_dim: int = 58,
        patch: int = 2,
        key: KeyCondition | None = None,
        pose: PoseCondition | None = None,
        level_waves: int = 64,
        level_hidden: int | None = None,
    ) -> None:
        super().__init__()
        for name, found in (("speech", speech.patch // 2), ("pose", patch if pose is None else pose.patch)):
            if found != patch:
                raise ValueError(f"expected a {name} condition of the same patch {patch}, got {found}")
        if backbone.keyed != (key is not None):
            raise ValueError("expected a key condition and a backbone with keyed: true, or neither, got one of them")
        self.patch = patch
        self.motion_dim = motion_dim
        self.backbone = backbone
        self.speech = speech
        self.text = text
        self.clock = clock
        width, level = backbone.width, backbone.level_width
        # per frame: motion, which of it is known, and whether there is sound
        self.enter = nn.Linear(patch * (2 * motion_dim + 1), width)
        inner = level_hidden or level
        self.level_waves = level_waves
        self.level = nn.Sequential(nn.Linear(level_waves, inner), nn.SiLU(), nn.Linear(inner, level), nn.SiLU())
        self.leave = nn.Linear(width, patch * motion_dim)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)
        self.key = key
        self.pose = pose

    @property
    def extra_inputs(self) -> tuple[str, ...]:
        """Which of `EXTRA_NAMES` the network takes."""
        taken = (self.key is not None, self.pose is not None, self.pose is not None)
        return tuple(name for name, on in zip(EXTRA_NAMES, taken, strict=True) if on)

    def forward(self, *given: Tensor, **named: Tensor) -> Tensor:
        """Clean motion [B, T, D] of `denoise`; in place, inputs stand in the order of `INPUT_NAMES`, then of `extra_inputs`."""
        in_place = zip((*INPUT_NAMES, *self.extra_inputs), given, strict=False)
        return self.denoise(**dict(in_place), **named).motion

    def denoise(
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
        key: Tensor | None = None,
        pose: Tensor | None = None,
        pose_mask: Tensor | None = None,
    ) -> Denoised:
        """Clean motion [B, T, D], normalised; the inputs are described in `inputs`. Known entries come back as given."""
        frames = x.shape[1]
        live = frame_mask[..., None]
        mask = self._fit(frame_mask)
        token_mask = self._fold(mask).amax(-1)
        sound = self._fit(speech_mask * frame_mask)
        audible = token_mask * (self._fold(sound).amax(-1) > 0)
        heard = self.speech(self._fit(speech, 2), sound, audible)
        heard, pose_deg = self._posed(heard, audible, pose, pose_mask, frame_mask)
        tokens_on, pooled_on = self._mean(tokens_alive, mask), self._mean(pooled_alive, mask)
        context = self.text(tokens, pooled, tokens_on, pooled_on)
        entered = torch.cat([known_channels(x, known, known_mask), speech_mask[..., None]], dim=-1) * live
        h = self.enter(self._fold(self._fit(entered)))
        if not self.backbone.hears:
            h = h + heard
        h = h + self.clock(self._mean(clock, mask), _any_alive(pooled_on))
        # noise level x 1000, as sinusoidal embeddings need steps of order one to tell levels apart
        level = self.level(sinusoid(noise_level * 1000.0, self.level_waves))
        bend = None if self.key is None or key is None else self.key(key)
        h = self.backbone(h, token_mask, Steering(level, heard, bend), context)
        out = self.leave(h).reshape(h.shape[0], -1, self.motion_dim)[:, :frames]
        return Denoised(impose(out, known, known_mask) * live, None if pose_deg is None else pose_deg[:, :frames])

    def _posed(
        self, heard: Tensor, audible: Tensor, pose: Tensor | None, pose_mask: Tensor | None, frame_mask: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """Heard features with those of the pose, and the predicted pose; both as they were without a pose condition."""
        if self.pose is None:
            return heard, None
        if pose is None or pose_mask is None:
            pose, pose_mask = frame_mask.new_zeros((*frame_mask.shape, 3)), torch.zeros_like(frame_mask)
        shown = pose_mask * frame_mask
        posed = self.pose(heard, audible, self._fit(pose * shown[..., None]), self._fit(shown))
        return heard + posed.features, posed.predicted_deg

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
