"""One clip's record: its fields, its check, and its bytes.

T video frames (25 Hz). `motion_latent` [T, 58] and `audio_feat` [2T, 384] (or [0, 384] without sound) lie frame to frame.

A record is framed as: length of the head (4 bytes, little-endian), head (JSON: plain values, and name, dtype and shape of each array), then
the arrays' bytes one after another. Nothing is pickled.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

from instructavatar.errors import BadBundle
from instructavatar.face.motion import MOTION_DIM, SPEECH_PER_FRAME

SPEECH_DIM = 384

# dtype and shape of each array, type of each plain value; T, L stand for any length
FIELDS: dict[str, Any] = {
    "motion_latent": ("float32", ("T", MOTION_DIM)),
    "audio_feat": ("float16", ("2T or 0", SPEECH_DIM)),
    "latent_length": int,
    "filename": str,
    "pose": ("float32", ("T", 3)),
    "instruction": list,
    "inst_flag": bool,
    "audio_flag": bool,
    "action_units": list,
    "appear_latent": ("float32", ("any",)),
    "ldmk": ("float32", ("any",)),
}
Record = dict[str, Any]


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


def from_bytes(data: bytes) -> Record:
    """The record in the frame; its arrays may be written to.

    >>> from_bytes(to_bytes({"a": np.arange(3), "b": "x"}))
    {'b': 'x', 'a': array([0, 1, 2])}
    """
    try:
        (size,) = struct.unpack_from("<I", data)
        head = json.loads(data[4 : 4 + size])
        record, body, start = dict(head["values"]), bytearray(data[4 + size :]), 0
        for name, dtype, shape in head["arrays"]:
            count = int(np.prod(shape))
            record[name] = np.frombuffer(body, np.dtype(dtype), count, start).reshape(shape)
            start += record[name].nbytes
    except (struct.error, ValueError, KeyError, TypeError) as error:
        raise BadBundle(f"expected a record of the store, got damaged bytes ({error}); prepare the store again") from error
    return record


def check_record(key: str, record: Mapping[str, Any]) -> None:
    """Refuse a record whose fields, types or lengths do not fit together; the error names the clip and the field."""
    missing, extra = set(FIELDS) - set(record), set(record) - set(FIELDS)
    if missing or extra:
        raise BadBundle(f"clip {key}: expected the fields {sorted(FIELDS)}, missing {sorted(missing)}, unknown {sorted(extra)}")
    for name, kind in FIELDS.items():
        if isinstance(kind, type):
            if not isinstance(record[name], kind):
                raise BadBundle(f"clip {key}: expected {name} to be {kind.__name__}, got {type(record[name]).__name__}")
        else:
            _check_array(key, name, record[name], *kind)
    frames, speech = int(record["latent_length"]), len(record["audio_feat"])
    if not frames or len(record["motion_latent"]) != frames or len(record["pose"]) != frames:
        lengths = f"motion {len(record['motion_latent'])}, pose {len(record['pose'])}"
        raise BadBundle(f"clip {key}: expected latent_length frames of everything and at least one, got {frames}; {lengths}")
    if speech not in ((SPEECH_PER_FRAME * frames,) if record["audio_flag"] else (0,)):
        raise BadBundle(
            f"clip {key}: expected {SPEECH_PER_FRAME * frames} rows of audio_feat for {frames} frames with sound, 0 without, "
            f"got {speech} with audio_flag {record['audio_flag']}; run prepare again"
        )
    if record["inst_flag"] != bool(record["instruction"]):
        raise BadBundle(f"clip {key}: inst_flag is {record['inst_flag']} but there are {len(record['instruction'])} instructions")


def _check_array(key: str, name: str, array: object, dtype: str, shape: tuple[Any, ...]) -> None:
    fits = isinstance(array, np.ndarray) and array.dtype == dtype and array.ndim == len(shape)
    if not fits or any(isinstance(want, int) and got != want for want, got in zip(shape, array.shape, strict=True)):  # type: ignore[attr-defined]
        got = f"{array.dtype} {list(array.shape)}" if isinstance(array, np.ndarray) else type(array).__name__
        raise BadBundle(f"clip {key}: expected {name} to be {dtype} {list(shape)}, got {got}")
    if not np.isfinite(array).all():  # type: ignore[call-overload]
        raise BadBundle(f"clip {key}: expected finite numbers in {name}, got NaN or infinity")
