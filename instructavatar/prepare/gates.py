"""Quality gates: which clips are no material, and why. Each has a code, a limit that a config may move, and a detail in words.

T frames at 25 Hz. Limits are shares of frames or seconds unless their name says otherwise. What looks at pixels lives in cuts.py, what
compares lips and sound in lag.py; here are the limits, and what is judged on the finished measurement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import BadOption, InstructAvatarError
from instructavatar.face.landmarks import Landmarks
from instructavatar.face.motion import FRAME_RATE_HZ, SAMPLE_RATE_HZ

CODES: dict[str, str] = {
    "missing": "the file is not there",
    "bad_video": "the video cannot be decoded, holds no frame, or ends before it says",
    "bad_sound": "the sound cannot be decoded, is empty, or holds NaN or infinity",
    "no_sound": "there is no sound track, or it is silent throughout, in a corpus that has sound",
    "too_short": "fewer frames than asked for",
    "too_long": "longer than a clip may be",
    "offset": "sound and picture differ in length, or the lips are early or late",
    "black": "the picture is black",
    "frozen": "the picture stands still",
    "cut": "the picture or the face jumps",
    "no_face": "too many frames show no face",
    "two_faces": "a second face of like size is in the picture",
    "too_small": "the face is too small to be measured",
    "too_turned": "the face looks too far away for too long",
}
SILENT_PEAK = 1e-4  # -80 dB: below the last bit of a 16-bit recording with dither


class Rejected(InstructAvatarError):
    """A clip that is no material. `str` is "code: what was found"."""

    exit_code = 4

    def __init__(self, code: str, detail: str) -> None:
        """`code` is one of `CODES`."""
        super().__init__(f"{code}: {detail}")
        self.code, self.detail = code, detail

    def __reduce__(self) -> tuple[type[Rejected], tuple[str, str]]:
        """So that it comes back whole from another process."""
        return Rejected, (self.code, self.detail)


@dataclass(frozen=True)
class Gates:
    """The limits. A clip beyond any of them is rejected with that gate's code."""

    longest_s: float = 1800.0
    """too_long: half an hour; landmarks and speech features are held in memory, about 15 MB a minute."""
    most_offset_s: float = 0.5
    """offset: sound and picture may differ by this much; what is over is trimmed."""
    most_lag_s: float = 0.0
    """offset: the lips may be this much early or late; 0 does not look (see lag.py for how far that can be trusted)."""
    most_black: float = 0.1
    """black: share of black frames."""
    longest_still_s: float = 3.0
    """frozen: a camera's picture never stands perfectly still for so long; a photograph with a voice does."""
    least_cut: float = 0.25
    """cut: how unlike, 0 to 2, two neighbouring frames must be (1 - correlation of small grey pictures)."""
    least_jump: float = 0.5
    """cut: how far, in inter-ocular distances, a face must jump from one frame to the next."""
    most_lost: float = 0.1
    """no_face: share of frames without a face."""
    longest_gap_s: float = 1.0
    """no_face: a gap this long cannot be filled in from its ends."""
    second_face: float = 0.5
    """two_faces: a companion counts from this share of the measured face's size on."""
    most_company: float = 0.25
    """two_faces: share of the frames looked at that show a companion."""
    least_interocular_px: float = 36.0
    """too_small: distance of the outer eye corners, median over the clip."""
    most_yaw_deg: float = 45.0
    """too_turned: beyond, half of the face is guessed."""
    most_pitch_deg: float = 35.0
    """too_turned: as yaw, up or down."""
    most_turned: float = 0.3
    """too_turned: share of the frames beyond these angles."""

    def __post_init__(self) -> None:
        """Refuse limits that are no numbers or below zero."""
        for limit in fields(self):
            value = getattr(self, limit.name)
            if not isinstance(value, int | float) or not np.isfinite(value) or value < 0:
                raise BadOption(f"expected the gate {limit.name} to be a number of at least 0, got {value!r}; mend gates in the config")

    def lengths(self, frames: int, samples: int, stated_s: float) -> None:
        """Refuse a video that ends before it says, or whose sound [samples] is of another length than its picture."""
        seconds, heard = frames / FRAME_RATE_HZ, samples / SAMPLE_RATE_HZ
        # Phones cut a video without rewriting it, so a little less than stated may be as its owner wants it.
        if seconds < stated_s - max(self.most_offset_s, 0.2 * stated_s):
            raise Rejected("bad_video", f"{seconds:.1f} s of pictures could be decoded where {stated_s:.1f} s are stated; fetch it again")
        if abs(heard - seconds) > self.most_offset_s:
            raise Rejected("offset", f"the sound lasts {heard:.2f} s, the picture {seconds:.2f} s; at most {self.most_offset_s:g} s apart")

    def sound(self, audio: NDArray[np.float32]) -> None:
        """Refuse sound [N] that holds nothing."""
        if np.abs(audio).max(initial=0.0) < SILENT_PEAK:
            raise Rejected("no_sound", f"the sound track is silent for all its {len(audio) / SAMPLE_RATE_HZ:.1f} s")

    def long(self, seconds: float) -> None:
        """Refuse a clip that is longer than a clip may be."""
        if seconds > self.longest_s:
            raise Rejected("too_long", f"{seconds:.0f} s where at most {self.longest_s:g} s are taken; cut it into clips")

    def faces(self, faces: Sequence[Landmarks | None]) -> None:
        """Refuse a clip whose face is lost too often, too small, too far turned, or jumps."""
        seen = [face for face in faces if face is not None]
        lost = 1 - len(seen) / len(faces)
        if not seen or lost > self.most_lost:
            raise Rejected("no_face", f"no face in {lost:.0%} of {len(faces)} frames; at most {self.most_lost:.0%}")
        self._size(seen)
        self._turn(seen)
        self._jump(faces)

    def _size(self, seen: Sequence[Landmarks]) -> None:
        eyes = float(np.median([face.interocular_px for face in seen]))
        if eyes < self.least_interocular_px:
            raise Rejected("too_small", f"the eyes' outer corners are {eyes:.0f} px apart; at least {self.least_interocular_px:g}")

    def _turn(self, seen: Sequence[Landmarks]) -> None:
        angles = np.abs([face.rotation_deg for face in seen])
        turned = float(((angles[:, 0] > self.most_pitch_deg) | (angles[:, 1] > self.most_yaw_deg)).mean())
        if turned > self.most_turned:
            limits = f"yaw {self.most_yaw_deg:g} or pitch {self.most_pitch_deg:g} degrees"
            raise Rejected("too_turned", f"{turned:.0%} of the frames are beyond {limits}; at most {self.most_turned:.0%}")

    def _jump(self, faces: Sequence[Landmarks | None]) -> None:
        steps = face_steps(faces)
        for frame in np.flatnonzero(steps > self.least_jump):
            if alone(steps, int(frame)):
                at = (frame + 1) / FRAME_RATE_HZ
                far = f"{steps[frame]:.1f} inter-ocular distances"
                raise Rejected("cut", f"the face jumps by {far} from one frame to the next at {at:.2f} s")


def face_steps(faces: Sequence[Landmarks | None]) -> NDArray[np.float64]:
    """How far the face moves from each frame to the next [T - 1], in inter-ocular distances; growing counts as moving. 0 beside a gap."""
    places = np.full((len(faces), 3), np.nan)
    for frame, face in enumerate(faces):
        if face is not None:
            left, top, right, bottom = face.box
            places[frame] = (left + right) / 2, (top + bottom) / 2, face.interocular_px
    sizes = np.sqrt(places[1:, 2] * places[:-1, 2])
    moved = np.hypot(*np.diff(places[:, :2], axis=0).T) / sizes
    grown = 2 * np.abs(np.diff(np.log(places[:, 2])))
    return np.nan_to_num(np.maximum(moved, grown))


def alone(steps: NDArray[np.float64], at: int, reach: int = 6, share: float = 1 / 3) -> bool:
    """Whether a step is none of several: a movement, however fast, takes a few frames, and a video of few frames a second has other steps.

    >>> alone(np.array([0.1, 0.9, 0.1]), 1), alone(np.array([0.5, 0.9, 0.1]), 1)
    (True, False)
    """
    near = np.concatenate([steps[max(0, at - reach) : at], steps[at + 1 : at + 1 + reach]])
    return bool(near.max(initial=0.0) <= share * steps[at])
