import numpy as np
import pytest

from instructavatar.errors import BadScript
from instructavatar.face.script import Script, Segment, alive_frames, clock_of, swap_sides


def test_plain_sentence_covers_the_clip():
    assert Script.parse("  smile ", 3.0).segments == (Segment(0.0, 3.0, "smile"),)


def test_empty_text_has_no_segments():
    assert Script.parse(" ", 3.0).segments == ()


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("0-2s: smile | 2-4s: turn left", [(0, 2), (2, 4)]),
        ("0-2: smile | 2-: turn left", [(0, 2), (2, 5)]),
        ("0.5s - 1.25s: smile", [(0.5, 1.25)]),
        ("1 to 3 seconds: smile", [(1, 3)]),
        ("0-9s: smile", [(0, 5)]),
        ("0s-2s: talk with these action units: lip corner puller; cheek raiser", [(0, 2)]),
    ],
)
def test_spellings_of_time(text, spans):
    assert [(s.start_s, s.end_s) for s in Script.parse(text, 5.0).segments] == spans


@pytest.mark.parametrize("text", ["smile", "0-2s: smile | 2-4s: turn left", "0.5-1.25s: happy: very", "1.3-5s: x | 5-7.06s: y"])
def test_printing_reads_back(text):
    script = Script.parse(text, 8.0)
    assert Script.parse(str(script), 8.0) == script


def test_sentence_with_numbers_or_colon_is_plain():
    for text in ("talk with these action units: jaw drop", "blink 2 times", "3 nods: quickly"):
        assert Script.parse(text, 4.0).plain


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0-2s: smile | turn left", "segment 2"),
        ("2-1s: smile", "segment 1"),
        ("0-2s: smile | 1-3s: nod", "segment 2"),
        ("0-2s: smile | 6-8s: nod", "segment 2"),
        ("0-2s: ", "segment 1"),
        ("-1-2s: smile", "segment 1"),
        ("0-2s: smile |", "segment 2"),
        ("1-1s: smile", "segment 1"),
    ],
)
def test_malformed_scripts_name_the_segment(text, says):
    with pytest.raises(BadScript, match=says):
        Script.parse(text, 5.0)


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_a_clip_must_have_a_length(seconds):
    with pytest.raises(BadScript):
        Script.parse("smile", seconds)


def test_at():
    script = Script.parse("0-1s: smile | 2-3s: nod", 5.0)
    assert script.at(0.5).text == "smile"
    assert script.at(1.5) is None
    assert script.at(2.0).text == "nod"


def test_sides_swap_as_words_only():
    assert swap_sides("LEFT, leftward and upright; Right!") == "RIGHT, rightward and upright; Left!"
    assert swap_sides(swap_sides("Turn left and wink your right eye")) == "Turn left and wink your right eye"


SEGMENTS = Script.parse("0-0.5s: smile | 0.7-1.3s: turn left", 2.0).segments


def test_segments_live_from_their_first_frame_to_the_one_before_their_end():
    alive = alive_frames(SEGMENTS, 0, 50)
    assert alive.shape == (50, 2) and alive.dtype == np.float32
    assert np.flatnonzero(alive[:, 0]).tolist() == list(range(13)), "12.5 frames: frame 12 begins at 0.48 s"
    assert np.flatnonzero(alive[:, 1]).tolist() == list(range(18, 33)), "0.7 s lies within frame 17, which is not yet alive"
    assert alive_frames((), 3, 5).shape == (5, 0)


@pytest.mark.parametrize(("start", "frames"), [(9, 20), (30, 5), (45, 5)])
def test_a_stretch_sees_what_the_whole_clip_sees(start, frames):
    np.testing.assert_array_equal(alive_frames(SEGMENTS, start, frames), alive_frames(SEGMENTS, 0, 50)[start : start + frames])
    np.testing.assert_array_equal(clock_of(SEGMENTS, start, frames), clock_of(SEGMENTS, 0, 50)[start : start + frames])


def test_the_clock_tells_seconds_since_the_start_and_until_the_end():
    clock = clock_of(SEGMENTS, 0, 50)
    np.testing.assert_allclose(clock[20], [0.1, 0.5], atol=1e-6)
    assert not clock[13:18].any() and not clock[33:].any(), "nothing is alive in gaps"
    assert not clock_of((), 0, 4).any()
