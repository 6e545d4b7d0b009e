"""SyncNet: the sound and the faces as it was trained on them, its layers, and the curve that the numbers are read off."""

import os
from pathlib import Path

import numpy as np
import pytest

from instructavatar.errors import BadBundle, FaceProblem, MissingFile
from instructavatar.face.motion import FaceMotion
from instructavatar.metrics.base import NotScored
from instructavatar.metrics.sync import sync
from instructavatar.metrics.sync.crops import FOREHEAD, box, crop, track
from instructavatar.metrics.sync.mfcc import mfcc
from instructavatar.metrics.sync.sync import Sync, curve, hear, read, watch, whole_numbers

torch = pytest.importorskip("torch")
from instructavatar.metrics.sync.network import SyncNet  # noqa: E402

# python_speech_features 0.6 on SAW; to renew: pip install python_speech_features==0.6, then mfcc(SAW, 16000)[[0, 5, 8]].
SAW = ((np.arange(1600) * 7919) % 4001 - 2000).astype(np.int16)
HEARD = {
    0: "18.0717 -18.9146 -11.6140 -15.5528 -12.1961 -12.0458 -11.1463 -14.0929 -15.9345 -16.0358 -13.0107 -6.9685 2.5240",
    5: "17.9297 -16.5283 -10.0597 -13.0228 -10.1893 -9.9147 -8.9437 -11.0828 -12.0168 -11.5009 -8.7835 -3.9025 4.0993",
    8: "17.7934 -17.1463 -11.1191 -14.5281 -12.0106 -11.8684 -10.7491 -12.4067 -12.5658 -11.3315 -8.1231 -3.1316 4.5103",
}


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return SyncNet()


@pytest.fixture(scope="module")
def weights(net, tmp_path_factory):
    """The random net as the published file is: by name, without the counts that later versions of torch keep."""
    path = tmp_path_factory.mktemp("weights") / "syncnet_v2.model"
    torch.save({name: value for name, value in net.state_dict().items() if "num_batches" not in name}, path)
    return path


def noise(frames, side=224, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (frames, side, side, 3), np.uint8)


def hum(frames, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, frames * 640).astype(np.float32)


def test_the_sound_is_heard_as_in_training():
    heard = mfcc(SAW)
    assert heard.shape == (9, 13)
    for window, golden in HEARD.items():
        np.testing.assert_allclose(heard[window], np.fromstring(golden, sep=" "), atol=1e-4)


@pytest.mark.parametrize(("samples", "windows"), [(399, 1), (400, 1), (401, 2), (560, 2), (561, 3), (16000, 99)])
def test_every_sample_is_in_a_window(samples, windows):
    assert mfcc(np.ones(samples, np.int16)).shape == (windows, 13)


def test_silence_is_finite():
    assert np.isfinite(mfcc(np.zeros(1600, np.int16))).all()


def test_sound_becomes_the_integers_of_its_file():
    written = np.array([-32768, -1, 0, 1, 32767], np.int16)
    assert whole_numbers(written / np.float32(32768)).tolist() == written.tolist()
    assert whole_numbers(np.array([2.0, -2.0], np.float32)).tolist() == [32767, -32768]


def test_layers_have_the_names_and_sizes_of_the_published_file(net):
    found = {name: tuple(value.shape) for name, value in net.state_dict().items()}
    trunks = {f"{trunk}.{layer}.weight" for trunk in ("netcnnaud", "netcnnlip") for layer in (0, 1, 4, 5, 8, 9, 11, 12, 14, 15, 18, 19)}
    heads = {f"{head}.{layer}.weight" for head in ("netfcaud", "netfclip") for layer in (0, 1, 3)}
    assert {name for name in found if name.endswith(".weight")} == trunks | heads
    assert found["netcnnlip.0.weight"] == (96, 3, 5, 7, 7)
    assert found["netcnnlip.18.weight"] == (512, 256, 1, 6, 6)
    assert found["netcnnaud.18.weight"] == (512, 256, 5, 4)
    assert found["netfclip.3.weight"] == found["netfcaud.3.weight"] == (1024, 512)


def test_one_pass_sees_what_each_window_alone_shows(net):
    faces = noise(7)
    alone = np.concatenate([watch(net, faces[start : start + 5]) for start in range(3)])
    together = watch(net, faces)
    assert together.shape == (3, 1024)
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-4)


def test_how_many_windows_come_at_once_changes_nothing(net, monkeypatch):
    faces, cepstra = noise(9), mfcc(whole_numbers(hum(9)))
    seen, heard = watch(net, faces), hear(net, cepstra, 4)
    monkeypatch.setattr(sync, "_AT_ONCE", 2)
    np.testing.assert_allclose(watch(net, faces), seen, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(hear(net, cepstra, 4), heard, rtol=1e-4, atol=1e-4)
    assert seen.shape == (5, 1024)


def test_windows_of_sound_begin_with_their_frames(net):
    cepstra = mfcc(whole_numbers(hum(12)))
    later = hear(net, cepstra[4 * 3 :], 2)
    np.testing.assert_allclose(hear(net, cepstra, 5)[3:], later, rtol=1e-4, atol=1e-4)


def test_weights_load_whole_or_not_at_all(net, weights, tmp_path):
    assert torch.equal(SyncNet.load(weights).netfclip[3].weight, net.netfclip[3].weight)
    state = torch.load(weights, weights_only=True)
    for name, changed in {
        "lacking": {key: value for key, value in state.items() if key != "netfcaud.0.bias"},
        "more": state | {"netfcaud.7.bias": torch.zeros(3)},
        "other": state | {"netfcaud.3.bias": torch.zeros(256)},
        "list": [1, 2],
    }.items():
        torch.save(changed, tmp_path / name)
        with pytest.raises(BadBundle, match="expected SyncNet's weights"):
            SyncNet.load(tmp_path / name)


class Harmful:
    def __reduce__(self):
        return print, ("run",)


def test_a_file_that_would_run_code_is_refused(tmp_path, capsys):
    torch.save({"netfcaud.0.bias": Harmful()}, tmp_path / "harm")
    (tmp_path / "text").write_text("no weights")
    for name in ("harm", "text"):
        with pytest.raises(BadBundle, match="torch cannot read"):
            SyncNet.load(tmp_path / name)
    assert "run" not in capsys.readouterr().out


def test_missing_weights_say_what_to_get(tmp_path):
    with pytest.raises(MissingFile, match=r"syncnet_v2\.model.*joonson/syncnet_python"):
        Sync(weights=str(tmp_path / "none")).check()


@pytest.mark.parametrize("late", [-15, -4, 0, 1, 15])
def test_a_planted_delay_is_found_exactly(late):
    rng = np.random.default_rng(0)
    spoken = rng.normal(size=(100, 16)).astype(np.float32)
    sound, lips = spoken[20:80], spoken[20 - late : 80 - late]
    found = read(curve(lips, sound))
    assert found["sync_offset"] == late
    assert found["sync_d"] < found["sync_d"] + found["sync_c"] == pytest.approx(np.median(curve(lips, sound)))


def test_lips_that_are_the_sound_have_no_distance():
    rng = np.random.default_rng(0)
    sound = rng.normal(size=(50, 8)).astype(np.float32)
    assert read(curve(sound, sound))["sync_d"] == pytest.approx(0, abs=1e-4)


def test_the_curve_by_hand():
    lips, sound = np.array([[3.0], [1.0]], np.float32), np.array([[1.0], [5.0]], np.float32)
    # sound one frame earlier: (0, 1); as it is: (1, 5); one later: (5, 0)
    np.testing.assert_allclose(curve(lips, sound, reach=1), [(3 + 0) / 2, (2 + 4) / 2, (2 + 1) / 2], atol=1e-5)
    assert read(np.array([4.0, 1.0, 3.0])) == {"sync_c": 2.0, "sync_d": 1.0, "sync_offset": 0.0}
    assert read(np.array([1.0, 2.0, 3.0]))["sync_offset"] == 1.0


def test_a_worse_fit_scores_worse():
    rng = np.random.default_rng(0)
    sound, other = rng.normal(size=(2, 60, 16)).astype(np.float32)
    found = [read(curve(sound + share * other, sound)) for share in (0.0, 0.3, 0.6, 0.9)]
    assert [one["sync_d"] for one in found] == sorted(one["sync_d"] for one in found)
    assert [one["sync_c"] for one in found] == sorted((one["sync_c"] for one in found), reverse=True)


def test_the_box_reaches_over_the_forehead(draw_faces):
    face = draw_faces(FaceMotion.still(1))[0]
    left, top, right, bottom = face.box
    x, y, half = box(face)
    assert x == pytest.approx((left + right) / 2)
    assert y + half == pytest.approx(bottom)
    assert 2 * half == pytest.approx((1 + FOREHEAD) * (bottom - top))


def test_the_crop_lies_as_published():
    """Its pixels tell where they come from: 1.4 half sides to the left, 1 above; twice 1.4 wide and high."""
    rows, columns = np.mgrid[:240, :240]
    picture = np.stack([rows, columns, 0 * rows], axis=-1).astype(np.uint8)
    face = crop(picture, 120.0, 110.0, 40.0)
    assert face.shape == (224, 224, 3)
    blue, green, red = face.transpose(2, 0, 1)
    assert (blue == 0).all()
    assert (red[0, 0], green[0, 0]) == (110 - 40, 120 - 56)
    assert (red[-1, -1], green[-1, -1]) == (110 + 72 - 1, 120 + 56 - 1)


def test_beyond_the_edge_it_is_grey():
    face = crop(np.zeros((200, 200, 3), np.uint8), 10.0, 10.0, 40.0)
    assert face[0, 0].tolist() == [110, 110, 110]
    assert face[-1, -1].tolist() == [0, 0, 0]


def test_the_track_is_steady_and_fills_gaps(draw_faces):
    faces = draw_faces(FaceMotion.still(30), shake_px=2.0)
    exact = box(draw_faces(FaceMotion.still(1))[0])
    raw = np.array([box(face) for face in faces])
    steady = track(faces)
    assert steady[6:-6].std(0).max() < raw.std(0).max() / 2
    np.testing.assert_allclose(np.median(steady, 0), exact, atol=4)
    faces[7] = faces[8] = None
    assert np.isfinite(track(faces)).all()
    assert np.abs(track(faces) - steady).max() < 4


def test_the_running_median_is_scipys(draw_faces):
    signal = pytest.importorskip("scipy.signal")
    faces = draw_faces(FaceMotion.still(20), shake_px=3.0)
    raw = np.array([box(face) for face in faces])
    np.testing.assert_allclose(track(faces), np.stack([signal.medfilt(column, 13) for column in raw.T], 1))


@pytest.fixture
def talking(make_clip, make_case):
    """A function: a case of so many frames and so long a sound."""

    def case(frames, sound, faces=None):
        motion = FaceMotion.still(frames)
        return make_case(make_clip(motion, frames=list(noise(frames, 256)), faces=faces), sound=sound)

    return case


def test_a_case_is_scored_alike_every_time(talking, weights):
    metric = Sync(weights=str(weights), shortest_s=0.4)
    first, again = (metric.score(talking(22, hum(21))) for _ in range(2))
    assert first == again
    assert set(first) == set(Sync.values)
    assert all(np.isfinite(value) for value in first.values())
    assert first != metric.score(talking(22, hum(21, seed=1)))


def test_a_still_picture_is_seen_once(make_portrait, make_clip, weights):
    still = make_portrait().held(9)
    net = sync.network(weights)
    moving = make_clip(frames=[still.picture] * 9, faces=still.faces)
    assert sync.see(net, still).shape == (5, 1024)
    np.testing.assert_allclose(sync.see(net, still)[2], sync.see(net, moving)[2], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("frames", "sound", "reason"),
    [
        (30, None, "no sound"),
        (30, np.zeros(30 * 640, np.float32), "no sound"),
        (24, hum(40), "shorter than 1 s"),
        (40, hum(24), "shorter than 1 s"),
    ],
)
def test_what_cannot_be_judged_is_not_scored(talking, weights, frames, sound, reason):
    with pytest.raises(NotScored, match=reason):
        Sync(weights=str(weights)).score(talking(frames, sound))


def test_a_clip_without_a_face_says_so(talking, weights):
    with pytest.raises(FaceProblem, match="expected a face in the clip"):
        Sync(weights=str(weights)).score(talking(30, hum(30), faces=[None] * 30))


def test_the_published_demo():
    """The demo of joonson/syncnet_python, whose video is a crop already: offset 3, distance 5.353, confidence 10.021.

    The published code reads the frames back from JPEG files, hence the tolerance.
    """
    from instructavatar.features.fetch import fetched_path
    from instructavatar.media.video import frames_at, read_video

    demo = Path(os.environ.get("INSTRUCTAVATAR_SYNCNET_DEMO", "nowhere"))
    try:
        path = fetched_path("syncnet")
    except MissingFile as error:
        pytest.skip(str(error))
    if not demo.is_file():
        pytest.skip("INSTRUCTAVATAR_SYNCNET_DEMO does not name example.avi of joonson/syncnet_python")
    net, samples = SyncNet.load(path), whole_numbers(read_video(demo).audio)
    faces = [frame[..., ::-1] for frame in frames_at(demo, 25)]
    windows = min(len(faces), len(samples) // 640) - 5
    found = read(curve(watch(net, faces)[:windows], hear(net, mfcc(samples), windows)))
    assert found["sync_offset"] == 3
    assert found["sync_d"] == pytest.approx(5.353, abs=0.1)
    assert found["sync_c"] == pytest.approx(10.021, abs=0.15)
