"""Raters' answers -> mean opinion scores, preferences and how far the raters agree.

mos          mean of the marks 1 to 5 for each system and scale. Intervals by the pigeonhole bootstrap (Owen 2007, Annals of Applied
             Statistics 1:386), which draws clips and raters again, both with replacement: a few raters with many clips are no crowd.
difference   the first system's mark less the second's, by the same rater on the same pair; its interval is drawn likewise.
preference   shares of all votes with Wilson's interval, which takes votes for independent.
agreement    Krippendorff's alpha for interval data (Krippendorff 2011, Computing Krippendorff's Alpha-Reliability): 1 full agreement,
             0 chance; null for one rater or where all marks are equal.

What does not fit is left out and named: damaged files, answers to another page, marks outside 1..5, a pair rated twice. A rater's later
file takes the place of their earlier ones. The checksum finds slips of the pen, not forgers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import BadMedia, MissingFile
from instructavatar.media.files import written_beside
from instructavatar.metrics.base import wilson_interval
from instructavatar.metrics.report.wording import counted

ANSWERS, KEY, RESULT = "answers*.json", "key.json", "mos.json"
SCALES = ("lips", "emotion", "naturalness")
CHOICES = ("left", "none", "right")
DRAWS = 2000


class _Unfit(Exception):
    """An answer that cannot be taken; the text says why."""


@dataclass(frozen=True)
class Answer:
    """One rater on one pair."""

    trial: str
    rater: str
    marks: Mapping[str, Mapping[str, int]]
    """Side -> scale -> 1..5."""
    preferred: str
    """A side, or "none"."""


def read_answers(folder: Path) -> dict[str, Any]:
    """Read every answers*.json beside the key, and write mos.json.

    Returns:
        {systems, raters, ratings, mos.{system}.{scale}.{value, ci, n}, difference.{scale}, preference.{system or none}.{share, ci, votes},
        agreement.{scale}, refused: [{file, reason}], seed}; `ratings` counts rated pairs.

    Raises:
        MissingFile: no key, or no answers.
        BadMedia: the key is none.
    """
    key = _key(folder)
    files = sorted(folder.glob(ANSWERS))
    if not files:
        raise MissingFile(f"expected {ANSWERS} in {folder}, found none; let raters open its index.html and put their saved files here")
    refused: list[dict[str, str]] = []
    answers = list(_accepted(files, key, refused))
    found = summary(answers, key) | {"refused": refused, "seed": key["seed"]}
    with written_beside(folder / RESULT) as part:
        part.write_text(json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
    return found


def _key(folder: Path) -> dict[str, Any]:
    path = folder / KEY
    if not path.is_file():
        raise MissingFile(f"expected {KEY} in {folder}, found none; it was written with the raters' page")
    try:
        key = json.loads(path.read_text(encoding="utf-8"))
        _ = key["page"], key["seed"], key["trials"].items()
        _, _ = key["systems"]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadMedia(
            f"expected the key that was written with the raters' page in {path}, got something else; write the page again"
        ) from error
    return dict(key)


def _accepted(files: Sequence[Path], key: Mapping[str, Any], refused: list[dict[str, str]]) -> Iterator[Answer]:
    """Answers that fit; a rater's file that was saved last stands for all of theirs."""
    latest: dict[str, tuple[str, Path, dict[str, Any]]] = {}
    for path in files:
        try:
            content = _content(path, key)
        except _Unfit as error:
            refused.append({"file": path.name, "reason": str(error)})
            continue
        rater, entry = content["rater"], (str(content.get("saved", "")), path, content)
        first, last = sorted((latest.get(rater, entry), entry), key=lambda one: one[0])
        latest[rater] = last
        if first is not last:
            refused.append({"file": first[1].name, "reason": f"{rater}'s answers were saved again, in {last[1].name}"})
    for _, path, content in latest.values():
        for answer in content["answers"]:
            try:
                yield _answer(answer, content, key)
            except _Unfit as error:
                refused.append({"file": path.name, "reason": str(error)})


def _content(path: Path, key: Mapping[str, Any]) -> dict[str, Any]:
    """A file of answers to this page, untouched since it was saved."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        page, rater, answers, check = (content[name] for name in ("page", "rater", "answers", "check"))
        lines = [page, rater, *map(_line, answers)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _Unfit("no answers of the raters' page, or damaged") from error
    if not isinstance(rater, str) or not all(isinstance(answer["trial"], str) for answer in answers):
        raise _Unfit("names that are no text")
    if page != key["page"]:
        raise _Unfit(f"answers to another page ({page})")
    if check != checksum("\n".join(map(str, lines))):
        raise _Unfit("changed after it was saved: its checksum does not fit")
    return dict(content)


def _line(answer: Mapping[str, Any]) -> str:
    """As in pages/rating.js."""
    left, right = (",".join(str(answer[side][scale]) for scale in SCALES) for side in ("left", "right"))
    return f"{answer['trial']}|{left}|{right}|{answer['preferred']}"


def checksum(text: str) -> str:
    """FNV-1a, 32 bit, of the UTF-8 bytes.

    >>> checksum(""), checksum("a")
    ('811c9dc5', 'e40c292c')
    """
    found = 0x811C9DC5
    for byte in text.encode():
        found = (found ^ byte) * 0x01000193 & 0xFFFFFFFF
    return f"{found:08x}"


def _answer(answer: Mapping[str, Any], content: Mapping[str, Any], key: Mapping[str, Any]) -> Answer:
    trial, rater = answer["trial"], content["rater"]
    if trial not in key["trials"]:
        raise _Unfit(f"{rater} on {trial}: the page has no such pair")
    if sum(other["trial"] == trial for other in content["answers"]) > 1:
        raise _Unfit(f"{rater} on {trial}: rated twice in one file")
    marks = {side: dict(answer[side]) for side in ("left", "right")}
    wrong = [mark for side in marks.values() for scale in SCALES if type(mark := side[scale]) is not int or not 1 <= mark <= 5]
    if wrong:
        raise _Unfit(f"{rater} on {trial}: expected marks from 1 to 5, got {wrong[0]!r}")
    if answer["preferred"] not in CHOICES:
        raise _Unfit(f"{rater} on {trial}: expected a preference of {', '.join(CHOICES)}, got {answer['preferred']!r}")
    return Answer(trial, rater, marks, answer["preferred"])


def summary(answers: Sequence[Answer], key: Mapping[str, Any]) -> dict[str, Any]:
    """All numbers of the answers; what nobody rated is left out."""
    systems, raters = list(key["systems"]), sorted({answer.rater for answer in answers})
    marks = {(system, scale): _marks(answers, key, raters, system, scale) for system in systems for scale in SCALES}
    seed = int(key["seed"])
    found: dict[str, Any] = {"systems": systems, "raters": raters, "ratings": len(answers)}
    if not answers:
        return found
    found["mos"] = {system: {scale: _mean(marks[system, scale], seed) for scale in SCALES} for system in systems}
    found["difference"] = {scale: _mean(marks[systems[0], scale] - marks[systems[1], scale], seed) for scale in SCALES}
    found["preference"] = _preference(answers, key)
    found["agreement"] = {scale: alpha(np.concatenate([marks[system, scale] for system in systems])) for scale in SCALES}
    return found


def _marks(answers: Sequence[Answer], key: Mapping[str, Any], raters: Sequence[str], system: str, scale: str) -> NDArray[np.float64]:
    """Marks [pairs, raters] of a system on a scale; NaN where a rater left a pair out."""
    places = {trial: place for place, trial in enumerate(sorted(key["trials"]))}
    table = np.full((len(places), len(raters)), np.nan)
    for answer in answers:
        side = next(side for side in ("left", "right") if key["trials"][answer.trial][side] == system)
        table[places[answer.trial], raters.index(answer.rater)] = answer.marks[side][scale]
    return table


def _mean(marks: NDArray[np.float64], seed: int) -> dict[str, Any]:
    known = ~np.isnan(marks)
    return {"value": float(marks[known].mean()), "ci": pigeonhole(marks, seed), "n": int(known.sum())}


def pigeonhole(marks: NDArray[np.float64], seed: int) -> list[float] | None:
    """95 % interval of the mean of [pairs, raters] when both are drawn again; None where there is a single mark."""
    known = ~np.isnan(marks)
    marks, known = marks[known.any(1)][:, known.any(0)], known[known.any(1)][:, known.any(0)]
    if known.sum() < 2:
        return None
    rng = np.random.default_rng(seed)
    pairs, raters = marks.shape
    of_pairs = rng.multinomial(pairs, np.full(pairs, 1 / pairs), DRAWS).astype(np.float64)  # how often each is drawn
    of_raters = rng.multinomial(raters, np.full(raters, 1 / raters), DRAWS).astype(np.float64)
    counts = ((of_pairs @ known) * of_raters).sum(1)
    sums = ((of_pairs @ np.where(known, marks, 0)) * of_raters).sum(1)
    means = sums[counts > 0] / counts[counts > 0]
    return [float(bound) for bound in np.percentile(means, (2.5, 97.5))]


def _preference(answers: Sequence[Answer], key: Mapping[str, Any]) -> dict[str, Any]:
    votes = [key["trials"][answer.trial].get(answer.preferred, "none") for answer in answers]
    found = {}
    for choice in (*key["systems"], "none"):
        count = votes.count(choice)
        found[choice] = {"share": count / len(votes), "ci": list(wilson_interval(count, len(votes))), "votes": count}
    return found


def alpha(marks: NDArray[np.float64]) -> float | None:
    """Krippendorff's alpha for interval data of [units, raters] with NaN for gaps; None where nothing can be compared.

    1 - D_o / D_e with the squared difference for a metric; only units with two marks or more count.
    """
    units = [row[~np.isnan(row)] for row in marks]
    units = [row for row in units if len(row) > 1]
    if not units:
        return None
    every = np.concatenate(units)
    # the squared differences of all ordered pairs of m values add up to 2 m^2 times their variance
    observed = sum(2 * len(row) ** 2 * row.var() / (len(row) - 1) for row in units) / len(every)
    expected = 2 * len(every) * every.var() / (len(every) - 1)
    return float(1 - observed / expected) if expected > 0 else None


def told(found: Mapping[str, Any]) -> list[str]:
    """The answers as lines for a terminal."""
    lines = [f"{counted(len(found['raters']), 'rater')}, {counted(found['ratings'], 'rated pair')}"]
    if found["ratings"]:
        lines += ["", *_table(found)]
    lines += ["", f"left out ({len(found['refused'])})"] if found["refused"] else []
    return lines + [f"  {one['file']}: {one['reason']}" for one in found["refused"]]


def _table(found: Mapping[str, Any]) -> list[str]:
    """Systems as columns; then their difference and the raters' agreement."""
    systems = found["systems"]
    rows = [["", *systems, "difference", "agreement"]]
    for scale in SCALES:
        marks = [_spanned(found["mos"][system][scale]) for system in systems]
        agreed = found["agreement"][scale]
        rows.append([scale, *marks, _spanned(found["difference"][scale]), "" if agreed is None else f"{agreed:.2f}"])
    votes = [_shared(found["preference"][choice]) for choice in (*systems, "none")]
    rows.append(["preferred", *votes[:2], f"{votes[2]} neither", ""])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _spanned(entry: Mapping[str, Any]) -> str:
    span = entry["ci"]
    return f"{entry['value']:.2f}" + ("" if span is None else f" ({span[0]:.2f}..{span[1]:.2f})")


def _shared(entry: Mapping[str, Any]) -> str:
    low, high = entry["ci"]
    return f"{100 * entry['share']:.0f} % ({100 * low:.0f}..{100 * high:.0f})"
