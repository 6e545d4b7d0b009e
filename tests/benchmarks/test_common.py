import doctest
import json

import pytest


def test_examples_in_the_docs_hold(benchmark_module):
    for name in ("common", "readback"):
        result = doctest.testmod(benchmark_module(name))
        assert result.attempted > 0 and result.failed == 0


def test_goals_are_checked_both_ways(benchmark_module):
    common = benchmark_module("common")
    assert common.row("a", 4, goal="<= 4").ok is True and common.row("a", 4.1, goal="<= 4").ok is False
    assert common.row("a", 0.8, goal=">= 0.8").ok is True and common.row("a", float("nan"), goal=">= 0.8").ok is False
    with pytest.raises(ValueError, match="goal"):
        common.row("a", 1, goal="= 3")


def test_json_holds_rows_machine_and_commit(benchmark_module, tmp_path, capsys):
    common = benchmark_module("common")
    rows = [common.row("r", 0.5, "unit", ">= 0.8"), common.row("n", None)]
    common.report("title", rows, tmp_path / "new" / "out.json", extra={"a": 1})
    read = json.loads((tmp_path / "new" / "out.json").read_text())
    assert read["rows"][0] == {"name": "r", "value": 0.5, "unit": "unit", "goal": ">= 0.8", "ok": False}
    assert read["rows"][1]["value"] is None and read["extra"] == {"a": 1} and "cores" in read["machine"] and "commit" in read
    assert "not measured" in capsys.readouterr().out


def test_outside_a_checkout_there_is_no_commit(benchmark_module, monkeypatch, tmp_path):
    common = benchmark_module("common")
    monkeypatch.setattr(common, "ROOT", tmp_path)
    assert common.commit() == ""


def test_material_adds_to_what_the_repo_holds(benchmark_module, tmp_path):
    common = benchmark_module("common")
    (tmp_path / "faces").mkdir()
    for name in ("b.png", "a.JPG", "notes.txt"):
        (tmp_path / "faces" / name).touch()
    own = common.portraits(None)
    assert own and all(path.parent.name == "portraits" for path in own)
    assert [path.name for path in common.portraits(tmp_path)[len(own) :]] == ["a.JPG", "b.png"]
    assert len(common.portraits(tmp_path, 2)) == 2


def test_every_speech_clip_of_the_repo_has_its_phones(benchmark_module, tmp_path):
    common = benchmark_module("common")
    clips = common.files("speech", common.SOUNDS, None)
    assert len(clips) >= 3
    for path in clips:
        phones = common.phones_of(path)
        assert phones and all(start <= end for _, start, end in phones)
    assert common.phones_of(tmp_path / "none.wav") is None


def test_stopwatch_times_iterators_only_while_they_work(benchmark_module):
    import time

    watch = benchmark_module("common").Stopwatch()

    def slow():
        for i in range(3):
            time.sleep(0.01)
            yield i

    got = []
    for item in watch.items("slow", slow()):
        time.sleep(0.03)
        got.append(item)
    assert got == [0, 1, 2] and 0.03 <= watch.seconds["slow"] < 0.08
