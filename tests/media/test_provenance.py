import av
import numpy as np

from instructavatar import __version__
from instructavatar.media.provenance import DIGITAL_SOURCE_TYPE, mark, provenance_in, read_provenance
from instructavatar.media.video import write_video

FRAMES = [np.zeros((64, 64, 3), np.uint8)] * 2


def test_mark_survives_in_the_file(tmp_path):
    write_video(tmp_path / "a.mp4", FRAMES, metadata=mark("default", "ab" * 32))
    assert read_provenance(tmp_path / "a.mp4") == {
        "synthetic": "true",
        "tool": "InstructAvatar",
        "version": __version__,
        "model": "default",
        "model_sha256": "ab" * 32,
        "digital_source_type": DIGITAL_SOURCE_TYPE,
    }
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert "Synthetic" in container.metadata["comment"]


def test_time_is_written_only_when_given():
    assert provenance_in(mark("m", created="2024-05-01T10:00:00Z"))["created"] == "2024-05-01T10:00:00Z"
    assert not {"created", "model_sha256"} & provenance_in(mark("m")).keys()
    assert mark("m") == mark("m")


def test_video_without_a_mark_has_none(tmp_path):
    write_video(tmp_path / "a.mp4", FRAMES, metadata={"comment": "Synthetic video made with InstructAvatar"})
    assert read_provenance(tmp_path / "a.mp4") is None
