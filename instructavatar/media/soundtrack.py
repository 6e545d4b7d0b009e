"""The sound of a clip: what is listened to, at 16 kHz, and what is put under the video, as long as it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import BadMedia
from instructavatar.media.audio import SAMPLE_RATE_HZ, read_audio
from instructavatar.media.video import FRAME_RATE_HZ, read_video

FULL_RATE_HZ = 48_000
FULL_SOUND_S = 1200  # longer sound is kept at the 16 kHz that is there already


def samples_of(audio: Any) -> NDArray[np.float32] | None:
    """Sound [N] at 16 kHz from a path or from such samples; None for none."""
    if audio is None:
        return None
    if isinstance(audio, np.ndarray):
        whole = audio.ndim == 1 and audio.size > 0 and np.issubdtype(audio.dtype, np.floating)
        if not whole or not np.isfinite(audio).all():
            got = f"{audio.dtype} {list(audio.shape)}"
            raise BadMedia(f"expected finite mono samples [N] as floats from -1 to 1 at {SAMPLE_RATE_HZ} Hz, got an array of {got}")
        return audio.astype(np.float32)
    return read_audio(audio)


def soundtrack(audio: Any, samples: NDArray[np.float32] | None, frames: int) -> tuple[NDArray[np.float32] | None, int]:
    """The video's sound and its rate: a file's own at full quality, unless it is so long that memory would suffer."""
    if samples is None:
        return None, SAMPLE_RATE_HZ
    if isinstance(audio, np.ndarray) or len(samples) > FULL_SOUND_S * SAMPLE_RATE_HZ:
        return fitted(samples, frames * (SAMPLE_RATE_HZ // FRAME_RATE_HZ)), SAMPLE_RATE_HZ
    return fitted(read_audio(audio, FULL_RATE_HZ), frames * FULL_RATE_HZ // FRAME_RATE_HZ), FULL_RATE_HZ


def own_sound(path: str | Path, frames: int) -> NDArray[np.float32] | None:
    """The driving video's sound, from its first frame on; None when it has none."""
    sound = read_video(path).audio
    return None if sound is None else fitted(sound, frames * (SAMPLE_RATE_HZ // FRAME_RATE_HZ))


def fitted(values: NDArray[np.float32], length: int, hold: bool = False) -> NDArray[np.float32]:
    """Cut or pad along the first axis, with zeros or by holding the last value."""
    short = length - len(values)
    if short <= 0:
        return values[:length]
    padding = [(0, short)] + [(0, 0)] * (values.ndim - 1)
    return np.pad(values, padding, mode="edge" if hold else "constant")
