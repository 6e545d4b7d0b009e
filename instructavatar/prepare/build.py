"""Corpus -> features -> store, over several processes; stopped at any moment, the same call goes on.

Three stages: speech features of every distinct sound (where the corpus knows its sounds), the clips, the table of sentences. Speech
features (by the sound's hash) and token states are also kept in a cache folder beside the store, so a changed corpus costs little more
than its motion.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from instructavatar import config as configuration
from instructavatar.data.header import VERSION, Header
from instructavatar.data.store import FeatureStore
from instructavatar.data.writer import StoreWriter
from instructavatar.errors import InstructAvatarError
from instructavatar.face.motion import FRAME_RATE_HZ
from instructavatar.face.script import Script, swap_sides
from instructavatar.features.text import TextEncoder
from instructavatar.pool import Pool, open_pool
from instructavatar.prepare.corpora.base import ClipRecord, Corpus, FilmedCorpus, PerformedCorpus, Progress
from instructavatar.prepare.makers import Maker, MeasuredClips, PerformedClips, short

_CODED = re.compile(r"[a-z_]+:")  # a reason that begins with its code, as the quality gates give it
_SENTENCES_AT_ONCE = 256  # long enough lists hold many sentences of the same length


@dataclass
class BuildReport:
    """What a build did; `str` is what the command line prints."""

    store: Path
    clips: int = 0
    seconds: float = 0.0
    sentences: int = 0
    skipped: dict[str, str] = field(default_factory=dict)  # clip id -> reason
    left_out: dict[str, str] = field(default_factory=dict)  # file that is no clip of the corpus -> reason
    unknown_phones: dict[str, int] = field(default_factory=dict)  # phone -> how often

    def __str__(self) -> str:
        lines = [
            f"{self.store}: {self.clips} clips, {self.seconds / 3600:.2f} h, {self.sentences} sentences, {len(self.skipped)} clips skipped"
        ]
        if self.unknown_phones:
            named = ", ".join(f"{phone} ({count})" for phone, count in self.unknown_phones.items())
            lines.append(f"  {sum(self.unknown_phones.values())} phones are unknown and drawn half open: {named}")
        lines += _reasons("skipped", self.skipped) + _reasons("not taken", self.left_out)
        return "\n".join(lines + ([f"  each with its reason: {self.list}"] if self.skipped or self.left_out else []))

    @property
    def list(self) -> Path:
        """The JSONL file that names everything that is not in the store."""
        return self.store.with_name(self.store.name + ".skipped.jsonl")


def _reasons(verb: str, named: Mapping[str, str]) -> list[str]:
    """A line for each reason, the commonest first, with a few names."""
    reasons: dict[str, list[str]] = {}
    for name, reason in named.items():
        reasons.setdefault(reason.partition(":")[0] if _CODED.match(reason) else reason, []).append(name)
    most_first = sorted(reasons.items(), key=lambda one: -len(one[1]))
    return [f"  {verb} {len(names)}: {reason} ({_some(names)})" for reason, names in most_first]


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def build(
    corpus: Corpus,
    store: Path | str,
    workers: int = 2,
    cache: Path | str | None = None,
    progress: Progress | None = None,
    measurer: Any = None,
    ray: str | None = None,
    text: Any = None,
) -> BuildReport:
    """Make the store of a corpus, or go on with one.

    A finished store tries its skipped clips again; one that holds a codec's latents is left as it is.

    Args:
        corpus: where the clips come from.
        store: folder of the store.
        workers: processes; 1 works in this one.
        cache: folder that keeps speech and text features for the next build (default: STORE.cache).
        progress: called with (stage, done, total).
        measurer: measures the clips of a `FilmedCorpus`; its default otherwise.
        ray: address of a Ray cluster that takes the place of the processes.
        text: reads the sentences; the package's own `TextEncoder` otherwise. Another has its `version`, `encode_many` and `pool`.
    """
    store, text = Path(store), text or _text_encoder()
    tell = progress or (lambda stage, done, total: None)
    cache = Path(cache) if cache is not None else store.with_name(store.name + ".cache")
    maker = maker_of(corpus, cache, measurer)
    records = list(corpus.records())
    versions = {**maker.versions(), "text": text.version}
    if more := _with_more(store, corpus.content_hash(), versions):
        return more
    with StoreWriter(store, Header.started(corpus.content_hash(), versions, about=corpus.name)) as writer, open_pool(workers, ray) as pool:
        if writer.header.complete:
            writer.forget_skipped()
        left_out = writer.skipped()
        waiting = [record for record in records if record.id not in writer and record.id not in left_out]
        _add_clips(maker, _heard(maker, waiting, pool, writer, tell), pool, writer, tell)
        _add_sentences(cache, [record.id for record in records if record.id in writer], pool, writer, tell, text)
        header = writer.finish(splits_of(records))
        report = BuildReport(store, header.clips, header.seconds, header.sentences, writer.skipped())
    if isinstance(corpus, PerformedCorpus):
        report.unknown_phones = corpus.unknown_phones()
    if isinstance(corpus, FilmedCorpus):
        report.left_out = corpus.left_out()
    _list_skipped(report)
    return report


def _with_more(store: Path, corpus_hash: str, versions: Mapping[str, str]) -> BuildReport | None:
    """Of a finished store of this corpus to which a codec's latents were added since: nothing is left to do, and they shall stay."""
    try:
        finished = FeatureStore.open(store)
    except InstructAvatarError:
        return None  # the writer goes on with it, or says what is wrong
    header = finished.header
    same = header.corpus_hash == corpus_hash and all(header.extractors.get(name) == version for name, version in versions.items())
    if not same or len(header.extractors) == len(versions):
        return None
    return BuildReport(store, header.clips, header.seconds, header.sentences, finished.skipped())


def prepare_from_config(
    config: Any, output: Path | str, workers: int = 2, ray: str | None = None, progress: Progress | None = None
) -> BuildReport:
    """Build the store that a configuration of configs/corpora/ describes: {corpus, measure, text: each target + params}.

    `workers`, `ray` and `progress` as for `build`.
    """
    corpus = configuration.build(config.corpus, progress=progress)
    measurer = configuration.build(config.measure) if config.get("measure") else None
    text = configuration.build(config.text) if config.get("text") else None
    return build(corpus, output, workers, progress=progress, measurer=measurer, ray=ray, text=text)


def maker_of(corpus: Corpus, cache: Path, measurer: Any = None) -> Maker:
    """What makes this corpus's records."""
    if isinstance(corpus, FilmedCorpus):
        if measurer is None:
            from instructavatar.prepare.measured import Measurer

            measurer = Measurer()
        return MeasuredClips(corpus, measurer)
    assert isinstance(corpus, PerformedCorpus), f"expected a performed or filmed corpus, got {type(corpus).__name__}"
    return PerformedClips(corpus, cache)


def splits_of(records: Iterable[ClipRecord]) -> dict[str, list[str]]:
    """Clip ids by split, in the corpus's order."""
    splits: dict[str, list[str]] = {"train": [], "valid": []}
    for record in records:
        splits.setdefault(record.split, []).append(record.id)
    return splits


def sentences_of(scripts: Iterable[str], seconds: float) -> list[str]:
    """Every distinct sentence of a clip's scripts, and its mirror image (left and right exchanged), which training asks for."""
    found: dict[str, None] = {}
    for text in scripts:
        for segment in Script.parse(text, seconds).segments:
            found[segment.text] = None
            found[swap_sides(segment.text)] = None
    return list(found)


def _heard(maker: Maker, records: list[ClipRecord], pool: Pool, writer: StoreWriter, tell: Progress) -> list[ClipRecord]:
    """Measure the sounds that are not in the cache; gives the clips without those whose sound cannot be, which are skipped."""
    missing, deaf = maker.unheard(records), {}
    for done, (record, reason) in enumerate(pool.map(maker.hear, missing, 4), 1):
        if reason:
            deaf[record.audio] = reason
        tell("speech", done, len(missing))
    for record in records:
        if record.audio in deaf:
            writer.skip(record.id, deaf[record.audio])
    return [record for record in records if record.audio not in deaf]


def _add_clips(maker: Maker, records: list[ClipRecord], pool: Pool, writer: StoreWriter, tell: Progress) -> None:
    chunk = 1 if isinstance(maker, MeasuredClips) else 16
    for done, (record, made) in enumerate(pool.map(maker.make, records, chunk), 1):
        if isinstance(made, str):
            writer.skip(record.id, made)
        else:
            writer.add(record.id, made)
        tell("clips", done, len(records))


def add_sentences(cache: Path, sentences: Iterable[str], pool: Pool, writer: StoreWriter, tell: Progress, text: Any = None) -> None:
    """Fill the table of sentences, by way of a table in the cache that outlives the store."""
    wanted = [sentence for sentence in dict.fromkeys(sentences) if not writer.has_text(sentence)]
    text = text or _text_encoder()
    version = text.version
    with StoreWriter(cache / f"text-{short(version)}-{VERSION}", Header.started("sentences", {"text": version})) as kept:
        missing = [sentence for sentence in wanted if not kept.has_text(sentence)]
        parts = [missing[i : i + _SENTENCES_AT_ONCE] for i in range(0, len(missing), _SENTENCES_AT_ONCE)]
        for done, (part, found) in enumerate(pool.map(text.encode_many, parts, 1), 1):
            for sentence, states in zip(part, found, strict=True):
                kept.add_text(sentence, states.astype(np.float16), text.pool(states).astype(np.float16))
            tell("sentences", min(done * _SENTENCES_AT_ONCE, len(missing)), len(missing))
        kept.flush()
        for sentence in wanted:
            writer.add_text(sentence, *kept.text(sentence))


def _add_sentences(cache: Path, clips: Iterable[str], pool: Pool, writer: StoreWriter, tell: Progress, text: Any) -> None:
    writer.flush()
    sentences: dict[str, None] = {}
    for clip in clips:
        values = writer.values(clip)
        sentences |= dict.fromkeys(sentences_of(values["instruction"], values["latent_length"] / FRAME_RATE_HZ))
    add_sentences(cache, sentences, pool, writer, tell, text)


@lru_cache(maxsize=1)
def _text_encoder() -> TextEncoder:
    return TextEncoder.load(threads=1)


def _list_skipped(report: BuildReport) -> None:
    """Name everything that is not in the store in a JSONL file beside it; nothing, no file."""
    lines = [{"clip": name, "reason": reason} for name, reason in report.skipped.items()]
    lines += [{"file": name, "reason": reason} for name, reason in report.left_out.items()]
    if lines:
        part = report.list.with_name(report.list.name + ".part")
        part.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
        os.replace(part, report.list)
    else:
        report.list.unlink(missing_ok=True)
