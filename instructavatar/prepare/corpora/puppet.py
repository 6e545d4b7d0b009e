"""Puppet: the synthetic corpus that trains the default model. Source and licence: made here, Apache-2.0; voices as prepare/voices.py says.

A pack is what is shipped: a folder of

    takes.jsonl     what the voices said: text, phone times, how each take was recorded (prepare.voices.Take)
    clips.jsonl     what the puppet does: id, seed, split, take ("" for a silent clip), score
    voices.zip      the takes as Ogg/Opus
    recipe.json     what it was made from; missing in packs that were not made by a recipe

(the two lists may be gzipped). Motion is performed from score, phones and seed where the store is made, so the pack stays small. A voice
take serves about two clips with different scores, always in the same split.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import BadBundle, BadOption, MissingFile
from instructavatar.face.motion import FRAME_RATE_HZ, SAMPLE_RATE_HZ, FaceMotion, frames_of
from instructavatar.face.visemes import unknown_phones
from instructavatar.prepare import voices
from instructavatar.prepare.acoustics import read_opus
from instructavatar.prepare.acting.score import Score
from instructavatar.prepare.corpora.base import ClipRecord, PerformedCorpus, Progress
from instructavatar.prepare.instructions import compose
from instructavatar.prepare.performance import perform
from instructavatar.prepare.voices import Take

TAKES, CLIPS, SOUNDS, RECIPE = "takes.jsonl", "clips.jsonl", "voices.zip", "recipe.json"
VERSION = "puppet-1"
WORDINGS = 4
SILENT_SECONDS = (2.4, 7.2)
_VALID_SHARE = 25  # one clip in so many is for validation


@dataclass(frozen=True)
class PuppetClip:
    """A line of clips.jsonl."""

    id: str
    seed: int
    split: str
    take: str
    score: str  # the score's own JSON

    def to_json(self) -> str:
        """The line."""
        return json.dumps({**asdict(self), "score": json.loads(self.score)}, ensure_ascii=False)

    @staticmethod
    def from_json(line: str) -> PuppetClip:
        """The clip of a line."""
        values = json.loads(line)
        return PuppetClip(**{**values, "score": json.dumps(values["score"], ensure_ascii=False)})


class Puppet(PerformedCorpus):
    """The clips of a pack.

    Args:
        pack: folder of the pack.
        recipe: how to make the pack if it is not there: keyword arguments of `make_pack`; None if it must be there.
        wordings: at most so many scripts per clip.
        progress: called with (stage, done, total) while the pack is made.

    Raises:
        BadOption: the pack was made by another recipe.
    """

    name = "puppet"

    def __init__(
        self, pack: Path | str, recipe: Mapping[str, Any] | None = None, wordings: int = WORDINGS, progress: Progress | None = None
    ) -> None:
        self.pack = Path(pack)
        self.wordings = wordings
        if recipe is not None:
            _follow(self.pack, recipe, progress)
        if not _listed(self.pack, CLIPS):
            raise MissingFile(f"expected a puppet pack (a folder with {CLIPS}) at {self.pack}, found none; give its recipe to have it made")
        self.takes = {take.id: take for take in map(Take.from_json, _lines(self.pack, TAKES))}
        self.clips = [PuppetClip.from_json(line) for line in _lines(self.pack, CLIPS)]

    def records(self) -> Iterator[ClipRecord]:
        """All clips; their scripts are drawn with the clip's seed."""
        for clip in self.clips:
            score = Score.from_json(clip.score)
            take = self.takes[clip.take] if clip.take else None
            yield ClipRecord(
                id=clip.id,
                seconds=score.seconds,
                split=clip.split,
                instructions=tuple(score.scripts(np.random.default_rng([clip.seed, 1]), self.wordings)),
                action_units=score.action_units,
                audio=take.file if take else "",
                speaker=take.voice if take else "",
                extra={"seed": clip.seed, "take": clip.take, "score": json.loads(clip.score)},
            )

    def content_hash(self) -> str:
        """Of both lists; the takes' list holds the hashes of the sounds."""
        digest = hashlib.sha256(f"{VERSION} {self.wordings}".encode())
        for name in (TAKES, CLIPS):
            for line in _lines(self.pack, name):
                digest.update(line.encode())
        return digest.hexdigest()

    def sound(self, record: ClipRecord) -> NDArray[np.float32]:
        """The clip's take, decoded."""
        with zipfile.ZipFile(self.pack / SOUNDS) as sounds:
            try:
                data = sounds.read(record.audio)
            except KeyError as error:
                raise BadBundle(f"expected {record.audio} in {SOUNDS}, found none; make the pack again") from error
        return read_opus(data, round(record.seconds * SAMPLE_RATE_HZ))

    def sound_hash(self, record: ClipRecord) -> str:
        """As listed."""
        return self.takes[record.extra["take"]].sha256

    def motion(self, record: ClipRecord) -> FaceMotion:
        """The performance of the clip's score."""
        take = self.takes.get(record.extra["take"])
        score = Score.from_json(json.dumps(record.extra["score"]))
        return perform(score, take.phones if take and take.spoken else (), np.random.default_rng([record.extra["seed"], 2]))

    def motion_version(self) -> str:
        """Of how scores are performed."""
        return VERSION

    def unknown_phones(self) -> dict[str, int]:
        """Of the takes."""
        return dict(sum((unknown_phones(take.phones) for take in self.takes.values()), Counter()))


def _follow(pack: Path, recipe: Mapping[str, Any], progress: Progress | None) -> None:
    """Make the pack by its recipe if it is not there; one that is there by another recipe is refused."""
    wanted = _checked(recipe)
    if not _listed(pack, CLIPS):
        make_pack(pack, **wanted, voices_folder=recipe.get("voices_folder"), progress=progress)
    elif (pack / RECIPE).is_file():
        made = json.loads((pack / RECIPE).read_text(encoding="utf-8"))
        differing = [f"{name} {made.get(name)}, not {value}" for name, value in wanted.items() if made.get(name, 0.0) != value]
        if differing:
            raise BadOption(f"{pack} was made by another recipe ({'; '.join(differing)}); delete {pack} or name another pack")


def _checked(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """What decides the content of a pack, with the defaults filled in."""
    given = {name: value for name, value in recipe.items() if name != "voices_folder"}
    unknown, lacking = sorted(set(given) - {"silent", "takes", "uses", "seed", "simple"}), sorted({"silent", "takes"} - set(given))
    if unknown or lacking:
        raise BadOption(f"expected a recipe of silent, takes, uses, seed and simple; unknown: {unknown}, missing: {lacking}")
    return {"uses": 2, "seed": 0, "simple": 0.0, **given, "takes": dict(given["takes"])}


def make_pack(
    out: Path | str,
    silent: int,
    takes: dict[str, int],
    uses: int = 2,
    seed: int = 0,
    simple: float = 0.0,
    voices_folder: str | None = None,
    progress: Progress | None = None,
) -> None:
    """Record the voices and write the scores of a new pack.

    Args:
        out: folder of the pack.
        silent: how many clips without sound.
        takes: voice -> how many takes of it (see prepare.voices; "room" is sound without speech).
        uses: how many clips share a take.
        seed: decides everything but the noise in joe's voice.
        simple: share of clips that do one main act and nothing else (`instructions.compose`).
        voices_folder: where takes are recorded, and found again (default: OUT.voices).
        progress: called with ("recording" or "composing", done, total).
    """
    out = Path(out)
    folder = Path(voices_folder) if voices_folder else out.with_name(out.name + ".voices")
    tell = progress or (lambda stage, done, total: None)
    recorded: list[Take] = []
    for voice, count in takes.items():
        for take in voices.make_takes(folder, voice, count, seed):
            recorded.append(take)
            tell("recording", len(recorded), sum(takes.values()))
    clips = compose_clips(recorded, silent, uses, seed, progress, simple)
    out.mkdir(parents=True, exist_ok=True)
    recipe = {"silent": silent, "takes": takes, "uses": uses, "seed": seed, "simple": simple}
    (out / RECIPE).write_text(json.dumps(recipe, indent=1) + "\n", encoding="utf-8")
    write_pack(out, recorded, folder, clips)


def compose_clips(
    takes: list[Take], silent: int, uses: int, seed: int, progress: Progress | None = None, simple: float = 0.0
) -> list[PuppetClip]:
    """Clips with sound, `uses` for each take, and silent ones; `simple` as for `make_pack`."""
    if silent < 0 or uses < 1 or not 0 <= simple <= 1:
        raise BadOption(f"expected silent >= 0, uses >= 1 and simple within 0..1, got {silent}, {uses} and {simple}")
    heard = [(f"{take.id}-{use}", take.id, take.seconds, take.spoken) for use in range(uses) for take in takes]
    rng = np.random.default_rng([seed, 0])
    lengths = frames_of(1.0) * rng.uniform(*SILENT_SECONDS, silent)
    quiet = [(f"silent-{number:05d}", "", round(length) / FRAME_RATE_HZ, False) for number, length in enumerate(lengths)]
    clips: list[PuppetClip] = []
    for clip in heard + quiet:
        clips.append(_composed(seed, simple, *clip))
        if progress:
            progress("composing", len(clips), len(heard) + len(quiet))
    return clips


def _composed(seed: int, simple: float, name: str, take: str, seconds: float, talking: bool) -> PuppetClip:
    number = int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:4], "big")
    score = compose(np.random.default_rng([number, 0]), seconds, talking, simple)
    return PuppetClip(name, number, split_of(take or name), take, score.to_json())


def split_of(source: str) -> str:
    """The split, train or valid, by the name of what must not be in both."""
    return "valid" if int.from_bytes(hashlib.sha256(source.encode()).digest()[:4], "big") % _VALID_SHARE == 0 else "train"


def write_pack(out: Path | str, takes: Iterable[Take], folder: Path, clips: Iterable[PuppetClip], gzipped: bool = True) -> None:
    """Write a pack; the same content gives the same bytes."""
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    takes = list(takes)
    with zipfile.ZipFile(out / SOUNDS, "w", zipfile.ZIP_STORED) as sounds:
        for take in takes:
            # a fixed date, so that packing again changes nothing
            sounds.writestr(zipfile.ZipInfo(take.file, (2000, 1, 1, 0, 0, 0)), (folder / take.file).read_bytes())
    _write_lines(out, TAKES, (take.to_json() for take in takes), gzipped)
    _write_lines(out, CLIPS, (clip.to_json() for clip in clips), gzipped)


def _write_lines(out: Path, name: str, lines: Iterable[str], gzipped: bool) -> None:
    data = "".join(line + "\n" for line in lines).encode()
    (out / (name + ".gz" if gzipped else name)).write_bytes(gzip.compress(data, mtime=0) if gzipped else data)


def _listed(pack: Path, name: str) -> Path | None:
    return next((path for path in (pack / name, pack / (name + ".gz")) if path.is_file()), None)


def _lines(pack: Path, name: str) -> list[str]:
    path = _listed(pack, name)
    if path is None:
        raise MissingFile(f"expected {name} or {name}.gz in the pack {pack}, found none; make the pack again")
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode().splitlines()
