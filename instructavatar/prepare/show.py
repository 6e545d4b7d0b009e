"""Show one clip of a store: its fields in words, and a picture of its frames, landmarks and curves."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from instructavatar.data.record import Record
from instructavatar.data.store import FeatureStore
from instructavatar.errors import CannotWrite, MissingFile
from instructavatar.face.motion import ACTION_COUNT, COLUMNS, FRAME_RATE_HZ, ROTATION

_COLUMNS = 6  # frames that are drawn
_CURVES = 8  # actions that move most
_SIDE = 256


def describe(store: FeatureStore, key: str) -> str:
    """What the store holds of a clip, a line a field."""
    record = store[key]
    split = next((name for name, keys in store.header.splits.items() if key in keys), "none")
    lines = [f"{key}  ({split}; {record['latent_length']} frames, {record['latent_length'] / FRAME_RATE_HZ:.2f} s)"]
    return "\n".join(lines + [f"  {name:<16} {_told(value)}" for name, value in record.items()])


def _told(value: Any) -> str:
    if isinstance(value, np.ndarray):
        spread = f"  {value.min():.4g} .. {value.max():.4g}" if value.size else ""
        return f"{value.dtype} {list(value.shape)}{spread}"
    if isinstance(value, list) and value and isinstance(value[0], str):
        return ("\n" + " " * 19).join(map(str, value))
    return repr(value)


def draw(store: FeatureStore, key: str, path: Path | str) -> Path:
    """Write a PNG of a clip: frames with landmarks above (where the store has them), curves of face, head and sound below."""
    try:
        import matplotlib
    except ModuleNotFoundError as error:
        raise MissingFile("drawing a clip needs matplotlib; pip install 'instructavatar[train]'") from error
    matplotlib.use("Agg")
    from matplotlib import pyplot

    record, path = store[key], Path(path)
    figure, axes = pyplot.subplots(4, 1, figsize=(12, 12), height_ratios=(2.2, 2, 1.4, 1), constrained_layout=True)
    figure.suptitle("\n".join([key, *record["instruction"][:2]]), fontsize=10)
    axes[0].imshow(film(record))
    axes[0].set_axis_off()
    _draw_curves(axes[1:], record)
    part = path.with_name(path.name + ".part")
    try:
        figure.savefig(part, format="png", dpi=90)
        os.replace(part, path)
    except OSError as error:
        raise CannotWrite(f"expected a picture to be written to {path}, got {error.strerror}; choose another --png") from error
    finally:
        pyplot.close(figure)
        part.unlink(missing_ok=True)
    return path


def _draw_curves(axes: Any, record: Record) -> None:
    motion = record["face_motion"] if len(record["face_motion"]) else record["motion_latent"]
    times = np.arange(len(motion)) / FRAME_RATE_HZ
    for column in np.argsort(-motion[:, :ACTION_COUNT].std(0))[:_CURVES]:
        axes[0].plot(times, motion[:, column], label=COLUMNS[column])
    for column, name in enumerate(COLUMNS[ROTATION], ROTATION.start):
        axes[1].plot(times, motion[:, column], label=f"{name} (degrees)")
    sound = record["audio_feat"].astype(np.float32)
    sound = (sound - sound.mean(0)) / (sound.std(0) + 1e-3) if len(sound) else sound
    axes[2].imshow(sound.T if len(sound) else np.zeros((1, 1)), aspect="auto", extent=(0, times[-1], 0, sound.shape[1]), cmap="magma")
    axes[2].set_ylabel("speech" if record["audio_flag"] else "no sound")
    axes[2].set_xlabel("seconds")
    for axis in axes[:2]:
        axis.set_xlim(0, max(times[-1], 1e-3))
        axis.legend(loc="upper right", fontsize=7, ncols=2)


def film(record: Record, count: int = _COLUMNS) -> NDArray[np.uint8]:
    """Evenly spaced face crops side by side [256, 256 n, 3], landmarks drawn on them; black where only landmarks are known."""
    picked = np.linspace(0, record["latent_length"] - 1, count).round().astype(int)
    return np.concatenate([_face(record, frame) for frame in picked], axis=1)


def _face(record: Record, frame: int) -> NDArray[np.uint8]:
    offsets = record["face_offsets"]
    picture = np.zeros((_SIDE, _SIDE, 3), np.uint8)
    if len(offsets):
        decoded = cv2.imdecode(record["face_frames"][offsets[frame] : offsets[frame + 1]], cv2.IMREAD_COLOR)
        if decoded is not None:
            picture = np.ascontiguousarray(cv2.resize(decoded, (_SIDE, _SIDE))[..., ::-1])
            scale = _SIDE / decoded.shape[1]
    if len(record["ldmk"]):
        scale = scale if len(offsets) else 1.0
        for x, y in (record["ldmk"][frame, :, :2].astype(np.float32) * scale).round().astype(int):
            cv2.circle(picture, (int(x), int(y)), 1, (90, 255, 120), -1)
    else:
        cv2.putText(picture, "no pixels here", (50, _SIDE // 2), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (200, 200, 200), 1)
    return picture
