"""Any length: overlapping windows, each given the tail of the last as known motion.

T video frames (25 Hz).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


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
