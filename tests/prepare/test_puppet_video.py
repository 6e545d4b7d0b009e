"""Puppet video: every clip is filmed once on some portrait, the sheet says what is in the films, and `folder` reads them."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from instructavatar.errors import BadOption, MissingFile
from instructavatar.face.motion import SAMPLE_RATE_HZ, FaceMotion, frames_of
from instructavatar.media.video import read_video
from instructavatar.prepare.corpora.base import ClipRecord, PerformedCorpus
from instructavatar.prepare.corpora.puppet_video import PuppetVideo, plan

PORTRAITS = Path(__file__).parents[1] / "assets" / "portraits"
SECONDS = 0.4


class Troupe(PerformedCorpus):
    """Six short clips: the odd ones speak, the last is for validation."""

    name = "troupe"

    def records(self):
        for number in range(6):
            yield ClipRecord(
                id=f"clip-{number}",
                seconds=SECONDS,
                split="valid" if number == 5 else "train",
                instructions=(f"do {number}",),
                audio=f"{number}.opus" if number % 2 else "",
                extra={"seed": 5 - number},
            )

    def content_hash(self):
        return "0" * 64

    def sound(self, record):
        return np.full(round(record.seconds * SAMPLE_RATE_HZ), 0.1, np.float32)

    def sound_hash(self, record):
        return record.audio

    def motion(self, record):
        return FaceMotion.of(frames_of(record.seconds), {"jawOpen": 0.1 * int(record.id[-1])})


@pytest.fixture(scope="module")
def portraits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("portraits")
    for number in (1, 2, 3):
        shutil.copy(PORTRAITS / f"head_{number}.png", folder)
    (folder / "notes.txt").write_text("not a picture")
    return folder


@pytest.fixture(scope="module")
def filmed(portraits, tmp_path_factory):
    told = []
    root = tmp_path_factory.mktemp("films")
    corpus = PuppetVideo(root, Troupe(), portraits, 1, 2, side=192, workers=1, progress=lambda *now: told.append(now))
    return corpus, told


def test_every_clip_is_filmed_once_and_the_last_portrait_films_test_clips_only(filmed):
    corpus, told = filmed
    records = list(corpus.records())
    seen = [record for record in records if record.split != "test"]
    assert sorted(record.video.partition("/")[2] for record in seen) == [f"clip-{number}.mp4" for number in range(6)]
    assert {record.speaker for record in seen} == {"head_1", "head_2"}
    unseen = [record for record in records if record.split == "test"]
    assert {record.speaker for record in unseen} == {"head_3"} and {record.video for record in unseen} == {"head_3/clip-5.mp4"}
    assert told[-1] == ("filming", 7, 7) and corpus.left_out() == {}


def test_the_sheet_tells_words_sound_and_split(filmed):
    corpus, _ = filmed
    records = {record.video.partition("/")[2]: record for record in corpus.records() if record.split != "test"}
    assert records["clip-4.mp4"].instructions == ("do 4",) and corpus.is_silent(records["clip-4.mp4"])
    assert not corpus.is_silent(records["clip-3.mp4"]) and records["clip-5.mp4"].split == "valid"
    film = read_video(corpus.video_path(records["clip-3.mp4"]))
    frames = list(film.frames)
    assert len(frames) == frames_of(SECONDS) and frames[0].shape == (192, 192, 3) and film.audio.std() > 0.01
    assert read_video(corpus.video_path(records["clip-4.mp4"])).audio is None


def test_films_that_are_there_are_not_drawn_again(filmed, portraits):
    corpus, _ = filmed
    before = {path: path.stat().st_mtime_ns for path in corpus.root.rglob("*.mp4")}
    lost = next(iter(before))
    lost.unlink()
    told = []
    again = PuppetVideo(corpus.root, Troupe(), portraits, 1, 2, side=192, workers=1, progress=lambda *now: told.append(now))
    after = {path: path.stat().st_mtime_ns for path in corpus.root.rglob("*.mp4")}
    assert told == [("filming", 1, 1)] and after.keys() == before.keys()
    assert [path for path in before if after[path] != before[path]] == [lost]
    assert again.content_hash() == corpus.content_hash()


def test_what_cannot_be_filmed_is_said(portraits, tmp_path):
    with pytest.raises(MissingFile, match="expected portraits"):
        PuppetVideo(tmp_path / "films", Troupe(), tmp_path)
    with pytest.raises(BadOption, match="fewer test_portraits than the 3"):
        PuppetVideo(tmp_path / "films", Troupe(), portraits, test_portraits=3)
    assert not (tmp_path / "films").exists(), "nothing was begun"


def test_seen_portraits_share_the_clips_evenly():
    portraits = [Path(f"{name}.png") for name in "abcd"]
    takes = list(plan(Troupe(), portraits, 1, 3))
    counts = {name: sum(take.portrait.stem == name for take in takes) for name in "abcd"}
    assert counts == {"a": 2, "b": 2, "c": 2, "d": 1}, "the only clip held out is filmed once"
    assert json.dumps([take.record.id for take in takes]) != json.dumps(sorted(take.record.id for take in takes)), "shuffled"
