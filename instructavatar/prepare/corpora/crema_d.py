"""CREMA-D: 91 actors say 12 sentences in six emotions.

Source: https://github.com/CheyneyComputerScience/CREMA-D (Cao et al., 2014), Open Database License; docs/datasets.md says more.
A file is named ACTOR_SENTENCE_EMOTION_LEVEL, such as 1001_DFA_ANG_XX.flv. The owners' videos are in VideoFlash; converted ones (mp4) do
as well. The sentence is in `record.extra`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from instructavatar.errors import BadMedia
from instructavatar.prepare.corpora.base import ClipRecord
from instructavatar.prepare.corpora.video import LeftOut, VideoCorpus, files_below

EMOTIONS = {"ANG": "angry", "DIS": "disgusted", "FEA": "fear", "HAP": "happy", "NEU": "neutral", "SAD": "sad"}
LEVELS = {"LO": 1, "MD": 2, "HI": 3, "XX": 0, "X": 0}  # one file of the corpus is named ..._SAD_X
SENTENCES = {
    "DFA": "Don't forget a jacket.",
    "IEO": "It's eleven o'clock.",
    "IOM": "I'm on my way to the meeting.",
    "ITH": "I think I have a doctor's appointment.",
    "ITS": "I think I've seen this before.",
    "IWL": "I would like a new alarm clock.",
    "IWW": "I wonder what this is about.",
    "MTI": "Maybe tomorrow it will be cold.",
    "TAI": "The airplane is almost full.",
    "TIE": "That is exactly what happened.",
    "TSI": "The surface is slick.",
    "WSI": "We'll stop in a couple of minutes.",
}
_NAME = re.compile(r"(?P<actor>\d{4})_(?P<sentence>[A-Z]{3})_(?P<emotion>[A-Z]{3})_(?P<level>[A-Z]{1,2})")
_POINTER = b"version https://git-lfs"


class CremaD(VideoCorpus):
    """Every video whose name says actor, sentence, emotion and level."""

    name = "crema_d"
    tree = """  ROOT/
    VideoFlash/
      1001_DFA_ANG_XX.flv    ACTOR_SENTENCE_EMOTION_LEVEL, flv or mp4, in any folder"""

    def found(self) -> Iterator[ClipRecord | LeftOut]:
        """One clip for each file with such a name."""
        for video in files_below(self.root):
            self._refuse_pointer(video)
            yield self._clip(video)

    def _clip(self, video: str) -> ClipRecord | LeftOut:
        stem = PurePosixPath(video).stem
        name = _NAME.fullmatch(stem)
        if not name or name["sentence"] not in SENTENCES or name["emotion"] not in EMOTIONS or name["level"] not in LEVELS:
            return LeftOut(video, "its name is not ACTOR_SENTENCE_EMOTION_LEVEL as in 1001_DFA_ANG_XX")
        return ClipRecord(
            id=stem,
            split=self.splits.of(name["actor"]),
            speaker=name["actor"],
            emotion=EMOTIONS[name["emotion"]],
            intensity=0 if name["emotion"] == "NEU" else LEVELS[name["level"]],
            video=video,
            extra={"sentence": SENTENCES[name["sentence"]]},
        )

    def _refuse_pointer(self, video: str) -> None:
        """A clone without git-lfs holds text files in place of the videos."""
        if self.size(video) < 1000 and (self.root / video).read_bytes().startswith(_POINTER):
            raise BadMedia(f"expected a video, got the git-lfs pointer '{self.root / video}'; fetch the videos with: git lfs pull")
