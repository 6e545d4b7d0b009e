"""Config: merged, overridden, checked, built; and the messages it promises."""

from fractions import Fraction

import pytest
from omegaconf import OmegaConf

from instructavatar import config
from instructavatar.errors import BadOption, MissingFile

BASE = """
model:
  base_learning_rate: 1.0e-4
  target: fractions.Fraction
  params: {numerator: 1, denominator: 3}
data:
  features:
    speech: {target: fractions.Fraction, params: {numerator: 2}}
    text: {target: fractions.Fraction, params: {numerator: 3}}
  path: ???
"""


class Pair:
    """Takes an object built from a `_config` node."""

    def __init__(self, backbone, width=1):
        if width < 1:
            raise ValueError(f"expected a width of 1 or more, got {width}")
        self.backbone, self.width = backbone, width


@pytest.fixture
def base(tmp_path):
    path = tmp_path / "base.yaml"
    path.write_text(BASE)
    return path


def test_later_files_win_and_null_drops_a_named_entry(base, tmp_path):
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text("model: {params: {denominator: 7}}\ndata: {features: {text: null}}\n")
    merged = config.load([base, overlay])
    assert merged.model.params == {"numerator": 1, "denominator": 7}
    assert list(merged.data.features) == ["speech"]


def test_null_elsewhere_is_a_value(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("model: {params: {seed: null}}\n")
    assert "seed" in config.load(path).model.params


def test_overrides_keep_types(base):
    loaded = config.load(base, ["model.base_learning_rate=5.e-6", "model.params.denominator=[1,2]", "data.path=a b"])
    assert loaded.model.base_learning_rate == pytest.approx(5e-6)
    assert loaded.model.params.denominator == [1, 2]
    assert loaded.data.path == "a b"


def test_misspelt_override_is_refused_with_the_nearest_key(base):
    with pytest.raises(BadOption, match=r"model\.params\.denominatr.*did you mean 'model\.params\.denominator'"):
        config.load(base, ["model.params.denominatr=2"])
    with pytest.raises(BadOption, match=r"did you mean 'model.base_learning_rate'"):
        config.load(base, ["base_learning_rate=2"])


@pytest.mark.parametrize("text", ["nothing", "=3", ""])
def test_malformed_override(base, text):
    with pytest.raises(BadOption, match="expected an override like"):
        config.load(base, [text])


def test_build_is_depth_first_and_drops_the_config_suffix():
    node = OmegaConf.create(
        {"target": f"{__name__}.Pair", "params": {"backbone_config": {"target": "fractions.Fraction", "params": {"numerator": 3}}}}
    )
    built = config.build(node, width=2)
    assert built.backbone == Fraction(3) and built.width == 2


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ({"target": "fractions.Fractoin"}, "did you mean 'Fraction'"),
        ({"target": "no.such.module"}, "cannot import target"),
        ({"target": "plain"}, "cannot import target"),
        ({"target": "fractions.Fraction", "params": {"numerattor": 1}}, "did you mean 'numerator'"),
        ({"target": f"{__name__}.Pair", "params": {"backbone": 1, "width": 0}}, "expected a width of 1 or more, got 0"),
        ({"target": "fractions.Fraction", "param": {}}, "expected only 'target' and 'params'"),
    ],
)
def test_build_says_what_is_wrong(node, message):
    with pytest.raises(BadOption, match=message):
        config.build(OmegaConf.create(node))


def test_a_value_only_the_user_knows_is_asked_for(base):
    with pytest.raises(BadOption, match=r"expected a value for data.path .*\?\?\?"):
        config.build(config.load(base).data)


def test_missing_and_broken_files(tmp_path):
    with pytest.raises(MissingFile, match="expected a configuration file"):
        config.load(tmp_path / "none.yaml")
    (tmp_path / "list.yaml").write_text("- 1\n")
    with pytest.raises(BadOption, match="mapping of sections"):
        config.load(tmp_path / "list.yaml")
    (tmp_path / "broken.yaml").write_text("a: [1\n")
    with pytest.raises(BadOption, match="not readable YAML"):
        config.load(tmp_path / "broken.yaml")


def test_saved_config_is_resolved_and_loads_again(base, tmp_path):
    loaded = config.load(base, ["data.path=x"])
    loaded.model.params.numerator = "${model.params.denominator}"
    config.save(loaded, tmp_path / "saved.yaml")
    again = config.load(tmp_path / "saved.yaml")
    assert again.model.params.numerator == 3
    assert sorted(config.targets(again)) == ["fractions.Fraction"] * 3


def test_named_dictionary_builds_by_name(base):
    built = config.build(config.load(base).data.features)
    assert built == {"speech": Fraction(2), "text": Fraction(3)}
