"""The report opens without a network, holds every number and every failure, escapes what it is given, and is renewed in place."""

import csv
import re
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest

from instructavatar.errors import BadMedia, CannotWrite
from instructavatar.face.motion import FaceMotion
from instructavatar.metrics.action_units import READABLE_UNITS
from instructavatar.metrics.cache import Cache
from instructavatar.metrics.pairs import Asked, Pair
from instructavatar.metrics.report import contact, gallery, page, plots
from instructavatar.metrics.report.ranking import ranked


class Reader(HTMLParser):
    """Tags with their attributes, the text, and whether every tag is closed in order."""

    VOID = {"meta", "img", "br"}

    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self.open = [], "", []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.open += [] if tag in self.VOID else [tag]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def moving(frames=50, jaw=0.5):
    values = FaceMotion.still(frames).values.copy()
    values[:, 17] = jaw * (1 + np.sin(np.arange(frames) / 3)) / 2
    values[:, 53] = np.linspace(-10, 10, frames)
    return FaceMotion(values)


@pytest.fixture
def films(monkeypatch, make_clip, make_voice):
    """Clips by the name of their file, in place of videos."""
    clips = {f"{kind}{place}.mp4": make_clip(moving(50 + place, 0.3 + place / 10)) for kind in "gr" for place in range(7)}
    clips["r0.mp4"].heard = make_voice(np.linspace(0, 1, 50))

    def opened(path, cache):
        if path.name not in clips:
            raise BadMedia(f"expected a video, got nothing in {path.name}")
        return clips[path.name]

    monkeypatch.setattr(gallery, "VideoClip", opened)
    monkeypatch.setattr(gallery, "real_clip", opened)
    return clips


@pytest.fixture
def pairs(tmp_path):
    """A function: so many pairs."""

    def made(count):
        return [
            Pair(f"clip {place}", tmp_path / f"g{place}.mp4", tmp_path / f"r{place}.mp4", asked=Asked(f"look {place}"))
            for place in range(count)
        ]

    return made


@pytest.fixture
def written(results, outcomes, pairs, benchmark, films, tmp_path, monkeypatch):
    """A function: writes the report of so many clips and gives its folder; plots take their time, so only where they are asked for."""
    there = plots.available()

    def write(count=7, found=None, drawn=False):
        monkeypatch.setattr(plots, "available", lambda: drawn and there)
        found = outcomes(count) if found is None else found
        page.write_report(results(found), found, pairs(count), benchmark, Cache(None), tmp_path / "report")
        return tmp_path / "report"

    return write


def test_the_page_is_whole_and_asks_nothing_of_the_network(written):
    folder = written(drawn=True)
    text = (folder / "index.html").read_text(encoding="utf-8")
    reader = Reader(text)
    assert not {"script", "link", "iframe"} & {tag for tag, _ in reader.tags}
    assert not re.search(r"https?:|//|@import|url\(", text)
    targets = [attrs.get("src") or attrs["href"] for _, attrs in reader.tags if attrs.get("src") or attrs.get("href")]
    ids = {attrs["id"] for _, attrs in reader.tags if "id" in attrs}
    assert "pictures/worst-5.jpg" in targets
    for target in targets:
        assert target[1:] in ids if target.startswith("#") else (folder / target).is_file(), target


def test_every_number_stands_there_with_interval_and_count(written, results, outcomes):
    text = Reader((written(4) / "index.html").read_text(encoding="utf-8")).text
    for row in results(outcomes(4))["rows"].values():
        assert f"{row['metrics']['mark']['value']:.3g}" in text
    assert "n = 4" in text and "cost ↓" in text and "mark ↑" in text
    assert "heavy: expected weights at x.onnx" in text
    assert "The portrait held still." in text


def test_clips_csv_holds_every_value(written):
    rows = list(csv.DictReader((written(3) / "clips.csv").open(encoding="utf-8")))
    assert len(rows) == 3 * 6 * 3
    assert {"clip": "clip 2", "row": "oracle", "name": "mark", "value": "1.7"} in rows


def test_names_are_escaped_everywhere(results, outcomes, pairs, benchmark):
    found = outcomes(2)
    evil = '<img src=x onerror="alert(1)">&'
    found[0].name = evil
    found[0].failed = [
        {"row": "still", "metric": "", "reason": evil},
        {"row": "system", "metric": evil, "reason": "unexpected " + evil},
        {"row": "system", "metric": evil, "reason": evil},
    ]
    found[0].notes = [evil]
    shown = [gallery.Shown(section, "pictures/a b.png", evil, evil) for section in ("worst", "courses", "spreads")]
    text = page.page(results(found, [evil]), benchmark, shown, [evil])
    reader = Reader(text)
    assert [attrs for tag, attrs in reader.tags if "onerror" in attrs] == []
    assert reader.text.count(evil) >= 10
    assert 'src="pictures/a%20b.png"' in text


def test_failures_and_what_cannot_be_opened_are_named(written, outcomes, films):
    films.pop("g6.mp4")
    found = outcomes(7)
    found[2].failed.append({"row": "oracle", "metric": "", "reason": "the face is lost"})
    for outcome in found:
        outcome.scores["system"]["judged"]["mark"] = -float(outcome.name[-1])
        outcome.scores["system"]["judged"]["cost"] = float(outcome.name[-1])
    text = Reader((written(7, found) / "index.html").read_text(encoding="utf-8")).text
    assert "clip 6: expected a video, got nothing in g6.mp4" in text
    assert "the face is lost" in text and "something failed on 1 clip" in text


def test_a_real_clip_without_pictures_has_curves_but_no_frames(written, films):
    for place in range(3):
        films[f"r{place}.mp4"].pictured = False
        films[f"r{place}.mp4"].frames = None
    folder = written(3)
    assert cv2.imread(str(folder / "pictures" / "worst-1.jpg")).shape[0] == 168
    assert "Not drawn" not in (folder / "index.html").read_text(encoding="utf-8")


def test_long_lists_are_folded_away(results, outcomes, benchmark):
    found = outcomes(40)
    for outcome in found:
        outcome.notes = ["29.97 frames/s"]
    text = page.page(results(found), benchmark)
    assert "<summary>40 of them</summary>" in text and "clip 39: 29.97 frames/s" in Reader(text).text


def test_a_report_is_renewed_and_its_old_pictures_go(written):
    folder = written(7)
    (folder / "mine.txt").write_text("keep")
    assert (folder / "pictures" / "worst-5.jpg").is_file()
    assert written(2) == folder
    assert not (folder / "pictures" / "worst-5.jpg").exists() and (folder / "pictures" / "worst-2.jpg").is_file()
    assert (folder / "mine.txt").read_text() == "keep"
    assert list(folder.rglob(".*")) == []


def test_without_matplotlib_the_page_says_so(written):
    folder = written(3, drawn=False)
    assert "pip install &#x27;instructavatar[train]&#x27;" in (folder / "index.html").read_text(encoding="utf-8")
    assert {path.suffix for path in (folder / "pictures").iterdir()} == {".jpg"}


def test_nothing_scored_is_a_page_too(results, outcomes, benchmark, tmp_path):
    found = outcomes(1)
    found[0].scores.clear()
    found[0].failed = [{"row": "system", "metric": "", "reason": "no such file"}]
    page.write_report(results(found), found, [], benchmark, Cache(None), tmp_path / "report")
    text = Reader((tmp_path / "report" / "index.html").read_text(encoding="utf-8")).text
    assert "No metric could judge any clip." in text and "no such file" in text


def test_a_file_in_its_place_is_refused(results, outcomes, benchmark, tmp_path):
    (tmp_path / "report").write_text("mine")
    with pytest.raises(CannotWrite, match="expected a folder for the report"):
        page.write_report(results(outcomes(1)), [], [], benchmark, Cache(None), tmp_path / "report")
    with pytest.raises(CannotWrite):
        page.write_report(results(outcomes(1)), [], [], benchmark, Cache(None), tmp_path / "report" / "below")


def test_the_worst_have_the_worst_mean_rank(outcomes, benchmark):
    found = outcomes(5)  # marks rise, costs fall: the first clip is the worst by both
    able, _ = benchmark.runnable()
    assert ranked(found, able) == [("clip 0", 1.0), ("clip 1", 0.75), ("clip 2", 0.5), ("clip 3", 0.25), ("clip 4", 0.0)]
    assert ranked(found[::-1], able) == ranked(found, able)


def test_equal_clips_share_their_rank_and_unscored_ones_have_none(outcomes, benchmark):
    found = outcomes(4)
    for place, outcome in enumerate(found):
        outcome.scores["system"]["judged"] = {"mark": (1.0, 1.0, 2.0, 3.0)[place], "speed": 1.0}
    found[3].scores.clear()
    able, _ = benchmark.runnable()
    assert ranked(found, able) == [("clip 0", 0.75), ("clip 1", 0.75), ("clip 2", 0.0)]
    assert ranked(found[:1], able) == [("clip 0", 0.5)]
    assert ranked([], able) == []


def test_a_contact_sheet_shows_the_same_moments_above_each_other(make_clip, draw_faces):
    shades = [np.full((240, 320, 3), level, np.uint8) for level in range(0, 200, 2)]
    faces = draw_faces(FaceMotion.still(100), size_px=60.0, middle_px=(160.0, 120.0))
    whole, shorter = make_clip(frames=shades, faces=faces), make_clip(frames=shades[:80], faces=faces[:80])
    picture = contact.sheet(whole, shorter)
    assert picture.shape == (168 * 2 + 4, 168 * 8 + 4 * 7, 3)
    middles = [84 + 172 * place for place in range(8)]
    assert [int(picture[84, x, 0]) for x in middles] == [2 * t for t in (5, 15, 25, 35, 45, 55, 65, 75)]
    assert (picture[84, middles] == picture[84 + 172, middles]).all()


@pytest.mark.parametrize("size", ((1080, 1920), (100, 60), (3000, 3000)))
def test_a_tile_holds_the_face_in_its_middle_at_any_size(make_clip, draw_faces, size):
    height, width = size
    picture = np.zeros((height, width, 3), np.uint8)
    x, y, eyes = width * 0.4, height * 0.6, min(size) * 0.1
    picture[round(y - eyes) : round(y + eyes), round(x - eyes) : round(x + eyes)] = 255
    faces = draw_faces(FaceMotion.still(1), size_px=eyes, middle_px=(x, y))
    tile = contact.sheet(make_clip(frames=[picture], faces=faces), None)[:150]
    lit = np.argwhere(tile[..., 0] > 128)
    left, top, right, bottom = faces[0].box
    centre = np.array([(top + bottom) / 2 - y, (left + right) / 2 - x])
    side = 1.7 * max(right - left, bottom - top)
    pixel = 168 / side  # how large a pixel of the picture is drawn
    assert np.abs(lit.mean(0) + centre * pixel - 84).max() < 1.5 + pixel
    assert np.ptp(lit[:, 1]) == pytest.approx(2 * eyes * pixel, abs=1.5 + pixel)


def test_a_clip_without_any_face_is_shown_whole(make_clip):
    picture = np.zeros((100, 200, 3), np.uint8)
    picture[:, :100] = 255
    tile = contact.sheet(make_clip(frames=[picture], faces=[None]), None)
    assert tile.shape == (168, 168, 3)
    assert tile[84, 40, 0] == 255 and tile[84, 120, 0] == 0 and tile[20, 84, 0] == 128


def test_units_and_likeness_are_drawn_where_they_are_told(written, outcomes):
    pytest.importorskip("matplotlib")
    found = outcomes(4)
    for place, outcome in enumerate(found):
        asked = np.zeros(len(READABLE_UNITS), bool)
        asked[: place + 1] = True
        outcome.scores["system"]["judged"] |= {"units_asked": asked, "units_seen": np.roll(asked, 1), "likeness": [0.9, 0.8, 0.85]}
    folder = written(4, found, drawn=True)
    text = (folder / "index.html").read_text(encoding="utf-8")
    for name in ("units", "drift"):
        assert f'src="pictures/{name}.png"' in text
        assert cv2.imread(str(folder / "pictures" / f"{name}.png")) is not None
    assert 'src="pictures/units.png"' not in (written(2, drawn=True) / "index.html").read_text(encoding="utf-8")


def test_plots_are_pictures_of_any_number_of_clips(outcomes, benchmark):
    pytest.importorskip("matplotlib")
    rows = [{"clip": str(n), "row": "system", "name": "mark", "value": float(n)} for n in range(200)]
    course = plots.Course(np.linspace(0, 1, 30), np.zeros((30, 3)))
    drawn = [
        plots.spreads(rows, {"mark": "points"}),
        plots.spreads(rows[:1], {"mark": "points"}),
        plots.courses(course, None, None),
        plots.courses(course, course, np.full(30, -20.0)),
    ]
    for content in drawn:
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
        assert picture.shape[2] == 4 and 0 < (picture[..., 3] > 0).mean() < 0.5
