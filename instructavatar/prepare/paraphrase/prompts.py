"""What is asked and what is answered: templates -> prompts, an answer's text -> three variants.

The templates are the text files in `prompts/`; `$units` and `$text` mark what is filled in.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files
from string import Template

from instructavatar.errors import BadScript
from instructavatar.face.script import Script

VARIANTS = 3
LONGEST_VARIANT = 300  # characters

_ITEM = re.compile(r"^\s*[*_]*\(?(\d+)\s*[.):]+[*_]*\s*(.+?)\s*$")
_QUOTES = str.maketrans("", "", '"“”„«»`*')
_REFUSAL = re.compile(
    r"\b(sorry|apologi[sz]e|unable to|can(?:no|'|’)?t (?:help|assist|identify|describe|comply|provide|do))", re.IGNORECASE
)


class Unusable(ValueError):
    """An answer that does not hold what was asked for; says why."""


@lru_cache
def template(name: str) -> Template:
    """A template of `prompts/`, without the line end behind it."""
    return Template((files(__package__) / "prompts" / f"{name}.txt").read_text(encoding="utf-8").strip())


def units_prompt(names: list[str], picture: bool) -> str:
    """The task for a clip's action units, by their names of `face/action_units.py`."""
    listed = "; ".join(name.replace("_", " ") for name in names)
    return template("units" if picture else "units_without_picture").substitute(units=listed)


def motion_prompt(text: str) -> str:
    """The task for an instruction that asks for a movement."""
    return template("motion").substitute(text=" ".join(text.split()))


def variants_in(answer: str) -> tuple[str, ...]:
    r"""The three variants of an answer; `Unusable` if there are not three that can serve as instructions.

    >>> variants_in("1. Smile.\n2) **Grin.**\n3. 'Beam!'")
    ('Smile.', 'Grin.', "'Beam!'")
    """
    items = [found for found in map(_ITEM.match, answer.splitlines()) if found]
    texts = [found[2].translate(_QUOTES).strip() for found in items]
    different = {text.lower().rstrip(".") for text in texts if text}
    numbers = [int(found[1]) for found in items]
    if numbers != list(range(1, VARIANTS + 1)) or len(different) != VARIANTS:
        raise Unusable(f"expected {VARIANTS} different variants, numbered, got {len(different)}")
    for text in texts:
        _check(text)
    return tuple(texts)


def is_refusal(answer: str) -> bool:
    """Does it say, instead of a list, that the answer will not be given?"""
    return bool(_REFUSAL.search(answer)) and not any(map(_ITEM.match, answer.splitlines()))


def _check(text: str) -> None:
    """A variant must be one plain instruction."""
    if len(text) > LONGEST_VARIANT:
        raise Unusable(f"expected variants of at most {LONGEST_VARIANT} characters, got one of {len(text)}")
    try:
        plain = "|" not in text and Script.parse(text, 1.0).plain
    except BadScript:
        plain = False
    if not plain:
        raise Unusable("expected plain instructions, got one with bars or times")
