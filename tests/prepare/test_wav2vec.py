"""wav2vec features: two rows a frame, each where it belongs, finite for silence, from files on this machine only."""

import pickle
import socket
from pathlib import Path

import numpy as np
import pytest

from instructavatar import config
from instructavatar.errors import BadBundle, BadMedia, BadOption, MissingFile
from instructavatar.prepare import wav2vec
from instructavatar.prepare.wav2vec import FIELD, STRIDE, Wav2VecEncoder, normalised

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

SMALL = {
    "conv_dim": (24,) * 7,
    "num_hidden_layers": 1,
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_attention_heads": 2,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
}


def save(folder, norm="layer", **changed):
    """A tiny model with random weights, in the layout of the published ones: XLSR normalises by layer, base by group."""
    torch.manual_seed(0)
    settings = transformers.Wav2Vec2Config(**{**SMALL, "feat_extract_norm": norm, "conv_bias": norm == "layer", **changed})
    model = transformers.Wav2Vec2Model(settings).eval()
    model.save_pretrained(folder)
    return model


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("wav2vec")
    return {norm: (root / norm, save(root / norm, norm)) for norm in ("layer", "group")}


@pytest.fixture(scope="module", params=["layer", "group"])
def pair(request, folders):
    folder, model = folders[request.param]
    return Wav2VecEncoder(folder), model


def speech(seconds, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.normal(0, 0.1, round(16_000 * seconds)) * np.sin(np.linspace(0, 20, round(16_000 * seconds)))).astype(np.float32)


@pytest.mark.parametrize(("samples", "frames"), [(16_000, 25), (16_333, 26), (15_650, 24), (640, 1), (479, 1), (100, 0), (0, 0)])
def test_two_rows_a_frame(pair, samples, frames):
    encoder, _ = pair
    features = encoder.encode(speech(samples / 16_000))
    assert features.shape == (2 * frames, 24) == (2 * frames, encoder.dim)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()


def test_rows_are_those_of_the_whole_model(pair):
    encoder, model = pair
    audio = speech(1.52)
    with torch.inference_mode():
        expected = model.feature_extractor(torch.from_numpy(normalised(audio))[None])[0].T.numpy()
    features = encoder.encode(audio)
    assert len(expected) == len(features) - 1  # without padding the last row does not fit
    np.testing.assert_allclose(features[:-1], expected, atol=1e-4 if encoder.net.conv_layers[0].conv.bias is not None else 2e-2)


def test_row_r_hears_the_samples_from_320_r_on(folders):
    encoder = Wav2VecEncoder(folders["layer"][0])
    plain, other = speech(1.0), speech(1.0)
    place = slice(12 * STRIDE, 12 * STRIDE + FIELD)
    other[place] = plain[place][::-1]  # keeps mean and variance
    changed = np.flatnonzero(np.abs(encoder.encode(plain) - encoder.encode(other)).max(1) > 1e-3)
    assert changed.tolist() == [11, 12, 13], "80 samples are shared with each neighbour"


def test_long_sound_in_blocks_equals_one_block(folders, monkeypatch):
    encoder = Wav2VecEncoder(folders["layer"][0])
    whole = encoder.encode(speech(2.0))
    monkeypatch.setattr(wav2vec, "_BLOCK", 7)
    np.testing.assert_allclose(encoder.encode(speech(2.0)), whole, atol=1e-5)


def test_a_model_that_must_hear_it_whole_refuses_hours(folders, monkeypatch):
    monkeypatch.setattr(wav2vec, "_LONGEST_WHOLE_S", 1.0)
    assert Wav2VecEncoder(folders["layer"][0]).encode(speech(1.5)).shape == (76, 24)
    with pytest.raises(BadMedia, match=r"at most 1 s .* got 1.5 s"):
        Wav2VecEncoder(folders["group"][0]).encode(speech(1.5))


@pytest.mark.parametrize("value", [0.0, 0.3, 1e-30])
def test_silence_stays_finite(pair, value):
    features = pair[0].encode(np.full(16_000, value, np.float32))
    assert np.isfinite(features).all()
    assert np.abs(features).max() < 1e3


def test_loudness_does_not_matter():
    quiet, loud = normalised(speech(1.0) * 0.5), normalised(speech(1.0) * 40)
    np.testing.assert_allclose(quiet, loud, atol=1e-3)
    assert (loud.mean(), loud.std()) == (pytest.approx(0, abs=1e-5), pytest.approx(1, abs=1e-4))


@pytest.mark.parametrize("audio", [np.full(16_000, np.nan, np.float32), np.zeros((2, 16_000), np.float32)])
def test_bad_sound_is_refused(pair, audio):
    with pytest.raises(BadMedia):
        pair[0].encode(audio)


def test_version_tells_weights_apart_and_not_folders(folders, tmp_path):
    first = Wav2VecEncoder(folders["layer"][0])
    save(tmp_path / "elsewhere")
    assert Wav2VecEncoder(tmp_path / "elsewhere").version == first.version
    assert Wav2VecEncoder(folders["group"][0]).version != first.version
    assert str(tmp_path) not in first.version


def test_a_pretraining_checkpoint_serves_too(tmp_path, folders):
    model = transformers.Wav2Vec2ForPreTraining(transformers.Wav2Vec2Config(**SMALL))
    model.wav2vec2.load_state_dict(folders["group"][1].state_dict())
    model.save_pretrained(tmp_path)
    assert Wav2VecEncoder(tmp_path).version == Wav2VecEncoder(folders["group"][0]).version


def test_goes_to_another_process(pair):
    again = pickle.loads(pickle.dumps(pair[0]))
    assert again.version == pair[0].version
    assert len(pickle.dumps(pair[0])) < 1000, "the weights stay on the disk"


def test_a_name_that_was_not_fetched_is_told_without_the_network(monkeypatch):
    def connect(*_):
        raise AssertionError("looked for a network")

    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(MissingFile, match="hf download nobody/nothing") as caught:
        Wav2VecEncoder("nobody/nothing")
    assert "\n" not in str(caught.value)
    with pytest.raises(MissingFile, match="found none"):
        Wav2VecEncoder("no such/folder/at/all")


def test_a_fairseq_file_is_refused(tmp_path):
    (tmp_path / "xlsr.pt").write_bytes(b"")
    with pytest.raises(BadOption, match="expected a folder"):
        Wav2VecEncoder(tmp_path / "xlsr.pt")


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(BadBundle, match="could not load it"):
        Wav2VecEncoder(tmp_path)


def test_missing_weights_are_refused(tmp_path, folders):
    transformers.Wav2Vec2Config(**SMALL).save_pretrained(tmp_path)
    state = {name: value for name, value in folders["group"][1].state_dict().items() if "conv_layers.3" not in name}
    transformers.modeling_utils.safe_save_file(state, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(BadBundle, match=r"conv_layers\.3"):
        Wav2VecEncoder(tmp_path)


def test_another_rate_is_refused(tmp_path):
    save(tmp_path, conv_stride=(5, 2, 2, 2, 2, 2, 1))
    with pytest.raises(BadOption, match="one of 400 every 160"):
        Wav2VecEncoder(tmp_path)


def test_no_transformer_layer_is_made(folders, monkeypatch):
    made = []
    loaded = transformers.AutoModel.from_pretrained
    monkeypatch.setattr(transformers.AutoModel, "from_pretrained", lambda *a, **k: made.append(loaded(*a, **k)) or made[-1])
    Wav2VecEncoder(folders["layer"][0])
    assert len(made[0][0].encoder.layers) == 0


@pytest.mark.parametrize("name", ["xlsr", "wav2vec2"])
def test_configs_lay_the_encoder_over_a_corpus(name, folders):
    path = Path(__file__).parents[2] / "configs" / "features" / f"{name}.yaml"
    assert config.load(path).speech.params.model.startswith("facebook/wav2vec2-")
    overlay = config.load(path, [f"speech.params.model={folders['layer'][0]}"])
    assert config.build(overlay.measure.params)["speech_config"].dim == 24
