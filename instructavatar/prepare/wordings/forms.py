"""Forms: the core phrases of one kind, sorted by what grammar may do with them."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Forms:
    """Core phrases of one kind of act."""

    do: tuple[str, ...] = ()
    """Verb phrases in the imperative, with "your"."""
    be: tuple[str, ...] = ()
    """Adjectives: "sad"."""
    adv: tuple[str, ...] = ()
    """Adverbs: "sadly"."""
    emo: tuple[str, ...] = ()
    """Bare nouns: "sadness"."""
    noun: tuple[str, ...] = ()
    """Noun phrases with article: "a big smile"."""
    raw: tuple[str, ...] = ()
    """Texts that stand as they are."""
    story: tuple[str, ...] = ()
    """Clauses about "you" that tell a situation: "you lost a friend"."""

    def count(self) -> int:
        """Number of cores."""
        return sum(len(getattr(self, f.name)) for f in fields(self))

    def mapped(self, change: dict[str, str]) -> Forms:
        """The same with words exchanged."""
        return Forms(**{f.name: tuple(_exchange(text, change) for text in getattr(self, f.name)) for f in fields(self)})


def _exchange(text: str, change: dict[str, str]) -> str:
    return re.sub("|".join(rf"\b{word}\b" for word in change), lambda found: change[found[0]], text)


def words(text: str) -> tuple[str, ...]:
    """The words of a text, as a table of names.

    >>> words("nod shake")
    ('nod', 'shake')
    """
    return tuple(text.split())


def forms(**texts: str) -> Forms:
    """Forms from lists parted by semicolons or line ends."""
    return Forms(**{name: tuple(dict.fromkeys(t.strip() for t in re.split(r"[;\n]", text) if t.strip())) for name, text in texts.items()})


SWAP = {
    "left": "right",
    "right": "left",
    "Left": "Right",
    "Right": "Left",
    "leftward": "rightward",
    "leftwards": "rightwards",
    "LEFT": "RIGHT",
}


def other_side(given: Forms) -> Forms:
    """The same request for the other side."""
    return given.mapped(SWAP)
