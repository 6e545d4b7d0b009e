"""The sound as SyncNet was trained to hear it: 13 mel-frequency cepstral coefficients, 100 times a second.

The arithmetic is that of python_speech_features 0.6 with its defaults: pre-emphasis 0.97, windows of 25 ms every 10 ms without a taper,
512-point spectrum, 26 triangular mel filters, orthonormal cosine transform, lifter 22, and the log energy in place of the first
coefficient. Another package's MFCC differ in every one of these, and with them all numbers.

N samples, K windows.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from instructavatar.face.motion import SAMPLE_RATE_HZ

RATE_HZ = 100
COEFFICIENTS = 13
_STEP = SAMPLE_RATE_HZ // RATE_HZ
_WINDOW = SAMPLE_RATE_HZ * 25 // 1000
_EMPHASIS = 0.97
_FFT = 512
_FILTERS = 26
_LIFTER = 22
_LEAST = np.finfo(np.float64).eps  # in place of zero, whose logarithm is no number


def mfcc(samples: NDArray[np.int16]) -> NDArray[np.float64]:
    """[K, 13] of samples [N] at 16 kHz in the range of 16-bit integers; the last window is filled with zeros."""
    power = np.square(np.abs(np.fft.rfft(_windows(_emphasised(samples)), _FFT))) / _FFT  # [K, 257]
    heard = np.log(_never_zero(power @ _mel_filters().T))  # [K, 26]
    cepstra = heard @ _cosines().T * _lifter()
    cepstra[:, 0] = np.log(_never_zero(power.sum(1)))
    return np.asarray(cepstra)


def _emphasised(samples: NDArray[np.int16]) -> NDArray[np.float64]:
    sound = samples.astype(np.float64)
    return np.append(sound[:1], sound[1:] - _EMPHASIS * sound[:-1])


def _windows(sound: NDArray[np.float64]) -> NDArray[np.float64]:
    """[K, 400]; as many as are needed to hear every sample."""
    count = 1 + max(-(-(len(sound) - _WINDOW) // _STEP), 0)
    padded = np.pad(sound, (0, (count - 1) * _STEP + _WINDOW - len(sound)))
    return np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_STEP]


def _never_zero(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(values == 0, _LEAST, values)


@lru_cache(maxsize=1)
def _mel_filters() -> NDArray[np.float64]:
    """[26, 257] triangles between 0 Hz and half the sample rate; corners lie on whole bins, rounded down."""
    highest = 2595 * np.log10(1 + SAMPLE_RATE_HZ / 2 / 700)
    corners_hz = 700 * (10 ** (np.linspace(0, highest, _FILTERS + 2) / 2595) - 1)
    corners = np.floor((_FFT + 1) * corners_hz / SAMPLE_RATE_HZ)
    low, middle, high = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    bins = np.arange(_FFT // 2 + 1)
    rising = np.where((bins >= low) & (bins < middle), (bins - low) / (middle - low), 0)
    falling = np.where((bins >= middle) & (bins < high), (high - bins) / (high - middle), 0)
    return np.asarray(rising + falling)


@lru_cache(maxsize=1)
def _cosines() -> NDArray[np.float64]:
    """[13, 26] first rows of the orthonormal cosine transform of the second kind."""
    row, column = np.arange(COEFFICIENTS)[:, None], np.arange(_FILTERS)
    scale = np.where(row == 0, np.sqrt(1 / _FILTERS), np.sqrt(2 / _FILTERS))
    return np.asarray(scale * np.cos(np.pi * row * (2 * column + 1) / (2 * _FILTERS)))


def _lifter() -> NDArray[np.float64]:
    """[13] weights that bring the higher coefficients to the size of the lower ones."""
    return np.asarray(1 + _LIFTER / 2 * np.sin(np.pi * np.arange(COEFFICIENTS) / _LIFTER))
