import pytest

from instructavatar.data.store import FeatureStore
from instructavatar.features.landmarks import FaceLandmarker
from instructavatar.media.video import read_video


@pytest.fixture
def prepare(benchmark_module):
    return benchmark_module("prepare")


@pytest.fixture
def videos(prepare, tmp_path):
    (tmp_path / "videos").mkdir()
    return prepare.draw_videos(tmp_path / "videos", 1)


def test_the_videos_are_puppets_with_speech_and_become_a_store(prepare, videos, tmp_path):
    film = read_video(videos[0])
    assert (film.height, film.width) == (512, 512) and abs(film.audio).max() > 0.05
    corpus = prepare.tree(tmp_path / "tree", videos, 2)
    fps, took = prepare.store_fps(corpus, tmp_path / "store", 1)
    store = FeatureStore.open(tmp_path / "store")
    assert len(store) == 2 and fps * took == pytest.approx(sum(store.lengths().values()), abs=1)
    assert fps < prepare.bare_fps(FaceLandmarker.load(), videos) * 1.5


def test_the_made_up_store_is_opened_read_and_batched(prepare, tmp_path, capsys):
    rows = {row.name: row for row in prepare.store_rows(tmp_path, 300)}
    assert set(rows) == {"open_10k_s", "random_reads_per_s", "loader_epoch_per_s"}
    assert rows["open_10k_s"].goal == "<= 1" and 0 < rows["open_10k_s"].value < 5
    assert rows["random_reads_per_s"].value > 50 and rows["loader_epoch_per_s"].value > 10
    assert FeatureStore.open(tmp_path / "made_up").verify() == {}


def test_without_ray_there_is_no_cluster(prepare, tmp_path, monkeypatch):
    monkeypatch.setattr(prepare.importlib.util, "find_spec", lambda name: None)
    with prepare.cluster(tmp_path) as address:
        assert address is None


def test_one_core_is_given_back(prepare):
    import os

    if not hasattr(os, "sched_getaffinity"):
        pytest.skip("needs Linux")
    before = os.sched_getaffinity(0)
    with prepare.one_core():
        assert len(os.sched_getaffinity(0)) == 1
    assert os.sched_getaffinity(0) == before
