"""Splits by speaker: seeded, steady, and by the name alone."""

import pytest

from instructavatar.errors import BadOption
from instructavatar.prepare.splits import SPLITS, SpeakerSplits

PEOPLE = [f"W{number:04d}" for number in range(4000)]


def test_shares_hold_on_average():
    splits = SpeakerSplits(valid=0.1, test=0.2)
    found = [splits.of(name) for name in PEOPLE]
    assert found.count("valid") / len(found) == pytest.approx(0.1, abs=0.02)
    assert found.count("test") / len(found) == pytest.approx(0.2, abs=0.025)
    assert set(found) == set(SPLITS)


def test_a_split_depends_on_seed_and_name_only():
    assert [SpeakerSplits(0.5).of(name) for name in PEOPLE] == [SpeakerSplits(0.5).of(name) for name in PEOPLE]
    assert [SpeakerSplits(0.5).of(name) for name in PEOPLE] != [SpeakerSplits(0.5, seed=1).of(name) for name in PEOPLE]


def test_known_draws():
    """Stores are only continued, and papers only repeated, while these stay."""
    splits = SpeakerSplits(valid=0.05, test_speakers=["M003"])
    assert [splits.of(name) for name in ("M003", "M037", "W019", "M005", "")] == ["test", "valid", "valid", "train", "train"]


def test_a_larger_share_keeps_who_was_there():
    small, large = SpeakerSplits(valid=0.1), SpeakerSplits(valid=0.3)
    assert all(large.of(name) == "valid" for name in PEOPLE if small.of(name) == "valid")


def test_test_speakers_win_and_may_be_numbers():
    splits = SpeakerSplits(valid=1.0, test_speakers=[1001, "M003"])
    assert [splits.of(name) for name in ("1001", "M003", "1002")] == ["test", "test", "valid"]


def test_all_or_nothing():
    assert {SpeakerSplits(valid=0.0).of(name) for name in PEOPLE} == {"train"}
    assert {SpeakerSplits(valid=0.0, test=1.0).of(name) for name in PEOPLE} == {"test"}


@pytest.mark.parametrize("shares", [(-0.1, 0), (0, 1.5), (0.6, 0.6), (float("nan"), 0)])
def test_impossible_shares_are_refused(shares):
    with pytest.raises(BadOption, match="share of speakers"):
        SpeakerSplits(*shares)


def test_a_name_in_place_of_a_list_is_refused():
    with pytest.raises(BadOption, match=r"write \[M003\]"):
        SpeakerSplits(test_speakers="M003")
