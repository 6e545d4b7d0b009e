"""Sentence frames and small words of degree, pace and number.

Phrases are parted by bars or line ends; a frame named twice comes twice as often.
"""

from __future__ import annotations

import re


def phrases(text: str) -> tuple[str, ...]:
    """A table of phrases read from text."""
    return tuple(t.strip() for t in re.split(r"[|\n]", text) if t.strip())


# Frames for a verb phrase: {b} imperative, {g} with -ing.
POLITE = phrases(
    """please {b} | {b}, please | could you {b}? | can you {b}? | would you {b}? | could you please {b}? | can you please {b}?
    would you please {b}? | would you mind {g}? | I want you to {b} | I'd like you to {b} | I would like you to {b}
    I need you to {b} | now {b} | now please {b} | try to {b} | you should {b} | go ahead and {b} | just {b} | okay, {b} | ok now {b}
    alright, {b} | let me see you {b} | let's see you {b} | start {g} | begin {g} | keep {g} | {b} now | {b} for me
    {b} for the camera | next, {b} | you have to {b} | you need to {b} | you are {g} | you {b} | kindly {b} | let's {b} | time to {b}
    how about {g}? | {g} | {g}, please | by {g} | show me how you {b} | for the next few seconds, {b}"""
)

# The same about somebody: {n} who, {o} whom, {t} third person.
ABOUT = phrases(
    """{n} {t} | {n} {t} | {n} {t} | {n} is {g} | {n} starts {g} | {n} begins to {b} | make {o} {b} | have {o} {b} | {n} should {b}
    let {o} {b} | a video of {o} {g} | I want {o} to {b} | {n} will {b}"""
)

# The same while speaking.
TALKING = phrases(
    """talk while {g} | speak while {g} | {b} while talking | {b} while you talk | {b} while speaking | {b} as you speak
    {b} as you talk | talk and {b} | keep talking and {b} | speak and {b} at the same time | say it while {g} | {n} {t} while talking
    {n} is talking while {g} | {n} talks while {g} | while talking, {b} | when you speak, {b}"""
)

# Frames for any adjective {a}.
BE = phrases(
    """{a} | {a} | look {a} | look {a} | be {a} | act {a} | seem {a} | appear {a} | feel {a} | you are {a} | you look {a} | you feel {a}
    you feel {a}; let it show | you are {a}; show it | you are getting {a} | let us see that you are {a} | stare at us as if {a}
    {n} looks {a} | {n} is {a} | {n} seems {a} | {n} feels {a} | make {o} look {a} | try to look {a} | please look {a}
    could you look {a}? | I want you to look {a} | look like you are {a} | look as if you are {a} | act as if you were {a}
    show that you are {a} | pretend to be {a} | get {a} | show me what you look like when you are {a} | react as if you were {a}"""
)

# Frames for an adjective that stands before a noun; {aa} has its article.
BE_FACE = phrases(
    """{aa} face | {aa} expression | {aa} look | make {aa} face | show me {aa} face | show {aa} expression | show {aa} emotion
    with {aa} expression | with {aa} face | with {aa} look on your face | have {aa} expression | put on {aa} face
    please show me {aa} expression | give me {aa} look | {a} emotion | {a} expression | {a} face, please | {n} makes {aa} face
    {n} with {aa} face | {n} has {aa} expression | do {aa} face | wear {aa} expression | make your face look {a}"""
)

# The same while speaking.
BE_TALK = phrases(
    """talk with {aa} expression | talk with {aa} emotion | talk with {aa} face | speak with {aa} expression | speak in {aa} way
    talk in {aa} manner | talk in {aa} mood | look {a} while talking | look {a} as you speak | be {a} while you talk
    {n} is talking and looks {a} | {n} talks with {aa} expression | say it with {aa} look | sound {a} | talk as if you are {a}
    speak like you are {a} | {n} speaks in {aa} way"""
)

# Frames for an adverb {v}.
ADV = phrases(
    """{v} | act {v} | look {v} at the camera | look at me {v} | do it {v} | react {v} | behave {v} | stare {v}
    {n} looks {v} at the camera"""
)

# The same while speaking.
ADV_TALK = phrases(
    """talk {v} | speak {v} | say it {v} | talk {v}, please | please speak {v} | {n} talks {v} | {n} is speaking {v} | {n} is talking {v}
    deliver this {v} | say this {v} | tell me {v} | read this {v} | talk {v} to the camera"""
)

# Frames for a bare noun {e}.
EMO = phrases(
    """{e} | show {e} | express {e} | with {e} | show {e} on your face | let {e} show on your face | convey {e} | a face full of {e}
    a look of {e} | an expression of {e} | display {e} | feel {e} | act out {e} | full of {e} | {n} shows {e} | {n} expresses {e}
    your face shows {e} | I want to see {e} | react with {e}"""
)

# The same while speaking.
EMO_TALK = phrases(
    """talk with {e} | speak with {e} | say it with {e} | {n} talks with {e} | show {e} while you talk | express {e} as you speak"""
)

# Frames for a situation {s}, a clause about "you".
STORY = phrases(
    """{s} | {s} | imagine {s} | imagine that {s} | look as if {s} | look like {s} | look as though {s} | act as if {s} | act like {s}
    react as if {s} | react as though {s} | pretend {s} | pretend that {s} | as if {s} | behave as if {s} | make a face as if {s}
    {s}; let it show | {s}: show it | {s}, and it shows | {s}. show me | show how you feel when {s} | show me how you look when {s}
    make the face you make when {s} | put on a face as if {s} | suppose {s} | think that {s} and let us see it | your face when {s}
    you look as if {s} | you act as though {s} | {s}. react to it | what would your face do if {s}?"""
)

# The same while speaking.
STORY_TALK = phrases(
    """talk as if {s} | speak as if {s} | talk as though {s} | say it like {s} | say this as if {s} | speak like {s}
    speak as somebody would if {s}
    imagine {s} while you talk | tell it as if {s} | speak while {s}"""
)

# Frames for a noun phrase {p}.
NOUN = phrases(
    """{p} | {p} | {p}, please | show me {p} | please show me {p} | give me {p} | show {p} | I want to see {p} | I'd like to see {p}
    with {p} | can I see {p}? | can you show me {p}? | could you give me {p}? | let me see {p} | let's see {p} | now {p}
    {n} with {p} | {n} shows {p} | a portrait with {p} | okay, {p} | next, {p} | and {p} | try {p} | I need {p} | now show me {p}"""
)

# The same while speaking.
NOUN_TALK = phrases(
    """talk with {p} | speak with {p} | {p} while talking | say it with {p} | {n} talks with {p} | show {p} while you speak"""
)

# Two acts at once.
TOGETHER = phrases(
    """{b1} while {g2} | {b1} and {b2} | {b1} and {b2} at the same time | {b1} and also {b2} | {b1} as you {b2} | {b2} while {g1}
    {b1}, {g2} | both {b1} and {b2} | while {g1}, {b2} | {n} {t1} while {g2} | {n} {t1} and {t2}
    please {b1} while {g2} | could you {b1} and {b2}? | {b1}. at the same time, {b2} | {b1} + {b2}"""
)

# The same while speaking.
TOGETHER_TALK = phrases(
    """talk while {g1} and {g2} | {b1} and {b2} while talking | speak, {g1} and {g2} | talk, {b1} and {b2}
    {n} talks while {g1} and {g2}"""
)

# Two acts, one after the other.
THEN2 = phrases(
    """{b1}, then {b2} | {b1} and then {b2} | first {b1}, then {b2} | {b1}. then {b2} | {b1}. {b2} | {b1}, and afterwards {b2}
    {b1} before {g2} | after {g1}, {b2} | start by {g1}, then {b2} | {b1}, after that {b2} | {b1}, next {b2} | {b1}; {b2}
    {n} {t1}, then {t2} | {n} {t1} and then {t2} | please {b1} and then {b2} | could you {b1} and then {b2}?
    begin by {g1} and finish by {g2} | {b1} -> {b2} | {b1}, followed by {g2}"""
)

# Three acts.
THEN3 = phrases(
    """{b1}, then {b2}, then {b3} | first {b1}, then {b2}, and finally {b3} | {b1}. {b2}. {b3} | {b1}, {b2}, and then {b3}
    {b1}, after that {b2}, and at the end {b3} | {n} {t1}, then {t2}, and finally {t3} | start by {g1}, then {b2}, and finish by {g3}
    {b1} -> {b2} -> {b3}"""
)

# An act, then a neutral face.
BACK = phrases(
    """{b1} and back | {b1} and back to neutral | {b1}, then go back to neutral | {b1} and then relax | {b1} and return to neutral
    {b1}, then return to a neutral face | {b1} and then go back to normal | {b1}, and back to a natural expression
    {b1}. back to neutral | {b1} for a moment, then relax | {n} {t1}, then relaxes again | {b1} and then stop
    {b1} briefly, then look normal again | {b1} and come back to neutral"""
)

# A neutral face, then an act.
AFTER_NEUTRAL = phrases(
    """natural. {b} | neutral. {b} | start neutral, then {b} | wait a moment, then {b} | from a neutral face, {b} | relax first, then {b}
    neutral, then {b}"""
)

DEGREE_BE: dict[int, tuple[str, ...]] = {
    1: phrases(
        """slightly | a bit | a little | somewhat | mildly
        a tiny bit | lightly | a touch | just a little | faintly | subtly"""
    ),
    2: phrases("moderately | quite | fairly | pretty | rather | reasonably"),
    3: phrases(
        """very | extremely | really | so | incredibly | intensely | highly
        super | strongly | remarkably | extraordinarily | terribly | totally"""
    ),
}
DEGREE_NOUN: dict[int, tuple[str, ...]] = {
    1: phrases("slight | faint | small | subtle | mild | little | light"),
    2: phrases("moderate | fair | medium"),
    3: phrases("strong | very strong | intense | extreme | pronounced | really strong | powerful | exaggerated"),
}
DEGREE_EMO: dict[int, tuple[str, ...]] = {
    1: phrases("a hint of | a touch of | a bit of | slight | mild | a little"),
    2: phrases("moderate | some | a fair amount of"),
    3: phrases("great | intense | extreme | a lot of | deep | strong | overwhelming | so much"),
}
DEGREE_DO: dict[int, tuple[str, ...]] = {
    1: phrases(
        """slightly | a little | a bit | just a bit
        a tiny bit | only slightly | just a little | subtly | ever so slightly"""
    ),
    2: phrases("moderately | to a moderate degree | fairly"),
    3: phrases(
        "a lot | as much as you can | strongly | very much | really strongly | intensely | to the maximum | as far as you can | hard"
    ),
}
DEGREE_DO_FIRST: dict[int, tuple[str, ...]] = {
    1: phrases("slightly | subtly"),
    2: phrases("moderately"),
    3: phrases("strongly | really"),
}
TIMES: dict[int, tuple[str, ...]] = {
    1: phrases("once | one time | just once | a single time"),
    2: phrases("twice | two times | a couple of times | 2 times"),
    3: phrases("three times | 3 times | thrice | a few times"),
    4: phrases("four times | 4 times"),
    5: phrases("five times | 5 times"),
}
SLOW, QUICK = 0.4, 1.7
PACE: dict[float, tuple[str, ...]] = {
    SLOW: phrases("slowly | gradually | very slowly | in slow motion | unhurriedly"),
    QUICK: phrases("quickly | fast | rapidly | swiftly | very fast | in a hurry"),
}
PACE_FIRST: dict[float, tuple[str, ...]] = {
    SLOW: phrases("slowly | gradually"),
    QUICK: phrases("quickly | rapidly"),
}

# An intensity named as a number behind a sentence.
NUMBERED = phrases(
    """{text}, intensity {level} | {text} with intensity {level} | {text} (intensity {level})
    {text}, level {level} | intensity {level}: {text}"""
)
# One act that must not happen.
REFUSAL = phrases(
    """don't {b} | do not {b}
    please don't {b} | stop {g} | never {b} | avoid {g} | without {g} | no {g} | you should not {b} | try not to {b}
    {n} does not {b} | make sure not to {b} | don't {b} at all | you must not {b} | {n} isn't {g} | refrain from {g} | no need to {b}"""
)
# One act without another.
WITHOUT = phrases(
    """{b1} without {g2} | {b1} but don't {b2} | {b1}, but do not {b2} | without {g2}, {b1} | {n} {t1} without {g2} | {b1} and don't {b2}
    don't {b2}, just {b1} | {b1}; no {g2} | {b1} but avoid {g2}"""
)
# A movement with an emotion as adverb {v}.
FEELING = phrases(
    """{b} {v} | {v}, {b} | {n} {t} {v} | {b}, {v}
    please {b} {v} | {v} {b} | {n} is {g} {v} | look at me {v} while {g}"""
)
FEELING_TALK = phrases(
    """talk {v} while {g} | speak {v} while {g} | {b} and talk {v} | {n} talks {v} while {g} | say it {v} and {b} | {b} while talking {v}
    talk {v} and {b} | {n} speaks {v}, {g} | while {g}, talk {v}"""
)
WITH_NOUN = phrases(
    "{b} with {v} | with {v}, {b} | {b}, with {v} | show {v} while {g} | {b} and show {v} | {n} {t} with {v} | show {v} and {b}"
)
# Several action units in a list {u}.
UNITS = phrases(
    """{u} | {u} | with these action units: {u} | show these action units: {u}
    action units: {u} | activate {u} | AUs: {u} | a face with {u}"""
)
UNITS_TALK = phrases(
    """talk with these action units: {u} | talk with {u}
    speak with these action units: {u} | {u} while talking"""
)
