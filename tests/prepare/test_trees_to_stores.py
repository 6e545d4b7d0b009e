"""Each corpus, laid out as its owners publish it, becomes a store whose every field has the documented shape, type and rate."""

import json

import numpy as np
import pytest

from instructavatar.cli import main
from instructavatar.data.record import FIELDS
from instructavatar.data.store import FeatureStore
from instructavatar.errors import CannotWrite
from instructavatar.face.action_units import ACTION_UNITS
from instructavatar.face.motion import frames_of
from instructavatar.prepare.corpora.folder import Folder

SEED_FIELDS = {
    *(
        "motion_latent",
        "ldmk",
        "appear_latent",
        "audio_feat",
        "latent_length",
        "filename",
        "pose",
        "instruction",
        "inst_flag",
        "audio_flag",
    ),
}
CORPORA = ("mead", "hdtf", "casual_conversations", "talking_head_1kh", "folder", "crema_d")
SECONDS = 36 / 25


@pytest.fixture(scope="module")
def stores(trees, clips, tmp_path_factory):
    """Corpus -> (its store, what the command printed is not kept)."""
    made = {}
    for name in CORPORA:
        place = tmp_path_factory.mktemp(name)
        getattr(trees, f"build_{name}")(place / "tree", clips)
        command = ["prepare", "--base", f"configs/corpora/{name}.yaml", "--root", str(place / "tree"), "--out", str(place / "store")]
        assert main([*command, "--workers", "1"]) == 0
        made[name] = FeatureStore.open(place / "store")
    return made


@pytest.mark.parametrize("name", CORPORA)
def test_every_field_is_as_documented(stores, name):
    store = stores[name]
    assert len(store) >= 2, store.skipped()
    assert store.verify() == {}
    assert set(FIELDS) >= SEED_FIELDS
    assert set(store.header.extractors) >= {"speech", "text", "motion", "landmarks"}
    for key in store.header.lengths:
        record = store[key]
        frames = record["latent_length"]
        assert abs(frames - frames_of(SECONDS)) <= 1
        assert record["motion_latent"].shape == (frames, 58) and record["motion_latent"].dtype == np.float32
        assert record["audio_feat"].shape == (2 * frames, 384) and record["audio_feat"].dtype == np.float16
        assert record["ldmk"].shape == (frames, 478, 3) and record["pose"].shape == (frames, 3)
        assert record["motion_latent"][0, 52:].tolist() == [0.0] * 6, "the first frame is the portrait: its pose counts as zero"
        assert record["ldmk"][..., :2].min() > 0 and record["ldmk"][..., :2].max() < 256
        assert set(record["action_units"]) <= set(ACTION_UNITS)
        assert len(record["crop"]) == 3 and len(record["unit_strengths"]) == len(record["action_units"])
        assert record["filename"] and record["speaker"]


def test_flags_follow_the_modality_table(stores):
    flags = {name: {(store[key]["inst_flag"], store[key]["audio_flag"]) for key in store.header.lengths} for name, store in stores.items()}
    assert flags["mead"] == flags["hdtf"] == flags["crema_d"] == {(True, True)}
    assert {audio for _, audio in flags["casual_conversations"]} == {False}
    assert flags["talking_head_1kh"] == {(False, True)} or flags["talking_head_1kh"] == {(False, False)}


def test_labels_and_wordings(stores):
    for name in ("mead", "crema_d"):
        records = [stores[name][key] for key in stores[name].header.lengths]
        assert all(record["emotion"] for record in records)
        assert {record["intensity"] for record in records} <= {0, 1, 2, 3}
        assert all(1 <= len(record["instruction"]) <= 4 for record in records)
    for key in stores["hdtf"].header.lengths:
        assert stores["hdtf"][key]["emotion"] in ("", "neutral")


def test_silence_is_measured_and_finite(stores):
    store = stores["casual_conversations"]
    for key in store.header.lengths:
        features = store[key]["audio_feat"].astype(np.float32)
        assert np.isfinite(features).all() and features.std() > 0
        assert any(store[key]["instruction"])


def test_portraits_keep_their_pixels(stores):
    import cv2

    store = stores["talking_head_1kh"]
    assert store.keys("test") == store.keys()
    record = store[store.keys()[0]]
    offsets = record["face_offsets"]
    assert len(offsets) == record["latent_length"] + 1
    picture = cv2.imdecode(record["face_frames"][offsets[3] : offsets[4]], cv2.IMREAD_COLOR)
    assert picture.shape == (256, 256, 3)


def test_workers_make_the_same_store(trees, clips, tmp_path, capsys):
    trees.build_folder(tmp_path / "tree", clips)
    digests = []
    for workers in ("1", "2"):
        out = tmp_path / f"store{workers}"
        command = ["prepare", "--base", "configs/corpora/folder.yaml", "--root", str(tmp_path / "tree"), "--out", str(out)]
        assert main([*command, "--workers", workers]) == 0
        store = FeatureStore.open(out)
        digests.append({key: store[key]["motion_latent"].tobytes() for key in store.header.lengths})
    assert digests[0] == digests[1]


def test_what_is_skipped_is_named(trees, clips, tmp_path, capsys):
    trees.build_folder(tmp_path / "tree", clips)
    (tmp_path / "tree" / "broken.mp4").write_bytes(b"no video at all")
    sheet = next((tmp_path / "tree").glob("clips.*"))
    sheet.unlink()
    command = ["prepare", "--base", "configs/corpora/folder.yaml", "--root", str(tmp_path / "tree"), "--out", str(tmp_path / "s")]
    assert main([*command, "--workers", "1"]) == 0
    assert "skipped 1: bad_video (broken)" in capsys.readouterr().out
    lines = [json.loads(line) for line in (tmp_path / "s.skipped.jsonl").read_text().splitlines()]
    assert [line["clip"] for line in lines if line["reason"].startswith("bad_video")] == ["broken"]


@pytest.mark.parametrize("name", ["0123", "[x]", "${x} ü", "a=b, c=d"])
def test_a_root_of_any_name(clips, tmp_path, name):
    (tmp_path / name).mkdir()
    (tmp_path / name / "a.mp4").write_bytes(clips.happy.read_bytes())
    command = ["prepare", "--base", "configs/corpora/folder.yaml", "--root", str(tmp_path / name), "--out", str(tmp_path / "s")]
    assert main([*command, "--workers", "1"]) == 0
    assert FeatureStore.open(tmp_path / "s").keys() == ["a"]


def test_a_full_disk_is_no_fault_of_the_clip(clips, tmp_path, monkeypatch, capsys):
    def full(*_):
        raise CannotWrite("expected room for 1 MB, the disk is full; free some space")

    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "a.mp4").write_bytes(clips.happy.read_bytes())
    command = ["prepare", "--base", "configs/corpora/folder.yaml", "--root", str(tmp_path / "tree"), "--out", str(tmp_path / "s")]
    with monkeypatch.context() as patch:
        patch.setattr(Folder, "video_path", full)
        assert main([*command, "--workers", "1"]) == 7
    assert "disk is full" in capsys.readouterr().err
    assert main([*command, "--workers", "1"]) == 0
    assert len(FeatureStore.open(tmp_path / "s")) == 1


def test_a_wrong_tree_is_told_in_words(tmp_path, capsys):
    assert main(["prepare", "--base", "configs/corpora/mead.yaml", "--root", str(tmp_path), "--out", str(tmp_path / "s")]) == 3
    told = capsys.readouterr().err
    assert "level_" in told and "found: nothing" in told
    assert not (tmp_path / "s").exists()
