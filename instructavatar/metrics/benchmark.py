"""The loop over clips and metrics: every pair in every row, in several processes, remembered so that a stopped run goes on.

Rows tell how much a number means:

    system          the generated clip
    ground_truth    the real clip in its place
    oracle          the real clip's motion drawn by the codec on the portrait: what a perfect generator would reach
    still           the portrait, held
    shuffled_audio  the generated clip judged by another pair's sound and real clip
    shuffled_text   the generated clip judged by another pair's instruction
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from instructavatar.codecs.base import Codec
from instructavatar.errors import BadOption, InstructAvatarError, MissingFile
from instructavatar.media.audio import read_audio
from instructavatar.media.video import read_video
from instructavatar.metrics.base import Metric, NotScored, Scores
from instructavatar.metrics.cache import Cache, digest, file_digest
from instructavatar.metrics.case import Case
from instructavatar.metrics.clips import Clip, DrawnClip, VideoClip, first_frame, portrait_clip
from instructavatar.metrics.pairs import Pair, read_phones
from instructavatar.metrics.store_clips import real_clip
from instructavatar.pool import open_pool

ROWS = ("system", "ground_truth", "oracle", "still", "shuffled_audio", "shuffled_text")
Progress = Callable[[str, int, int], None]


@dataclass
class Outcome:
    """What came of one pair; plain, for it travels between processes."""

    name: str
    scores: dict[str, dict[str, Scores]] = field(default_factory=dict)
    """Row -> metric -> what it says."""
    failed: list[dict[str, str]] = field(default_factory=list)
    """{row, metric, reason}; without a metric, the row as a whole."""
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Job:
    """A pair, with those whose sound and instruction stand in when they are shuffled."""

    pair: Pair
    other_sound: Pair | None
    other_text: Pair | None


class Benchmark:
    """Judges pairs by metrics.

    Args:
        metrics: by name.
        codec: draws the oracle; None: the warp codec.
        seed: shuffles and the bootstrap.
        resamples: draws of the bootstrap.
    """

    def __init__(self, metrics: Mapping[str, Metric], codec: Codec | None = None, seed: int = 0, resamples: int = 1000) -> None:
        """Checks the names; loads nothing."""
        if not metrics:
            raise BadOption("expected at least one metric, got none; see configs/metrics/")
        self.metrics, self.codec, self.seed, self.resamples = dict(metrics), codec, seed, resamples
        names = [value for metric in self.metrics.values() for value in metric.values]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise BadOption(f"expected every number once, got {twice[0]} from two metrics")

    def runnable(self) -> tuple[dict[str, Metric], dict[str, str]]:
        """The metrics that can run, and what the others lack."""
        able, lacking = {}, {}
        for name, metric in self.metrics.items():
            try:
                metric.check()
                able[name] = metric
            except MissingFile as error:
                lacking[name] = str(error)
        return able, lacking

    def run(self, pairs: Sequence[Pair], cache: Cache, workers: int = 1, progress: Progress | None = None) -> list[Outcome]:
        """The outcome of every pair, in order."""
        able, _ = self.runnable()
        judge = Judge(able, self.codec, cache)
        outcomes = []
        with open_pool(workers) as pool:
            for _, outcome in pool.map(judge.judge, list(jobs(pairs, self.seed)), 1):
                outcomes.append(outcome)
                if progress:
                    progress("judging", len(outcomes), len(pairs))
        return outcomes


def jobs(pairs: Sequence[Pair], seed: int) -> Iterator[Job]:
    """Each pair with another pair's sound and another's instruction, drawn so that nobody keeps their own.

    Those that say the same are no strangers: equal sound files, equal instructions.
    """
    rng = np.random.default_rng(seed)
    order = [int(place) for place in rng.permutation(len(pairs))]
    there = [_readable(pair) for pair in pairs]
    heard = [readable and _speaks(pair) for readable, pair in zip(there, pairs, strict=True)]
    place_of = {index: place for place, index in enumerate(order)}

    def stranger(index: int, may: Sequence[bool], differs: Callable[[Pair, Pair], bool]) -> Pair | None:
        later = (order[(place_of[index] + step) % len(order)] for step in range(1, len(order)))
        return next((pairs[other] for other in later if may[other] and differs(pairs[index], pairs[other])), None)

    for index, pair in enumerate(pairs):
        yield Job(pair, stranger(index, heard, _heard_differently), stranger(index, there, _asked_differently))


def _readable(pair: Pair) -> bool:
    """Whether its videos open at all: a broken pair must not cost another one its shuffled rows."""
    for path in (pair.generated, pair.reference):
        try:
            if path is not None and "#" not in path.name:
                read_video(path)
        except InstructAvatarError:
            return False
    return True


def _speaks(pair: Pair) -> bool:
    """Whether it brings a sound, or a real clip, to another one; a store's clips do."""
    return bool(pair.audio or pair.reference) or read_video(pair.generated).has_audio


def _heard_differently(one: Pair, other: Pair) -> bool:
    mine, yours = one.audio or one.reference or one.generated, other.audio or other.reference or other.generated
    return mine != yours


def _asked_differently(one: Pair, other: Pair) -> bool:
    """Another kind of request, not the same in other words."""
    mine, yours = one.asked, other.asked
    if not (mine.anything and yours.anything):
        return False
    for name in ("kind", "emotion", "action_units"):
        if getattr(mine, name) and getattr(yours, name):
            return bool(getattr(mine, name) != getattr(yours, name))
    return mine.instruction != yours.instruction


class Judge:
    """Judges one job at a time in a process of its own."""

    def __init__(self, metrics: Mapping[str, Metric], codec: Codec | None, cache: Cache) -> None:
        self.metrics, self.codec, self.cache = dict(metrics), codec, cache

    def judge(self, job: Job) -> Outcome:
        """Every row of a pair; what fails is told in the outcome."""
        outcome = Outcome(job.pair.name)
        try:
            case = self._case(job.pair)
        except InstructAvatarError as error:
            outcome.failed.append({"row": "system", "metric": "", "reason": str(error)})
            return outcome
        lost = False  # then what would be made of the generated clip is lost too, and is told once
        for row, made in self._rows(job, case):
            if lost and row not in ("ground_truth", "oracle"):
                continue
            try:
                judged = made()
                judged.clip.take  # noqa: B018 - a clip without a face fails here, once for all metrics
            except InstructAvatarError as error:
                outcome.failed.append({"row": row, "metric": "", "reason": str(error)})
                lost = lost or row == "system"
                continue
            self._score(outcome, row, judged)
        with suppress(InstructAvatarError):
            outcome.notes += case.clip.notes
            if case.truth is not None and len(case.truth) != len(case.clip):
                outcome.notes.append(f"{len(case.clip)} frames, the reference {len(case.truth)}; compared over what both have")
        return outcome

    def _rows(self, job: Job, case: Case) -> Iterator[tuple[str, Callable[[], Case]]]:
        yield "system", lambda: case
        if case.truth is not None:
            truth = case.truth
            yield "ground_truth", lambda: replace(case, clip=truth)
            yield "oracle", lambda: replace(case, clip=self._oracle(case, truth))
        yield "still", lambda: replace(case, clip=case.portrait.held(len(case.clip)))
        if job.other_sound is not None:
            other = job.other_sound
            yield "shuffled_audio", lambda: self._spoken_over(case, other)
        if job.other_text is not None:
            asked = job.other_text
            yield "shuffled_text", lambda: self._told_otherwise(case, asked)

    def _score(self, outcome: Outcome, row: str, case: Case) -> None:
        for name, metric in self.metrics.items():
            if (row == "shuffled_audio" and not metric.hears) or (row == "shuffled_text" and not metric.reads):
                continue
            try:
                outcome.scores.setdefault(row, {})[name] = self._remembered(metric, case)
            except (NotScored, InstructAvatarError) as error:
                outcome.failed.append({"row": row, "metric": name, "reason": str(error)})
            except Exception as error:  # a metric's own fault must not cost the other clips; it is told, never passed over
                reason = f"unexpected {type(error).__name__}: {error}"
                outcome.failed.append({"row": row, "metric": name, "reason": reason})

    def _remembered(self, metric: Metric, case: Case) -> Scores:
        beside = [clip.key if clip else "" for clip in (case.clip, case.truth, case.baseline, case.portrait)]
        key = digest(metric.identity(), beside, case.sound_key, vars(case.asked), case.phones)
        entry = self.cache.load("scores", key)
        if entry is None:
            entry = metric.score(case)
            self.cache.save("scores", key, entry)
        return entry

    def _case(self, pair: Pair) -> Case:
        clip = VideoClip(pair.generated, self.cache)
        truth = self._truth(pair)
        shown = truth if truth is not None and truth.pictured else clip
        portrait = portrait_clip(pair.portrait, self.cache) if pair.portrait else first_frame(shown)
        baseline = VideoClip(pair.baseline, self.cache) if pair.baseline else None
        return self._spoken(Case(pair.name, clip, portrait, pair.asked, baseline=baseline), pair, truth)

    def _truth(self, pair: Pair) -> Clip | None:
        return real_clip(pair.reference, self.cache) if pair.reference else None

    def _spoken(self, case: Case, pair: Pair, truth: Clip | None) -> Case:
        """The case with a pair's sound, real clip and phones."""
        phones = tuple(read_phones(pair.phones)) if pair.phones else ()
        if pair.audio is not None:
            return replace(case, truth=truth, sound=read_audio(pair.audio), sound_key=file_digest(pair.audio), phones=phones)
        heard = truth if truth is not None and truth.sound is not None else VideoClip(pair.generated, self.cache)
        return replace(case, truth=truth, sound=heard.sound, sound_key=heard.key, phones=phones)

    def _oracle(self, case: Case, truth: Clip) -> Clip:
        return DrawnClip(case.portrait, truth, self.codec or warp_codec(), type(self.codec).__name__ if self.codec else "warp")

    def _spoken_over(self, case: Case, other: Pair) -> Case:
        """The same clip with another pair's sound, real clip and phones."""
        return self._spoken(case, other, self._truth(other))

    def _told_otherwise(self, case: Case, other: Pair) -> Case:
        """The same clip with another pair's instruction and real clip, which shows what that instruction means."""
        return replace(case, asked=other.asked, truth=self._truth(other))


@lru_cache(maxsize=1)
def warp_codec() -> Codec:
    """The codec that ships, once for each process."""
    from instructavatar.codecs.warp import WarpCodec

    return WarpCodec.load()
