"""What a user may take out of a motion: some of the head's movement, some or all blinks.

T frames (25 Hz). Pure functions on motion; whoever generates or reads one decides when to use them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import BadOption
from instructavatar.face.motion import FRAME_RATE_HZ, INDEX, MOTION_DIM, ROTATION, TRANSLATION, FaceMotion

LATENTS = "from a model that moves in its codec's latents, which are no curves; leave them out or use the default model"
LIDS = (INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"])
# A blink takes people 0.1 to 0.4 s; eyes shut for longer are shut on purpose. Generated ones are 4 to 5 frames long at half their height.
LONGEST_BLINK = round(0.5 * FRAME_RATE_HZ)
LEAST_RISE = 0.4  # of both lids above what lies before and after; less is a twitch or a glance
REACH = round(0.4 * FRAME_RATE_HZ)  # frames from a blink's peak to where its lids are at rest, at most
_FLAT = 0.02  # a lid that moves by less in a frame has come to rest


@dataclass(frozen=True)
class Shape:
    """What of a motion is to stay."""

    head_motion: float = 1.0
    """0..1, share of the head's rotation and translation"""
    blink: float = 1.0
    """0..1, share of the blinks"""
    still: bool = False
    """as a `head_motion` of 0"""

    @property
    def share_of_head(self) -> float:
        """What `head_motion` and `still` come to."""
        return 0.0 if self.still else self.head_motion

    def check(self, motion_dim: int = MOTION_DIM) -> None:
        """Refuse numbers out of range, and to shape the motion of a codec with latents of its own."""
        check_range("head_motion", self.head_motion, 0.0, 1.0)
        check_range("blink", self.blink, 0.0, 1.0)
        if self.still and self.head_motion != 1:
            raise BadOption(f"expected either still or a share of head motion, got still and {self.head_motion:g}; leave one of them out")
        if motion_dim != MOTION_DIM and (self.share_of_head < 1 or self.blink < 1):
            raise BadOption(f"expected all of the head motion and blinks {LATENTS}")

    def of(self, motion: FaceMotion) -> FaceMotion:
        """The motion shaped."""
        return shaped(motion, head_motion=self.share_of_head, blink=self.blink)


def check_range(name: str, value: float, low: float, high: float) -> None:
    """Refuse a number outside a range, or none at all."""
    if not (np.isfinite(value) and low <= value <= high):
        raise BadOption(f"expected {name} between {low:g} and {high:g}, got {value:g}")


def shaped(motion: FaceMotion, *, head_motion: float = 1.0, blink: float = 1.0) -> FaceMotion:
    """The motion with that share of its head movement and of its blinks.

    Args:
        motion: is not changed; it comes back itself where nothing is to be taken out.
        head_motion: 0..1, multiplies rotation and translation, which count from the picture's own pose: 0 holds it.
        blink: 0..1, the share of blinks that stay, spread evenly and each as it was; a half-closed blink would look drowsy. Eyes that
            are shut for half a second or more, winks and gaze stay as they are.
    """
    values = motion.values.copy()
    if head_motion < 1:
        values[:, ROTATION] *= head_motion
        values[:, TRANSLATION] *= head_motion
    if blink < 1:
        for number, (first, last) in enumerate(blinks(motion)):
            if not _stays(number, blink):
                _open(values, first, last)
    return motion if head_motion >= 1 and blink >= 1 else FaceMotion(values)


def blinks(motion: FaceMotion) -> list[tuple[int, int]]:
    """(last frame before, first frame after) of every blink of both eyes, in order; where a blink is cut by the clip, its first or last.

    >>> curve = [0, 0, 0.2, 0.9, 0.9, 0.3, 0, 0] + [1.0] * 25 + [0, 0]
    >>> blinks(FaceMotion.of(len(curve), {"eyeBlinkLeft": curve, "eyeBlinkRight": curve}))
    [(1, 6)]
    """
    both = motion.values[:, LIDS].min(axis=1)
    rise = both - _without_short_peaks(both, LONGEST_BLINK)
    found: list[tuple[int, int]] = []
    after = 0
    for first, last in _runs(rise >= LEAST_RISE):
        peak = first + int(both[first:last].argmax())
        start, stop = _foot(both, peak, -1), _foot(both, peak, +1)
        if peak > after or not found:
            found.append((start, stop))
            after = stop
    return found


def _stays(number: int, share: float) -> bool:
    """Whether the blink of that number is one of the share that stays.

    >>> [_stays(number, 0.5) for number in range(4)]
    [True, False, True, False]
    """
    return int((number + 1) * share + 0.5) > int(number * share + 0.5)


def _open(values: NDArray[np.float32], first: int, last: int) -> None:
    """Both lids go straight from one frame to the other; never farther shut than they were."""
    for lid in LIDS:
        stretch = values[first : last + 1, lid]
        before, after = stretch[0], stretch[-1]
        # a clip that begins or ends in a blink has its eyes open there
        before = after if first == 0 and before > after else before
        after = before if last == len(values) - 1 and after > before else after
        values[first : last + 1, lid] = np.minimum(stretch, np.linspace(before, after, len(stretch), dtype=np.float32))


def _foot(curve: NDArray[np.float32], peak: int, way: int) -> int:
    """The nearest frame beside a peak where the lids are at rest; at most `REACH` away."""
    frame = peak
    low = curve[peak]
    while 0 <= frame + way < len(curve) and abs(frame + way - peak) <= REACH:
        following = curve[frame + way]
        # still near its top a blink may be flat; farther down it has ended where the curve stays or rises again
        if following > low - _FLAT and low < curve[peak] - LEAST_RISE:
            break
        frame += way
        low = min(low, following)
    return frame


def _without_short_peaks(curve: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """The curve's opening: the highest one below it whose every height lasts for so many frames. Outside the clip the eyes are open."""
    padded = np.pad(curve, frames)
    lowest = np.lib.stride_tricks.sliding_window_view(padded, frames).min(axis=1)
    highest = np.lib.stride_tricks.sliding_window_view(lowest, frames).max(axis=1)
    return np.asarray(highest[1 : 1 + len(curve)], np.float32)


def _runs(on: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """(first, one after the last) of every stretch that is on."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], on, [False]]).astype(np.int8)))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]
