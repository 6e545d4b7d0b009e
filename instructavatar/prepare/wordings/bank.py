"""The bank: kind -> forms, all kinds, both sides, action units included."""

from __future__ import annotations

from dataclasses import replace

from instructavatar.face.action_units import ACTION_UNITS, ActionUnit
from instructavatar.prepare.wordings.emotion_kinds import EMOTION_FORMS
from instructavatar.prepare.wordings.face_kinds import BROW_FORMS, EITHER_FORMS, EYE_FORMS, MOUTH_FORMS
from instructavatar.prepare.wordings.forms import Forms, other_side
from instructavatar.prepare.wordings.grammar import with_article
from instructavatar.prepare.wordings.head_kinds import HEAD_FORMS
from instructavatar.prepare.wordings.main_kinds import MAIN_FORMS
from instructavatar.prepare.wordings.stories import STORIES


def _unit_forms(unit: ActionUnit) -> Forms:
    words = unit.name.replace("_", " ")
    mark = {"both": "", "left": "L", "right": "R"}[unit.side]
    code = f"AU{mark}{unit.number}"
    raw = (words, code, f"AU{mark} {unit.number}", f"{code} {words}", f"{words} ({code})")
    more = (f"action unit {unit.number}: {words}", f"{words} action", unit.name)
    do = (
        *unit.plain,
        f"activate the {words}",
        f"show the {words}",
        f"use the {words}",
        f"do {with_article(words)} movement",
        f"perform the {words}",
    )
    return Forms(do=do, raw=raw + more, noun=(f"the {words}", f"the action unit {words}"))


def _all_forms() -> dict[str, Forms]:
    bank: dict[str, Forms] = {}
    for group in (MAIN_FORMS, EMOTION_FORMS, MOUTH_FORMS, BROW_FORMS, EYE_FORMS, HEAD_FORMS):
        bank |= group
    for name, story in STORIES.items():
        bank[name] = replace(bank[name], story=story)
    for name, given in list(bank.items()):
        if name.endswith("_left"):
            bank[name.replace("_left", "_right")] = other_side(given)
    return bank | {f"au:{unit.name}": _unit_forms(unit) for unit in ACTION_UNITS.values()}


FORMS: dict[str, Forms] = _all_forms()

# Requests that name no side: kinds "either:wink" and so on are drawn as their left version.
EITHER: dict[str, Forms] = EITHER_FORMS
