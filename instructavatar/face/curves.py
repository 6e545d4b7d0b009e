"""FaceMotion <-> files a person, a spreadsheet or an animation tool can read.

CSV: one column per curve, a header with names from `COLUMNS` (any order, any subset, an optional `time` in seconds).
JSON: {"fps": 25, "curves": {"jawOpen": [0.0, 0.1, ...], "yaw": ...}}.
Curves at another rate are resampled to 25 frames per second.
"""

from __future__ import annotations

import csv
import difflib
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import BadMedia, MissingFile
from instructavatar.face.motion import ACTION_COUNT, COLUMNS, FRAME_RATE_HZ, INDEX, MOTION_DIM, ROTATION, TRANSLATION, FaceMotion

_RANGES = (
    ("actions", slice(0, ACTION_COUNT), -0.05, 1.5),
    ("head rotation in degrees", ROTATION, -90.0, 90.0),
    ("head translation in inter-ocular distances", TRANSLATION, -4.0, 4.0),
)


def read_curves(path: str | Path) -> FaceMotion:
    """Motion from a CSV or JSON file.

    Raises:
        MissingFile: no such file.
        BadMedia: not CSV or JSON of curves, an unknown name, uneven lengths, or numbers that are not finite or out of range.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFile(f"expected motion curves (.csv or .json), found no file at {path}")
    try:
        text = path.read_text(encoding="utf-8-sig")
        rate_hz, curves = _parse_json(text) if path.suffix.lower() == ".json" else _parse_csv(text)
    except OSError as error:
        raise MissingFile(f"expected readable motion curves at {path}, got: {error.strerror}") from error
    except (ValueError, TypeError, AttributeError, LookupError, csv.Error) as error:
        raise BadMedia(
            f"{path} does not hold motion curves: {error}; expected a CSV with a header of names or JSON with 'curves'"
        ) from error
    return _assemble(path, rate_hz, curves)


def write_curves(motion: FaceMotion, path: str | Path) -> None:
    """Write every curve, as CSV or JSON by the file's ending."""
    path = Path(path)
    if path.suffix.lower() == ".json":
        curves = {name: [round(float(v), 5) for v in motion.column(name)] for name in COLUMNS}
        path.write_text(json.dumps({"fps": FRAME_RATE_HZ, "curves": curves}), encoding="utf-8")
        return
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["time", *COLUMNS])
        for frame, row in enumerate(motion.values):
            writer.writerow([f"{frame / FRAME_RATE_HZ:.2f}", *(f"{v:.5f}" for v in row)])


def _parse_json(text: str) -> tuple[float, dict[str, list[float]]]:
    data = json.loads(text)
    return float(data.get("fps", FRAME_RATE_HZ)), {name: [float(v) for v in curve] for name, curve in data["curves"].items()}


def _parse_csv(text: str) -> tuple[float, dict[str, list[float]]]:
    rows = list(csv.reader(text.splitlines()))
    if len(rows) < 2:
        raise ValueError("no rows under the header")
    names = [name.strip() for name in rows[0]]
    columns = {name: [float(row[i]) for row in rows[1:] if row] for i, name in enumerate(names)}
    times = columns.pop("time", [])
    rate_hz = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 and times[-1] > times[0] else float(FRAME_RATE_HZ)
    return rate_hz, columns


def _assemble(path: Path, rate_hz: float, curves: dict[str, list[float]]) -> FaceMotion:
    for name in curves:
        if name not in INDEX:
            close = difflib.get_close_matches(name, COLUMNS, n=1)
            raise BadMedia(f"{path} has a curve {name!r} that is not one of the 58{f'; did you mean {close[0]!r}?' if close else ''}")
    lengths = {len(curve) for curve in curves.values()}
    if len(lengths) != 1 or 0 in lengths:
        raise BadMedia(f"expected curves of one length in {path}, got lengths {sorted(lengths)}")
    values = np.zeros((lengths.pop(), MOTION_DIM), np.float32)
    for name, curve in curves.items():
        values[:, INDEX[name]] = curve
    _check_range(path, rate_hz, values)
    return FaceMotion(_resample(values, rate_hz))


def _check_range(path: Path, rate_hz: float, values: NDArray[np.float32]) -> None:
    """Refuse what no face does; curves in percent are the usual cause."""
    if not np.isfinite(values).all():
        raise BadMedia(f"expected finite numbers in {path}, got NaN or infinity")
    if not 1 <= rate_hz <= 1000:
        raise BadMedia(f"expected 1 to 1000 frames per second in {path}, got {rate_hz:g}")
    for what, columns, low, high in _RANGES:
        outside = (values[:, columns] < low) | (values[:, columns] > high)
        if outside.any():
            raise BadMedia(f"expected {what} from {low:g} to {high:g} in {path}, got {values[:, columns][outside][0]:g}")


def _resample(values: NDArray[np.float32], rate_hz: float) -> NDArray[np.float32]:
    if abs(rate_hz - FRAME_RATE_HZ) < 0.01:
        return values
    frames = max(1, round(len(values) / rate_hz * FRAME_RATE_HZ))
    position = np.arange(frames) * rate_hz / FRAME_RATE_HZ
    return np.stack([np.interp(position, np.arange(len(values)), column) for column in values.T], 1).astype(np.float32)
