"""What a clip is said to show: head pose, action units. Sides swap with the motion.

T video frames (25 Hz), U action units.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from instructavatar.data.batch import UNIT_NAMES
from instructavatar.errors import BadBundle

_ROWS = {name: row for row, name in enumerate(UNIT_NAMES)}
_MIRRORED_POSE = np.array([1, -1, -1], np.float32)  # pitch stays, yaw and roll turn round


def pose_of(record: Mapping[str, Any], start: int, frames: int, mirrored: bool = False) -> NDArray[np.float32] | None:
    """Pitch, yaw and roll [T, 3] in degrees of a stretch, as measured; None where the record has none."""
    pose = record.get("pose")
    if pose is None or not len(pose):
        return None
    stretch = np.asarray(pose[start : start + frames], np.float32)
    return stretch * _MIRRORED_POSE if mirrored else stretch


def units_of(key: str, record: Mapping[str, Any], mirrored: bool = False) -> NDArray[np.float32] | None:
    """Which action units the clip `key` shows, 0 or 1 [U]; None where nobody knows.

    A clip whose face was measured (it has a crop) and has no units shows none; one that was performed and asks for none may show any.
    """
    names = record.get("action_units", ())
    if not names and not record.get("crop"):
        return None
    unknown = [name for name in names if name not in _ROWS]
    if unknown:
        raise BadBundle(
            f"clip {key}: expected action units by the names of face/action_units.py, got {', '.join(unknown)}; prepare it again"
        )
    units = np.zeros(len(UNIT_NAMES), np.float32)
    units[[_ROWS[swapped(name) if mirrored else name] for name in names]] = 1
    return units


def swapped(name: str) -> str:
    """The unit of the other side; a two-sided one is itself.

    >>> swapped("left_dimpler"), swapped("dimpler")
    ('right_dimpler', 'dimpler')
    """
    side, _, rest = name.partition("_")
    return {"left": "right_", "right": "left_"}[side] + rest if side in ("left", "right") else name
