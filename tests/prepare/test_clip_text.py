"""CLIP's text features: its own pooled embedding, no padding, from files on this machine only."""

import pickle
import string
from pathlib import Path

import numpy as np
import pytest

from instructavatar import config
from instructavatar.errors import BadBundle, BadOption, MissingFile
from instructavatar.prepare.clip_text import ClipTextEncoder

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

LETTERS = list(string.ascii_lowercase + string.punctuation)
BEGIN, END = "<|startoftext|>", "<|endoftext|>"
SENTENCES = ["smile", "turn your head left", "smile, then nod", "frown"]


def save(folder, projection_dim=16, **changed):
    """A tiny model with random weights and a tokenizer that spells, in the layout of the published one."""
    torch.manual_seed(0)
    words = [*LETTERS, *(letter + "</w>" for letter in LETTERS), BEGIN, END]
    transformers.CLIPTokenizer(vocab={word: i for i, word in enumerate(words)}, merges=[]).save_pretrained(folder)
    settings = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "max_position_embeddings": 24}
    settings |= {"vocab_size": len(words), "bos_token_id": len(words) - 2, "eos_token_id": len(words) - 1, "pad_token_id": len(words) - 1}
    model = transformers.CLIPTextModelWithProjection(
        transformers.CLIPTextConfig(**{**settings, "projection_dim": projection_dim, **changed})
    ).eval()
    model.save_pretrained(folder)
    return model


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clip")
    return folder, save(folder)


@pytest.fixture(scope="module")
def encoder(clip):
    return ClipTextEncoder(clip[0])


def test_states_and_pooled_are_those_of_clip(clip, encoder):
    """Also as CLIP itself sees them, among padded neighbours: its attention looks back only."""
    _, model = clip
    padded = encoder.tokenizer(SENTENCES, padding=True, return_tensors="pt")
    with torch.inference_mode():
        whole = model(**padded)
    for i, states in enumerate(encoder.encode_many(SENTENCES)):
        length = int(padded["attention_mask"][i].sum())
        assert states.shape == (length, 16) and states.dtype == np.float32
        np.testing.assert_allclose(states, whole.last_hidden_state[i, :length].numpy(), atol=1e-5)
        np.testing.assert_allclose(encoder.pool(states), whole.text_embeds[i].numpy(), atol=1e-5)


def test_a_sentence_begins_and_ends_and_is_cut(encoder):
    ids = encoder._ids("smile")
    assert encoder.tokenizer.convert_ids_to_tokens([ids[0], ids[-1]]) == [BEGIN, END] and len(ids) == 7
    (states,) = encoder.encode_many(["smile " * 20])
    assert states.shape == (24, 16)
    with pytest.raises(BadOption, match="empty"):
        encoder.encode_many([" "])


def test_the_version_is_that_of_the_weights(clip, encoder, tmp_path):
    save(tmp_path / "same")
    assert ClipTextEncoder(tmp_path / "same").version == encoder.version
    save(tmp_path / "other", num_hidden_layers=1)
    assert ClipTextEncoder(tmp_path / "other").version != encoder.version
    far = pickle.loads(pickle.dumps(encoder))
    np.testing.assert_array_equal(far.encode_many(["nod"])[0], encoder.encode_many(["nod"])[0])


def test_what_is_no_clip_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(MissingFile, match="hf download nobody/none"):
        ClipTextEncoder("nobody/none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadBundle, match="could not load"):
        ClipTextEncoder(tmp_path / "empty")
    save(tmp_path / "narrow", projection_dim=8)
    with pytest.raises(BadOption, match="got 8 and 16"):
        ClipTextEncoder(tmp_path / "narrow")
    with pytest.raises(BadOption, match="one thread"):
        ClipTextEncoder(tmp_path, threads=0)


def test_the_configuration_names_it(clip):
    settings = config.load(Path(__file__).parents[2] / "configs/features/clip_text.yaml", [f"text.params.model={clip[0]}"])
    assert config.build(settings.text).dim == 16
