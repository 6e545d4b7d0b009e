"""What the processes of one run tell each other. Alone, a process hears only itself."""

from __future__ import annotations

import os
from collections.abc import Sequence

import torch
from torch import distributed


def together() -> bool:
    """Is this process one of several?"""
    return distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1


def is_first() -> bool:
    """Is this the process that speaks and writes? Known before the processes have met: by what their launcher tells them."""
    for name in ("RANK", "SLURM_PROCID", "LOCAL_RANK"):
        if os.environ.get(name, "").isdecimal():
            return os.environ[name] == "0"
    return True


def total(values: Sequence[float], device: torch.device | str) -> list[float]:
    """Sums over the processes, the same in each.

    Args:
        values: as many in each process.
        device: where the processes talk: that of the weights.

    >>> total([1.0, 2.0], "cpu")
    [1.0, 2.0]
    """
    if not together():
        return list(values)
    sums = torch.tensor(values, dtype=torch.float64 if torch.device(device).type != "mps" else torch.float32, device=device)
    distributed.all_reduce(sums)
    return [float(value) for value in sums]


def all_names(names: Sequence[str]) -> list[str]:
    """Everybody's names, in the order of the processes."""
    if not together():
        return list(names)
    found: list[list[str] | None] = [None] * distributed.get_world_size()
    distributed.all_gather_object(found, list(names))
    return [name for some in found for name in some or ()]
