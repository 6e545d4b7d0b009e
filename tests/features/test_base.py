import hashlib
import json
from pathlib import Path

import pytest

from instructavatar.errors import BadBundle, MissingFile
from instructavatar.features import base


def test_the_given_folder_comes_before_the_package(tmp_path: Path) -> None:
    assert base.weights_path("face_landmarker.task") == base.WEIGHTS / "face_landmarker.task"
    assert base.weights_path("face_landmarker.task", tmp_path) == base.WEIGHTS / "face_landmarker.task"
    (tmp_path / "face_landmarker.task").write_bytes(b"x")
    assert base.weights_path("face_landmarker.task", tmp_path) == tmp_path / "face_landmarker.task"


def test_a_missing_file_says_where_it_was_sought_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(MissingFile) as refusal:
        base.weights_path("nothing.onnx", tmp_path)
    assert "nothing.onnx" in str(refusal.value) and str(tmp_path) in str(refusal.value) and "build_weights" in str(refusal.value)


def test_a_known_missing_file_names_its_checksum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({"speech.onnx": {"sha256": "abc", "source": "somewhere"}}))
    monkeypatch.setattr(base, "manifest", lambda: json.loads((tmp_path / "manifest.json").read_text()))
    monkeypatch.setattr(base, "WEIGHTS", tmp_path)
    with pytest.raises(MissingFile, match="from somewhere; SHA-256 abc"):
        base.weights_path("speech.onnx")


def test_the_manifest_of_the_package_matches_its_face_nets() -> None:
    entry = base.manifest()["face_landmarker.task"]
    path = base.weights_path("face_landmarker.task")
    assert entry["bytes"] == path.stat().st_size and entry["licence"] == "Apache-2.0"
    assert entry["sha256"].startswith(base.version_of(path))


def test_no_or_a_damaged_manifest(tmp_path: Path) -> None:
    assert base.manifest(tmp_path) == {}
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(BadBundle, match="JSON"):
        base.manifest(tmp_path)


def test_version_of_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match=r"other\.onnx"):
        base.version_of(tmp_path / "other.onnx")


def test_a_damaged_net_is_refused(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"not a net")
    with pytest.raises(BadBundle, match=r"net\.onnx"):
        base.session(tmp_path / "net.onnx")


def test_a_net_opens_with_the_asked_threads() -> None:
    net = base.session(base.weights_path("text.onnx"), threads=2)
    assert net.get_session_options().intra_op_num_threads == 2
    assert net.get_inputs()


def test_inspection_names_what_changed_and_what_is_gone(tmp_path: Path) -> None:
    entry = {"sha256": hashlib.sha256(b"a").hexdigest(), "bytes": 1, "source": "here", "licence": "CC0-1.0"}
    (tmp_path / "manifest.json").write_text(json.dumps({name: entry for name in ("a", "b", "c")}))
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "b").write_bytes(b"b")
    assert [(row["file"], row["state"]) for row in base.inspect_weights(tmp_path)] == [("a", "intact"), ("b", "changed"), ("c", "missing")]
    with pytest.raises(MissingFile, match="manifest.json"):
        base.inspect_weights(tmp_path / "nowhere")
