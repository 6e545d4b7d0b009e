"""Blinks: how often, how long, and how much of the time the eyes are shut. Neither better high nor low.

    blink_rate      blinks a minute; people who talk blink 15 to 30 times (Bentivoglio et al. 1997), a portrait never
    blink_length_s  mean length of a blink, seconds; people take 0.1 to 0.4
    eyes_shut       % of the time

A frame is as shut as the mean of two readings says: how far the lids have come together from where this clip's own open eyes are, and how
far the landmarker's blink scores have risen from where they rest. The eyes shut at 0.5 and open again at 0.3 of a full blink, so that a
trembling lid is not many blinks. Shut for longer than half a second is shut eyes, no blink; so are eyes that are shut when the clip
begins or ends.

Traps: a glance down lowers the lids too; in a few seconds the rate is a small whole number, so only means over many clips say much.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from instructavatar.face.motion import FRAME_RATE_HZ
from instructavatar.metrics.base import Metric, NotScored, Scores, Take, Value
from instructavatar.metrics.case import Case
from instructavatar.metrics.readings import upright

Curve = NDArray[np.float64]
LIDS = ((159, 145), (386, 374))  # upper and lower edge over the pupils
LEAST_S = 3.0
LONGEST_BLINK_S = 0.5
SHUT, OPEN = 0.5, 0.3
# Lids that never come farther apart than this are shut all along; open eyes have 0.06 to 0.15 inter-ocular distances.
_LEAST_OPEN = 0.05
_RESTING_SCORE = 0.3  # scores of open eyes rest below this
_FULL_SCORE, _FULL_LIDS = 0.5, 0.8  # what a full blink adds to the score, and which share of the open eye it covers


class Blinks(Metric):
    """Rate and length of blinks."""

    values = {
        "blink_rate": Value("a minute", None),
        "blink_length_s": Value("s", None),
        "eyes_shut": Value("% of the time", None),
    }

    def score(self, case: Case) -> Scores:
        """Needs three seconds."""
        take = case.long_enough(LEAST_S)
        shut = shut_runs(closedness(take))
        lengths = [last - first for first, last in shut if first > 0 and last < len(take)]
        blinks = [frames / FRAME_RATE_HZ for frames in lengths if frames <= LONGEST_BLINK_S * FRAME_RATE_HZ]
        scores: Scores = {
            "blink_rate": 60 * len(blinks) * FRAME_RATE_HZ / len(take),
            "eyes_shut": 100 * sum(last - first for first, last in shut) / len(take),
        }
        return scores | ({"blink_length_s": float(np.mean(blinks))} if blinks else {})


def closedness(take: Take) -> Curve:
    """How shut the eyes are [T]: 0 as open as usual in this clip, 1 a full blink."""
    if take.points is None:
        raise NotScored("no landmarks")
    y = upright(take.points, take.motion.rotation_deg)[..., 1]
    lids = np.mean([y[:, upper] - y[:, lower] for upper, lower in LIDS], axis=0)
    open_lids = max(float(np.percentile(lids, 90)), _LEAST_OPEN)
    scores = (take.motion.column("eyeBlinkLeft").astype(np.float64) + take.motion.column("eyeBlinkRight")) / 2
    resting = min(float(np.percentile(scores, 10)), _RESTING_SCORE)
    return ((1 - lids / open_lids) / _FULL_LIDS + (scores - resting) / _FULL_SCORE) / 2


def shut_runs(shut: Curve) -> list[tuple[int, int]]:
    """Where the eyes are shut: (first frame, the one after the last), from rising to SHUT until falling below OPEN.

    >>> shut_runs(np.array([0.0, 0.4, 0.9, 0.4, 0.7, 0.2, 0.4]))
    [(2, 5)]
    """
    runs: list[tuple[int, int]] = []
    began: int | None = None
    for frame, value in enumerate(shut):
        if began is None and value >= SHUT:
            began = frame
        elif began is not None and value < OPEN:
            runs.append((began, frame))
            began = None
    return runs if began is None else [*runs, (began, len(shut))]
