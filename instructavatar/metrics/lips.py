"""Lips: how well they follow the speech. Needs no weights, only the landmarks of the inner lips (13 and 14).

The opening of the lips is their distance along the face's own upright axis, in inter-ocular distances, so that turning, nodding and the
picture's size do not change it.

    lip_r, lip_ccc      Pearson's r and Lin's concordance (Biometrics 1989) with the real clip's opening; 1 is best. r forgives lips that
                        open half as wide, concordance does not. A still face has 0.
    lip_open_std_ratio  how much the opening varies, as a share of the real clip's; 1 is ideal, above it is overdone
    closure_rate        % of lip closures that are kept: of p, b and m where the phones of the sound are known, else of the closures that
                        the real clip shows (lips that meet for at most 0.4 s between two openings)
    av_offset_frames    size of the delay of the lips, 0 best; av_offset_signed is above 0 where they come late. Against the real clip's
                        lips, else the opening that the phones ask for, else the loudness of the sound. A clip's own sound track, where
                        it has one, is what viewers hear: if it is a shifted copy of the speech, the shift counts.
    lip_loudness_r      r of opening and loudness between 500 and 1500 Hz, where open vowels are loud, at the best delay within 3 frames,
                        less the median over all delays to 15 frames. Needs no real clip. Of bands from 300 to 8000 Hz this one parted
                        fitting sounds from others best, on five puppets.
    silence_std         how much the lips move in silences of the sound, in % of their movement in speech; lower is better

Traps: loudness is a poor guide to lips, a real speaker's own included (0.1 on one), so offsets without a real clip and without phones are
trusted only as means over many clips. lip_r asks for the real speaker's lips: speech of another emotion lowers it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from instructavatar.face.motion import FRAME_RATE_HZ, SAMPLE_RATE_HZ, SAMPLES_PER_FRAME
from instructavatar.face.visemes import CLOSURES, lip_aperture, visemes_of
from instructavatar.features.face_motion import gaussian
from instructavatar.features.lip_sync import LIPS, REACH, correlations, loudness
from instructavatar.metrics.base import Metric, NotScored, Scores, Take, Value
from instructavatar.metrics.case import Case
from instructavatar.metrics.clips import Clip, Sound
from instructavatar.metrics.pairs import Phone
from instructavatar.metrics.readings import upright

Curve = NDArray[np.float64]
Span = tuple[int, int]  # first frame, and the one after the last
Times = tuple[float, float]  # seconds

# A closure is kept where the opening falls to this share of the clip's wide openings (their 90th percentile).
CLOSED_SHARE = 0.2
# Lips that open less than this, in inter-ocular distances, do not open: landmarks of a still face tremble by a tenth of it.
LEAST_OPENING = 0.03
# Before or after a closure, within this time, the lips are open; a mouth that is shut for longer rests.
NEAR_S = 0.4
# Silences shorter than this are within words; their first and last moments belong to the lips' closing and opening.
LEAST_SILENCE_S, SILENCE_MARGIN_S = 0.3, 0.12
# Silence is what lies in the lowest part of the loudness's span, if that span is wide enough to tell.
QUIET_SHARE, LEAST_SPAN_DB = 0.35, 20.0
SPEECH_HZ = (200.0, 4000.0)
VOWELS_HZ = (500.0, 1500.0)
_SMOOTH = 1.0  # frames; lips are slower than loudness
_LEAST_FRAMES = 20  # of silence and of speech
_NEAR = round(NEAR_S * FRAME_RATE_HZ)
_SMALL_DELAY = 3  # frames
_LEAST_S = 1.0
_LEAST_DELAY_S = 2.0  # shorter clips fit somewhere by chance
_SAME_SOUND = 0.5  # correlation of two sound tracks of one speech, whatever their coding


class Lips(Metric):
    """How well the lips follow the speech."""

    hears = True
    values = {
        "lip_r": Value("r", True, given=True),
        "lip_ccc": Value("concordance", True, given=True),
        "lip_open_std_ratio": Value("of the real clip's", None, given=True),
        "closure_rate": Value("% of closures", True),
        "av_offset_frames": Value("frames", False, given=True),
        "av_offset_signed": Value("frames, + is late", None, given=True),
        "lip_loudness_r": Value("r above the median delay's", True),
        "silence_std": Value("% of speech's", False),
    }

    def score(self, case: Case) -> Scores:
        """Needs a second of lips, and a real clip or a sound."""
        case.long_enough(_LEAST_S)
        lips, sound = opening(case.clip), None
        with suppress(NotScored):
            sound = case.needs_sound(_LEAST_S)
        if case.truth is None and sound is None:
            raise NotScored("no sound and no reference video")
        scores = {} if case.truth is None else beside(lips, opening(case.truth))
        spans = closures_asked(case.phones, len(lips)) if case.phones else closures_seen(opening(case.truth)) if case.truth else []
        spans = [span for span in spans if span[0] < len(lips)]
        if spans:
            scores["closure_rate"] = 100 * closures_kept(lips, spans) / len(spans)
        scores |= _delay(case, lips) | ({} if sound is None else _with_sound(lips, sound, case.phones))
        if not scores:
            raise NotScored("too short to compare")
        return scores


def opening(clip: Clip) -> Curve:
    """How far the inner lips of a clip are apart [T], in inter-ocular distances; about 0 where they meet."""
    return clip.once("lip opening", lambda: opening_of(clip.take))


def opening_of(take: Take) -> Curve:
    """The same of a take."""
    if take.points is None:
        raise NotScored("no landmarks")
    face = upright(take.points, take.motion.rotation_deg)
    return np.asarray(face[:, LIPS[0], 1] - face[:, LIPS[1], 1])


def beside(lips: Curve, true: Curve) -> Scores:
    """How alike two openings are over their common length; nothing for less than a second."""
    n = min(len(lips), len(true))
    if n < _LEAST_S * FRAME_RATE_HZ:
        return {}
    lips, true = lips[:n], true[:n]
    scores = {"lip_r": correlation(lips, true), "lip_ccc": concordance(lips, true)}
    return scores if true.std() < LEAST_OPENING / 4 else scores | {"lip_open_std_ratio": float(lips.std() / true.std())}


def correlation(one: Curve, other: Curve) -> float:
    """Pearson's r over the common length; 0 if one of them does not move."""
    n = min(len(one), len(other))
    a, b = one[:n], other[:n]
    return 0.0 if n < 2 or a.std() < 1e-9 or b.std() < 1e-9 else float(np.corrcoef(a, b)[0, 1])


def concordance(one: Curve, other: Curve) -> float:
    """Lin's concordance correlation of two curves of equal length; 0 if one of them does not move.

    >>> round(concordance(np.array([0.0, 1.0, 2.0]), np.array([1.0, 2.0, 3.0])), 3)
    0.571
    """
    if one.std() < 1e-9 or other.std() < 1e-9:
        return 0.0
    together = float(np.mean((one - one.mean()) * (other - other.mean())))
    return 2 * together / float(one.var() + other.var() + (one.mean() - other.mean()) ** 2)


def best_delay(lips: Curve, target: Curve, reach: int = REACH) -> int | None:
    """By how many frames the lips come after the target, to either side of `reach`; None where nothing moves or fits."""
    n = min(len(lips), len(target))
    fit = correlations(lips[:n], target[:n], reach)
    # Of equal fits the smallest delay is taken.
    return max(sorted(range(-reach, reach + 1), key=abs), key=lambda delay: fit[delay + reach]) if fit.max() > 0 else None


def closures_asked(phones: Sequence[Phone], frames: int) -> list[Span]:
    """Where p, b and m ask for closed lips, each with a frame to either side; those within the clip."""
    closed = [(start, end) for phone, start, end in phones if CLOSURES & set(visemes_of(phone) or ())]
    spans = [(max(int(start * FRAME_RATE_HZ) - 1, 0), int(np.ceil(end * FRAME_RATE_HZ)) + 1) for start, end in closed]
    return [(first, last) for first, last in spans if first < frames]


def closures_seen(lips: Curve) -> list[Span]:
    """Where lips meet between two openings, each with a frame to either side."""
    wide = _wide(lips)
    if wide < LEAST_OPENING:
        return []
    runs = [(first, last) for first, last in runs_of(lips <= CLOSED_SHARE * wide) if last - first <= _NEAR]
    opened = lips >= wide / 2
    around = [(first, last) for first, last in runs if opened[max(first - _NEAR, 0) : first].any() and opened[last : last + _NEAR].any()]
    return [(max(first - 1, 0), last + 1) for first, last in around]


def closures_kept(lips: Curve, spans: Sequence[Span]) -> int:
    """In how many spans the lips nearly meet, having been open shortly before or being so shortly after."""
    wide = _wide(lips)
    if wide < LEAST_OPENING:
        return 0
    met = lips <= CLOSED_SHARE * wide
    opened = lips >= wide / 2
    return sum(bool(met[first:last].any() and opened[max(first - _NEAR, 0) : last + _NEAR].any()) for first, last in spans)


def _wide(lips: Curve) -> float:
    return float(np.percentile(lips, 90)) if len(lips) else 0.0


def runs_of(mask: NDArray[np.bool_]) -> list[Span]:
    """Unbroken runs of True.

    >>> runs_of(np.array([True, False, True, True]))
    [(0, 1), (2, 4)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(first), int(last)) for first, last in zip(edges[::2], edges[1::2], strict=True)]


def _delay(case: Case, lips: Curve) -> Scores:
    """The delay of the lips; nothing for short clips and for lips that do not move."""
    target = _target(case, len(lips))
    n = 0 if target is None else min(len(lips), len(target))
    if target is None or n < _LEAST_DELAY_S * FRAME_RATE_HZ or lips[:n].std() < LEAST_OPENING / 4:
        return {}
    late = best_delay(lips, target)
    if late is None:
        return {}
    late -= track_delay(case.clip.sound, case.sound)
    return {"av_offset_frames": float(abs(late)), "av_offset_signed": float(late)}


def _target(case: Case, frames: int) -> Curve | None:
    """The opening that the lips should show."""
    if case.truth is not None:
        return opening(case.truth)
    if case.phones:
        return lip_aperture(case.phones, frames).astype(np.float64)
    return None if case.sound is None else vowel_loudness(case.needs_sound(), frames)


def track_delay(own: Sound | None, speech: Sound | None) -> int:
    """By how many frames a clip's own sound comes after the speech; 0 where it has none or says something else."""
    if own is None or speech is None or own is speech or not np.any(own) or not np.any(speech):
        return 0
    size = 1 << (len(own) + len(speech) - 1).bit_length()
    fit = np.fft.irfft(np.fft.rfft(own, size) * np.conj(np.fft.rfft(speech, size)))
    far = REACH * SAMPLES_PER_FRAME
    near = np.concatenate([fit[-far:], fit[: far + 1]])
    best = int(np.abs(near).argmax())
    alike = abs(near[best]) / max(float(np.linalg.norm(own) * np.linalg.norm(speech)), 1e-12)
    return round((best - far) / SAMPLES_PER_FRAME) if alike >= _SAME_SOUND else 0


def _with_sound(lips: Curve, sound: Sound, phones: Sequence[Phone]) -> Scores:
    """What the sound alone tells."""
    scores: Scores = {}
    if lips.std() < LEAST_OPENING / 4:
        return {"lip_loudness_r": 0.0}
    if len(lips) >= _LEAST_DELAY_S * FRAME_RATE_HZ:
        fit = correlations(lips, vowel_loudness(sound, len(lips)))
        scores["lip_loudness_r"] = float(fit[REACH - _SMALL_DELAY : REACH + _SMALL_DELAY + 1].max() - np.median(fit))
    share = stillness(lips, silence(spoken_in(phones) if phones else heard_in(sound, len(lips)), len(lips)))
    return scores if share is None else scores | {"silence_std": share}


def band(sound: Sound, hz: tuple[float, float]) -> Sound:
    """What of a sound [N] lies between two frequencies."""
    spectrum, at = np.fft.rfft(sound), np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE_HZ)
    spectrum[(at < hz[0]) | (at > hz[1])] = 0
    return np.fft.irfft(spectrum, len(sound)).astype(np.float32)


def vowel_loudness(sound: Sound, frames: int) -> Curve:
    """Loudness of open vowels on each frame [T]: power to the 0.3 (Stevens), which tells loud from soft better than decibels."""
    level = 10 ** (0.03 * loudness(band(sound, VOWELS_HZ), frames))
    return gaussian(level[:, None].astype(np.float32), _SMOOTH)[:, 0].astype(np.float64)


def heard_in(sound: Sound, frames: int) -> list[Times]:
    """Where something is said, by loudness; all of it where loud and soft lie too close to tell."""
    level = loudness(band(sound, SPEECH_HZ), frames)
    low, high = np.percentile(level, (5, 95))
    loud = level > low + QUIET_SHARE * (high - low) if high - low >= LEAST_SPAN_DB else np.ones(frames, bool)
    return [(first / FRAME_RATE_HZ, last / FRAME_RATE_HZ) for first, last in runs_of(loud)]


def spoken_in(phones: Sequence[Phone]) -> list[Times]:
    """Where something is said, by phones."""
    return [(start, end) for phone, start, end in phones if visemes_of(phone) != ("silence",)]


def silence(spoken: Sequence[Times], frames: int) -> NDArray[np.bool_]:
    """[T] True in pauses and before and after speech, less a margin on the side of speech."""
    times = (np.arange(frames) + 0.5) / FRAME_RATE_HZ
    still = np.ones(frames, bool)
    edges = [0.0, *(edge for span in spoken for edge in span), frames / FRAME_RATE_HZ]
    for start, end in zip(edges[::2], edges[1::2], strict=True):  # gaps between what is spoken
        if end - start < LEAST_SILENCE_S:
            still &= ~((times >= start) & (times < end))
    for start, end in spoken:
        still &= ~((times >= start - SILENCE_MARGIN_S) & (times < end + SILENCE_MARGIN_S))
    return still


def stillness(lips: Curve, quiet: NDArray[np.bool_]) -> float | None:
    """Standard deviation in silence in % of that in speech; None without silence, or for lips that do not move in speech either."""
    if min(quiet.sum(), (~quiet).sum()) < _LEAST_FRAMES or lips[~quiet].std() < LEAST_OPENING / 4:
        return None
    return float(100 * lips[quiet].std() / lips[~quiet].std())
