"""Showing a clip: every field in words, and a picture with something on it."""

import cv2
import numpy as np
import pytest

from instructavatar.cli import main
from instructavatar.data.header import Header
from instructavatar.data.record import complete
from instructavatar.data.store import FeatureStore
from instructavatar.data.writer import StoreWriter
from instructavatar.prepare.show import describe, film


def clip(frames=8, crops=True):
    rng = np.random.default_rng(0)
    motion = rng.random((frames, 58)).astype(np.float32)
    given = {"motion_latent": motion, "latent_length": frames, "pose": motion[:, 52:55].copy(), "filename": "a.mp4", "speaker": "W1"}
    points = np.full((frames, 478, 3), 40, np.float16)
    jpegs = [cv2.imencode(".jpg", np.full((128, 128, 3), 10 * n, np.uint8))[1] for n in range(frames)]
    if crops:
        given |= {"face_frames": np.concatenate(jpegs), "face_offsets": np.concatenate([[0], np.cumsum([len(j) for j in jpegs])])}
    given |= {"instruction": ["smile", "show a smile"], "inst_flag": True, "ldmk": points}
    return complete({**given, "audio_feat": np.ones((2 * frames, 384), np.float16), "audio_flag": True})


@pytest.fixture
def store(tmp_path):
    with StoreWriter(tmp_path / "s", Header.started("abc", {"speech": "1"})) as writer:
        writer.add("W1_a", clip())
        writer.add("plain", clip(crops=False))
        for sentence in ("smile", "show a smile"):
            writer.add_text(sentence, np.ones((2, 384), np.float16), np.ones(384, np.float16))
        writer.skip("bad", "no_face: none in 30 frames")
        writer.finish({"valid": ["W1_a", "plain"]})
    return tmp_path / "s"


def test_every_field_is_told(store):
    told = describe(FeatureStore.open(store), "W1_a")
    assert "valid; 8 frames, 0.32 s" in told
    assert "float16 [8, 478, 3]  40 .. 40" in told
    assert "show a smile" in told and "'W1'" in told
    assert all(name in told for name in clip())


def test_landmarks_are_drawn_where_the_crop_shows_them():
    picture = film(clip(), 2)
    assert picture.shape == (256, 512, 3)
    # crops of 128 pixels are doubled, and so are the points on them
    assert picture[80, 80].tolist() == [90, 255, 120]
    assert picture[200, 300].max() > 60, "the last frame is the lightest"
    assert film(clip(crops=False), 1)[40, 40].tolist() == [90, 255, 120]


def test_the_command_prints_and_draws(store, capsys, tmp_path):
    assert main(["prepare", "--output", str(store), "--show", "W1_a"]) == 0
    assert "s.W1_a.png" in capsys.readouterr().out
    drawn = cv2.imread(str(tmp_path / "s.W1_a.png"))
    assert drawn.std() > 10
    assert main(["prepare", "--output", str(store), "--show", "plain", "--png", str(tmp_path / "no" / "x.png")]) == 7
    assert main(["prepare", "--output", str(store), "--show", "nobody"]) == 8


def test_verify_finds_damage(store, capsys):
    assert main(["prepare", "--output", str(store), "--verify"]) == 0
    assert "2 clips (valid 2), 0.00 h, 0 damaged, 1 skipped" in capsys.readouterr().out
    with StoreWriter.reopen(store) as writer:
        writer.replace("plain", clip(frames=9, crops=False))
    assert main(["prepare", "--output", str(store), "--verify"]) == 8
    assert "plain" in capsys.readouterr().out


def test_the_published_layout_is_refused(tmp_path, capsys):
    (tmp_path / "mead.lmdb").write_bytes(b"x")
    (tmp_path / "meta_info.pkl").write_bytes(b"x")
    for path in (tmp_path, tmp_path / "mead.lmdb"):
        assert main(["prepare", "--output", str(path), "--verify"]) == 8
        assert "pickle/pyarrow" in capsys.readouterr().err
