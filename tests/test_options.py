"""What `generate` and `reenact` can be asked for besides the main job, looked at in what they write."""

from __future__ import annotations

import json
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from instructavatar import Avatar, cli, options
from instructavatar.codecs.identity import IdentityCodec
from instructavatar.errors import BadOption
from instructavatar.face.curves import read_curves
from instructavatar.face.motion import FaceMotion
from instructavatar.face.shaping import blinks
from instructavatar.features.base import weights_path
from instructavatar.media.audio import read_audio, write_wav
from instructavatar.media.output import KINDS
from instructavatar.media.png import png_metadata
from instructavatar.media.portrait import NEUTRAL_BACKGROUND

SIDE = 200


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A face, the same cut out of its background, twice the face, a second of voice, and curves."""
    folder = tmp_path_factory.mktemp("options")
    picture = cv2.imread(str(weights_path("demo_portrait.jpg")))
    side = min(picture.shape[:2])
    picture = cv2.resize(picture[:side, :side], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(folder / "face.png"), picture)
    alpha = np.zeros((SIDE, SIDE), np.uint8)
    cv2.ellipse(alpha, (SIDE // 2, SIDE // 2), (int(0.42 * SIDE), int(0.47 * SIDE)), 0, 0, 360, 255, -1)
    cv2.imwrite(str(folder / "cut.png"), np.dstack([picture, alpha]))
    cv2.imwrite(str(folder / "two.png"), np.hstack([picture, picture]))
    write_wav(folder / "voice.wav", read_audio(weights_path("demo_speech.flac"))[:8_000])
    yaw = 10 * np.sin(np.arange(40) / 6)
    lids = np.zeros(40)
    lids[20:25] = (0.4, 0.9, 0.9, 0.5, 0.2)
    rows = "".join(f"{a:.4f},{b},{b},0.3\n" for a, b in zip(yaw, lids, strict=True))
    (folder / "curves.csv").write_text("yaw,eyeBlinkLeft,eyeBlinkRight,jawOpen\n" + rows)
    return folder


@pytest.fixture(scope="module")
def avatar():
    return Avatar.load()


@pytest.fixture(scope="module")
def subject(avatar, folder):
    return avatar.analyse(folder / "face.png")


def generate(folder: Path, name: str, *words: str, portrait: str = "face.png") -> Path:
    out = folder / name
    assert cli.main(["generate", str(folder / portrait), *words, "-o", str(out), "-q"]) == 0
    return out


def opacity_of(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        decoder = av.CodecContext.create("libvpx-vp9", "r") if stream.codec_context.name == "vp9" else stream.codec_context
        frames = [frame for packet in container.demux(stream) if packet.size for frame in decoder.decode(packet)]
        frames += decoder.decode(None)
        return [frame.to_ndarray(format="rgba")[..., 3] for frame in frames]


# --- shape ---


def test_less_head_motion_is_less_in_the_curves_and_the_face_stays(folder):
    shapes = {"full": [], "half": ["--head-motion", "0.5"], "none": ["--head_motion", "0"], "still": ["--still"]}
    made = {}
    for name, words in shapes.items():
        curves = folder / f"{name}.csv"
        instruction = ["-i", "smile and turn your head left", "--seconds", "0.8"]
        generate(folder, f"{name}.mp4", *instruction, *words, "--save_motion", str(curves))
        made[name] = read_curves(curves).values
    assert np.abs(made["full"][:, 53]).max() > 3
    assert np.allclose(made["half"][:, 52:], made["full"][:, 52:] / 2, atol=2e-5)
    assert not made["none"][:, 52:].any() and (made["none"] == made["still"]).all()
    for name in ("half", "none"):
        assert (made[name][:, :52] == made["full"][:, :52]).all()


def test_given_curves_are_shaped_too(folder, avatar, subject):
    words = ["--motion", str(folder / "curves.csv"), "--blink", "0", "--still", "--save_motion", str(folder / "shaped.csv")]
    generate(folder, "shaped.mp4", *words)
    shaped = read_curves(folder / "shaped.csv")
    assert shaped.column("eyeBlinkLeft").max() < 0.01 and not shaped.rotation_deg.any() and shaped.column("jawOpen").min() > 0.29
    assert len(blinks(avatar.reenact(subject, folder / "curves.csv").motion)) == 1
    assert blinks(avatar.reenact(subject, folder / "curves.csv", blink=0.0).motion) == []


def test_still_pixels_hold_still_outside_the_face(avatar, subject):
    """Around the face every frame is the picture: no head, neck or shoulders move."""
    left, top, right, bottom = (int(edge) for edge in subject.landmarks.box)
    reach = int(0.25 * (bottom - top))
    outside = np.ones(subject.picture.shape[:2], bool)
    outside[max(top - reach, 0) : bottom + reach, max(left - reach, 0) : right + reach] = False
    still, moving = (
        list(avatar.animate(subject, instruction="turn your head left", seconds=0.6, still=still).frames) for still in (True, False)
    )
    change = [max(np.abs(frame.astype(int) - subject.picture)[outside].mean() for frame in frames) for frames in (still, moving)]
    assert change[0] < 0.05 < change[1]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"head_motion": 1.5}, "head_motion between 0 and 1, got 1.5"),
        ({"blink": -1}, "blink between 0 and 1"),
        ({"still": True, "head_motion": 0.5}, "either still or"),
        ({"pose": np.zeros((5, 3), np.float32), "still": True}, "either a pose"),
    ],
)
def test_bad_shapes_are_refused_by_the_api(avatar, subject, words, told):
    with pytest.raises(BadOption, match=told):
        avatar.animate(subject, seconds=0.2, **words)


@pytest.mark.parametrize("words", [{"still": True}, {"blink": 0.5}, {"relative": True}, {"smooth": 0.5}])
def test_a_codec_with_latents_refuses_to_shape_them(avatar, words):
    other = Avatar(
        generator=avatar.generator, landmarker=avatar.landmarker, speech=avatar.speech, text=avatar.text, codec=IdentityCodec(motion_dim=5)
    )
    with pytest.raises(BadOption, match="latents, which are no curves; leave them out"):
        other.reenact(None, FaceMotion.still(3), **words)


@pytest.mark.parametrize("command", ["generate", "demo", "reenact"])
def test_every_option_has_an_example_to_paste(command):
    commands = next(action for action in cli._parser()._actions if hasattr(action, "choices") and action.choices)
    for action in commands.choices[command]._actions:
        if action.option_strings and "--help" not in action.option_strings:
            assert "example: " in action.help, action.option_strings


# --- outputs ---


def test_a_cut_out_portrait_stays_cut_out(folder, capsys):
    words = ["-a", str(folder / "voice.wav"), "-i", "turn your head left"]
    frames = opacity_of(generate(folder, "cut.webm", *words, portrait="cut.png"))
    assert len(frames) == 12 and "note" not in capsys.readouterr().err
    for alpha in frames:
        assert alpha[:20, :20].max() < 10 and alpha[SIDE // 2, SIDE // 2] > 245 and 0.4 < (alpha > 128).mean() < 0.75
    gif = opacity_of(generate(folder, "cut.gif", *words, portrait="cut.png"))
    assert len(gif) == 6 and set(np.unique(gif[0])) == {0, 255}
    assert "cut.gif has no sound" in capsys.readouterr().err
    generate(folder, "cut", *words, portrait="cut.png")
    first = cv2.imread(str(folder / "cut" / "00000.png"), cv2.IMREAD_UNCHANGED)
    given = cv2.imread(str(folder / "cut.png"), cv2.IMREAD_UNCHANGED)
    assert (first[..., 3] == given[..., 3]).all() and (first[given[..., 3] == 255] == given[given[..., 3] == 255]).all()
    assert len(list((folder / "cut").iterdir())) == 12


def test_an_mp4_lies_on_grey_and_says_so(folder, capsys):
    path = generate(folder, "grey.mp4", "--seconds", "0.2", portrait="cut.png")
    error = capsys.readouterr().err
    assert "grey.mp4 keeps no transparency" in error and "-o grey.webm" in error and error.count("\n") == 1
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert np.abs(frame[:8, :8].astype(int) - NEUTRAL_BACKGROUND).max() <= 3


def test_an_opaque_portrait_has_opaque_outputs(folder, capsys):
    with av.open(str(generate(folder, "opaque.webm", "--seconds", "0.2", "--concat"))) as container:
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p" and container.streams.video[0].width == 2 * SIDE
    generate(folder, "frames/f_%02d.png", "--seconds", "0.12")
    assert cv2.imread(str(folder / "frames" / "f_02.png"), cv2.IMREAD_UNCHANGED).shape == (SIDE, SIDE, 3)
    assert capsys.readouterr().err == ""
    assert cli.main(["generate", str(folder / "face.png"), "--seconds", "0.1", "-o", str(folder / "frames/f_%02d.png"), "-q"]) == 7
    assert "frames of an earlier video, got 3" in capsys.readouterr().err


def test_formats_are_those_that_are_written():
    assert tuple(f".{name}" for name in options.FORMATS) == KINDS


def test_jobs_take_shapes_and_kinds_and_finished_ones_are_kept(folder, capsys):
    out = folder / "jobs"
    jobs = [
        {"seconds": 0.2, "still": True, "output": str(out / "a.gif")},
        {"seconds": 0.2, "head_motion": 0.3, "blink": 0, "output": str(out / "frames")},
        {"seconds": 0.2, "still": True, "head_motion": 0.3, "output": str(out / "c.webm")},
    ]
    lines = [json.dumps({"portrait": str(folder / "face.png"), **job}) for job in jobs]
    (folder / "jobs.jsonl").write_text("\n".join(lines))
    for kept in (0, 2):
        assert cli.main(["generate", "--list", str(folder / "jobs.jsonl"), "-q"]) == 1
        shown = capsys.readouterr()
        assert "2 of 3 jobs done" in shown.out and shown.out.count("is there already") == kept
        assert "--still does not go together with --head-motion" in shown.err
    assert (out / "a.gif").exists() and len(list((out / "frames").iterdir())) == 5 and not (out / "c.webm").exists()


def test_a_folder_of_portraits_takes_a_format(folder, tmp_path):
    faces = tmp_path / "faces"
    faces.mkdir()
    (faces / "one.png").write_bytes((folder / "face.png").read_bytes())
    words = ["generate", "--appear-dir", str(faces), "--seconds", "0.2", "-o", str(tmp_path / "out"), "--format", "webm", "-q"]
    assert cli.main(words) == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["one.webm"]


# --- preview ---


def test_a_preview_is_one_picture_and_no_video(folder, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["generate", str(folder / "face.png"), "--preview", "look/look.png", "-q"]) == 0
    assert [path.name for path in tmp_path.rglob("*")] == ["look", "look.png"]
    shown = capsys.readouterr().out
    assert "look.png" in shown and f"in a picture of {SIDE} x {SIDE}; pitch" in shown and "faces:" not in shown
    picture = cv2.imread("look/look.png")
    assert picture.shape[1] > 1500 and png_metadata("look/look.png")["instructavatar.synthetic"] == "true"


def test_a_preview_lists_the_faces_and_marks_the_chosen_one(folder, capsys):
    words = ["generate", str(folder / "two.png"), "--face", "1", "--preview", str(folder / "two_look.png"), "-q"]
    assert cli.main([*words, "-o", str(folder / "two.mp4"), "--seconds", "0.1"]) == 0
    assert "2 faces: 0 (" in capsys.readouterr().out and (folder / "two.mp4").exists()


def test_a_picture_alone_shows_all_faces_to_choose_from(folder, capsys):
    assert cli.main(["generate", str(folder / "two.png"), "--preview", str(folder / "any_look.png"), "-q"]) == 0
    assert "2 faces: 0 (" in capsys.readouterr().out


def test_a_preview_shows_what_was_found(avatar, subject):
    look = avatar.preview(subject)
    orange, green = (250, 170, 0), (0, 200, 90)
    for colour in (orange, green):
        assert (np.abs(look.picture.astype(int) - colour).max(-1) < 12).sum() > 200
    assert f"face {subject.landmarks.width_px:.0f} x" in look.lines[0]


# --- reenact ---


def test_modes_of_reenactment_from_a_video(folder, avatar, subject):
    """A clip of the same face: absolute, relative and usual motion agree where the driver is as the portrait."""
    motion = FaceMotion.of(16, {"yaw": np.linspace(0, 12, 16), "jawOpen": np.sin(np.arange(16) / 3) ** 2, "browInnerUp": 0.5})
    avatar.reenact(subject, motion).save(folder / "driver.mp4")
    usual, there, beyond = (avatar.reenact(subject, folder / "driver.mp4", relative=how).motion for how in (None, False, True))
    assert not usual.rotation_deg[0].any() and not beyond.rotation_deg[0].any()
    assert np.abs(there.rotation_deg[0]).max() < 4  # the driver is the portrait, so its angle is the portrait's own
    assert (usual.actions == there.actions).all()
    assert usual.column("browInnerUp").mean() > beyond.column("browInnerUp").mean() + 0.1  # raised all along is his calm face
    curves = folder / "followed.csv"
    words = ["reenact", str(folder / "face.png"), "--driving", str(folder / "driver.mp4"), "--relative", "--smooth", "0.5", "--still", "-q"]
    assert cli.main([*words, "-o", str(folder / "followed.webm"), "--save_motion", str(curves)]) == 0
    followed = read_curves(curves)
    assert (
        len(followed) == 16 and not followed.rotation_deg.any() and followed.column("jawOpen").max() > 0.7 * beyond.column("jawOpen").max()
    )


def test_smoothing_is_said_and_done(avatar, subject):
    rough = FaceMotion.of(60, {"yaw": 5 + 0.3 * np.random.default_rng(0).normal(size=60), "jawOpen": 0.2})
    soft = avatar.reenact(subject, rough, smooth=0.8).motion
    assert np.abs(np.diff(soft.column("yaw"), 2)).mean() < 0.2 * np.abs(np.diff(rough.column("yaw"), 2)).mean()
    with pytest.raises(BadOption, match="smooth between 0 and 1"):
        avatar.reenact(subject, rough, smooth=5)


def test_modes_exclude_each_other(folder, capsys):
    assert cli.main(["reenact", str(folder / "face.png"), "-d", "x.mp4", "--relative", "--absolute"]) == 2
    assert "not allowed with" in capsys.readouterr().err
