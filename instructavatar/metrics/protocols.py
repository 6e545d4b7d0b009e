"""The published test sets as configurations: which clips, which portraits, which prompts.

    in domain       28 clips that are not neutral of each of MEAD's five held-out persons: 140; the portrait is the clip's own first frame
    out of domain   120 identities of TalkingHead-1KH, each with the sound and the prompt of some MEAD clip that is not neutral

The published lists are neither seeded nor released, so these draw their own, equal for an equal seed. A plan is two files: jobs.jsonl for
`instructavatar generate --list`, and pairs.jsonl for `instructavatar evaluate`. What to know before comparing: the action units in the
prompt are the real clip's own, and in domain the portrait shows the emotion already (`portrait: neutral` takes another clip's).
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from instructavatar import config
from instructavatar.errors import BadBundle, BadOption, MissingFile
from instructavatar.media.files import written_beside
from instructavatar.media.video import frames_at
from instructavatar.metrics.cache import Cache
from instructavatar.metrics.store_clips import StoreClip

ASKS = ("both", "emotion", "units")
PORTRAITS = ("own", "neutral")
_NEUTRAL = "neutral"
_MEAD_VIDEO = re.compile(r"(?P<person>.+?)/video(?:\.tar)?/(?:video/)?[^/]+/(?P<take>[^/]+/[^/]+/[^/]+)\.[^./]+")
_SOUNDS = (".m4a", ".wav", ".aac", ".mp3")


@dataclass(frozen=True)
class Filmed:
    """A clip of a corpus, by what its store says."""

    corpus: Corpus = field(compare=False, repr=False)
    key: str
    filename: str
    """Of the video, below the corpus's root."""
    speaker: str
    emotion: str
    intensity: int
    units: tuple[str, ...]

    @property
    def video(self) -> Path:
        """The video itself."""
        return self.corpus.file(self.filename)

    @property
    def sound(self) -> Path:
        """MEAD's own sound file, else the video."""
        found = (self.corpus.find(beside + ending) for beside in _beside(self.filename) for ending in _SOUNDS)
        return next((path for path in found if path), None) or self.video

    def first_frame(self) -> NDArray[np.uint8]:
        """[H, W, 3] RGB: of the video, or of the face crops where the corpus's root is not told."""
        kept = StoreClip(self.corpus.store, self.key, Cache(None)).frames
        picture = next(kept() if self.corpus.root is None else frames_at(self.video), None)
        if picture is None:
            raise BadBundle(f"expected a picture in clip {self.key}, got none; prepare the corpus again")
        return picture


class Corpus:
    """A store and the files it was made of.

    Args:
        store: folder of the store.
        root: the corpus's folder; None: only what the store holds.
    """

    def __init__(self, store: str | Path, root: str | Path | None) -> None:
        from instructavatar.data.store import FeatureStore

        self.store, self.root = FeatureStore.open(Path(store)), Path(root) if root is not None else None
        if self.root is not None and not self.root.is_dir():
            raise MissingFile(f"expected the corpus of the store {self.store.path.name} at {self.root}, found no folder")

    @cached_property
    def clips(self) -> list[Filmed]:
        """All, by key."""
        heads = ((key, record) for split in self.store.header.splits for key, record in self.store.heads(split))
        return sorted((self._filmed(key, record) for key, record in heads), key=lambda clip: clip.key)

    def emotional(self, speakers: Sequence[str] | None, with_units: bool) -> list[Filmed]:
        """Those that are not neutral, of some speakers or of all, and where units are asked for, with such."""
        wanted = (clip for clip in self.clips if clip.emotion not in ("", _NEUTRAL) and (clip.units or not with_units))
        return [clip for clip in wanted if speakers is None or clip.speaker in speakers]

    def find(self, relative: str) -> Path | None:
        """A file below the root, or where `prepare` unpacked it from a tar."""
        if self.root is None:
            return None
        places = (self.root / relative, self.root.with_name(f"{self.root.name}.unpacked") / relative)
        return next((place for place in places if place.is_file()), None)

    def file(self, relative: str) -> Path:
        """As `find`; a missing one is an error."""
        found = self.find(relative)
        if found is None:
            raise MissingFile(
                f"expected {relative} of the store {self.store.path.name} below {self.root}, found none; name the corpus's root"
            )
        return found

    def _filmed(self, key: str, record: dict[str, Any]) -> Filmed:
        texts = (record["filename"], record["speaker"], record["emotion"], record["intensity"])
        return Filmed(self, key, *texts, tuple(record["action_units"]))


@dataclass(frozen=True)
class Item:
    """One video to make."""

    name: str
    said: Filmed
    """Whose sound, emotion and action units."""
    shown: Filmed
    """Whose first frame is the portrait."""
    own: bool
    """Whether the clip that is said is also the truth."""


class Protocol(ABC):
    """A test set.

    Args:
        asks: what the prompt names, of `ASKS`.
        seed: of the draw.
    """

    def __init__(self, asks: str, seed: int) -> None:
        if asks not in ASKS:
            raise BadOption(f"expected asks to be one of {', '.join(ASKS)}, got {asks!r}")
        self.asks, self.seed = asks, seed

    @abstractmethod
    def items(self) -> list[Item]:
        """All of it, in order; equal for an equal seed and store.

        Raises:
            BadOption: the corpus has too few clips.
        """

    def draw(self, name: str, clips: Sequence[Any], count: int) -> list[Any]:
        """So many of the clips without replacement, in their order; what is drawn under one name does not depend on others."""
        rng = np.random.default_rng([self.seed, *name.encode()])
        return [clips[place] for place in sorted(rng.permutation(len(clips))[:count])]


class InDomain(Protocol):
    """Persons held out of training, each clip driven by its own sound and made from its own first frame.

    Args:
        store: of MEAD, or of any corpus with emotions.
        root: the corpus's folder.
        speakers: the persons.
        clips_per_speaker: drawn of each.
        portrait: "own", as published, or "neutral": the first neutral clip of the same person.
        asks, seed: as for every protocol.
    """

    def __init__(
        self,
        store: str,
        root: str,
        speakers: Sequence[str],
        clips_per_speaker: int = 28,
        portrait: str = "own",
        asks: str = "both",
        seed: int = 0,
    ) -> None:
        super().__init__(asks, seed)
        if portrait not in PORTRAITS:
            raise BadOption(f"expected portrait to be one of {', '.join(PORTRAITS)}, got {portrait!r}")
        self.corpus = Corpus(store, root)
        self.speakers, self.clips_per_speaker, self.portrait = tuple(speakers), clips_per_speaker, portrait

    def items(self) -> list[Item]:
        """Person by person."""
        return [item for speaker in self.speakers for item in self._of(speaker)]

    def _of(self, speaker: str) -> Iterator[Item]:
        clips = self.corpus.emotional([speaker], self.asks == "units")
        if len(clips) < self.clips_per_speaker:
            enough = "lower clips_per_speaker, change speakers or prepare more of the corpus"
            raise BadOption(
                f"expected {self.clips_per_speaker} clips of {speaker} that are not neutral, the store has {len(clips)}; {enough}"
            )
        for clip in self.draw(speaker, clips, self.clips_per_speaker):
            yield Item(clip.key, clip, clip if self.portrait == "own" else self._neutral(speaker), own=True)

    def _neutral(self, speaker: str) -> Filmed:
        found = next((clip for clip in self.corpus.clips if clip.speaker == speaker and clip.emotion == _NEUTRAL), None)
        if found is None:
            raise BadOption(f"expected a neutral clip of {speaker} in the store, found none; set portrait to own")
        return found


class OutOfDomain(Protocol):
    """Strangers' portraits, each with some clip's sound and prompt. There is no truth, so only what needs none is scored.

    Args:
        portraits: store of the portraits; one clip of each speaker stands for the identity.
        portraits_root: their corpus's folder; None: the face crops in the store.
        voices: store of MEAD, or of any corpus with emotions.
        voices_root: its folder.
        identities: drawn.
        speakers: whose voices are used; None: everybody's, as published.
        asks, seed: as for every protocol.
    """

    def __init__(
        self,
        portraits: str,
        voices: str,
        voices_root: str,
        portraits_root: str | None = None,
        identities: int = 120,
        speakers: Sequence[str] | None = None,
        asks: str = "both",
        seed: int = 0,
    ) -> None:
        super().__init__(asks, seed)
        self.faces, self.voices = Corpus(portraits, portraits_root), Corpus(voices, voices_root)
        self.identities, self.speakers = identities, tuple(speakers) if speakers is not None else None

    def items(self) -> list[Item]:
        """Identity by identity."""
        voices = self.voices.emotional(self.speakers, self.asks == "units")
        known = sorted({clip.speaker for clip in self.faces.clips})
        if len(known) < self.identities or not voices:
            got = f"{len(known)} and {len(voices)}; lower identities or prepare more of the corpora"
            raise BadOption(f"expected {self.identities} identities and clips that are not neutral, the stores have {got}")
        return [self._with(identity, voices) for identity in self.draw("identities", known, self.identities)]

    def _with(self, identity: str, voices: Sequence[Filmed]) -> Item:
        (shown,) = self.draw(f"face {identity}", [clip for clip in self.faces.clips if clip.speaker == identity], 1)
        (said,) = self.draw(f"voice {identity}", voices, 1)
        return Item(f"{shown.key}--{said.key}", said, shown, own=False)


@dataclass(frozen=True)
class Plan:
    """What `plan` wrote."""

    jobs: Path
    """For `generate --list`."""
    pairs: Path
    """For `evaluate`."""
    count: int


def plan(paths: str | Path | Iterable[str | Path], out: Path, overrides: Iterable[str] = ()) -> Plan:
    """Write out/jobs.jsonl, out/pairs.jsonl and out/portraits/ for the protocol of a configuration; videos will be in out/videos/.

    Raises:
        MissingFile: a store, or a file of its corpus.
        BadOption: the configuration names no protocol, or its corpus has too few clips.
        CannotWrite: the folder cannot be written.
    """
    protocol = config.build(config.load(paths, overrides)).get("protocol")
    if not isinstance(protocol, Protocol):
        raise BadOption("expected a configuration with a protocol, such as configs/metrics/mead_in_domain.yaml, got another")
    out, items = out.resolve(), protocol.items()
    lines = [_planned(item, protocol.asks, out) for item in items]
    names = ("jobs.jsonl", "pairs.jsonl")
    for name, rows in zip(names, zip(*lines, strict=True), strict=True):
        with written_beside(out / name) as part:
            part.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return Plan(out / names[0], out / names[1], len(items))


def prompt(asks: str, emotion: str, units: Sequence[str]) -> str:
    """The published wording; a clip without action units is asked for its emotion alone.

    >>> prompt("both", "happy", ["lip_corner_puller", "jaw_drop"])
    'please talk with happy emotion and following action units: lip_corner_puller, jaw_drop'
    >>> prompt("units", "happy", ["jaw_drop"])
    'please talk with following action units: jaw_drop'
    """
    told = [f"{emotion} emotion"] if asks != "units" or not units else []
    told += [f"following action units: {', '.join(units)}"] if asks != "emotion" and units else []
    return f"please talk with {' and '.join(told)}"


def _planned(item: Item, asks: str, out: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The lines of both files; the portrait is written."""
    said, portrait, video = item.said, out / "portraits" / f"{item.name}.png", out / "videos" / f"{item.name}.mp4"
    with written_beside(portrait) as part:
        part.write_bytes(cv2.imencode(".png", item.shown.first_frame()[..., ::-1])[1].tobytes())
    text, sound = prompt(asks, said.emotion, said.units), str(said.sound.resolve())
    job = {"portrait": str(portrait), "audio": sound, "instruction": text, "output": str(video)}
    pair = {"name": item.name, "generated": f"videos/{video.name}", "portrait": f"portraits/{portrait.name}", "audio": sound}
    truth = {"reference": str(said.video.resolve())} if item.own else {}
    labels = {"instruction": text, "emotion": said.emotion, "intensity": said.intensity, "action_units": list(said.units)}
    return job, {**pair, **truth, **labels}


def _beside(video: str) -> Iterator[str]:
    """Where MEAD keeps the sound of a video, in folders or unpacked from tars, without its ending; nothing for other trees.

    >>> next(_beside("M003/video/front/sad/level_1/002.mp4"))
    'M003/audio/sad/level_1/002'
    """
    found = _MEAD_VIDEO.fullmatch(video)
    if found:
        for place in ("audio", "audio.tar", "audio.tar/audio"):
            yield f"{found['person']}/{place}/{found['take']}"
