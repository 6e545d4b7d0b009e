"""Any length: overlapping windows, each given the tail of the last as known motion.

T video frames (25 Hz), D motion columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Window:
    """Frames start..stop of the clip; the first `given` of them were made by the window before."""

    start: int
    stop: int
    given: int

    def __len__(self) -> int:
        return self.stop - self.start


def windows(frames: int, size: int, overlap: int) -> Iterator[Window]:
    """Windows over a clip. All but the last are `size` long; a clip that fits into one is one window.

    >>> [(w.start, w.stop, w.given) for w in windows(90, 50, 10)]
    [(0, 50, 0), (40, 90, 10)]
    """
    if not 0 < overlap < size:
        raise ValueError(f"expected an overlap between 1 and the window's size - 1, got {overlap} and {size}")
    start, given = 0, 0
    while True:
        stop = min(start + size, frames)
        yield Window(start, stop, given)
        if stop == frames:
            return
        start, given = stop - overlap, overlap


def join(made: NDArray[np.float32], given: int, columns: slice, fade: int = 15, going_on: bool = True) -> NDArray[np.float32]:
    """A window [T, D] whose columns go on smoothly after its `given` first frames; a jump there fades out over `fade` frames.

    For the head, which has mass: what is left of a jump shows even where it is a fraction of a degree. `going_on`: the frame after the
    given ones is expected where their speed leads, otherwise where the last of them is.
    """
    if given < 2 or given >= len(made):
        return made
    made = made.copy()
    expected = made[given - 1, columns] + going_on * (made[given - 1, columns] - made[given - 2, columns])
    jump = made[given, columns] - expected
    after = made[given : given + fade, columns]
    after -= jump * (0.5 + 0.5 * np.cos(np.pi * np.arange(len(after)) / fade))[:, None]
    return made
