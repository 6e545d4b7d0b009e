from pathlib import Path

import cv2
import numpy as np
import pytest

from instructavatar.errors import BadBundle, MissingFile
from instructavatar.face.motion import FaceMotion
from instructavatar.features.fetch import fetched_path
from instructavatar.media.portrait import read_portrait
from instructavatar.metrics import identity, weights
from instructavatar.metrics.base import NotScored
from instructavatar.metrics.clips import landmarker
from instructavatar.metrics.identity import Identity, drift

PORTRAITS = Path(__file__).parents[1] / "assets" / "portraits"


@pytest.fixture(scope="module")
def metric():
    try:
        made = Identity(weights=str(fetched_path("sface")))
    except MissingFile as error:
        pytest.skip(str(error))
    made.check()
    return made


@pytest.fixture(scope="module")
def strangers():
    """(picture, face) of people beside the one of the demo."""
    pictures = [read_portrait(PORTRAITS / name, max_side=512).rgb for name in ("head_1.png", "head_2.png", "head_3.png")]
    return [(picture, landmarker().find(picture)[0]) for picture in pictures]


@pytest.fixture
def counted(monkeypatch):
    """A net that knows the face by the grey of the crop: grey g stands at angle g / 255 * 90 degrees. The list has the crops it saw."""
    crops = []

    def net(_):
        def embedded(crop):
            crops.append(crop)
            angle = float(crop.mean()) / 255 * np.pi / 2
            return np.array([np.cos(angle), np.sin(angle)], np.float32)

        return embedded

    monkeypatch.setattr(identity, "sface", net)
    return crops


@pytest.fixture
def metric_of_greys(counted, tmp_path):
    (tmp_path / "net.onnx").write_bytes(b"any")
    return Identity(pictures=8, weights=str(tmp_path / "net.onnx"))


def greys(levels):
    return [np.full((256, 256, 3), level, np.uint8) for level in levels]


def angle(one, other):
    return np.cos((one - other) / 255 * np.pi / 2)


def test_cosines_with_the_portrait_and_with_the_real_frames(metric_of_greys, make_clip, make_case, make_portrait):
    clip = make_clip(FaceMotion.still(8), frames=greys(range(0, 160, 20)))
    truth = make_clip(FaceMotion.still(8), frames=greys([30] * 8))
    case = make_case(clip, truth, make_portrait(picture=greys([0])[0]))
    found = metric_of_greys.score(case)
    assert found["csim"] == pytest.approx(np.mean([angle(g, 0) for g in range(0, 160, 20)]), abs=1e-5)
    assert found["identity_worst"] == pytest.approx(angle(140, 0), abs=1e-5)
    assert found["csim_truth"] == pytest.approx(np.mean([angle(g, 30) for g in range(0, 160, 20)]), abs=1e-5)
    assert "identity_drift" not in found  # too short


def test_frames_are_compared_at_the_same_times_even_if_faces_were_lost(metric_of_greys, make_clip, make_case, draw_faces):
    faces = draw_faces(FaceMotion.still(8))
    clip = make_clip(faces=[None, *faces[1:]], frames=greys(range(0, 160, 20)))
    truth = make_clip(faces=[*faces[:7], None], frames=greys(range(5, 165, 20)))
    assert metric_of_greys.score(make_case(clip, truth))["csim_truth"] == pytest.approx(angle(0, 5), abs=1e-5)


def test_a_longer_real_clip_is_compared_over_the_common_length(metric_of_greys, make_clip, make_case):
    clip = make_clip(FaceMotion.still(40), frames=greys(range(40)))
    truth = make_clip(FaceMotion.still(90), frames=greys(range(90)))
    assert metric_of_greys.score(make_case(clip, truth))["csim_truth"] == pytest.approx(1.0, abs=1e-5)


def test_a_face_that_changes_slowly_drifts(metric_of_greys, make_clip, make_case, make_portrait):
    portrait = make_portrait(picture=greys([0])[0])
    drifts = []
    for last in (0, 60, 120):
        clip = make_clip(FaceMotion.still(125), frames=greys(np.linspace(0, last, 125).astype(np.uint8)))
        drifts.append(metric_of_greys.score(make_case(clip, portrait=portrait))["identity_drift"])
    assert drifts[0] == 0 and drifts[0] < drifts[1] < drifts[2]
    back = make_clip(FaceMotion.still(125), frames=greys(np.linspace(120, 0, 125).astype(np.uint8)))
    assert metric_of_greys.score(make_case(back, portrait=portrait))["identity_drift"] == pytest.approx(-drifts[2], abs=0.02)


def test_drift_is_told_for_ten_seconds():
    assert drift([0.0, 2.0, 4.0], np.array([0.8, 0.78, 0.76], np.float32)) == pytest.approx(0.1, abs=1e-6)


def test_a_still_is_embedded_once_and_so_is_a_clip_of_which_two_ask(metric_of_greys, counted, make_clip, make_case, make_portrait):
    portrait = make_portrait(picture=greys([7])[0])
    found = metric_of_greys.score(make_case(portrait.held(200), portrait=portrait))
    assert found["csim"] == pytest.approx(1, abs=1e-6) and found["identity_drift"] == 0
    assert len(counted) == 2
    clip = make_clip(FaceMotion.still(8), frames=greys(range(8)))
    metric_of_greys.score(make_case(clip, clip, portrait))
    assert len(counted) == 2 + 8


def test_no_face_is_no_score(metric_of_greys, make_clip, make_case):
    with pytest.raises(NotScored, match="no face"):
        metric_of_greys.score(make_case(make_clip(faces=[None] * 10, frames=greys([1] * 10))))


def test_the_same_person_is_known_and_another_is_not(metric, demo_face, strangers, make_clip, make_case, make_portrait):
    picture, face = demo_face
    portrait = make_portrait(picture=picture)
    portrait.__dict__["face"] = face
    same = make_clip(faces=[face] * 3, frames=[picture] * 3)
    found = metric.score(make_case(same, same, portrait))
    assert found.pop("likeness") == pytest.approx(1, abs=1e-5)
    assert found == pytest.approx({"csim": 1, "csim_truth": 1, "identity_worst": 1}, abs=1e-5)
    darker = np.clip(picture * 0.6 + 10, 0, 255).astype(np.uint8)
    assert metric.score(make_case(make_clip(faces=[face], frames=[darker]), portrait=portrait))["csim"] > 0.8
    for other, its_face in strangers:
        assert metric.score(make_case(make_clip(faces=[its_face], frames=[other]), portrait=portrait))["csim"] < 0.45


def test_blur_and_noise_lose_the_face_step_by_step(metric, demo_face, make_clip, make_case, make_portrait):
    picture, face = demo_face
    portrait = make_portrait(picture=picture)
    portrait.__dict__["face"] = face
    noise = np.random.default_rng(0).normal(0, 1, picture.shape)
    steps = {
        "blur": [cv2.GaussianBlur(picture, (0, 0), s) for s in (1, 5, 15)],
        "noise": [np.clip(picture + noise * s, 0, 255).astype(np.uint8) for s in (10, 50, 120)],
    }
    for how, pictures in steps.items():
        found = [metric.score(make_case(make_clip(faces=[face], frames=[one]), portrait=portrait))["csim"] for one in pictures]
        assert found == sorted(found, reverse=True) and found[0] > 0.8 and found[-1] < 0.6, (how, found)


def test_the_net_is_given_red_green_blue_from_0_to_255(monkeypatch, tmp_path):
    fed = {}

    class Net:
        def get_inputs(self):
            return [type("Input", (), {"name": name, "shape": shape}) for name, shape in (("data", [1, 3, 112, 112]), ("unread", [4, 2]))]

        def run(self, _, batch):
            fed.update(batch)
            return [np.array([[3.0, 4.0]], np.float32)]

    monkeypatch.setattr(weights, "_unpacked", lambda _: Net())
    found = weights.sface(tmp_path / "net.onnx")(np.full((112, 112, 3), (255, 128, 0), np.uint8))
    assert found.tolist() == pytest.approx([0.6, 0.8])
    assert fed["data"].shape == (1, 3, 112, 112) and fed["data"][0, :, 5, 5].tolist() == [255, 128, 0]
    assert fed["unread"].shape == (4, 2)


def test_missing_weights_say_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("INSTRUCTAVATAR_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with pytest.raises(MissingFile, match="instructavatar assets --fetch sface"):
        Identity().check()


def test_a_damaged_net_is_said(tmp_path, make_clip, make_case):
    (tmp_path / "net.onnx").write_bytes(b"no net")
    with pytest.raises(BadBundle, match="expected an ONNX net"):
        Identity(weights=str(tmp_path / "net.onnx")).score(make_case(make_clip(FaceMotion.still(2))))
