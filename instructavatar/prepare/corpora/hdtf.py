"""HDTF: people who talk to a camera, from YouTube.

Source: https://github.com/MRzzm/HDTF (Zhang et al., CVPR 2021); docs/datasets.md has the terms. The owners publish addresses, times and
face boxes; the clips are cut by whoever downloads them, and are named VIDEO_NUMBER.mp4. Nobody says what the faces show, so wordings ask
for neutral talking (`Mixture(neutral_only=True)` in the configuration).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from instructavatar.prepare.corpora.base import ClipRecord
from instructavatar.prepare.corpora.video import LeftOut, VideoCorpus, files_below, safe_id

_CLIP = re.compile(r"(?P<video>.+)_\d+")
_AGAIN = re.compile(r"(?P<person>.*[^\W\d_])\d+")  # JimMcGovern1: another video of JimMcGovern


class HDTF(VideoCorpus):
    """Every video below the root."""

    name = "hdtf"
    tree = """  ROOT/
    RD_Radio34_002.mp4       the clips, in any folders
    WDA_KatieHill_000.mp4"""

    def found(self) -> Iterator[ClipRecord | LeftOut]:
        """One clip for each file."""
        for video in files_below(self.root):
            stem = PurePosixPath(video).stem
            speaker = speaker_of(stem)
            yield ClipRecord(id=safe_id(stem), split=self.splits.of(speaker), speaker=speaker, video=video)


def speaker_of(stem: str) -> str:
    """Who speaks: the name without the clip's number.

    Several videos of a politician count as one speaker; "Radio" is a series, where each video has its own.

    >>> [speaker_of(name) for name in ("RD_Radio34_002", "WDA_KatieHill_000", "JimMcGovern1_0")]
    ['RD_Radio34', 'WDA_KatieHill', 'JimMcGovern']
    """
    clip = _CLIP.fullmatch(stem)
    video = clip["video"] if clip else stem
    again = _AGAIN.fullmatch(video)
    return again["person"] if again and not again["person"].endswith("Radio") else video
