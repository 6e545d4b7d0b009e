"""Makers of small media files, encoded here so that no test needs a file."""

from fractions import Fraction

import av
import numpy as np
import pytest


def tone(seconds, rate_hz, frequency_hz=440.0):
    return (0.5 * np.sin(2 * np.pi * frequency_hz * np.arange(round(seconds * rate_hz)) / rate_hz)).astype(np.float32)


def encode(path, channels, codec, sample_format, rate_hz, container_format=None):
    """Encode float [C, N] with that codec; time stamps as a muxer expects them."""
    layout = "mono" if len(channels) == 1 else "stereo"
    with av.open(str(path), "w", format=container_format) as container:
        stream = container.add_stream(codec, rate=rate_hz, layout=layout)
        stream.format = sample_format
        resampler = av.AudioResampler(sample_format, layout, rate_hz)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(channels, np.float32), "fltp", layout)
        frame.sample_rate = rate_hz
        fifo = av.AudioFifo()
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            part.pts = None
            fifo.write(part)
        done = 0
        while (block := fifo.read(stream.codec_context.frame_size or 4096, partial=True)) is not None:
            block.pts, block.time_base = done, Fraction(1, rate_hz)
            done += block.samples
            container.mux(stream.encode(block))
        container.mux(stream.encode(None))
    return path


def moving_square(frames, height=64, width=96):
    """Frames with a smooth background and a red square that moves 2 pixels a frame."""
    y, x = np.mgrid[:height, :width]
    for t in range(frames):
        frame = np.stack([x * 255 // width, y * 255 // height, np.full_like(x, 90)], -1).astype(np.uint8)
        frame[8:24, 2 * t : 2 * t + 16] = (250, 20, 20)
        yield frame


@pytest.fixture(name="tone")
def tone_fixture():
    return tone


@pytest.fixture(name="encode")
def encode_fixture():
    return encode


@pytest.fixture(name="moving_square")
def moving_square_fixture():
    return moving_square
