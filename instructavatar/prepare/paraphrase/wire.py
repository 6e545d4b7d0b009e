"""The wire: one HTTP exchange with a chat service, and what its answer means. Nothing here knows what is asked.

Redirects are not followed, so a key never reaches another machine; a service on this machine is asked without a proxy.
"""

from __future__ import annotations

import email.utils
import http.client
import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import IO, Any

from instructavatar.errors import InstructAvatarError
from instructavatar.prepare.paraphrase.service import Service

_LARGEST = 4 << 20  # bytes of an answer
_CHUNK = 1 << 16
_BUSY = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_FILTERED = ("content_filter", "content_policy_violation", "responsibleaipolicyviolation")
_EMPTY_PURSE = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")


class RequestFailed(InstructAvatarError):
    """One request got no usable answer; others may."""


class Busy(RequestFailed):
    """The service is out of reach or asks to come back; `wait_s` is what it asks for, if it does."""

    def __init__(self, reason: str, wait_s: float | None = None, unreachable: bool = False) -> None:
        super().__init__(reason)
        self.wait_s = wait_s
        self.unreachable = unreachable


class Refused(RequestFailed):
    """The service or its model will not answer this request."""


class ServiceProblem(InstructAvatarError):
    """No request can get an answer; the run ends."""


@dataclass(frozen=True)
class Reply:
    """The text of an answer, and what it took."""

    text: str
    input_tokens: int = 0
    output_tokens: int = 0


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def exchange(service: Service, what: str, key: str, body: bytes | None = None) -> Any:
    """POST a body (GET without one); gives the answer's JSON.

    Raises:
        Busy: try again.
        Refused: a filter stopped it.
        RequestFailed: this one will not work.
        ServiceProblem: none will.
    """
    request = urllib.request.Request(service.url(what), body, service.headers(key))
    proxies = urllib.request.ProxyHandler({} if service.here else None)
    try:
        try:
            with urllib.request.build_opener(_NoRedirect, proxies).open(request, timeout=service.timeout_s) as response:
                return _json(_read(response, service.timeout_s))
        except urllib.error.HTTPError as error:
            with error:
                told = _read(error, service.timeout_s)
            raise _meaning(service, error.code, error.headers.get("Retry-After"), _hidden(told, key)) from None
    except TimeoutError:
        raise Busy(f"no answer within {service.timeout_s:g} s") from None
    except urllib.error.URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise Busy(f"no answer within {service.timeout_s:g} s") from None
        raise Busy(f"could not reach it ({_line(str(error.reason))})", unreachable=True) from None
    except (OSError, http.client.HTTPException) as error:
        raise Busy(f"the connection broke ({type(error).__name__})") from None


def reply_of(answer: Any) -> Reply:
    """The model's text in the answer to a chat completion."""
    try:
        choice = answer["choices"][0]
        message = choice["message"]
        text = message.get("content") or ""
        if not isinstance(text, str):
            text = "".join(part.get("text", "") for part in text)
        refused = message.get("refusal") or choice.get("finish_reason") == "content_filter"
    except (KeyError, IndexError, TypeError, AttributeError):
        raise RequestFailed("answered with JSON that is no chat completion") from None
    if refused:
        raise Refused(_line(str(message.get("refusal") or "content filter")))
    usage = answer.get("usage")
    counts = [(usage if isinstance(usage, dict) else {}).get(name) for name in ("prompt_tokens", "completion_tokens")]
    return Reply(text, *(count if isinstance(count, int) else 0 for count in counts))


def _read(response: IO[bytes], timeout_s: float) -> bytes:
    """The whole answer; one that drips in for longer than the timeout, or is cut short, counts as none."""
    until = time.monotonic() + timeout_s
    parts: list[bytes] = []
    size = 0
    while part := response.read1(_CHUNK):  # type: ignore[attr-defined]
        parts.append(part)
        size += len(part)
        if size > _LARGEST:
            raise RequestFailed(f"answered with more than {_LARGEST >> 20} MB")
        if time.monotonic() > until:
            raise TimeoutError
    announced = response.headers.get("Content-Length", "")  # type: ignore[attr-defined]
    if announced.isdecimal() and size < int(announced):
        raise http.client.IncompleteRead(b"")
    return b"".join(parts)


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise RequestFailed("answered with something that is not JSON") from None


def _meaning(service: Service, status: int, retry_after: str | None, told: str) -> InstructAvatarError:
    """What an HTTP status says about this request and the others."""
    small = told.lower()
    said = f"HTTP {status}" + (f": {_line(_message(told))}" if told.strip() else "")
    if any(word in small for word in _FILTERED):
        return Refused(said)
    if any(word in small for word in _EMPTY_PURSE) or status == 402:
        return ServiceProblem(f"{service.host} asks for payment ({said}); mend the account and run the same command again")
    if status in (401, 403):
        where = f"the key in {service.key_name}" if service.key_name else "requests without a key (name one by key_env in a YAML file)"
        return ServiceProblem(f"{service.host} does not accept {where} (HTTP {status}); set it right and run the same command again")
    if status in (404, 405) or 300 <= status < 400:
        return ServiceProblem(f"{service.url('')} is not where {service.model or 'a model'} is served ({said}); mend base_url or model")
    if status in _BUSY or status >= 500:
        return Busy(said, _seconds(retry_after))
    return RequestFailed(said)


def _seconds(retry_after: str | None) -> float | None:
    """Retry-After as seconds from now on: it is a number or a date."""
    if not retry_after:
        return None
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, TypeError):
        return None


def _message(told: str) -> str:
    """The sentence inside an error's JSON, or the text itself."""
    try:
        error = json.loads(told)
        error = error.get("error", error)
        return str(error.get("message") or error.get("code") or told) if isinstance(error, dict) else str(error)
    except (ValueError, AttributeError, RecursionError):
        return told


def _hidden(data: bytes, key: str) -> str:
    """As text, without the key should the service repeat it."""
    text = data.decode("utf-8", "replace")
    return text.replace(key, "***") if key else text


def _line(text: str, longest: int = 160) -> str:
    """One short line."""
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 3] + "..."
