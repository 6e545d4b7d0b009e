"""Which frame of a clip to show: the ones on which its action units are seen best.

T video frames (25 Hz).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from instructavatar.face.action_units import ACTION_UNITS, vector
from instructavatar.face.motion import ACTION_COUNT, MOTION_DIM

MOST = 3  # a refused picture is followed by another one


def picture(record: Mapping[str, Any], frame: int) -> bytes:
    """The JPEG file of one frame."""
    begin, end = record["face_offsets"][frame : frame + 2]
    return record["face_frames"][int(begin) : int(end)].tobytes()


def best_frames(record: Mapping[str, Any]) -> list[int]:
    """At most three frames, best first and apart from each other; [] where the store keeps no pictures."""
    count = len(record.get("face_offsets", ())) - 1
    if count < 1:
        return []
    shown = _shown(record)
    if len(shown) != count:
        return list(dict.fromkeys((count // 2, count // 4, 3 * count // 4)))
    apart = max(1, count // 8)
    found: list[int] = []
    for frame in np.argsort(-shown, kind="stable").tolist():
        if all(abs(frame - other) >= apart for other in found):
            found.append(frame)
        if len(found) == MOST:
            break
    return found


def _shown(record: Mapping[str, Any]) -> NDArray[np.float32]:
    """How far the clip's action units are there in each frame [T]; [0] where nothing tells."""
    motion = next((m for m in (record["face_motion"], record["motion_latent"]) if m.shape[1] == MOTION_DIM and len(m)), None)
    units = [ACTION_UNITS[name] for name in record["action_units"] if name in ACTION_UNITS]
    if motion is None or not units:
        return np.zeros(0, np.float32)
    total = np.zeros(len(motion), np.float32)
    for unit in units:
        target = vector(unit.shape)[:ACTION_COUNT]
        main = target >= 0.5 * target.max()
        total += np.clip(motion[:, :ACTION_COUNT][:, main] / target[main], 0.0, 1.0).min(1)
    return total
