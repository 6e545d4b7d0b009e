"""The page of results: its requests are the judge's, its wordings nobody trained on, its table whole."""

import re
from pathlib import Path

import numpy as np
import pytest

from instructavatar.metrics.judge import KINDS
from instructavatar.prepare.acting.score import Act
from instructavatar.prepare.wordings.sentences import request

ROOT = Path(__file__).parents[2]


@pytest.fixture
def results(benchmark_module):
    return benchmark_module("results")


def plain(text):
    return " ".join(re.findall(r"[a-z']+", text.lower()))


def test_one_portrait_is_asked_for_every_kind_and_level(results):
    asked = list(results.requests(0, [Path("a.flac"), Path("b.flac")], quick=False))
    assert {one.kind for one in asked if one.kind} == set(KINDS)
    assert len({one.name for one in asked}) == len(asked) == 29
    assert [one.intensity for one in asked if one.group == "sad"] == [1, 2, 3]
    assert {one.voice is None for one in asked if one.kind} == {True}


def test_no_wording_stands_in_the_training_texts_or_is_made_by_their_grammar(results):
    texts = [
        plain(text)
        for text in (*results.TALKING.values(), *(t.format(w) for t in results.GROUPS.values() for w in results.LEVELS.values()))
    ]
    sources = [*(ROOT / "instructavatar").rglob("*.py"), *(ROOT / "tests" / "assets").rglob("*.jsonl"), *(ROOT / "configs").rglob("*.yaml")]
    everything = plain(" ".join(path.read_text(encoding="utf-8") for path in sources))
    assert [text for text in texts if text in everything] == []
    rng = np.random.default_rng(0)
    drawn = {
        plain(request(rng, Act(emotion, amount), talking=talking))
        for emotion in results.TALKING
        for amount in results.AMOUNTS.values()
        for talking in (False, True)
        for _ in range(300)
    }
    assert not drawn & set(texts)


def test_the_page_shows_every_row_and_what_is_missing(results):
    number = {"value": 0.5, "unit": "r", "higher_is_better": True, "ci": [0.25, 0.75], "n": 4}
    rows = {"system": {"metrics": {"lip_r": number}}, "still": {"metrics": {"lip_r": {**number, "value": 1e-17, "ci": None}}}}
    failed = [{"clip": "a", "row": "system", "metric": "beats", "reason": "no sound"}] * 2
    found = {"clips": 4, "scored": 4, "rows": rows, "failed": failed, "warnings": [], "not_run": {"fid": "expected weights"}}
    page = results.page(found, "the command")
    assert "| lip_r ↑ | 0.500 | 0 | 0.250 to 0.750 (n 4) | r |" in page
    assert "- 2 x beats: no sound" in page and "- fid: expected weights" in page and "`the command`" in page
