"""Emotion accuracy: the arithmetic with a net of our own, the classifier itself where its weights are."""

import numpy as np
import pytest

from instructavatar.errors import BadBundle, MissingFile
from instructavatar.face.motion import FaceMotion
from instructavatar.features.fetch import fetched_path
from instructavatar.metrics.base import NotScored
from instructavatar.metrics.emotion import CLASSES, SIDE, EmotionAccuracy, tight_crop
from instructavatar.metrics.pairs import Asked


class Told(EmotionAccuracy):
    """Says for each picture what the picture's brightness tells: class number = grey / 20."""

    def probabilities(self, crop):
        found = np.full(len(CLASSES), 0.05, np.float32)
        found[round(float(crop.mean()) * 255 / 20)] = 0.7
        return found


def pictures(names):
    return [np.full((256, 256, 3), CLASSES.index(name) * 20, np.uint8) for name in names]


@pytest.fixture
def judged(make_clip, make_case):
    def judge(names, emotion):
        clip = make_clip(FaceMotion.still(len(names)), frames=pictures(names))
        return Told().score(make_case(clip, asked=Asked(emotion=emotion)))

    return judge


@pytest.mark.parametrize("emotion", CLASSES)
def test_each_class_is_found_as_itself(judged, emotion):
    assert judged([emotion] * 8, emotion) == {"emotion_accuracy": 100, "emotion_frames": 100}
    assert judged([emotion] * 8, CLASSES[CLASSES.index(emotion) - 1]) == {"emotion_accuracy": 0, "emotion_frames": 0}


def test_share_of_frames_and_the_clips_mean(judged):
    shown = ["happy"] * 5 + ["sad"] * 3
    assert judged(shown, "happy") == {"emotion_accuracy": 100, "emotion_frames": 62.5}
    assert judged(shown, "sad") == {"emotion_accuracy": 0, "emotion_frames": 37.5}
    assert Told().compute([judged(shown, "happy"), judged(shown, "sad")]) == {"emotion_accuracy": 50, "emotion_frames": 50}


def test_what_the_classifier_does_not_know_is_told(judged):
    for emotion, why in (("contempt", "no class 'contempt'"), ("", "no emotion asked")):
        with pytest.raises(NotScored, match=why):
            judged(["happy"] * 8, emotion)


def test_crop_is_the_face_alone(make_portrait):
    """A picture bright on the face's box alone gives a bright crop, whatever the face's size."""
    for size_px in (20.0, 60.0):
        portrait = make_portrait(size_px=size_px)
        left, top, right, bottom = (round(side) for side in portrait.face.box)
        picture = np.zeros((256, 256, 3), np.uint8)
        picture[top : bottom + 1, left : right + 1] = 250
        crop = tight_crop(picture, portrait.face)
        assert crop.shape == (SIDE, SIDE, 3) and crop.dtype == np.float32
        assert crop[SIDE // 2].max() <= 1 and crop.mean() > 0.75


def test_shrinking_averages(make_portrait):
    """Stripes of one pixel become grey where the face is larger than the crop."""
    picture = np.zeros((1024, 1024, 3), np.uint8)
    picture[:, ::2] = 255
    face = make_portrait(size_px=280.0, middle_px=(512.0, 512.0)).face
    crop = tight_crop(picture, face)
    assert crop.std() < 0.2 and 0.4 < crop.mean() < 0.6


def test_missing_weights_say_how_to_get_them(tmp_path):
    with pytest.raises(MissingFile, match="assets --fetch facex"):
        EmotionAccuracy(tmp_path / "none.tflite").check()
    (tmp_path / "bad.tflite").write_bytes(b"no net")
    with pytest.raises(BadBundle, match="fetch it again"):
        EmotionAccuracy(tmp_path / "bad.tflite").probabilities(np.zeros((SIDE, SIDE, 3), np.float32))


@pytest.fixture
def classifier():
    try:
        fetched_path("facex")
    except MissingFile:
        pytest.skip("needs the weights facex: instructavatar assets --fetch facex")
    return EmotionAccuracy()


def test_the_classifier_sees_a_smile(classifier, demo_face, drawn_clip, make_case):
    smile = FaceMotion.of(9, {"mouthSmileLeft": 0.9, "mouthSmileRight": 0.9, "cheekSquintLeft": 0.5, "cheekSquintRight": 0.5})
    case = make_case(drawn_clip(smile), asked=Asked(emotion="happy"))
    assert classifier.score(case)["emotion_accuracy"] == 100
    assert EmotionAccuracy().score(make_case(drawn_clip(FaceMotion.still(9)), asked=Asked(emotion="angry")))["emotion_accuracy"] == 0
