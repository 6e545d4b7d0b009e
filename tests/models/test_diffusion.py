"""Schedules, weights and losses: known values and properties."""

from __future__ import annotations

import math

import pytest
import torch

from instructavatar.face.motion import INDEX
from instructavatar.models.diffusion.loss import huber, velocity_loss, weighted_mean
from instructavatar.models.diffusion.schedule import CosineSchedule, LinearSchedule, add_noise, draw_levels
from instructavatar.models.diffusion.weighting import ColumnWeights, level_weight
from instructavatar.motion import schedule as numpy_schedule


@pytest.mark.parametrize("schedule", [CosineSchedule(), LinearSchedule()])
def test_noised_input_has_unit_variance(schedule):
    generator = torch.Generator().manual_seed(0)
    clean, noise = torch.randn(2, 64, 200, 58, generator=generator)
    noisy = add_noise(clean, noise, draw_levels(64, generator), schedule)
    assert noisy.var().item() == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("schedule", [CosineSchedule(), LinearSchedule()])
def test_inference_has_the_same_schedule(schedule):
    alpha_sigma = numpy_schedule.schedule(schedule.name)
    for t in (0.01, 0.3, 0.77, 0.999):
        alpha, sigma = schedule.alpha_sigma(torch.tensor(t, dtype=torch.float64))
        assert alpha_sigma(t) == pytest.approx((alpha.item(), sigma.item()), abs=1e-6)


def test_linear_schedule_is_the_papers():
    alpha, sigma = LinearSchedule().alpha_sigma(torch.tensor([0.25, 0.5, 1.0]))
    assert alpha.tolist() == pytest.approx([0.728, 0.284, 0.0066], abs=1e-3)
    assert sigma.tolist() == pytest.approx([0.686, 0.959, 1.0], abs=1e-3)


def test_levels_fill_every_stratum():
    levels = draw_levels(10, torch.Generator().manual_seed(1), lowest=0.0)
    assert sorted((levels * 10).long().tolist()) == list(range(10))


def test_level_weight_is_clamped():
    weights = level_weight(torch.tensor([0.001, 0.5, 1.0]), CosineSchedule(), 0.5, 3.0)
    assert weights.tolist() == pytest.approx([3.0, 1.0, 0.5])


def test_spoken_columns_weigh_more_where_there_is_sound():
    weights = ColumnWeights(plain={"yaw": 2.0}, spoken={"jawOpen": 3.0})(torch.tensor([[1.0, 0.0]]))
    assert weights[0, :, INDEX["jawOpen"]].tolist() == [4.0, 1.0]
    assert weights[0, :, INDEX["yaw"]].tolist() == [2.0, 2.0]
    with pytest.raises(ValueError, match="nose"):
        ColumnWeights(plain={"nosey": 1.0})


def test_penalties_and_means():
    assert huber(torch.tensor([1.0, -3.0]), beta=2.0).tolist() == [1.0, 8.0]
    values, weight = torch.tensor([[[1.0], [5.0]]]), torch.tensor([[[1.0], [0.0]]])
    assert weighted_mean(values, weight).item() == 1.0


def test_velocity_ignores_an_offset_and_padding():
    motion = torch.randn(1, 5, 2, generator=torch.Generator().manual_seed(0))
    weight = torch.ones(1, 5, 2)
    weight[:, 3:] = 0
    shifted = motion + 1
    shifted[:, 3:] = 77
    assert velocity_loss(shifted, motion, weight, torch.abs).item() == pytest.approx(0.0, abs=1e-6)
    assert velocity_loss(motion[:, :1], motion[:, :1], weight[:, :1], torch.abs).item() == 0.0
    ramp = motion + torch.arange(5)[None, :, None]
    assert velocity_loss(ramp, motion, weight, torch.abs).item() == pytest.approx(1.0)
    assert math.isfinite(velocity_loss(ramp, motion, weight * 0, torch.abs).item())
