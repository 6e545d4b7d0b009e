"""A case: one clip that is judged, and all that it is judged by."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from instructavatar.face.motion import FRAME_RATE_HZ, SAMPLE_RATE_HZ
from instructavatar.metrics.base import NotScored, Take
from instructavatar.metrics.clips import Clip, Sound, StillClip
from instructavatar.metrics.pairs import Asked, Phone


@dataclass(frozen=True)
class Case:
    """What a metric is given. What is missing is None; the methods that need it raise `NotScored`."""

    name: str
    """The pair's."""
    clip: Clip
    """The clip that is judged."""
    portrait: StillClip
    """The picture it was made from: one frame."""
    asked: Asked
    """The instruction and what is known about it."""
    truth: Clip | None = None
    """The real clip of the same speech and portrait."""
    baseline: Clip | None = None
    """The same portrait's clip without an instruction."""
    sound: Sound | None = None
    """Mono at 16 kHz [N] that the lips should follow."""
    sound_key: str = ""
    """Names the sound: equal keys, equal sounds."""
    phones: tuple[Phone, ...] = ()
    """(phone, start_s, end_s) of the sound; () where nobody says."""

    def needs_truth(self) -> Clip:
        """The real clip."""
        if self.truth is None:
            raise NotScored("no reference video")
        return self.truth

    def both(self, least_s: float = 0.0) -> tuple[Take, Take]:
        """The takes of the clip and of the truth over their common length."""
        mine, true = self.clip.take, self.needs_truth().take
        frames = min(len(mine), len(true))
        if frames < max(least_s * FRAME_RATE_HZ, 1):
            raise NotScored(f"shorter than {least_s:g} s")
        return mine.first(frames), true.first(frames)

    def long_enough(self, least_s: float) -> Take:
        """The clip's take."""
        if len(self.clip.take) < least_s * FRAME_RATE_HZ:
            raise NotScored(f"shorter than {least_s:g} s")
        return self.clip.take

    def needs_sound(self, least_s: float = 0.0) -> Sound:
        """The sound, cut or filled with silence to the clip's length."""
        if self.sound is None or not np.any(self.sound):
            raise NotScored("no sound")
        samples = len(self.clip) * SAMPLE_RATE_HZ // FRAME_RATE_HZ
        if samples < least_s * SAMPLE_RATE_HZ:
            raise NotScored(f"shorter than {least_s:g} s")
        return np.pad(self.sound[:samples], (0, max(samples - len(self.sound), 0)))

    def calm(self) -> Take:
        """The face without an instruction: the baseline clip, or the portrait where there is none."""
        return (self.baseline or self.portrait).take

    def asked_as(self, asked: Asked) -> Case:
        """The same clip, judged by another instruction."""
        return replace(self, asked=asked)
