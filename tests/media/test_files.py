"""Targets are checked before the work and written whole or not at all."""

import pytest

from instructavatar.errors import CannotWrite
from instructavatar.media.files import check_writable


def test_checking_leaves_nothing(tmp_path):
    check_writable(tmp_path / "deep" / "er" / "x.json")
    assert not list(tmp_path.iterdir())
    (tmp_path / "old.json").write_text("old", encoding="utf-8")
    check_writable(tmp_path / "old.json")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_what_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    for target in (tmp_path, tmp_path / "file" / "x.json"):
        with pytest.raises(CannotWrite, match="expected"):
            check_writable(target)
