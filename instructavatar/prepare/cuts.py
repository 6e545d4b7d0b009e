"""What is wrong with the pictures of a video themselves: cuts, black, pictures that stand still. One pass, a few small pictures in memory.

A frame becomes 32 x 32 grey values, picked, not averaged: 0.05 ms. Two frames are as unlike as 1 - the correlation of these, 0 to 2, which
neither exposure nor a fade changes. A hard cut is a step that is large, that no step nearby comes close to, and after which the picture
does not come back: a blink or a nod is small, a fast turn takes several frames, a flash or a broken frame is over after a few.
"""

from __future__ import annotations

from collections import deque
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from instructavatar.face.motion import FRAME_RATE_HZ
from instructavatar.prepare.gates import Gates, Rejected, alone

SIDE = 32
BLACK_LEVEL = 20.0  # of 255; video black is 0 or 16
# No point of the small picture differs by more, of 255, where a picture stands still: a photograph gives 2 to 18 by its compression alone,
# three seconds of a living face 68 at least (5 videos of people, 60 of puppets).
STILL = 24.0
FLAT = 4.0  # a picture with less deviation than this, of 255, has no content to compare
REACH = 6  # frames before and after a step that it is compared with
BACK = 4  # a flash is over after so many frames
SURE = 0.75  # two pictures this unlike have nothing in common, however many steps are nearby
Grey = NDArray[np.float32]


def small(frame: NDArray[np.uint8]) -> Grey:
    """A picture [H, W, 3] as 32 x 32 grey values 0..255."""
    picked = frame[grid(*frame.shape[:2])]
    return picked.astype(np.float32) @ np.full(3, 1 / 3, np.float32)


@lru_cache(maxsize=8)
def grid(height: int, width: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows [32, 1] and columns [32] of the middles of 32 x 32 equal parts of a picture."""
    rows, columns = (((np.arange(SIDE) + 0.5) * size / SIDE).astype(np.int64) for size in (height, width))
    return rows[:, None], columns


def unlike(one: Grey, other: Grey) -> float:
    """1 - correlation of two small pictures, 0 to 2.

    >>> rows = np.arange(64.0).reshape(8, 8)
    >>> round(unlike(rows, 2 * rows + 30), 6), round(unlike(rows, -rows), 6)
    (0.0, 2.0)
    """
    one, other = (one - one.mean()).ravel(), (other - other.mean()).ravel()
    size = float(np.sqrt(one @ one * (other @ other)))
    return 1 - float(one @ other) / size if size > 0 else 1.0


class PictureWatch:
    """Looks at each frame once, in order, and raises `Rejected` as soon as a gate is passed."""

    def __init__(self, gates: Gates) -> None:
        self.gates = gates
        self.frames = self.black = self.black_run = 0
        self._still_since: tuple[int, Grey] | None = None  # a frame that all later ones are like
        # The pictures with content, each with its frame's number, and how unlike its predecessor it is; the step in question is the middle.
        self._near: deque[tuple[int, Grey, float]] = deque(maxlen=2 * REACH + 1)

    def see(self, frame: NDArray[np.uint8]) -> None:
        """The next frame [H, W, 3]."""
        grey = small(frame)
        self._freeze(grey)
        dark = float(grey.max()) < BLACK_LEVEL
        self.frames, self.black = self.frames + 1, self.black + dark
        self.black_run = self.black_run + 1 if dark else 0
        # Black and white frames have nothing to compare: what comes after them is compared with what came before.
        if grey.std() >= FLAT:
            step = unlike(self._near[-1][1], grey) if self._near else 0.0
            self._near.append((self.frames - 1, grey, step))
            if len(self._near) == self._near.maxlen:
                self._judge(REACH)
            elif len(self._near) > REACH:
                self._judge(len(self._near) - REACH - 1)

    def finish(self) -> None:
        """The end: the last steps, and how much of it was black."""
        for at in range(max(0, len(self._near) - REACH), len(self._near)):
            self._judge(at)
        if self.frames and self.black / self.frames > self.gates.most_black:
            share = f"{self.black / self.frames:.0%} of {self.frames}"
            raise Rejected("black", f"{share} frames are black; at most {self.gates.most_black:.0%}")

    def _freeze(self, grey: Grey) -> None:
        if self._still_since is None or float(np.abs(grey - self._still_since[1]).max()) > STILL:
            self._still_since = self.frames, grey
        since = self._still_since[0]
        if self.frames - since >= self.gates.longest_still_s * FRAME_RATE_HZ:
            still = f"{self.gates.longest_still_s:g} s from {since / FRAME_RATE_HZ:.1f} s on"
            raise Rejected("frozen", f"the picture stands still for {still}")

    def _judge(self, at: int) -> None:
        """Refuse if the step to the picture at that place of the window is a cut."""
        if self._near[at][2] < self.gates.least_cut:
            return
        steps = np.array([step for _, _, step in self._near])
        if not (steps[at] > SURE or alone(steps, at, REACH)):
            return
        if not self._comes_back(at, steps[at]):
            frame = self._near[at][0]
            raise Rejected("cut", f"the picture changes from one frame to the next at {frame / FRAME_RATE_HZ:.2f} s")

    def _comes_back(self, at: int, step: float) -> bool:
        """Whether a picture after the step resembles one before it, as around a flash; also the step that ends the flash."""
        pictures = [picture for _, picture, _ in self._near]
        before, after = pictures[max(0, at - BACK) : at], pictures[at : at + BACK + 1]
        return any(unlike(one, other) < step / 3 for one in before for other in after)
