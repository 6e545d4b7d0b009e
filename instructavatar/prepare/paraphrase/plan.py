"""Plan: what would be asked about the clips of a store, what it costs, and what it looks like. Nothing is sent here.

Two kinds of jobs, for training clips only (validation keeps its one fixed wording): the action units of a clip that was measured, with
one of its frames where the store has pictures; and the text that a silent clip was instructed by (a timed script segment by segment).
What is the same is asked once.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from instructavatar.data.store import FeatureStore
from instructavatar.errors import BadScript
from instructavatar.face.motion import FRAME_RATE_HZ
from instructavatar.face.script import Script, Segment
from instructavatar.prepare.paraphrase.answers import Answer, Answers, key_of
from instructavatar.prepare.paraphrase.pictures import best_frames, picture
from instructavatar.prepare.paraphrase.prompts import VARIANTS, motion_prompt, units_prompt
from instructavatar.prepare.paraphrase.service import Service

_CHARACTERS_PER_TOKEN = 4.2  # English prose
_TOKENS_OF_ANSWER = 75  # three sentences with their numbers
_TOKENS_OF_REQUEST = 10
_SPLIT = "train"


@dataclass(frozen=True)
class Job:
    """One question. A refused picture is followed by the next."""

    about: str
    """The clip (of several with the same question the first), or the text itself."""
    prompt: str
    keys: tuple[str, ...]
    """The request's name for each picture; one name where there is none."""
    frames: tuple[int, ...] = ()
    """Frames to show, one for each key; () for a question without a picture."""


@dataclass(frozen=True)
class Cost:
    """What is still to be asked. Tokens are estimated."""

    requests: int
    answered: int
    pictures: int
    input_tokens: int
    output_tokens: int
    price: float | None
    minutes: float

    def __str__(self) -> str:
        price = "no price given" if self.price is None else f"about {self.price:.2f} at the given price"
        kept = f" ({self.answered} more were answered before)" if self.answered else ""
        tokens = f"about {self.input_tokens:,} tokens in and {self.output_tokens:,} out"
        return f"{self.requests} requests{kept}, {self.pictures} with a picture: {tokens}, {price}; at least {self.minutes:.1f} minutes"


@dataclass
class Plan:
    """Jobs about a store, for one service."""

    store: Path
    service: Service
    jobs: dict[str, Job] = field(default_factory=dict)
    """By their first key."""
    units: dict[str, str] = field(default_factory=dict)
    """Clip -> its job about action units."""
    texts: dict[str, str] = field(default_factory=dict)
    """Instructed text -> its job."""
    scripts: dict[str, Script] = field(default_factory=dict)
    """Silent clip -> what it was instructed by."""

    @property
    def answers_path(self) -> Path:
        """The file that keeps the answers."""
        return self.store.with_name(self.store.name + ".paraphrases.jsonl")

    def clips(self) -> list[str]:
        """All clips that get wordings."""
        return [*self.units, *self.scripts]

    def pending(self, answers: Answers) -> list[Job]:
        """Jobs that still need an answer, with the pictures that are still to be tried."""
        found = []
        for job in self.jobs.values():
            left = [i for i, key in enumerate(job.keys) if self._open(answers.get(key))]
            done = any((answer := answers.get(key)) and answer.outcome != "refused" and not self._open(answer) for key in job.keys)
            if left and not done:
                found.append(replace(job, keys=tuple(job.keys[i] for i in left), frames=tuple(job.frames[i] for i in left if job.frames)))
        return found

    def _open(self, answer: Answer | None) -> bool:
        return answer is None or (self.service.ask_again and answer.outcome != "ok")

    def cost(self, answers: Answers | None = None) -> Cost:
        """Number, size and price of what is still to be asked."""
        pending = self.pending(Answers(self.answers_path) if answers is None else answers)
        pictures = sum(bool(job.frames) for job in pending)
        inputs = sum(len(job.prompt) / _CHARACTERS_PER_TOKEN + _TOKENS_OF_REQUEST for job in pending)
        inputs += pictures * self.service.tokens_per_picture
        outputs = _TOKENS_OF_ANSWER * len(pending)
        minutes = len(pending) / self.service.requests_per_minute
        price = self.service.price(inputs, outputs)
        return Cost(len(pending), len(self.jobs) - len(pending), pictures, round(inputs), outputs, price, minutes)

    def body(self, job: Job, store: FeatureStore, attempt: int = 0) -> dict[str, Any]:
        """The request about a job, with its picture of that number."""
        content: Any = job.prompt
        if job.frames:
            shown: dict[str, Any] = {"url": _data_url(picture(store[job.about], job.frames[attempt]))}
            if self.service.detail:
                shown["detail"] = self.service.detail
            content = [{"type": "text", "text": job.prompt}, {"type": "image_url", "image_url": shown}]
        settings = {name: getattr(self.service, name) for name in ("temperature", "top_p", "max_tokens")}
        fields = {"model": self.service.model, "messages": [{"role": "user", "content": content}], **settings, **self.service.body}
        return {name: value for name, value in fields.items() if value is not None}

    def preview(self, most: int = 2) -> str:
        """The first requests as they would be sent, the first of each kind first; pictures are cut short, the key is named only."""
        store = FeatureStore.open(self.store)
        pending = self.pending(Answers(self.answers_path))
        texts = set(self.texts.values())
        first = [next((job for job in pending if (job.keys[0] in texts) == kind), None) for kind in (False, True)]
        chosen = list(dict.fromkeys([job for job in first if job] + pending))[:most]
        headers = self.service.headers(f"${self.service.key_name}" if self.service.sends_key else "")
        head = "\n".join([f"POST {self.service.url('chat/completions')}", *(f"{name}: {value}" for name, value in headers.items())])
        return "\n\n".join(f"{head}\n\n{_abbreviated(self.body(job, store))}" for job in chosen)

    def variants(self, key: str, answers: Answers) -> tuple[str, ...]:
        """What was answered about a job; () if nothing usable was."""
        found = (answers.get(one) for one in self.jobs[key].keys)
        return next((answer.variants for answer in found if answer and answer.outcome == "ok"), ())

    def wordings(self, clip: str, answers: Answers) -> list[str]:
        """New wordings of a clip: of its units the variants themselves, of a script one script for each set of variants."""
        if clip in self.units:
            return list(self.variants(self.units[clip], answers))
        script = self.scripts[clip]
        parts = [self.variants(self.texts[segment.text], answers) for segment in script.segments]
        if not all(parts):
            return []
        return [str(replace(script, segments=_said(script, [part[i] for part in parts]))) for i in range(VARIANTS)]


def plan_paraphrases(store_path: Path | str, service: Service) -> Plan:
    """Everything that can be asked about a finished store."""
    plan = Plan(Path(store_path), service)
    store = FeatureStore.open(store_path)
    for clip in store.keys(_SPLIT) if _SPLIT in store.header.splits else []:
        record = store[clip]
        if not record["audio_flag"] and record["instruction"]:
            _plan_script(plan, clip, record)
        elif record["action_units"]:
            _plan_units(plan, clip, record)
    return plan


def _plan_script(plan: Plan, clip: str, record: Mapping[str, Any]) -> None:
    """The first wording is the corpus's own; later ones may be paraphrases already."""
    try:
        script = Script.parse(record["instruction"][0], record["latent_length"] / FRAME_RATE_HZ)
    except BadScript:
        return
    plan.scripts[clip] = script
    for segment in script.segments:
        prompt = motion_prompt(segment.text)
        key = key_of(plan.service.model, prompt, None)
        plan.texts[segment.text] = key
        plan.jobs.setdefault(key, Job(segment.text, prompt, (key,)))


def _plan_units(plan: Plan, clip: str, record: Mapping[str, Any]) -> None:
    frames = best_frames(record) if plan.service.pictures else []
    prompt = units_prompt(record["action_units"], bool(frames))
    keys = tuple(key_of(plan.service.model, prompt, picture(record, frame)) for frame in frames)
    keys = keys or (key_of(plan.service.model, prompt, None),)
    plan.units[clip] = keys[0]
    plan.jobs.setdefault(keys[0], Job(clip, prompt, keys, tuple(frames)))


def _said(script: Script, texts: Iterable[str]) -> tuple[Segment, ...]:
    return tuple(replace(segment, text=text) for segment, text in zip(script.segments, texts, strict=True))


def _data_url(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()


def _abbreviated(body: Mapping[str, Any]) -> str:
    """A request's JSON for people: pictures cut short."""
    shown = json.loads(json.dumps(body))
    for part in _pictures(shown):
        url = part["image_url"]["url"]
        part["image_url"]["url"] = f"{url[:40]}... ({len(url)} characters)"
    return json.dumps(shown, indent=2, ensure_ascii=False).replace("\\n", "\n")


def _pictures(body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for message in body["messages"]:
        if not isinstance(message["content"], str):
            yield from (part for part in message["content"] if part["type"] == "image_url")
