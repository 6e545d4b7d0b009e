"""The puppet corpus: a pack in, the same motion out, every time."""

import json
import pickle
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from instructavatar import config
from instructavatar.data.store import FeatureStore
from instructavatar.errors import BadBundle, BadOption, MissingFile
from instructavatar.face.motion import ACTION_COUNT, frames_of
from instructavatar.face.script import Script
from instructavatar.prepare import voices
from instructavatar.prepare.acting.kinds import MAIN
from instructavatar.prepare.acting.score import Score
from instructavatar.prepare.build import BuildReport, prepare_from_config
from instructavatar.prepare.corpora.puppet import Puppet, PuppetClip, compose_clips, make_pack, split_of, write_pack
from instructavatar.prepare.voices import TRAINING_VOICES

TESTS = Path(__file__).parents[1]
TINY = TESTS / "assets" / "puppet_tiny"


@pytest.fixture(scope="module")
def tiny():
    return Puppet(TINY)


@pytest.fixture(scope="module")
def records(tiny):
    return list(tiny.records())


def test_fifty_clips_are_made_again(tiny, records):
    """Renew with tools/puppet_tiny.py --golden-only after a wanted change of the performance."""
    golden = np.load(TESTS / "golden" / "puppet_tiny.npz")
    assert len(records) == len(golden.files) == 50
    for record in records:
        made = tiny.motion(record).values[::5]
        # float16 holds actions to 0.0005, degrees to 0.016
        np.testing.assert_allclose(made[:, :ACTION_COUNT], golden[record.id][:, :ACTION_COUNT], atol=1e-3, err_msg=record.id)
        np.testing.assert_allclose(made[:, ACTION_COUNT:], golden[record.id][:, ACTION_COUNT:], atol=1e-3, rtol=1e-3, err_msg=record.id)


def test_pack_is_small_and_speaks_with_training_voices(tiny):
    assert sum(file.stat().st_size for file in TINY.iterdir()) < 700_000
    assert {take.voice for take in tiny.takes.values()} == set(TRAINING_VOICES)


def test_records_fit_their_sound_and_scripts(tiny, records):
    assert {bool(record.audio) for record in records} == {True, False}
    for record in records:
        assert record.seconds * 25 == pytest.approx(frames_of(record.seconds))
        assert len(record.instructions) <= 4
        assert all(Script.parse(text, record.seconds).segments for text in record.instructions)
        if record.audio:
            take = tiny.takes[record.extra["take"]]
            assert len(tiny.sound(record)) == round(take.seconds * 16_000)
            assert take.phones[-1][2] == pytest.approx(take.seconds, abs=1e-3)


def test_a_take_serves_two_clips_of_one_split(records):
    by_take = {}
    for record in records:
        if record.audio:
            by_take.setdefault(record.audio, []).append(record)
    assert all(len(clips) == 2 for clips in by_take.values())
    assert all(len({clip.split for clip in clips}) == 1 for clips in by_take.values())
    assert any(a.extra["score"] != b.extra["score"] for a, b in by_take.values())


def test_loud_where_phones_are_and_quiet_in_pauses(tiny, records):
    """Phone times belong to the stored sound."""
    for record in records:
        take = tiny.takes.get(record.extra["take"])
        if take is None or take.made["noise_db"] or take.made["decay_s"]:
            continue
        sound = tiny.sound(record)
        speaking = np.concatenate([np.full(round(end * 16_000) - round(start * 16_000), name != "pau") for name, start, end in take.phones])
        loud = sound[: len(speaking)][speaking[: len(sound)]].std()
        assert loud > 8 * sound[: len(speaking)][~speaking[: len(sound)]].std(), record.id


def test_composing_is_seeded(tiny):
    takes = list(tiny.takes.values())[:2]
    clips = compose_clips(takes, 3, uses=2, seed=5)
    assert clips == compose_clips(takes, 3, uses=2, seed=5)
    assert [clip.take for clip in clips] == [takes[0].id, takes[1].id] * 2 + [""] * 3
    assert clips != compose_clips(takes, 3, uses=2, seed=6)
    assert Score.from_json(clips[0].score).talking
    assert not Score.from_json(clips[-1].score).talking
    assert PuppetClip.from_json(clips[0].to_json()).score == json.dumps(json.loads(clips[0].score), ensure_ascii=False)
    with pytest.raises(BadOption, match="uses >= 1"):
        compose_clips(takes, 3, uses=0, seed=5)


def test_clips_of_one_take_are_in_one_split(tiny):
    take = next(iter(tiny.takes.values()))
    clips = compose_clips([replace(take, id=f"t{i}") for i in range(40)], 0, uses=2, seed=0)
    assert {clip.split for clip in clips} == {"train", "valid"}
    assert [clip.split for clip in clips[:40]] == [clip.split for clip in clips[40:]]


def test_a_simple_pack_keeps_to_the_main_acts(tiny):
    def acts(simple):
        clips = compose_clips([], 120, uses=1, seed=0, simple=simple)
        return [[act.kind for segment in Score.from_json(clip.score).segments for act in segment.acts] for clip in clips]

    assert all(len(kinds) == 1 and kinds[0] in MAIN for kinds in acts(1.0)) and len({kinds[0] for kinds in acts(1.0)}) == len(MAIN)
    usual = np.mean([len(kinds) == 1 and kinds[0] in MAIN for kinds in acts(0.0)])
    assert usual < 0.5 < np.mean([len(kinds) == 1 and kinds[0] in MAIN for kinds in acts(0.6)]) < 1
    with pytest.raises(BadOption, match="simple within"):
        compose_clips([], 1, uses=1, seed=0, simple=1.5)


def test_nobody_talks_in_an_empty_room(tiny):
    room = replace(next(iter(tiny.takes.values())), phones=(("pau", 0.0, 3.0),), seconds=3.0)
    assert not room.spoken
    assert all(take.spoken for take in tiny.takes.values())
    assert not any(Score.from_json(clip.score).talking for clip in compose_clips([room], 0, uses=2, seed=0))


def test_splits_are_by_name():
    names = [f"slt-{i:04d}" for i in range(2000)]
    valid = sum(split_of(name) == "valid" for name in names)
    assert 40 < valid < 130
    assert split_of("slt-0001") == split_of("slt-0001")


@pytest.mark.parametrize("gzipped", [True, False])
def test_packing_again_gives_the_same_pack(tiny, tmp_path, gzipped):
    takes = list(tiny.takes.values())[:2]
    (tmp_path / "v").mkdir()
    shutil.unpack_archive(TINY / "voices.zip", tmp_path / "v")
    clips = compose_clips(takes, 1, 1, 0)
    for name in "ab":
        write_pack(tmp_path / name, takes, tmp_path / "v", clips, gzipped)
    assert [f.read_bytes() for f in sorted((tmp_path / "a").iterdir())] == [f.read_bytes() for f in sorted((tmp_path / "b").iterdir())]
    with zipfile.ZipFile(tmp_path / "a" / "voices.zip") as sounds:
        assert {info.date_time[0] for info in sounds.infolist()} == {2000}
    again = Puppet(tmp_path / "a")
    assert again.clips == [PuppetClip.from_json(clip.to_json()) for clip in clips]
    assert again.content_hash() == Puppet(tmp_path / "b").content_hash() != tiny.content_hash()
    first = next(again.records())
    assert (again.sound(first) == tiny.sound(first)).all()


def test_recipe_records_voices_and_packs(tiny, tmp_path, monkeypatch):
    take = next(iter(tiny.takes.values()))
    asked = []

    def fake_takes(folder, voice, count, seed):
        asked.append((voice, count, seed))
        folder.mkdir(exist_ok=True)
        shutil.unpack_archive(TINY / "voices.zip", folder)
        yield take

    monkeypatch.setattr(voices, "make_takes", fake_takes)
    told, recipe = [], {"silent": 2, "takes": {"slt": 1}, "seed": 4}
    corpus = Puppet(tmp_path / "pack", recipe=recipe, progress=lambda *stage: told.append(stage))
    assert asked == [("slt", 1, 4)]
    assert told == [("recording", 1, 1), ("composing", 1, 4), ("composing", 2, 4), ("composing", 3, 4), ("composing", 4, 4)]
    assert len(list(corpus.records())) == 4
    Puppet(tmp_path / "pack", recipe={**recipe, "uses": 2, "voices_folder": "elsewhere"})
    assert len(asked) == 1, "a pack that is there is kept"
    with pytest.raises(TypeError):
        make_pack(tmp_path / "other", silence=2)


@pytest.mark.parametrize(
    ("change", "told"),
    [({"seed": 5}, "seed 0, not 5"), ({"takes": {"room": 2}}, "takes"), ({"uses": 3}, "uses 2, not 3"), ({"silent": 0}, "silent 2, not 0")],
)
def test_another_recipe_than_the_packs_own_is_refused(tmp_path, change, told):
    recipe = {"silent": 2, "takes": {"room": 1}}
    Puppet(tmp_path / "pack", recipe=recipe)
    assert pickle.loads(pickle.dumps(Puppet(tmp_path / "pack", recipe=recipe, progress=print))).clips
    with pytest.raises(BadOption, match=f"another recipe .*{told}.*; delete .*pack or name another pack"):
        Puppet(tmp_path / "pack", recipe={**recipe, **change})
    (tmp_path / "pack" / "recipe.json").unlink()
    assert Puppet(tmp_path / "pack", recipe={**recipe, **change}).clips, "a pack that does not say how it was made is taken as it is"


@pytest.mark.parametrize("recipe", [{"silent": 1}, {"silent": 1, "takes": {}, "seeds": 3}])
def test_recipes_are_checked_before_anything_is_recorded(tmp_path, recipe):
    with pytest.raises(BadOption, match=r"missing: \['takes'\]|unknown: \['seeds'\]"):
        Puppet(tmp_path / "pack", recipe=recipe)


def test_phones_without_a_viseme_are_counted(tiny, tmp_path):
    assert tiny.unknown_phones() == {}
    take = next(iter(tiny.takes.values()))
    odd = replace(take, phones=(("qqq", 0.0, 0.2), ("aa", 0.2, 0.4), ("qqq", 0.4, take.seconds)))
    (tmp_path / "v").mkdir()
    shutil.unpack_archive(TINY / "voices.zip", tmp_path / "v")
    write_pack(tmp_path / "pack", [odd], tmp_path / "v", compose_clips([odd], 0, 1, 0))
    corpus = Puppet(tmp_path / "pack")
    assert corpus.unknown_phones() == {"qqq": 2}
    assert "2 phones are unknown and drawn half open: qqq (2)" in str(BuildReport(tmp_path, unknown_phones=corpus.unknown_phones()))


def test_missing_parts_are_named(tiny, tmp_path):
    with pytest.raises(MissingFile, match="puppet pack"):
        Puppet(tmp_path)
    write_pack(tmp_path, [], tmp_path, compose_clips([], 1, 1, 0))
    (tmp_path / "takes.jsonl.gz").unlink()
    with pytest.raises(MissingFile, match=r"takes\.jsonl"):
        Puppet(tmp_path)
    record = next(record for record in tiny.records() if record.audio)
    write_pack(tmp_path, [], tmp_path, compose_clips([], 1, 1, 0))
    with pytest.raises(BadBundle, match=r"voices\.zip"):
        Puppet(tmp_path).sound(record)


def test_tiny_config_to_store(tmp_path, monkeypatch):
    monkeypatch.chdir(TESTS.parent)
    described = config.load("configs/corpora/tiny.yaml")
    stages = []
    report = prepare_from_config(described, tmp_path / "store", workers=1, progress=lambda stage, done, total: stages.append(stage))
    assert list(dict.fromkeys(stages)) == ["speech", "clips", "sentences"]
    assert report.clips == 50
    assert not report.skipped
    store = FeatureStore.open(tmp_path / "store")
    assert store.verify() == {}
    assert store.header.corpus_hash == Puppet(TINY).content_hash()
    assert min(store.header.motion_std) >= 0.01


def test_a_config_with_a_recipe_tells_every_stage(tmp_path):
    params = {"pack": str(tmp_path / "pack"), "recipe": {"silent": 1, "takes": {"room": 1}, "uses": 1}}
    described = config.OmegaConf.create({"corpus": {"target": "instructavatar.prepare.corpora.puppet.Puppet", "params": params}})
    stages = []
    prepare_from_config(described, tmp_path / "store", workers=1, progress=lambda stage, done, total: stages.append(stage))
    assert list(dict.fromkeys(stages))[:4] == ["recording", "composing", "speech", "clips"]


def test_full_config_names_existing_voices():
    params = config.load(TESTS.parent / "configs/corpora/puppet.yaml").corpus.params
    assert set(params.recipe.takes) == {*TRAINING_VOICES, voices.ROOM}
