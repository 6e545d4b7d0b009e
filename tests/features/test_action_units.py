"""A clip's action units: what is held or comes back counts, what passes does not, and a calm face shows none."""

import pickle
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from instructavatar.errors import BadOption, MissingFile
from instructavatar.face.action_units import ACTION_UNITS, unit_strengths, vector
from instructavatar.face.actions import READABLE
from instructavatar.face.motion import ACTION_COUNT, ACTIONS, FaceMotion, mirror
from instructavatar.features.action_units import CALM, FaceTorch, FromActions, PyFeat, frame_strengths, name_of_number, spread, summed_up

MOTION = FaceMotion.still(50)
PICTURES = [np.full((32, 32, 3), 10 * number, np.uint8) for number in range(4)]


def units(frames=50, **curves):
    return FromActions().strengths(FaceMotion.of(frames, curves))


# --- from actions -------------------------------------------------------------------------------------------------------------------------


def test_a_calm_face_shows_nothing():
    assert units() == {}
    half = FaceMotion.of(50, dict.fromkeys(("eyeSquintLeft", "eyeSquintRight", "browOuterUpLeft", "browOuterUpRight", "mouthPucker"), 0.35))
    assert FromActions().strengths(half) == {}, "what the measurement sees on most people"


@pytest.mark.parametrize("name", [unit.name for unit in ACTION_UNITS.values() if unit.side == "both"])
def test_every_unit_is_found_where_it_is_held(name):
    shape = vector(ACTION_UNITS[name].shape)
    found = FromActions().strengths(FaceMotion(np.repeat(shape[None], 30, 0)))
    if name not in ("nasolabial_deepener", "nostril_dilator"):  # half of nose_wrinkler, and said by it
        assert name in found
    assert all(0.5 <= strength <= 1 for strength in found.values())
    assert list(found.values()) == sorted(found.values(), reverse=True)
    assert all(ACTION_UNITS[other].side == "both" for other in found)


def test_what_lasts_a_quarter_counts_and_what_passes_does_not():
    late = np.where(np.arange(100) >= 70, 0.9, 0.0)
    assert "lip_corner_puller" in units(100, mouthSmileLeft=late, mouthSmileRight=late)
    short = np.where(np.arange(100) >= 85, 0.9, 0.0)
    assert units(100, mouthSmileLeft=short, mouthSmileRight=short) == {}
    vowels = np.where(np.arange(100) % 8 == 0, 0.6, 0.05)
    assert units(100, jawOpen=vowels) == {}, "talking alone is no jaw drop"
    assert "lip_corner_puller" in units(100, mouthSmileLeft=0.8, mouthSmileRight=0.8), "held from the first frame to the last"


def test_one_side_counts_only_where_the_sides_differ():
    assert set(units(browDownLeft=0.9)) == {"left_brow_lowerer"} and set(units(browDownRight=0.9)) == {"right_brow_lowerer"}
    assert set(units(browDownLeft=0.9, browDownRight=0.8)) == {"brow_lowerer"}
    assert units(browDownLeft=0.6, browDownRight=0.4) == {}, "a face that leans to one side a little"


def test_the_mirrored_face_has_the_mirrored_units():
    rng = np.random.default_rng(0)
    for _ in range(30):
        values = np.zeros((20, 58), np.float32)
        values[:, :ACTION_COUNT] = rng.random(ACTION_COUNT) * (rng.random(ACTION_COUNT) > 0.5)
        here = FromActions().strengths(FaceMotion(values))
        there = FromActions().strengths(FaceMotion(mirror(values)))
        swapped = {name.replace("left_", "#").replace("right_", "left_").replace("#", "right_"): value for name, value in here.items()}
        assert swapped == pytest.approx(there)


def test_a_wide_mouth_is_not_also_a_dropped_jaw():
    assert "mouth_stretch" in units(jawOpen=0.9) and "jaw_drop" not in units(jawOpen=0.9)
    assert set(units(jawOpen=0.35)) == {"jaw_drop"}


def test_length_and_speed_change_nothing():
    wave = lambda frames: np.sin(np.linspace(0, 3, frames)) ** 2  # noqa: E731
    long, short = (units(frames, browInnerUp=wave(frames)) for frames in (500, 25))
    assert long.keys() == short.keys() and long == pytest.approx(short, abs=0.05)
    assert units(1, jawOpen=0.9) == units(500, jawOpen=0.9)


def test_frames_are_spread_evenly():
    for frames in (1, 15, 16, 17, 1000):
        at = spread(16, frames)
        assert len(at) == min(16, frames) and at[0] >= 0 and at[-1] < frames and len(set(at.tolist())) == len(at)
        assert np.ptp(np.diff(at)) <= 1 if len(at) > 1 else True
        assert abs((at[0]) - (frames - 1 - at[-1])) <= 1, "as far from the start as from the end"


def test_frames_at_once_are_as_one_by_one():
    actions = np.random.default_rng(0).random((7, ACTION_COUNT), np.float32)
    assert frame_strengths(actions) == [pytest.approx(unit_strengths(row)) for row in actions]


def test_settings():
    assert FromActions(8).version != FromActions(16).version != FromActions(16, 0.4).version
    assert set(CALM) <= set(ACTION_UNITS) and all(0 < value < 1 for value in CALM.values())
    for wrong in ({"frames": 0}, {"threshold": 0}, {"threshold": 1.1}):
        with pytest.raises(BadOption, match="mend units"):
            FromActions(**wrong)
    assert summed_up([], 0.5) == {}


def test_numbers_lead_to_names():
    assert name_of_number("AU01") == "inner_brow_raiser" and name_of_number("AU25") == "lips_part"
    assert name_of_number("AU43") is None and name_of_number("AU") is None and name_of_number("anger") is None


# --- optional detectors, played by stand-ins ---------------------------------------------------------------------------------------------


class Table:
    """As much of a data frame as is used."""

    def __init__(self, rows):
        self.rows, self.columns = rows, list(rows[0])

    def to_dict(self, how):
        assert how == "records"
        return self.rows


@pytest.fixture
def feat(monkeypatch):
    seen = SimpleNamespace(options=None, shape=None, loaded=0, rows=[{"AU12": 0.9, "AU43": 1.0, "AU04": 0.2}] * 4)

    class Detector:
        def __init__(self, **options):
            seen.options, seen.loaded = options, seen.loaded + 1

        def detect(self, pictures, data_type, batch_size, num_workers, progress_bar):
            assert data_type == "tensor" and batch_size == len(pictures) and num_workers == 0 and not progress_bar
            seen.shape, seen.least, seen.most = tuple(pictures.shape), float(pictures.min()), float(pictures.max())
            return SimpleNamespace(aus=Table(seen.rows))

    monkeypatch.setitem(sys.modules, "feat", SimpleNamespace(Detector=Detector))
    return seen


def test_py_feat(feat):
    detector = PyFeat(frames=4, options={"au_model": "svm"})
    assert detector.pictures == 4 and detector.strengths(MOTION, PICTURES) == {"lip_corner_puller": pytest.approx(0.9)}
    assert (feat.options, feat.shape, feat.least, feat.most) == ({"au_model": "svm"}, (4, 3, 32, 32), 0.0, 30.0)
    feat.rows = [{"AU12": float("nan"), "AU04": 0.2}] * 2 + [{"AU12": 0.1, "AU04": 0.8}] * 2
    assert detector.strengths(MOTION, PICTURES) == {"brow_lowerer": pytest.approx(0.8)}, "frames without a face are left out"
    assert feat.loaded == 1
    assert pickle.loads(pickle.dumps(detector)).strengths(MOTION, PICTURES) and feat.loaded == 2, "the nets stay at home"


@pytest.fixture
def facetorch(monkeypatch, tmp_path):
    labels = ["lip_corner_puller", "left_brow_lowerer", "other"]
    seen = SimpleNamespace(faces=[1, 1, 2, 0], calls=0, config=None)

    class FaceAnalyzer:
        def __init__(self, config):
            seen.config = config
            self.predictors = {"au": SimpleNamespace(postprocessor=SimpleNamespace(labels=labels))}

        def run(self, image_source, include_tensors):
            assert tuple(image_source.shape) == (3, 32, 32) and include_tensors
            faces = [SimpleNamespace(preds={"au": SimpleNamespace(logits=np.array([0.7, 0.95, 1.0]))})] * seen.faces[seen.calls % 4]
            seen.calls += 1
            return SimpleNamespace(faces=faces)

    monkeypatch.setitem(sys.modules, "facetorch", SimpleNamespace(FaceAnalyzer=FaceAnalyzer))
    seen.path = tmp_path / "facetorch.yaml"
    seen.path.write_text("analyzer: {device: cpu}\n")
    return seen


def test_face_torch(facetorch):
    detector = FaceTorch(str(facetorch.path), frames=4)
    found = detector.strengths(MOTION, PICTURES)
    assert found == {"left_brow_lowerer": pytest.approx(0.95), "lip_corner_puller": pytest.approx(0.7)} and facetorch.calls == 4
    assert facetorch.config.device == "cpu" and pickle.loads(pickle.dumps(detector)).version == detector.version
    facetorch.faces = [0, 2, 0, 0]
    assert detector.strengths(MOTION, PICTURES) == {}


@pytest.mark.parametrize(("detector", "package"), [(PyFeat(), "py-feat"), (FaceTorch("none.yaml"), "facetorch")])
def test_a_missing_package_is_named(detector, package, monkeypatch):
    for module in ("feat", "facetorch"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingFile, match=f"pip install {package}") as caught:
        detector.strengths(MOTION, PICTURES)
    assert "\n" not in str(caught.value)


def test_units_rest_on_actions_that_can_be_read():
    """Every unit that the rule may report on real faces has a readable action among its main ones."""
    readable = {name for name, unit in ACTION_UNITS.items() if any(vector(unit.shape)[ACTIONS.index(action)] for action in READABLE)}
    assert {"lip_corner_puller", "brow_lowerer", "inner_brow_raiser", "jaw_drop", "lid_tightener"} <= readable
