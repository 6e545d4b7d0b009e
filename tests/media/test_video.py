import errno
import resource
import signal
import struct

import av
import numpy as np
import pytest

from instructavatar.errors import BadMedia, CannotWrite, MissingFile
from instructavatar.media.files import written_beside
from instructavatar.media.video import VideoWriter, frames_at, read_video, write_video


def quantised(frame):
    """Mean colour of the red square's row band, to know which frame this is."""
    red = (frame[..., 0].astype(int) - frame[..., 1] > 120)[8:24].any(axis=0)
    return int(np.flatnonzero(red)[0]) // 2


@pytest.fixture
def clip(tmp_path, moving_square, tone):
    path = tmp_path / "видео 1 50%.mp4"
    write_video(path, moving_square(20), tone(0.6, 16_000), metadata={"our.key": "kept, ü", "comment": "hello"})
    return path


def test_written_file_is_h264_and_aac_with_index_first(clip):
    with av.open(str(clip)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.codec_context.name, video.codec_context.pix_fmt, float(video.average_rate)) == ("h264", "yuv420p", 25.0)
        assert (audio.codec_context.name, audio.rate, audio.channels) == ("aac", 48_000, 1)
        assert float(audio.duration * audio.time_base) == pytest.approx(20 / 25, abs=0.001)
        assert container.metadata["our.key"] == "kept, ü" and container.metadata["comment"] == "hello"
    data = clip.read_bytes()
    assert data.find(b"moov") < data.find(b"mdat")


def test_frames_and_sound_come_back(clip, moving_square, tone):
    video = read_video(clip)
    assert (video.fps, video.frame_count, video.height, video.width) == (25.0, 20, 64, 96)
    for _ in range(2):  # each access starts anew
        frames = list(video.frames)
        assert len(frames) == 20 and frames[0].shape == (64, 96, 3) and frames[0].dtype == np.uint8
    errors = [np.abs(a.astype(int) - b)[26:].mean() for a, b in zip(frames, moving_square(20), strict=True)]
    assert max(errors) < 2.5  # below the square, whose edges lose colour detail in yuv420p
    sound = tone(0.6, 16_000)
    assert abs(len(video.audio) - 0.8 * 16_000) < 640
    assert np.abs(video.audio[800:8000] - sound[800:8000]).max() < 0.05
    assert np.abs(video.audio[11_000:]).max() < 0.01  # silence after the sound's end


def test_longer_sound_is_cut_to_the_frames(tmp_path, moving_square, tone):
    write_video(tmp_path / "a.mp4", moving_square(5), tone(3, 16_000))
    assert abs(len(read_video(tmp_path / "a.mp4").audio) - 3200) < 640


def test_sound_at_another_rate_keeps_its_pitch(tmp_path, moving_square, tone):
    write_video(tmp_path / "a.mp4", moving_square(20), tone(0.8, 44_100), audio_rate_hz=44_100)
    assert np.abs(read_video(tmp_path / "a.mp4").audio[800:12_000] - tone(0.8, 16_000)[800:12_000]).max() < 0.05


def test_same_job_gives_the_same_bytes(tmp_path, moving_square, tone):
    for name in ("a.mp4", "b.mp4"):
        write_video(tmp_path / name, moving_square(12), tone(0.4, 16_000))
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_progress_counts_frames(tmp_path, moving_square):
    seen = []
    assert write_video(tmp_path / "a.mp4", moving_square(4), progress=seen.append) == 4
    assert seen == [1, 2, 3, 4]
    assert read_video(tmp_path / "a.mp4").audio is None


@pytest.mark.parametrize(("source_fps", "target_fps", "frames"), [(25, 25, 20), (30, 25, 30), (24, 25, 24), (12.5, 25, 10), (50, 25, 21)])
def test_frames_at_keeps_time(tmp_path, moving_square, source_fps, target_fps, frames):
    write_video(tmp_path / "a.mp4", moving_square(frames), fps=source_fps)
    got = [quantised(f) for f in frames_at(tmp_path / "a.mp4", target_fps)]
    assert abs(len(got) - frames * target_fps / source_fps) <= 0.5
    drift = [abs(number / source_fps - t / target_fps) for t, number in enumerate(got)]
    # A frame may lead or trail by half a target frame, and be held for as long as the source held it.
    assert max(drift) <= 0.5 / target_fps + max(1 / source_fps - 1 / target_fps, 0) + 1e-6


def test_repeated_frames_are_not_shared(tmp_path, moving_square):
    write_video(tmp_path / "a.mp4", moving_square(3), fps=5)
    stream = frames_at(tmp_path / "a.mp4")
    first = next(stream)
    first[:] = 0
    assert next(stream).any()


def test_frames_at_refuses_a_senseless_rate(clip):
    with pytest.raises(ValueError, match="positive"):
        next(frames_at(clip, 0))


def turned(path, target, matrix):
    """The same file with another display matrix in its picture track's header (a, b, c, d of ISO 14496-12)."""
    data = bytearray(path.read_bytes())
    a, b, c, d = matrix
    at = data.find(b"tkhd") + 4 + 4 + 20 + 8 + 8  # version, times and numbers, reserved, layer to volume
    assert struct.unpack_from(">9i", data, at)[0] == 0x10000
    struct.pack_into(">9i", data, at, a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    target.write_bytes(data)


@pytest.mark.parametrize(("matrix", "turns"), [((0, 1, -1, 0), -1), ((-1, 0, 0, -1), 2), ((0, -1, 1, 0), 1)])
def test_rotation_mark_is_applied(clip, tmp_path, matrix, turns):
    turned(clip, tmp_path / "turned.mp4", matrix)
    plain = next(read_video(clip).frames)
    video = read_video(tmp_path / "turned.mp4")
    expected = np.rot90(plain, turns)  # a matrix (0, 1, -1, 0) means a quarter turn clockwise when shown
    assert (video.height, video.width) == expected.shape[:2]
    assert np.abs(next(video.frames).astype(int) - expected).max() <= 2


def test_oblong_pixels_become_square(tmp_path, moving_square):
    with av.open(str(tmp_path / "wide.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.codec_context.sample_aspect_ratio = 2
        for frame in moving_square(2):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    video = read_video(tmp_path / "wide.mp4")
    assert (video.width, video.height) == (192, 64)
    assert next(video.frames).shape == (64, 192, 3)


@pytest.mark.parametrize(
    ("data", "words"), [(b"", "empty"), (b"no video " * 99, "decoded"), (b"\0\0\0\x20ftypisom" + b"\0" * 99, "decoded")]
)
def test_unusable_videos_are_refused(tmp_path, data, words):
    (tmp_path / "bad.mp4").write_bytes(data)
    with pytest.raises(BadMedia, match=words):
        read_video(tmp_path / "bad.mp4")


def test_sound_only_file_is_no_video(tmp_path, tone, encode):
    encode(tmp_path / "voice.m4a", [tone(1, 48_000)], "aac", "fltp", 48_000)
    with pytest.raises(BadMedia, match="without pictures"):
        read_video(tmp_path / "voice.m4a")
    with pytest.raises(MissingFile):
        read_video(tmp_path / "absent.mp4")


def failing(frames, error):
    yield from frames
    raise error


def test_an_error_while_drawing_leaves_no_file(tmp_path, moving_square):
    with pytest.raises(RuntimeError, match="drawing"):
        write_video(tmp_path / "new" / "a.mp4", failing(moving_square(3), RuntimeError("drawing")))
    assert list(tmp_path.iterdir()) == []


def test_an_error_keeps_the_older_file(clip, moving_square):
    before = clip.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        write_video(clip, failing(moving_square(3), KeyboardInterrupt()))
    assert clip.read_bytes() == before and list(clip.parent.iterdir()) == [clip]


def test_no_frames_is_an_error(tmp_path):
    with pytest.raises(BadMedia, match="at least one frame"):
        write_video(tmp_path / "a.mp4", [])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("shape", [(63, 96, 3), (64, 95, 3), (64, 96)])
def test_odd_sizes_are_refused(tmp_path, shape):
    with pytest.raises(ValueError, match="even sides"):
        write_video(tmp_path / "a.mp4", [np.zeros(shape, np.uint8)])
    assert list(tmp_path.iterdir()) == []


def test_frames_of_two_sizes_are_refused(tmp_path):
    with pytest.raises(ValueError, match="expected uint8 frames"):
        write_video(tmp_path / "a.mp4", [np.zeros((64, 64, 3), np.uint8), np.zeros((64, 66, 3), np.uint8)])


def test_a_folder_below_a_file_cannot_be_written(tmp_path, moving_square):
    (tmp_path / "file").write_text("x")
    with pytest.raises(CannotWrite) as caught:
        write_video(tmp_path / "file" / "a.mp4", moving_square(2))
    assert caught.value.exit_code == 7 and "\n" not in str(caught.value)


def test_device_is_not_renamed_over():
    with pytest.raises(CannotWrite, match="no ordinary file"):
        write_video("/dev/null", [np.zeros((64, 64, 3), np.uint8)])


def test_full_disk_is_one_error_and_leaves_nothing(tmp_path):
    """A limit on file size makes writes fail in the middle as a full disk does."""
    noise = np.random.default_rng(0)
    frames = (noise.integers(0, 255, (128, 128, 3), dtype=np.uint8) for _ in range(60))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
        with pytest.raises(CannotWrite, match="free space"):
            write_video(tmp_path / "a.mp4", frames)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, old)
    assert list(tmp_path.iterdir()) == []


def test_writes_lost_without_a_word_are_noticed(tmp_path, moving_square):
    with pytest.raises(CannotWrite, match="shorter file"), VideoWriter(tmp_path / "a.mp4") as writer:
        for frame in moving_square(3):
            writer.write(frame)
        writer._bytes += 10_000_000
    assert list(tmp_path.iterdir()) == []


def test_no_space_left_becomes_cannot_write(tmp_path):
    with pytest.raises(CannotWrite, match="No space left"), written_beside(tmp_path / "deep" / "a.txt"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert list(tmp_path.iterdir()) == []
