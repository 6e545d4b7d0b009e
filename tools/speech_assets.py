"""Make tests/assets/speech/: voices that training never hears, with phone times.

    python tools/speech_assets.py OUT_FOLDER [LIBRIVOX_FOLDER]

LibriVox readers (public domain) come from the Debian package pocketsphinx-testdata; their phones by pocketsphinx's forced alignment
(BSD-2). The voice awb comes from Debian's flite (BSD-like); its phones are the synthesiser's own. Each NAME.flac has a NAME.phones.json:
[[phone, start_s, end_s], ...], lower-case ARPABET, "pau" for silence.
"""

from __future__ import annotations

import json
import re
import sys
import wave
from pathlib import Path

import av
import numpy as np

from instructavatar.face.motion import SAMPLE_RATE_HZ
from instructavatar.prepare.voices import SILENCE, Phone, speak_flite, tidy

LIBRIVOX = Path("/usr/share/pocketsphinx/test/data/librivox")
AWB = {
    "awb_1": "Please bring my brown umbrella, the bus may be very wet above.",
    "awb_2": "You move far too slowly. Wait for me by the warm window, Bob.",
    "awb_3": "Five or six people who were away have now come home.",
}


def align(audio: np.ndarray, text: str) -> list[Phone]:
    """Phones of int16 sound whose words are known: words first, then phones within them."""
    from pocketsphinx import Decoder

    decoder = Decoder(samprate=SAMPLE_RATE_HZ, loglevel="FATAL", lm=None)
    decoder.set_align_text(text)
    for second in (False, True):
        if second:
            decoder.set_alignment()
        decoder.start_utt()
        decoder.process_raw(audio.tobytes(), no_search=False, full_utt=True)
        decoder.end_utt()
    found = [(phone.name, phone.start / 100, (phone.start + phone.duration) / 100) for word in decoder.get_alignment() for phone in word]
    return [(SILENCE if name == "SIL" or name.startswith("+") else name.lower(), start, end) for name, start, end in found]


def write(out: Path, name: str, audio: np.ndarray, phones: list[Phone]) -> None:
    """FLAC of int16 sound, and its phones."""
    with av.open(str(out / f"{name}.flac"), "w") as box:
        stream = box.add_stream("flac", rate=SAMPLE_RATE_HZ, layout="mono")
        frame = av.AudioFrame.from_ndarray(audio[None], format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE_HZ
        for piece in (frame, None):
            box.mux(stream.encode(piece))
    lines = ",\n".join(json.dumps(phone) for phone in tidy(phones, len(audio) / SAMPLE_RATE_HZ))
    (out / f"{name}.phones.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def main(out: Path, librivox: Path) -> None:
    """Write all clips."""
    out.mkdir(parents=True, exist_ok=True)
    for text, name in re.findall(r"<s> (.*?) </s> \((.*?)\)", (librivox / "transcription").read_text()):
        with wave.open(str(librivox / f"{name}.wav"), "rb") as sound:
            audio = np.frombuffer(sound.readframes(sound.getnframes()), np.int16)
        write(out, f"librivox_{name[-4:]}", audio, align(audio, text))
    for name, text in AWB.items():
        spoken = speak_flite(text, "awb")
        write(out, name, np.round(spoken.audio * 32767).astype(np.int16), list(spoken.phones))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else LIBRIVOX)
