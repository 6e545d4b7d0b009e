"""`kill -9` at random moments: the store that comes of it equals an undisturbed one, and so does the cache."""

import contextlib
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import lmdb
import pytest

sys.path.append(str(Path(__file__).parent))

import killing
from killing import Preparation, cache_content, difference, kill_until, parts_left, store_digest

from instructavatar.data.header import Header
from instructavatar.data.store import FeatureStore
from instructavatar.data.writer import StoreWriter


def undisturbed(folder, clips):
    """A preparation that has run in one process, and what it took."""
    whole = Preparation(killing.puppet_config(folder, clips), folder / "whole")
    return whole, whole.finish()


def equal_to(whole):
    """A check: nothing lost, nothing added, nothing changed, nothing unfinished."""

    def check(killed):
        assert store_digest(killed.store) == store_digest(whole.store), difference(whole.store, killed.store)
        assert cache_content(killed.store) == cache_content(whole.store)
        assert parts_left(killed.store) == []
        assert FeatureStore.open(killed.store).verify() == {}

    return check


def survives(whole, lasts, kills, seed, **options):
    report = kill_until(replace(whole, store=whole.store.with_name("killed"), **options), kills, lasts, seed, equal_to(whole))
    print(f"\n{kills} kills, {report.rounds} stores finished and compared", *report.landed, sep="\n  ")
    return report


def test_three_kills_change_nothing(tmp_path):
    whole, lasts = undisturbed(tmp_path, 8)
    report = survives(whole, lasts, kills=3, seed=1)
    assert len(report.landed) == 3


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_twenty_kills_change_nothing(tmp_path, workers):
    whole, lasts = undisturbed(tmp_path, 50)
    options = ("--workers", workers)
    lasts = replace(whole, store=tmp_path / "paced", options=options).finish()
    survives(whole, lasts, kills=20, seed=int(workers), options=options)


@pytest.mark.slow
def test_twenty_kills_on_a_ray_cluster_change_nothing(tmp_path):
    pytest.importorskip("ray")
    whole, _ = undisturbed(tmp_path, 50)
    # a socket's path may have 107 characters, of which Ray itself needs sixty
    with tempfile.TemporaryDirectory(prefix="ray-") as folder, killing.ray_cluster(Path(folder)) as address:
        options = ("--ray", address)
        lasts = replace(whole, store=tmp_path / "paced", options=options).finish()
        survives(whole, lasts, kills=20, seed=3, options=options)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["1", "2", "ray"])
def test_twenty_kills_while_videos_are_measured(tmp_path, clips, way):
    videos = [clips.neutral, clips.happy, clips.sad, clips.surprised] * 2
    whole = Preparation(killing.filmed_config(tmp_path, videos), tmp_path / "whole", batch=1)
    whole.finish()
    assert len(FeatureStore.open(whole.store)) == 8 and len(FeatureStore.open(whole.store).skipped()) == 2
    with contextlib.ExitStack() as stack:
        options = ("--workers", way)
        if way == "ray":
            pytest.importorskip("ray")
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ray-"))
            options = ("--ray", stack.enter_context(killing.ray_cluster(Path(folder))))
        lasts = replace(whole, store=tmp_path / "paced", options=options).finish()
        survives(whole, lasts, kills=20, seed=11, options=options)


def test_the_group_dies_with_its_workers(tmp_path):
    """The harness kills what it means to: after it no process of the group is left."""
    run = Preparation(killing.puppet_config(tmp_path, 8), tmp_path / "s", ("--workers", "2"))
    process = run.start()
    run.wait_for_work(process)
    assert process.pid in killing.living(process.pid)
    killing.kill_group(process)
    assert killing.gone_within(5, process.pid)


# --- the comparison can fail --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def table(tmp_path):
    """A small store that can be written again with one thing changed."""

    def write(name, sentences=("smile", "frown"), order=1, corpus="a", value=1.0):
        import numpy as np

        with StoreWriter(tmp_path / name, Header.started(corpus, {})) as writer:
            for sentence in sentences[::order]:
                tokens = np.full((2, 384), value, np.float16)
                writer.add_text(sentence, tokens, tokens[0])
        return tmp_path / name

    return write


def test_order_of_writing_does_not_count(table):
    assert store_digest(table("one")) == store_digest(table("other", order=-1))


@pytest.mark.parametrize(
    ("changed", "told"), [({"sentences": ("smile",)}, "lost: 1"), ({"value": 2.0}, "changed: 2"), ({"corpus": "b"}, "changed: 1")]
)
def test_anything_else_does(table, changed, told):
    one, other = table("one"), table("other", **changed)
    assert store_digest(one) != store_digest(other)
    assert told in difference(one, other)


def test_a_sentence_more_counts(table):
    assert "added: 1" in difference(table("one"), table("other", sentences=("smile", "frown", "nod")))


def test_times_in_the_header_do_not_count(table):
    from instructavatar.data.disk import HEADER
    from instructavatar.data.record import from_bytes, to_bytes

    one, other = table("one"), table("other")
    with lmdb.open(str(other)) as env, env.begin(write=True) as txn:
        txn.put(HEADER, to_bytes({**from_bytes(txn.get(HEADER)), "created": "2030-01-01T00:00:00"}))
    assert store_digest(one) == store_digest(other)
