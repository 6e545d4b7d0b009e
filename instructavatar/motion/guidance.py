"""Classifier-free guidance with a scale of its own for the speech and for the text.

Up to three versions of the conditions go through the network in one call:

    bare    some unknown speech (or none, in a silent clip), no instruction
    spoken  the speech, no instruction
    full    the speech and the instruction

x = bare + speech_scale (spoken - bare) + text_scale (full - spoken). Versions that a scale leaves out are not computed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Branch:
    """One version of the conditions and its share in the result."""

    speech: bool
    text: bool
    share: float


def branches(has_speech: bool, has_text: bool, speech_scale: float = 1.0, text_scale: float = 1.0) -> tuple[Branch, ...]:
    """The versions that count, with their shares; shares sum to 1.

    >>> [(b.speech, b.text, b.share) for b in branches(True, True, 1.0, 1.0)]
    [(True, True, 1.0)]
    """
    speech_scale = speech_scale if has_speech else 1.0
    text_scale = text_scale if has_text else 0.0
    wanted = (
        Branch(not has_speech, False, 1 - speech_scale),
        Branch(True, False, speech_scale - text_scale),
        Branch(True, True, text_scale),
    )
    return tuple(b for b in wanted if abs(b.share) > 1e-9)


def combine(outputs: Array, chosen: tuple[Branch, ...]) -> Array:
    """Outputs [branches, T, D] to one [T, D]."""
    return sum(np.float32(b.share) * out for b, out in zip(chosen, outputs, strict=True))  # type: ignore[return-value]
