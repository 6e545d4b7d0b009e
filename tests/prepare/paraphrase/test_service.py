"""Whose key goes where, and settings that are refused."""

import pytest
from paraphrase_fakes import SECRET

from instructavatar.errors import BadOption, MissingFile
from instructavatar.prepare.paraphrase import Service


def test_the_key_goes_where_it_should_and_nowhere_else(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("OTHER", "other")
    assert Service("https://api.example.org/v1").key() == SECRET
    assert Service("http://localhost:8000/v1").key() == SECRET
    assert Service("http://example.org/v1").key() == "", "not in plain text over a network unless it was named"
    assert Service("http://example.org/v1", key_env="OTHER").key() == "other"
    assert Service("https://example.org/v1", key_env=None).key() == ""
    azure = Service("https://a.example.org/openai/deployments/d?api-version=1", key_header="api-key")
    assert azure.headers(azure.key())["api-key"] == SECRET
    assert azure.url("chat/completions") == "https://a.example.org/openai/deployments/d/chat/completions?api-version=1"
    monkeypatch.setenv("OTHER", "a\nb")
    with pytest.raises(BadOption, match="printable") as caught:
        Service("https://example.org/v1", key_env="OTHER").key()
    assert "a\nb" not in str(caught.value)
    monkeypatch.delenv("OPENAI_API_KEY")
    assert Service("http://127.0.0.1:1/v1").key() == ""
    with pytest.raises(MissingFile, match="OPENAI_API_KEY"):
        Service("https://api.example.org/v1").key()


@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": "ftp://x/v1"},
        {"base_url": "http://"},
        {"base_url": "http://[::1"},
        {"base_url": "http://x:99999/v1"},
        {"base_url": f"https://me:{SECRET}@example.org/v1"},
        {"requests_per_minute": 0},
        {"at_once": 1.5},
        {"timeout_s": float("inf")},
        {"temperature": "hot"},
        {"price_per_million_input": -1},
    ],
)
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(BadOption, match="expected") as caught:
        Service(**{"base_url": "http://x/v1", **wrong})
    assert SECRET not in str(caught.value)


def test_a_file_with_a_misspelt_setting_is_refused(tmp_path):
    (tmp_path / "s.yaml").write_text("base_url: http://x/v1\nmodle: eye\n")
    with pytest.raises(BadOption, match="did you mean 'model'"):
        Service.load(str(tmp_path / "s.yaml"))
    (tmp_path / "s.yaml").write_text("model: eye\n")
    with pytest.raises(BadOption, match="base_url"):
        Service.load(str(tmp_path / "s.yaml"))
    with pytest.raises(MissingFile):
        Service.load(str(tmp_path / "none.yaml"))
