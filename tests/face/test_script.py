import pytest

from instructavatar.errors import BadScript
from instructavatar.face.script import Script, Segment


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
