"""CLIP-S on a tiny CLIP of random weights: the arithmetic is that of transformers' own CLIPModel."""

import json

import numpy as np
import pytest

from instructavatar.errors import BadBundle, MissingFile
from instructavatar.face.motion import FaceMotion
from instructavatar.metrics.base import NotScored
from instructavatar.metrics.clip_score import ClipScore, seen, towers
from instructavatar.metrics.pairs import Asked

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

SIDE = 32


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model of CLIP's form with letters for tokens."""
    place = tmp_path_factory.mktemp("clip")
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    tokens = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    (place / "vocab.json").write_text(json.dumps({token: number for number, token in enumerate(tokens)}))
    (place / "merges.txt").write_text("#version: 0.2\n")
    transformers.CLIPTokenizer(str(place / "vocab.json"), str(place / "merges.txt")).save_pretrained(place)
    small = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    ends = {"bos_token_id": len(tokens) - 2, "eos_token_id": len(tokens) - 1, "pad_token_id": len(tokens) - 1}
    config = transformers.CLIPConfig(
        text_config={**small, "vocab_size": len(tokens), "max_position_embeddings": 24, **ends},
        vision_config={**small, "image_size": SIDE, "patch_size": 8},
        projection_dim=12,
    )
    torch.manual_seed(0)
    transformers.CLIPModel(config).save_pretrained(place)
    return place


@pytest.fixture
def metric(folder):
    made = ClipScore(weights=str(folder))
    made.check()
    return made


def pictures(count, side=SIDE):
    return [np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8) for seed in range(count)]


def theirs(folder, frames, sentence):
    """100 x cosine of each frame by the model's own forward pass; a fresh model's logit scale is not 100."""
    net = transformers.CLIPModel.from_pretrained(str(folder), local_files_only=True).eval()
    ids = transformers.AutoTokenizer.from_pretrained(str(folder), local_files_only=True)(sentence, return_tensors="pt")
    with torch.inference_mode():
        logits = net(pixel_values=torch.cat([seen(one, SIDE) for one in frames]), **ids).logits_per_image[:, 0]
        return (100 * logits / net.logit_scale.exp()).numpy()


def test_as_transformers_computes_it(metric, folder, make_clip, make_case):
    frames = pictures(5)
    case = make_case(make_clip(FaceMotion.still(5), frames=frames), asked=Asked("a big smile"))
    expected = theirs(folder, frames, "a big smile")
    found = metric.score(case)
    assert found["clip_s_max"] == pytest.approx(expected.max(), abs=1e-3)
    assert found["clip_s_mean"] == pytest.approx(expected.mean(), abs=1e-3)
    assert found["clip_s_max"] > found["clip_s_mean"]


def test_another_instruction_is_another_score_and_a_long_one_is_cut(metric, make_clip, make_case):
    clip = make_clip(FaceMotion.still(3), frames=pictures(3))
    one, other, long = (metric.score(make_case(clip, asked=Asked(text))) for text in ("smile", "nod", "smile and nod " * 20))
    assert one != other and np.isfinite(long["clip_s_max"])


def test_every_frame_or_eight_of_them(folder, make_clip, make_case):
    frames = pictures(30)
    case = make_case(make_clip(FaceMotion.still(30), frames=frames), asked=Asked("smile"))
    every = ClipScore(pictures=0, weights=str(folder)).score(case)
    assert every["clip_s_max"] == pytest.approx(theirs(folder, frames, "smile").max(), abs=1e-3)
    assert ClipScore(weights=str(folder)).score(case)["clip_s_max"] <= every["clip_s_max"] + 1e-4


def test_a_frame_is_seen_alike_alone_and_among_others(metric, folder):
    picture, _ = towers(folder)
    one, other = pictures(2)
    alone = picture(one)
    picture(other)
    assert np.array_equal(picture(one), alone)
    assert np.linalg.norm(alone) == pytest.approx(1, abs=1e-5)


def test_pictures_are_prepared_as_clips_own_code_does(folder):
    """The shorter edge to S, the middle square, CLIP's mean and deviation; a colour stays that colour."""
    flat = np.full((90, 160, 3), (255, 128, 0), np.uint8)
    batch = seen(flat, SIDE)
    assert batch.shape == (1, 3, SIDE, SIDE)
    expected = (np.array([255, 128, 0]) / 255 - [0.48145466, 0.4578275, 0.40821073]) / [0.26862954, 0.26130258, 0.27577711]
    assert np.allclose(batch[0, :, 5, 5].numpy(), expected, atol=1e-5)
    halves = np.zeros((64, 128, 3), np.uint8)
    halves[:, 64:] = 255
    middle = seen(halves, SIDE)[0, 0, SIDE // 2]
    assert middle[0] < middle[-1] and torch.isclose(middle[SIDE // 4], middle[0], atol=0.05)


def test_no_instruction_is_no_score(metric, make_clip, make_case):
    with pytest.raises(NotScored, match="no instruction"):
        metric.score(make_case(make_clip(FaceMotion.still(2), frames=pictures(2))))


def test_missing_or_damaged_weights_say_what_to_do(monkeypatch, tmp_path, make_clip, make_case):
    monkeypatch.setenv("INSTRUCTAVATAR_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with pytest.raises(MissingFile, match="openai/clip-vit-base-patch32"):
        ClipScore().check()
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(MissingFile, match="expected a folder of a CLIP model"):
        ClipScore(weights=str(tmp_path / "file")).check()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.json").write_text("{}")
    case = make_case(make_clip(FaceMotion.still(2), frames=pictures(2)), asked=Asked("smile"))
    with pytest.raises(BadBundle, match="expected a CLIP model with its tokenizer"):
        ClipScore(weights=str(tmp_path / "broken")).score(case)
