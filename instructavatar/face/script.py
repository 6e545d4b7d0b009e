"""Script: an instruction laid out in time.

A plain sentence is one segment over the whole clip: "smile". Several segments are written "0-2s: smile | 2-4s: turn left"; the end may be
left out ("2-: turn left" runs to the end of the clip). A script splits time only; the meaning of each text is the generator's business.

T video frames (25 Hz), S segments.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import BadScript
from instructavatar.face.motion import FRAME_RATE_HZ

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)"
_UNIT = r"\s*(?:s|sec|secs|second|seconds)?"
# "0-2s: text", "0.5s - 2: text", "2-: text", "1 to 3 s: text"
_TIMED = re.compile(rf"^\s*({_NUMBER}){_UNIT}\s*(?:-|–|to)\s*({_NUMBER})?{_UNIT}\s*:\s*(.*?)\s*$", re.IGNORECASE | re.DOTALL)
_LOOKS_TIMED = re.compile(rf"^\s*{_NUMBER}{_UNIT}\s*(?:-|–|to\b)[^|:]*:", re.IGNORECASE)
_SIDES = re.compile(r"\b(left|right)(\w*)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Segment:
    """One instruction with its time, in seconds from the start of the clip."""

    start_s: float
    end_s: float
    text: str


@dataclass(frozen=True)
class Script:
    """Segments in order of time, none overlapping; gaps between them are uninstructed."""

    segments: tuple[Segment, ...]
    plain: bool = False
    """Written as one plain sentence that covers the whole clip."""

    @staticmethod
    def parse(text: str, seconds: float) -> Script:
        """Read a script for a clip of that many seconds; an empty text gives no segments.

        >>> [s.end_s for s in Script.parse("0-2s: smile | 2-: turn left", 5.0).segments]
        [2.0, 5.0]
        """
        if not math.isfinite(seconds) or seconds <= 0:
            raise BadScript(f"expected a clip longer than 0 s, got {seconds} s")
        if not text.strip():
            return Script(())
        if "|" not in text and not _LOOKS_TIMED.match(text):
            return Script((Segment(0.0, float(seconds), text.strip()),), plain=True)
        parts = text.split("|")
        return Script(_checked([_segment(part, number + 1, seconds) for number, part in enumerate(parts)]))

    def __str__(self) -> str:
        """The script as text; `parse` reads it back to the same segments."""
        if self.plain:
            return self.segments[0].text
        return " | ".join(f"{_number(s.start_s)}-{_number(s.end_s)}s: {s.text}" for s in self.segments)

    def at(self, time_s: float) -> Segment | None:
        """The segment alive at a time, or None in a gap."""
        return next((s for s in self.segments if s.start_s <= time_s < s.end_s), None)


def alive_frames(segments: Sequence[Segment], start: int, frames: int) -> NDArray[np.float32]:
    """Which segment lives in which frame [T, S], for `frames` frames from frame `start` of the clip on."""
    times = (start + np.arange(frames)) / FRAME_RATE_HZ
    begins = np.array([s.start_s for s in segments])
    ends = np.array([s.end_s for s in segments])
    return ((times[:, None] >= begins - 1e-6) & (times[:, None] < ends - 1e-6)).astype(np.float32)


def clock_of(segments: Sequence[Segment], start: int, frames: int) -> NDArray[np.float32]:
    """Seconds since the live segment began and until it ends [T, 2]; zero where none is alive.

    A segment that began before the stretch keeps its true times.
    """
    times = (start + np.arange(frames)) / FRAME_RATE_HZ
    clock = np.zeros((frames, 2), np.float32)
    for segment, alive in zip(segments, alive_frames(segments, start, frames).T, strict=True):
        on = alive > 0
        clock[on] = np.stack([times[on] - segment.start_s, segment.end_s - times[on]], 1)
    return clock


def swap_sides(text: str) -> str:
    """The text for the mirrored face: left and right exchanged.

    >>> swap_sides("Turn left, then wink your Right eye")
    'Turn right, then wink your Left eye'
    """
    return _SIDES.sub(lambda found: _other_side(found[1]) + found[2], text)


def _other_side(word: str) -> str:
    other = "right" if word.lower() == "left" else "left"
    if word.isupper():
        return other.upper()
    return other.capitalize() if word[0].isupper() else other


def _number(value: float) -> str:
    return repr(round(value, 6)).removesuffix(".0")


def _segment(part: str, number: int, seconds: float) -> Segment:
    found = _TIMED.match(part)
    if not found:
        raise BadScript(
            f'segment {number}: expected "START-ENDs: text", got "{part.strip()}"; write for example "0-2s: smile | 2-4s: turn left"'
        )
    start_s = float(found[1])
    end_s = float(found[2]) if found[2] else float(seconds)
    words = found[3]
    if start_s < 0 or end_s < 0:
        raise BadScript(f'segment {number} ("{words}"): expected times from 0 s on, got {_number(start_s)}-{_number(end_s)} s')
    if start_s >= seconds:
        raise BadScript(f'segment {number} ("{words}"): starts at {_number(start_s)} s but the clip ends at {_number(seconds)} s')
    if end_s <= start_s:
        raise BadScript(f'segment {number} ("{words}"): expected an end after the start, got {_number(start_s)}-{_number(end_s)} s')
    if not words:
        raise BadScript(f"segment {number}: expected a text after {_number(start_s)}-{_number(end_s)} s:, got nothing")
    return Segment(start_s, min(end_s, float(seconds)), words)


def _checked(segments: list[Segment]) -> tuple[Segment, ...]:
    for number, (before, after) in enumerate(zip(segments, segments[1:], strict=False), start=2):
        if after.start_s < before.end_s:
            raise BadScript(
                f'segment {number} ("{after.text}"): starts at {_number(after.start_s)} s, before segment {number - 1} ends at '
                f"{_number(before.end_s)} s; give each segment its own time, in order"
            )
    return tuple(segments)
