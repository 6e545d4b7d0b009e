"""Which numbers to compute with: `auto` takes bfloat16 where the machine multiplies faster with it."""

from __future__ import annotations

import time

import torch

AUTO = "auto"
FAST, PLAIN = "bf16-mixed", "32-true"
LEAST_GAIN = 1.3  # below it the rounding is not worth it


def chosen(precision: str | int | None, accelerator: str = "cpu", several: bool = False) -> str | int | None:
    """Lightning's name of a precision; `auto` is settled by what the machine can do, anything else is left as it is.

    Several processes must settle alike, and timings differ: on processors they take float32.
    """
    if precision != AUTO:
        return precision
    if accelerator != "cpu" and torch.cuda.is_available():
        return FAST if torch.cuda.is_bf16_supported() else PLAIN
    return FAST if not several and gain() >= LEAST_GAIN else PLAIN


def gain(side: int = 768, repeats: int = 5) -> float:
    """How many times faster this processor multiplies matrices of bfloat16 than of float32."""
    return _seconds(torch.float32, side, repeats) / _seconds(torch.bfloat16, side, repeats)


def _seconds(kind: torch.dtype, side: int, repeats: int) -> float:
    matrix = torch.ones(side, side, dtype=kind)
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        matrix @ matrix
        taken.append(time.perf_counter() - start)
    return min(taken)
