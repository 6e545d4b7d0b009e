"""One clip's record: its fields, its check, and its bytes.

T video frames (25 Hz), D numbers a frame of motion (58 until a codec's latents stand there), W a row of speech features. `motion_latent`
[T, D] and `audio_feat` [2T, W] lie frame to frame.

A record is framed as: length of the head (4 bytes, little-endian), head (JSON: plain values, and name, dtype and shape of each array), then
the arrays' bytes one after another. Nothing is pickled.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Container, Mapping
from typing import Any

import numpy as np

from instructavatar.errors import BadBundle
from instructavatar.face.landmarks import POINT_COUNT
from instructavatar.face.motion import MOTION_DIM, SPEECH_PER_FRAME

SPEECH_DIM = 384
TEXT_DIM = 384

# dtype and shape of each array, type of each plain value. The ten names of the published recipe, then what is ours.
FIELDS: dict[str, Any] = {
    "motion_latent": ("float32", ("T", "D")),
    "audio_feat": ("float16", ("2T or 0", "W")),
    "latent_length": int,
    "filename": str,
    "pose": ("float32", ("T", 3)),
    "instruction": list,
    "inst_flag": bool,
    "audio_flag": bool,
    "appear_latent": ("float16", ("any",)),
    "ldmk": ("float16", ("T or 0", POINT_COUNT, 3)),  # pixels of the face crop
    "action_units": list,  # names
    "unit_strengths": list,  # 0..1 of each of them; [] where they were asked for and not measured
    "face_motion": ("float32", ("T or 0", MOTION_DIM)),  # where motion_latent holds a codec's latents
    "crop": list,  # left, top, side of the face crop in pixels of the video; [] where nothing was measured
    "face_frames": ("uint8", ("any",)),  # the JPEG files of the face crops, one after another
    "face_offsets": ("int64", ("T+1 or 0",)),  # where each begins, and the end
    "speaker": str,
    "emotion": str,
    "intensity": int,
}
Record = dict[str, Any]


def complete(given: Mapping[str, Any]) -> Record:
    """The record with everything that `given` leaves out empty."""
    return {name: given[name] if name in given else _empty(kind) for name, kind in FIELDS.items()}


def _empty(kind: Any) -> Any:
    if isinstance(kind, type):
        return kind()
    dtype, shape = kind
    return np.zeros([size if isinstance(size, int) else 0 for size in shape], dtype)


def to_bytes(record: Mapping[str, Any]) -> bytes:
    """Frame a record of arrays and plain values."""
    arrays = {name: np.ascontiguousarray(value) for name, value in record.items() if isinstance(value, np.ndarray)}
    head = {
        "values": {name: value for name, value in record.items() if name not in arrays},
        "arrays": [[name, array.dtype.str, array.shape] for name, array in arrays.items()],
    }
    text = json.dumps(head, ensure_ascii=False, sort_keys=True).encode()
    text += b" " * (-(len(text) + 4) % 16)  # so that the arrays lie aligned
    return b"".join([struct.pack("<I", len(text)), text, *(array.tobytes() for array in arrays.values())])


def from_bytes(data: bytes | memoryview, arrays: Container[str] | None = None) -> Record:
    """The record in the frame, or of its arrays only those named; they may be written to.

    >>> from_bytes(to_bytes({"a": np.arange(3), "b": "x"}))
    {'b': 'x', 'a': array([0, 1, 2])}
    """
    try:
        head, start = _head(data)
        record = dict(head["values"])
        for name, dtype, shape in head["arrays"]:
            kind, count = np.dtype(dtype), math.prod(shape)
            if arrays is None or name in arrays:
                record[name] = np.frombuffer(data, kind, count, start).reshape(shape).copy()
            start += count * kind.itemsize
    except (struct.error, ValueError, KeyError, TypeError) as error:
        raise BadBundle(f"expected a record of the store, got damaged bytes ({error}); prepare the store again") from error
    return record


def head_of(data: bytes | memoryview) -> Record:
    """The plain values of a framed record, without its arrays."""
    try:
        return dict(_head(data)[0]["values"])
    except (struct.error, ValueError, KeyError, TypeError) as error:
        raise BadBundle(f"expected a record of the store, got damaged bytes ({error}); prepare the store again") from error


def _head(data: bytes | memoryview) -> tuple[dict[str, Any], int]:
    """The head of a frame, and where its arrays begin."""
    (size,) = struct.unpack_from("<I", data)
    return json.loads(bytes(data[4 : 4 + size])), 4 + size


def check_record(key: str, record: Mapping[str, Any]) -> None:
    """Refuse a record whose fields, types or lengths do not fit together; the error names the clip and the field."""
    missing, extra = set(FIELDS) - set(record), set(record) - set(FIELDS)
    if missing or extra:
        raise BadBundle(f"clip {key}: expected the fields {sorted(FIELDS)}, missing {sorted(missing)}, unknown {sorted(extra)}")
    frames = record["latent_length"]
    for name, kind in FIELDS.items():
        if not isinstance(kind, type):
            _check_array(key, name, record[name], kind[0], kind[1], frames)
        elif not isinstance(record[name], kind):
            raise BadBundle(f"clip {key}: expected {name} to be {kind.__name__}, got {type(record[name]).__name__}")
    if not frames:
        raise BadBundle(f"clip {key}: expected latent_length of at least one frame, got {frames}")
    if record["audio_flag"] and not len(record["audio_feat"]):
        raise BadBundle(f"clip {key}: audio_flag is set but audio_feat is empty; run prepare again")
    if record["inst_flag"] != bool(record["instruction"]):
        raise BadBundle(f"clip {key}: inst_flag is {record['inst_flag']} but there are {len(record['instruction'])} instructions")


def _sizes(frames: int) -> dict[str, tuple[int, ...]]:
    """What each word of a shape allows."""
    return {"T": (frames,), "T or 0": (frames, 0), "2T or 0": (SPEECH_PER_FRAME * frames, 0), "T+1 or 0": (frames + 1, 0)}


def _check_array(key: str, name: str, array: object, dtype: str, shape: tuple[Any, ...], frames: int) -> None:
    if not isinstance(array, np.ndarray) or array.dtype != dtype or array.ndim != len(shape) or not _fits(array.shape, shape, frames):
        got = f"{array.dtype} {list(array.shape)}" if isinstance(array, np.ndarray) else type(array).__name__
        raise BadBundle(f"clip {key}: expected {name} to be {dtype} {list(shape)} with T {frames}, got {got}; run prepare again")
    if not np.isfinite(array).all():
        raise BadBundle(f"clip {key}: expected finite numbers in {name}, got NaN or infinity")


def _fits(got: tuple[int, ...], shape: tuple[Any, ...], frames: int) -> bool:
    sizes = _sizes(frames)
    return all(size == want if isinstance(want, int) else size in sizes.get(want, (size,)) for size, want in zip(got, shape, strict=True))
