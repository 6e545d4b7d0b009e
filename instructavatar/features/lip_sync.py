"""How lips and sound go together: the opening of the mouth, the loudness of the sound, and how alike two curves are at every delay.

T frames at 25 Hz.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from instructavatar.face.landmarks import Landmarks
from instructavatar.face.motion import SAMPLES_PER_FRAME

LIPS = (13, 14)  # the middle of the inner lips, upper and lower
REACH = 15  # frames; 0.6 s to either side
FLOOR_DB = -60.0


def opening(faces: Sequence[Landmarks | None]) -> NDArray[np.float64]:
    """How far the mouth is open on each frame [T], in inter-ocular distances; gaps filled in linearly."""
    seen = [frame for frame, face in enumerate(faces) if face is not None]
    upper, lower = LIPS
    wide = [float(np.linalg.norm(f.points[upper, :2] - f.points[lower, :2])) / f.interocular_px for f in faces if f is not None]
    return np.interp(np.arange(len(faces)), seen, wide)


def loudness(audio: NDArray[np.float32], frames: int) -> NDArray[np.float64]:
    """Loudness of each frame [T] in dB full scale, not below -60."""
    heard = np.zeros(frames * SAMPLES_PER_FRAME, np.float64)
    heard[: min(len(audio), len(heard))] = audio[: len(heard)]
    power = (heard.reshape(frames, SAMPLES_PER_FRAME) ** 2).mean(1)
    return 10 * np.log10(np.maximum(power, 10 ** (FLOOR_DB / 10)))


def correlations(lips: NDArray[np.float64], sound: NDArray[np.float64], reach: int = REACH) -> NDArray[np.float64]:
    """R of the two curves [T] at every delay from -reach to reach frames [2 * reach + 1]; at +3 the lips come 3 frames late."""
    found = np.zeros(2 * reach + 1)
    for place, delay in enumerate(range(-reach, reach + 1)):
        late, early = (lips[delay:], sound[: len(sound) - delay]) if delay >= 0 else (lips[:delay], sound[-delay:])
        if len(late) > reach and late.std() > 0 and early.std() > 0:
            found[place] = float(np.corrcoef(late, early)[0, 1])
    return found
