"""Measuring videos: what comes out fits together, and every kind of bad file is rejected for the right reason."""

import json
import pickle
import struct
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from instructavatar import config
from instructavatar.codecs.warp import WarpCodec
from instructavatar.data.store import FeatureStore
from instructavatar.errors import BadMedia, BadOption
from instructavatar.face.motion import ROTATION, FaceMotion
from instructavatar.features.landmarks import FaceLandmarker
from instructavatar.features.speech import SpeechEncoder
from instructavatar.media.video import frames_at, read_video, write_video
from instructavatar.prepare import measured as measuring
from instructavatar.prepare.build import build
from instructavatar.prepare.corpora.folder import Folder
from instructavatar.prepare.corpora.puppet import Puppet
from instructavatar.prepare.filming import MUST_AGREE, agreement, film, sitter
from instructavatar.prepare.gates import Gates, Rejected
from instructavatar.prepare.measured import Measurer, crop_of, crop_picture, in_crop, points_of

ROOT = Path(__file__).parents[2]
FRAMES = 36  # of each of the clips
RATE = 16_000


def write(path, frames, sound=None, times=None, rate_hz=RATE, video="libx264", audio="aac", options=None):
    """A video as some camera might write it: frames at these times in seconds (25 fps unless given), a sound [N] of any length and rate."""
    ticks = 600
    with av.open(str(path), "w", options=options or {}) as container:
        pictures = container.add_stream(video, rate=25)
        frames = list(frames)
        pictures.height, pictures.width = frames[0].shape[:2]
        pictures.pix_fmt = "yuvj420p" if video == "mjpeg" else "yuv420p"
        pictures.codec_context.time_base = Fraction(1, ticks)
        if sound is not None:
            voice = container.add_stream(audio, rate=rate_hz, layout="mono")
            block = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound, np.float32)[None], "flt", "mono")
            block.sample_rate, block.pts = rate_hz, 0
            container.mux(voice.encode(block))
            container.mux(voice.encode(None))
        for number, frame in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
            picture.time_base = Fraction(1, ticks)
            picture.pts = round((number / 25 if times is None else times[number]) * ticks)
            container.mux(pictures.encode(picture))
        container.mux(pictures.encode(None))
    return path


@pytest.fixture(scope="module")
def clip(clips):
    """A good clip: 36 frames, 256 x 256, a talking face."""
    return clips.neutral


@pytest.fixture(scope="module")
def pictures(clip):
    return list(frames_at(clip))


@pytest.fixture(scope="module")
def voice(clip):
    return read_video(clip).audio


@pytest.fixture(scope="module")
def found(clip):
    return Measurer(frames=True, size=128).measure(clip, None, silent=False)


def rejected(path, sound=None, silent=False, **gates):
    with pytest.raises(Rejected) as caught:
        Measurer(gates=Gates(**gates)).measure(path, sound, silent)
    assert "\n" not in str(caught.value) and str(caught.value).startswith(caught.value.code + ": ")
    return caught.value.code


# --- a good clip --------------------------------------------------------------------------------------------------------------------------


def test_everything_covers_the_same_frames(found):
    assert found.landmarks.shape == (FRAMES, 478, 3) and found.landmarks.dtype == np.float32
    assert found.motion.values.shape == (FRAMES, 58) and len(found.frames) == FRAMES
    assert found.speech.shape == (2 * FRAMES, 384) and found.speech.dtype == np.float16 and found.audio_flag is True
    assert np.isfinite(found.landmarks).all() and np.isfinite(found.speech).all()
    assert not found.motion.translation[0].any(), "translation counts from the first frame"


def test_speech_is_that_of_the_sound(found, voice):
    np.testing.assert_allclose(found.speech, SpeechEncoder.load(threads=1).encode(voice[: FRAMES * 640]), atol=2e-2)


def test_landmarks_lie_on_the_face_in_the_crop(found):
    """The crop, searched anew, shows the face where the stored landmarks are."""
    for number in (0, FRAMES - 1):
        crop = cv2.imdecode(np.frombuffer(found.frames[number], np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
        assert crop.shape == (128, 128, 3)
        again = FaceLandmarker.load().find(np.ascontiguousarray(crop))[0]
        assert np.abs(again.points[:, :2] - found.landmarks[number, :, :2]).mean() < 0.7
    inside = (found.landmarks[..., :2] > 0) & (found.landmarks[..., :2] < 128)
    assert inside.all(), "the crop has room for every frame"


def test_motion_is_absolute_and_follows_the_drawing(clips, found):
    happy = Measurer().measure(clips.happy, None, silent=True)
    smile = happy.motion.column("mouthSmileLeft")
    assert smile[-1] > found.motion.column("mouthSmileLeft")[-1] + 0.2
    assert np.ptp(found.motion.rotation_deg[:, 1]) == pytest.approx(10, abs=2), "drawn to turn by 5 degrees to either side"
    assert "lip_corner_puller" in happy.units and "lip_corner_puller" not in found.units
    assert all(0 < strength <= 1 for strength in happy.units.values())


def test_a_corpus_without_sound_gets_silence(clip, tmp_path, pictures):
    """Whatever the file holds; the features are finite and those of zeros."""
    mute = write(tmp_path / "mute.mp4", pictures)
    for path in (clip, mute):
        still = Measurer().measure(path, None, silent=True)
        assert still.audio_flag is False and still.speech.shape == (2 * FRAMES, 384) and np.isfinite(still.speech).all()
        np.testing.assert_allclose(still.speech, SpeechEncoder.load(threads=1).encode(np.zeros(FRAMES * 640, np.float32)), atol=2e-2)
    assert still.frames == ()


def test_a_sound_of_its_own_is_heard(clip, tmp_path, voice, found):
    louder = tmp_path / "sound.flac"
    with av.open(str(louder), "w") as container:
        stream = container.add_stream("flac", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray((voice * 16_000).astype(np.int16)[None], "s16", "mono")
        frame.sample_rate = RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert not np.allclose(Measurer().measure(clip, louder, silent=False).speech, found.speech, atol=0.05)


def test_measuring_again_changes_nothing(clip, found):
    again = Measurer(frames=True, size=128).measure(clip, None, silent=False)
    np.testing.assert_array_equal(again.landmarks, found.landmarks)
    np.testing.assert_array_equal(again.motion.values, found.motion.values)
    assert again.frames == found.frames and again.units == found.units


def test_it_travels_to_other_processes_and_says_what_it_measures_with(clip):
    measurer = Measurer(gates=Gates(least_interocular_px=20))
    measurer.measure(clip, None, silent=True)
    there = pickle.loads(pickle.dumps(measurer))
    assert there.versions() == measurer.versions() and set(there.versions()) == {"landmarks", "motion", "speech", "units", "clips"}
    assert there.versions() != Measurer().versions() and Measurer().versions() != Measurer(frames=True).versions()


def test_a_config_builds_it_whole():
    gates = {"target": "instructavatar.prepare.gates.Gates", "params": {"least_interocular_px": 20}}
    units = {"target": "instructavatar.features.action_units.FromActions", "params": {"frames": 8}}
    params = {"size": 128, "gates_config": gates, "units_config": units}
    built = config.build({"target": "instructavatar.prepare.measured.Measurer", "params": params})
    assert (built.size, built.gates.least_interocular_px, built.units.frames) == (128, 20, 8)
    for wrong in ({"size": 3}, {"jpeg_quality": 0}, {"least_frames": 0}):
        with pytest.raises(BadOption, match="measure"):
            Measurer(**wrong)


# --- files from the wild that are handled ------------------------------------------------------------------------------------------------


def test_variable_frame_rate_keeps_time(tmp_path, pictures, voice):
    """A phone that gives 12 to 50 frames a second: curves lie where they were in time."""
    steps = np.where(np.arange(FRAMES - 1) % 3 == 0, 0.08, 0.02)
    times = np.concatenate([[0], steps.cumsum()])
    path = write(tmp_path / "phone.mp4", pictures, voice, times=times)
    film_s = times[-1] + 0.04
    got = Measurer().measure(path, None, silent=False)
    assert len(got.motion) == pytest.approx(25 * film_s, abs=1.5)
    truth = Measurer().measure(write(tmp_path / "even.mp4", pictures), None, silent=True).motion.column("yaw")
    expected = np.interp(np.arange(len(got.motion)) / 25, times, truth)
    assert np.abs(got.motion.column("yaw") - expected).mean() < 0.6


@pytest.mark.parametrize("fps", [12.5, 30])
def test_other_frame_rates_become_25(tmp_path, pictures, fps):
    path = write(tmp_path / "a.mp4", pictures, times=np.arange(FRAMES) / fps)
    got = Measurer(least_frames=10).measure(path, None, silent=True)
    assert len(got.motion) == pytest.approx(FRAMES * 25 / fps, abs=1)


def test_a_phone_held_on_its_side_is_put_upright(clip, tmp_path, found):
    data = bytearray(clip.read_bytes())
    at = data.find(b"tkhd") + 44
    assert struct.unpack_from(">i", data, at)[0] == 0x10000
    struct.pack_into(">9i", data, at, 0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)
    (tmp_path / "mark.mp4").write_bytes(data)
    turned = write_turned(tmp_path / "turned.mp4", tmp_path / "mark.mp4")
    got = Measurer().measure(turned, None, silent=False)
    assert np.abs(got.motion.column("roll")).max() < 10 and len(got.motion) == FRAMES


def write_turned(path, marked):
    """Pictures that lie on their side, with the mark that says so."""
    write_video(path, (np.ascontiguousarray(np.rot90(frame, 2)) for frame in frames_at(marked)), read_video(marked).audio)
    data = bytearray(path.read_bytes())
    at = data.find(b"tkhd") + 44
    # a quarter turn is in the pictures already and another half was added: a quarter turn the other way is left to be marked
    struct.pack_into(">9i", data, at, 0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    frame = next(frames_at(path))
    assert frame.shape[0] == frame.shape[1]
    return path


def test_telephone_sound_is_taken(tmp_path, pictures, voice):
    path = write(tmp_path / "phone.mkv", pictures, voice[::2], rate_hz=8000, audio="pcm_s16le")
    got = Measurer().measure(path, None, silent=False)
    assert got.speech.shape == (2 * FRAMES, 384) and np.isfinite(got.speech).all()


def test_a_little_longer_sound_is_trimmed(tmp_path, pictures, voice):
    for samples in (len(voice) + 6000, len(voice) - 3200):
        path = write(tmp_path / "a.mkv", pictures, np.resize(voice, samples), audio="pcm_s16le")
        got = Measurer().measure(path, None, silent=False)
        assert len(got.motion) == min(FRAMES, round(samples / 640)) and len(got.speech) == 2 * len(got.motion) == 2 * len(got.landmarks)


def test_a_face_that_is_hidden_for_a_moment_is_filled_in(tmp_path, pictures):
    hidden = [frame if number not in (10, 11) else np.full_like(frame, frame[:20, :20].mean()) for number, frame in enumerate(pictures)]
    got = Measurer().measure(write(tmp_path / "a.mp4", hidden), None, silent=True)
    before, after = got.landmarks[9], got.landmarks[12]
    np.testing.assert_allclose(got.landmarks[10], before + (after - before) / 3, atol=0.05)
    assert len(got.motion) == FRAMES


# --- files that are no material -----------------------------------------------------------------------------------------------------------


def test_missing_files_are_named(clip, tmp_path):
    assert rejected(tmp_path / "none.mp4") == "missing"
    assert rejected(clip, tmp_path / "none.wav") == "missing"


@pytest.mark.parametrize("keep", [0, 200, 0.3, 0.7, 0.95])
def test_cut_off_files(clip, tmp_path, keep):
    data = clip.read_bytes()
    (tmp_path / "a.mp4").write_bytes(data[: keep if isinstance(keep, int) else int(keep * len(data))])
    assert rejected(tmp_path / "a.mp4") == "bad_video"


@pytest.mark.parametrize("keep", [0.3, 0.6])
def test_cut_off_files_with_their_index_in_front(tmp_path, pictures, keep):
    """Such a file opens, says how long it is, and ends early."""
    path = write(tmp_path / "a.mp4", pictures, options={"movflags": "faststart"})
    assert len(Measurer().measure(path, None, silent=True).motion) == FRAMES
    data = path.read_bytes()
    path.write_bytes(data[: int(keep * len(data))])
    assert rejected(path, silent=True) == "bad_video"


def test_damaged_bytes_never_end_in_a_traceback(clip, tmp_path):
    rng = np.random.default_rng(0)
    data = np.frombuffer(clip.read_bytes(), np.uint8)
    codes = set()
    for number in range(5):
        hurt = data.copy()
        hurt[rng.integers(0, len(hurt), 2 + 60 * number)] ^= np.uint8(0xA5)
        (tmp_path / "a.mp4").write_bytes(hurt.tobytes())
        try:
            got = Measurer().measure(tmp_path / "a.mp4", None, silent=False)
            assert np.isfinite(got.motion.values).all()
        except Rejected as error:
            codes.add(error.code)
    assert codes, "some of these are damaged beyond use"


def test_files_that_hold_no_pictures(tmp_path, voice):
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=RATE, layout="mono")
        block = av.AudioFrame.from_ndarray(voice[None], "flt", "mono")
        block.sample_rate = RATE
        container.mux(stream.encode(block))
        container.mux(stream.encode(None))
    (tmp_path / "notes.mp4").write_text("no video at all")
    assert rejected(tmp_path / "a.mp4") == rejected(tmp_path / "notes.mp4") == rejected(tmp_path) == "bad_video"


def test_no_sound_track(tmp_path, pictures):
    assert rejected(write(tmp_path / "a.mp4", pictures)) == "no_sound"


def test_a_silent_track(tmp_path, pictures, voice):
    assert rejected(write(tmp_path / "a.mp4", pictures, np.zeros_like(voice))) == "no_sound"


def test_sound_that_is_not_finite(tmp_path, pictures, voice, clip):
    broken = voice.copy()
    broken[1000] = np.nan
    assert rejected(write(tmp_path / "a.mov", pictures, broken, audio="pcm_f32le")) == "bad_sound"
    with av.open(str(tmp_path / "a.wav"), "w") as container:
        stream = container.add_stream("pcm_f32le", rate=RATE, layout="mono")
        block = av.AudioFrame.from_ndarray(broken[None], "flt", "mono")
        block.sample_rate = RATE
        container.mux(stream.encode(block))
    assert rejected(clip, tmp_path / "a.wav") == "bad_sound"
    (tmp_path / "b.wav").write_bytes(b"RIFF nothing")
    assert rejected(clip, tmp_path / "b.wav") == "bad_sound"


def test_a_wrong_frame_rate_shows_by_its_sound(tmp_path, pictures, voice):
    """50 frames a second marked as 25, or the other way round: the picture lasts twice or half as long as the sound."""
    for fps in (12.5, 50):
        path = write(tmp_path / "a.mp4", pictures, voice, times=np.arange(FRAMES) / fps)
        assert rejected(path) == "offset"


def test_too_short(tmp_path, pictures, voice):
    assert rejected(write(tmp_path / "a.mp4", pictures[:20], voice[: 20 * 640])) == "too_short"


def test_too_long(clip):
    assert rejected(clip, longest_s=1.0) == "too_long"


def test_black_pictures(tmp_path, pictures):
    black = np.zeros_like(pictures[0])
    assert rejected(write(tmp_path / "a.mp4", [black] * FRAMES), silent=True) == "black"
    assert rejected(write(tmp_path / "b.mp4", [*pictures[:26], *[black] * 10]), silent=True) == "black"


def test_nobody_there(tmp_path):
    y, x = np.mgrid[:128, :128]
    shapes = [np.stack([(x + 3 * t) % 256, y, (x * y // 64) % 256], -1).astype(np.uint8) for t in range(FRAMES)]
    assert rejected(write(tmp_path / "a.mp4", shapes), silent=True) == "no_face"


def test_a_face_that_goes_away(tmp_path, pictures):
    gone = [*pictures[:28], *[cv2.GaussianBlur(frame, (0, 0), 40) for frame in pictures[28:]]]
    assert rejected(write(tmp_path / "a.mp4", gone), silent=True, least_cut=3) == "no_face"


def test_five_faces(tmp_path, pictures):
    crowd = []
    for frame in pictures:
        face = cv2.resize(frame, (160, 160), interpolation=cv2.INTER_AREA)
        crowd.append(np.concatenate([face, face[:, ::-1], face, face[:, ::-1], face], axis=1))
    assert rejected(write(tmp_path / "a.mp4", crowd), silent=True, least_interocular_px=20) == "two_faces"


def test_a_small_face_in_the_background_is_no_company(tmp_path, pictures):
    wide = []
    for frame in pictures:
        room = np.full((256, 400, 3), 120, np.uint8)
        room[:, :256] = frame
        room[20:110, 290:380] = cv2.resize(frame, (90, 90), interpolation=cv2.INTER_AREA)
        wide.append(room)
    path = write(tmp_path / "a.mp4", wide)
    assert len(Measurer().measure(path, None, silent=True).motion) == FRAMES
    assert rejected(path, silent=True, second_face=0.3) == "two_faces"


def test_cuts_and_frozen_pictures(tmp_path, pictures, clips):
    other = list(frames_at(clips.happy))
    mirrored = [np.ascontiguousarray(frame[:, ::-1] // 2 + 60) for frame in other]
    assert rejected(write(tmp_path / "a.mp4", [*pictures[:20], *mirrored[:16]]), silent=True) == "cut"
    moved = [np.roll(frame, 60, axis=1) for frame in pictures]
    assert rejected(write(tmp_path / "b.mp4", [*pictures[:18], *moved[18:]]), silent=True) == "cut"
    assert rejected(write(tmp_path / "c.mp4", [pictures[0]] * FRAMES), silent=True, longest_still_s=1.0) == "frozen"


def test_too_small(tmp_path, pictures):
    small = [cv2.resize(frame, (96, 96), interpolation=cv2.INTER_AREA) for frame in pictures]
    assert rejected(write(tmp_path / "a.mp4", small), silent=True) == "too_small"


def test_too_turned(clip):
    assert rejected(clip, most_yaw_deg=1.0) == "too_turned"


def test_an_encoder_that_gives_nonsense_is_no_ones_clip(clip):
    class Mute:
        version, dim = "mute", 4

        def encode(self, audio):
            return np.full((len(audio) // 320, 4), np.nan, np.float32)

    with pytest.raises(BadMedia, match="mend the encoder"):
        Measurer(speech=Mute()).measure(clip, None, silent=True)


# --- the crop -----------------------------------------------------------------------------------------------------------------------------


def test_crops_hold_all_faces_and_stay_in_the_picture(found, clip):
    faces = list(FaceLandmarker.load().track(list(frames_at(clip))[:3]))
    left, top, side = crop_of(faces, 4000, 3000)
    assert left == int(left) and left >= 0 and top >= 0
    for face in faces:
        box = np.array(face.box)
        assert (box[:2] > [left, top]).all() and (box[2:] < [left + side, top + side]).all()
    far = [face.moved(1.0, (3900, 0)) for face in faces]
    assert crop_of(far, 4000, 3000)[0] + side == 4000, "moved inside"
    assert crop_of(faces, 100, 100)[0] == (100 - side) // 2, "as much to either side where it is larger than the picture"


def test_crop_and_landmarks_agree_also_beyond_the_border():
    frame = np.zeros((60, 80, 3), np.uint8)
    frame[20:24, 30:34] = 255
    points = np.zeros((1, 478, 3), np.float32)
    points[:] = [31.5, 21.5, 5.0]
    for crop in ((-10.0, -20.0, 100.0), (20.0, 10.0, 32.0)):
        picture = crop_picture(frame, crop, 64)
        y, x = np.nonzero(picture[..., 0] > 100)
        moved = in_crop(points, crop, 64)[0, 0]
        assert moved[:2] == pytest.approx([x.mean(), y.mean()], abs=0.35)
        assert moved[2] == pytest.approx(5.0 * 64 / crop[2])


def test_gaps_are_filled_linearly_and_ends_held(clip):
    one, other = list(FaceLandmarker.load().track(list(frames_at(clip))[::30]))[:2]
    points = points_of([None, one, None, None, None, other, None])
    np.testing.assert_array_equal(points[0], one.points)
    np.testing.assert_array_equal(points[6], other.points)
    np.testing.assert_allclose(points[2], 0.75 * one.points + 0.25 * other.points, atol=1e-3)


def test_nets_are_loaded_once(clip):
    assert measuring.landmarker() is measuring.landmarker()
    assert Measurer().speech is measuring.speech_encoder()


# --- against the truth --------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def studio():
    landmarker, codec = FaceLandmarker.load(), WarpCodec.load()
    portrait = ROOT / "instructavatar" / "weights" / "demo_portrait.jpg"
    return sitter(portrait, codec, landmarker, 256), codec


def test_what_is_drawn_is_measured(tmp_path, studio):
    who, codec = studio
    wave = (1 - np.cos(np.linspace(0, 4 * np.pi, 50))) / 2
    drawn = FaceMotion.of(50, {"jawOpen": 0.6 * wave, "browInnerUp": wave[::-1], "yaw": 15 * np.sin(np.linspace(0, 6, 50)), "pitch": -4})
    film(tmp_path / "a.mp4", who, drawn, None, codec)
    got = agreement([(who, drawn, Measurer().measure(tmp_path / "a.mp4", None, silent=True).motion)])
    assert got.frames == 50 and got.r["jaw"] > 0.9 and got.r["inner brows up"] > 0.85 and np.isnan(got.r["smile"])
    assert max(got.pose_deg) < 3


def test_agreement_counts_what_is_drawn(studio):
    who, _ = studio
    drawn = FaceMotion.of(20, {"jawOpen": np.linspace(0, 1, 20)})
    pose = dict(zip(("pitch", "yaw", "roll"), who.appearance.landmarks.rotation_deg, strict=True))
    same = FaceMotion.of(20, {"jawOpen": 0.5 * np.linspace(0, 1, 20), **pose})
    assert agreement([(who, drawn, same)]).r["jaw"] == pytest.approx(1)
    assert agreement([(who, drawn, same)]).pose_deg == pytest.approx((0, 0, 0), abs=1e-4)
    nothing = agreement([(who, drawn, FaceMotion.still(20))])
    assert nothing.r["jaw"] == 0 and max(nothing.pose_deg) == pytest.approx(max(abs(angle) for angle in pose.values()), rel=1e-4)
    with pytest.raises(ValueError, match="one length"):
        agreement([(who, drawn, FaceMotion.still(19))])
    with pytest.raises(ValueError, match="none"):
        agreement([])


@pytest.mark.slow
def test_puppets_on_film_are_measured_as_they_were_performed(tmp_path):
    """Every clip of the pack on every portrait that ships: 250 videos through `folder` to a store, about 6 minutes."""
    landmarker, codec = FaceLandmarker.load(), WarpCodec.load()
    corpus = Puppet(ROOT / "tests" / "assets" / "puppet_tiny")
    paths = [ROOT / "instructavatar" / "weights" / "demo_portrait.jpg", *sorted((ROOT / "tests" / "assets" / "portraits").glob("*.png"))]
    drawn, rows = {}, []
    for who in (sitter(path, codec, landmarker, 384) for path in paths):
        for record in corpus.records():
            path, sound = tmp_path / "films" / who.name / f"{record.id}.mp4", corpus.sound(record) if record.audio else None
            path.parent.mkdir(parents=True, exist_ok=True)
            drawn[f"{who.name}--{record.id}"] = who, corpus.motion(record)
            film(path, who, corpus.motion(record), sound, codec)
            rows.append({"path": f"{who.name}/{record.id}.mp4", "speaker": who.name, "silent": "no" if record.audio else "yes"})
    (tmp_path / "films" / "clips.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    report = build(Folder(tmp_path / "films"), tmp_path / "store", workers=2)
    # told to stop moving, a puppet stands stiller than a person could, and counts as a photograph
    assert report.clips >= 200 and len(report.skipped) <= 0.05 * len(drawn), report
    assert all(reason.startswith("frozen") for reason in report.skipped.values()), report
    store = FeatureStore.open(tmp_path / "store")
    keys = store.keys()
    got = agreement((*drawn[key], performed(store[key])) for key in keys)
    assert min(got.r[row] for row in MUST_AGREE) >= 0.85, got
    assert max(got.pose_deg) <= 3, got


def performed(record):
    """A record's motion with the head as measured: FaceMotion in a store counts it from the first frame."""
    values = record["motion_latent"].copy()
    values[:, ROTATION] = record["pose"]
    return FaceMotion(values)
