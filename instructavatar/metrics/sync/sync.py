"""Lip-sync as SyncNet judges it (Chung and Zisserman 2016; LSE-C and LSE-D of Prajwal et al. 2020), by the published protocol.

sync_d (LSE-D): distance of lips and sound at the best shift; lower is better. sync_c (LSE-C): how far that lies below the median over the
shifts; higher is better. sync_offset: the best shift in frames, positive where the lips are late; 0 is right, neither high nor low is.

25 frames/s, 16 kHz, windows of five frames and 20 MFCC, shifts of 15 frames to either side. The box comes of our landmarks instead of
S3FD's (see crops.py). Traps: the score rewards wide, sharp mouths, so more than the ground truth's is over-articulation and no win (THEval
finds a correlation of -0.16 with people). The published pipeline drops tracks of fewer than 100 frames without a word; here clips shorter
than `shortest_s` are named as not scored (4.0 does as published).

T frames, N windows, S shifts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache, partial
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import MissingFile
from instructavatar.face.motion import FRAME_RATE_HZ, SAMPLES_PER_FRAME
from instructavatar.features.base import version_of
from instructavatar.features.fetch import fetched_path
from instructavatar.metrics.base import Metric, NotScored, Scores, Value
from instructavatar.metrics.case import Case
from instructavatar.metrics.clips import Clip, Sound, StillClip
from instructavatar.metrics.sync.crops import crops
from instructavatar.metrics.sync.mfcc import RATE_HZ, mfcc

if TYPE_CHECKING:
    from instructavatar.metrics.sync.network import SyncNet

SHIFTS = 15  # frames to either side
_FRAMES, _HEARD = 5, 20  # of a window: pictures and MFCC
_PER_FRAME = RATE_HZ // FRAME_RATE_HZ
_AT_ONCE = 24  # windows in one pass of the net


class Sync(Metric):
    """LSE-C, LSE-D and offset.

    Args:
        weights: syncnet_v2.model (default: where `features/fetch.py` looks).
        shortest_s: shorter clips are not scored.
    """

    values = {
        "sync_c": Value("", True),
        "sync_d": Value("", False),
        "sync_offset": Value("frames", None),
    }
    hears = True

    def __init__(self, weights: str | None = None, shortest_s: float = 1.0) -> None:
        """Loads nothing yet."""
        self.weights, self.shortest_s = weights, shortest_s
        self.weights_version = ""  # once checked, the file's checksum: other weights are other scores

    def check(self) -> None:
        """Needs torch and the weights, which are read once here so that a wrong file is refused before any clip."""
        path = fetched_path("syncnet", self.weights)
        if find_spec("torch") is None:
            raise MissingFile("expected torch for sync_c and sync_d, found none; install it with: pip install 'instructavatar[train]'")
        network(path)
        self.weights_version = version_of(path)

    def score(self, case: Case) -> Scores:
        """Over the frames that have both a picture and sound."""
        samples = whole_numbers(case.sound)
        frames = min(len(case.clip.take), len(samples) // SAMPLES_PER_FRAME)
        if frames < max(self.shortest_s * FRAME_RATE_HZ, _FRAMES + 1):
            raise NotScored(f"shorter than {self.shortest_s:g} s")
        net = network(fetched_path("syncnet", self.weights))
        lips = case.clip.once(f"syncnet {self.weights}", partial(see, net, case.clip))
        windows = frames - _FRAMES  # as published, one fewer than there are
        distances = curve(lips[:windows], hear(net, mfcc(samples), windows))
        return read(distances)


def read(distances: NDArray[np.float64]) -> Scores:
    """The numbers of a curve of distances by shift [S]."""
    best = int(distances.argmin())
    closest = float(distances[best])
    return {"sync_c": float(np.median(distances)) - closest, "sync_d": closest, "sync_offset": float(len(distances) // 2 - best)}


def curve(lips: NDArray[np.float32], sound: NDArray[np.float32], reach: int = SHIFTS) -> NDArray[np.float64]:
    """Mean distance of lips [N, C] and sound [N, C] where the sound is taken `reach` frames earlier to later [2 * reach + 1].

    Beyond its ends the sound is zero. The tiny sum is that of torch's pairwise_distance.
    """
    padded = np.pad(sound, ((reach, reach), (0, 0)))
    shifted = (padded[shift : shift + len(lips)] for shift in range(2 * reach + 1))
    return np.array([np.linalg.norm(lips.astype(np.float64) - heard + 1e-6, axis=1).mean() for heard in shifted])


def whole_numbers(sound: Sound | None) -> NDArray[np.int16]:
    """The sound [N] as 16-bit integers."""
    samples = np.zeros(0, np.int16) if sound is None else np.clip(np.round(sound * 32768.0), -32768, 32767).astype(np.int16)
    if not samples.any():
        raise NotScored("no sound")
    return samples


def see(net: SyncNet, clip: Clip) -> NDArray[np.float32]:
    """What the net makes of each five frames of a clip [T - 4, 1024]."""
    faces = crops(clip.frames(), clip.faces)
    if isinstance(clip, StillClip):  # every window is the same
        return np.repeat(watch(net, [next(faces)] * _FRAMES), max(len(clip) - _FRAMES + 1, 0), axis=0)
    return watch(net, faces)


def watch(net: SyncNet, faces: Iterable[NDArray[np.uint8]]) -> NDArray[np.float32]:
    """What the net makes of each five of the faces [224, 224, 3], BGR: [T - 4, 1024]."""
    import torch

    with torch.inference_mode():
        parts = [net.see(torch.from_numpy(part.transpose(3, 0, 1, 2).astype(np.float32))) for part in _overlapping(faces)]
    return np.asarray(torch.cat(parts).numpy())


def hear(net: SyncNet, cepstra: NDArray[np.float64], windows: int) -> NDArray[np.float32]:
    """What the net makes of the sound [K, 13] of as many windows [N, 1024], one for each frame."""
    import torch

    cut = np.lib.stride_tricks.sliding_window_view(cepstra.astype(np.float32), _HEARD, axis=0)[::_PER_FRAME][:windows]  # [N, 13, 20]
    with torch.inference_mode():
        parts = [net.hear(torch.from_numpy(cut[start : start + _AT_ONCE].copy())) for start in range(0, windows, _AT_ONCE)]
    return np.asarray(torch.cat(parts).numpy())


def _overlapping(faces: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
    """Stacks of frames [up to 28, 224, 224, 3] that between them hold each five in a row once."""
    coming = iter(faces)
    kept: list[NDArray[np.uint8]] = []
    while new := list(islice(coming, _AT_ONCE if kept else _AT_ONCE + _FRAMES - 1)):
        kept = [*kept[-(_FRAMES - 1) :], *new]
        if len(kept) >= _FRAMES:
            yield np.stack(kept)


@lru_cache(maxsize=1)
def network(path: Path) -> SyncNet:
    """The net of a file, once for each process."""
    from instructavatar.metrics.sync.network import SyncNet

    return SyncNet.load(path)
