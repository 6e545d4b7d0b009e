"""Lip sync: speech of voices that training never heard -> motion -> lip opening, against what the phones ask for.

The opening is the distance of the inner lips (landmarks 13 and 14) of the rig under the generated actions, in inter-ocular distances. With
--material, the generated opening is also compared with the lips of a real speaker in videos/talking_*.mp4.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from common import SOUNDS, VIDEOS, Row, console, files, options, phones_of, portraits, report, row
from numpy.typing import NDArray

from instructavatar import Avatar
from instructavatar.avatar import Subject
from instructavatar.face.motion import ACTION_COUNT, FaceMotion
from instructavatar.face.rig import Rig
from instructavatar.face.visemes import lip_aperture, visemes_of
from instructavatar.features.landmarks import FaceLandmarker
from instructavatar.features.lip_sync import LIPS
from instructavatar.media.audio import SAMPLE_RATE_HZ, read_audio
from instructavatar.media.video import frames_at, read_video
from instructavatar.metrics.base import Take
from instructavatar.metrics.lips import (
    Curve,
    best_delay,
    closures_asked,
    closures_kept,
    correlation,
    opening_of,
    silence,
    spoken_in,
    stillness,
)
from instructavatar.metrics.pairs import Phone

FARTHEST_OFFSET = 6  # frames
# Stillness is judged in a pause of this length before each clip, made of the recording's own room tone.
PAUSE_S = 1.5


def aperture(motion: FaceMotion, rig: Rig) -> Curve:
    """Opening of the lips [T] in inter-ocular distances; 0 for the neutral face, never negative: lips do not pass each other."""
    moved = rig.offsets(motion.values[:, :ACTION_COUNT])
    return np.maximum(moved[:, LIPS[0], 1] - moved[:, LIPS[1], 1], 0.0).astype(np.float64)


def with_pause(sound: NDArray[np.float32], phones: list[Phone]) -> tuple[NDArray[np.float32], list[Phone]]:
    """The clip with its leading pause drawn out to PAUSE_S, there and back through its own room tone; r is never taken from this."""
    start_s = next((start for phone, start, _ in phones if visemes_of(phone) != ("silence",)), 0.0)
    # The last moments before speech are breath and onset.
    tone = sound[: max(round((start_s - 0.08) * SAMPLE_RATE_HZ), 1)]
    if len(tone) < 0.05 * SAMPLE_RATE_HZ:
        tone = np.zeros(800, np.float32)
    added = np.resize(np.concatenate([tone, tone[::-1]]), round(PAUSE_S * SAMPLE_RATE_HZ)).astype(np.float32)
    later = [(phone, start + PAUSE_S, end + PAUSE_S) for phone, start, end in phones]
    return np.concatenate([added, sound]), later


@dataclass(frozen=True)
class Result:
    """One spoken clip."""

    name: str
    r: float
    offset: int
    kept: int
    closures: int
    stillness: float | None


def judge_speech(avatar: Avatar, rig: Rig, subject: Subject, path: Path, phones: list[Phone]) -> Result:
    """r, offset and closures on the clip as it is; stillness in a pause before it."""
    sound = read_audio(path)
    motion = avatar.animate(subject, audio=sound).motion
    curve, target = aperture(motion, rig), lip_aperture(phones, len(motion)).astype(np.float64)
    closures = closures_asked(phones, len(curve))
    drawn_out, later = with_pause(sound, phones)
    paused = aperture(avatar.animate(subject, audio=drawn_out).motion, rig)
    still = stillness(paused, silence(spoken_in(later), len(paused)))
    return Result(path.stem, correlation(curve, target), offset(curve, target), closures_kept(curve, closures), len(closures), still)


def offset(curve: Curve, target: Curve) -> int:
    """By how many frames the curve comes after the target; 0 where nothing moves."""
    return best_delay(curve, target, FARTHEST_OFFSET) or 0


def real_lips(path: Path, landmarker: FaceLandmarker) -> Curve:
    """Lip opening [T] of a real speaker in inter-ocular distances, measured frame by frame."""
    return opening_of(Take.measure(frames_at(path), landmarker))


def judge_videos(avatar: Avatar, rig: Rig, subject: Subject, material: Path | None) -> list[tuple[str, float, int]]:
    """(name, r, offset) of real speakers' videos."""
    landmarker, found = FaceLandmarker.load(), []
    for path in files("videos", VIDEOS, material):
        if path.stem.startswith("talking") and (sound := read_video(path).audio) is not None:
            curve, real = aperture(avatar.animate(subject, audio=sound).motion, rig), real_lips(path, landmarker)
            found.append((path.stem, correlation(curve, real), offset(curve, real)))
    return found


def stillness_without_sound(avatar: Avatar, rig: Rig, subject: Subject, speech_std: float) -> float:
    """Standard deviation of the lips over three seconds of digital silence, in % of that in speech."""
    curve = aperture(avatar.animate(subject, audio=np.zeros(3 * SAMPLE_RATE_HZ, np.float32)).motion, rig)
    return float(100 * curve.std() / max(speech_std, 1e-9))


def measure(args: argparse.Namespace) -> list[Row]:
    avatar, rig = Avatar.load(args.model), Rig.load()
    subject = neutral_subject(avatar, args.material)
    spoken = [(path, phones) for path in files("speech", SOUNDS, args.material) if (phones := phones_of(path))]
    results = [judge_speech(avatar, rig, subject, path, phones) for path, phones in (spoken[:3] if args.quick else spoken)]
    for one in results:
        quiet = "" if one.stillness is None else f", silence {one.stillness:.1f} %"
        console.print(f"  {one.name}: r {one.r:.2f}, offset {one.offset}, closures {one.kept}/{one.closures}{quiet}", highlight=False)
    quiet_shares = [one.stillness for one in results if one.stillness is not None]
    first = avatar.animate(subject, audio=spoken[0][0]).motion
    still = stillness_without_sound(avatar, rig, subject, float(aperture(first, rig).std()))
    rows = [
        row("r_en", _median([one.r for one in results]), "median over clips", ">= 0.75"),
        row("r_worst", min(one.r for one in results), "worst clip"),
        row("offset_frames", float(np.median([abs(one.offset) for one in results])), "frames, median size", "<= 1"),
        row("closures", 100 * sum(one.kept for one in results) / max(sum(one.closures for one in results), 1), "% of p, b, m", ">= 95"),
        row("silence_std", _median(quiet_shares), "% of speech's, in pauses", "<= 5"),
        row("silent_clip_std", still, "% of speech's, without any sound"),
        row("clips", float(len(results)), "clips"),
    ]
    for name, r, offset in judge_videos(avatar, rig, subject, args.material):
        rows.append(row(f"r_real {name}", r, f"with the speaker's own lips, offset {offset}", ">= 0.6"))
    return rows


def neutral_subject(avatar: Avatar, material: Path | None) -> Subject:
    """The first portrait that shows no expression of its own, so that only speech moves the lips."""
    analysed = (avatar.analyse(path, face="largest", max_side=512) for path in portraits(material))
    return next((subject for subject in analysed if not subject.rest.any()), None) or avatar.analyse(portraits(material)[0], face="largest")


def _median(values: list[float]) -> float | None:
    return float(np.median(values)) if values else None


def main() -> None:
    parser = options(__doc__.splitlines()[0])
    parser.add_argument("--model", help="bundle to measure; the default that ships otherwise")
    args = parser.parse_args()
    report("lips", measure(args), args.json)


if __name__ == "__main__":
    main()
