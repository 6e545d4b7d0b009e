"""What every writer of frames has in common: order, a thread for the encoder, and nothing half-written left behind.

H, W picture height and width; C channels: 3 for RGB, 4 with opacity.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Self

import av
import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import BadMedia
from instructavatar.media.behind import Behind
from instructavatar.media.files import cannot_write, written_beside


class FrameWriter(ABC):
    """Takes frames as they are drawn and encodes them on a thread of its own, so the next is drawn meanwhile.

    Use as a context: the target appears only when the block ends well. A subclass says how a frame is encoded.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """`path` is the target."""
        self.path = Path(path)
        self.frame_count = 0
        """Frames taken so far."""
        self._shape: tuple[int, ...] = ()
        self._place = self._placed()
        self._behind = Behind(self._encode)

    def __enter__(self) -> Self:
        self._part = self._place.__enter__()
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        try:
            if error is None:
                self._end()
        except BaseException as failure:
            self._give_up()
            self._place.__exit__(type(failure), failure, failure.__traceback__)
            raise
        if error is not None:
            self._give_up()
        self._place.__exit__(kind, error, trace)

    def write(self, frame: NDArray[np.uint8]) -> None:
        """Add one frame, uint8 [H, W, C], all of one shape. It is encoded later, so do not draw into it again."""
        if not self._shape:
            self._check_first(frame)
            self._shape = frame.shape
        if frame.shape != self._shape or frame.dtype != np.uint8:
            raise ValueError(f"expected uint8 frames {list(self._shape)}, got {frame.dtype} {list(frame.shape)}")
        self._behind.put(frame)
        self.frame_count += 1

    def _placed(self) -> AbstractContextManager[Path]:
        """Where to write until all is done."""
        return written_beside(self.path)

    def _check_first(self, frame: NDArray[np.uint8]) -> None:
        """Refuse frames that cannot be written."""
        if frame.ndim != 3 or frame.shape[2] not in (3, 4):
            raise ValueError(f"expected RGB or RGBA frames [H, W, C], got shape {list(frame.shape)}")

    @abstractmethod
    def _encode(self, frame: NDArray[np.uint8]) -> None:
        """Encode one frame; called in order, on the writer's own thread."""

    @abstractmethod
    def _finish(self) -> None:
        """Write what is left, after the last frame."""

    def _release(self) -> None:  # noqa: B027  (most have nothing to let go of)
        """Close after a failure; what was written is thrown away."""

    def _end(self) -> None:
        self._behind.close()
        if not self.frame_count:
            raise BadMedia(f"expected at least one frame to write to '{self.path}', got none; ask for a longer clip")
        self._finish()

    def _give_up(self) -> None:
        self._behind.cancel()
        self._release()

    @contextmanager
    def _disk_errors(self) -> Iterator[None]:
        """What goes wrong in the encoder is the disk's fault: frames are checked before."""
        try:
            yield
        except (av.error.FFmpegError, OSError) as error:
            raise cannot_write(self.path, error) from error
