"""Casual Conversations (version 1): people make faces as an operator tells them to.

Source: https://ai.meta.com/datasets/casual-conversations-dataset/ (Hazirbas et al., 2021), on request and on Meta's terms;
docs/datasets.md has them. The published recipe cut the takes into segments, one for each thing the operator said, and lists what was said:

    {"CC_part_1_1_1140_07_0_0": "natural.  smile."}

in the order part_subject_take_segment_piece. Here each segment is a video file with such a name. Nobody in the picture speaks, so clips
are silent: zeros of equal length stand in for the operator's voice.

What was said is a transcript: "%" for a word nobody understood, "you=" for one broken off, "um", "okay perfect", and now and then talk
about something else. `instruction_of` keeps the sentences that ask for something a face can do, in their order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from instructavatar.errors import BadMedia, MissingFile
from instructavatar.prepare.corpora.base import ClipRecord, Progress
from instructavatar.prepare.corpora.video import LeftOut, VideoCorpus, Writer, files_below
from instructavatar.prepare.splits import SpeakerSplits

_KEY = re.compile(r"CC_part_(?P<part>\d+_\d+)_(?P<subject>\d+)_(?P<take>\d+)_(?P<segment>\d+)_(?P<piece>\d+)")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SENTENCE = re.compile(r"[^.?!]+[.?!]?")
_BROKEN_OFF = re.compile(r"\S*=")
_ODD = re.compile(r"[^\w\s,.?!'\-]")
_HUMS = re.compile(r"\b(?:uh[- ]huh|mm[- ]hmm|u+h+|u+m+|a+h+|e+h+|o+h+|m+h*m+|h+m+|huh)\b,?", re.IGNORECASE)
_STUTTER = re.compile(r"\b(a|an|the|to|in|it|is|i|your|you|and)(?: \1\b)+", re.IGNORECASE)
# What an operator says around an instruction, and what joins it to the sentence before.
_AROUND = (
    r"okay|okie dokie|ok|alright|all right|aight|good|great|perfecto|perfect|awesome|cool|nice|excellent|wonderful|beautiful|fantastic|"
    r"very good|good job|one sec|yeah|yes|yep|yup|so|now|and|then|next|well|like"
)
_BEFORE = re.compile(rf"^(?:(?:{_AROUND})\b[\s,]*)+", re.IGNORECASE)
_BEHIND = re.compile(rf"(?:(?:^|[\s,]+)(?:{_AROUND}|or|for|the|a|an|with|of|you're|let's say))+$", re.IGNORECASE)

# A sentence is an instruction if it has one of these words ...
_FACE_WORDS = _words(
    """smile smiles smiling smirk smirking grin grinning laugh laughs laughing laughter giggle giggling frown frowning pout pouting mouth
    lip lips teeth tongue cheek cheeks jaw chin nose eye eyes eyebrow eyebrows brow brows eyelids blink blinking wink winking head face
    faces facial expression expressions express expressive neutral natural normal sad sadness happy happiness angry anger mad upset
    surprise surprised surprising shock shocked scared afraid fear fearful terrified frightened disgust disgusted excited exciting bored
    confused curious nervous worried anxious annoyed irritated frustrated disappointed disinterested uninterested interested indifferent
    calm relaxed sleepy tired cry crying yawn yawning kiss kissy silly funny goofy flirty flirtatious proud shy embarrassed thinking
    serious suspicious skeptical desperate jealous guilty hopeful rotate rotating turn turning tilt tilting nod nodding shake"""
)
# ... or, as one of a few words, one of these, which mean a motion only there ("and back", "to the right again").
_PLACE_WORDS = _words("open opened opens close closed closes left right back center centre forward front straight up down look looking")
_FEW_WORDS = 8
_MANY_WORDS = 24  # the longest instructions have about 16 words; what is longer is talk
_TO_THE_SUBJECT = _words("you your you're me see like let's")
_MYSELF = _words("i i'm i've i'd i'll my")


class CasualConversations(VideoCorpus):
    """The segments that the list of instructions names, wherever they lie below the root.

    Args:
        root: folder of the segments.
        instruction_file: the list, JSON; a relative path counts from the root.
        splits: who goes to train, valid and test; a subject has one number in all parts.
        instructions: not used where the list has an instruction, and a segment without one is left out.
        progress: as for every corpus.
    """

    name = "casual_conversations"
    silent = True
    tree = """  ROOT/
    video2instruction.json                 {"CC_part_1_1_1140_07_0_0": "natural.  smile.", ...}
    CC_part_1_1_1140_07_0_0.mp4            a segment for each key, in any folders"""

    def __init__(
        self,
        root: Path | str,
        instruction_file: Path | str = "video2instruction.json",
        splits: SpeakerSplits | None = None,
        instructions: Writer | None = None,
        progress: Progress | None = None,
    ) -> None:
        super().__init__(root, splits, instructions, progress)
        self.instruction_file = self.root / instruction_file

    def found(self) -> Iterator[ClipRecord | LeftOut]:
        """The segments; and the keys without a video, the videos without a key, and those that were told nothing a face can do."""
        said = read_instructions(self.instruction_file, self.tree)
        there = set()
        for video in files_below(self.root):
            stem = PurePosixPath(video).stem
            there.add(stem)
            yield self._segment(video, stem, said.get(stem))
        for key in sorted(set(said) - there):
            yield LeftOut(key, "no video with this name")

    def _segment(self, video: str, stem: str, said: str | None) -> ClipRecord | LeftOut:
        key = _KEY.fullmatch(stem)
        if not key:
            return LeftOut(video, "not a segment (CC_part_P_Q_SUBJECT_TAKE_SEGMENT_PIECE); cut whole takes first")
        if said is None:
            return LeftOut(video, f"not in {self.instruction_file.name}")
        instruction = instruction_of(said)
        if not instruction:
            return LeftOut(video, "nothing was said that asks for something a face can do")
        subject = key["subject"]
        return ClipRecord(
            id=stem,
            split=self.splits.of(subject),
            instructions=(instruction,),
            speaker=subject,
            video=video,
            extra={"said": said},
        )


def instruction_of(said: str) -> str:
    """What a transcript asks a face to do: its instructing sentences in the order they were said, or "".

    >>> instruction_of("okay.  natural.   % big smile. perfect.")
    'natural. big smile.'
    >>> instruction_of("%")
    ''
    """
    text = _ODD.sub(" ", _BROKEN_OFF.sub(" ", said.replace("’", "'")))
    kept = [_tidy(part) for part in _SENTENCE.findall(_HUMS.sub(" ", text))]
    return " ".join(sentence for sentence in kept if _instructs(sentence))


def _tidy(sentence: str) -> str:
    """One sentence with its end, without what surrounds it; "" if that is all there is."""
    words = " ".join(sentence.split())
    end = words[-1] if words[-1:] in (".", "?", "!") else "."
    words = words.rstrip(".?! ,-")
    words = _BEHIND.sub("", _BEFORE.sub("", _STUTTER.sub(r"\1", words))).strip(" ,-")
    return words + end if words else ""


def _instructs(sentence: str) -> bool:
    words = re.findall(r"[a-z']+", sentence.lower())
    if len(words) > _MANY_WORDS or (_MYSELF & set(words) and not _TO_THE_SUBJECT & set(words)):
        return False
    return bool(_FACE_WORDS & set(words)) or (len(words) <= _FEW_WORDS and bool(_PLACE_WORDS & set(words)))


def read_instructions(path: Path, tree: str = "") -> dict[str, str]:
    """The list: clip -> what was said."""
    try:
        listed = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise MissingFile(f"expected the list of instructions at '{path}', got: {error.strerror}; set instruction_file\n{tree}") from error
    except ValueError as error:  # bad JSON, or not UTF-8
        raise BadMedia(f"expected JSON in '{path}', got text that cannot be read ({error}); fetch the list again") from error
    if not isinstance(listed, dict):
        raise BadMedia(f'expected {{"CLIP": "what was said", ...}} in \'{path}\', got a {type(listed).__name__}')
    for key, said in listed.items():
        if not isinstance(said, str):
            raise BadMedia(f"expected text for {key} in '{path}', got {json.dumps(said)[:60]}")
    return listed
