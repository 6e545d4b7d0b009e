"""Opacity: the portrait's own, moved by the maps that moved the picture.

Mouth and eyes are drawn where the face is, which is opaque in a picture that shows one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from instructavatar.codecs.warp import kernels


class Opacity:
    """A portrait's opacity and the working memory to move it."""

    def __init__(self, alpha: NDArray[np.uint8], box: tuple[int, int, int, int]) -> None:
        """`alpha` is [H, W] of the portrait; `box` is that of its appearance."""
        self.alpha, self.box = alpha, box
        x0, y0, x1, y1 = box
        # The picture's own kernels, for edges of opacity and colour must fall on the same pixels.
        self.inside = np.ascontiguousarray(np.repeat(alpha[y0:y1, x0:x1, None], 3, axis=2))
        self.packed = kernels.pack(self.inside)
        self.seams = np.empty((16 * sum(self.inside.shape[:2]), 2), np.int32)
        self.out = np.empty_like(self.inside)

    def drawn(self, owner: NDArray[np.int16], maps: NDArray[np.float32], fold: np.float32) -> NDArray[np.uint8]:
        """[H, W] under the frame that these triangles and maps have just drawn, with the picture continued by `fold` pixels."""
        seams = kernels.sample(self.inside, self.packed, owner, maps, self.seams, self.out, fold)
        kernels.soften(self.out, self.seams, seams)
        picture = self.alpha.copy()
        x0, y0, x1, y1 = self.box
        picture[y0:y1, x0:x1] = self.out[..., 0]
        return picture
