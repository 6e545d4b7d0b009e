"""TalkingHead-1KH: portraits and landmarks of strangers, for tests outside of the training data.

Source: https://github.com/tcwang0509/TalkingHead-1KH (Wang et al., CVPR 2021); docs/datasets.md has the terms. The owners' script
downloads the videos and leaves the face clips in SET/cropped_clips. Every clip goes to test and has no instruction: whoever evaluates
brings voices and instructions of their own. The configuration keeps the face frames, the first of which serves as portrait.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from instructavatar.prepare.corpora.base import ClipRecord
from instructavatar.prepare.corpora.video import LeftOut, VideoCorpus, files_below, safe_id

# YOUTUBE-ID _ minute _ first and last frame _ face box
_CLIP = re.compile(r"(?P<video>.+)_\d{4}_S\d+_E\d+_L\d+_T\d+_R\d+_B\d+")
_CROPPED = "cropped_clips"


class TalkingHead1KH(VideoCorpus):
    """The clips below cropped_clips; without such a folder, every video below the root."""

    name = "talking_head_1kh"
    tree = """  ROOT/
    val/cropped_clips/
      lJ7OLGxC-cM_0001_S0_E100_L390_T70_R860_B540.mp4"""

    def found(self) -> Iterator[ClipRecord | LeftOut]:
        """One clip for each face clip; whole downloads beside them are left out."""
        videos = list(files_below(self.root))
        cropped = [video for video in videos if _CROPPED in PurePosixPath(video).parts]
        for video in cropped or videos:
            stem = PurePosixPath(video).stem
            clip = _CLIP.fullmatch(stem)
            yield ClipRecord(id=safe_id(stem), split="test", speaker=clip["video"] if clip else stem, video=video)
        for video in sorted(set(videos) - set(cropped)) if cropped else ():
            yield LeftOut(video, f"not in {_CROPPED}")
