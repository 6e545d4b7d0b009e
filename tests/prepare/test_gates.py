"""The gates: each fires on what it is for, and on nothing that a living face does."""

import pickle
from dataclasses import fields

import cv2
import numpy as np
import pytest

from instructavatar.errors import BadOption, InstructAvatarError
from instructavatar.face.landmarks import POINT_COUNT, Landmarks
from instructavatar.face.motion import ACTION_COUNT
from instructavatar.features.lip_sync import REACH, correlations, loudness, opening
from instructavatar.media.video import frames_at
from instructavatar.prepare import companions as company
from instructavatar.prepare.cuts import PictureWatch, small, unlike
from instructavatar.prepare.gates import CODES, Gates, Rejected, alone, face_steps
from instructavatar.prepare.lag import check_lag

RNG = np.random.default_rng(0)


def face(x=100.0, y=100.0, eyes=60.0, mouth=0.0, yaw=0.0, pitch=0.0):
    """A flat face whose outer eye corners are that far apart."""
    points = np.zeros((POINT_COUNT, 3), np.float32)
    points[:, :2] = RNG.uniform(-1, 1, (POINT_COUNT, 2)) * eyes
    points[0, :2], points[1, :2] = -eyes, eyes
    points[33, :2], points[263, :2] = (-eyes / 2, 0), (eyes / 2, 0)
    points[13, :2], points[14, :2] = (0, 20), (0, 20 + mouth * eyes)
    points[:, :2] += x, y
    return Landmarks(points, np.zeros(ACTION_COUNT), np.array([pitch, yaw, 0.0]))


def code_of(check, *given):
    with pytest.raises(Rejected) as caught:
        check(*given)
    assert caught.value.code in CODES
    return caught.value.code


# --- the error and the limits -------------------------------------------------------------------------------------------------------------


def test_a_rejection_comes_back_whole_from_another_process():
    error = pickle.loads(pickle.dumps(Rejected("cut", "at 3 s")))
    assert isinstance(error, InstructAvatarError) and (error.code, error.detail, str(error)) == ("cut", "at 3 s", "cut: at 3 s")


@pytest.mark.parametrize("limit", [limit.name for limit in fields(Gates)])
def test_limits_that_make_no_sense_are_refused(limit):
    for wrong in (-1, float("nan"), "much"):
        with pytest.raises(BadOption, match=limit):
            Gates(**{limit: wrong})


# --- what is judged on the measurement ----------------------------------------------------------------------------------------------------


def test_lengths():
    gates = Gates()
    gates.lengths(50, 32_000, 2.0)
    gates.lengths(50, 32_000 + 7900, 0.0)
    assert code_of(gates.lengths, 50, 32_000 + 8100, 0.0) == code_of(gates.lengths, 50, 32_000 - 8100, 0.0) == "offset"
    gates.lengths(50, 32_000, 2.4)  # a phone's own cut
    assert code_of(gates.lengths, 50, 32_000, 4.0) == "bad_video"
    assert code_of(gates.long, 1801.0) == "too_long"


def test_sound_that_holds_nothing():
    Gates().sound(np.full(100, 1e-3, np.float32))
    assert code_of(Gates().sound, np.zeros(100, np.float32)) == code_of(Gates().sound, np.zeros(0, np.float32)) == "no_sound"


def test_lost_small_and_turned_faces():
    gates = Gates()
    gates.faces([face()] * 18 + [None] * 2)
    assert code_of(gates.faces, [face()] * 17 + [None] * 3) == code_of(gates.faces, [None] * 5) == "no_face"
    gates.faces([face(eyes=37)] * 5)
    assert code_of(gates.faces, [face(eyes=35)] * 5) == "too_small"
    gates.faces([face()] * 15 + [face(yaw=-60)] * 5)
    assert code_of(gates.faces, [face()] * 13 + [face(yaw=-60)] * 7) == "too_turned"
    assert code_of(gates.faces, [face(pitch=40)] * 7 + [face()] * 13) == "too_turned"


def test_a_face_that_jumps():
    still = face()
    there = [still.moved(1.0, (5.0 * step, 0)) for step in range(20)]
    Gates().faces(there)
    assert code_of(Gates().faces, there[:10] + [one.moved(1.0, (40, 0)) for one in there[10:]]) == "cut"
    assert code_of(Gates().faces, there[:10] + [one.moved(1.4) for one in there[10:]]) == "cut"


def test_a_face_that_moves_fast_does_not_jump():
    """A turn of 300 degrees a second, a nod, somebody who sits down: half an inter-ocular distance a frame at most, over several frames."""
    still = face()
    for frames in (4, 6, 10):
        path = 110 * (1 - np.cos(np.linspace(0, np.pi, frames + 1))) / 2
        moves = [still] * 8 + [still.moved(1.0, (step, 0)) for step in path] + [still.moved(1.0, (110, 0))] * 8
        Gates().faces(moves)
    slow = [still.moved(1.0, (35.0 * (number // 5), 0)) for number in range(40)]  # five pictures a second
    Gates().faces(slow)


def test_steps_beside_gaps_do_not_count():
    steps = face_steps([face(), None, face(x=300), face(x=300)])
    assert steps.shape == (3,) and (steps[:2] == 0).all()
    assert alone(np.array([0.0, 1.0]), 1) and not alone(np.array([0.4, 1.0]), 1)


# --- what is judged on the pictures -------------------------------------------------------------------------------------------------------


def watched(frames, **gates):
    """The code that the pictures are refused with, or ""."""
    watch = PictureWatch(Gates(**gates))
    try:
        for frame in frames:
            watch.see(frame)
        watch.finish()
    except Rejected as error:
        return error.code
    return ""


def scene(seed, shape=(120, 160)):
    """A blurred picture, about as rich as a room."""
    noise = np.random.default_rng(seed).integers(0, 255, (*shape, 3)).astype(np.uint8)
    blurred = cv2.GaussianBlur(noise, (0, 0), 8).astype(np.float32)
    return ((blurred - blurred.min()) / np.ptp(blurred) * 220 + 20).astype(np.uint8)


def living(seed, frames=30):
    """A scene with some noise of the camera."""
    rng = np.random.default_rng(seed)
    return [np.clip(scene(seed) + rng.normal(0, 3, (120, 160, 1)), 0, 255).astype(np.uint8) for _ in range(frames)]


@pytest.mark.parametrize("at", [1, 3, 6, 7, 15, 24, 29])
def test_hard_cuts_are_found_wherever_they_are(at):
    assert watched(living(1)[:at] + living(2)[at:]) == "cut"
    assert watched(living(1)) == ""


def test_fast_cuts_and_a_cut_through_black_are_found():
    assert watched(living(1)[:10] + living(2)[:4] + living(3)[:10]) == "cut"
    assert watched(living(1)[:14] + [np.zeros((120, 160, 3), np.uint8)] * 2 + living(2)[:14]) == "cut"


def test_flashes_blinks_of_the_light_and_a_broken_frame_are_no_cuts():
    frames = living(1)
    for lit in (np.full_like(frames[0], 255), np.clip(frames[0].astype(int) * 2 + 60, 0, 255).astype(np.uint8), scene(9)):
        for last in (13, 15):
            assert watched(frames[:12] + [lit] * (last - 12) + frames[last:]) == ""
    dimmed = [(frame * (0.3 if number > 15 else 1.0)).astype(np.uint8) for number, frame in enumerate(frames)]
    assert watched(dimmed) == ""


def test_black_at_the_start_is_no_cut_but_much_of_it_is_black():
    black = [np.zeros((120, 160, 3), np.uint8)]
    assert watched(black * 2 + living(1)) == ""
    assert watched(black * 8 + living(1)) == "black"


def test_a_picture_that_stands_still():
    assert watched([scene(1)] * 76) == "frozen" and watched([scene(1)] * 70) == ""
    assert watched([scene(1)] * 30 + living(1, 4) + [scene(1)] * 60, longest_still_s=1.0) == "frozen"


def test_a_head_that_turns_fast_is_no_cut(clips):
    """A talking face, close up, that is turned and shaken as fast as people can."""
    frames = list(frames_at(clips.surprised))
    height, width = frames[0].shape[:2]
    for per_frame in (4, 12, 20):
        shift = per_frame * np.cumsum(np.sin(np.arange(len(frames)) * 2 * np.pi / 12))
        shaken = []
        for frame, pixels in zip(frames, shift, strict=True):
            matrix = np.array([[1.0, 0, pixels], [0, 1, 0]])
            shaken.append(cv2.warpAffine(frame, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE))
        assert watched(shaken) == "", per_frame


def test_no_clip_that_is_one_take_has_a_cut(clips):
    for path in (clips.neutral, clips.happy, clips.sad, clips.surprised):
        assert watched(frames_at(path)) == ""
    grey = [small(frame) for frame in frames_at(clips.happy)]
    assert max(unlike(one, other) for one, other in zip(grey, grey[1:], strict=False)) < 0.1
    assert grey[0].shape == (32, 32) and unlike(grey[0], grey[0] * 0) == 1.0


# --- companions ---------------------------------------------------------------------------------------------------------------------------


class Eyes:
    """Finds the faces it is told of, given in pixels of the unshrunk picture."""

    def __init__(self, faces, width=640):
        self.faces, self.width, self.views = faces, width, []

    def find(self, image):
        self.views.append(image.shape)
        return [one.moved(image.shape[1] / self.width) for one in self.faces]


def counted(faces, known, frames=200, every=1, **gates):
    watch = company.Companions(Gates(**gates), Eyes(faces))
    for number in range(frames):
        watch._landmarker.faces = faces if number // company.EVERY % every == 0 else faces[:1]
        watch.see(np.zeros((360, 640, 3), np.uint8), known)
    watch.finish()
    return watch


def test_company_counts_by_size_and_by_how_often_it_is_seen():
    known, large, little = face(150, 150, 60), face(450, 150, 40), face(450, 150, 20)
    assert counted([known, little], known).looks == 4
    assert code_of(counted, [known, large], known) == "two_faces"
    assert counted([known, large], known, every=4).company == 1, "somebody passes by"
    assert "5 faces" in str(pytest.raises(Rejected, counted, [known] + [face(x, 150, 60) for x in (320, 400, 480, 560)], known).value)


def test_a_short_clip_is_looked_at_once_and_without_a_face_not_at_all():
    known = face(150, 150, 60)
    assert counted([known], known, frames=25).looks == 1
    watch = company.Companions(Gates(), Eyes([known]))
    for _ in range(100):
        watch.see(np.zeros((360, 640, 3), np.uint8), None)
    watch.finish()
    assert watch.looks == 0


def test_large_pictures_are_shrunk_before_they_are_searched():
    known = face(1000, 1000, 400)
    eyes = Eyes([known], 3840)
    assert company.companions(eyes, np.zeros((2160, 3840, 3), np.uint8), known, 0.5) == 0
    assert max(eyes.views[0]) <= 480
    assert company.companions(Eyes([face(1000, 1000, 60)], 3840), np.zeros((2160, 3840, 3), np.uint8), face(1000, 1000, 60), 0.5) == 0


# --- lips and sound -----------------------------------------------------------------------------------------------------------------------


def speech(frames, seed=0):
    """Loudness of syllables [T], 0..1, and a sound that has it."""
    rng = np.random.default_rng(seed)
    level = np.clip(np.convolve(rng.random(frames) * (rng.random(frames) > 0.5), np.ones(4) / 2, "same"), 0, 1)
    sound = np.repeat(level, 640) * rng.normal(0, 0.1, frames * 640)
    return level, sound.astype(np.float32)


@pytest.mark.parametrize("late", [-10, -2, 0, 3, 12])
def test_the_delay_of_lips_is_found(late):
    level, sound = speech(200)
    lips = [face(mouth=0.2 * value) for value in np.roll(level, late)]
    r = correlations(opening(lips), loudness(sound, 200))
    assert r.argmax() - REACH == late and r.max() > 0.5
    assert code_of(check_lag, Gates(most_lag_s=0.2), lips, sound) == "offset" if abs(late) > 5 else True
    if abs(late) <= 5:
        check_lag(Gates(most_lag_s=0.2), lips, sound)
    check_lag(Gates(), lips, sound)  # nobody asked


def test_lips_that_tell_nothing_are_not_judged():
    _, sound = speech(200)
    other, _ = speech(200, seed=5)
    check_lag(Gates(most_lag_s=0.1), [face(mouth=0.2 * value) for value in other], sound)
    check_lag(Gates(most_lag_s=0.1), [face()] * 200, sound)
    check_lag(Gates(most_lag_s=0.1), [None, *[face(mouth=0.1)] * 50], sound)
    assert loudness(np.zeros(640, np.float32), 2).tolist() == [-60, -60]
