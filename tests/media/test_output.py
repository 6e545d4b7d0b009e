"""Every kind of output, read back from its bytes: frames, opacity, sound, mark, and nothing left after a failure."""

from __future__ import annotations

import resource
import signal
import threading

import av
import cv2
import numpy as np
import pytest

from instructavatar import cli
from instructavatar.errors import BadMedia, BadOption, CannotWrite
from instructavatar.media.behind import Behind
from instructavatar.media.gif import LONGEST_PX, PALETTE_FRAMES
from instructavatar.media.output import is_there, keeps_alpha, keeps_sound, kind_of, write_output, writer
from instructavatar.media.provenance import mark, read_provenance
from instructavatar.media.video import read_video

NAMES = ["a.mp4", "a.webm", "a.mov", "a.gif", "frames", "some/f_%03d.png"]


def cut_out(frames, height=64, width=96):
    """RGBA frames: a red square that moves 2 pixels a frame over nothing at all, with a soft edge at its left."""
    for t in range(frames):
        frame = np.zeros((height, width, 4), np.uint8)
        frame[..., :3] = 208
        frame[8:40, 2 * t : 2 * t + 32, :3] = (250, 20, 20)
        frame[8:40, 2 * t : 2 * t + 32, 3] = 255
        frame[8:40, 2 * t, 3] = 100
        yield frame


def rgba_frames(path):
    """Decoded frames with their opacity; the decoder that FFmpeg takes by itself for VP9 drops it."""
    if path.is_dir():
        return [cv2.cvtColor(cv2.imread(str(one), cv2.IMREAD_UNCHANGED), cv2.COLOR_BGRA2RGBA) for one in sorted(path.glob("*.png"))]
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        if stream.codec_context.name != "vp9":
            return [frame.to_ndarray(format="rgba") for frame in container.decode(stream)]
        decoder = av.CodecContext.create("libvpx-vp9", "r")
        frames = [frame for packet in container.demux(stream) if packet.size for frame in decoder.decode(packet)]
        return [frame.to_ndarray(format="rgba") for frame in [*frames, *decoder.decode(None)]]


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_has_its_frames_and_its_mark(tmp_path, moving_square, name, capsys):
    path = tmp_path / name
    assert not is_there(path)
    assert write_output(path, moving_square(10), metadata=mark("mödel")) == 10
    assert is_there(path)
    marked = path.parent if "%" in name else path
    assert read_provenance(marked)["model"] == "mödel"
    assert cli.main(["verify", str(marked)]) == 0 and "synthetic" in capsys.readouterr().out
    found = rgba_frames(marked)
    expected = list(moving_square(10))[:: 2 if name.endswith("gif") else 1]
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert np.abs(a[26:, :, :3].astype(int) - b[26:]).mean() < (6 if name.endswith("gif") else 2.5)
        assert (a[..., 3] == 255).all()
    assert not [one for one in tmp_path.rglob("*") if ".part" in one.name]


@pytest.mark.parametrize("name", ["a.webm", "a.mov", "frames"])
def test_opacity_comes_back(tmp_path, name):
    path = tmp_path / name
    write_output(path, cut_out(6), metadata=mark("m"))
    for got, given in zip(rgba_frames(path), cut_out(6), strict=True):
        assert np.abs(got[..., 3].astype(int) - given[..., 3]).mean() < 1
        solid = cv2.erode((given[..., 3] == 255).astype(np.uint8), np.ones((5, 5))) > 0
        assert np.abs(got[solid][:, :3].astype(int) - given[solid][:, :3]).mean() < 6


def test_a_gif_is_wholly_there_or_not(tmp_path):
    path = tmp_path / "a.gif"
    write_output(path, cut_out(8))
    got = rgba_frames(path)
    assert len(got) == 4
    for frame, given in zip(got, list(cut_out(8))[::2], strict=True):
        # where the square has left, nothing of it stays
        assert (frame[..., 3] == np.where(given[..., 3] >= 128, 255, 0)).all()
        assert np.abs(frame[frame[..., 3] > 0][:, :3].astype(int) - (250, 20, 20)).max() < 12


def test_a_gif_loops_is_small_and_goes_on_after_its_palette(tmp_path):
    path = tmp_path / "a.gif"
    frames = (np.full((LONGEST_PX * 2, 120, 3), t, np.uint8) for t in range(2 * PALETTE_FRAMES + 6))
    write_output(path, frames)
    data = path.read_bytes()
    assert b"NETSCAPE2.0\x03\x01\x00\x00" in data  # for ever
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height, float(stream.average_rate)) == (60, LONGEST_PX, 12.5)
        assert sum(1 for _ in container.decode(stream)) == PALETTE_FRAMES + 3


@pytest.mark.parametrize(("name", "codec"), [("a.webm", "opus"), ("a.mov", "pcm_s16le")])
def test_sound_keeps_its_place_and_pitch(tmp_path, moving_square, tone, name, codec):
    write_output(tmp_path / name, moving_square(20), tone(0.6, 16_000))
    with av.open(str(tmp_path / name)) as container:
        assert container.streams.audio[0].codec_context.name.startswith(codec)
    heard, played = read_video(tmp_path / name).audio, tone(0.6, 16_000)
    assert abs(len(heard) - 0.8 * 16_000) < 640
    assert np.abs(heard[800:8000] - played[800:8000]).max() < 0.06
    assert np.abs(heard[11_000:12_000]).max() < 0.01


@pytest.mark.parametrize("name", ["a.webm", "a.gif"])
def test_same_job_gives_the_same_bytes(tmp_path, moving_square, name):
    for folder in ("a", "b"):
        write_output(tmp_path / folder / name, moving_square(12), metadata=mark("m"))
    assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("error", [RuntimeError("drawing"), KeyboardInterrupt()])
def test_a_failure_leaves_nothing(tmp_path, moving_square, name, error):
    def failing():
        yield from moving_square(7)
        raise error

    with pytest.raises(type(error)):
        write_output(tmp_path / "new" / name, failing())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_full_disk_is_one_error_and_leaves_nothing(tmp_path, name):
    """A limit on file size makes writes fail in the middle as a full disk does."""
    noise = np.random.default_rng(0)
    frames = (noise.integers(0, 255, (128, 128, 3), dtype=np.uint8) for _ in range(40))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
        with pytest.raises(CannotWrite, match="free space"):
            write_output(tmp_path / name, frames, metadata=mark("m"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, old)
    assert list(tmp_path.iterdir()) == []


def test_frames_join_others_in_a_folder_but_not_older_frames(tmp_path, moving_square):
    (tmp_path / "notes.txt").write_text("kept")
    write_output(tmp_path / "f_%02d.png", moving_square(2))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f_00.png", "f_01.png", "notes.txt"]
    with pytest.raises(CannotWrite, match="got 2 of them such as"):
        write_output(tmp_path / "f_%02d.png", moving_square(1))
    write_output(tmp_path, moving_square(1))
    assert (tmp_path / "00000.png").exists()


def test_a_foreign_frame_among_marked_ones_is_told(tmp_path, moving_square):
    write_output(tmp_path / "f_%02d.png", moving_square(3), metadata=mark("x"))
    assert read_provenance(tmp_path) is not None
    (tmp_path / "f_01.png").write_bytes(cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes())
    with pytest.raises(BadMedia, match=r"all 3 frames .* got 1 without \(f_01.png"):
        read_provenance(tmp_path)


@pytest.mark.parametrize(("name", "part"), [("a.avi", ".webm"), ("a.png", "a_%05d.png")])
def test_another_ending_is_refused_before_anything_is_written(tmp_path, name, part):
    with pytest.raises(BadOption, match=part):
        writer(tmp_path / name)


def test_what_each_kind_keeps():
    assert [keeps_alpha(name) for name in NAMES] == [False, True, True, True, True, True]
    assert [keeps_sound(name) for name in NAMES] == [True, True, True, False, False, False]
    assert kind_of("A.MP4") == ".mp4"


def held_up():
    """(a worker that was given 4 items, the event it waits for, what it has done)."""
    going_on, done = threading.Event(), []

    def slow(item):
        assert going_on.wait(10)
        done.append(item)

    worker = Behind(slow, room=4)
    for item in range(4):
        worker.put(item)
    return worker, going_on, done


def test_the_next_frame_is_made_while_one_is_encoded():
    """The caller goes on while the worker is held up; a queue that worked in the caller's thread would stand still here."""
    worker, going_on, done = held_up()
    assert done == []
    going_on.set()
    worker.close()
    assert done == [0, 1, 2, 3]


def test_no_more_frames_wait_than_there_is_room_for():
    held, most, waiting = threading.Semaphore(0), 0, []

    def slow(item):
        held.acquire()
        waiting.remove(item)

    worker = Behind(slow, room=2)

    def fill():
        for item in range(20):
            waiting.append(item)
            worker.put(item)

    caller = threading.Thread(target=fill)
    caller.start()
    for _ in range(20):
        most = max(most, len(waiting))
        held.release()
    caller.join(10)
    worker.close()
    assert waiting == [] and most <= 2 + 2  # in the queue, in work, and in the caller's hands


def test_an_error_behind_reaches_the_caller():
    def broken(item):
        raise ValueError("broken")

    worker = Behind(broken)
    worker.put(1)
    with pytest.raises(ValueError, match="broken"):
        worker.close()
    worker.cancel()


def test_after_a_failure_nothing_goes_on_behind(tmp_path, moving_square):
    before = threading.active_count()

    def failing():
        yield from moving_square(3)
        raise RuntimeError("drawing")

    with pytest.raises(RuntimeError):
        write_output(tmp_path / "a.mp4", failing())
    assert threading.active_count() == before


def test_what_waits_is_dropped_when_it_is_no_longer_wanted():
    worker, going_on, done = held_up()
    stopping = threading.Thread(target=worker.cancel)
    stopping.start()
    while not worker._dropping:
        stopping.join(0.001)
    going_on.set()
    stopping.join(10)
    assert len(done) <= 1
