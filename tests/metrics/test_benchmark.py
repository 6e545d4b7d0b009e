"""The loop: rows, strangers, memory, and clips that cannot be judged."""

from __future__ import annotations

import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest

from instructavatar.errors import BadOption, MissingFile
from instructavatar.media.portrait import read_portrait
from instructavatar.media.video import write_video
from instructavatar.metrics import benchmark as benchmarking
from instructavatar.metrics import clips
from instructavatar.metrics.base import Metric, NotScored, Value
from instructavatar.metrics.benchmark import ROWS, Benchmark, jobs
from instructavatar.metrics.cache import Cache
from instructavatar.metrics.clips import DrawnClip, VideoClip, first_frame, portrait_clip
from instructavatar.metrics.pairs import Asked, Pair

FACES = sorted((Path(__file__).parents[1] / "assets" / "portraits").glob("*.*g"))[:2]


def picture(path: Path, side: int) -> np.ndarray:
    """The middle of a portrait, with its face."""
    shown = read_portrait(path, max_side=600).rgb
    start = (shown.shape[1] - min(shown.shape[:2])) // 2
    square = shown[: min(shown.shape[:2]), start : start + min(shown.shape[:2])]
    return cv2.resize(square, (side, side), interpolation=cv2.INTER_AREA)


def film(path: Path, face: Path = FACES[0], frames: int = 20, side: int = 400, fps: float = 25, sound: bool = True, blank: int = 0) -> Path:
    """A face that drifts to the side; its last `blank` frames are grey."""
    shown = picture(face, side)
    moved = [np.roll(shown, t, axis=1) for t in range(frames - blank)] + [np.full_like(shown, 128)] * blank
    noise = np.random.default_rng(list(path.name.encode())).normal(0, 0.1, round(16000 * frames / fps)).astype(np.float32)
    write_video(path, iter(moved), noise if sound else None, fps=fps)
    return path


class Frames(Metric):
    """Counts frames; once for each time it is really asked."""

    values = {"frames": Value("frames", None)}
    asked = itertools.count()

    def score(self, case):
        next(self.asked)
        return {"frames": float(len(case.clip.take))}


class Hearing(Metric):
    """What belongs to the sound."""

    values = {"heard": Value("", True)}
    hears = True

    def score(self, case):
        return {"heard": float(np.abs(case.needs_sound()).sum())}


class Reading(Metric):
    """What belongs to the instruction."""

    values = {"read": Value("", True)}
    reads = True

    def score(self, case):
        if not case.asked.anything:
            raise NotScored("no instruction")
        return {"read": float(len(case.asked.instruction))}


class Weighty(Metric):
    """Needs what is not there."""

    values = {"weighty": Value("", True)}

    def check(self):
        raise MissingFile("expected weights, found none; get them")

    def score(self, case):
        raise AssertionError


class Faulty(Metric):
    """Has a fault of its own."""

    values = {"faulty": Value("", True)}

    def score(self, case):
        return {"faulty": 1 / 0}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("films")


@pytest.fixture(scope="module")
def pairs(folder):
    asks = (Asked("smile", kind="smile"), Asked("please nod", kind="nod"))
    return [
        Pair(
            f"clip {n}", film(folder / f"made{n}.mp4", FACES[n % 2], 20 + n), film(folder / f"real{n}.mp4", FACES[n % 2], 22), asked=asks[n]
        )
        for n in range(2)
    ]


def test_every_row_has_what_it_should(pairs):
    found = Benchmark({"frames": Frames(), "heard": Hearing(), "read": Reading()}).run(pairs, Cache(None))
    for n, outcome in enumerate(found):
        assert not outcome.failed and set(outcome.scores) == set(ROWS)
        frames = {row: by["frames"]["frames"] for row, by in outcome.scores.items() if "frames" in by}
        assert frames == {"system": 20 + n, "ground_truth": 22, "oracle": 22, "still": 20 + n}
        assert set(outcome.scores["shuffled_audio"]) == {"heard"} and set(outcome.scores["shuffled_text"]) == {"read"}
        assert outcome.scores["shuffled_text"]["read"] != outcome.scores["system"]["read"]
        assert outcome.scores["shuffled_audio"]["heard"] != outcome.scores["system"]["heard"]
    assert found[0].notes == ["20 frames, the reference 22; compared over what both have"]


def test_what_was_judged_is_not_judged_again(pairs, tmp_path, monkeypatch):
    Frames.asked = itertools.count()
    first = Benchmark({"frames": Frames()}).run(pairs, Cache(tmp_path))
    before = next(Frames.asked)
    monkeypatch.setattr(clips.Clip, "_watch", lambda self: pytest.fail("a face was measured again"))
    again = Benchmark({"frames": Frames()}).run(pairs, Cache(tmp_path))
    assert next(Frames.asked) == before + 1 and [one.scores for one in again] == [one.scores for one in first]


def test_two_processes_find_what_one_finds(pairs, tmp_path):
    from instructavatar.metrics.smoothness import Smoothness

    alone = Benchmark({"smoothness": Smoothness()}).run(pairs, Cache(None))
    together = Benchmark({"smoothness": Smoothness()}).run(pairs, Cache(tmp_path), workers=2)
    assert [one.name for one in together] == ["clip 0", "clip 1"]
    for one, other in zip(alone, together, strict=True):
        for row, by in one.scores.items():
            assert other.scores[row]["smoothness"] == pytest.approx(by["smoothness"], rel=1e-3, abs=1e-3)


def test_nobody_is_judged_by_their_own_when_shuffled(monkeypatch):
    monkeypatch.setattr(benchmarking, "_readable", lambda pair: pair.name != "8")
    some = [Pair(str(n), Path(f"{n}.mp4"), audio=Path(f"{n % 3}.wav"), asked=Asked(kind="nod" if n % 2 else "smile")) for n in range(9)]
    for job in jobs(some, seed=3):
        assert job.other_sound.audio != job.pair.audio and job.other_text.asked.kind != job.pair.asked.kind
        assert "8" not in (job.other_sound.name, job.other_text.name)  # it cannot be opened
    assert [job.other_sound.name for job in jobs(some, 3)] == [job.other_sound.name for job in jobs(some, 3)]
    assert [job.other_sound.name for job in jobs(some, 3)] != [job.other_sound.name for job in jobs(some, 4)]
    monkeypatch.setattr(benchmarking, "_speaks", lambda pair: pair.name != "7")
    assert all(job.other_sound.name != "7" for job in jobs(some, 3)) and any(job.other_text.name == "7" for job in jobs(some, 3))
    alone = next(jobs(some[:1], 0))
    assert alone.other_sound is None and alone.other_text is None
    same = [Pair("a", Path("a"), asked=Asked("smile")), Pair("b", Path("b"), asked=Asked("smile")), Pair("c", Path("c"))]
    assert all(job.other_text is None for job in jobs(same, 0))


def test_a_metric_without_its_weights_is_named_and_the_others_run(pairs):
    benchmark = Benchmark({"weighty": Weighty(), "frames": Frames()})
    assert benchmark.runnable()[1] == {"weighty": "expected weights, found none; get them"}
    assert set(benchmark.run(pairs[:1], Cache(None))[0].scores["system"]) == {"frames"}


def test_a_fault_of_one_metric_costs_no_other(pairs):
    (outcome,) = Benchmark({"faulty": Faulty(), "frames": Frames()}).run(pairs[:1], Cache(None))
    assert outcome.scores["system"] == {"frames": {"frames": 20.0}}
    assert outcome.failed[0] == {"row": "system", "metric": "faulty", "reason": "unexpected ZeroDivisionError: division by zero"}


def test_a_number_comes_from_one_metric_only():
    with pytest.raises(BadOption, match="frames from two metrics"):
        Benchmark({"a": Frames(), "b": Frames()})
    with pytest.raises(BadOption, match="at least one"):
        Benchmark({})


def unjudged(outcome):
    return {(problem["row"], problem["metric"]): problem["reason"] for problem in outcome.failed}


def test_clips_that_cannot_be_judged_are_told_and_cost_no_other(pairs, folder):
    broken = folder / "broken.mp4"
    broken.write_bytes(pairs[0].generated.read_bytes()[:3000])
    faceless = film(folder / "faceless.mp4", blank=10)
    odd = [
        Pair("broken", broken),
        Pair("missing", folder / "nowhere.mp4"),
        Pair("faceless", faceless, pairs[0].reference),
        Pair("real without a face", pairs[0].generated, faceless),
        Pair("short", film(folder / "short.mp4", frames=3)),
        pairs[0],
    ]
    found = Benchmark({"frames": Frames(), "heard": Hearing()}).run(odd, Cache(None))
    assert "video" in unjudged(found[0])["system", ""] and "no such file" in unjudged(found[1])["system", ""]
    assert "none in 10 of 20 frames" in unjudged(found[2])["system", ""] and set(found[2].scores) == {"ground_truth", "oracle"}
    assert "ground_truth" not in found[3].scores and found[3].scores["system"]["frames"] == {"frames": 20.0}
    assert found[4].scores["system"]["frames"] == {"frames": 3.0}
    assert not unjudged(found[5]).keys() - {("shuffled_audio", "")} and set(found[5].scores) >= {
        "system",
        "ground_truth",
        "oracle",
        "still",
    }


def test_sizes_rates_and_sounds_may_differ(folder):
    pair = Pair(
        "odd", film(folder / "small.mp4", side=360, sound=False), film(folder / "fast.mp4", side=440, fps=50, frames=44, sound=False)
    )
    (outcome,) = Benchmark({"frames": Frames(), "heard": Hearing()}).run([pair], Cache(None))
    assert outcome.scores["ground_truth"]["frames"] == {"frames": 22.0}
    assert {problem["reason"] for problem in outcome.failed} == {"no sound"}


def test_two_faces_are_noted(folder):
    both = np.concatenate([picture(face, 400) for face in FACES], axis=1)
    write_video(folder / "two.mp4", iter([both] * 5), None)
    notes = VideoClip(folder / "two.mp4", Cache(None)).notes
    assert notes == ["2 faces on the first frame; the largest is judged"]


def test_the_oracle_starts_as_the_portrait_and_moves_as_the_truth(pairs):
    truth = VideoClip(pairs[0].reference, Cache(None))
    portrait = first_frame(truth)
    drawn = DrawnClip(portrait, truth, benchmarking.warp_codec(), "warp")
    assert len(drawn) == len(truth)
    assert np.abs(next(iter(drawn.frames())).astype(int) - portrait.picture).mean() < 2
    moved, true = (clip.take.points[-1, :, 0].mean() - clip.take.points[0, :, 0].mean() for clip in (drawn, truth))
    assert true > 5 and moved == pytest.approx(true, rel=0.35)


def test_faces_come_back_from_memory_as_they_were_measured(pairs, tmp_path):
    first = VideoClip(pairs[0].generated, Cache(tmp_path)).take
    again = VideoClip(pairs[0].generated, Cache(tmp_path)).take
    np.testing.assert_array_equal(first.points, again.points)
    np.testing.assert_array_equal(first.motion.values, again.motion.values)
    portrait = portrait_clip(FACES[0], Cache(tmp_path))
    assert portrait.held(7).take.motion.values.std(0).max() < 1e-6 and len(portrait.held(7)) == 7


def test_pictures_lie_at_the_middles_of_equal_parts(pairs):
    clip = VideoClip(pairs[0].generated, Cache(None))
    fresh = VideoClip(pairs[0].generated, Cache(None))
    every = list(clip.frames())
    assert len(clip) == 20
    for kept, again, t in zip(clip.pictures(4), fresh.pictures(4), (2, 7, 12, 17), strict=True):
        assert (kept == every[t]).all() and (again == every[t]).all()
    assert len(clip.seen(4, length=8)) == 4
