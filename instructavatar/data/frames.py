"""Pairs of frames for training a codec: two frames of a clip, one to look at and one to rebuild from its landmarks.

B batch, S side of a picture in pixels and S' of a picture of landmarks. Pictures are RGB, whatever the JPEG decoder gives. Batch k is a
function of the seed and k.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from instructavatar.data.loaders import VALIDATION_SEED, TrainingData, turn_by_turn
from instructavatar.data.stores import JoinedStores, clip_weights, judged_lengths, source_of, together, training_lengths
from instructavatar.errors import BadBundle

PAIR = 2
"""Frames that a clip must have."""
ARRAYS = ("ldmk", "face_frames", "face_offsets")
"""What a pair is made of; the other arrays of a record stay unread."""


class Drawing(Protocol):
    """Landmarks as a picture; `codecs.landmark_image.LandmarkImage` is one, so training and inference draw alike."""

    size: int
    """Side of its pictures, S'."""

    def draw(self, landmarks: NDArray[np.floating], side: float | None = None) -> NDArray[np.uint8]:
        """Pictures [T, S', S'] from landmarks [T, 478, 3] in pixels of a square picture of that side."""
        ...


@dataclass(frozen=True)
class FrameBatch:
    """Pairs side by side. Pictures are uint8, so that little is carried to the device; `unit` makes them -1..1."""

    names: tuple[str, ...]  # clip and frames: a/b[3<-17] rebuilds frame 3 from the looks of frame 17
    appearance: Tensor  # [B, 3, S, S]
    drawn: Tensor  # [B, 1, S', S'] landmarks of the target
    target: Tensor  # [B, 3, S, S]
    points: Tensor  # [B, 478, 2] float32, landmarks of the target in pixels of S

    def __len__(self) -> int:
        return len(self.names)

    def to(self, device: torch.device | str) -> FrameBatch:
        """The same batch on another device."""
        return FrameBatch(self.names, *(getattr(self, f.name).to(device) for f in fields(self)[1:]))


def unit(pictures: Tensor) -> Tensor:
    """Pictures 0..255 as floats -1..1."""
    return pictures.float() / 127.5 - 1


class FramePairs:
    """Pairs of a store's clips by number: batch k draws clips by their shares, or else evenly, and two distinct frames of each evenly."""

    def __init__(
        self,
        source: Any,
        keys: Iterable[str],
        drawing: Drawing,
        size: int,
        seed: int,
        batch_size: int,
        shares: Mapping[str, float] | None = None,
        candidates: int = 1,
    ) -> None:
        self.source, self.keys, self.drawing = source, list(keys), drawing
        if not self.keys:
            raise BadBundle("expected clips of at least two frames, got none; check the store's splits")
        self.size, self.seed, self.batch_size, self.candidates = size, seed, batch_size, candidates
        self.shares = [shares[key] for key in self.keys] if shares else None

    def __getitem__(self, number: int) -> FrameBatch:
        rng = np.random.default_rng((self.seed, number))
        if self.shares is None:
            numbers = rng.integers(len(self.keys), size=self.batch_size)
        else:
            numbers = rng.choice(len(self.keys), self.batch_size, p=self.shares)
        chosen = [self.keys[i] for i in numbers]
        return batch_of([self.pair(key, rng) for key in chosen])

    def pair(self, key: str, rng: np.random.Generator) -> FrameBatch:
        """A batch of one pair of a clip."""
        record = self.source.read(key, ARRAYS)
        _check_landmarks(key, record)
        length = int(record["latent_length"])
        target, *others = (int(i) for i in rng.choice(length, min(length, 1 + self.candidates), replace=False))
        # from one candidate to all, so that pairs that hardly differ occur as well
        considered = others[: int(rng.integers(1, len(others) + 1))] if self.candidates > 1 else others
        looks = farthest(record["ldmk"], target, considered) if len(considered) > 1 else considered[0]
        return pair_of(key, record, target, looks, self.drawing, self.size)


def pair_of(key: str, record: Mapping[str, Any], target: int, looks: int, drawing: Drawing, size: int) -> FrameBatch:
    """The pair that rebuilds frame `target` from the looks of frame `looks`, at S = `size`."""
    _check_landmarks(key, record)
    real = face_frame(key, record, target)
    side = real.shape[0]
    points = np.asarray(record["ldmk"][target : target + 1], np.float32)
    return FrameBatch(
        names=(f"{key}[{target}<-{looks}]",),
        appearance=_tensor(resized(face_frame(key, record, looks), size)),
        drawn=torch.from_numpy(drawing.draw(points, side))[:, None],
        target=_tensor(resized(real, size)),
        points=torch.from_numpy((points[..., :2] + 0.5) * np.float32(size / side) - 0.5),
    )


def _check_landmarks(key: str, record: Mapping[str, Any]) -> None:
    if not len(record["ldmk"]):
        raise BadBundle(f"clip {key}: expected landmarks, got none; prepare a corpus of videos")


def farthest(landmarks: NDArray[np.floating], target: int, frames: Sequence[int]) -> int:
    """The frame whose points [478, 2] differ most from the target's: squared, so that an opened mouth counts beside a turned head."""
    points = np.asarray(landmarks[[target, *frames], :, :2], np.float32)
    return frames[int(np.square(points[1:] - points[0]).mean((1, 2)).argmax())]


def batch_of(pairs: Sequence[FrameBatch]) -> FrameBatch:
    """Several batches as one."""
    names = tuple(name for pair in pairs for name in pair.names)
    return FrameBatch(names, *(torch.cat([getattr(pair, f.name) for pair in pairs]) for f in fields(FrameBatch)[1:]))


def face_frame(key: str, record: Mapping[str, Any], frame: int) -> NDArray[np.uint8]:
    """Face crop number `frame` of a record, RGB [side, side, 3]."""
    offsets = record["face_offsets"]
    if not len(offsets):
        raise BadBundle(f"clip {key}: expected face frames, got none; prepare the corpus again with measure.params.frames=true")
    # OpenCV decodes to blue, green, red; every picture of the house is red, green, blue
    picture = cv2.imdecode(record["face_frames"][offsets[frame] : offsets[frame + 1]], cv2.IMREAD_COLOR)
    if picture is None:
        raise BadBundle(f"clip {key}: expected a JPEG as frame {frame}, got damaged bytes; prepare the corpus again")
    return np.ascontiguousarray(picture[..., ::-1], np.uint8)


def resized(picture: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """A square picture at [size, size, 3]."""
    if picture.shape[0] == size:
        return picture
    way = cv2.INTER_AREA if picture.shape[0] > size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (size, size), interpolation=way), np.uint8)


def _tensor(picture: NDArray[np.uint8]) -> Tensor:
    """[H, W, 3] -> [1, 3, H, W]."""
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))[None]


class FrameData(TrainingData):
    """Train and validation pairs from one store with face frames, or from several mixed by weight.

    Args:
        store: folder of a feature store, or an open source; or what `stores` takes; None beside `stores`.
        drawing: how landmarks become a picture.
        size: S; that of the drawing without one.
        seed: fixes every batch.
        batch_size: B.
        validation_batches: how many fixed batches judge the run; every store gives as many as the next, and at least one.
        ahead: batches made ahead in a thread; 0 makes each when it is asked for.
        clips: only the first of each store's training clips; None takes all. For trials that a model should learn by heart.
        stores: several stores, in the place of `store`; see `data/stores.py`.
        candidates: the looks come from the frame most unlike the target, of 1 to so many drawn ones; 1 takes any, as published.
    """

    def __init__(
        self,
        store: str | Path | Any | None,
        drawing: Drawing,
        size: int | None = None,
        seed: int = 0,
        batch_size: int = 4,
        validation_batches: int = 4,
        ahead: int = 4,
        clips: int | None = None,
        stores: Any = None,
        candidates: int = 1,
    ) -> None:
        if candidates < 1:
            raise ValueError(f"expected at least 1 candidate, got {candidates}")
        if batch_size < 1 or validation_batches < 1:
            raise ValueError(f"expected batch_size and validation_batches of at least 1, got {batch_size} and {validation_batches}")
        self.source = source_of(store, stores)
        self.drawing, self.size, self.seed, self.ahead = drawing, size or drawing.size, seed, ahead
        train = {name: dict(list(some.items())[:clips]) for name, some in training_lengths(self.source, PAIR).items()}
        shares = clip_weights(self.source, train) if isinstance(self.source, JoinedStores) else None
        self.train = FramePairs(self.source, together(train), drawing, self.size, seed, batch_size, shares, candidates)
        judged = [list(some) for some in judged_lengths(self.source, train, PAIR).values() if some]
        self.valid = turn_by_turn(
            [FramePairs(self.source, keys, drawing, self.size, VALIDATION_SEED, batch_size, None, candidates) for keys in judged]
        )
        self.validation_batches = max(validation_batches, len(judged))
        first = self.train.keys[0]
        face_frame(first, self.source.read(first, ARRAYS), 0)  # a store without pictures is refused before the first step

    def statistics(self) -> tuple[Sequence[float], Sequence[float]]:
        """None: pictures are -1..1 as they are."""
        return (), ()
