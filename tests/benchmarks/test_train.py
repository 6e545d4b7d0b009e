import numpy as np
import pytest

torch = pytest.importorskip("torch")


@pytest.fixture
def train(benchmark_module):
    return benchmark_module("train")


def test_products_are_counted(train):
    a, b = torch.ones(3, 5), torch.ones(5, 7, requires_grad=True)
    assert train.flops_of(lambda: a @ b) == 2 * 3 * 5 * 7
    assert train.flops_of(lambda: (a @ b).sum().backward()) == 2 * 2 * 3 * 5 * 7


def test_nothing_but_products_is_a_ratio_of_one(train):
    assert train.Timed(step_s=2.0, flops=100.0, product_flops_per_s=50.0).ratio == 1.0


@pytest.mark.parametrize("name", ["tiny", "default"])
def test_a_step_reaches_every_weight(train, name):
    model = train.model_of(name)
    assert model.training
    train.step(model, train.batch_for(model, 2, 9))
    assert all(p.grad is not None for p in model.parameters())


def test_a_step_is_timed_in_turns_with_a_product(train):
    found = train.timed("tiny", (2, 16), repeats=2, side=64)
    assert found.step_s > 0 and found.flops > 1e6 and found.product_flops_per_s > 0
    assert np.isfinite(found.ratio)


def test_the_loader_is_timed_on_a_store_of_the_right_widths(train, tmp_path):
    assert 0 < train.batch_s(train.write_store(tmp_path / "store", 5), 2) < 5


@pytest.mark.slow
def test_the_published_step_fits(train):
    assert 1.5 < train.fwd_bwd_gb() < 6
