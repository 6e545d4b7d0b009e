"""A store as reference: the same faces, the same motion, what was asked, and refusals that say what to do."""

import json

import cv2
import numpy as np
import pytest

from instructavatar.data.header import Header
from instructavatar.data.record import complete
from instructavatar.data.writer import StoreWriter
from instructavatar.errors import BadBundle
from instructavatar.face.motion import ACTION_COUNT, ROTATION, FaceMotion
from instructavatar.features.face_motion import face_motion
from instructavatar.media.video import write_video
from instructavatar.metrics.base import Take
from instructavatar.metrics.benchmark import Benchmark
from instructavatar.metrics.cache import Cache
from instructavatar.metrics.clips import VideoClip
from instructavatar.metrics.pairs import Asked, find_pairs
from instructavatar.metrics.smoothness import Smoothness
from instructavatar.metrics.store_clips import StoreClip, is_store, real_clip, references

FRAMES = 30


def moving(frames=FRAMES, seed=0):
    """A motion in which every column changes slowly."""
    walk = np.random.default_rng(seed).normal(0, 1, (frames, 58)).cumsum(0)
    values = np.zeros((frames, 58))
    values[:, :ACTION_COUNT] = 0.3 + 0.02 * walk[:, :ACTION_COUNT]
    values[:, ROTATION] = 5 + walk[:, ROTATION]
    values[:, 55:] = 0.1 * (walk[:, 55:] - walk[0, 55:])
    return FaceMotion(values.clip(-30, 30).astype(np.float32))


def record_of(faces, pictures=(), latents=False, **labels):
    """A record as `prepare` writes it for filmed clips."""
    motion = face_motion(faces).values
    told = motion.copy()
    told[:, ROTATION] -= motion[0, ROTATION]
    jpegs = [cv2.imencode(".jpg", picture[..., ::-1])[1].tobytes() for picture in pictures]
    offsets = np.cumsum([0, *map(len, jpegs)]).astype(np.int64) if jpegs else np.zeros(0, np.int64)
    given = {
        "motion_latent": np.ones((len(faces), 7), np.float32) if latents else told,
        "face_motion": told if latents else np.zeros((0, 58), np.float32),
        "latent_length": len(faces),
        "pose": motion[:, ROTATION].copy(),
        "ldmk": np.stack([face.points for face in faces]).astype(np.float16),
        "face_frames": np.frombuffer(b"".join(jpegs), np.uint8),
        "face_offsets": offsets,
        "inst_flag": bool(labels.get("instruction")),
    }
    return complete({**given, **labels})


@pytest.fixture
def write_store(tmp_path):
    """A function: records by key -> a store of them in its test split."""

    def write(records, name="store"):
        with StoreWriter(tmp_path / name, Header.started("hash", {"landmarks": "l1", "motion": "m1"})) as writer:
            for sentence in {sentence for record in records.values() for sentence in record["instruction"]}:
                writer.add_text(sentence, np.zeros((2, 384), np.float16), np.zeros(384, np.float16))
            for key, record in records.items():
                writer.add(key, record)
            writer.finish({"test": list(records)})
        return tmp_path / name

    return write


def stored(store, key, cache=None):
    return real_clip(store.with_name(f"{store.name}#{key}"), cache or Cache(None))


@pytest.mark.parametrize("latents", [False, True])
def test_faces_and_motion_come_back(write_store, draw_faces, latents):
    faces = draw_faces(moving())
    clip = stored(write_store({"a": record_of(faces, latents=latents)}), "a")
    true = Take.of(faces)
    assert isinstance(clip, StoreClip)
    assert len(clip) == clip.length_hint == FRAMES
    np.testing.assert_allclose(clip.take.motion.values, true.motion.values, atol=1e-4)
    np.testing.assert_allclose(clip.take.points, true.points, atol=0.13)
    np.testing.assert_allclose(face_motion(clip.faces).values, true.motion.values, atol=1e-4)


def test_pictures_come_back_in_their_colours(write_store, draw_faces):
    pictures = [np.full((64, 64, 3), (t, 100, 200), np.uint8) for t in range(0, 240, 8)]
    clip = stored(write_store({"a": record_of(draw_faces(moving()), pictures)}), "a")
    assert clip.pictured
    assert clip.sound is None
    for seen, picture in zip(clip.frames(), pictures, strict=True):
        assert np.abs(seen.astype(int) - picture).max() < 6
    assert len(clip.pictures(4)) == 4


def test_a_store_without_pictures_says_so_when_asked(write_store, draw_faces):
    clip = stored(write_store({"a": record_of(draw_faces(moving()))}), "a")
    assert not clip.pictured
    with pytest.raises(BadBundle, match=r"face frames of a in the store store.*frames=true"):
        list(clip.frames())


def test_a_clip_without_landmarks_is_refused(write_store, draw_faces):
    record = record_of(draw_faces(moving())) | {"ldmk": np.zeros((0, 478, 3), np.float16)}
    store = write_store({"a": record})
    with pytest.raises(BadBundle, match="expected landmarks"):
        stored(store, "a")


def test_an_unknown_clip_is_named(write_store, draw_faces):
    store = write_store({"a": record_of(draw_faces(moving()))})
    with pytest.raises(BadBundle, match="clip b"):
        stored(store, "b")


def test_keys_tell_clips_apart(write_store, draw_faces):
    record = record_of(draw_faces(moving()))
    store = write_store({"a": record, "b": record})
    assert stored(store, "a").key == stored(store, "a").key != stored(store, "b").key


def test_a_store_offers_its_clips_by_key_path_and_bare_name(write_store, draw_faces):
    record = record_of(draw_faces(moving()))
    told = {"instruction": ["smile", "grin"], "emotion": "happy", "intensity": 2, "action_units": ["jaw_drop", "dimpler"]}
    store = write_store(
        {
            "M1_a": record | told | {"filename": "M1/a.mp4", "inst_flag": True},
            "M1_b": record | {"filename": "M1/b.mp4"},
            "W1_b": record | {"filename": "W1/b.mp4"},
        }
    )
    assert is_store(store) and not is_store(store.parent)
    offered = references(store)
    assert {name: path.name for name, (path, _) in offered.items()} == {
        "M1_a": "store#M1_a",
        "M1/a": "store#M1_a",
        "a": "store#M1_a",
        "M1_b": "store#M1_b",
        "M1/b": "store#M1_b",
        "W1_b": "store#W1_b",
        "W1/b": "store#W1_b",
    }
    assert offered["a"][1] == Asked("smile", "", "happy", 2, ("jaw_drop", "dimpler"))


def test_generated_videos_meet_the_clips_of_a_store(write_store, draw_faces, tmp_path):
    record = record_of(draw_faces(moving())) | {"filename": "M1/a.mp4", "emotion": "sad", "intensity": 1}
    store = write_store({"M1_a": record})
    made = tmp_path / "made"
    made.mkdir()
    for name in ("face--M1_a.mp4", "alone.mp4"):
        (made / name).touch()
    found = find_pairs(made, store)
    assert [(pair.name, pair.reference and pair.reference.name) for pair in found.pairs] == [("alone", None), ("face--M1_a", "store#M1_a")]
    assert found.pairs[1].asked.emotion == "sad"
    assert found.aside == ()


def test_a_list_may_name_a_clip_of_a_store(write_store, draw_faces, tmp_path):
    store = write_store({"a/b": record_of(draw_faces(moving()))})
    sheet = tmp_path / "pairs.jsonl"
    sheet.write_text(json.dumps({"generated": "g.mp4", "reference": "store#a/b"}))
    clip = real_clip(find_pairs(sheet).pairs[0].reference, Cache(None))
    assert isinstance(clip, StoreClip) and clip.name == "a/b"
    assert clip.store.path == store


def test_a_video_with_the_sign_in_its_name_is_a_video(tmp_path):
    path = tmp_path / "a#b.mp4"
    write_video(path, [np.zeros((64, 64, 3), np.uint8)] * 3)
    assert isinstance(real_clip(path, Cache(None)), VideoClip)


def test_the_whole_loop_compares_with_a_store(write_store, demo_face, drawn_clip, tmp_path):
    """The generated video is the stored clip itself: its numbers and the truth's agree."""
    clip = drawn_clip(FaceMotion.still(FRAMES))
    made = tmp_path / "made"
    made.mkdir()
    write_video(made / "a.mp4", clip.made)
    store = write_store({"a": record_of(clip.faces)})
    outcome = Benchmark({"smoothness": Smoothness()}).run(find_pairs(made, store).pairs, Cache(None))[0]
    assert not [problem for problem in outcome.failed if problem["row"] != "shuffled_audio"]
    mine, true = (outcome.scores[row]["smoothness"] for row in ("system", "ground_truth"))
    assert mine["msi"] == pytest.approx(true["msi"], rel=0.05)
