"""The shipped model's own page: clips of a fixed list of requests are made, and measured by `instructavatar evaluate`.

    python benchmarks/results.py [--quick] [--folder out/results] [--page docs/results.md]

Everything comes from the repository: its portraits, its voices (which training never heard) with their phones, and wordings that training
never saw. The reference of each request is the corpus's own performance of it, filmed on the same portrait with the same voice: what the
model was taught to do, done exactly. Finished videos and measurements are kept, so the same command goes on.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from common import SOUNDS, commit, console, files, machine, options, phones_of, portraits
from obey import WORDINGS

from instructavatar import Avatar
from instructavatar.cli import main as command
from instructavatar.errors import InstructAvatarError
from instructavatar.face.motion import FRAME_RATE_HZ, frames_of
from instructavatar.features.landmarks import FaceLandmarker
from instructavatar.media.audio import read_audio
from instructavatar.metrics.judge import KINDS
from instructavatar.metrics.report.wording import number
from instructavatar.prepare.acting.kinds import MAIN
from instructavatar.prepare.acting.score import Act, Score, ScoredSegment
from instructavatar.prepare.filming import Sitter, film, sitter
from instructavatar.prepare.performance import perform

SILENT_S = 3.0
LONGEST_S = 6.0  # of a talking clip
# emotion -> a wording of the judge's list, for silent levels and for talking clips; {} takes the words of the level
LEVELS = {1: "slightly", 2: "moderately", 3: "very"}
AMOUNTS = {1: 0.5, 2: 0.8, 3: 1.3}
TALKING = {
    "happy": "Speak as if you had just won a prize.",
    "sad": "Speak as if your heart were broken.",
    "angry": "Speak like somebody who has been cheated.",
    "surprised": "Speak as if you could hardly believe your own words.",
}
GROUPS = {"happy": "Be {} pleased.", "sad": "Feel {} gloomy.", "angry": "Get {} cross with us."}


@dataclass(frozen=True)
class Request:
    """One clip: what is asked, and the act that does it."""

    name: str
    instruction: str
    act: str
    kind: str = ""
    emotion: str = ""
    intensity: int = 0
    group: str = ""
    voice: Path | None = None

    @property
    def seconds(self) -> float:
        """Length of the clip."""
        return SILENT_S if self.voice is None else min(len(read_audio(self.voice)) / 16_000, LONGEST_S)


def requests(person: int, voices: list[Path], quick: bool) -> Iterator[Request]:
    """What one portrait is asked to do; wordings and voices change from portrait to portrait."""
    for kind, act in zip(KINDS, MAIN, strict=True):
        yield Request(kind.replace(" ", "_"), WORDINGS[kind][person % 2], act, kind=kind)
    for place in range(1 if quick else 2):
        yield Request(f"talk_{place}", "", "", voice=voices[(2 * person + place) % len(voices)])
    for place, (emotion, text) in enumerate(TALKING.items()):
        yield Request(f"talk_{emotion}", text, emotion, emotion=emotion, intensity=2, voice=voices[(person + place) % len(voices)])
    for emotion, text in {} if quick else GROUPS.items():
        for level, word in LEVELS.items():
            yield Request(f"{emotion}_{level}", text.format(word), emotion, "", emotion, level, emotion)


def score_of(request: Request, rest: np.ndarray) -> Score:
    """The performance that a request asks for."""
    act = Act(request.act, AMOUNTS.get(request.intensity, 1.0)) if request.act else None
    segments = (ScoredSegment(0.0, request.seconds, (act,), (request.instruction,)),) if act else ()
    return Score(request.seconds, request.voice is not None, segments, tuple(map(float, rest)))


def sheet_row(request: Request, person: str, pair: dict[str, str]) -> dict[str, Any]:
    """A line of pairs.jsonl."""
    told = {name: value for name, value in asdict(request).items() if name in ("instruction", "kind", "emotion", "intensity") and value}
    group = {"group": f"{person}/{request.group}"} if request.group else {}
    audio = {"audio": str(request.voice.resolve())} if request.voice else {}
    return {"name": f"{person}/{request.name}", **pair, **told, **group, **audio}


def make(folder: Path, person: int, who: Sitter, avatar: Avatar, voices: list[Path], quick: bool) -> Iterator[dict[str, Any]]:
    """All clips of a portrait, real and generated; those that are there are kept."""
    place = folder / who.name
    place.mkdir(parents=True, exist_ok=True)
    portrait = place / "portrait.png"
    cv2.imwrite(str(portrait), np.ascontiguousarray(who.appearance.portrait[..., ::-1]))
    subject = avatar.analyse(portrait, face="largest")
    baseline = place / "generated" / "uninstructed.mp4"
    if not baseline.exists():
        avatar.animate(subject, seconds=SILENT_S, seed=7).save(baseline)
    for turn, request in enumerate(requests(person, voices, quick)):
        made, real = (place / side / f"{request.name}.mp4" for side in ("generated", "reference"))
        sound = read_audio(request.voice)[: round(request.seconds * 16_000)] if request.voice else None
        if not real.exists():
            phones = [one for one in (phones_of(request.voice) or []) if one[2] <= request.seconds] if request.voice else []
            motion = perform(score_of(request, who.appearance.rest), phones, np.random.default_rng((person, turn)))
            film(real, who, motion, sound)
        if not made.exists():
            clip = avatar.animate(subject, sound, request.instruction or None, seconds=request.seconds, seed=person)
            assert abs(len(clip.motion) - frames_of(request.seconds)) <= 1, f"expected {request.seconds} s at {FRAME_RATE_HZ} Hz"
            clip.save(made)
        pair = {"generated": made, "reference": real, "portrait": portrait, "baseline": baseline}
        yield sheet_row(request, who.name, {name: str(path.relative_to(folder)) for name, path in pair.items()})


def make_all(folder: Path, args: argparse.Namespace) -> Path:
    """Every clip of every portrait; gives the list of pairs."""
    avatar, landmarker = Avatar.load(args.model), FaceLandmarker.load()
    voices = [path for path in files("speech", SOUNDS, args.material) if phones_of(path)]
    rows = []
    for person, path in enumerate(portraits(args.material, 2 if args.quick else None)):
        try:
            rows += make(folder, person, sitter(path, avatar.codec, landmarker), avatar, voices, args.quick)
        except InstructAvatarError as error:
            console.print(f"  left out {path.name}: {error}", highlight=False)
        console.print(f"  {path.name}: clips made", highlight=False)
    pairs = folder / "pairs.jsonl"
    pairs.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in rows), encoding="utf-8")
    return pairs


PAGE = """# Results of the shipped model

Printed by `{command}` ({clips} clips, {scored} scored; {machine}; commit {commit}).

Portraits and voices are the repository's own and took no part in training, and no wording occurs in the training texts. The reference of
each clip is the corpus's own performance of the request, filmed on the same portrait: the ground truth here is an actor without nerves,
not a filmed person. `oracle` draws its measured motion again, `still` is the portrait, and the shuffled rows judge the same videos by
another clip's sound or instruction: where those do as well, the number says nothing. Arrows point the better way.

{table}

## What to be careful about

{warnings}

## Not scored

{unscored}

## Not run

{lacking}
"""


def page(found: dict[str, Any], command_line: str) -> str:
    """The page in Markdown."""
    lacking = [f"{name}: {reason}" for name, reason in found["not_run"].items()]
    return PAGE.format(
        command=command_line,
        clips=found["clips"],
        scored=found["scored"],
        machine=machine(),
        commit=commit(),
        table=table(found["rows"]),
        warnings=listed(found["warnings"], "Nothing: no number beats the ground truth beyond chance."),
        unscored=listed(unscored(found["failed"]), "Every clip was scored by every metric."),
        lacking=listed(lacking, "Every metric ran."),
    )


def listed(lines: list[str], otherwise: str) -> str:
    """A Markdown list, or a sentence where it would be empty."""
    return "\n".join(f"- {line}" for line in lines) or otherwise


def unscored(failed: list[dict[str, str]]) -> list[str]:
    """How often the system's clips were not scored, and why; most frequent first."""
    reasons = Counter(f"{problem['metric'] or 'clip'}: {problem['reason']}" for problem in failed if problem["row"] == "system")
    return [f"{count} x {reason}" for reason, count in reasons.most_common()]


def table(rows: dict[str, Any]) -> str:
    """Every number in every row, with the system's interval."""
    head = ["number", *(row.replace("_", " ") for row in rows), "95 % of system", "unit"]
    lines = [head, ["---"] * len(head)]
    for name in dict.fromkeys(name for row in rows.values() for name in row["metrics"]):
        cells = [row["metrics"].get(name) for row in rows.values()]
        known = next(cell for cell in cells if cell)
        arrow = {True: " ↑", False: " ↓", None: ""}[known["higher_is_better"]]
        mine = rows["system"]["metrics"].get(name)
        interval = f"{number(mine['ci'][0])} to {number(mine['ci'][1])} (n {mine['n']})" if mine and mine["ci"] else ""
        lines.append([name + arrow, *(number(cell["value"]) if cell else "" for cell in cells), interval, known["unit"]])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main() -> None:
    parser = options(__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("out/results"), help="where the videos go (default out/results)")
    parser.add_argument("--page", type=Path, help="write the table there as Markdown")
    parser.add_argument("--model", help="bundle to measure; the default that ships otherwise")
    parser.add_argument("--metrics", nargs="+", default=[], help="files of configs/metrics/ over the usual set")
    args = parser.parse_args()
    pairs = make_all(args.folder, args)
    numbers = args.json or args.folder / "results.json"
    more = ["--metrics", *args.metrics] if args.metrics else []
    command(["evaluate", str(pairs), "--json", str(numbers), "--report", str(args.folder / "report"), *more])
    if args.page:
        words = " ".join(["python benchmarks/results.py", *(["--quick"] if args.quick else []), "--page", str(args.page)])
        args.page.write_text(page(json.loads(numbers.read_text(encoding="utf-8")), words), encoding="utf-8")


if __name__ == "__main__":
    main()
