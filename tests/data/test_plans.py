"""Plans: which clips make up batch k, how often each comes, how much is padding."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instructavatar.data.plans import BatchPlan, EvenPlan, StretchLengths

WIDE = StretchLengths(24, 250, 250, 0.0)


def corpus(clips: int = 300, longest: int = 400) -> dict[str, int]:
    return {f"c{i}": int(frames) for i, frames in enumerate(np.random.default_rng(0).integers(20, longest, clips))}


def padding(plan, lengths: dict[str, int], batches: int = 300) -> tuple[float, float]:
    """Mean and largest share of padding."""
    shares = []
    for number in range(batches):
        keys, frames, _ = plan.batch(number)
        cut = [min(frames, lengths[key]) for key in keys]
        shares.append(1 - np.mean(cut) / max(cut))
    return float(np.mean(shares)), max(shares)


def expected(plan: EvenPlan) -> dict[str, float]:
    """Times that each clip comes in a batch, in the mean, from the plan's own numbers."""
    found = {}
    weights = np.diff(plan.weights)
    for bucket, longest in enumerate(plan.longest):
        part = slice(plan.starts[bucket], plan.starts[bucket + 1])
        counts = [max(1, plan.frames_per_batch // min(frames, int(longest))) for frames in range(1, plan.frames.longest + 1)]
        mean = float(np.dot(plan.frames.odds()[1:], counts))
        each = plan.odds[bucket] * mean * weights[part] / weights[part].sum()
        found |= dict(zip(plan.keys[part], each, strict=True))
    return found


@pytest.mark.parametrize("frames", [WIDE, StretchLengths()])
def test_little_is_padding(frames):
    lengths = corpus()
    for plan in (EvenPlan(lengths, dict.fromkeys(lengths, 1.0), 0, 2048, frames), BatchPlan(lengths, 0, 2048, frames)):
        mean, most = padding(plan, lengths)
        assert mean < 0.06 and most <= 0.2 + 1e-9, (mean, most)


def test_every_clip_comes_by_its_weight():
    lengths = corpus(60)
    weights = {key: 1.0 + (int(key[1:]) % 3) for key in lengths}
    plan = EvenPlan(lengths, weights, 1, 600, WIDE)
    drawn = dict.fromkeys(lengths, 0)
    for number in range(6000):
        for key in plan.batch(number)[0]:
            drawn[key] += 1
    total = sum(drawn.values())
    for level in (1.0, 2.0, 3.0):
        share = sum(drawn[key] for key in lengths if weights[key] == level) / total
        assert share == pytest.approx(sum(w for w in weights.values() if w == level) / sum(weights.values()), rel=0.05)
    ratio = np.array([drawn[key] / total / (weights[key] / sum(weights.values())) for key in lengths])
    assert ratio.min() > 0.75 and ratio.max() < 1.25, "whatever its length"
    short = [key for key, frames in lengths.items() if frames < 60]
    assert np.mean([drawn[key] / weights[key] for key in short]) / (total / sum(weights.values())) == pytest.approx(1, abs=0.1)


def test_long_clips_come_more_often_where_the_plan_is_not_even():
    lengths = {**{f"s{i}": 30 for i in range(50)}, **{f"l{i}": 300 for i in range(50)}}
    plan = BatchPlan(lengths, 0, 1000, WIDE)
    names = [key for number in range(300) for key in plan.batch(number)[0]]
    assert np.mean([name[0] == "l" for name in names]) > 0.55


@given(
    st.lists(st.tuples(st.integers(1, 500), st.floats(0.01, 10)), min_size=1, max_size=60),
    st.integers(2, 60).flatmap(lambda low: st.tuples(st.just(low), st.integers(low, 120), st.integers(120, 260), st.floats(0, 1))),
    st.integers(1, 3000),
)
@settings(max_examples=60, deadline=None)
def test_shares_are_exact_for_any_corpus(clips, stretches, frames_per_batch):
    lengths = {f"c{i}": frames for i, (frames, _) in enumerate(clips)}
    weights = {f"c{i}": weight for i, (_, weight) in enumerate(clips)}
    plan = EvenPlan(lengths, weights, 0, frames_per_batch, StretchLengths(*stretches))
    times = expected(plan)
    ratios = np.array([times[key] / weights[key] for key in lengths])
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-9)
    for number in range(5):
        keys, frames, _ = plan.batch(number)
        assert set(keys) <= set(lengths) and 1 <= frames <= stretches[2]
        assert len(keys) == max(1, frames_per_batch // frames)
        assert frames <= max(lengths.values())


def test_odds_are_those_of_the_draw():
    frames, rng = StretchLengths(4, 8, 12, 0.25), np.random.default_rng(0)
    drawn = np.bincount([frames.draw(rng) for _ in range(20000)], minlength=13) / 20000
    assert frames.odds().sum() == pytest.approx(1) and len(frames.odds()) == 13
    np.testing.assert_allclose(frames.odds(), drawn, atol=0.01)


def test_clips_of_rare_lengths_go_with_their_neighbours():
    lengths = {**{f"c{i}": 100 for i in range(20)}, "short": 10, "long": 240}
    plan = EvenPlan(lengths, dict.fromkeys(lengths, 1.0), 0, 1000, WIDE)
    assert plan.starts.tolist() == [0, 8, 22], "no batch of one clip a hundred times"


def test_a_clip_without_weight_never_comes():
    lengths = corpus(40)
    plan = EvenPlan(lengths, {key: float(key > "c2") for key in lengths}, 0, 500, WIDE)
    assert all(key > "c2" for number in range(100) for key in plan.batch(number)[0])
    with pytest.raises(ValueError, match="splits and the weights"):
        EvenPlan(lengths, dict.fromkeys(lengths, 0.0), 0, 500, WIDE)
