"""A service that misbehaves: busy, slow, gone, unwilling, or talking nonsense."""

import json
import threading
import time
from types import SimpleNamespace

import pytest
from paraphrase_fakes import SECRET, THREE, clip, first, picture_in, said, wordings, write_store

from instructavatar.prepare.paraphrase import chat, plan_paraphrases, run
from instructavatar.prepare.paraphrase.chat import Pace
from instructavatar.prepare.paraphrase.wire import ServiceProblem, _seconds


@pytest.mark.parametrize(
    "answer",
    [
        (500, {}, {"error": {"message": "oops"}}),
        (503, {}, b"<html>down</html>"),
        (429, {}, {"error": {"message": "slow down"}}),
        None,
        (200, {"Content-Length": "999999"}, b'{"choices"'),
    ],
    ids=["500", "503", "429", "hung up", "cut short"],
)
def test_a_busy_service_is_asked_again(one, service, answer):
    service.behave = first(answer, answer)
    report = run(plan_paraphrases(one, service.quick()))
    assert (report.usable, report.failed, len(service.bodies)) == (1, {}, 3)


def test_retry_after_holds_everybody(store, service):
    service.behave = first((429, {"Retry-After": "0.4"}, {}))
    run(plan_paraphrases(store, service.quick(at_once=1)))
    assert service.times[1] - service.times[0] >= 0.4
    assert len(service.bodies) == 6


def test_retry_after_may_be_a_date_or_nonsense():
    assert _seconds("1.5") == 1.5
    assert _seconds("Fri, 31 Dec 1999 23:59:59 GMT") == 0
    assert 0 < _seconds(time.strftime("%a, %d %b 2099 23:59:59 GMT")) < 1e10
    assert _seconds("soon") is _seconds(None) is _seconds("") is None


def test_a_long_wait_ends_the_run_and_keeps_what_was_answered(store, service):
    service.behave = lambda number, body: said(THREE.format(n=number)) if number < 2 else (429, {"Retry-After": "4000"}, {})
    with pytest.raises(ServiceProblem, match="come back in 4000 s"):
        run(plan_paraphrases(store, service.quick()))
    service.behave = first()
    assert run(plan_paraphrases(store, service.quick())).usable == 5
    assert len(service.bodies) == 6


def test_a_service_that_hangs_is_given_up_in_time(one, service):
    service.behave = lambda number, body: service.released.wait(20) and None
    began = time.monotonic()
    report = run(plan_paraphrases(one, service.quick(timeout_s=0.2, attempts=2)))
    assert time.monotonic() - began < 10
    assert report.failed == {"seen": "no answer: no answer in 2 tries, the last: no answer within 0.2 s"}
    service.behave = first()
    assert run(plan_paraphrases(one, service.quick())).usable == 1, "and asked again by the next run"


def test_a_service_that_dies_ends_the_run(tmp_path, service):
    path = write_store(tmp_path / "many", {str(i): clip(("jaw_drop",), pictures=1, frames=1, seed=i) for i in range(20)})
    service.behave = lambda number, body: (500, {}, {})
    with pytest.raises(ServiceProblem, match=r"stopped answering .*same command again"):
        run(plan_paraphrases(path, service.quick(attempts=1)))
    assert len(service.bodies) <= 7


def test_a_service_that_is_not_there_is_told_at_once(one, service):
    service.server.shutdown()
    service.server.server_close()
    began = time.monotonic()
    with pytest.raises(ServiceProblem, match="expected a service at http://127.0.0.1"):
        run(plan_paraphrases(one, service.quick(backoff_s=30)))
    assert time.monotonic() - began < 5


REFUSALS = [
    said("I'm sorry, but I can't help with that."),
    said("", refusal="I will not look at people"),
    (400, {}, {"error": {"code": "content_filter", "message": "filtered"}}),
    (200, {}, {"choices": [{"message": {"content": None}, "finish_reason": "content_filter"}]}),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=["words", "refusal", "filter", "finish"])
def test_a_refused_picture_is_followed_by_another(one, service, refusal):
    service.behave = first(refusal)
    assert run(plan_paraphrases(one, service.quick())).usable == 1
    shown = [picture_in(body) for body in service.bodies]
    assert len(shown) == len(set(shown)) == 2


def test_three_refusals_are_counted_and_not_asked_again_unless_wanted(one, service):
    service.behave = lambda number, body: REFUSALS[0]
    report = run(plan_paraphrases(one, service.quick()))
    assert report.failed == {"seen": "refused: I'm sorry, but I can't help with that."}
    assert "without variants, refused: 1" in str(report)
    listed = json.loads(one.with_name("one.unparaphrased.jsonl").read_text())
    assert listed == {"about": "seen", "reason": report.failed["seen"]}
    assert len(service.bodies) == 3
    assert run(plan_paraphrases(one, service.quick())).failed == report.failed
    assert len(service.bodies) == 3
    service.behave = first()
    assert run(plan_paraphrases(one, service.quick(ask_again=True))).usable == 1
    assert not one.with_name("one.unparaphrased.jsonl").exists()
    assert wordings(one, "seen")[1:] == ["Raise the left cheek 3.", "Cheeks up 3.", "A lifted lip 3."]


@pytest.mark.parametrize(
    ("answer", "reason", "kept"),
    [
        ((200, {}, b"{nonsense"), "bad answer: answered with something that is not JSON", False),
        ((200, {}, b"[" * 100_000), "bad answer: answered with something that is not JSON", False),
        ((200, {}, {"object": "list"}), "bad answer: answered with JSON that is no chat completion", False),
        ((200, {}, {"choices": []}), "bad answer: answered with JSON that is no chat completion", False),
        ((400, {}, {"error": {"message": "too\nlarge"}}), "bad answer: HTTP 400: too large", False),
        (said("1. Smile.\n2. Grin."), "unusable answer: expected 3 different variants, numbered, got 2", True),
        (said("1. Smile.\n2. Grin.\n3. smile"), "unusable answer: expected 3 different variants, numbered, got 2", True),
        (said("Smile, grin or beam."), "unusable answer: expected 3 different variants, numbered, got 0", True),
        (said("1. a | b\n2. c\n3. d"), "unusable answer: expected plain instructions, got one with bars or times", True),
    ],
)
def test_unusable_answers_are_counted_with_their_reason(store, service, answer, reason, kept):
    service.behave = first(answer)
    report = run(plan_paraphrases(store, service.quick()))
    assert report.failed == {"seen": reason}
    assert report.usable == 4
    run(plan_paraphrases(store, service.quick()))
    assert len(service.bodies) == (5 if kept else 6), "an answer that was paid for is not asked for again"


@pytest.mark.parametrize(
    ("answer", "match"),
    [
        ((401, {}, {"error": {"message": f"wrong key {SECRET}"}}), "does not accept the key in OPENAI_API_KEY"),
        ((403, {}, {}), "does not accept"),
        ((404, {}, {"error": {"message": f"no model eye for {SECRET}"}}), "no model eye"),
        ((302, {"Location": "http://127.0.0.1:9/v1/chat/completions"}, {}), "mend base_url or model"),
        ((429, {}, {"error": {"code": "insufficient_quota"}}), "asks for payment"),
    ],
)
def test_what_no_request_can_get_past_ends_the_run_without_showing_the_key(one, service, monkeypatch, answer, match):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    service.behave = lambda number, body: answer
    with pytest.raises(ServiceProblem, match=match) as caught:
        run(plan_paraphrases(one, service.quick()))
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(service.bodies) == 1


def test_requests_overlap(store, service):
    together = threading.Barrier(3)
    service.behave = lambda number, body: (number < 3 and together.wait(20), said(THREE.format(n=number)))[1]
    assert run(plan_paraphrases(store, service.quick(at_once=3, timeout_s=30))).usable == 5


def test_requests_keep_the_pace(monkeypatch):
    monkeypatch.setattr(chat, "time", SimpleNamespace(monotonic=lambda: 100.0))
    slept = []
    pace = Pace(600)
    monkeypatch.setattr(pace, "sleep", slept.append)
    for _ in range(4):
        pace.wait()
    assert slept == pytest.approx([0.0, 0.1, 0.2, 0.3])


def test_a_held_pace_holds():
    pace = Pace(60_000)
    pace.hold(0.2)
    began = time.monotonic()
    pace.wait()
    assert time.monotonic() - began >= 0.19
