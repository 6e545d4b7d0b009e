"""The raters' page hides who is who and works without a network; answers of known means come back as these means."""

import contextlib
import json
import re
import shutil
import subprocess

import av
import numpy as np
import pytest

from instructavatar.errors import BadMedia, BadOption, CannotWrite, MissingFile
from instructavatar.media.video import frames_at
from instructavatar.metrics.pairs import Asked, Pair, find_pairs
from instructavatar.metrics.report import answers as reading
from instructavatar.metrics.report import rating
from instructavatar.metrics.report.answers import SCALES, alpha, checksum, pigeonhole, read_answers

SCRIPT = rating.PAGES / "rating.js"


@pytest.fixture
def videos(tmp_path, monkeypatch):
    """Two folders of files of equal names, which are no videos, so that they are taken for playable ones."""
    monkeypatch.setattr(rating, "playable", lambda video: True)
    for system in ("ours", "theirs"):
        (tmp_path / system).mkdir()
        for place in range(10):
            (tmp_path / system / f"take_{place}.mp4").write_bytes(f"{system} {place}".encode())
    return tmp_path


@pytest.fixture
def asked(videos):
    """A function: the page of both folders; gives its folder and key."""

    def written(seed=0):
        assert rating.rate(videos / "rate", videos / "ours", videos / "theirs", seed) == 0
        return videos / "rate", json.loads((videos / "rate" / "key.json").read_text())

    return written


def saved(folder, key, rater, judge, trials=None, name=None, **changed):
    """A file as the page saves it; `judge(clip, system)` gives the three marks, and the better sum is preferred."""
    given = []
    for trial in trials or sorted(key["trials"]):
        sides = {
            side: dict(zip(SCALES, judge(key["trials"][trial]["clip"], key["trials"][trial][side]), strict=True)) for side in rating.SIDES
        }
        lead = sum(sides["left"].values()) - sum(sides["right"].values())
        given.append({"trial": trial, **sides, "preferred": "left" if lead > 0 else "right" if lead < 0 else "none"})
    content = {"version": 1, "page": key["page"], "rater": rater, "saved": "2026-01-01", "answers": given} | changed
    content.setdefault("check", checksum("\n".join([content["page"], rater, *map(reading._line, content["answers"])])))
    path = folder / (name or f"answers_{rater}.json")
    path.write_text(json.dumps(content))
    return path


def constant(ours, theirs):
    return lambda clip, system: ours if system == "ours" else theirs


# --- the page ----------------------------------------------------------------------------------------------------------------------------


def trials_of(folder):
    text = (folder / "index.html").read_text(encoding="utf-8")
    return json.loads(re.search(r'<script type="application/json" id="trials">(.*?)</script>', text, re.S)[1])


def test_the_page_tells_nobody_who_is_who(asked):
    folder, key = asked()
    text = (folder / "index.html").read_text(encoding="utf-8")
    for secret in ("ours", "theirs", "take_", "key.json"):
        assert secret not in text
    assert not re.search(r"https?:|@import|url\(|src=\"|@@", text)
    names = sorted(path.name for path in (folder / "clips").iterdir())
    assert names == [f"clip-{number:03d}.mp4" for number in range(1, 21)]
    for trial in trials_of(folder)["trials"]:
        for side in rating.SIDES:
            system, place = (folder / "clips" / trial[side]).read_bytes().decode().split()
            assert key["trials"][trial["id"]][side] == system and key["trials"][trial["id"]]["clip"] == f"take_{place}"


def test_sides_are_even_and_drawn_by_the_seed(asked):
    first = asked(0)[1]
    assert sum(trial["left"] == "ours" for trial in first["trials"].values()) == 5
    assert asked(0)[1] == first
    assert asked(1)[1]["trials"] != first["trials"]


def test_neutral_names_do_not_sort_by_system(asked):
    folder, _ = asked()
    order = [path.read_bytes().decode().split()[0] for path in sorted((folder / "clips").iterdir())]
    assert 4 < sum(one != other for one, other in zip(order, order[1:], strict=False)) < 16


def test_instructions_are_shown_and_cannot_break_the_page(videos):
    evil = "</script><script>alert(1)</script> @@STYLE@@ Zoë"
    pairs = [Pair("a", videos / "ours/take_0.mp4", videos / "theirs/take_0.mp4", asked=Asked(evil))]
    rating.write_rating(pairs, ("x", "y"), videos / "rate")
    text = (videos / "rate" / "index.html").read_text(encoding="utf-8")
    assert text.count("<script") == 2 and text.count("</script>") == 2
    assert trials_of(videos / "rate")["trials"][0]["instruction"] == evil


def test_what_has_no_counterpart_is_named(videos, capsys):
    (videos / "ours" / "take_9.mp4").unlink()
    (videos / "theirs" / "take_0.mp4").unlink()
    rating.rate(videos / "rate", videos / "ours", videos / "theirs")
    told = capsys.readouterr().out
    assert "8 pairs to rate" in told and "counterpart: take_0" in told and "take_9.mp4" in told
    with pytest.raises(BadOption, match="--against"):
        rating.rate(videos / "other", videos / "ours", None)
    with pytest.raises(BadOption, match="name the other one first"):
        rating.rate(videos / "other", None, videos / "theirs")
    (videos / "store").mkdir()
    (videos / "store" / "data.mdb").write_bytes(b"")
    with pytest.raises(BadOption, match="holds no sound"):
        rating.rate(videos / "other", videos / "ours", videos / "store")


def test_a_page_that_was_answered_is_not_overwritten(asked, videos):
    folder, key = asked(0)
    saved(folder, key, "ann", constant((4, 4, 4), (2, 2, 2)))
    asked(0)
    with pytest.raises(BadOption, match="answers to another page"):
        asked(1)
    (videos / "file").write_text("")
    with pytest.raises(CannotWrite):
        rating.rate(videos / "file", videos / "ours", videos / "theirs")


def encode(path, codec):
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, 25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for level in range(0, 250, 25):
            picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), level, np.uint8), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())


def test_what_browsers_do_not_play_is_encoded_again(tmp_path):
    for system, codec in (("ours", "libx264"), ("theirs", "mpeg4")):
        (tmp_path / system).mkdir()
        encode(tmp_path / system / "a.mp4", codec)
    assert rating.playable(tmp_path / "ours" / "a.mp4") and not rating.playable(tmp_path / "theirs" / "a.mp4")
    rating.rate(tmp_path / "rate", tmp_path / "ours", tmp_path / "theirs")
    copies = {path.read_bytes() == (tmp_path / "ours" / "a.mp4").read_bytes(): path for path in (tmp_path / "rate" / "clips").iterdir()}
    assert set(copies) == {True, False} and rating.playable(copies[False])
    levels = [picture.mean() for picture in frames_at(copies[False])]
    assert np.allclose(levels, range(0, 250, 25), atol=4)
    (tmp_path / "theirs" / "a.mp4").write_bytes(b"none")
    with pytest.raises(BadMedia, match="a.mp4"):
        rating.rate(tmp_path / "rate", tmp_path / "ours", tmp_path / "theirs")


def test_a_list_of_pairs_can_be_rated(videos):
    sheet = videos / "pairs.jsonl"
    sheet.write_text(json.dumps({"generated": "ours/take_1.mp4", "reference": "theirs/take_1.mp4", "instruction": "smile"}) + "\n")
    assert rating.write_rating(find_pairs(sheet).pairs, rating.system_names(sheet, None), videos / "rate") == 1
    assert trials_of(videos / "rate")["trials"][0]["instruction"] == "smile"


# --- the answers -------------------------------------------------------------------------------------------------------------------------


def test_three_raters_of_known_means_come_back(asked):
    folder, key = asked()
    rng = np.random.default_rng(3)
    noise = {(rater, clip): int(rng.integers(-1, 2)) for rater in "abc" for clip in range(10)}

    def judge(rater):
        def marks(clip, system):
            shift = noise[rater, int(clip[-1])]
            return (4 + shift, 3 + shift, 4) if system == "ours" else (2 + shift, 3 + shift, 1)

        return marks

    for rater in "abc":
        saved(folder, key, rater, judge(rater))
    found = read_answers(folder)
    mean = np.mean(list(noise.values()))
    assert found["raters"] == ["a", "b", "c"] and found["ratings"] == 30 and found["refused"] == []
    assert found["mos"]["ours"]["lips"]["value"] == pytest.approx(4 + mean)
    assert found["mos"]["theirs"]["lips"]["value"] == pytest.approx(2 + mean)
    assert found["mos"]["ours"]["naturalness"] == {"value": 4.0, "ci": [4.0, 4.0], "n": 30}
    assert found["difference"]["lips"] == {"value": 2.0, "ci": [2.0, 2.0], "n": 30}
    assert found["difference"]["emotion"]["value"] == 0
    low, high = found["mos"]["ours"]["lips"]["ci"]
    assert low < 4 + mean < high and high - low > 0.3
    assert found["preference"]["ours"] == {"share": 1.0, "ci": [pytest.approx(0.8865, abs=1e-3), pytest.approx(1.0)], "votes": 30}
    assert found["preference"]["none"]["votes"] == 0
    assert found["agreement"]["naturalness"] == pytest.approx(1.0)
    assert found["agreement"]["emotion"] < 0.5 < found["agreement"]["lips"]
    assert json.loads((folder / "mos.json").read_text()) == found


def test_the_table_names_systems_scales_and_what_was_left_out(asked, capsys):
    folder, key = asked()
    saved(folder, key, "ann", constant((5, 4, 3), (1, 4, 3)))
    (folder / "answers_x.json").write_text("{")
    assert rating.rate(folder, None, None) == 0
    told = capsys.readouterr().out
    assert "1 rater, 10 rated pairs" in told
    assert re.search(r"lips +5.00 \(5.00..5.00\) +1.00 \(1.00..1.00\) +4.00", told)
    assert re.search(r"preferred +100 % \(72..100\) +0 % \(0..28\) +0 % \(0..28\) neither", told)
    assert "  answers_x.json: no answers of the raters' page, or damaged" in told


def test_unrated_pairs_are_no_zeros(asked):
    folder, key = asked()
    saved(folder, key, "ann", constant((5, 5, 5), (1, 1, 1)), trials=["t001", "t002"])
    saved(folder, key, "bob", constant((5, 5, 5), (1, 1, 1)), trials=["t003"])
    found = read_answers(folder)
    assert found["mos"]["ours"]["lips"] == {"value": 5.0, "ci": [5.0, 5.0], "n": 3}
    assert found["agreement"]["lips"] is None


def test_changed_answers_are_refused_by_name(asked):
    folder, key = asked()
    saved(folder, key, "ann", constant((3, 3, 3), (3, 3, 3)))
    path = saved(folder, key, "eve", constant((1, 1, 1), (5, 5, 5)))
    path.write_text(path.read_text().replace('"lips": 1', '"lips": 5'))
    found = read_answers(folder)
    assert found["raters"] == ["ann"]
    assert found["refused"] == [{"file": "answers_eve.json", "reason": "changed after it was saved: its checksum does not fit"}]


def test_a_later_file_takes_the_place_of_an_earlier_one(asked):
    folder, key = asked()
    saved(folder, key, "ann", constant((1, 1, 1), (1, 1, 1)), trials=["t001"], saved="2026-01-01T10")
    saved(folder, key, "ann", constant((5, 5, 5), (1, 1, 1)), name="answers_ann (1).json", saved="2026-01-01T11")
    found = read_answers(folder)
    assert found["ratings"] == 10 and found["mos"]["ours"]["lips"]["value"] == 5
    assert found["refused"] == [{"file": "answers_ann.json", "reason": "ann's answers were saved again, in answers_ann (1).json"}]


UNFIT = {
    "another page": (dict(page="other"), "answers to another page"),
    "a mark of six": (lambda a: a["left"].update(lips=6), "expected marks from 1 to 5, got 6"),
    "a mark of nothing": (lambda a: a["right"].update(emotion=None), "expected marks from 1 to 5, got None"),
    "yes for a mark": (lambda a: a["right"].update(emotion=True), "expected marks from 1 to 5, got True"),
    "half a mark": (lambda a: a["right"].update(emotion=2.5), "expected marks from 1 to 5, got 2.5"),
    "an unknown pair": (lambda a: a.update(trial="t999"), "the page has no such pair"),
    "an unknown preference": (lambda a: a.update(preferred="middle"), "got 'middle'"),
    "a scale less": (lambda a: a["left"].pop("lips"), "damaged"),
    "no rater": (dict(rater=None), "no text"),
}


@pytest.mark.parametrize("planted", UNFIT)
def test_what_does_not_fit_is_left_out_and_named(asked, planted):
    folder, key = asked()
    change, reason = UNFIT[planted]
    path = saved(folder, key, "eve", constant((3, 3, 3), (3, 3, 3)))
    content = json.loads(path.read_text())
    content.update(change) if isinstance(change, dict) else change(content["answers"][0])
    with contextlib.suppress(KeyError):
        content["check"] = checksum("\n".join([content["page"], str(content["rater"]), *map(reading._line, content["answers"])]))
    path.write_text(json.dumps(content))
    found = read_answers(folder)
    assert len(found["refused"]) == 1 and reason in found["refused"][0]["reason"] and found["refused"][0]["file"] == path.name
    assert found["ratings"] == (9 if callable(change) and planted != "a scale less" else 0)


def test_a_pair_rated_twice_counts_not_at_all(asked):
    folder, key = asked()
    saved(folder, key, "ann", constant((3, 3, 3), (3, 3, 3)), trials=["t001", "t002", "t002"])
    found = read_answers(folder)
    assert found["ratings"] == 1
    assert {one["reason"] for one in found["refused"]} == {"ann on t002: rated twice in one file"}


def test_nothing_to_read_says_what_to_do(asked, videos):
    with pytest.raises(MissingFile, match="key.json"):
        read_answers(videos)
    folder, _ = asked()
    with pytest.raises(MissingFile, match="let raters open"):
        read_answers(folder)
    (folder / "answers_x.json").write_text("[]")
    assert rating.rate(folder, None, None) == 1
    (folder / "key.json").write_text("{}")
    with pytest.raises(BadMedia, match="expected the key"):
        read_answers(folder)


def test_alpha_is_krippendorffs():
    # Krippendorff 2011, Computing Krippendorff's Alpha-Reliability: four observers, twelve units, interval data: 0.849
    table = ["1 2 3 3 2 1 4 1 2 . . .", "1 2 3 3 2 2 4 1 2 5 . 3", ". 3 3 3 2 3 4 2 2 5 1 .", "1 2 3 3 2 4 4 1 2 5 1 ."]
    marks = np.array([[np.nan if cell == "." else float(cell) for cell in line.split()] for line in table]).T
    assert alpha(marks) == pytest.approx(0.849, abs=5e-4)
    assert alpha(np.full((4, 2), 3.0)) is None
    assert alpha(np.array([[1.0, np.nan], [2.0, np.nan]])) is None
    rng = np.random.default_rng(0)
    assert abs(alpha(rng.integers(1, 6, (400, 3)).astype(float))) < 0.1


def test_intervals_widen_with_raters_who_disagree():
    rng = np.random.default_rng(0)
    clips = rng.normal(3, 0.5, (40, 1))
    agreeing, apart = clips + np.zeros((1, 4)), clips + np.array([[-1.5, -0.5, 0.5, 1.5]])
    narrow, wide = (np.diff(pigeonhole(marks, 0))[0] for marks in (agreeing, apart))
    assert wide > 3 * narrow
    assert 2 * 1.96 * clips.std() / 40**0.5 == pytest.approx(narrow, rel=0.15)
    assert pigeonhole(np.array([[3.0]]), 0) is None


# --- the script --------------------------------------------------------------------------------------------------------------------------


def run_script(code):
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    done = subprocess.run(
        ["node", "-e", f"const page = require({json.dumps(str(SCRIPT))});\n{code}"], capture_output=True, text=True, timeout=60, check=True
    )
    return json.loads(done.stdout)


def test_what_the_script_saves_is_read(asked):
    folder, key = asked()
    marks = {"left": {"lips": 4, "emotion": 3, "naturalness": 5}, "right": {"lips": 1, "emotion": 3, "naturalness": 2}, "preferred": "left"}
    given = {trial: marks for trial in key["trials"]}
    given["t003"] = {"left": marks["left"], "right": {"lips": 2}, "preferred": "left"}  # not finished
    rater = "Zoë Müller/1"
    code = f"const file = page.answersFile({json.dumps(key['page'])}, {json.dumps(rater)}, {json.dumps(given)}, '2026');"
    content = run_script(code + "console.log(JSON.stringify([page.fileName('Zoë Müller/1'), file]))")
    assert content[0] == "answers_Zoë_Müller_1.json"
    (folder / content[0]).write_text(json.dumps(content[1]))
    found = read_answers(folder)
    assert found["refused"] == [] and found["raters"] == [rater] and found["ratings"] == 9
    left = sum(key["trials"][trial]["left"] == "ours" for trial in key["trials"] if trial != "t003")
    assert found["preference"]["ours"]["votes"] == left
    assert found["mos"]["ours"]["lips"]["value"] == pytest.approx((4 * left + 1 * (9 - left)) / 9)


def test_checksums_agree_with_the_scripts():
    texts = ["", "a", "Zoë ☃ 😀", "t001|1,2,3|4,5,1|none\n" * 50]
    assert run_script(f"console.log(JSON.stringify({json.dumps(texts)}.map(page.checksum)))") == [checksum(text) for text in texts]


def test_every_rater_has_an_order_of_their_own():
    code = "const trials = [...Array(12).keys()].map((n) => ({ id: 't' + n }));"
    code += "const order = (rater) => page.orderFor(trials, 'p', rater).map((trial) => trial.id);"
    ann, again, bob = run_script(code + "console.log(JSON.stringify([order('ann'), order('ann'), order('bob')]))")
    assert ann == again != bob and sorted(ann) == sorted(bob) == sorted(f"t{n}" for n in range(12))


def test_half_an_answer_is_none():
    side = "{lips: 1, emotion: 2, naturalness: 3}"
    wholes = [f"{{left: {side}, right: {side}, preferred: 'none'}}"]
    halves = [
        "undefined",
        "{}",
        f"{{left: {side}, right: {side}, preferred: ''}}",
        f"{{left: {side}, right: {{lips: 1}}, preferred: 'left'}}",
    ]
    found = run_script(f"console.log(JSON.stringify([{', '.join(wholes + halves)}].map(page.whole)))")
    assert found == [True, False, False, False, False]
