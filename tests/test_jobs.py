"""Many videos from folders: which portrait goes with which sound, and that finished ones are kept."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from instructavatar import cli
from instructavatar.errors import BadOption, MissingFile
from instructavatar.features.base import weights_path
from instructavatar.jobs import folder_jobs
from instructavatar.media.audio import read_audio, write_wav


@pytest.fixture
def folders(tmp_path):
    """Empty files are enough where nothing is drawn."""
    faces, sounds = tmp_path / "faces", tmp_path / "sounds"
    for folder, names in ((faces, ("b.png", "a.JPG", "notes.txt")), (sounds, ("a.wav", "c.mp3"))):
        folder.mkdir()
        for name in names:
            (folder / name).touch()
    return faces, sounds


def outputs(jobs):
    return [Path(job["output"]).name for job in jobs]


def test_every_portrait_goes_with_every_sound(folders):
    jobs, aside = folder_jobs(*folders, Path("out"))
    assert outputs(jobs) == ["a--a.mp4", "a--c.mp4", "b--a.mp4", "b--c.mp4"]
    assert jobs[0] == {"portrait": str(folders[0] / "a.JPG"), "audio": str(folders[1] / "a.wav"), "output": "out/a--a.mp4"}
    assert aside == ["notes.txt"]


def test_by_stem_what_has_no_partner_is_named(folders):
    jobs, aside = folder_jobs(*folders, Path("out"), by_stem=True)
    assert outputs(jobs) == ["a--a.mp4"] and aside == ["b.png", "c.mp3", "notes.txt"]


def test_a_file_stands_for_a_folder_and_no_sound_for_silence(folders):
    faces, sounds = folders
    assert outputs(folder_jobs(faces / "b.png", sounds, Path("out"))[0]) == ["b--a.mp4", "b--c.mp4"]
    jobs, _ = folder_jobs(faces, None, Path("out"))
    assert outputs(jobs) == ["a.mp4", "b.mp4"] and "audio" not in jobs[0]


def test_equal_stems_do_not_share_a_video(folders):
    (folders[0] / "b.jpg").touch()
    assert outputs(folder_jobs(folders[0], None, Path("out"))[0]) == ["a.mp4", "b.jpg.mp4", "b.png.mp4"]


def test_nothing_to_do_is_refused(folders, tmp_path):
    faces, sounds = folders
    with pytest.raises(MissingFile, match="at least one portrait"):
        folder_jobs(sounds, sounds, Path("out"))
    with pytest.raises(MissingFile, match="at least one sound"):
        folder_jobs(faces, tmp_path / "none", Path("out"))
    (sounds / "a.wav").unlink()
    with pytest.raises(MissingFile, match="equal names"):
        folder_jobs(faces, sounds, Path("out"), by_stem=True)
    with pytest.raises(BadOption, match="folder for the videos, got the file out.mp4"):
        folder_jobs(faces, sounds, Path("out.mp4"))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--appear-dir", "faces", "face.png"], "--appear-dir does not go together with --portrait"),
        (["--appear-dir", "faces", "--motion", "m.csv"], "--appear-dir does not go together with --motion"),
        (["--audio-dir", "sounds", "-a", "x.wav", "face.png"], "--audio-dir does not go together with --audio"),
        (["--apear-dir", "faces"], "unknown option --apear-dir; did you mean --appear-dir?"),
    ],
)
def test_what_does_not_go_together(words, told, capsys):
    assert cli.main(["generate", *words]) == 2
    assert told in capsys.readouterr().err


def test_finished_videos_are_kept_unless_they_are_to_be_made_again(tmp_path, capsys):
    faces, sounds, out = tmp_path / "faces", tmp_path / "sounds", tmp_path / "out"
    faces.mkdir(), sounds.mkdir()
    picture = cv2.imread(str(weights_path("demo_portrait.jpg")))
    cv2.imwrite(str(faces / "face.png"), cv2.resize(picture, (240, 240), interpolation=cv2.INTER_AREA))
    cv2.imwrite(str(faces / "grey.png"), np.full((240, 240, 3), 127, np.uint8))
    write_wav(sounds / "voice.wav", read_audio(weights_path("demo_speech.flac"))[:6_400])
    words = ["generate", "--appear-dir", str(faces), "--audio_dir", str(sounds), "-i", "smile", "-o", str(out), "-q"]
    assert cli.main(words) == 1
    shown = capsys.readouterr()
    assert "1 of 2 jobs done\n" in shown.out and "failed: job 2 of 2" in shown.err
    video = out / "face--voice.mp4"
    made = video.stat().st_mtime_ns
    (faces / "grey.png").unlink()
    assert cli.main(words) == 0
    assert "1 of 1 jobs done, 1 of them before" in capsys.readouterr().out and video.stat().st_mtime_ns == made
    assert cli.main([*words, "--overwrite"]) == 0
    assert "before" not in capsys.readouterr().out and video.stat().st_mtime_ns > made
