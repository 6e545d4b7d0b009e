"""Several stores as one: what goes together, what is refused, names, shares, statistics."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from instructavatar import config
from instructavatar.data.store import FeatureStore, NotInStore
from instructavatar.data.stores import JoinedStores, source_of
from instructavatar.errors import BadBundle, BadOption

from .conftest import VERSIONS, clip, write_store


def joined(*paths: Path, weights=None) -> JoinedStores:
    entries = [{"path": path} for path in paths]
    for entry, weight in zip(entries, weights or (), strict=False):
        entry["weight"] = weight
    return source_of(stores=entries)


def test_clips_are_named_after_their_store(two):
    made = joined(*two)
    assert list(made.lengths("train"))[:1] == ["long:a00"] and "short:b/07" in made.lengths("train")
    assert made["short:b/07"]["motion_latent"][0, 0] == 2007
    assert set(made.read("long:a03", ())) - set(made.read("long:a03", ("pose",))) == set()
    assert made.header.splits["valid"] == ["long:a30", "long:a31", "short:b/60", "short:b/61"]
    assert made.header.lengths == {**made.lengths("train"), **made.lengths("valid")}
    with pytest.raises(NotInStore, match="STORE:CLIP.*long, short, got a00"):
        made["a00"]
    with pytest.raises(NotInStore, match="clip b99 in the store short"):
        made["short:b99"]


def test_one_header_stands_for_all(two, tmp_path):
    made, parts = joined(*two), [FeatureStore.open(path).header for path in two]
    assert made.header.clips == sum(part.clips for part in parts) and made.header.seconds == sum(part.seconds for part in parts)
    assert len(made.header.corpus_hash) == 64 and made.header.corpus_hash not in {part.corpus_hash for part in parts}
    assert made.header.corpus_hash == joined(*two).header.corpus_hash != joined(*reversed(two)).header.corpus_hash
    performed = write_store(tmp_path / "played", {"a": clip(9)}, versions={"speech": "s1", "text": "t1", "motion": "puppet/3"})
    assert joined(two[0], performed).header.extractors == {**VERSIONS, "motion": "m1 + puppet/3"}


def test_statistics_of_all_frames_are_those_of_one_store(tmp_path):
    one = {f"a{i}": clip(5 + i, i) for i in range(4)}
    other = {f"b{i}": clip(30 - i, -3.0 * i) for i in range(7)}
    parts = write_store(tmp_path / "one", one), write_store(tmp_path / "other", other)
    whole = FeatureStore.open(write_store(tmp_path / "whole", {**one, **other})).header
    header = joined(*parts).header
    np.testing.assert_allclose(header.motion_mean, whole.motion_mean, atol=2e-6)
    np.testing.assert_allclose(header.motion_std, whole.motion_std, rtol=1e-6)


def test_statistics_of_a_mixture_follow_its_weights(tmp_path):
    parts = write_store(tmp_path / "one", {"a": clip(10, 0)}), write_store(tmp_path / "other", {"b": clip(40, 100)})
    header = joined(*parts, weights=(3, 1)).header
    # three of four draws give a frame of the first
    frames = np.concatenate([np.tile(np.arange(10), 12), 100 + np.arange(40)])
    np.testing.assert_allclose([header.motion_mean[0], header.motion_std[0]], [frames.mean(), frames.std()], rtol=1e-6)
    assert header.motion_mean[57] == pytest.approx(25)


def test_shares(two):
    assert joined(*two, weights=(2, 6)).shares == {"long": 0.25, "short": 0.75}
    frames = [sum(FeatureStore.open(path).lengths("train").values()) for path in two]
    assert joined(*two).shares == pytest.approx({"long": frames[0] / sum(frames), "short": frames[1] / sum(frames)})


def test_the_ways_to_say_it(two):
    long, short = two
    for given in (
        [long, str(short)],
        [{"path": long}, {"path": FeatureStore.open(short)}],
        {"long": long, "short": {"path": short}},
    ):
        assert source_of(given).lengths("train") == source_of(stores=given).lengths("train") == joined(long, short).lengths("train")
    named = source_of(stores={"x": long, "y": {"path": long, "name": "z"}})
    assert list(named.entries) == ["x", "z"]
    for alone in (long, str(long), [long], {"path": long, "weight": 3}, {"x": {"path": long, "weight": 3}}):
        assert source_of(alone).keys("valid") == ["a30", "a31"], "one store stays as it is"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "either store or stores, got neither"),
        ({"store": "a", "stores": ["b"]}, "got both"),
        ({"stores": []}, "at least one store"),
        ({"stores": [{"path": "LONG", "wieght": 1}]}, "got path, wieght"),
        ({"stores": [{"weight": 1}]}, "expected a store as path"),
        ({"store": 3}, "expected the folder of a store, got 3"),
        ({"stores": ["LONG", 0.5]}, "expected the folder of a store, got 0.5"),
        ({"stores": ["LONG", "LONG"]}, "different names.*got long, long"),
        ({"stores": {"a:b": "LONG", "c": "SHORT"}}, "without a colon, got a:b"),
        ({"stores": [{"path": "LONG", "weight": 1}, "SHORT"]}, "a weight for every store or for none, got none for short"),
        ({"stores": [{"path": "LONG", "weight": -1}, {"path": "SHORT", "weight": 1}]}, "weight of the store long.*got -1"),
        ({"stores": [{"path": "LONG", "weight": float("nan")}, {"path": "SHORT", "weight": 1}]}, "got nan"),
        ({"stores": [{"path": "LONG", "weight": 0}, {"path": "SHORT", "weight": 0}]}, "a store to draw training clips from"),
    ],
)
def test_what_makes_no_sense_is_refused(two, given, told):
    def filled(value):
        if isinstance(value, list):
            return [filled(item) for item in value]
        if isinstance(value, dict):
            return {key: filled(item) for key, item in value.items()}
        return {"LONG": two[0], "SHORT": two[1]}.get(value, value) if isinstance(value, str) else value

    with pytest.raises(BadOption, match=told):
        source_of(**filled(given))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"clips": {"a": clip(9, width=768)}}, "motion width, got 58 and 768"),
        ({"clips": {"a": clip(9, speech=512)}}, "speech width, got 384 and 512"),
        ({"text": 768}, "text width, got 384 and 768"),
        ({"versions": {**VERSIONS, "speech": "s2"}}, "speech version, got s1 and s2"),
        ({"versions": {**VERSIONS, "text": "t2"}}, "text version, got t1 and t2"),
        ({"versions": {**VERSIONS, "motion": "m2"}}, "motion version, got m1 and m2"),
        ({"versions": {**VERSIONS, "latents": "vae"}}, "latents version, got none and vae"),
    ],
)
def test_stores_that_do_not_belong_together_are_refused(two, tmp_path, options, told):
    other = write_store(tmp_path / "other", **{"clips": {"a": clip(9)}, **options})
    with pytest.raises(BadBundle, match=f"the stores long and other to have the same {told}; prepare one"):
        joined(two[0], other)


def test_a_store_to_draw_from_must_have_clips_to_draw(two, tmp_path):
    judge = write_store(tmp_path / "judge", {"a": clip(9)}, valid=("a",), train=False)
    assert joined(two[0], judge).shares == {"long": 1.0, "judge": 0.0}
    assert joined(two[0], judge, weights=(1, 0)).header.splits["valid"] == ["long:a30", "long:a31", "judge:a"]
    with pytest.raises(BadBundle, match="training clips in the store judge, got none; give it the weight 0"):
        joined(two[0], judge, weights=(1, 1))


def test_sentences_come_from_the_store_that_has_them(tmp_path):
    one = write_store(tmp_path / "one", {"a": clip(30, instruction=["smile"])})
    other = write_store(tmp_path / "other", {"a": clip(30, instruction=["frown!"])})
    made = joined(one, other)
    assert [int(made.text(sentence)[1][0]) for sentence in ("smile", "frown!")] == [5, 6]
    with pytest.raises(NotInStore, match="'nod' in one of the stores one, other"):
        made.text("nod")


def test_a_configuration_names_them(two):
    data = """
data:
  target: instructavatar.data.loaders.MotionData
  params:
    store: null
    stores: {mead: {path: %s, weight: 0.5}, hdtf: {path: %s, weight: 0.5}}
    chances_config: {target: instructavatar.data.clips.Chances, params: {key: {same: 0.5, person: 0.3, neutral: 0.2, no: 0}}}
"""
    whole = OmegaConf.create(data % two)
    made = config.build(config.override(whole, ["data.params.stores.hdtf.weight=1.5"]).data)
    assert made.source.shares == {"mead": 0.25, "hdtf": 0.75} and made.examples.key_frames is not None
    listed = config.override(OmegaConf.create("data: {target: instructavatar.data.loaders.MotionData, params: {store: '???'}}"), [])
    listed = config.override(listed, [f"data.params.store=[{two[0]},{two[1]}]"])
    assert list(config.build(listed.data).source.entries) == ["long", "short"]
    with pytest.raises(BadOption, match="Chances: expected key frames from same"):
        config.build(config.override(whole, ["data.params.chances_config.params.key={seam: 1}"]).data)
