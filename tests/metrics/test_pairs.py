"""What belongs together: lists, folders, sheets."""

import json

import pytest

from instructavatar.errors import BadMedia, BadOption, MissingFile
from instructavatar.metrics.pairs import Asked, find_pairs, read_phones


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_files_of_equal_names_belong_together_and_the_rest_is_named(tmp_path):
    made, real = touch(tmp_path / "made", "a.mp4", "deep/b.mov", "alone.mp4"), touch(tmp_path / "real", "a.mkv", "deep/b.mp4", "unused.mp4")
    found = find_pairs(made, real)
    assert [(pair.name, pair.reference) for pair in found.pairs] == [
        ("a", real / "a.mkv"),
        ("alone", None),
        ("deep/b", real / "deep/b.mp4"),
    ]
    assert found.aside == (str(real / "unused.mp4"),)


def test_a_face_with_a_voice_meets_the_voice(tmp_path):
    made, real = touch(tmp_path / "made", "anna--speech.mp4"), touch(tmp_path / "real", "speech.mp4")
    assert find_pairs(made, real).pairs[0].reference == real / "speech.mp4"


def test_a_sheet_beside_the_videos_says_what_was_asked(tmp_path):
    made, real = touch(tmp_path / "made", "a.mp4"), touch(tmp_path / "real", "a.mp4")
    sheet = "path;instruction;emotion;intensity;speaker\na.mp4;smile broadly || grin;happy;2;W1\n"
    (real / "clips.csv").write_text(sheet, encoding="utf-8")
    assert find_pairs(made, real).pairs[0].asked == Asked("smile broadly", emotion="happy", intensity=2)


def test_a_list_gives_every_field_and_counts_paths_from_its_own_folder(tmp_path):
    row = {
        **{"generated": "v/a.mp4", "reference": "r.mp4", "audio": "s/a.wav", "portrait": "p.png", "baseline": "b.mp4", "kind": "nod"},
        **{"instruction": "nod", "emotion": "happy", "intensity": 3, "action_units": ["jaw_drop"], "group": "g"},
    }
    touch(tmp_path, "s/a.phones.json")
    (tmp_path / "pairs.jsonl").write_text(json.dumps(row) + "\n" + json.dumps(row) + "\n", encoding="utf-8")
    first, second = find_pairs(tmp_path / "pairs.jsonl").pairs
    assert first.generated == tmp_path / "v/a.mp4" and first.phones == tmp_path / "s/a.phones.json"
    assert first.asked == Asked("nod", "nod", "happy", 3, ("jaw_drop",), "g") and first.asked.anything
    assert (first.name, second.name) == ("v/a", "v/a (2)")


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ('{"generated": "a.mp4", "refrence": "b"}', BadOption, "'refrence'"),
        ('{"reference": "a.mp4"}', BadOption, "column generated"),
        ('{"generated": "a.mp4", "intensity": 7}', BadOption, "1, 2 or 3, got '7'"),
        ("not json", BadMedia, "row 1"),
    ],
)
def test_a_bad_list_is_refused_with_its_row(tmp_path, text, error, words):
    (tmp_path / "pairs.jsonl").write_text(text, encoding="utf-8")
    with pytest.raises(error, match=words):
        find_pairs(tmp_path / "pairs.jsonl")


def test_nothing_to_compare_is_said(tmp_path):
    with pytest.raises(MissingFile, match="found nothing"):
        find_pairs(tmp_path / "nowhere")
    with pytest.raises(MissingFile, match="found none"):
        find_pairs(touch(tmp_path / "made", "readme.txt"))
    with pytest.raises(MissingFile, match="real videos"):
        find_pairs(touch(tmp_path / "m", "a.mp4"), tmp_path / "nowhere")
    with pytest.raises(MissingFile, match="found z; name them alike"):
        find_pairs(tmp_path / "m", touch(tmp_path / "real", "z.mp4"))
    (tmp_path / "pairs.jsonl").write_text('{"generated": "a.mp4"}', encoding="utf-8")
    with pytest.raises(BadOption, match="leave one of them out"):
        find_pairs(tmp_path / "pairs.jsonl", tmp_path)


def test_phones_are_read_and_others_refused(tmp_path):
    (tmp_path / "a.json").write_text('[["p", 0, 0.1]]', encoding="utf-8")
    assert read_phones(tmp_path / "a.json") == [("p", 0.0, 0.1)]
    (tmp_path / "a.json").write_text('["p"]', encoding="utf-8")
    with pytest.raises(BadMedia, match="phone, start_s, end_s"):
        read_phones(tmp_path / "a.json")
