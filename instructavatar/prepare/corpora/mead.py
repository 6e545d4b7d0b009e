"""MEAD: actors talk with eight emotions at three strengths, filmed from seven sides.

Source: https://wywu.github.io/projects/MEAD/MEAD.html (Wang et al., ECCV 2020), on the owners' terms; docs/datasets.md has them. Each
person is a folder with video.tar and audio.tar, or with what they unpack to. A tar stays as it is: the clip that is measured is unpacked
to a folder beside the corpus.

Test clips, as published: the paper holds out five persons (M003, M007, M019, W018, W038; `SpeakerSplits(test_speakers=...)`), and its code
also leaves clip 001 of everybody out of training (`test_clips: {"*": [1]}`). MEAD's owners hold out the last sentences of everybody
(`test_clips: {neutral: [31, ..., 40], "*": [25, ..., 30]}`).
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from instructavatar.errors import BadMedia, BadOption, CannotWrite
from instructavatar.face.emotions import BASIC
from instructavatar.media.files import written_beside
from instructavatar.prepare.corpora.base import ClipRecord, Progress
from instructavatar.prepare.corpora.video import LeftOut, VideoCorpus, Writer, emotion_of, files_below, nearest, safe_id
from instructavatar.prepare.splits import SpeakerSplits

VIEWS = ("down", "front", "left_30", "left_60", "right_30", "right_60", "top")
_PERSON = re.compile(r"[MW]\d{3}")
_LEVEL = re.compile(r"level_([1-3])")
_TAR = re.compile(r"(.+\.tar)/(.+)")
_BLOCK = 1 << 20


class _Take(NamedTuple):
    """What names a clip among a person's."""

    emotion: str
    level: int
    clip: str


class Mead(VideoCorpus):
    """The clips of the chosen views.

    Args:
        root: folder of the persons.
        views: of `VIEWS`. Clips of other views than front have the view at the end of their ids.
        test_clips: numbers of clips that go to test, by emotion; "*" stands for every emotion that is not named.
        unpack_to: where clips from tars are put (default: ROOT.unpacked, beside the root).
        splits: who goes to train, valid and test.
        instructions: writes the wordings.
        progress: as for every corpus.
    """

    name = "mead"
    tree = """  ROOT/
    M003/
      video/front/angry/level_1/001.mp4    or video.tar, as it comes
      audio/angry/level_1/001.m4a          or audio.tar
    W009/ ..."""

    def __init__(
        self,
        root: Path | str,
        views: Sequence[str] = ("front",),
        test_clips: Mapping[str, Collection[int]] | None = None,
        unpack_to: Path | str | None = None,
        splits: SpeakerSplits | None = None,
        instructions: Writer | None = None,
        progress: Progress | None = None,
    ) -> None:
        super().__init__(root, splits, instructions, progress)
        self.views = _checked_views(views)
        self.test_clips = _checked_clips(test_clips or {})
        self.unpack_to = Path(unpack_to).absolute() if unpack_to else self.root.with_name(self.root.name + ".unpacked")

    def found(self) -> Iterator[ClipRecord | LeftOut]:
        """Person by person."""
        for folder in sorted(self.root.iterdir()):
            if _PERSON.fullmatch(folder.name) and folder.is_dir():
                yield from self._person(folder.name)

    def _person(self, person: str) -> Iterator[ClipRecord | LeftOut]:
        sounds: dict[_Take, str] = {}
        for path in self._files(person, "audio", (".m4a", ".wav", ".aac", ".mp3")):
            take = _take(path)
            if take is not None:
                sounds[take] = path
        for path in self._files(person, "video", (".mp4",)):
            parts = PurePosixPath(path).parts
            take, view = _take(path), parts[-4] if len(parts) > 4 else ""
            if take is None or view not in VIEWS:
                yield LeftOut(path, "its path is not VIEW/EMOTION/level_N/CLIP.mp4")
            elif view in self.views:
                yield self._clip(person, view, take, path, sounds.get(take, ""))

    def _clip(self, person: str, view: str, take: _Take, video: str, audio: str) -> ClipRecord:
        name = f"{person}_{take.emotion}_level_{take.level}_{take.clip}"
        return ClipRecord(
            id=safe_id(name if view == "front" else f"{name}_{view}"),
            split="test" if self._held_out(take) else self.splits.of(person),
            audio=audio,
            speaker=person,
            emotion=take.emotion,
            intensity=0 if take.emotion == "neutral" else take.level,
            video=video,
            extra={"view": view},
        )

    def _held_out(self, take: _Take) -> bool:
        numbers = self.test_clips.get(take.emotion, self.test_clips.get("*", frozenset()))
        return take.clip.isdecimal() and int(take.clip) in numbers

    def _files(self, person: str, kind: str, suffixes: tuple[str, ...]) -> Iterator[str]:
        """Paths of a person's videos or sounds: of the folder if there is one, else of the tar."""
        folder = self.root / person / kind
        if folder.is_dir():
            yield from (f"{person}/{kind}/{path}" for path in files_below(folder, suffixes))
        elif (tar := folder.with_suffix(".tar")).is_file():
            yield from (f"{person}/{kind}.tar/{name}" for name in sorted(_members_of(tar)) if name.lower().endswith(suffixes))

    def file(self, relative: str) -> Path:
        """The file itself, or the copy that was unpacked of a tar."""
        inside = _TAR.fullmatch(relative)
        if not inside:
            return super().file(relative)
        target = self.unpack_to / relative
        if not target.is_file():
            _unpack(self.root / inside[1], inside[2], target)
        return target

    def size(self, relative: str) -> int:
        """Bytes of a file, in a tar or not."""
        inside = _TAR.fullmatch(relative)
        return _members_of(self.root / inside[1])[inside[2]][1] if inside else super().size(relative)


def _take(path: str) -> _Take | None:
    """Emotion, level and number by the last three parts of a path; None if they are not such."""
    *_, emotion, level, name = ("", "", *PurePosixPath(path).parts)
    number = _LEVEL.fullmatch(level)
    try:
        named = emotion_of(emotion)
    except BadOption:
        return None
    return _Take(named, int(number[1]), PurePosixPath(name).stem) if number and named in BASIC else None


def _members_of(tar: Path) -> dict[str, tuple[int, int]]:
    about = tar.stat()
    return _members(tar, about.st_size, about.st_mtime_ns)


@lru_cache(maxsize=4)  # clips come person by person
def _members(tar: Path, size: int, changed_ns: int) -> dict[str, tuple[int, int]]:
    """Files of a tar: name -> where its bytes begin, and how many they are. A tar that is cut off or names places outside is refused.

    `size` and `changed_ns` are the tar's own, so that another tar in its place is read anew.
    """
    members: dict[str, tuple[int, int]] = {}
    end = 0
    try:
        with tarfile.open(tar, "r:") as archive:
            for member in archive:
                end = archive.offset  # where the next member begins
                if member.isreg() and not PurePosixPath(member.name).name.startswith("."):
                    members[_inside(tar, member.name)] = (member.offset_data, member.size)
    except (tarfile.TarError, EOFError) as error:
        raise BadMedia(f"expected a whole, uncompressed tar, got one that cannot be read: '{tar}' ({error}); fetch it again") from error
    with tar.open("rb") as file:
        file.seek(end)
        if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):  # tarfile takes a cut between two members for the end
            raise BadMedia(f"expected a whole tar, got one that breaks off after {size} bytes: '{tar}'; fetch it again")
    return members


def _inside(tar: Path, name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise BadMedia(f"expected a tar whose files stay in their folder, got '{name}' in '{tar}'; fetch it from the owners")
    return path.as_posix()


def _unpack(tar: Path, name: str, target: Path) -> None:
    """Copy one file out of a tar; it is there whole or not at all."""
    begin, length = _members_of(tar)[name]
    try:
        with tar.open("rb") as archive, written_beside(target) as part, part.open("wb") as file:
            archive.seek(begin)
            while length:
                block = archive.read(min(length, _BLOCK))
                if not block:
                    raise BadMedia(f"expected {length} more bytes of '{name}' in '{tar}', got its end; fetch it again")
                length -= len(block)
                file.write(block)
    except CannotWrite as error:
        raise CannotWrite(f"{error}; unpack_to of the configuration names another folder") from error


def _checked_views(views: Sequence[str]) -> tuple[str, ...]:
    if isinstance(views, str) or not views:
        raise BadOption(f"expected a list of views ({', '.join(VIEWS)}), got {views!r}")
    for view in views:
        if view not in VIEWS:
            raise BadOption(f"expected views of {', '.join(VIEWS)}, got '{view}'{nearest(str(view), VIEWS)}")
    return tuple(views)


def _checked_clips(given: Mapping[str, Collection[int]]) -> dict[str, frozenset[int]]:
    for emotion in given:
        if emotion != "*" and emotion not in BASIC:
            raise BadOption(f"expected test_clips by emotion ({', '.join(BASIC)} or '*'), got '{emotion}'{nearest(str(emotion), BASIC)}")
    return {emotion: frozenset(int(number) for number in numbers) for emotion, numbers in given.items()}
