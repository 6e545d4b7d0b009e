"""Latents: a codec's numbers take the place of FaceMotion, which is kept; killed half way, the pass goes on."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from instructavatar.codecs.loading import load_codec
from instructavatar.data.header import Header
from instructavatar.data.record import complete
from instructavatar.data.store import FeatureStore
from instructavatar.data.writer import StoreWriter
from instructavatar.errors import BadBundle, MissingFile
from instructavatar.prepare import latents
from instructavatar.prepare.build import build
from instructavatar.prepare.corpora.folder import Folder
from instructavatar.prepare.latents import add_latents


def measured(frames=6, seed=0):
    rng = np.random.default_rng(seed)
    motion = rng.random((frames, 58)).astype(np.float32)
    motion[:, 52:55] -= motion[0, 52:55]
    motion[0, 55:] = 0
    pose = motion[:, 52:55] + np.float32(7)
    given = {"motion_latent": motion, "latent_length": frames, "pose": pose, "filename": "a.mp4"}
    return complete({**given, "ldmk": rng.uniform(0, 256, (frames, 478, 3)).astype(np.float16)})


@pytest.fixture
def store(tmp_path):
    with StoreWriter(tmp_path / "s", Header.started("abc", {"speech": "1"})) as writer:
        for number in range(3):
            writer.add(f"c{number}", measured(seed=number))
        writer.finish({"train": ["c0", "c1"], "valid": ["c2"]})
    return tmp_path / "s"


IDENTITY = Path(__file__).parents[2] / "configs" / "codec" / "identity.yaml"


def codec_of(folder, dim):
    """A file that describes a codec of so many numbers."""
    path = folder / f"{dim}.yaml"
    path.write_text(f"codec: {{target: instructavatar.codecs.identity.IdentityCodec, params: {{motion_dim: {dim}}}}}\n")
    return path


@pytest.mark.parametrize("workers", [1, 2])
def test_identity_gives_motion_back(store, workers):
    version = load_codec(IDENTITY)[1]
    assert add_latents(store, IDENTITY, workers) == (3, version, 58)
    done = FeatureStore.open(store)
    assert done.header.extractors["latents"] == version and version.startswith("IdentityCodec-")
    record = done["c1"]
    np.testing.assert_array_equal(record["face_motion"], measured(seed=1)["motion_latent"])
    actions, rotation = slice(0, 52), slice(52, 55)
    np.testing.assert_allclose(record["motion_latent"][:, actions], record["face_motion"][:, actions])
    np.testing.assert_allclose(record["motion_latent"][:, rotation], record["face_motion"][:, rotation], atol=1e-5)


def test_narrower_latents_change_the_statistics(store, tmp_path):
    add_latents(store, codec_of(tmp_path, 4))
    header = FeatureStore.open(store).header
    assert len(header.motion_mean) == len(header.motion_std) == 4
    assert header.to_json()["shapes"]["motion_latent"] == ["float32", ["T", 4]]
    # the next codec starts from what was measured, not from the last one's numbers
    add_latents(store, codec_of(tmp_path, 5))
    np.testing.assert_array_equal(FeatureStore.open(store)["c0"]["face_motion"], measured()["motion_latent"])


def test_a_pass_that_was_cut_short_goes_on(store, tmp_path, monkeypatch):
    whole, seen, cut_at, four = latents.Encoder.encode, [], ["c1"], codec_of(tmp_path, 4)

    def failing(self, clip):
        if clip.key in cut_at:
            raise KeyboardInterrupt
        seen.append(clip.key)
        return whole(self, clip)

    monkeypatch.setattr(latents.Encoder, "encode", failing)
    with pytest.raises(KeyboardInterrupt):
        add_latents(store, four)
    with pytest.raises(BadBundle, match="cut short"):
        FeatureStore.open(store)
    cut_at.clear()
    assert add_latents(store, four)[0] == 2
    assert seen == ["c0", "c1", "c2"], "the first clip was done before the cut"
    assert FeatureStore.open(store)["c0"]["motion_latent"].shape == (6, 4)
    assert add_latents(store, four)[0] == 0, "what is done is not done again"


def test_preparing_again_leaves_latents_where_they_are(tmp_path, clips):
    films = tmp_path / "films"
    films.mkdir()
    shutil.copy(clips.neutral, films / "a.mp4")
    build(Folder(films), tmp_path / "s", workers=1)
    add_latents(tmp_path / "s", codec_of(tmp_path, 4))
    report = build(Folder(films), tmp_path / "s", workers=1)
    assert report.clips == 1 and FeatureStore.open(tmp_path / "s")["a"]["motion_latent"].shape[1] == 4
    shutil.copy(clips.happy, films / "b.mp4")
    with pytest.raises(BadBundle, match="corpus_hash"):
        build(Folder(films), tmp_path / "s", workers=1)


def test_clips_without_landmarks_are_refused(tmp_path):
    with StoreWriter(tmp_path / "s", Header.started("abc", {})) as writer:
        writer.add("a", {**measured(), "ldmk": np.zeros((0, 478, 3), np.float16)})
        writer.finish({"train": ["a"]})
    with pytest.raises(BadBundle, match="clip a: expected landmarks"):
        add_latents(tmp_path / "s", IDENTITY)


def test_what_is_no_codec_is_refused(tmp_path):
    with pytest.raises(MissingFile, match="codec bundle"):
        load_codec(tmp_path)
    (tmp_path / "config.yaml").write_text("generator: {}\n")
    with pytest.raises(BadBundle, match="generator"):
        load_codec(tmp_path)


def test_unfinished_and_missing_stores_are_refused(tmp_path):
    with pytest.raises(MissingFile):
        add_latents(tmp_path / "none", IDENTITY)
    with StoreWriter(tmp_path / "s", Header.started("abc", {})):
        pass
    with pytest.raises(BadBundle, match="cut short"):
        add_latents(tmp_path / "s", IDENTITY)
