"""The published recipe's speech features: what the convolutions of wav2vec 2.0 or XLSR hear, 50 times a second.

N samples (16 kHz mono), T video frames (25 Hz), R rows (50 Hz), C channels (512 in all published models).

Seven convolutions turn 400 samples into a row every 320 samples; row r takes the samples from 320 r on, so that frame t owns the rows 2t
and 2t + 1. The transformer behind them is not used. The sound is brought to zero mean and unit variance first, as the models were trained
with; the published code divides by the largest sample instead, which silence makes a division by zero.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import BadBundle, BadMedia, BadOption, MissingFile
from instructavatar.face.motion import SAMPLE_RATE_HZ, SPEECH_PER_FRAME, SPEECH_RATE_HZ, frames_of
from instructavatar.features.speech import checked

STRIDE = SAMPLE_RATE_HZ // SPEECH_RATE_HZ
FIELD = 400  # samples that a row hears
SMALLEST_VARIANCE = 1e-7  # what transformers adds; keeps silence finite
_BLOCK = 500  # rows at a time: 10 s of sound, about 200 MB
_LONGEST_WHOLE_S = 120.0  # about 2.4 GB
_RULE = "unit-variance"  # part of the version: other rule, other numbers


class Wav2VecEncoder:
    """Frozen convolutional front end of a wav2vec 2.0 model in the layout of transformers. Nothing is ever downloaded.

    Args:
        model: a folder with config.json and weights, or the name of a model that was fetched before (facebook/wav2vec2-large-xlsr-53).
        threads: CPU threads of torch; the setting holds for the whole process.
    """

    name = "speech"
    rate_hz = float(SPEECH_RATE_HZ)

    def __init__(self, model: str | Path, threads: int = 1) -> None:
        if threads < 1:
            raise BadOption(f"expected at least one thread, got {threads}")
        self.model = str(model)
        self.threads = threads
        self.net, self.whole = _front_end(self.model, threads)
        self.dim = int(self.net.conv_layers[-1].conv.out_channels)
        self.version = f"wav2vec2-conv/{_RULE}/{_digest(self.net)}"

    def __reduce__(self) -> tuple[Any, ...]:
        return Wav2VecEncoder, (self.model, self.threads)  # a worker process loads its own

    def encode(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        """Features [2T, C] of sound [N] at 16 kHz, T = frames_of(N / 16000). Finite for silence; the sound's loudness does not matter."""
        scaled = normalised(checked(audio))
        rows = SPEECH_PER_FRAME * frames_of(len(scaled) / SAMPLE_RATE_HZ)
        if not rows:
            return np.zeros((0, self.dim), np.float32)
        padded = _padded(scaled, (rows - 1) * STRIDE + FIELD)
        if not self.whole:
            starts = range(0, rows, _BLOCK)
            return np.concatenate([self._run(_stretch(padded, start, min(_BLOCK, rows - start))) for start in starts])
        if len(scaled) > _LONGEST_WHOLE_S * SAMPLE_RATE_HZ:
            got = f"{len(scaled) / SAMPLE_RATE_HZ:.1f} s"
            raise BadMedia(
                f"expected at most {_LONGEST_WHOLE_S:g} s of sound for a model that must hear it at once, got {got}; cut the clip"
            )
        return self._run(padded)

    def _run(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        """Rows [R, C] of sound [(R - 1) * 320 + 400]."""
        import torch

        with torch.inference_mode():
            return self.net(torch.from_numpy(audio)[None])[0].T.contiguous().numpy()  # [1, C, R] -> [R, C]


def normalised(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sound [N] with zero mean and unit variance; silence stays zeros.

    >>> normalised(np.zeros(4, np.float32)).tolist()
    [0.0, 0.0, 0.0, 0.0]
    """
    if not len(audio):
        return audio
    wide = audio.astype(np.float64)
    wide -= wide.mean()
    return (wide / np.sqrt(wide.var() + SMALLEST_VARIANCE)).astype(np.float32)


def _padded(audio: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    """Cut or filled with zeros at the end, so that exactly the rows of T frames come out."""
    return np.pad(audio, (0, max(0, length - len(audio))))[:length]


def _stretch(audio: NDArray[np.float32], start: int, rows: int) -> NDArray[np.float32]:
    """The samples that some rows hear."""
    return audio[start * STRIDE : (start + rows - 1) * STRIDE + FIELD]


def _front_end(model: str, threads: int) -> tuple[Any, bool]:
    """The convolutions, and whether they must hear a sound as a whole (one of them normalises over time)."""
    try:
        import torch
        import transformers
    except ImportError as error:
        raise MissingFile(
            f"expected the package {error.name} for wav2vec features, found none; run: pip install torch transformers"
        ) from error
    torch.set_num_threads(threads)
    folder = _folder(model)
    with _Quiet(transformers):
        net, config = _loaded(transformers, folder)
    _refuse_other_rates(config, folder)
    return net.eval().requires_grad_(False), getattr(config, "feat_extract_norm", "layer") == "group"


def _loaded(transformers: Any, folder: Path) -> tuple[Any, Any]:
    """Convolutions and configuration; of the transformer behind them no layer is made, since XLSR's are 1.2 GB."""
    try:
        config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
        config.num_hidden_layers = 0
        model, told = transformers.AutoModel.from_pretrained(folder, config=config, local_files_only=True, output_loading_info=True)
        lost = [key for key in told["missing_keys"] if "feature_extractor" in key]
        net = model.feature_extractor
    except Exception as error:  # transformers raises OSError, ValueError, AttributeError and more for a foreign folder
        why = " ".join(str(error).split())[:200]
        raise BadBundle(f"expected a wav2vec 2.0 model of transformers in {folder}, could not load it ({why}); fetch it again") from error
    if lost:
        raise BadBundle(
            f"expected the weights of all convolutions in {folder}, missing {', '.join(sorted(lost)[:3])}; fetch the model again"
        )
    return net, config


def _folder(model: str) -> Path:
    """Where the model lies: a folder as it is, a name in the cache of huggingface_hub. Looks at this machine only."""
    if Path(model).is_dir():
        return Path(model)
    if Path(model).exists():
        raise BadOption(
            f"expected a folder with config.json and weights, got the file {model}; a fairseq checkpoint must be converted first"
        )
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(model, "config.json")
    except HFValidationError:
        found = None
    if not isinstance(found, str):
        how = f"fetch it once with `hf download {model}`, or put its config.json and weights into a folder and give that folder"
        raise MissingFile(f"expected the speech model {model} on this machine, found none; {how}")
    return Path(found).parent


def _refuse_other_rates(config: Any, folder: Path) -> None:
    """Rows must come every 320 samples and hear 400, or they would not lie beside the frames."""
    stride, field = 1, 1
    for kernel, step in zip(config.conv_kernel, config.conv_stride, strict=True):
        field += (kernel - 1) * stride
        stride *= step
    if (stride, field) != (STRIDE, FIELD):
        wanted = f"a row of {FIELD} samples every {STRIDE}"
        raise BadOption(f"expected a model that gives {wanted}, got one of {field} every {stride} in {folder}; take another model")


def _digest(net: Any) -> str:
    """The first 12 hex digits of a SHA-256 over the convolutions' weights."""
    found = hashlib.sha256()
    for name, value in sorted(net.state_dict().items()):
        found.update(name.encode())
        found.update(value.detach().cpu().float().numpy().tobytes())
    return found.hexdigest()[:12]


class _Quiet:
    """No bars and no talk of unused weights from transformers."""

    def __init__(self, transformers: Any) -> None:
        self.logging = transformers.utils.logging

    def __enter__(self) -> None:
        self.level = self.logging.get_verbosity()
        self.logging.set_verbosity_error()
        self.logging.disable_progress_bar()

    def __exit__(self, *_: object) -> None:
        self.logging.set_verbosity(self.level)
        self.logging.enable_progress_bar()
