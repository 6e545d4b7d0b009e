"""Stores as training asks for them: one, or several joined by weight.

In a configuration `store` is a folder. Several are a list or, so that each can be overridden by name, a mapping, as `store` or as `stores`:

    store: [data/mead, data/hdtf]
    stores: [{path: data/mead, weight: 0.5}, {path: data/hdtf, weight: 0.5}]
    stores: {mead: {path: data/mead, weight: 0.5}, hdtf: {path: data/hdtf, weight: 0.5}}

A clip of several stores is named after its store and itself, mead:W015/001. D is the width of the motion.
"""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from instructavatar.data.header import Header
from instructavatar.data.record import Record
from instructavatar.data.store import FeatureStore, NotInStore
from instructavatar.errors import BadBundle, BadOption

# What a model reads must come from the same encoders; a codec's latents from the same codec.
SAME_EXTRACTORS = ("speech", "text", "latents")
VALIDATION_SPLITS = ("valid", "validation", "val")
ByStore = dict[str, dict[str, int]]
"""Frames of clips by their ids, by the names of their stores."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Entry:
    """One of several stores."""

    name: str
    source: Any  # a `FeatureStore`
    weight: float | None = None
    """Share of the clips drawn, in any unit; in proportion to the hours of training clips where no store has one."""


def source_of(store: Any = None, stores: Any = None) -> Any:
    """What `store` or `stores` of a configuration says, opened: one store as it is, several joined.

    Args:
        store: a folder or an open source; or what `stores` takes.
        stores: a list of folders, or of {path, weight, name} where all but the path may be missing; or a mapping of names to either.
    """
    if (store is None) == (stores is None):
        raise BadOption(f"expected either store or stores, got {'neither' if store is None else 'both'}")
    given = store if stores is None else stores
    if isinstance(given, Mapping) and "path" in given:
        given = [given]
    elif isinstance(given, Mapping):
        given = [{"name": name, **(entry if isinstance(entry, Mapping) else {"path": entry})} for name, entry in given.items()]
    elif isinstance(given, str | Path) or not isinstance(given, Sequence):
        return _open(given)
    entries = [_entry(entry if isinstance(entry, Mapping) else {"path": entry}) for entry in given]
    return entries[0].source if len(entries) == 1 else JoinedStores(entries)


def _entry(given: Mapping[str, Any]) -> Entry:
    unknown = set(given) - {"path", "weight", "name"}
    if unknown or given.get("path") is None:
        raise BadOption(f"expected a store as path, and perhaps weight and name, got {', '.join(map(str, given)) or 'nothing'}")
    source, weight = _open(given["path"]), given.get("weight")
    name = str(given.get("name") or Path(source.path).resolve().name)
    if weight is not None and not (isinstance(weight, int | float) and math.isfinite(weight) and weight >= 0):
        raise BadOption(f"expected the weight of the store {name} to be a number of at least 0, got {weight!r}")
    return Entry(name, source, weight)


def _open(store: Any) -> Any:
    if isinstance(store, str | Path):
        return FeatureStore.open(store)
    if not hasattr(store, "header"):
        raise BadOption(f"expected the folder of a store, got {store!r}")
    return store


class JoinedStores:
    """Several stores as one. Stores whose features do not belong together are refused.

    Args:
        entries: the stores; all with a weight, or none.
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = {entry.name: entry for entry in entries}
        _check_names([entry.name for entry in entries])
        for entry in entries[1:]:
            _check_same(entries[0], entry)
        self.shares = self._shares()

    def _shares(self) -> dict[str, float]:
        """Share of each store in the clips drawn; they sum to 1."""
        weights = {name: entry.weight for name, entry in self.entries.items()}
        without = [name for name, weight in weights.items() if weight is None]
        if without and len(without) < len(weights):
            raise BadOption(f"expected a weight for every store or for none, got none for {', '.join(without)}")
        frames = {name: float(sum(_lengths(entry.source, "train").values())) for name, entry in self.entries.items()}
        found = frames if without else {name: float(weight or 0) for name, weight in weights.items()}
        if not sum(found.values()):
            raise BadOption(f"expected a store to draw training clips from, got none among {', '.join(found)}; check splits and weights")
        empty = [name for name, share in found.items() if share and not frames[name]]
        if empty:
            raise BadBundle(f"expected training clips in the store {empty[0]}, got none; give it the weight 0 to take none")
        return {name: share / sum(found.values()) for name, share in found.items()}

    @cached_property
    def header(self) -> Header:
        """What all say together: one hash over all, statistics of the mixture."""
        headers = {name: entry.source.header for name, entry in self.entries.items()}
        splits = dict.fromkeys(split for header in headers.values() for split in header.splits)
        mean, std = _pooled([(self.shares[name], header.motion_mean, header.motion_std) for name, header in headers.items()])
        first, *_ = headers.values()
        return Header(
            corpus_hash=hashlib.sha256("\n".join(header.corpus_hash for header in headers.values()).encode()).hexdigest(),
            extractors=_joined_extractors([header.extractors for header in headers.values()]),
            splits={split: list(self.lengths(split)) for split in splits},
            lengths={_named(name, key): frames for name, header in headers.items() for key, frames in header.lengths.items()},
            motion_mean=mean,
            motion_std=std,
            clips=sum(header.clips for header in headers.values()),
            sentences=sum(header.sentences for header in headers.values()),
            seconds=sum(header.seconds for header in headers.values()),
            skipped=sum(header.skipped for header in headers.values()),
            speech_dim=first.speech_dim,
            text_dim=first.text_dim,
            complete=True,
            about="; ".join(header.about for header in headers.values() if header.about),
        )

    def lengths(self, split: str) -> dict[str, int]:
        """Frames of each clip of a split, of all stores that have it."""
        return together(self.lengths_by_store(split))

    def lengths_by_store(self, split: str) -> ByStore:
        """The same for each store; nothing of one that has no such split."""
        found = {name: _lengths(entry.source, split) for name, entry in self.entries.items()}
        return {name: {_named(name, key): frames for key, frames in lengths.items()} for name, lengths in found.items()}

    def heads(self, split: str) -> Iterator[tuple[str, Record]]:
        """As `FeatureStore.heads`; a speaker is named after the store too, for names come again."""
        for name, entry in self.entries.items():
            if split in entry.source.header.splits:
                for key, head in entry.source.heads(split):
                    yield _named(name, key), {**head, "speaker": head["speaker"] and _named(name, head["speaker"])}

    def __getitem__(self, key: str) -> Record:
        source, own = self._found(key)
        return source[own]

    def read(self, key: str, arrays: Container[str]) -> Record:
        """As `FeatureStore.read`."""
        source, own = self._found(key)
        return source.read(own, arrays)

    def text(self, sentence: str) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
        """Token states and their mean of a sentence, from the first store that has it."""
        for entry in self.entries.values():
            try:
                return entry.source.text(sentence)
            except NotInStore:
                continue
        raise NotInStore(f"expected sentence {sentence!r} in one of the stores {', '.join(self.entries)}, found none; prepare them again")

    def _found(self, key: str) -> tuple[Any, str]:
        """The store of a clip, and the clip's id there."""
        name, _, own = key.partition(":")
        if name not in self.entries:
            raise NotInStore(f"expected a clip as STORE:CLIP with one of the stores {', '.join(self.entries)}, got {key}")
        return self.entries[name].source, own


def lengths_by_store(source: Any, split: str) -> ByStore:
    """Frames of each clip of a split, store by store, nothing where a store has no such split; a single store has no name."""
    if isinstance(source, JoinedStores):
        return source.lengths_by_store(split)
    return {"": _lengths(source, split)}


def long_enough(lengths: ByStore, least: int) -> ByStore:
    """Without the clips of fewer frames."""
    return {name: {key: frames for key, frames in some.items() if frames >= least} for name, some in lengths.items()}


def training_lengths(source: Any, least: int) -> ByStore:
    """Frames of each training clip that has at least so many; a store of which nothing is left is refused."""
    found = lengths_by_store(source, "train")
    kept = long_enough(found, least)
    for name, some in found.items():
        if some and not kept[name]:
            told = f"expected training clips of at least {least} frames in {f'the store {name}' if name else 'the store'}"
            raise BadBundle(f"{told}, the longest has {max(some.values())}; choose a smaller minimum or another store")
    left_out = len(together(found)) - len(together(kept))
    if left_out:
        log.info("%d training clips of fewer than %d frames are left out", left_out, least)
    return kept


def judged_lengths(source: Any, train: ByStore, least: int) -> ByStore:
    """Frames of each clip that judges a run: of every store its validation split, or else what it trains on."""
    splits = [long_enough(lengths_by_store(source, split), least) for split in VALIDATION_SPLITS]
    return {name: next((found[name] for found in splits if found[name]), own) for name, own in train.items()}


def clip_weights(source: Any, lengths: ByStore) -> dict[str, float]:
    """The share of each clip: its store's, evenly over the store's clips."""
    shares = source.shares if isinstance(source, JoinedStores) else {"": 1.0}
    return {key: shares[name] / len(some) for name, some in lengths.items() for key in some}


def together(lengths: ByStore) -> dict[str, int]:
    """The clips of all stores."""
    return {key: frames for some in lengths.values() for key, frames in some.items()}


def _lengths(source: Any, split: str) -> dict[str, int]:
    return source.lengths(split) if split in source.header.splits else {}


def _named(store: str, key: str) -> str:
    return f"{store}:{key}"


def _check_names(names: Sequence[str]) -> None:
    if not names:
        raise BadOption("expected at least one store, got none")
    twice = [name for name in names if names.count(name) > 1 or ":" in name]
    if twice:
        raise BadOption(f"expected stores of different names without a colon, got {', '.join(twice)}; name them: {{path: ..., name: ...}}")


def _check_same(one: Entry, other: Entry) -> None:
    """Refuse two stores whose features cannot train one model."""
    before, after = _features(one.source.header), _features(other.source.header)
    for what in before:
        if None not in (before[what], after[what]) and before[what] != after[what]:
            raise BadBundle(
                f"expected the stores {one.name} and {other.name} to have the same {what}, got {before[what]} and {after[what]}; "
                "prepare one of them again, or leave it out"
            )


def _features(header: Header) -> dict[str, Any]:
    """What must be the same in two stores, by the words for it; None agrees with anything."""
    widths = {"motion width": len(header.motion_mean), "speech width": header.speech_dim, "text width": header.text_dim}
    versions = {f"{what} version": header.extractors.get(what, "none") for what in SAME_EXTRACTORS}
    # motion that a corpus performs is measured by nobody
    measured = header.extractors.get("motion") if "landmarks" in header.extractors else None
    return {**widths, **versions, "motion version": measured}


def _joined_extractors(each: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Versions by feature; where they may differ, all of them."""
    names = dict.fromkeys(name for extractors in each for name in extractors)
    return {name: " + ".join(dict.fromkeys(one[name] for one in each if name in one)) for name in names}


def _pooled(each: Sequence[tuple[float, Sequence[float], Sequence[float]]]) -> tuple[list[float], list[float]]:
    """Mean and deviation [D] of a mixture of shares, means and deviations: var = sum p (std^2 + mean^2) - (sum p mean)^2."""
    shares = np.array([share for share, _, _ in each])[:, None]
    means, deviations = (np.array([row[i] for row in each], np.float64) for i in (1, 2))
    mean = (shares * means).sum(0)
    # the same, without the difference of two large numbers
    variance = (shares * (deviations**2 + (means - mean) ** 2)).sum(0)
    return mean.tolist(), np.sqrt(variance).tolist()
