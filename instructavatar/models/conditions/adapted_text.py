"""Text as the published model takes it: one perceptron for all states, and an adapter for each branch.

B batch, N motion tokens, L text tokens, S segments, C width of the text encoder, W width of the motion stream.
"""

from __future__ import annotations

from torch import Tensor, nn

from instructavatar.models.conditions.text import with_null
from instructavatar.models.conformer import TextContext
from instructavatar.models.perceptron import Perceptron


class AdaptedText(nn.Module):
    """Frozen states through a shared perceptron, then through an `Adapter`: one for pooled states, one for tokens.

    Made for CLIP: the pooled state is its projected `text_embeds`, tokens are its last hidden states, without padding.
    """

    def __init__(
        self, text_width: int, width: int, hidden: int = 1024, layers: int = 4, dropout: float = 0.0, kept: float = 0.4, narrow: int = 4
    ) -> None:
        super().__init__()
        self.text_width = text_width
        self.instruct = Perceptron(text_width, hidden, width, layers, dropout)
        self.emotion = Adapter(width, kept, narrow)
        self.action = Adapter(width, kept, narrow)

    def forward(self, tokens: Tensor, pooled: Tensor, tokens_alive: Tensor, pooled_alive: Tensor) -> TextContext:
        """Context from tokens [B, L, C], pooled [B, S, C] and who is alive when: [B, N, L], [B, N, S]."""
        emotion, action = self.emotion(self.instruct(pooled)), self.action(self.instruct(tokens))
        return TextContext(emotion, with_null(pooled_alive), action, with_null(tokens_alive))


class Adapter(nn.Module):
    """kept e + (1 - kept) adapted(e), where `adapted` passes through a layer `narrow` times as narrow."""

    def __init__(self, width: int, kept: float = 0.4, narrow: int = 4) -> None:
        super().__init__()
        if not 0 <= kept <= 1:
            raise ValueError(f"expected a share from 0 to 1, got {kept}")
        self.kept = kept
        self.net = nn.Sequential(
            nn.Linear(width, width // narrow, bias=False), nn.ReLU(), nn.Linear(width // narrow, width, bias=False), nn.ReLU()
        )

    def forward(self, states: Tensor) -> Tensor:
        """[..., W] to [..., W]."""
        return self.kept * states + (1 - self.kept) * self.net(states)
