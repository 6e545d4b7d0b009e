"""The published test sets: who is drawn, what is written, and that `generate` and `evaluate` read it."""

import json
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from instructavatar.data.header import Header
from instructavatar.data.record import complete
from instructavatar.data.writer import StoreWriter
from instructavatar.errors import BadOption, MissingFile
from instructavatar.jobs import read_jobs
from instructavatar.media.audio import read_audio, write_wav
from instructavatar.media.video import frames_at, write_video
from instructavatar.metrics.pairs import find_pairs
from instructavatar.metrics.protocols import Corpus, InDomain, OutOfDomain, plan

CONFIGS = Path(__file__).parents[2] / "configs" / "metrics"
PERSONS = ("M003", "M007", "W009")
MOODS = ("neutral", "happy", "sad")


def record(filename, grey, **labels):
    jpeg = cv2.imencode(".jpg", np.full((32, 32, 3), grey, np.uint8))[1]
    given = {
        "motion_latent": np.zeros((3, 58), np.float32),
        "pose": np.zeros((3, 3), np.float32),
        "ldmk": np.zeros((3, 478, 3), np.float16),
        "latent_length": 3,
        "filename": filename,
        "face_frames": np.tile(jpeg, 3),
        "face_offsets": np.arange(4, dtype=np.int64) * len(jpeg),
    }
    return complete({**given, **labels})


def write_store(path, records):
    with StoreWriter(path, Header.started("hash", {"motion": "m1"})) as writer:
        for key, one in records.items():
            writer.add(key, one)
        writer.finish({"test": list(records)})
    return path


@pytest.fixture(scope="module")
def mead(tmp_path_factory):
    """A tree of three persons with four clips of each of three moods, and its store; every clip has its own grey."""
    place = tmp_path_factory.mktemp("mead")
    records = {}
    clips = [(person, mood, number) for person in PERSONS for mood in MOODS for number in range(4)]
    for grey, (person, mood, number) in enumerate(clips, 40):
        level = 1 if mood == "neutral" else 3
        take = f"{mood}/level_{level}/{number:03d}"
        video = place / "tree" / person / "video" / "front" / f"{take}.mp4"
        sound = place / "tree" / person / "audio" / f"{take}.wav"
        for path in (video, sound):
            path.parent.mkdir(parents=True, exist_ok=True)
        write_video(video, [np.full((64, 64, 3), grey * 3, np.uint8)] * 3)
        write_wav(sound, np.full(1920, grey / 100, np.float32))
        units = [] if number == 3 else ["jaw_drop", "lip_corner_puller"]
        labels = {"speaker": person, "emotion": mood, "intensity": 0 if mood == "neutral" else level, "action_units": units}
        records[f"{person}_{mood}_level_{level}_{number:03d}"] = record(f"{person}/video/front/{take}.mp4", grey * 3, **labels)
    return write_store(place / "store", records), place / "tree"


@pytest.fixture(scope="module")
def strangers(tmp_path_factory):
    """A store of eight portraits of five identities, with face crops and no tree."""
    clips = {f"s{identity}_{number}": identity for identity in range(5) for number in range(1 + (identity < 3))}
    records = {key: record(f"{key}.mp4", 50 + 10 * identity, speaker=f"s{identity}") for key, identity in clips.items()}
    return write_store(tmp_path_factory.mktemp("strangers") / "store", records)


def in_domain(mead, **params):
    store, root = mead
    return InDomain(str(store), str(root), **{"speakers": PERSONS[:2], "clips_per_speaker": 5, **params})


def out_of_domain(strangers, mead, **params):
    return OutOfDomain(str(strangers), str(mead[0]), str(mead[1]), **{"identities": 4, **params})


def test_so_many_clips_of_each_person_and_none_neutral(mead):
    items = in_domain(mead).items()
    assert Counter(item.said.speaker for item in items) == {"M003": 5, "M007": 5}
    assert {item.said.emotion for item in items} == {"happy", "sad"}
    assert len({item.name for item in items}) == len(items)
    assert all(item.shown == item.said and item.own for item in items)


def test_the_draw_is_the_seeds(mead):
    def names(**params):
        return [item.name for item in in_domain(mead, **params).items()]

    assert names() == names()
    assert names() != names(seed=1)
    assert names(speakers=["M007"]) == [name for name in names() if name.startswith("M007")]


def test_too_few_clips_are_refused(mead):
    with pytest.raises(BadOption, match=r"expected 9 clips of M003 .* has 8; lower clips_per_speaker"):
        in_domain(mead, clips_per_speaker=9).items()


def test_a_neutral_portrait_is_of_the_same_person(mead):
    for item in in_domain(mead, portrait="neutral").items():
        assert (item.shown.speaker, item.shown.emotion) == (item.said.speaker, "neutral")
        assert item.own


def test_units_alone_are_asked_only_of_clips_that_have_some(mead):
    assert all(item.said.units for item in in_domain(mead, asks="units").items())
    assert not all(item.said.units for item in in_domain(mead, clips_per_speaker=8).items())


def test_strangers_are_drawn_once_each_with_a_voice_of_their_own(strangers, mead):
    items = out_of_domain(strangers, mead).items()
    assert len({item.shown.speaker for item in items}) == len(items) == 4
    assert all(item.said.emotion in ("happy", "sad") for item in items)
    assert not any(item.own for item in items)
    assert items == out_of_domain(strangers, mead).items() != out_of_domain(strangers, mead, seed=3).items()
    assert {item.said.speaker for item in out_of_domain(strangers, mead, speakers=["W009"]).items()} == {"W009"}


def test_too_few_identities_are_refused(strangers, mead):
    with pytest.raises(BadOption, match="expected 6 identities"):
        out_of_domain(strangers, mead, identities=6).items()


@pytest.mark.parametrize(("name", "value"), [("asks", "all"), ("portrait", "smiling")])
def test_misspelt_choices_are_refused(mead, name, value):
    with pytest.raises(BadOption, match=f"expected {name} to be one of"):
        in_domain(mead, **{name: value})


def overrides(**params):
    return [f"protocol.params.{name}={value}" for name, value in params.items()]


def test_the_plan_in_domain_is_read_by_both_commands(mead, tmp_path):
    store, root = mead
    told = overrides(store=store, root=root, speakers="[M003,M007]", clips_per_speaker=2)
    done = plan(CONFIGS / "mead_in_domain.yaml", tmp_path / "out", told)
    jobs, pairs = read_jobs(done.jobs), find_pairs(done.pairs).pairs
    assert done.count == len(jobs) == len(pairs) == 4
    for job, pair in zip(jobs, pairs, strict=True):
        person, mood, _, level, number = pair.name.split("_")
        assert job["output"] == str(pair.generated)
        assert (job["portrait"], job["audio"]) == (str(pair.portrait), str(pair.audio))
        assert pair.reference == root.resolve() / f"{person}/video/front/{mood}/level_{level}/{number}.mp4"
        assert pair.audio == root.resolve() / f"{person}/audio/{mood}/level_{level}/{number}.wav"
        assert len(read_audio(pair.audio)) == 1920
        first = next(iter(frames_at(pair.reference)))
        assert np.array_equal(cv2.imread(job["portrait"])[..., ::-1], first)
        assert (pair.asked.emotion, pair.asked.intensity) == (mood, 3)
        assert job["instruction"] == pair.asked.instruction
        assert job["instruction"].startswith(f"please talk with {mood} emotion")
        assert ("action units: jaw_drop, lip_corner_puller" in job["instruction"]) == bool(pair.asked.action_units)


def test_the_plan_out_of_domain_takes_the_stores_crops(mead, strangers, tmp_path):
    told = overrides(portraits=strangers, voices=mead[0], voices_root=mead[1], identities=3, asks="emotion")
    done = plan(CONFIGS / "talking_head_out_of_domain.yaml", tmp_path, told)
    for job, pair in zip(read_jobs(done.jobs), find_pairs(done.pairs).pairs, strict=True):
        face, voice = pair.name.split("--")
        assert pair.reference is None
        assert abs(int(cv2.imread(job["portrait"])[0, 0, 0]) - (50 + 10 * int(face[1]))) <= 2
        assert voice.split("_")[0] in job["audio"]
        assert job["instruction"] == f"please talk with {pair.asked.emotion} emotion"


def test_published_sizes_are_what_the_configurations_say():
    mead, strangers = (json.dumps((CONFIGS / name).read_text()) for name in ("mead_in_domain.yaml", "talking_head_out_of_domain.yaml"))
    assert "[M003, M007, M019, W018, W038]" in mead and "clips_per_speaker: 28" in mead
    assert "identities: 120" in strangers


def test_a_configuration_without_a_protocol_is_refused(tmp_path):
    with pytest.raises(BadOption, match="expected a configuration with a protocol"):
        plan(CONFIGS / "full.yaml", tmp_path)


def test_a_missing_tree_and_a_missing_video_are_named(mead, tmp_path):
    with pytest.raises(MissingFile, match="expected the corpus of the store"):
        Corpus(mead[0], tmp_path / "none")
    clip = Corpus(mead[0], tmp_path).clips[0]
    with pytest.raises(MissingFile, match=r"expected M003/video/front/happy/level_3/000\.mp4"):
        _ = clip.video


@pytest.mark.parametrize(
    ("filename", "sound"),
    [
        ("M003/video.tar/video/front/sad/level_1/002.mp4", "M003/audio.tar/audio/sad/level_1/002.m4a"),
        ("M003/video.tar/front/sad/level_1/002.mp4", "M003/audio.tar/sad/level_1/002.m4a"),
    ],
)
def test_clips_of_tars_are_found_where_they_were_unpacked(tmp_path, filename, sound):
    (tmp_path / "tree").mkdir()
    for name in (filename, sound):
        (tmp_path / "tree.unpacked" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree.unpacked" / name).touch()
    clip = Corpus(write_store(tmp_path / "store", {"a": record(filename, 9)}), tmp_path / "tree").clips[0]
    assert clip.video == tmp_path / "tree.unpacked" / filename
    assert clip.sound == tmp_path / "tree.unpacked" / sound


def test_without_a_sound_file_the_video_is_heard(tmp_path):
    (tmp_path / "a.mp4").touch()
    clip = Corpus(write_store(tmp_path / "store", {"a": record("a.mp4", 9)}), tmp_path).clips[0]
    assert clip.sound == clip.video == tmp_path / "a.mp4"
