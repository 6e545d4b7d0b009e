"""Run: a plan's jobs -> answers -> wordings in the store. Stopped at any moment, the same call goes on.

Answers are kept one by one as they come; the store is changed at the end, sentences before the clips that use them, so that it is whole
at any moment.
"""

from __future__ import annotations

import json
import queue
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from instructavatar.data.store import FeatureStore
from instructavatar.data.writer import StoreWriter
from instructavatar.errors import BadBundle
from instructavatar.face.motion import FRAME_RATE_HZ
from instructavatar.features.text import TextEncoder
from instructavatar.pool import open_pool
from instructavatar.prepare.build import add_sentences, sentences_of
from instructavatar.prepare.corpora.base import Progress
from instructavatar.prepare.paraphrase.answers import Answer, Answers
from instructavatar.prepare.paraphrase.chat import Chat, Stopped
from instructavatar.prepare.paraphrase.plan import Job, Plan
from instructavatar.prepare.paraphrase.prompts import Unusable, is_refusal, variants_in
from instructavatar.prepare.paraphrase.wire import Busy, Refused, Reply, RequestFailed, ServiceProblem

_SILENT_AFTER = 5  # requests in a row without any answer: the service is gone


@dataclass
class Report:
    """What a run did; `str` is what the command line prints."""

    store: Path
    asked: int = 0
    """Jobs that were sent in this run."""
    jobs: int = 0
    usable: int = 0
    """Jobs with three variants, from this run or an earlier one."""
    failed: dict[str, str] = field(default_factory=dict)
    """Clip or text -> why there are no variants; with its kind in front, such as "refused: ..."."""
    clips: int = 0
    """Clips that got new wordings in this run."""
    wordings: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    """As the service counted them in this run."""
    price: float | None = None

    def __str__(self) -> str:
        price = "" if self.price is None else f" for about {self.price:.2f}"
        lines = [
            f"{self.store}: {self.wordings} new wordings in {self.clips} clips",
            f"  {self.jobs} questions, {self.asked} asked now, {self.usable} with three variants; "
            f"{self.input_tokens:,} tokens in and {self.output_tokens:,} out{price}",
        ]
        kinds = Counter(reason.partition(":")[0] for reason in self.failed.values())
        lines += [f"  without variants, {kind}: {count}" for kind, count in kinds.most_common()]
        return "\n".join(lines + ([f"  each with its reason: {_failures_path(self.store)}"] if self.failed else []))


def run(plan: Plan, progress: Progress | None = None, workers: int = 1) -> Report:
    """Ask what was not answered yet and write the new wordings into the store.

    Args:
        plan: of a service with a model.
        progress: called with (stage, done, total).
        workers: processes that read the new sentences.
    """
    tell = progress or (lambda stage, done, total: None)
    with StoreWriter.reopen(plan.store) as writer:
        _refuse_other_encoder(writer)  # before anything is paid for
    answers = Answers(plan.answers_path)
    report = Report(plan.store, jobs=len(plan.jobs))
    _ask_all(plan, answers, report, tell)
    _count(plan, answers, report)
    _write(plan, answers, report, tell, workers)
    report.price = plan.service.price(report.input_tokens, report.output_tokens)
    _list_failures(report)
    return report


class _Asking:
    """One job after the other, from several threads; the results come out of `done`: (job, why it failed or "", replies)."""

    def __init__(self, plan: Plan, answers: Answers, jobs: list[Job]) -> None:
        self.plan = plan
        self.answers = answers
        self.chat = Chat(plan.service)
        self.store = FeatureStore.open(plan.store)
        self.jobs = iter(jobs)
        self.lock = threading.Lock()
        self.done: queue.Queue[tuple[Job, str, list[Reply]] | BaseException] = queue.Queue()
        self.threads = [threading.Thread(target=self._work, daemon=True) for _ in range(min(plan.service.at_once, len(jobs)))]

    def _work(self) -> None:
        try:
            while not self.chat.pace.stop.is_set():
                with self.lock:
                    job = next(self.jobs, None)
                if job is None:
                    return
                self.done.put((job, *self._ask(job)))
        except Stopped:
            pass
        except BaseException as error:  # noqa: BLE001 - raised again where the results are read
            self.done.put(error)

    def _ask(self, job: Job) -> tuple[str, list[Reply]]:
        """Why the job failed, or ""; a refused picture is followed by the next."""
        replies: list[Reply] = []
        reason = ""
        for attempt, key in enumerate(job.keys):
            try:
                reply = self.chat.ask(self.plan.body(job, self.store, attempt))
            except Refused as refused:
                self._keep(job, key, "refused", Reply(""), str(refused))
                reason = f"refused: {refused}"
                continue
            except RequestFailed as failed:
                return f"{'no answer' if isinstance(failed, Busy) else 'bad answer'}: {failed}", replies
            replies.append(reply)
            reason = self._read(job, key, reply)
            if not reason.startswith("refused"):
                break
        return reason, replies

    def _read(self, job: Job, key: str, reply: Reply) -> str:
        """Keep an answer; gives why it is of no use, or ""."""
        if is_refusal(reply.text):
            said = " ".join(reply.text.split())[:160]
            self._keep(job, key, "refused", reply, said)
            return f"refused: {said}"
        try:
            self._keep(job, key, "ok", reply, variants=variants_in(reply.text))
        except Unusable as unusable:
            self._keep(job, key, "unusable", reply, str(unusable))
            return f"unusable answer: {unusable}"
        return ""

    def _keep(self, job: Job, key: str, outcome: str, reply: Reply, reason: str = "", variants: tuple[str, ...] = ()) -> None:
        tokens = {"input_tokens": reply.input_tokens, "output_tokens": reply.output_tokens}
        self.answers.add(Answer(key, outcome, variants, reason, reply.text, job.about, self.plan.service.model, **tokens))

    def stop(self) -> None:
        """No further request; those under way may end, so that their answers are kept."""
        self.chat.pace.stop.set()
        for thread in self.threads:
            thread.join(self.plan.service.timeout_s)
        del self.store  # LMDB lets a process open a store once, and it is to be written next


def _ask_all(plan: Plan, answers: Answers, report: Report, tell: Progress) -> None:
    """Send what is pending; what fails is named in the report."""
    jobs = plan.pending(answers)
    if not jobs:
        return
    asking = _Asking(plan, answers, jobs)
    silent = 0
    try:
        for thread in asking.threads:
            thread.start()
        for done in range(1, len(jobs) + 1):
            result = asking.done.get()
            if isinstance(result, BaseException):
                raise result
            _note(report, *result)
            silent = silent + 1 if result[1].startswith("no answer") else 0
            if silent == _SILENT_AFTER:
                raise ServiceProblem(
                    f"{plan.service.host} stopped answering ({result[1]}); run the same command again later, nothing is lost"
                )
            tell("paraphrases", done, len(jobs))
    finally:
        asking.stop()


def _note(report: Report, job: Job, reason: str, replies: list[Reply]) -> None:
    report.asked += 1
    report.input_tokens += sum(reply.input_tokens for reply in replies)
    report.output_tokens += sum(reply.output_tokens for reply in replies)
    if reason:
        report.failed[job.about] = reason


def _count(plan: Plan, answers: Answers, report: Report) -> None:
    """Jobs with variants, and why the others have none, from this run or an earlier one."""
    for key, job in plan.jobs.items():
        if plan.variants(key, answers):
            report.usable += 1
            report.failed.pop(job.about, None)
            continue
        given = [answer for answer in map(answers.get, job.keys) if answer]
        if given:
            kind = "refused" if given[-1].outcome == "refused" else "unusable answer"
            report.failed.setdefault(job.about, f"{kind}: {given[-1].reason}")


def _write(plan: Plan, answers: Answers, report: Report, tell: Progress, workers: int) -> None:
    """Put the new wordings and their sentences into the store; one that has them all is left untouched."""
    with StoreWriter.reopen(plan.store) as writer:
        merged = _merged(plan, answers, writer)
        if not merged:
            return
        sentences: dict[str, None] = {}
        for clip, texts in merged.items():
            sentences |= dict.fromkeys(sentences_of(texts, writer.values(clip)["latent_length"] / FRAME_RATE_HZ))
        with open_pool(workers) as pool:
            add_sentences(plan.store.with_name(plan.store.name + ".cache"), sentences, pool, writer, tell)
        writer.flush()
        for done, (clip, texts) in enumerate(merged.items(), 1):
            record = writer.record(clip)
            report.wordings += len(texts) - len(record["instruction"])
            writer.replace(clip, {**record, "instruction": texts, "inst_flag": True})
            tell("clips", done, len(merged))
        report.clips = len(merged)
        writer.finish(writer.header.splits)


def _refuse_other_encoder(writer: StoreWriter) -> None:
    """New sentences must be read as the store's own were."""
    wanted, got = writer.header.extractors.get("text"), TextEncoder.load().version
    if wanted != got:
        raise BadBundle(f"expected {writer.path.name} to hold sentences read by {got}, got {wanted}; prepare it again")


def _merged(plan: Plan, answers: Answers, writer: StoreWriter) -> dict[str, list[str]]:
    """Clips that get something new, with all their wordings: those they had come first."""
    found = {}
    for clip in plan.clips():
        before = writer.values(clip)["instruction"]
        known = {text.strip().lower() for text in before}
        new = [text for text in dict.fromkeys(plan.wordings(clip, answers)) if text.strip().lower() not in known]
        if new:
            found[clip] = [*before, *new]
    return found


def _failures_path(store: Path) -> Path:
    return store.with_name(store.name + ".unparaphrased.jsonl")


def _list_failures(report: Report) -> None:
    """Name everything without variants in a JSONL file beside the store; nothing, no file."""
    path = _failures_path(report.store)
    lines = [json.dumps({"about": name, "reason": reason}, ensure_ascii=False) + "\n" for name, reason in report.failed.items()]
    if lines:
        path.write_text("".join(lines), encoding="utf-8")
    else:
        path.unlink(missing_ok=True)
