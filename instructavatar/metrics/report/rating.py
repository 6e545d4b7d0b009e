"""A page for human raters: two systems' clips side by side under neutral names, opened without a network.

    index.html          the page; a rater's answers stay in the browser until they are saved as answers_NAME.json
    clips/              the videos as clip-017.mp4, in an order drawn by the seed
    key.json            which side of which pair is whose: keep it from the raters
    answers_NAME.json   what came back: put the files here, then `instructavatar evaluate --rate DIR` (report/answers.py)

For each pair and side three scales from 1 to 5, in the words of ITU-T P.800 (bad, poor, fair, good, excellent), and a preference. Each
rater sees the pairs in an order of their own; on which side a system stands is drawn, on either equally often.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import av
import numpy as np

from instructavatar.errors import BadOption, CannotWrite
from instructavatar.media.files import cannot_write, ffmpeg_name, written_beside
from instructavatar.media.video import frames_at, read_video, write_video
from instructavatar.metrics.cache import digest
from instructavatar.metrics.pairs import Asked, Pair, find_pairs
from instructavatar.metrics.report.answers import ANSWERS, KEY, read_answers, told
from instructavatar.metrics.report.wording import counted
from instructavatar.metrics.store_clips import is_store

PAGES = Path(__file__).with_name("pages")
SCALES = ("lips", "emotion", "naturalness")
SIDES = ("left", "right")
_CLIPS = "clips"
_PLAYED, _CONTAINERS = ("h264", "vp8", "vp9", "libdav1d", "av1"), (".mp4", ".m4v", ".webm")


def rate(folder: Path, generated: Path | None, other: Path | None, seed: int = 0) -> int:
    """What `evaluate --rate DIR` does: with videos write the page, without them read the answers. Returns the exit code."""
    if generated is None:
        if other is not None:
            raise BadOption(f"expected two folders of videos to compare, got only {other}; name the other one first")
        found = read_answers(folder)
        print("\n".join(told(found)))
        return 0 if found["ratings"] else 1
    if other is not None and is_store(other):
        raise BadOption(f"expected a folder of videos to compare with, got the store {other}, which holds no sound; give the videos")
    pairs = find_pairs(generated, other)
    lonely = [pair.name for pair in pairs.pairs if pair.reference is None]
    count = write_rating(pairs.pairs, system_names(generated, other), folder, seed)
    print(f"{counted(count, 'pair')} to rate: open {folder / 'index.html'}, or send the folder to raters without {KEY}.")
    print(f"Put the answers_NAME.json that come back into {folder}, then: instructavatar evaluate --rate {folder}")
    for name in (*lonely, *pairs.aside):
        print(f"left out, for it has no counterpart: {name}")
    return 0


def system_names(generated: Path, other: Path | None) -> tuple[str, str]:
    """Short names by which the two are told apart in the results.

    >>> system_names(Path("runs/a/videos"), Path("runs/b/videos")), system_names(Path("ours"), Path("real"))
    (('a/videos', 'b/videos'), ('ours', 'real'))
    """
    if other is None:
        return "generated", "reference"
    mine, yours = generated.resolve().parts, other.resolve().parts
    for depth in range(1, max(len(mine), len(yours)) + 1):
        if mine[-depth:] != yours[-depth:]:
            return "/".join(mine[-depth:]), "/".join(yours[-depth:])
    raise BadOption(f"expected two folders of videos to compare, got {generated} twice; give the other system's with --against")


def write_rating(pairs: Sequence[Pair], systems: tuple[str, str], folder: Path, seed: int = 0) -> int:
    """Write the page; returns how many pairs there are.

    Args:
        pairs: `generated` is the first system's clip, `reference` the second's; those without are left out.
        systems: the two names.
        folder: made if it is not there.
        seed: draws the neutral names, the order and the sides.

    Raises:
        BadOption: no pair has both clips, or the folder holds answers to another page.
        CannotWrite: it cannot be written.
    """
    both = [pair for pair in pairs if pair.reference is not None]
    if not both:
        raise BadOption("expected pairs of videos to compare, got none; give the other system's videos of equal names with --against")
    if folder.exists() and not folder.is_dir():
        raise CannotWrite(f"expected a folder for the raters' page, got the file '{folder}'; choose another --rate")
    key, trials, videos = _drawn(both, systems, seed)
    _refuse_other(folder, key["page"])
    _place(folder / _CLIPS, videos)
    _write(folder / KEY, json.dumps(key, indent=1, ensure_ascii=False) + "\n")
    _write(folder / "index.html", page(key["page"], trials))
    return len(both)


def _drawn(pairs: Sequence[Pair], systems: tuple[str, str], seed: int) -> tuple[dict[str, Any], list[dict[str, str]], dict[str, Path]]:
    """The key, what the page is told of each pair, and neutral name -> video."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(pairs))
    swapped = rng.permutation(np.arange(len(pairs)) % 2)
    numbers = rng.permutation(2 * len(pairs))
    trials, sides, videos = [], {}, {}
    for place, index in enumerate(order):
        pair, trial = pairs[index], f"t{place + 1:03d}"
        clips = [(systems[0], pair.generated), (systems[1], pair.reference or pair.generated)]
        trials.append({"id": trial, "instruction": wording(pair.asked)})
        sides[trial] = {"clip": pair.name}
        for which, (side, (system, video)) in enumerate(zip(SIDES, clips[::-1] if swapped[place] else clips, strict=True)):
            ending = video.suffix.lower() if playable(video) else ".mp4"
            neutral = f"clip-{numbers[2 * place + which] + 1:03d}{ending}"
            trials[-1][side], sides[trial][side], videos[neutral] = neutral, system, video
    page_id = digest("rating", seed, systems, sides, trials)[:12]
    return {"version": 1, "page": page_id, "seed": seed, "systems": list(systems), "trials": sides}, trials, videos


def wording(asked: Asked) -> str:
    """What a rater is told that the clip should show.

    >>> wording(Asked(emotion="happy", action_units=("jaw_drop", "cheek_raiser")))
    'happy, jaw drop, cheek raiser'
    """
    parts = [asked.kind, asked.emotion, *asked.action_units]
    return asked.instruction or ", ".join(part.replace("_", " ") for part in parts if part)


def _refuse_other(folder: Path, page_id: str) -> None:
    """A page that was answered is not put aside."""
    if not any(folder.glob(ANSWERS)):
        return
    try:
        known = json.loads((folder / KEY).read_text(encoding="utf-8"))["page"]
    except (OSError, ValueError, KeyError, TypeError):
        known = None
    if known != page_id:
        raise BadOption(f"expected an empty folder or the same page again, got answers to another page in {folder}; choose another --rate")


def _place(folder: Path, videos: dict[str, Path]) -> None:
    """Copies of the videos under their neutral names; what browsers do not play is encoded again."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob("clip-*"):
            if path.name not in videos:
                path.unlink()
    except OSError as error:
        raise cannot_write(folder, error) from error
    for name, video in videos.items():
        if playable(video):
            with written_beside(folder / name) as part:
                shutil.copyfile(video, part)
        else:
            write_video(folder / name, frames_at(video), read_video(video).audio)


def playable(video: Path) -> bool:
    """Whether every browser shows a video: MPEG-4 part 2, a common export, plays as sound alone.

    Raises:
        BadMedia: it is no video.
    """
    read_video(video)
    with av.open(ffmpeg_name(video)) as container:
        context = container.streams.video[0].codec_context
        return context.name in _PLAYED and context.pix_fmt in ("yuv420p", "yuvj420p") and video.suffix.lower() in _CONTAINERS


def _write(path: Path, text: str) -> None:
    with written_beside(path) as part:
        part.write_text(text, encoding="utf-8")


def page(page_id: str, trials: Sequence[dict[str, str]]) -> str:
    """The page with its style, its script and the pairs in it."""
    # "<" would let an instruction end the element that it lies in
    data = json.dumps({"page": page_id, "trials": list(trials)}, ensure_ascii=False).replace("<", "\\u003c")
    parts = {"STYLE": _asset("rating.css"), "SIDES": "\n".join(map(_side, SIDES)), "TRIALS": data, "SCRIPT": _asset("rating.js")}
    pieces = _asset("rating.html").split("@@")  # filled in one go, so that no part is looked for in another
    return "".join(parts[piece] if place % 2 else piece for place, piece in enumerate(pieces))


def _asset(name: str) -> str:
    return (PAGES / name).read_text(encoding="utf-8")


def _side(side: str) -> str:
    scales = "\n".join(
        f'<fieldset><legend>{escape(scale.capitalize())}</legend><div id="{side}-{scale}" class="marks"></div></fieldset>'
        for scale in SCALES
    )
    lost = f'<p id="{side}-lost" class="lost" hidden>This browser cannot play the clip; try another one.</p>'
    video = f'<video id="{side}-video" controls playsinline preload="auto"></video>'
    return f"<div><h3>{side.capitalize()}</h3>{video}{lost}\n{scales}</div>"
