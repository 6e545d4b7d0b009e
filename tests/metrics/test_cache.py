"""What was measured is found again, and nothing half-written or foreign is believed."""

import numpy as np
import pytest

from instructavatar.metrics.cache import Cache, digest, file_digest, usual_cache


def test_an_entry_comes_back_as_it_was(tmp_path):
    cache = Cache(tmp_path)
    entry = {"r": 0.25, "name": "ä", "n": 3, "rows": np.arange(6, dtype=np.float32).reshape(2, 3), "none": None}
    cache.save("scores", "abc", entry)
    found = cache.load("scores", "abc")
    assert found["rows"].dtype == np.float32 and (found.pop("rows") == entry.pop("rows")).all()
    assert found == entry
    assert cache.load("scores", "abd") is None and cache.load("faces", "abc") is None


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"x" * len(b)])
def test_a_damaged_entry_is_not_there(tmp_path, damage):
    cache = Cache(tmp_path)
    cache.save("scores", "abc", {"r": 1.0})
    path = next(tmp_path.rglob("*.npz"))
    path.write_bytes(damage(path.read_bytes()))
    assert cache.load("scores", "abc") is None


def test_without_a_folder_nothing_is_remembered(tmp_path):
    cache = Cache(None)
    cache.save("scores", "abc", {"r": 1.0})
    assert cache.load("scores", "abc") is None and not cache.writable
    assert not Cache(tmp_path / "file").writable if (tmp_path / "file").write_text("x") else True


def test_keys_follow_the_content(tmp_path):
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b").write_bytes(b"1")
    assert file_digest(tmp_path / "a") == file_digest(tmp_path / "b")
    (tmp_path / "b").write_bytes(b"2")
    assert file_digest(tmp_path / "a") != file_digest(tmp_path / "b")
    assert digest("a", ["b"]) != digest("ab")


def test_the_usual_place_is_the_users_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert usual_cache() == tmp_path / "instructavatar" / "evaluate"
