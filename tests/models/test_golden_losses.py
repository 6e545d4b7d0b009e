"""Ten losses of a seeded run in miniature, of the default network and of the published one: a change of the mathematics shows here.

Renew tests/golden/generator_losses.json, after a change that is meant to change them, with

    python tests/golden/generator_losses_renew.py
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from toy_generator import diffusion, toy_batch

GOLDEN = Path(__file__).parents[1] / "golden" / "generator_losses.json"
STEPS = 10


def ten_losses(paper: bool) -> dict[str, list[float]]:
    """Every term over ten steps of AdamW, two batches in turn."""
    model = diffusion(paper)
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3, betas=(0.9, 0.98))
    batches, found = [toy_batch(seed=seed) for seed in range(2)], []
    for step in range(STEPS):
        terms = model.losses(batches[step % 2], torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        terms["loss"].backward()
        optimizer.step()
        found.append({name: float(value.detach()) for name, value in terms.items()})
    return {name: [round(row[name], 6) for row in found] for name in found[0]}


@pytest.mark.parametrize("which", ["default", "paper"])
def test_ten_losses_are_what_they_were(which):
    golden, losses = json.loads(GOLDEN.read_text(encoding="utf-8"))[which], ten_losses(which == "paper")
    assert list(losses) == list(golden)
    for name, values in golden.items():
        assert len(values) == STEPS
        np.testing.assert_allclose(losses[name], values, rtol=2e-3, atol=1e-5, err_msg=name)


def test_ten_losses_fall():
    for which, values in json.loads(GOLDEN.read_text(encoding="utf-8")).items():
        assert np.mean(values["motion"][-2:]) < 0.97 * np.mean(values["motion"][:2]), which


@pytest.mark.parametrize("paper", [False, True])
def test_half_precision_gives_about_the_same(paper):
    model, batch = diffusion(paper), toy_batch()
    plain = model.losses(batch, torch.Generator().manual_seed(0))
    with torch.autocast("cpu", torch.bfloat16):
        half = model.losses(batch, torch.Generator().manual_seed(0))
    half["loss"].backward()
    for name, value in plain.items():
        torch.testing.assert_close(half[name].float(), value, rtol=0.05, atol=0.02, msg=name)
    assert all(p.grad is None or torch.isfinite(p.grad).all() for p in model.parameters())
