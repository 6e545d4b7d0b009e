"""Make tests/assets/puppet_tiny/ (a pack of 50 clips) and tests/golden/puppet_tiny.npz (its motion, every 5th frame).

    python tools/puppet_tiny.py TAKES_FOLDER [TESTS_FOLDER] [--golden-only]

TAKES_FOLDER holds takes-VOICE.jsonl and their sounds, as `make_takes` leaves them. After a wanted change of the performance run it with
--golden-only: the pack stays, the motion is written anew.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from instructavatar.prepare.corpora.puppet import Puppet, compose_clips, write_pack
from instructavatar.prepare.voices import TRAINING_VOICES, read_takes

SILENT, PER_VOICE, LONGEST_S = 26, 3, 4.6
EVERY = 5


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the tiny puppet pack of the tests.")
    parser.add_argument("takes", type=Path)
    parser.add_argument("tests", type=Path, nargs="?", default=Path("tests"))
    parser.add_argument("--golden-only", action="store_true")
    options = parser.parse_args()
    pack = options.tests / "assets" / "puppet_tiny"
    if not options.golden_only:
        listed = {voice: read_takes(options.takes / f"takes-{voice}.jsonl") for voice in TRAINING_VOICES}
        takes = [take for voice in listed for take in [t for t in listed[voice] if t.seconds <= LONGEST_S][:PER_VOICE]]
        write_pack(pack, takes, options.takes, compose_clips(takes, SILENT, uses=2, seed=1), gzipped=False)
    corpus = Puppet(pack)
    motions = {record.id: corpus.motion(record).values[::EVERY] for record in corpus.records()}
    golden = options.tests / "golden" / "puppet_tiny.npz"
    golden.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(golden, **{name: values.astype(np.float16) for name, values in motions.items()})


if __name__ == "__main__":
    main()
