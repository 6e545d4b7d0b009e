"""Classifier-free guidance with a scale of its own for the speech and for the text.

Up to three versions of the conditions go through the network in one call:

    bare    some unknown speech (or none, in a silent clip), no instruction
    spoken  the speech, no instruction
    full    the speech and the instruction

x = bare + speech_scale (spoken - bare) + text_scale (full - spoken). Versions that a scale leaves out are not computed.

The text pulls harder while there is much noise, where it is decided what is done, and mildly at the end, where it is decided how much:
guidance in a limited interval (Kynkaanniemi et al. 2024, Section 3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
EARLY_ABOVE = 0.6  # noise level; at 8 even steps the first four decide what is done


@dataclass(frozen=True)
class Branch:
    """One version of the conditions and its share in the result."""

    speech: bool
    text: bool
    share: float
    late_share: float

    def share_at(self, noise_level: float) -> float:
        """Share at a noise level, 1 (noise) to 0 (clean)."""
        return self.share if noise_level > EARLY_ABOVE else self.late_share


def branches(
    has_speech: bool, has_text: bool, speech_scale: float = 1.0, text_scale: float = 1.0, late_text_scale: float | None = None
) -> tuple[Branch, ...]:
    """The versions that count, with their shares; shares sum to 1, early and late. Without a late scale the text's does not change.

    >>> [(b.speech, b.text, b.share) for b in branches(True, True, 1.0, 1.0)]
    [(True, True, 1.0)]
    """
    speech_scale = speech_scale if has_speech else 1.0
    early = text_scale if has_text else 0.0
    late = early if late_text_scale is None or not has_text else late_text_scale
    wanted = (
        Branch(not has_speech, False, 1 - speech_scale, 1 - speech_scale),
        Branch(True, False, speech_scale - early, speech_scale - late),
        Branch(True, True, early, late),
    )
    return tuple(b for b in wanted if max(abs(b.share), abs(b.late_share)) > 1e-9)


def combine(outputs: Array, chosen: tuple[Branch, ...], noise_level: float = 1.0) -> Array:
    """Outputs [branches, T, D] at a noise level to one [T, D]."""
    return sum(np.float32(b.share_at(noise_level)) * out for b, out in zip(chosen, outputs, strict=True))  # type: ignore[return-value]
