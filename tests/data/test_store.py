"""The store: what is written comes back, what does not fit is refused, a kill loses nothing."""

import math
import os
import pickle
import signal
import subprocess
import sys

import lmdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instructavatar.data.disk import clip_key
from instructavatar.data.header import Header
from instructavatar.data.record import check_record, complete, from_bytes, to_bytes
from instructavatar.data.store import FeatureStore, NotInStore
from instructavatar.data.writer import StoreWriter
from instructavatar.errors import BadBundle, CannotWrite, MissingFile

STARTED = Header.started("abc", {"speech": "1", "text": "1"})


def record(frames=7, sound=True, instructions=("smile",), seed=0):
    rng = np.random.default_rng(seed)
    motion = rng.random((frames, 58)).astype(np.float32)
    given = {
        "motion_latent": motion,
        "audio_feat": rng.random((2 * frames if sound else 0, 384)).astype(np.float16),
        "latent_length": frames,
        "filename": "a.ogg",
        "pose": motion[:, 52:55].copy(),
        "instruction": list(instructions),
        "inst_flag": bool(instructions),
        "audio_flag": sound,
        "action_units": ["AU12"],
    }
    return complete(given)


def write(path, count=3, finish=True):
    keys = [f"clip-{i}" for i in range(count)]
    with StoreWriter(path, STARTED) as writer:
        for i, key in enumerate(keys):
            writer.add(key, record(frames=5 + i, sound=i % 2 == 0, seed=i))
        writer.add_text("smile", np.ones((3, 384), np.float16), np.full(384, 0.5, np.float16))
        if finish:
            writer.finish({"train": keys[:-1], "valid": [*keys[-1:], "never-made"]})
    return path


def equal(a, b):
    assert set(a) == set(b)
    for name, value in a.items():
        if isinstance(value, np.ndarray):
            assert value.dtype == b[name].dtype
            np.testing.assert_array_equal(value, b[name])
        else:
            assert value == b[name]


def test_what_is_written_comes_back(tmp_path):
    store = FeatureStore.open(write(tmp_path / "s"))
    assert len(store) == 3
    assert store.keys("train") == ["clip-0", "clip-1"]
    assert store.keys("valid") == ["clip-2"], "clips that were skipped are in no split"
    assert store.lengths("train") == {"clip-0": 5, "clip-1": 6}
    equal(store["clip-1"], record(frames=6, sound=False, seed=1))
    store["clip-1"]["motion_latent"][:] = 0
    assert store["clip-1"]["motion_latent"].any(), "a reader's changes must not reach the store"
    tokens, pooled = store.text(" smile ")
    assert tokens.shape == (3, 384)
    assert pooled[0] == 0.5
    assert list(store.sentences()) == ["smile"]
    assert store.verify() == {}


def test_header_describes_the_store(tmp_path):
    header = FeatureStore.open(write(tmp_path / "s")).header
    train = np.concatenate([record(frames=5 + i, seed=i)["motion_latent"] for i in range(2)])
    assert header.motion_mean == pytest.approx(train.mean(0), abs=1e-5)
    assert header.motion_std == pytest.approx(train.std(0), abs=1e-5)
    assert header.seconds == pytest.approx((5 + 6 + 7) / 25)
    assert header.sentences == 1
    assert header.to_json()["rates"]["speech_rate_hz"] == 50
    assert header.to_json()["shapes"]["motion_latent"] == ["float32", ["T", 58]]
    assert header.to_json()["shapes"]["audio_feat"] == ["float16", ["2T or 0", 384]]


def test_still_columns_get_the_smallest_spread(tmp_path):
    still = {**record(), "motion_latent": np.zeros((7, 58), np.float32)}
    with StoreWriter(tmp_path / "s", STARTED) as writer:
        writer.add("a", still)
        header = writer.finish({"train": ["a"]})
    assert set(header.motion_std) == {0.01}


def test_bytes_survive_any_text_and_shape():
    given = {
        "a": np.zeros((0, 384), np.float16),
        "b": "naïve 顔",
        "c": np.float32([[1.5]]),
        "d": [],
        "e": None,
        "f": np.arange(3, dtype=np.int64),
    }
    equal(given, from_bytes(to_bytes(given)))


SHAPES = st.tuples(st.sampled_from(["<f4", "<f2", "<i8", "|u1"]), st.lists(st.integers(0, 5), min_size=1, max_size=3))


NAMES = st.sampled_from(["", "x", "顔", "a b", '"'])


@given(st.dictionaries(NAMES, SHAPES), st.dictionaries(NAMES, st.text(max_size=3)), st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_any_part_of_any_record_comes_back(shapes, values, chance):
    arrays = {f"a{name}": np.arange(math.prod(shape)).astype(dtype).reshape(shape) for name, (dtype, shape) in shapes.items()}
    given = {**{f"v{name}": value for name, value in values.items()}, **arrays}
    data = to_bytes(given)
    equal(given, from_bytes(data))
    asked = {name for name in arrays if chance.random() < 0.5}
    equal({name: value for name, value in given.items() if name not in set(arrays) - asked}, from_bytes(memoryview(data), asked))


@pytest.mark.parametrize("data", [b"", b"\x05\0\0\0{}", to_bytes({"a": np.zeros(9)})[:-1], b"\xff\xff\xff\x7f{}"])
def test_damaged_bytes_are_refused(data):
    with pytest.raises(BadBundle, match="damaged"):
        from_bytes(data)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"motion_latent": np.zeros((6, 58), np.float32)}, "motion_latent"),
        ({"motion_latent": np.zeros((7, 58))}, "float64"),
        ({"motion_latent": np.full((7, 58), np.nan, np.float32)}, "finite"),
        ({"audio_feat": np.zeros((13, 384), np.float16)}, "audio_feat to be float16"),
        ({"audio_feat": np.zeros((0, 384), np.float16)}, "audio_flag is set"),
        ({"latent_length": 6}, "with T 6"),
        ({"latent_length": 0}, "with T 0"),
        ({"pose": np.zeros((6, 3), np.float32)}, "pose to be"),
        ({"ldmk": np.zeros((7, 68, 3), np.float16)}, "478"),
        ({"face_offsets": np.zeros(7, np.int64)}, "face_offsets"),
        ({"instruction": []}, "inst_flag"),
        ({"filename": 3}, "filename"),
        ({"extra": 1}, "extra"),
    ],
)
def test_records_that_do_not_fit_are_refused(change, told):
    with pytest.raises(BadBundle, match=told):
        check_record("x", {**record(), **change})


def test_text_states_of_another_shape_are_refused(tmp_path):
    with StoreWriter(tmp_path / "s", STARTED) as writer, pytest.raises(BadBundle, match="384"):
        writer.add_text("smile", np.zeros((3, 5), np.float16), np.zeros(384, np.float16))


def test_what_is_not_there_is_named(tmp_path):
    store = FeatureStore.open(write(tmp_path / "s"))
    with pytest.raises(NotInStore, match="clip clip-9 in the store s"):
        store["clip-9"]
    with pytest.raises(KeyError):
        store.text("frown")
    with pytest.raises(BadBundle, match="train, valid"):
        store.keys("test")
    with pytest.raises(MissingFile, match="prepare"):
        FeatureStore.open(tmp_path / "nothing")


def test_resuming_keeps_what_is_there(tmp_path):
    path = write(tmp_path / "s", finish=False)
    with pytest.raises(BadBundle, match="cut short"):
        FeatureStore.open(path)
    with StoreWriter(path, STARTED) as writer:
        assert "clip-0" in writer
        assert "clip-8" not in writer
        assert writer.has_text("smile")
        writer.add("clip-0", record(frames=20))
        writer.finish({"train": ["clip-0", "clip-1", "clip-2"]})
    assert FeatureStore.open(path)["clip-0"]["latent_length"] == 5


@pytest.mark.parametrize("other", [Header.started("xyz", STARTED.extractors), Header.started("abc", {"speech": "2", "text": "1"})])
def test_another_corpus_or_extractor_is_refused(tmp_path, other):
    path = write(tmp_path / "s")
    with pytest.raises(BadBundle, match="write to another folder"):
        StoreWriter(path, other)


def test_foreign_and_newer_stores_are_refused(tmp_path):
    path = write(tmp_path / "s")
    with lmdb.open(str(path)) as env, env.begin(write=True) as txn:
        txn.put(b"header", to_bytes({**from_bytes(txn.get(b"header")), "version": 99}))
    with pytest.raises(BadBundle, match="version 99"):
        FeatureStore.open(path)
    (tmp_path / "junk").mkdir()
    (tmp_path / "junk" / "data.mdb").write_bytes(b"no store" * 1000)
    with pytest.raises(BadBundle, match="could not open"):
        FeatureStore.open(tmp_path / "junk")


def test_the_map_grows(tmp_path):
    with StoreWriter(tmp_path / "s", STARTED) as writer:
        writer.env.set_mapsize(1 << 20)
        for i in range(12):
            writer.add(f"clip-{i}", record(frames=200, seed=i))
        writer.finish({"train": [f"clip-{i}" for i in range(12)]})
        assert writer.env.info()["map_size"] > 1 << 20
    equal(FeatureStore.open(tmp_path / "s")["clip-11"], record(frames=200, seed=11))


def test_same_content_gives_the_same_bytes(tmp_path):
    def content(path):
        with lmdb.open(str(path), readonly=True, lock=False) as env, env.begin() as txn:
            return dict(txn.cursor())

    assert content(write(tmp_path / "a")) == content(write(tmp_path / "b"))


def test_store_goes_to_other_processes(tmp_path):
    store = FeatureStore.open(write(tmp_path / "s"))
    store["clip-0"]
    equal(pickle.loads(pickle.dumps(store))["clip-0"], store["clip-0"])


def test_a_file_in_the_way_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotWrite, match="choose another"):
        StoreWriter(tmp_path / "file" / "s", STARTED)


KILLED = """
import sys, os, signal
sys.path.insert(0, {here!r})
from test_store import STARTED, StoreWriter, record
with StoreWriter({path!r}, STARTED) as writer:
    writer.batch = 4
    for i in range(10):
        writer.add(f"clip-{{i}}", record(seed=i))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_kill_loses_only_what_was_not_flushed(tmp_path):
    path = str(tmp_path / "s")
    code = KILLED.format(here=os.path.dirname(__file__), path=path)
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    with StoreWriter(path, STARTED) as writer:
        assert {key for key in writer.known if key.startswith(b"clip/")} == {clip_key(f"clip-{i}") for i in range(8)}
        for i in range(10):
            writer.add(f"clip-{i}", record(seed=i))
        writer.finish({"train": [f"clip-{i}" for i in range(10)]})
    assert len(FeatureStore.open(path)) == 10


def test_all_clips_are_as_wide_as_the_first(tmp_path):
    wide = {**record(), "motion_latent": np.zeros((7, 12), np.float32)}
    with StoreWriter(tmp_path / "s", STARTED) as writer, pytest.raises(BadBundle, match="b: expected motion and speech"):
        writer.add("a", record())
        writer.add("b", wide)
        writer.finish({"train": ["a", "b"]})


def test_a_silent_stand_in_keeps_its_features(tmp_path):
    with StoreWriter(tmp_path / "s", STARTED) as writer:
        writer.add("a", {**record(), "audio_flag": False})
        assert writer.finish({"test": ["a"]}).motion_std != [1.0] * 58, "without a train split all clips are measured"


def test_skipped_clips_are_remembered_and_forgotten(tmp_path):
    with StoreWriter(tmp_path / "s", STARTED) as writer:
        writer.skip("bad", "no_face: nothing there")
    with StoreWriter(tmp_path / "s", STARTED) as writer:
        assert writer.skipped() == {"bad": "no_face: nothing there"}
        assert writer.finish({}).skipped == 1
    assert FeatureStore.open(tmp_path / "s").skipped() == {"bad": "no_face: nothing there"}
    with StoreWriter(tmp_path / "s", STARTED) as writer:
        writer.forget_skipped()
        assert writer.skipped() == {}
        writer.skip("bad", "cut: again")
        assert writer.skipped() == {"bad": "cut: again"}


def test_a_clip_can_be_replaced(tmp_path):
    write(tmp_path / "s")
    with StoreWriter(tmp_path / "s", STARTED) as writer:
        writer.replace("clip-0", record(seed=9))
        writer.flush()
        assert writer.values("clip-0")["latent_length"] == 7
        equal(writer.record("clip-0"), record(seed=9))


def test_large_records_are_written_early(tmp_path):
    with StoreWriter(tmp_path / "s", STARTED) as writer:
        writer.batch_bytes = 1 << 20
        writer.add("a", {**record(), "face_frames": np.zeros(1 << 20, np.uint8)})
        assert not writer.waiting


def test_parts_of_a_record_can_be_read_alone(tmp_path):
    store = FeatureStore.open(write(tmp_path / "s"))
    whole, part = store["clip-1"], store.read("clip-1", ("pose", "motion_latent"))
    arrays = {name for name, value in whole.items() if isinstance(value, np.ndarray)}
    equal(part, {name: value for name, value in whole.items() if name not in arrays - {"pose", "motion_latent"}})
    part["pose"][:] = 0
    assert store["clip-1"]["pose"].any(), "a reader's changes must not reach the store"


def test_heads_come_without_arrays(tmp_path):
    heads = dict(FeatureStore.open(write(tmp_path / "s")).heads("train"))
    assert list(heads) == ["clip-0", "clip-1"] and heads["clip-1"]["instruction"] == ["smile"]
    assert not any(isinstance(value, np.ndarray) for value in heads["clip-1"].values())


def test_a_damaged_record_names_its_clip(tmp_path):
    path = write(tmp_path / "s")
    with lmdb.open(str(path)) as env, env.begin(write=True) as txn:
        txn.put(clip_key("clip-1"), txn.get(clip_key("clip-1"))[:-50])
        txn.put(clip_key("clip-0"), b"junk")
    store = FeatureStore.open(path)
    for read in (store.__getitem__, lambda key: store.read(key, ("face_offsets", "face_frames", "face_motion", "ldmk", "audio_feat"))):
        with pytest.raises(BadBundle, match="clip clip-1 of the store s: expected a record of the store, got damaged bytes"):
            read("clip-1")
    with pytest.raises(BadBundle, match="clip clip-0 of the store s: .*damaged"):
        dict(store.heads("train"))


def test_sentences_may_have_any_width_but_one(tmp_path):
    with StoreWriter(tmp_path / "s", STARTED) as writer:
        writer.add("clip", record())
        writer.add_text("smile", np.ones((3, 768), np.float16), np.ones(768, np.float16))
    with StoreWriter(tmp_path / "s", STARTED) as writer:
        with pytest.raises(BadBundle, match="expected token states .L, 768. and a pooled state .768., got .3, 384. and .384,."):
            writer.add_text("frown", np.ones((3, 384), np.float16), np.ones(384, np.float16))
        assert writer.finish({"train": ["clip"]}).text_dim == 768
    assert FeatureStore.open(tmp_path / "s").header.text_dim == 768


def test_a_store_that_does_not_tell_the_width_of_its_sentences_has_the_usual_one(tmp_path):
    path = write(tmp_path / "s")
    with lmdb.open(str(path)) as env, env.begin(write=True) as txn:
        header = {name: value for name, value in from_bytes(txn.get(b"header")).items() if name != "text_dim"}
        txn.put(b"header", to_bytes(header))
    assert FeatureStore.open(path).header.text_dim == 384
