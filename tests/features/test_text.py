"""The text encoder: meaning in, token states out, the same in any company."""

import shutil

import numpy as np
import pytest

from instructavatar.errors import BadBundle, BadOption, MissingFile
from instructavatar.features.base import weights_path
from instructavatar.features.text import MAX_TOKENS, TextEncoder


@pytest.fixture(scope="module")
def encoder():
    return TextEncoder.load()


def test_shapes_and_mask(encoder):
    states = encoder.encode(["sad", "turn your head to the left"])
    assert states.tokens.shape == (2, 8, 384)
    assert states.tokens.dtype == np.float32
    # the encoder's own begin and end tokens count
    assert states.mask.sum(1).tolist() == [3, 8]
    assert not states.tokens[0, 3:].any()
    assert states.pooled == pytest.approx(np.stack([states.tokens[0, :3].mean(0), states.tokens[1].mean(0)]), abs=1e-6)


def test_company_changes_nothing(encoder):
    alone = encoder.encode(["a big smile"])
    among = encoder.encode(["a big smile", "look up and then very slowly close both of your eyes, please"])
    assert (among.tokens[0, :5] == alone.tokens[0]).all()
    assert (among.pooled[0] == alone.pooled[0]).all()


def test_many_equals_one_by_one(encoder):
    sentences = ["sad", "smile", "look up", "a big smile", "turn left", "nod", "close both of your eyes"] * 4
    for state, sentence in zip(encoder.encode_many(sentences, batch=3), sentences, strict=True):
        np.testing.assert_allclose(state, encoder.encode_one(sentence), atol=1e-5)
    assert encoder.encode_many([]) == []


def test_meaning(encoder):
    pooled = encoder.encode(["a big smile", "a wide happy grin", "sad"]).pooled
    pooled /= np.linalg.norm(pooled, axis=1, keepdims=True)
    # 0.77 and 0.15 with the float network
    assert pooled[0] @ pooled[1] == pytest.approx(0.77, abs=0.03)
    assert pooled[0] @ pooled[2] == pytest.approx(0.15, abs=0.03)


def test_sides_differ(encoder):
    left, right = encoder.encode(["turn left", "turn right"]).pooled
    assert np.linalg.norm(left - right) > 0.5


def test_no_sentence_gives_empty_arrays(encoder):
    states = encoder.encode([])
    assert len(states) == 0
    assert states.tokens.shape == (0, 0, 384)


def test_long_sentence_is_cut(encoder):
    assert len(encoder.encode_one("smile " * 500)) == MAX_TOKENS


def test_empty_sentence_is_refused(encoder):
    with pytest.raises(BadOption, match="empty"):
        encoder.encode([" "])


def test_missing_and_damaged_files_are_named(tmp_path):
    with pytest.raises(MissingFile, match="text.onnx"):
        TextEncoder.load(tmp_path / "text.onnx")
    shutil.copy(weights_path("text.onnx"), tmp_path)
    with pytest.raises(MissingFile, match="tokenizer.json"):
        TextEncoder.load(tmp_path / "text.onnx")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(BadBundle, match="tokenizer"):
        TextEncoder.load(tmp_path / "text.onnx")


def test_version_names_the_weights(encoder):
    assert encoder.version.startswith("minilm-l6-int8/")
