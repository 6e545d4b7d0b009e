"""The key frame: one frame of motion that shows the person, apart from the stretch that is to be learnt.

At inference it is the portrait's own. In training it comes from the same clip, from another clip of the person, or from a neutral one.
D is the width of the motion.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

KINDS = ("same", "person", "neutral", "no")
"""Where a key frame comes from: the clip itself, another clip of the speaker, a neutral clip of the speaker, nowhere."""


def checked_kinds(chances: Mapping[Any, float]) -> dict[str, float]:
    """Chances by kind; misspelt ones, or such that do not sum to 1, are refused."""
    # YAML takes a bare `no` for False
    found = {"no" if name is False else str(name): number for name, number in chances.items()}
    unknown = [name for name in found if name not in KINDS]
    if unknown:
        raise ValueError(f"expected key frames from {', '.join(KINDS)}, got {', '.join(unknown)}")
    numbers = list(found.values())
    if not all(math.isfinite(number) and number >= 0 for number in numbers) or abs(sum(numbers) - 1) > 1e-6:
        raise ValueError(f"expected chances of key frames from 0 to 1 that sum to 1, got {', '.join(map(str, numbers))}")
    return found


@dataclass(frozen=True)
class Speaker:
    """Clips of one speaker in one split, so that no model sees a frame that judges it."""

    clips: list[str] = field(default_factory=list)
    neutral: list[str] = field(default_factory=list)


class KeyFrames:
    """Draws key frames. Who speaks in which clip is read once, when it is first needed.

    Args:
        source: a store.
        chances: how often a key frame comes from each of `KINDS`.
    """

    def __init__(self, source: Any, chances: Mapping[Any, float]) -> None:
        self.source, kinds = source, checked_kinds(chances)
        self.odds = np.array([float(kinds.get(kind, 0)) for kind in KINDS])
        self._speakers: dict[str, Speaker] | None = None

    def draw(self, key: str, motion: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32] | None:
        """Motion [D] of a frame drawn evenly, or None; a speaker without such a clip gives one of the clip itself.

        Args:
            key: the clip.
            motion: all of its motion [T, D].
            rng: the chance.
        """
        kind = KINDS[int(rng.choice(len(KINDS), p=self.odds))]
        if kind == "no":
            return None
        other = self._other(key, kind, rng)
        if other is not None:
            motion = np.asarray(self.source.read(other, ("motion_latent",))["motion_latent"], np.float32)
        return motion[int(rng.integers(len(motion)))]

    def _other(self, key: str, kind: str, rng: np.random.Generator) -> str | None:
        """The clip that the key frame comes from; None is the clip itself."""
        speaker = None if kind == "same" else self.speakers.get(key)
        if speaker is None:
            return None
        clips = speaker.neutral if kind == "neutral" else [clip for clip in speaker.clips if clip != key]
        return clips[int(rng.integers(len(clips)))] if clips else None

    @property
    def speakers(self) -> dict[str, Speaker]:
        """The speaker of each clip that names one."""
        if self._speakers is None:
            self._speakers = dict(self._index())
        return self._speakers

    def _index(self) -> Iterator[tuple[str, Speaker]]:
        for split in self.source.header.splits:
            found: dict[str, Speaker] = {}
            for key, head in self.source.heads(split):
                if head["speaker"]:
                    speaker = found.setdefault(head["speaker"], Speaker())
                    speaker.clips.append(key)
                    if head["emotion"] == "neutral" or not head["instruction"]:
                        speaker.neutral.append(key)
                    yield key, speaker
