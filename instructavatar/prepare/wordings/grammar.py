"""Small English: verb forms, pronouns, articles, and the frames that turn a core phrase into a request or a description.

A core is a verb phrase in the imperative ("raise your eyebrows"; further verbs marked "~": "open your mouth and ~hold it"), an
adjective ("sad"), an adverb ("sadly"), a bare noun ("sadness"), a noun phrase with article ("a big smile") or a text that stands as it
is ("left turn").
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from instructavatar.prepare.wordings.forms import words

_DOUBLED = frozenset(
    words(
        """bat beg bob bug chat cut dip drop flap flip fret get grin grit hit hop hum jut knit let nod
        pan pop put rub run set shrug shut sip sit skip slip snap spin step stop tap tip wag win wrap"""
    )
)
_THIRD = {"be": "is", "have": "has", "do": "does", "go": "goes"}
_GERUND = {"be": "being", "lie": "lying", "panic": "panicking"}


@dataclass(frozen=True)
class Person:
    """Whom a sentence is about."""

    name: str
    subject: str
    own: str
    reflexive: str

    @property
    def accusative(self) -> str:
        """The name as an object: her, him, the person."""
        return {"she": "her", "he": "him"}.get(self.name, self.name)


YOU = Person("you", "you", "your", "yourself")
OTHERS: tuple[Person, ...] = (
    Person("the person", "they", "their", "themselves"),
    Person("she", "she", "her", "herself"),
    Person("he", "he", "his", "himself"),
    Person("the woman", "she", "her", "herself"),
    Person("the man", "he", "his", "himself"),
    Person("a woman", "she", "her", "herself"),
    Person("a man", "he", "his", "himself"),
    Person("the character", "they", "their", "themselves"),
    Person("the avatar", "it", "its", "itself"),
    Person("the speaker", "they", "their", "themselves"),
    Person("someone", "they", "their", "themselves"),
    Person("the subject", "they", "their", "themselves"),
    Person("the girl", "she", "her", "herself"),
    Person("the guy", "he", "his", "himself"),
    Person("the actor", "they", "their", "themselves"),
)


def third(verb: str) -> str:
    """A verb after he or she.

    >>> third("nod"), third("press"), third("try"), third("be")
    ('nods', 'presses', 'tries', 'is')
    """
    if verb in _THIRD:
        return _THIRD[verb]
    if re.search(r"(s|sh|ch|x|z)$", verb):
        return verb + "es"
    if re.search(r"[^aeiou]y$", verb):
        return verb[:-1] + "ies"
    return verb + "s"


def gerund(verb: str) -> str:
    """A verb with -ing.

    >>> gerund("smile"), gerund("nod"), gerund("lie"), gerund("see")
    ('smiling', 'nodding', 'lying', 'seeing')
    """
    if verb in _GERUND:
        return _GERUND[verb]
    if verb in _DOUBLED:
        return verb + verb[-1] + "ing"
    if verb.endswith("e") and not verb.endswith(("ee", "ye", "oe")):
        return verb[:-1] + "ing"
    return verb + "ing"


def _inflect(phrase: str, how: str, person: Person) -> str:
    parts = phrase.split(" ")
    # A leading adverb ("slowly turn ...") is not the verb.
    first = next((i for i, w in enumerate(parts) if not (w.endswith("ly") or w in _LEADING)), 0)
    for i, word in enumerate(parts):
        if i == first or word.startswith("~"):
            bare = word.lstrip("~")
            parts[i] = {"base": lambda w: w, "third": third, "gerund": gerund}[how](bare)
    return for_person(" ".join(parts), person)


_LEADING = frozenset({"just", "only", "really"})


def for_person(text: str, person: Person) -> str:
    """Your and you, put into the third person.

    >>> for_person("hold your head still", OTHERS[2])
    'hold his head still'
    """
    if person is YOU:
        return text
    text = re.sub(r"\byourself\b", person.reflexive, text)
    text = re.sub(r"\byour\b", person.own, text)
    text = re.sub(r"\byou are\b|\byou're\b", f"{person.subject} {'are' if person.subject == 'they' else 'is'}", text)
    text = re.sub(r"\byou've\b|\byou have\b", f"{person.subject} {'have' if person.subject == 'they' else 'has'}", text)
    return re.sub(r"\byou\b", person.subject, text)


def imperative(phrase: str, person: Person = YOU) -> str:
    """The phrase as it is spoken to somebody."""
    return _inflect(phrase, "base", person)


def third_person(phrase: str, person: Person) -> str:
    """The phrase after "she" and the like, without the subject; after "you" it is the imperative.

    >>> third_person("raise your eyebrows and ~hold them", OTHERS[1])
    'raises her eyebrows and holds them'
    """
    return _inflect(phrase, "base" if person is YOU else "third", person)


def participle(phrase: str, person: Person = YOU) -> str:
    """The phrase with -ing.

    >>> participle("slowly turn your head left")
    'slowly turning your head left'
    """
    return _inflect(phrase, "gerund", person)


def with_article(phrase: str) -> str:
    """A or an before it.

    >>> with_article("angry face"), with_article("sad face")
    ('an angry face', 'a sad face')
    """
    return ("an " if phrase[:1].lower() in "aeiou" else "a ") + phrase


def pick(rng: np.random.Generator, options: list[str] | tuple[str, ...]) -> str:
    """One of them, each as likely."""
    return options[int(rng.integers(len(options)))]


def person(rng: np.random.Generator) -> Person:
    """Somebody to speak of."""
    return OTHERS[int(rng.integers(len(OTHERS)))]


def slip(rng: np.random.Generator, text: str) -> str:
    """One spelling slip: two letters swapped, one left out or doubled, inside a longer word other than left and right."""
    parts = text.split(" ")
    # The words that decide between opposites stay as they are.
    long = [
        i for i, w in enumerate(parts) if len(w) >= 5 and w.isalpha() and not w.lower().startswith(("right", "without", "close", "never"))
    ]
    if not long:
        return text
    i = long[int(rng.integers(len(long)))]
    word = parts[i]
    at = int(rng.integers(1, len(word) - 2))
    choice = int(rng.integers(3))
    if choice == 0:
        word = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    elif choice == 1:
        word = word[:at] + word[at + 1 :]
    else:
        word = word[:at] + word[at] + word[at:]
    parts[i] = word
    return " ".join(parts)


def dressed(rng: np.random.Generator, text: str) -> str:
    """Case and punctuation as people leave them: mostly a sentence, sometimes bare, shouted, or with a slip."""
    text = re.sub(r"\s+", " ", text).strip()
    if rng.random() < 0.04:
        text = slip(rng, text)
    how = rng.random()
    if how < 0.05:
        text = text.upper()
    elif how < 0.55:
        text = text[:1].upper() + text[1:]
    if text[-1:] in ".!?":
        return text
    return text + pick(rng, ("", "", "", ".", ".", ".", "!", ""))
