"""Pose and expression beside the real clip's, and how varied the pose is.

    pose_error   mean size of the difference of pitch, yaw and roll, frame by frame, in degrees; lower is better
    apd          average pose distance: mean L1 over the six numbers of a pose, rotation in radians and place in inter-ocular distances
                 from the first frame
    aed          average expression distance: mean L1 over those ARKit scores that pictures show reliably (face/actions.py READABLE), 0..1
    pose_std     standard deviation over time, mean of the three angles (KDTalker's diversity), and each angle's own; neither better, for a
                 head may rest: the real clip tells how much is natural

Papers take AED and APD from the coefficients of a 3D morphable model (64 and 6 of them): ideas and directions are theirs, the numbers do
not compare. A generator may move the head another way than the real speaker and be no worse: these three judge re-enactment, not speech.
"""

from __future__ import annotations

import numpy as np

from instructavatar.face.actions import READABLE
from instructavatar.face.motion import INDEX
from instructavatar.metrics.base import Metric, Scores, Take, Value
from instructavatar.metrics.case import Case

_READABLE = [INDEX[name] for name in READABLE]
_ANGLES = ("pitch", "yaw", "roll")


class Pose(Metric):
    """Distance of pose and expression from the real clip's, and the pose's diversity."""

    values = {
        "pose_error": Value("degrees", False, given=True),
        "apd": Value("L1", False, given=True),
        "aed": Value("L1", False, given=True),
        "pose_std": Value("degrees", None),
        "pitch_std": Value("degrees", None),
        "yaw_std": Value("degrees", None),
        "roll_std": Value("degrees", None),
    }

    def score(self, case: Case) -> Scores:
        """Needs a second; the distances also a real clip."""
        spread = pose_spread(case.long_enough(1.0))
        scores: Scores = {f"{name}_std": value for name, value in spread.items()} | {"pose_std": float(np.mean(list(spread.values())))}
        return scores if case.truth is None else scores | distances(*case.both())


def pose_spread(take: Take) -> dict[str, float]:
    """Standard deviation of pitch, yaw and roll in degrees."""
    return dict(zip(_ANGLES, take.motion.rotation_deg.astype(np.float64).std(axis=0).tolist(), strict=True))


def distances(mine: Take, true: Take) -> Scores:
    """What parts two takes of equal length."""
    turned = mine.motion.rotation_deg.astype(np.float64) - true.motion.rotation_deg
    turned = np.abs((turned + 180) % 360 - 180)  # the short way round
    placed = np.abs(mine.motion.translation.astype(np.float64) - true.motion.translation)
    acted = np.abs(mine.motion.values[:, _READABLE].astype(np.float64) - true.motion.values[:, _READABLE])
    return {
        "pose_error": float(turned.mean()),
        "apd": float(np.concatenate([np.deg2rad(turned), placed], axis=1).mean()),
        "aed": float(acted.mean()),
    }
