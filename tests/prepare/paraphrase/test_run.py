"""What comes of the answers: wordings in the store, paid for once, also when the run was killed."""

import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from paraphrase_fakes import SECRET, THREE, clip, content, picture_in, said, wordings, write_store

from instructavatar.data.header import Header
from instructavatar.data.store import FeatureStore
from instructavatar.data.writer import StoreWriter
from instructavatar.errors import BadBundle, BadOption, InstructAvatarError
from instructavatar.features.text import TextEncoder
from instructavatar.prepare.paraphrase import paraphrase, plan_paraphrases, run


def test_variants_join_the_wordings_and_the_table_of_sentences(store, service):
    told = []
    report = run(plan_paraphrases(store, service.quick()), lambda *stage: told.append(stage))
    assert (report.asked, report.usable, report.clips, report.wordings, report.failed) == (5, 5, 5, 15, {})
    assert (report.input_tokens, report.output_tokens) == (500, 100)
    before = ["talk happily"]
    assert wordings(store, "seen")[:1] == before
    assert len(wordings(store, "seen")) == 4
    assert wordings(store, "told") == wordings(store, "told_too")
    assert [text.count(" | ") for text in wordings(store, "timed")] == [1, 1, 1, 1]
    assert wordings(store, "timed")[1].startswith("0-0.2s: Raise the left cheek")
    assert wordings(store, "held_out") == ["talk"]
    opened = FeatureStore.open(store)
    assert opened.verify() == {}
    assert opened.header.sentences == len(set(opened.sentences())) > 15
    assert any(text.startswith("Raise the right cheek") for text in opened.sentences()), "and the mirrored one"
    tokens, pooled = opened.text(wordings(store, "seen")[1])
    expected = TextEncoder.load().encode_one(wordings(store, "seen")[1])
    np.testing.assert_allclose(tokens.astype(np.float32), expected, atol=2e-3)
    np.testing.assert_allclose(pooled.astype(np.float32), expected.mean(0), atol=2e-3)
    assert ("paraphrases", 5, 5) in told
    assert told[-1] == ("clips", 5, 5)
    assert "15 new wordings in 5 clips" in str(report)


def test_run_again_asks_nothing_and_changes_nothing(store, service):
    run(plan_paraphrases(store, service.quick()))
    before = content(store)
    again = run(plan_paraphrases(store, service.quick()))
    assert len(service.bodies) == 5
    assert (again.asked, again.usable, again.clips, again.wordings) == (0, 5, 0, 0)
    assert content(store) == before
    run(plan_paraphrases(store, service.quick(model="another")))
    assert len(service.bodies) == 10, "another model says other things"


def test_a_clip_without_wordings_gets_some(tmp_path, service):
    path = write_store(tmp_path / "bare", {"a": clip(("jaw_drop",))})
    run(plan_paraphrases(path, service.quick()))
    record = FeatureStore.open(path)["a"]
    assert record["inst_flag"] is True
    assert len(record["instruction"]) == 3


def test_sentences_of_another_encoder_are_not_mixed(tmp_path, service):
    with StoreWriter(tmp_path / "s", Header.started("0" * 64, {"text": "another"})) as writer:
        writer.add("a", clip(("jaw_drop",)))
        writer.finish({"train": ["a"]})
    with pytest.raises(BadBundle, match="read by"):
        run(plan_paraphrases(tmp_path / "s", service.quick()))
    assert service.bodies == [], "told before anything is paid for"


# --- killed and resumed ---------------------------------------------------------------------------------------------------------------

_CHILD = """
import sys
from instructavatar.prepare.paraphrase import Service, plan_paraphrases, run
run(plan_paraphrases(sys.argv[1], Service(sys.argv[2], model="eye", at_once=1, requests_per_minute=60000)))
"""


def test_killed_half_way_it_resumes_and_sends_nothing_twice(tmp_path, service):
    clips = {str(i): clip(("jaw_drop",), pictures=1, frames=1, seed=i) for i in range(8)}
    path = write_store(tmp_path / "many", clips)
    reached = threading.Event()

    def behave(number, body):
        if number == 4:
            reached.set()
            service.released.wait(20)
            return None
        return said(THREE.format(n=picture_in(body).hex()[:12]))

    service.behave = behave
    child = subprocess.Popen([sys.executable, "-c", _CHILD, str(path), service.url], env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert reached.wait(30)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert len(wordings(path, "0")) == 0, "the store is changed at the end"
    report = run(plan_paraphrases(path, service.quick()))
    assert (report.asked, report.usable) == (4, 8)
    shown = [picture_in(body) for body in service.bodies]
    answered = shown[:4] + shown[5:]
    assert len(answered) == len(set(answered)) == 8
    assert all(len(wordings(path, name)) == 3 for name in clips)


def test_interrupted_it_keeps_the_answers_under_way(store, service):
    def stop(stage, done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(plan_paraphrases(store, service.quick(at_once=2)), stop)
    run(plan_paraphrases(store, service.quick()))
    assert len(service.bodies) == 5


def test_the_whole_way_by_url_alone(store, service, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    lines = []
    report = paraphrase(store, service.url, say=lines.append)
    assert report.usable == 5
    assert lines[0].startswith("5 requests")
    assert service.bodies[0]["model"] == "eye"
    assert service.headers[0]["Authorization"] == f"Bearer {SECRET}"
    kept = store.with_name("s.paraphrases.jsonl").read_text() + content(store).decode("latin1") + str(report)
    assert SECRET not in kept
    service.models = ["one", "two"]
    with pytest.raises(BadOption, match="one, two"):
        paraphrase(store, service.url, say=lines.append)


def test_no_store_is_told(tmp_path, service):
    with pytest.raises(InstructAvatarError, match="expected a store"):
        paraphrase(tmp_path / "none", service.url, dry_run=True)
