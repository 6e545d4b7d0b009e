"""Splits by speaker: who is seen in one split is in no other."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

from instructavatar.errors import BadOption

SPLITS = ("train", "valid", "test")
_DRAWS = 2**64


class SpeakerSplits:
    """Puts a speaker into train, valid or test by a seeded hash of the name alone.

    So a speaker's split does not depend on who else is there: a corpus may grow, or be read in parts, and nobody changes sides. The shares
    are of speakers, not of clips, and hold on average: with a handful of speakers a split may stay empty, and another seed fills it.

    Args:
        valid: share of the speakers that go to valid, 0..1.
        test: share that goes to test; valid + test is at most 1.
        test_speakers: names that go to test whatever the hash says, such as the persons a benchmark holds out.
        seed: another one draws other speakers.
    """

    def __init__(self, valid: float = 0.05, test: float = 0.0, test_speakers: Sequence[str] = (), seed: int = 0) -> None:
        for name, share in (("valid", valid), ("test", test), ("valid + test", valid + test)):
            if not (math.isfinite(share) and 0.0 <= share <= 1.0):
                raise BadOption(f"expected a share of speakers within 0..1 for {name}, got {share}; 0.05 is one in twenty")
        if isinstance(test_speakers, str):
            raise BadOption(f"expected a list of test_speakers, got the text '{test_speakers}'; write [{test_speakers}]")
        self.valid, self.test, self.seed = float(valid), float(test), int(seed)
        self.test_speakers = tuple(sorted({str(name) for name in test_speakers}))  # YAML reads 1001 as a number

    def of(self, speaker: str) -> str:
        """train, valid or test.

        >>> SpeakerSplits(test_speakers=["M003"]).of("M003")
        'test'
        """
        if speaker in self.test_speakers:
            return "test"
        draw = int.from_bytes(hashlib.sha256(f"{self.seed}/{speaker}".encode("utf-8", "surrogateescape")).digest()[:8], "big") / _DRAWS
        if draw < self.test:
            return "test"
        return "valid" if draw < self.test + self.valid else "train"
