"""What a clip is generated from, cut to a window and laid out as the network wants it.

T video frames (25 Hz) of 2 speech features each, C feature width, L text tokens, S segments, D motion width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import BadOption
from instructavatar.face.motion import SPEECH_PER_FRAME
from instructavatar.face.script import Script, Segment, alive_frames
from instructavatar.motion.windows import Window

Array = NDArray[np.float32]


class TextStates(Protocol):
    """Encoded segments, as `features.text` gives them; read-only, so that a frozen record fits."""

    @property
    def tokens(self) -> NDArray[np.float32]:
        """States of the tokens [S, L, C]."""

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Which tokens are real [S, L]."""

    @property
    def pooled(self) -> NDArray[np.float32]:
        """One state per segment [S, C]."""


@dataclass(frozen=True)
class Text:
    """A script with the states of its segments; without an instruction, one dead state."""

    segments: tuple[Segment, ...]
    tokens: Array  # [L, C], all segments one after another
    pooled: Array  # [S, C]
    owner: NDArray[np.int64]  # [L] segment of each token

    @staticmethod
    def of(script: Script | None, states: TextStates | None, width: int) -> Text:
        """Lay out the states of a script's segments."""
        if script is None or not script.segments:
            return Text((), np.zeros((1, width), np.float32), np.zeros((1, width), np.float32), np.zeros(1, np.int64))
        if states is None or len(states.pooled) != len(script.segments):
            got = "none" if states is None else str(len(states.pooled))
            raise BadOption(f"expected the text states of {len(script.segments)} segments, got {got}; encode every segment's text")
        tokens = np.concatenate([t[m] for t, m in zip(states.tokens, states.mask, strict=True)])
        owner = np.repeat(np.arange(len(script.segments)), states.mask.sum(1))
        return Text(script.segments, tokens.astype(np.float32), states.pooled.astype(np.float32), owner)

    def within(self, window: Window) -> Text:
        """What of the text is alive in some frame of the window; one dead state if nothing is.

        Dead states change nothing, but attention pays for them: an hour's script would cost each window all of its tokens.
        """
        live = np.asarray(self.alive(window).any(0))
        if live.all():
            return self
        if not live.any():
            return Text.of(None, None, self.tokens.shape[1])
        kept = live[self.owner]
        renumbered = np.cumsum(live) - 1
        segments = tuple(segment for segment, on in zip(self.segments, live, strict=True) if on)
        return Text(segments, self.tokens[kept], self.pooled[live], renumbered[self.owner[kept]])

    def alive(self, window: Window) -> Array:
        """Which segment lives in which frame of the window [T, S]."""
        if not self.segments:
            return np.zeros((len(window), 1), np.float32)
        return alive_frames(self.segments, window.start, len(window))


def speech_of(speech: Array | None, window: Window, width: int) -> Array:
    """Features [2T, C] of the window; zeros past the end of the sound."""
    out = np.zeros((SPEECH_PER_FRAME * len(window), width), np.float32)
    if speech is not None:
        stretch = speech[SPEECH_PER_FRAME * window.start : SPEECH_PER_FRAME * window.stop]
        out[: len(stretch)] = stretch
    return out
