"""The portrait and the voice of `instructavatar demo`, from public-domain sources.

Needs the package scikit-image (for its picture of Eileen Collins, NASA, public domain) and Debian's pocketsphinx-testdata
(for a sentence of LibriVox's reading of Sense and Sensibility, public domain).
"""

from __future__ import annotations

from pathlib import Path

import av
import cv2
from build_weights import add, package_file

SPEECH = Path("/usr/share/pocketsphinx/test/data/librivox/sense_and_sensibility_01_austen_64kb-0870.wav")
CROP = (slice(0, 300), slice(70, 370))  # head and shoulders of the 512 x 512 picture
SIDE_PX = 600


def build(out: Path, picture: Path | None = None, speech: Path = SPEECH) -> None:
    """Write demo_portrait.jpg and demo_speech.flac and enter them in the manifest."""
    rgb = cv2.imread(str(picture or package_file("skimage", "data/astronaut.png")))
    portrait = out / "demo_portrait.jpg"
    enlarged = cv2.resize(rgb[CROP], (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_LANCZOS4)
    cv2.imwrite(str(portrait), enlarged, [cv2.IMWRITE_JPEG_QUALITY, 93])
    add(portrait, source="Eileen Collins, NASA, cropped from scikit-image's astronaut.png", licence="public domain")
    voice = out / "demo_speech.flac"
    _to_flac(speech, voice)
    add(voice, source="LibriVox, Sense and Sensibility, from Debian pocketsphinx-testdata", licence="public domain")


def _to_flac(source: Path, target: Path) -> None:
    with av.open(str(source)) as reader, av.open(str(target), "w") as writer:
        stream = writer.add_stream("flac", rate=16_000, layout="mono")
        resampler = av.AudioResampler(format="s16", layout="mono", rate=16_000)
        for frame in [*reader.decode(audio=0), None]:
            for part in resampler.resample(frame):
                writer.mux(stream.encode(part))
        writer.mux(stream.encode(None))


if __name__ == "__main__":
    build(Path(__file__).resolve().parents[1] / "instructavatar" / "weights")
