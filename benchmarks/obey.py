"""Tally: silent clips made from instructions in words that training never saw, drawn on faces, measured again and judged.

Each clip is judged against the same face's uninstructed clip by `metrics/judge.py`. The row shuffled_text gives the generator another
kind's sentence behind the same instruction: what still passes then owes nothing to the words. The row oracle (with --oracle) poses the
same faces by the corpus's own acting, without a generator: what it misses is the drawing's or the judge's fault.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import Any

import numpy as np
from common import Row, console, options, portraits, report, row

from instructavatar import Avatar
from instructavatar.avatar import Subject
from instructavatar.errors import FaceProblem, InstructAvatarError
from instructavatar.face.motion import FRAME_RATE_HZ, FaceMotion, frames_of
from instructavatar.features.landmarks import FaceLandmarker
from instructavatar.metrics.base import Take
from instructavatar.metrics.judge import KINDS, Tally, Verdict, already

SECONDS = 3.0
EVERY = 2  # every second frame is drawn and measured
MAX_SIDE = 720
SEEDS = 2  # different takes over the faces
# Which kind's sentence stands in when texts are shuffled: far enough that a smile is not swapped for a big smile.
SHIFT = 5

# Two ways of asking for each kind that occur nowhere in the training texts (tests/benchmarks/test_obey.py looks).
WORDINGS: dict[str, tuple[str, str]] = {
    "smile": ("Show the audience a kind smile.", "Greet the camera with a smile on your lips."),
    "big smile": ("Give the crowd the widest smile you've got.", "Grin as hard as you possibly can, teeth and all."),
    "sad": ("Make the face of someone whose dog has just died.", "You feel like bursting into tears; let it show."),
    "surprised": (
        "React as though someone had jumped out at you from behind a door.",
        "Your eyes can't believe what they see: show the shock.",
    ),
    "angry": ("Stare at us as though you were truly furious.", "You are losing all patience and getting really mad; show it."),
    "raise your eyebrows": ("Pull both brows up towards your hairline.", "Let those eyebrows climb as high as they go."),
    "open your mouth": ("Open wide, like at the dentist's.", "Let your jaw sink until the mouth stands open."),
    "close your eyes": ("Both of your eyes should be firmly closed.", "Lower your lids until you can't see anything."),
    "turn your head left": ("Rotate your head so that your face points left.", "Your head should be turned toward your left-hand side."),
    "turn your head right": ("Aim your face at the wall on your right.", "Rotate the head over to your right-hand side."),
    "look up": ("Lift your face towards the lamp on the ceiling.", "Turn your eyes and face to the clouds above."),
    "look down": ("Let your head sink and study the floor.", "Tip your face towards the ground beneath you."),
    "nod": ("Tell me yes by moving your head up and down.", "Nod a few times so that I see you are with me."),
    "shake your head": (
        "Tell me no by moving your head from left to right and back.",
        "Swing your head from one side to the other, as if refusing.",
    ),
}


class ShuffledText:
    """A text encoder that encodes another kind's sentence than the one it is given."""

    def __init__(self, encoder: Any) -> None:
        self.encoder = encoder
        self.swap = {_plain(text): WORDINGS[_other(kind)][n] for kind, texts in WORDINGS.items() for n, text in enumerate(texts)}

    def encode(self, sentences: Iterable[str]) -> Any:
        """States of the sentences that stand in; a sentence that is not of this benchmark is an error, not a leak."""
        return self.encoder.encode([self.swap[_plain(sentence)] for sentence in sentences])


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(".")


def _other(kind: str) -> str:
    """The kind whose sentence stands in for this one's."""
    return KINDS[(KINDS.index(kind) + SHIFT) % len(KINDS)]


class Stage:
    """Makes clips, draws them on faces and measures them; equal motions are generated once."""

    def __init__(self, avatar: Avatar, landmarker: FaceLandmarker, guidance: float | None = None, curves: bool = False) -> None:
        """`guidance` other than the bundle's own; `curves` skips drawing and takes the motion as if it had been read back exactly."""
        self.avatar, self.landmarker, self.guidance, self.curves = avatar, landmarker, guidance, curves
        self._motions: dict[tuple[Any, ...], FaceMotion] = {}

    def motion(self, subject: Subject, instruction: str | None, seed: int) -> FaceMotion:
        """The generated motion of a silent clip."""
        key = (id(self.avatar.text), instruction, seed, subject.rest.tobytes())
        if key not in self._motions:
            clip = self.avatar.animate(subject, instruction=instruction, seconds=SECONDS, seed=seed, text_guidance=self.guidance)
            self._motions[key] = clip.motion
        return self._motions[key]

    def take(self, subject: Subject, motion: FaceMotion) -> Take:
        """The motion drawn on the face and measured again."""
        if self.curves:
            return Take(motion)
        frames = self.avatar.codec.decode(subject.appearance, motion.values[::EVERY])
        return Take.measure(frames, self.landmarker, rate_hz=FRAME_RATE_HZ / EVERY)


def subjects(avatar: Avatar, args: argparse.Namespace) -> dict[str, Subject]:
    """Analysed portraits by name; one that cannot be used is named."""
    found: dict[str, Subject] = {}
    for path in portraits(args.material):
        if path.stem in found or len(found) >= (2 if args.quick else args.faces):
            continue
        try:
            found[path.stem] = avatar.analyse(path, face="largest", max_side=MAX_SIDE)
        except InstructAvatarError as error:
            console.print(f"  left out {path.name}: {error}", highlight=False)
    return found


def baselines(stage: Stage, people: dict[str, Subject]) -> dict[str, Take]:
    """Each face's uninstructed take; without those that lose their face even then."""
    found: dict[str, Take] = {}
    for name, subject in people.items():
        try:
            found[name] = stage.take(subject, stage.motion(subject, None, seed=7))
        except FaceProblem as error:
            console.print(f"  {name}, uninstructed: {error}", highlight=False)
    return found


def judge_all(stage: Stage, people: dict[str, Subject], calm: dict[str, Take], texts: int, label: str) -> tuple[Tally, int]:
    """The verdicts on all faces, kinds and wordings, and how many clips could not be judged because the face does it anyway."""
    scored, left_out = Tally(), 0
    for number, (name, subject) in enumerate(people.items()):
        for kind in KINDS:
            if name in calm and already(kind, calm[name]):
                left_out += texts
                continue
            for text in WORDINGS[kind][:texts]:
                verdict = _verdict(scored, kind, stage, subject, stage.motion(subject, text, seed=number % SEEDS), calm.get(name))
                if not verdict.ok and label == "obey":
                    console.print(f"  {name}: {text} -> {verdict.score:.2f}, {verdict.reason}", highlight=False, soft_wrap=True)
        console.print(f"{label}: {name} judged", highlight=False)
    return scored, left_out


def _verdict(scored: Tally, kind: str, stage: Stage, subject: Subject, motion: FaceMotion, calm: Take | None) -> Verdict:
    """Judge and count one clip; one on which the face is lost has failed."""
    if calm is None:
        return scored.fail(kind, "its uninstructed clip shows no face")
    try:
        return scored.update(kind, stage.take(subject, motion), calm)
    except FaceProblem as error:
        return scored.fail(kind, str(error))


def oracle(stage: Stage, people: dict[str, Subject], calm: dict[str, Take]) -> Tally:
    """The same faces posed by the corpus's own acting."""
    from instructavatar.prepare.acting.kinds import MAIN
    from instructavatar.prepare.acting.score import Act, Score, ScoredSegment
    from instructavatar.prepare.performance import perform

    scored = Tally()
    for number, (name, subject) in enumerate(people.items()):
        for kind, act in zip(KINDS, MAIN, strict=True):
            if name not in calm or not already(kind, calm[name]):
                segment = ScoredSegment(0.0, SECONDS, (Act(act),), (kind,))
                score = Score(SECONDS, False, (segment,), tuple(map(float, subject.rest)))
                motion = perform(score, [], np.random.default_rng(number))
                assert len(motion) == frames_of(SECONDS)
                _verdict(scored, kind, stage, subject, motion, calm.get(name))
    return scored


def shuffled(stage: Stage, people: dict[str, Subject], calm: dict[str, Take]) -> float:
    """The rate when every instruction is encoded as another kind's sentence; a few faces tell."""
    some = dict(list(people.items())[:4])
    encoder = stage.avatar.text
    stage.avatar.text = ShuffledText(encoder)  # type: ignore[assignment]
    try:
        return judge_all(stage, some, calm, 1, "shuffled_text")[0].compute().get("rate", float("nan"))
    finally:
        stage.avatar.text = encoder


def measure(args: argparse.Namespace) -> list[Row]:
    avatar = Avatar.load(args.model)
    stage = Stage(avatar, FaceLandmarker.load(), args.guidance, args.curves)
    people = subjects(avatar, args)
    calm = baselines(stage, people)
    scored, left_out = judge_all(stage, people, calm, 1 if args.quick else 2, "obey")
    found = scored.compute()
    rows = [row(kind, found.get(kind), "of clips", ">= 0.95") for kind in KINDS]
    rows += [
        row("rate", found.get("rate"), f"of {found.get('n', 0):.0f} clips", ">= 0.95"),
        row("rate_low", found.get("rate_low"), "lower end of its 95 % interval"),
        row("wrong_side", found.get("wrong_side"), "clips", "<= 0"),
        row("shuffled_text", shuffled(stage, people, calm), "of clips", "<= 0.25"),
        row("faces", float(len(people)), "faces"),
        row("left_out", float(left_out), "clips: the face does it anyway"),
    ]
    if args.oracle:
        rows.append(row("oracle", oracle(stage, people, calm).compute().get("rate"), "of clips posed without a generator"))
    return rows


def main() -> None:
    parser = options(__doc__.splitlines()[0])
    parser.add_argument("--model", help="bundle to measure; the default that ships otherwise")
    parser.add_argument("--faces", type=int, default=12, help="at most so many faces")
    parser.add_argument("--oracle", action="store_true", help="also pose the faces by the corpus's own acting")
    parser.add_argument("--guidance", type=float, help="text guidance; the bundle's own otherwise")
    parser.add_argument("--curves", action="store_true", help="judge the curves undrawn: seconds, for looking into a model while it trains")
    args = parser.parse_args()
    report("obey (curves, not drawn)" if args.curves else "obey", measure(args), args.json)


if __name__ == "__main__":
    main()
