"""Clips to examples and batches: lengths, times, sides, seeds."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from instructavatar.data.batch import UNIT_NAMES, ClipBatch, collate
from instructavatar.data.clips import Chances, ClipExamples
from instructavatar.data.store import NotInStore
from instructavatar.errors import BadBundle
from instructavatar.face.action_units import ACTION_UNITS
from instructavatar.face.motion import INDEX, ROTATION

DIM = 8
TEXTS = {"turn left": 3, "turn right": 4, "smile": 2}


class Source:
    """One clip per key: motion[t, yaw] = t, speech[t] = t; the head turns left."""

    def __init__(self, **changes) -> None:
        self.changes = changes

    def read(self, key: str, arrays) -> dict:
        frames = 50
        motion = np.zeros((frames, 58), np.float32)
        motion[:, INDEX["yaw"]] = np.arange(frames)
        record = {
            "motion_latent": motion,
            "audio_feat": np.arange(2 * frames)[:, None].repeat(DIM, 1).astype(np.float16),
            "audio_flag": True,
            "latent_length": frames,
            "instruction": ["turn left"],
        }
        return {**record, **self.changes}

    def text(self, sentence: str):
        if sentence not in TEXTS:
            raise NotInStore(f"no {sentence}")
        tokens = np.full((TEXTS[sentence], DIM), TEXTS[sentence], np.float16)
        return tokens, tokens.mean(0)


def example(frames=20, seed=0, chances=None, **changes):
    return ClipExamples(Source(**changes), chances, text_dim=DIM).example("a", frames, np.random.default_rng(seed))


STRAIGHT = Chances(mirror=0.0, from_start=0.0)


def test_a_stretch_keeps_speech_and_motion_together():
    made = example(chances=STRAIGHT)
    start = int(made.motion[0, INDEX["yaw"]])
    assert 0 < start <= 30
    assert made.motion[:, INDEX["yaw"]].tolist() == list(range(start, start + 20))
    assert made.speech[:, 0].tolist() == list(range(2 * start, 2 * start + 40))
    assert made.speech_mask.tolist() == [1.0] * 20


def test_a_short_clip_comes_whole():
    made = example(frames=500, chances=STRAIGHT)
    assert made.motion.shape == (50, 58)
    assert made.speech.shape == (100, DIM)


def test_a_segment_that_began_before_the_stretch_keeps_its_clock():
    made = example(chances=STRAIGHT)
    start = made.motion[0, INDEX["yaw"]] / 25
    np.testing.assert_allclose(made.clock[0], [start, 2 - start], atol=1e-6)
    assert made.tokens_alive.shape == (20, 3) and made.tokens_alive.all()


def test_timed_segments_live_in_their_time():
    made = example(frames=50, chances=STRAIGHT, instruction=["0-1s: turn left | 1.2-2s: smile"])
    assert made.pooled_alive[:, 0].tolist() == [1.0] * 25 + [0.0] * 25
    assert made.pooled_alive[:, 1].tolist() == [0.0] * 30 + [1.0] * 20
    assert made.tokens_alive[40].tolist() == [0, 0, 0, 1, 1]
    assert not made.clock[25:30].any()


def test_a_silent_clip_says_so():
    made = example(audio_feat=np.zeros((0, DIM), np.float16), instruction=[])
    assert not made.speech_mask.any() and not made.speech.any()
    assert made.speech.shape == (40, DIM)
    assert made.tokens.shape == (0, DIM)


def test_mirrored_motion_brings_mirrored_text():
    made = example(chances=Chances(mirror=1.0, from_start=1.0))
    assert made.motion[5, INDEX["yaw"]] == -5
    assert made.tokens.shape == (4, DIM)  # "turn right" has four tokens
    unknown = example(chances=Chances(mirror=1.0, from_start=1.0), instruction=["smile"])
    assert unknown.motion[5, INDEX["yaw"]] == -5  # no side in the text: the same text


def test_without_the_swapped_sentence_nothing_is_mirrored():
    class Poor(Source):
        def text(self, sentence):
            if sentence == "turn right":
                raise NotInStore("none")
            return super().text(sentence)

    poor = Poor(action_units=["left_dimpler"])
    made = ClipExamples(poor, Chances(mirror=1.0, from_start=1.0), DIM).example("a", 20, np.random.default_rng(0))
    assert made.motion[5, INDEX["yaw"]] == 5 and made.units[UNIT_NAMES.index("left_dimpler")]
    assert made.tokens.shape == (3, DIM)


def test_what_is_given_follows_the_chances():
    first = example(chances=Chances(no_start=0.0, prefix=0.0, pose=0.0)).known_mask
    assert first[0].all() and not first[1:].any()
    assert not example(chances=Chances(no_start=1.0, prefix=0.0, pose=0.0)).known_mask.any()
    pose = example(chances=Chances(no_start=1.0, prefix=0.0, pose=1.0)).known_mask
    assert pose[:, ROTATION].all() and pose.sum() == 60
    prefixes = {int(example(seed=s, chances=Chances(prefix=1.0, pose=0.0)).known_mask[:, 0].sum()) for s in range(40)}
    assert 1 in prefixes  # a prefix over the whole stretch would leave nothing to predict
    assert max(prefixes) <= 19 and len(prefixes) > 5


def test_the_seed_fixes_the_example():
    one, same, other = example(seed=1), example(seed=1), example(seed=2)
    assert np.array_equal(one.motion, same.motion) and np.array_equal(one.known_mask, same.known_mask)
    assert not np.array_equal(one.motion, other.motion)


def test_collate_pads_with_zeros_and_marks_what_is_real():
    batch = collate([example(frames=10), example(frames=6, instruction=["smile"]), example(frames=4, instruction=[])])
    assert len(batch) == 3 and batch.motion.shape == (3, 10, 58)
    assert batch.frame_mask.sum(1).tolist() == [10, 6, 4]
    assert batch.tokens.dtype == torch.float32 and batch.tokens.shape[1] >= 3
    assert not batch.tokens_alive[2].any() and not batch.motion[2, 4:].any()
    assert batch.speech.shape == (3, 20, DIM)
    assert batch.to("cpu").names == batch.names


def test_a_batch_without_text_still_has_a_dead_state():
    batch = collate([example(instruction=[])])
    assert batch.tokens.shape[1] == batch.pooled.shape[1] == 1
    with pytest.raises(ValueError, match="at least one"):
        collate([])


def test_silence_that_stands_in_for_sound_is_not_followed():
    made = example(audio_flag=False)
    assert not made.speech_mask.any()


LABELS = {
    "action_units": ["left_dimpler", "jaw_drop"],
    "intensity": 2,
    "emotion": "happy",
    "pose": np.arange(150, dtype=np.float32).reshape(50, 3),
}


def test_labels_come_with_the_stretch():
    made = example(chances=STRAIGHT, **LABELS)
    start = int(made.motion[0, INDEX["yaw"]])
    assert made.pose.tolist() == LABELS["pose"][start : start + 20].tolist()
    assert (made.intensity, made.talking, made.emotion) == (2, True, "happy")
    batch = collate([made, example(frames=6, audio_flag=False)])
    assert batch.units.shape == (2, 41) and tuple(ACTION_UNITS) == UNIT_NAMES
    assert {UNIT_NAMES[i] for i in batch.units[0].nonzero()[:, 0]} == {"left_dimpler", "jaw_drop"}
    assert batch.units_mask.tolist() == [1, 0] and not batch.units[1].any(), "nobody said what the other shows"
    assert batch.pose.shape == (2, 20, 3) and batch.pose_mask.sum(1).tolist() == [20, 0]
    assert batch.intensity.tolist() == [2, 0] and batch.intensity.dtype == torch.int64
    assert batch.talking.tolist() == [1, 0] and batch.emotion == ("happy", "")


def test_labels_swap_sides_with_the_motion():
    made = example(chances=Chances(mirror=1.0, from_start=1.0), **LABELS)
    assert {UNIT_NAMES[i] for i in np.flatnonzero(made.units)} == {"right_dimpler", "jaw_drop"}
    assert made.pose[4].tolist() == [12, -13, -14]
    plain = example(chances=STRAIGHT, **LABELS)
    assert {UNIT_NAMES[i] for i in np.flatnonzero(plain.units)} == {"left_dimpler", "jaw_drop"}


def test_a_measured_clip_without_units_shows_none():
    assert example(action_units=[], crop=[]).units is None
    assert example(action_units=[], crop=[3.0, 4.0, 90.0]).units.tolist() == [0] * 41
    with pytest.raises(BadBundle, match="clip a: expected action units.*AU12"):
        example(action_units=["AU12"])


def test_a_batch_made_by_hand_may_leave_the_labels_out():
    whole = collate([example(), example(frames=8)])
    names = (
        "names",
        "motion",
        "known_mask",
        "speech",
        "speech_mask",
        "tokens",
        "pooled",
        "tokens_alive",
        "pooled_alive",
        "clock",
        "frame_mask",
    )
    bare = ClipBatch(*(getattr(whole, name) for name in names)).to("cpu")
    assert bare.key.shape == (2, 58) and bare.pose.shape == (2, 20, 3) and bare.units.shape == (2, 41)
    assert not bare.units_mask.any() and not bare.pose_mask.any() and not bare.key_mask.any() and bare.emotion == ("", "")
    assert bare.intensity.dtype == torch.int64


def test_a_damaged_sentence_is_no_reason_not_to_mirror():
    class Damaged(Source):
        def text(self, sentence):
            if sentence == "turn right":
                raise BadBundle("sentence 'turn right': damaged")
            return super().text(sentence)

    with pytest.raises(BadBundle, match="damaged"):
        ClipExamples(Damaged(), Chances(mirror=1.0), DIM).example("a", 20, np.random.default_rng(0))


def test_a_malformed_wording_names_its_clip():
    with pytest.raises(BadBundle, match="clip a: .*segment"):
        example(instruction=["1-0.5s: smile"])


@pytest.mark.parametrize(
    ("wrong", "told"), [({"mirror": 1.1}, "as mirror, got 1.1"), ({"pose": -1}, "as pose"), ({"prefix_longest": 1}, "2 frames")]
)
def test_chances_are_chances(wrong, told):
    with pytest.raises(ValueError, match=told):
        Chances(**wrong)


def test_clips_of_different_widths_are_named():
    with pytest.raises(BadBundle, match="clip a: expected motion, speech and text .58, 8, 8. wide as in clip a, got .58, 9, 8."):
        collate([example(), example(audio_feat=np.zeros((100, 9), np.float16))])


def test_streams_are_cut_to_one_length():
    pose = np.ones((49, 3), np.float32)
    made = example(frames=99, chances=STRAIGHT, pose=pose, audio_feat=np.ones((98, DIM), np.float16))
    assert made.motion.shape == (49, 58) and made.pose.shape == (49, 3) and made.speech.shape == (98, DIM)
    assert made.speech_mask.all() and made.tokens_alive.shape[0] == made.clock.shape[0] == 49


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"latent_length": 60}, "all 60, motion 50, speech 50"),
        ({"pose": np.zeros((20, 3), np.float32)}, "all 50, motion 50, pose 20, speech 50"),
        ({"audio_feat": np.zeros((60, DIM), np.float16)}, "speech 30"),
        ({"latent_length": 0, "motion_latent": np.zeros((0, 58), np.float32), "audio_feat": np.zeros((0, DIM), np.float16)}, "all 0"),
    ],
)
def test_clips_whose_streams_differ_are_named(change, told):
    with pytest.raises(BadBundle, match=f"clip a: expected streams of about one length, got frames of .*{told}"):
        example(**change)


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 99)), min_size=1, max_size=5))
@settings(max_examples=30, deadline=None)
def test_a_clip_in_a_batch_is_the_clip_and_zeros(clips):
    made = [example(frames=frames, seed=seed, instruction=[["smile"], ["turn left"], []][seed % 3], **LABELS) for frames, seed in clips]
    batch = collate(made)
    for row, one in enumerate(made):
        for field in fields(one):
            array = getattr(one, field.name)
            if isinstance(array, np.ndarray):
                padded = getattr(batch, field.name)[row].numpy().copy()
                inside = tuple(slice(0, size) for size in array.shape)
                assert np.array_equal(padded[inside], array.astype(np.float32)), field.name
                padded[inside] = 0
                assert not padded.any(), field.name
        assert batch.frame_mask[row].tolist() == [1] * len(one.motion) + [0] * (batch.motion.shape[1] - len(one.motion))
