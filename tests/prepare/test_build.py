"""The build: every clip in the store or named with a reason, nothing measured twice, the same from any number of processes."""

import hashlib
import json
from dataclasses import dataclass, replace

import lmdb
import numpy as np
import pytest

from instructavatar.data.store import FeatureStore
from instructavatar.errors import BadMedia
from instructavatar.face.motion import FaceMotion, frames_of
from instructavatar.features.speech import SpeechEncoder
from instructavatar.features.text import TextEncoder
from instructavatar.prepare.build import build, sentences_of
from instructavatar.prepare.corpora.base import ClipRecord, PerformedCorpus


@dataclass
class Toy(PerformedCorpus):
    """Three clips: two share a sound, one is silent. `wrong` names a clip that has something wrong with it."""

    wrong: str = ""
    amount: float = 0.5
    name: str = "toy"

    def records(self):
        yield ClipRecord("a-0", 1.0, "train", ("smile", "0-0.5s: turn left | 0.5-1s: sad"), ("AU12",), "a.ogg")
        yield ClipRecord("a-1", 1.0, "train", (), (), "a.ogg")
        yield ClipRecord("b", 1.6, "valid", ("0-: 3s: bad |" if self.wrong == "script" else "smile",))

    def content_hash(self):
        return "0" * 64

    def sound(self, record):
        if self.wrong == "sound":
            raise BadMedia("expected sound, got noise")
        samples = 8_000 if self.wrong == "short" else 16_000
        return np.random.default_rng(0).normal(0, 0.05, samples).astype(np.float32)

    def sound_hash(self, record):
        return hashlib.sha256(f"{record.audio}{self.wrong}".encode()).hexdigest()

    def motion(self, record):
        frames = frames_of(record.seconds) - (self.wrong == record.id)
        return FaceMotion.of(frames, {"jawOpen": self.amount, "yaw": 5.0})


def content(path):
    with lmdb.open(str(path), readonly=True, lock=False) as env, env.begin() as txn:
        return dict(txn.cursor())


def test_everything_is_in_the_store(tmp_path):
    told = []
    report = build(Toy(), tmp_path / "s", workers=1, progress=lambda *stage: told.append(stage))
    store = FeatureStore.open(tmp_path / "s")
    assert (report.clips, report.sentences, report.skipped) == (3, 4, {})
    assert report.seconds == pytest.approx(3.6)
    assert told[-1] == ("sentences", 4, 4)
    assert ("speech", 1, 1) in told, "one sound, measured once"
    assert store.verify() == {}
    assert store.keys("train") == ["a-0", "a-1"]
    clip = store["a-0"]
    assert clip["instruction"] == ["smile", "0-0.5s: turn left | 0.5-1s: sad"]
    assert clip["motion_latent"].shape == (25, 58)
    assert clip["pose"][0].tolist() == [0, 5, 0]
    assert clip["filename"] == "a.ogg"
    expected = SpeechEncoder.load(threads=1).encode(Toy().sound(None))
    np.testing.assert_allclose(clip["audio_feat"].astype(np.float32), expected, atol=2e-2)
    assert store["a-1"]["inst_flag"] is False
    assert (store["b"]["audio_flag"], store["b"]["audio_feat"].shape) == (False, (0, 384))


def test_table_holds_every_segment_and_its_mirror(tmp_path):
    build(Toy(), tmp_path / "s", workers=1)
    store = FeatureStore.open(tmp_path / "s")
    assert set(store.sentences()) == {"smile", "turn left", "turn right", "sad"}
    states = TextEncoder.load().encode(["turn left"])
    tokens, pooled = store.text("turn left")
    np.testing.assert_allclose(tokens.astype(np.float32), states.tokens[0], atol=2e-3)
    np.testing.assert_allclose(pooled.astype(np.float32), states.pooled[0], atol=1e-3)


def test_sentences_of_nothing():
    assert sentences_of([], 1.0) == []


@pytest.mark.parametrize(
    ("wrong", "skipped", "told"),
    [
        ("sound", {"a-0", "a-1"}, "got noise"),
        ("short", {"a-0", "a-1"}, "speech for 12"),
        ("b", {"b"}, "motion for 39"),
        ("script", {"b"}, "segment"),
    ],
)
def test_wrong_clips_are_named(tmp_path, wrong, skipped, told):
    report = build(Toy(wrong), tmp_path / "s", workers=1)
    assert set(report.skipped) == skipped
    assert all(told in reason for reason in report.skipped.values())
    assert f"{len(skipped)} clips skipped" in str(report)
    lines = [json.loads(line) for line in (tmp_path / "s.skipped.jsonl").read_text().splitlines()]
    assert {line["clip"] for line in lines} == skipped
    assert len(FeatureStore.open(tmp_path / "s")) == 3 - len(skipped)
    # mended, the same call goes on
    assert build(Toy(), tmp_path / "s", workers=1).clips == 3
    assert not (tmp_path / "s.skipped.jsonl").exists()


def test_processes_change_nothing(tmp_path):
    build(Toy(), tmp_path / "one", workers=1)
    build(Toy(), tmp_path / "two", workers=2)
    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_second_build_measures_nothing_again(tmp_path, monkeypatch):
    build(Toy(), tmp_path / "s", workers=1)
    monkeypatch.setattr(SpeechEncoder, "encode", lambda *_: pytest.fail("speech was measured again"))
    monkeypatch.setattr(TextEncoder, "_run", lambda *_: pytest.fail("text was measured again"))
    changed = build(replace(Toy(), amount=0.25), tmp_path / "t", workers=1, cache=tmp_path / "s.cache")
    assert changed.clips == 3
    assert FeatureStore.open(tmp_path / "t")["b"]["motion_latent"].max() == 5.0
    assert FeatureStore.open(tmp_path / "t").text("sad")[0].any()


def test_extractors_are_named_in_the_header(tmp_path):
    build(Toy(), tmp_path / "s", workers=1)
    header = FeatureStore.open(tmp_path / "s").header
    assert set(header.extractors) == {"speech", "text", "motion"}
    assert header.extractors["motion"] == "toy/1"
    assert header.about == "toy"


def test_unknown_phones_are_told_by_the_report(tmp_path, monkeypatch):
    monkeypatch.setattr(Toy, "unknown_phones", lambda self: {"qqq": 3})
    assert "3 phones are unknown and drawn half open: qqq (3)" in str(build(Toy(), tmp_path / "s", workers=1))


def test_records_go_through_json():
    record = ClipRecord("a", 1.0, "train", ("smile",), ("AU12",), "a.ogg", "slt", "happy", 2, "a.mp4", {"seed": 3})
    assert ClipRecord.from_json(record.to_json()) == record
