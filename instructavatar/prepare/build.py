"""Corpus -> features -> store, over several processes; stopped at any moment, the same call goes on.

Three stages: speech features of every distinct sound, the clips, the table of sentences. Speech features (by the sound's hash) and token
states are also kept in a cache folder beside the store, so a changed corpus costs little more than its motion.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from instructavatar import config as configuration
from instructavatar.data.store import Header, StoreWriter
from instructavatar.errors import BadMedia, InstructAvatarError
from instructavatar.face.motion import ROTATION, SPEECH_PER_FRAME, frames_of
from instructavatar.face.script import Script, swap_sides
from instructavatar.features.speech import SPEECH_DIM, SpeechEncoder
from instructavatar.features.text import TextEncoder
from instructavatar.prepare.corpora.base import ClipRecord, Corpus, Progress

Item = TypeVar("Item")
Result = TypeVar("Result")
_SENTENCES_AT_ONCE = 256  # long enough lists hold many sentences of the same length


@dataclass
class BuildReport:
    """What a build did; `str` is what the command line prints."""

    store: Path
    clips: int = 0
    seconds: float = 0.0
    sentences: int = 0
    skipped: dict[str, str] = field(default_factory=dict)  # clip id -> reason
    unknown_phones: dict[str, int] = field(default_factory=dict)  # phone -> how often

    def __str__(self) -> str:
        lines = [
            f"{self.store}: {self.clips} clips, {self.seconds / 3600:.2f} h, {self.sentences} sentences, {len(self.skipped)} clips skipped"
        ]
        if self.unknown_phones:
            named = ", ".join(f"{phone} ({count})" for phone, count in self.unknown_phones.items())
            lines.append(f"  {sum(self.unknown_phones.values())} phones are unknown and drawn half open: {named}")
        return "\n".join(lines + [f"  skipped {name}: {reason}" for name, reason in self.skipped.items()])


def build(
    corpus: Corpus, store: Path | str, workers: int = 2, cache: Path | str | None = None, progress: Progress | None = None
) -> BuildReport:
    """Make the store of a corpus, or go on with one.

    Args:
        corpus: where the clips come from.
        store: folder of the store.
        workers: processes; 1 works in this one.
        cache: folder that keeps speech and text features for the next build (default: STORE.cache).
        progress: called with (stage, done, total).
    """
    store = Path(store)
    report = BuildReport(store, unknown_phones=corpus.unknown_phones())
    maker = ClipMaker(corpus, Path(cache) if cache is not None else store.with_name(store.name + ".cache"))
    records = list(corpus.records())
    tell = progress or (lambda stage, done, total: None)
    with StoreWriter(store, Header.started(corpus.content_hash(), extractors(corpus), about=corpus.name)) as writer, _Pool(workers) as pool:
        waiting = [record for record in records if record.id not in writer]
        deaf = _measure_sounds(maker, waiting, pool, tell)
        report.skipped = {record.id: deaf[record.audio] for record in waiting if record.audio in deaf}
        _add_clips(maker, [record for record in waiting if record.id not in report.skipped], pool, writer, report, tell)
        _add_sentences(maker, [record for record in records if record.id in writer], pool, writer, tell)
        header = writer.finish(splits_of(records))
    report.clips, report.seconds, report.sentences = header.clips, header.seconds, header.sentences
    _list_skipped(report)
    return report


def prepare_from_config(config: Any, output: Path | str, workers: int = 2, progress: Progress | None = None) -> BuildReport:
    """Build the store that a configuration of configs/corpora/ describes: {corpus: {target, params}}; `progress` as for `build`."""
    corpus = configuration.build(config.corpus, progress=progress)
    return build(corpus, output, workers, progress=progress)


def extractors(corpus: Corpus) -> dict[str, str]:
    """What measures the store's fields, by version."""
    return {"speech": _speech_encoder().version, "text": _text_encoder().version, "motion": f"{corpus.name}/{corpus.motion_version()}"}


def splits_of(records: Iterable[ClipRecord]) -> dict[str, list[str]]:
    """Clip ids by split, in the corpus's order."""
    splits: dict[str, list[str]] = {"train": [], "valid": []}
    for record in records:
        splits.setdefault(record.split, []).append(record.id)
    return splits


def sentences_of(records: Iterable[ClipRecord]) -> list[str]:
    """Every distinct sentence of the clips' scripts, and its mirror image (left and right exchanged), which training asks for."""
    found: dict[str, None] = {}
    for record in records:
        for text in record.instructions:
            for segment in Script.parse(text, record.seconds).segments:
                found[segment.text] = None
                found[swap_sides(segment.text)] = None
    return list(found)


@dataclass(frozen=True)
class ClipMaker:
    """Turns a clip of the corpus into the record of the store; works in any process."""

    corpus: Corpus
    cache: Path

    def speech_file(self, record: ClipRecord) -> Path:
        """Where the features of the clip's sound are kept: by the encoder's version and the sound's hash."""
        return self.cache / f"speech-{_short(_speech_encoder().version)}" / f"{self.corpus.sound_hash(record)}.npy"

    def hear(self, record: ClipRecord) -> str:
        """Measure the clip's sound if it was not yet; "" or the reason why it cannot be."""
        path = self.speech_file(record)
        if path.exists():
            return ""
        try:
            features = _speech_encoder().encode(self.corpus.sound(record))
        except InstructAvatarError as error:
            return str(error)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.part")
        with part.open("wb") as file:
            np.save(file, features.astype(np.float16), allow_pickle=False)
        os.replace(part, path)
        return ""

    def make(self, record: ClipRecord) -> dict[str, Any] | str:
        """The clip as the store wants it, or the reason why it cannot be."""
        try:
            return self._made(record)
        except InstructAvatarError as error:
            return str(error)

    def _made(self, record: ClipRecord) -> dict[str, Any]:
        for text in record.instructions:
            Script.parse(text, record.seconds)  # a malformed one is told here, by its clip
        motion = self.corpus.motion(record).values
        frames, speech = frames_of(record.seconds), np.zeros((0, SPEECH_DIM), np.float16)
        if record.audio:
            speech = np.load(self.speech_file(record), allow_pickle=False)
        if len(motion) != frames or len(speech) not in (0, SPEECH_PER_FRAME * frames):
            have = f"motion for {len(motion)}, speech for {len(speech) / SPEECH_PER_FRAME:g}"
            raise BadMedia(f"expected {frames} frames ({record.seconds} s) of everything, got {have}; mend the corpus's times")
        return {
            "motion_latent": motion,
            "audio_feat": speech,
            "latent_length": frames,
            "filename": record.audio or record.id,
            "pose": np.ascontiguousarray(motion[:, ROTATION]),
            "instruction": list(record.instructions),
            "inst_flag": bool(record.instructions),
            "audio_flag": bool(record.audio),
            "action_units": list(record.action_units),
            "appear_latent": np.zeros(0, np.float32),
            "ldmk": np.zeros(0, np.float32),
        }


@lru_cache(maxsize=1)
def _speech_encoder() -> SpeechEncoder:
    return SpeechEncoder.load(threads=1)


@lru_cache(maxsize=1)
def _text_encoder() -> TextEncoder:
    return TextEncoder.load(threads=1)


def _read_sentences(sentences: list[str]) -> list[NDArray[np.float32]]:
    return _text_encoder().encode_many(sentences)


class _Pool:
    """Several processes, or none; `map` keeps the order."""

    def __init__(self, workers: int) -> None:
        # spawned, not forked: ONNX Runtime's threads and LMDB's environment must not be copied
        context = multiprocessing.get_context("spawn")
        self.executor = ProcessPoolExecutor(workers, mp_context=context) if workers > 1 else None

    def __enter__(self) -> _Pool:
        return self

    def __exit__(self, *_: object) -> None:
        if self.executor:
            self.executor.shutdown(cancel_futures=True)

    def map(self, work: Callable[[Item], Result], items: list[Item], chunk: int) -> Iterator[tuple[Item, Result]]:
        """Each item with its result, in order."""
        if self.executor is None or len(items) < 2:
            yield from ((item, work(item)) for item in items)
            return
        yield from zip(items, self.executor.map(work, items, chunksize=chunk), strict=True)


def _measure_sounds(maker: ClipMaker, records: list[ClipRecord], pool: _Pool, tell: Progress) -> dict[str, str]:
    """Fill the cache; gives the sounds that could not be measured with the reason."""
    distinct = {record.audio: record for record in records if record.audio}
    missing = [record for record in distinct.values() if not maker.speech_file(record).exists()]
    deaf = {}
    for done, (record, reason) in enumerate(pool.map(maker.hear, missing, 4), 1):
        if reason:
            deaf[record.audio] = reason
        tell("speech", done, len(missing))
    return deaf


def _add_clips(maker: ClipMaker, records: list[ClipRecord], pool: _Pool, writer: StoreWriter, report: BuildReport, tell: Progress) -> None:
    for done, (record, made) in enumerate(pool.map(maker.make, records, 16), 1):
        if isinstance(made, str):
            report.skipped[record.id] = made
        else:
            writer.add(record.id, made)
        tell("clips", done, len(records))


def _add_sentences(maker: ClipMaker, records: list[ClipRecord], pool: _Pool, writer: StoreWriter, tell: Progress) -> None:
    """Fill the table of sentences, by way of a table in the cache that outlives the store."""
    wanted = [sentence for sentence in sentences_of(records) if not writer.has_text(sentence)]
    version = _text_encoder().version
    with StoreWriter(maker.cache / f"text-{_short(version)}", Header.started("sentences", {"text": version})) as kept:
        missing = [sentence for sentence in wanted if not kept.has_text(sentence)]
        parts = [missing[i : i + _SENTENCES_AT_ONCE] for i in range(0, len(missing), _SENTENCES_AT_ONCE)]
        for done, (part, found) in enumerate(pool.map(_read_sentences, parts, 1), 1):
            for sentence, states in zip(part, found, strict=True):
                kept.add_text(sentence, states.astype(np.float16), states.mean(0).astype(np.float16))
            tell("sentences", min(done * _SENTENCES_AT_ONCE, len(missing)), len(missing))
        kept.flush()
        for sentence in wanted:
            writer.add_text(sentence, *kept.text(sentence))


def _short(version: str) -> str:
    return hashlib.sha256(version.encode()).hexdigest()[:12]


def _list_skipped(report: BuildReport) -> None:
    """Name every skipped clip in a JSONL file beside the store; none, no file."""
    path = report.store.with_name(report.store.name + ".skipped.jsonl")
    lines = [json.dumps({"clip": name, "reason": reason}, ensure_ascii=False) + "\n" for name, reason in report.skipped.items()]
    if lines:
        path.write_text("".join(lines), encoding="utf-8")
    else:
        path.unlink(missing_ok=True)
