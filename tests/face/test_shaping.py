from __future__ import annotations

import numpy as np
import pytest

from instructavatar.face.motion import INDEX, ROTATION, TRANSLATION, FaceMotion
from instructavatar.face.shaping import LIDS, blinks, shaped

BLINK = [0.0, 0.25, 0.85, 0.95, 0.9, 0.7, 0.3, 0.05]  # as generated


def eyes(*parts, other=None):
    """Motion whose lids follow the parts, one after the other; a number is so many frames of open eyes."""
    curve = np.concatenate([np.zeros(part) if isinstance(part, int) else np.asarray(part, float) for part in parts])
    return FaceMotion.of(
        len(curve), {"eyeBlinkLeft": curve, "eyeBlinkRight": curve if other is None else other, "yaw": 5.0, "x": 0.1, "jawOpen": 0.4}
    )


def lids(motion):
    return motion.values[:, LIDS]


def test_the_head_keeps_its_share_and_the_face_all():
    motion = eyes(10, BLINK, 10)
    half = shaped(motion, head_motion=0.5)
    assert np.allclose(half.rotation_deg, motion.rotation_deg / 2) and np.allclose(half.translation, motion.translation / 2)
    assert (half.actions == motion.actions).all()
    held = shaped(motion, head_motion=0)
    assert not held.values[:, ROTATION].any() and not held.values[:, TRANSLATION].any()
    assert shaped(motion) is motion


def test_blinks_go_and_nothing_else_changes():
    motion = eyes(20, BLINK, 30, BLINK, 7)
    assert len(blinks(motion)) == 2
    calm = shaped(motion, blink=0)
    assert lids(calm).max() < 0.06
    assert (np.delete(calm.values, LIDS, axis=1) == np.delete(motion.values, LIDS, axis=1)).all()
    assert (lids(calm)[:19] == lids(motion)[:19]).all()
    assert lids(motion).max() > 0.9  # the given motion is not drawn on


@pytest.mark.parametrize(("share", "left"), [(1.0, 4), (0.75, 3), (0.5, 2), (0.25, 1), (0.0, 0)])
def test_a_share_of_the_blinks_stays_whole(share, left):
    motion = eyes(20, BLINK, 20, BLINK, 20, BLINK, 20, BLINK, 20)
    fewer = shaped(motion, blink=share)
    kept = blinks(fewer)
    assert len(kept) == left
    for first, last in kept:
        assert (lids(fewer)[first : last + 1] == lids(motion)[first : last + 1]).all()


@pytest.mark.parametrize(
    "motion",
    [
        eyes(15, np.linspace(0, 1, 6), np.ones(14), np.linspace(1, 0, 6), 15),  # closed for a while
        eyes(10, np.linspace(0, 1, 5), np.ones(40)),  # closed to the end
        eyes(np.full(40, 0.45)),  # sleepy
        eyes(20, BLINK, 20, other=np.zeros(48)),  # a wink
        eyes(20, 0.3 * np.asarray(BLINK), 20),  # a twitch
    ],
    ids=["closed", "closed to the end", "sleepy", "wink", "twitch"],
)
def test_what_is_no_blink_stays(motion):
    assert (shaped(motion, blink=0).values == motion.values).all()


def test_a_blink_of_sleepy_eyes_ends_where_they_were():
    motion = eyes(np.full(20, 0.4), 0.4 + 0.6 * np.asarray(BLINK), np.full(20, 0.4))
    calm = shaped(motion, blink=0)
    assert np.abs(lids(calm) - 0.4).max() < 0.05


def test_a_blink_before_closed_eyes_goes_alone():
    closing = [np.linspace(0, 1, 6), np.ones(20)]
    calm = shaped(eyes(20, BLINK, 4, *closing), blink=0)
    assert lids(calm)[:30].max() < 0.06 and (lids(calm)[33:] == lids(eyes(20, BLINK, 4, *closing))[33:]).all()


@pytest.mark.parametrize("cut", [eyes(BLINK[3:], 20), eyes(20, BLINK[:4])], ids=["start", "end"])
def test_a_blink_cut_by_the_clip_goes_too(cut):
    assert lids(cut).max() > 0.9 and lids(shaped(cut, blink=0)).max() < 0.1


def test_lids_never_close_farther_than_they_were():
    rng = np.random.default_rng(0)
    for _ in range(50):
        curve = np.clip(np.cumsum(rng.normal(0, 0.3, 60)), 0, 1)
        motion = eyes(curve, other=np.clip(curve + rng.normal(0, 0.1, 60), 0, 1))
        assert (shaped(motion, blink=0).values <= motion.values + 1e-6).all()


def test_short_clips_have_no_trouble():
    for frames in (1, 2, 5):
        motion = FaceMotion.of(frames, {"eyeBlinkLeft": 0.2})
        assert (shaped(motion, blink=0, head_motion=0).values[:, INDEX["eyeBlinkLeft"]] == motion.column("eyeBlinkLeft")).all()
