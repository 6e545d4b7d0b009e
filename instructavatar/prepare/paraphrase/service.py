"""Service: which OpenAI-compatible chat service is asked, how fast, and at what price.

A base URL is enough; everything else can be said in a YAML file:

    base_url: https://api.openai.com/v1
    model: gpt-4o-mini
    key_env: MY_KEY                # name of an environment variable; the key itself stands in no file
    requests_per_minute: 200
    price_per_million_input: 0.15
"""

from __future__ import annotations

import ipaddress
import math
import os
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from instructavatar import config
from instructavatar.errors import BadOption, MissingFile

DEFAULT_KEY = "OPENAI_API_KEY"
_WHOLE = ("at_once", "attempts", "max_tokens")


@dataclass(frozen=True)
class Service:
    """A chat service. Every field may stand in the YAML file."""

    base_url: str
    """Up to and with /v1; a query (?api-version=...) is kept."""
    model: str = ""
    """"" asks the service, which must then serve exactly one."""
    key_env: str | None = ""
    """Environment variable with the key. "": OPENAI_API_KEY over https or to this machine, none over plain http to another; null: none."""
    key_header: str = "Authorization"
    """Authorization takes "Bearer KEY"; any other header takes the key alone."""
    pictures: bool = True
    """False for a model that cannot see."""
    detail: str = "low"
    """How closely pictures are looked at, as the protocol names it; "" says nothing."""
    requests_per_minute: float = 60.0
    at_once: int = 4
    """Requests under way at the same time."""
    timeout_s: float = 60.0
    attempts: int = 6
    """Tries of one request while the service is busy or out of reach."""
    backoff_s: float = 1.0
    """Wait before the second try; it doubles with each further one."""
    longest_wait_s: float = 300.0
    """A service that asks for a longer wait ends the run."""
    temperature: float = 0.95
    top_p: float = 0.95
    max_tokens: int = 300
    body: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of a request; null takes one away, such as {max_tokens: null, max_completion_tokens: 900}."""
    tokens_per_picture: int = 85
    """For the estimate: what OpenAI's models count for a picture of low detail."""
    price_per_million_input: float | None = None
    price_per_million_output: float | None = None
    ask_again: bool = False
    """Ask once more what was refused or answered in an unusable way before."""

    def __post_init__(self) -> None:
        self._check_url()
        for name in ("requests_per_minute", "at_once", "timeout_s", "attempts", "longest_wait_s", "max_tokens"):
            self._check_number(name, above=True)
        for name in ("backoff_s", "temperature", "top_p", "tokens_per_picture"):
            self._check_number(name)
        for name in ("price_per_million_input", "price_per_million_output"):
            if getattr(self, name) is not None:
                self._check_number(name)

    def _check_url(self) -> None:
        try:
            parts = urllib.parse.urlsplit(self.base_url)
            good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except (ValueError, AttributeError):
            good = False
        if not good:
            raise BadOption(f"expected a service such as http://localhost:8000/v1 or a YAML file that names one, got {self.base_url!r}")
        if parts.username or parts.password:
            raise BadOption(
                f"expected a URL without a password for {parts.hostname}; put the key into the environment and name it by key_env"
            )

    def _check_number(self, name: str, above: bool = False) -> None:
        value = getattr(self, name)
        kind, word = (int, "whole number") if name in _WHOLE else (int | float, "number")
        good = isinstance(value, kind) and math.isfinite(value) and (value > 0 if above else value >= 0)
        if not good:
            raise BadOption(f"expected {name} of the service to be a {word} {'above' if above else 'of at least'} 0, got {value!r}")

    @staticmethod
    def load(text: str) -> Service:
        """The service behind a base URL or a YAML file."""
        if "://" in text:
            return Service(text)
        return config.build({"target": f"{__name__}.Service", "params": config.read(text)})

    def url(self, what: str) -> str:
        """Where to send what, such as chat/completions."""
        parts = urllib.parse.urlsplit(self.base_url)
        return urllib.parse.urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{what}", fragment=""))

    @property
    def host(self) -> str:
        """Name of the machine that is asked."""
        return urllib.parse.urlsplit(self.base_url).hostname or ""

    @property
    def encrypted(self) -> bool:
        """Does what is sent go by https?"""
        return urllib.parse.urlsplit(self.base_url).scheme == "https"

    @property
    def here(self) -> bool:
        """Is it a service on this machine?"""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost" or self.host.endswith(".localhost")

    @property
    def key_name(self) -> str:
        """The environment variable that holds the key; "" where none is sent."""
        if self.key_env == "":
            return DEFAULT_KEY if self.encrypted or self.here else ""
        return self.key_env or ""

    @property
    def sends_key(self) -> bool:
        """Does a request carry a key? A service on this machine does without where none is set."""
        return bool(self.key_name) and bool(self.key_env or not self.here or os.environ.get(self.key_name))

    def key(self) -> str:
        """The key, "" if none is needed; one that is missing or cannot be sent is refused without being shown."""
        name = self.key_name
        key = os.environ.get(name, "").strip() if name else ""
        if self.sends_key and not key:
            how = "export it, or name another by key_env in a YAML file"
            raise MissingFile(f"expected the key of {self.host} in the environment variable {name}, found none; {how}")
        if not (key.isascii() and key.isprintable()):
            raise BadOption(f"expected a key of printable ASCII in the environment variable {name}, got something else; set it again")
        return key

    def headers(self, key: str) -> dict[str, str]:
        """The headers of a request."""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if key:
            headers[self.key_header] = f"Bearer {key}" if self.key_header.lower() == "authorization" else key
        return headers

    def price(self, input_tokens: float, output_tokens: float) -> float | None:
        """What so many tokens cost, in the currency of the prices; None where no price is given."""
        if self.price_per_million_input is None and self.price_per_million_output is None:
            return None
        return (input_tokens * (self.price_per_million_input or 0.0) + output_tokens * (self.price_per_million_output or 0.0)) / 1e6
