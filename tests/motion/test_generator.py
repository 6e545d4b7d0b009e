"""The generator around its network: what it asks of it, windows, seeds, bundles and refusals. Needs no torch."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest
from toy_bundle import WIDTH, Recorder, bundle_config, states

from instructavatar.errors import BadBundle, BadOption, MissingFile
from instructavatar.face.motion import INDEX, MOTION_DIM
from instructavatar.face.script import Script, alive_frames, clock_of
from instructavatar.motion.bundle import check_extractors, check_file
from instructavatar.motion.generator import Generator


@pytest.fixture
def generator(tmp_path) -> Generator:
    return Generator(Recorder(), bundle_config(tmp_path))


def test_frame_zero_is_the_portraits_own(generator):
    rest = np.full(MOTION_DIM, 0.25, np.float32)
    motion = generator.generate(30, rest=rest)
    np.testing.assert_allclose(motion.values[0], rest, atol=1e-5)
    assert len(motion) == 30
    assert motion.actions.min() >= 0 and motion.actions.max() <= 1


def test_the_seed_fixes_the_take(generator):
    one, same, other = (generator.generate(45, seed=seed).values for seed in (3, 3, 4))
    assert np.array_equal(one, same)
    assert not np.allclose(one[1:, 52:], other[1:, 52:])


def test_a_short_clip_is_one_window_and_a_long_one_begins_alike(generator):
    short, long = generator.generate(20, seed=1).values, generator.generate(50, seed=1).values
    np.testing.assert_array_equal(short, long[:20])


def test_windows_pass_their_tail_on_and_join_without_a_jump(generator):
    speech = np.sin(np.arange(200) / 10)[:, None].repeat(WIDTH, 1).astype(np.float32)
    motion = generator.generate(100, speech=speech, speech_guidance=1.0)
    second = next(feed for feed in generator.network.feeds if feed["known_mask"][0, 4, 0] == 1)
    assert second["known_mask"][0, :, 0].tolist() == [1.0] * 5 + [0.0] * 15
    expected = motion.values[15:20, 53] / 2 - 0.25  # normalised yaw of the frames both windows share
    np.testing.assert_allclose(second["known"][0, :5, 53], expected, atol=1e-5)
    assert np.abs(np.diff(motion.column("yaw")[1:])).max() < 0.6  # the curve itself moves 0.4 a frame


def test_speech_stays_aligned_and_ends_in_zeros(generator):
    speech = np.arange(60, dtype=np.float32)[:, None].repeat(WIDTH, 1)
    generator.generate(35, speech=speech, speech_guidance=1.0)
    last = generator.network.feeds[-1]["speech"][0, :, 0]  # frames 15 to 35
    assert last[:30].tolist() == list(range(30, 60))
    assert not last[30:].any()


def test_script_reaches_the_network_with_its_times(generator):
    script = Script.parse("0-0.4s: smile | 0.4-0.8s: turn left", 0.8)
    generator.generate(20, script=script, text_states=states(script), text_guidance=1.0)
    feed = generator.network.feeds[0]
    assert feed["tokens"].shape == (1, 5, WIDTH)  # two real tokens and three
    assert feed["pooled_alive"][0, :, 0].tolist() == [1.0] * 10 + [0.0] * 10
    assert feed["tokens_alive"][0, 12].tolist() == [0, 0, 1, 1, 1]
    np.testing.assert_allclose(feed["clock"][0, 11], [0.04, 0.36], atol=1e-6)


def test_a_window_gets_only_the_text_that_lives_in_it(generator):
    """A script of many segments: each window of 20 frames meets those of its own 0.8 s, under their own times."""
    script = Script.parse("0-0.4s: a | 0.4-0.8s: b | 1.6-2s: c | 2-2.8s: d", 4.0)
    generator.generate(100, script=script, text_states=states(script), text_guidance=1.0)
    feeds = generator.network.feeds[::4]
    for start, feed in zip(range(0, 105, 15), feeds, strict=True):
        frames = min(20, 100 - start)
        whole = alive_frames(script.segments, start, frames)
        live = np.flatnonzero(whole.any(0))
        assert feed["pooled"].shape[1] == max(1, len(live))
        np.testing.assert_array_equal(feed["pooled_alive"][0].sum(1), whole.sum(1))
        np.testing.assert_allclose(feed["clock"][0], clock_of(script.segments, start, frames), atol=1e-6)
        for column, segment in enumerate(live):
            np.testing.assert_array_equal(feed["pooled"][0, column], states(script).pooled[segment])
            np.testing.assert_array_equal(feed["pooled_alive"][0, :, column], whole[:, segment])
            here = feed["tokens_alive"][0, np.flatnonzero(whole[:, segment])[0]] > 0
            np.testing.assert_array_equal(feed["tokens"][0, here], states(script).tokens[segment][states(script).mask[segment]])
    assert [feed["pooled"].shape[1] for feed in feeds] == [2, 1, 1, 2, 1, 1, 1]


def test_guidance_asks_for_three_versions(generator):
    script = Script.parse("smile", 0.4)
    generator.generate(10, speech=np.ones((20, WIDTH), np.float32), script=script, text_states=states(script))
    feed = generator.network.feeds[0]
    assert feed["x"].shape[0] == 3
    assert feed["speech"][:, 0, 0].tolist() == [0.0, 1.0, 1.0]
    assert feed["speech_mask"][:, 0].tolist() == [1.0, 1.0, 1.0]
    assert feed["pooled_alive"][:, 0, 0].tolist() == [0.0, 0.0, 1.0]


def test_guidance_one_is_no_guidance(generator):
    """One version of the conditions, and what comes out is the sampler's own answer to it."""
    script, speech = Script.parse("smile", 0.4), np.ones((20, WIDTH), np.float32)
    given = {"speech": speech, "script": script, "text_states": states(script), "text_guidance": 1.0, "speech_guidance": 1.0}
    motion = generator.generate(10, **given)
    feeds = generator.network.feeds
    assert all(len(feed["x"]) == 1 and feed["pooled_alive"].all() and feed["speech"].all() for feed in feeds)
    last = generator.network({**feeds[-1]})[0] * 2 + 0.5
    np.testing.assert_allclose(motion.values[:, 52:], last[:, 52:], atol=1e-5)


def test_silence_is_told(generator):
    generator.generate(10)
    assert not generator.network.feeds[0]["speech_mask"].any()


def test_a_given_pose_is_kept(generator):
    pose = np.linspace(-10, 10, 30 * 3).reshape(30, 3).astype(np.float32)
    motion = generator.generate(30, pose=pose)
    np.testing.assert_allclose(motion.rotation_deg, pose, atol=1e-4)
    with pytest.raises(BadOption, match=r"\[30, 3\]"):
        generator.generate(30, pose=pose[:5])


def test_stronger_text_guidance_moves_further(generator):
    script = Script.parse("smile", 0.4)
    yaw = [generator.generate(10, script=script, text_states=states(script), text_guidance=g).column("yaw")[5] for g in (0, 1, 2)]
    assert yaw[0] < yaw[1] < yaw[2]


def test_intensity_scales_the_text_from_nothing_on(generator):
    script = Script.parse("smile", 0.4)
    yaw = [generator.generate(10, script=script, text_states=states(script), intensity=i).column("yaw")[5] for i in (0, 0.5, 1, 2)]
    assert yaw[0] == pytest.approx(generator.generate(10).column("yaw")[5], abs=1e-5)
    assert yaw[0] < yaw[1] < yaw[2] < yaw[3]


def test_progress_ends_at_the_last_frame(generator):
    seen: list[tuple[int, int]] = []
    generator.generate(50, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (50, 50) and len(seen) == 3


def test_bad_requests_are_refused(generator):
    with pytest.raises(BadOption, match="at least one frame"):
        generator.generate(0)
    with pytest.raises(BadOption, match="1 segments"):
        generator.generate(10, script=Script.parse("smile", 0.4))


def test_bundles_that_do_not_fit_are_refused(tmp_path):
    with pytest.raises(MissingFile, match="model bundle"):
        Generator.load(tmp_path / "none")
    with pytest.raises(BadBundle, match="format 2"):
        bundle_config(tmp_path, format=2)
    with pytest.raises(BadBundle, match="58 columns"):
        bundle_config(tmp_path, motion={"mean": [0.0], "std": [1.0]})
    with pytest.raises(BadBundle, match="export the run again"):
        bundle_config(tmp_path, window={})
    bundle_config(tmp_path)
    with pytest.raises(MissingFile, match="generator.onnx"):
        Generator.load(tmp_path)
    (tmp_path / "generator.onnx").write_bytes(b"not a network")
    with pytest.raises(BadBundle, match="could not open"):
        Generator.load(tmp_path)


def test_a_bundle_knows_its_encoders(tmp_path):
    known = bundle_config(tmp_path, trained={"extractors": {"speech": "whisper-3/a1", "text": "minilm/b2"}})
    assert known.extractors == {"speech": "whisper-3/a1", "text": "minilm/b2"}
    check_extractors(known, {"speech": "whisper-3/a1", "text": "minilm/b2", "pose": "7"})
    with pytest.raises(BadBundle, match="text features of minilm/b2, got an encoder of minilm/c3"):
        check_extractors(known, {"speech": "whisper-3/a1", "text": "minilm/c3"})


@pytest.mark.parametrize("trained", [None, {}, {"steps": 3}, {"extractors": None}])
def test_a_bundle_that_does_not_name_its_encoders_takes_any(tmp_path, trained):
    silent = bundle_config(tmp_path, **({} if trained is None else {"trained": trained}))
    assert silent.extractors == {}
    check_extractors(silent, {"speech": "any"})


def test_a_changed_file_is_noticed(tmp_path):
    (tmp_path / "a.onnx").write_bytes(b"one")
    (tmp_path / "manifest.json").write_text(json.dumps({"a.onnx": {"sha256": hashlib.sha256(b"one").hexdigest()}}))
    assert check_file(tmp_path, "a.onnx") == tmp_path / "a.onnx"
    (tmp_path / "a.onnx").write_bytes(b"two")
    with pytest.raises(BadBundle, match="SHA-256"):
        check_file(tmp_path, "a.onnx")
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(BadBundle, match="expected JSON"):
        check_file(tmp_path, "a.onnx")


def test_speech_columns_follow(generator):
    """What the network is told to do arrives in the right column and unit."""
    speech = np.full((40, WIDTH), 0.1, np.float32)
    motion = generator.generate(20, speech=speech, speech_guidance=1.0)
    assert motion.column("jawOpen")[10] == pytest.approx(0.1 * 2 + 0.5, abs=0.11)
    assert motion.values.shape == (20, MOTION_DIM) and INDEX["jawOpen"] < 52
