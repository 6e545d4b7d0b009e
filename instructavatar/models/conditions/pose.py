"""Head pose: predicted from what is heard, or given; its features join those of the speech.

B batch, T frames (25 Hz), N = ceil(T / patch) motion tokens, W width.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

POSE_SCALE_DEG = 15.0  # about the deviation of a lively head's yaw; keeps what the layers see near one


class Posed(NamedTuple):
    """What the pose adds, and the prediction that it was, or would have been, made from."""

    features: Tensor  # [B, N, W]
    predicted_deg: Tensor  # [B, N * patch, 3] pitch, yaw, roll


class PoseCondition(nn.Module):
    """Predicts the pose from the heard features, which learn nothing by it, and turns the pose into features.

    The published network is shown the true pose in training and must live on its own prediction afterwards. Here it is shown its own, so
    that it trains on what it will get; `shown` is the probability that a clip shows the true one, which teaches it to follow a pose that
    a user gives. 1 is the published way.
    """

    def __init__(self, width: int, patch: int = 1, *, hidden: int = 384, layers: int = 2, dropout: float = 0.0, shown: float = 0.1) -> None:
        super().__init__()
        if not 0 <= shown <= 1:
            raise ValueError(f"expected a probability from 0 to 1, got {shown}")
        self.patch = patch
        self.shown = shown
        self.convs = nn.ModuleList(nn.Conv1d(width if i == 0 else hidden, hidden, 3, padding=1) for i in range(layers))
        self.norms = nn.ModuleList(nn.LayerNorm(hidden) for _ in range(layers))
        self.dropout = nn.Dropout(dropout)
        self.predict = nn.Linear(hidden, 3 * patch)
        self.enter = nn.Linear(3 * patch, width)

    def forward(self, heard: Tensor, token_mask: Tensor, given_deg: Tensor, given_mask: Tensor) -> Posed:
        """From heard features [B, N, W] and where there is something to hear [B, N]; a given pose [B, N * patch, 3] wins under its mask.

        Where there is neither sound nor a given pose, nothing is added: silence has no rhythm to nod to.
        """
        b, n, _ = heard.shape
        h = heard.detach()
        for conv, norm in zip(self.convs, self.norms, strict=True):
            h = conv((h * token_mask[..., None]).transpose(1, 2)).transpose(1, 2)  # (B, N, W) -> (B, W, N) and back
            h = self.dropout(norm(h.relu()))
        predicted = self.predict(h).reshape(b, n * self.patch, 3)
        shown = given_mask[..., None]
        # the prediction learns from its own loss alone, so that it stays a pose
        pose = given_deg / POSE_SCALE_DEG * shown + predicted.detach() * (1 - shown)
        live = torch.maximum(token_mask, given_mask.reshape(b, n, self.patch).amax(-1))
        return Posed(self.enter(pose.reshape(b, n, 3 * self.patch)) * live[..., None], predicted * POSE_SCALE_DEG)
