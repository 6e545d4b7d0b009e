"""Numbers and names that two rooms must share but neither may import from the other: each is written twice and says the same."""

from __future__ import annotations

import pytest

from instructavatar.data import record
from instructavatar.face import motion
from instructavatar.features import speech, text
from instructavatar.media import audio, video_writer
from instructavatar.motion import bundle as read
from instructavatar.training import bundle as written


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(written.FORMAT_VERSION, read.FORMAT_VERSION, id="bundle format"),
        pytest.param(written.NETWORK, read.NETWORK, id="bundle network"),
        pytest.param(written.SETTINGS, read.CONFIG, id="bundle settings"),
        pytest.param(written.MANIFEST, read.MANIFEST, id="bundle manifest"),
        pytest.param(audio.SAMPLE_RATE_HZ, motion.SAMPLE_RATE_HZ, id="sample rate"),
        pytest.param(video_writer.FRAME_RATE_HZ, motion.FRAME_RATE_HZ, id="frame rate"),
        pytest.param(record.TEXT_DIM, text.TEXT_DIM, id="width of text states"),
        pytest.param(record.SPEECH_DIM, speech.SPEECH_DIM, id="width of speech features"),
    ],
)
def test_both_say_the_same(one, other):
    assert one == other
