"""Chat: requests to a service at its pace, tried again while it is busy."""

from __future__ import annotations

import json
import random
import threading
import time
from typing import Any

from instructavatar.errors import BadOption
from instructavatar.prepare.paraphrase.service import Service
from instructavatar.prepare.paraphrase.wire import Busy, Reply, RequestFailed, ServiceProblem, exchange, reply_of

_LONGEST_BACKOFF_S = 60.0


class Stopped(Exception):
    """The run ends; the request was not sent."""


class Pace:
    """At most so many requests a minute, evenly; all of them wait when the service says so."""

    def __init__(self, per_minute: float) -> None:
        self.gap_s = 60.0 / per_minute
        self.next_s = 0.0
        self.lock = threading.Lock()
        self.stop = threading.Event()

    def wait(self) -> None:
        """Wait for a turn; `Stopped` when the run ends meanwhile."""
        with self.lock:
            at_s = max(time.monotonic(), self.next_s)
            self.next_s = at_s + self.gap_s
        self.sleep(at_s - time.monotonic())

    def hold(self, seconds: float) -> None:
        """Let nobody have a turn for some time."""
        with self.lock:
            self.next_s = max(self.next_s, time.monotonic() + seconds)

    def sleep(self, seconds: float) -> None:
        """Wait, unless the run ends."""
        if self.stop.wait(max(0.0, seconds)):
            raise Stopped


class Chat:
    """Talks to one service; may be used from several threads."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.key = service.key()
        self.pace = Pace(service.requests_per_minute)
        self.answered = False
        """Has the service ever said anything?"""

    def ask(self, body: dict[str, Any]) -> Reply:
        """The reply to a request. Raises what `wire.exchange` raises; `Busy` only after all attempts."""
        data = json.dumps(body).encode()
        return reply_of(self._tried("chat/completions", data))

    def only_model(self) -> str:
        """The name of the one model that the service serves."""
        answer = self._tried("models")
        try:
            names = sorted({str(model["id"]) for model in answer["data"]})
        except (KeyError, TypeError):
            names = []
        if len(names) != 1:
            some = ", ".join(names[:5]) or "none"
            raise BadOption(f"expected {self.service.host} to serve one model, got {some}; name one in a YAML file with base_url and model")
        return names[0]

    def _tried(self, what: str, body: bytes | None = None) -> Any:
        for attempt in range(self.service.attempts):
            self.pace.wait()
            try:
                answer = exchange(self.service, what, self.key, body)
            except Busy as busy:
                self._before_next(busy, attempt)
            except RequestFailed:
                self.answered = True
                raise
            else:
                self.answered = True
                return answer
        raise AssertionError("the last attempt raises")

    def _before_next(self, busy: Busy, attempt: int) -> None:
        """Wait as long as it takes; give up when there is no next attempt."""
        if busy.unreachable and not self.answered:
            raise ServiceProblem(f"expected a service at {self.service.base_url}, {busy}; start it or mend base_url") from None
        if busy.wait_s is not None and busy.wait_s > self.service.longest_wait_s:
            told = f"{self.service.host} asks to come back in {busy.wait_s:.0f} s"
            raise ServiceProblem(f"{told}; run the same command again then, what was answered is kept") from None
        if attempt + 1 == self.service.attempts:
            raise Busy(f"no answer in {self.service.attempts} tries, the last: {busy}") from None
        if busy.wait_s is not None:
            self.pace.hold(busy.wait_s)
            return
        backoff_s = min(_LONGEST_BACKOFF_S, self.service.backoff_s * 2.0**attempt)
        self.pace.sleep(backoff_s * random.uniform(0.5, 1.0))  # spread, so that all do not come back at once
