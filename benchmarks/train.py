"""Speed and memory of training: the published generator's step against a plain matrix product, the default's, and the data loader.

A step is forward and backward. Its ratio is the time it takes over the time that its own matrix products and convolutions would take at
the rate of one large product, measured in turns with it: 1 would be nothing but products. Those inside attention, about 1 %, do not
count. The memory is the peak of a fresh process that builds the published generator and does one step.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import ROOT, Row, console, options, report, row
from torch.utils.flop_counter import FlopCounterMode

from instructavatar import config
from instructavatar.data.batch import UNIT_NAMES, ClipBatch
from instructavatar.models.denoiser import Denoiser
from instructavatar.models.motion_diffusion import MotionDiffusion

CONFIGS = ROOT / "configs" / "motion"
PAPER_SHAPE = (2, 125)  # clips and frames of the published generator's step
DEFAULT_SHAPE = (20, 100)  # about the 2048 frames of the default's batch
TOKENS, SEGMENTS = 20, 1
SIDE = 2048  # of the large product
KB_PER_GB = 1024**2


@dataclass(frozen=True)
class Timed:
    """A step's time and what it is compared with."""

    step_s: float
    flops: float
    product_flops_per_s: float

    @property
    def ratio(self) -> float:
        """The step's time over that of its products alone."""
        return self.step_s * self.product_flops_per_s / self.flops


def model_of(name: str) -> MotionDiffusion:
    """The model of configs/motion/NAME.yaml with its losses, in training, without Lightning around it."""
    settings = config.load(CONFIGS / f"{name}.yaml", ["data.params.store=none", "seed=0"]).model.params
    torch.manual_seed(0)
    parts = {key.removesuffix("_config"): config.build(node) for key, node in settings.items() if key not in ("motion_dim", "patch")}
    more = {key: parts[key] for key in ("level_waves", "level_hidden") if key in parts}
    denoiser = Denoiser(parts["backbone"], **parts["conditions"], motion_dim=settings.motion_dim, patch=settings.patch, **more)
    model = MotionDiffusion(denoiser, parts["schedule"], parts["columns"], parts["dropout"], parts["terms"], parts.get("readers"))
    return model.train()


def batch_for(model: MotionDiffusion, clips: int, frames: int) -> ClipBatch:
    """A batch of random numbers of the right shapes, nothing of it padding."""
    net, draw = model.denoiser, torch.Generator().manual_seed(0)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=draw)

    ones = torch.ones(clips, frames)
    return ClipBatch(
        names=tuple(map(str, range(clips))),
        motion=normal(clips, frames, net.motion_dim),
        known_mask=torch.zeros(clips, frames, net.motion_dim),
        speech=normal(clips, 2 * frames, net.speech.speech_width),
        speech_mask=ones,
        tokens=normal(clips, TOKENS, net.text.text_width),
        pooled=normal(clips, SEGMENTS, net.text.text_width),
        tokens_alive=torch.ones(clips, frames, TOKENS),
        pooled_alive=torch.ones(clips, frames, SEGMENTS),
        clock=normal(clips, frames, 2).abs(),
        frame_mask=ones,
        key=normal(clips, net.motion_dim),
        key_mask=torch.ones(clips),
        pose=10 * normal(clips, frames, 3),
        pose_mask=ones,
        units=torch.zeros(clips, len(UNIT_NAMES)),
        units_mask=torch.ones(clips),
        intensity=torch.ones(clips, dtype=torch.int64),
    )


def step(model: MotionDiffusion, batch: ClipBatch) -> None:
    """Forward and backward; gradients are dropped first, as an optimiser does."""
    model.zero_grad()
    model.losses(batch, torch.Generator().manual_seed(0))["loss"].backward()


def flops_of(work: Callable[[], Any]) -> float:
    """Floating point operations of the matrix products and convolutions in some work."""
    with FlopCounterMode(display=False) as counter:
        work()
    return float(counter.get_total_flops())


def seconds_of(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def timed(name: str, shape: tuple[int, int], repeats: int, side: int = SIDE) -> Timed:
    """The step of a configuration's model in turns with a large product; medians."""
    model = model_of(name)
    batch = batch_for(model, *shape)
    left, right = torch.randn(2, side, side)
    flops = flops_of(lambda: step(model, batch))  # also the warm-up
    steps, products = [], []
    for _ in range(repeats):
        products += [seconds_of(lambda: left @ right) for _ in range(3)]
        steps.append(seconds_of(lambda: step(model, batch)))
    return Timed(float(np.median(steps)), flops, 2 * side**3 / float(np.median(products)))


def fwd_bwd_gb() -> float:
    """Peak memory of a fresh process that does one step of the published generator."""
    done = subprocess.run([sys.executable, __file__, "--one-step"], check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])


def one_step() -> None:
    """Do one step and print the peak memory in GB."""
    model = model_of("paper")
    step(model, batch_for(model, *PAPER_SHAPE))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KB_PER_GB)


def write_store(folder: Path, clips: int) -> Path:
    """A store of random clips of 4 to 8 seconds with speech and an instruction, as wide as the default generator wants it."""
    from instructavatar.data.header import Header
    from instructavatar.data.record import SPEECH_DIM, TEXT_DIM, complete
    from instructavatar.data.writer import StoreWriter
    from instructavatar.face.motion import MOTION_DIM

    rng, keys = np.random.default_rng(0), [f"clip{i}" for i in range(clips)]
    with StoreWriter(folder, Header.started("random", {})) as writer:
        tokens = rng.normal(size=(TOKENS, TEXT_DIM)).astype(np.float16)
        for sentence in ("smile", "turn your head left"):
            writer.add_text(sentence, tokens, tokens.mean(0))
        for key in keys:
            frames = int(rng.integers(100, 201))
            arrays = {
                "motion_latent": rng.random((frames, MOTION_DIM), np.float32),
                "audio_feat": rng.normal(size=(2 * frames, SPEECH_DIM)).astype(np.float16),
                "pose": np.zeros((frames, 3), np.float32),
            }
            told = {"latent_length": frames, "filename": key, "instruction": ["smile"], "inst_flag": True, "audio_flag": True}
            writer.add(key, complete(arrays | told))
        writer.finish({"train": keys})
    return folder


def batch_s(store: Path, batches: int) -> float:
    """Seconds to make one of the default generator's batches in one thread; the mean, as batches differ in length."""
    settings = config.load(CONFIGS / "default.yaml", [f"data.params.store={store}", "data.params.ahead=0", "seed=0"])
    made = config.build(settings.data).train
    made[0]
    return seconds_of(lambda: [made[number] for number in range(1, batches + 1)]) / batches


def measure(args: argparse.Namespace) -> list[Row]:
    repeats = 3 if args.quick else 7
    rows = [row("fwd_bwd_gb", fwd_bwd_gb(), "GB, published sizes, batch 2 x 125", "<= 3.0")]
    paper = timed("paper", PAPER_SHAPE, repeats)
    rows.insert(0, row("step_x_matmul", paper.ratio, "x its matrix products, published sizes", "<= 1.6"))
    default = timed("default", DEFAULT_SHAPE, repeats)
    rows.append(row("default_x_matmul", default.ratio, "x its matrix products, the generator that ships"))
    rows.append(row("paper_step_s", paper.step_s, "s"))
    rows.append(row("default_step_s", default.step_s, "s"))
    rows.append(row("matmul_gflops", paper.product_flops_per_s / 1e9, "GFLOP/s of the large product"))
    with tempfile.TemporaryDirectory() as folder:
        made_s = batch_s(write_store(Path(folder) / "store", 50 if args.quick else 300), 20 if args.quick else 100)
    rows.append(row("loader_share", 100 * made_s / default.step_s, "% of a step of the generator that ships, in one thread beside it"))
    return rows


def main() -> None:
    parser = options(__doc__.splitlines()[0])
    parser.add_argument("--one-step", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one_step:
        return one_step()
    console.print("Other work on this machine makes these numbers worse; run it alone.", highlight=False)
    report("train", measure(args), args.json)
    return None


if __name__ == "__main__":
    main()
