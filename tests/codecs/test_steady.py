"""What is asked to hold still does, and what moves slowly never jumps."""

from __future__ import annotations

import numpy as np
import pytest

from instructavatar.face.motion import FaceMotion

FRAMES = 26  # of half a wave: one second up


def slow(**strongest):
    """Each value risen from 0 in a second, as a person would: slow, fast, slow."""
    wave = (1 - np.cos(np.pi * np.arange(FRAMES) / (FRAMES - 1))) / 2
    return FaceMotion.of(FRAMES, {name: wave * value for name, value in strongest.items()}).values


def jumps(frames):
    """99.9th percentile of half the second difference in grey levels, over the pixels that move at all."""
    stack = np.stack(list(frames)).astype(np.float32).mean(-1)
    moved = np.ptp(stack, axis=0) > 4
    return float(np.percentile(np.abs(stack[1:-1] - (stack[:-2] + stack[2:]) / 2)[:, moved], 99.9))


@pytest.mark.parametrize("who", ["calm", "smiling"])
def test_a_held_face_holds_still(who, codec, request):
    motion = FaceMotion.of(1, {"mouthSmileLeft": 1.0, "browInnerUp": 0.7, "jawOpen": 0.4, "yaw": 12.0}).values
    first, *rest = codec.decode(request.getfixturevalue(who), np.repeat(motion, 5, 0))
    assert all(np.array_equal(first, frame) for frame in rest)


@pytest.mark.parametrize(
    "strongest",
    [
        {"mouthSmileLeft": 1.0, "mouthSmileRight": 1.0},
        {"jawOpen": 0.8},
        {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0},
        {"browInnerUp": 1.0, "browOuterUpLeft": 1.0, "browOuterUpRight": 1.0},
        {"yaw": 15.0, "roll": 8.0},
        {"pitch": -12.0, "x": 0.1},
    ],
    ids=lambda strongest: next(iter(strongest)),
)
def test_a_slow_motion_never_jumps(calm, codec, strongest):
    motion = slow(**strongest)
    smooth = jumps(codec.decode(calm, motion))
    # A frame that comes two frames early is a jump that anybody sees.
    late = motion.copy()
    late[12] = motion[14]
    assert smooth < 40
    assert jumps(codec.decode(calm, late)) > 1.15 * smooth
