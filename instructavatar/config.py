"""YAML -> merged, overridden, checked -> objects.

A file holds the sections `model`, `data` and `lightning`. An object is written as

    target: package.module.Class
    params: {width: 192, backbone_config: {target: ..., params: ...}}

and built depth first, so a constructor receives objects. A key ending in `_config` is handed over without the suffix.
In a named dictionary (conditions, features, metrics, callbacks) an overlay drops an entry with `name: null`.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from instructavatar.errors import BadOption, InstructAvatarError, MissingFile

NAMED_DICTIONARIES = ("conditions", "features", "metrics", "callbacks")
_EXTRA_COMMA = re.compile(r",(?=\s*[A-Za-z_][\w.\-]*\s*=)")


def load(paths: str | Path | Iterable[str | Path], overrides: Iterable[str] = ()) -> DictConfig:
    """Read YAML files, the later over the earlier, then apply `a.b=value` overrides.

    Raises:
        MissingFile: a file is not there.
        BadOption: a file is not a YAML mapping, or an override names a key that does not exist.
    """
    if isinstance(paths, str | Path):
        paths = [paths]
    config = OmegaConf.create({})
    for path in paths:
        config = _merge(config, read(path))
    return override(config, overrides)


def read(path: str | Path) -> DictConfig:
    """One YAML file as it stands."""
    path = Path(path)
    if not path.is_file():
        raise MissingFile(f"expected a configuration file, found none at {path}; see configs/ for the ones that ship")
    try:
        config = OmegaConf.load(path)
    except (YAMLError, OmegaConfBaseException, UnicodeDecodeError) as error:
        raise BadOption(f"{path} is not readable YAML: {' '.join(str(error).split())}") from error
    if not isinstance(config, DictConfig):
        raise BadOption(f"expected {path} to hold a mapping of sections, got {type(config).__name__}")
    return config


def override(config: DictConfig, overrides: Iterable[str]) -> DictConfig:
    """A copy of the config with `a.b=value` settings; each must name a key that exists.

    >>> override(OmegaConf.create({"model": {"width": 8}}), ["model.width=16"]).model.width
    16
    """
    config = config.copy()
    for item in overrides:
        key, separator, text = item.partition("=")
        key = key.strip()
        if not separator or not key:
            raise BadOption(f"expected an override like model.params.width=192, got {item!r}")
        _require_key(config, key)
        try:
            value = OmegaConf.from_dotlist([f"value={text}"])["value"]
            OmegaConf.update(config, key, value, merge=False)
        except (OmegaConfBaseException, YAMLError) as error:
            raise BadOption(f"cannot set {item!r}: {' '.join(str(error).split())}") from error
    return config


def section(config: DictConfig, key: str) -> DictConfig:
    """The mapping at a dotted key, made where there is none.

    >>> section(OmegaConf.create({}), "lightning.trainer")
    {}
    """
    if OmegaConf.select(config, key) is None:
        OmegaConf.update(config, key, {}, force_add=True)
    found = OmegaConf.select(config, key)
    if not isinstance(found, DictConfig):
        raise BadOption(f"expected {key} to be a mapping, got {found!r}")
    return found


def split_extra(text: str) -> list[str]:
    """Overrides of `--extra`, split only at a comma that a `key=` follows.

    >>> split_extra("model.base_learning_rate=5.e-6,model.params.sizes=[1,2],data.name=a, b")
    ['model.base_learning_rate=5.e-6', 'model.params.sizes=[1,2]', 'data.name=a, b']
    """
    return [part.strip() for part in _EXTRA_COMMA.split(text) if part.strip()]


def save(config: DictConfig, path: str | Path) -> None:
    """Write the config with every interpolation resolved."""
    resolved = OmegaConf.create(OmegaConf.to_container(config, resolve=True))
    Path(path).write_text(OmegaConf.to_yaml(resolved), encoding="utf-8")


def build(node: Any, /, **given: Any) -> Any:
    """The object that a `target` + `params` node describes; plain values come back as Python values.

    Args:
        node: a config node, read with its interpolations.
        given: keyword arguments that win over the node's own params.

    Raises:
        BadOption: the target cannot be imported, or a parameter is unknown, missing or out of range; the message names the target.
    """
    if isinstance(node, DictConfig | ListConfig):
        _refuse_missing(node)
        node = OmegaConf.to_container(node, resolve=True)
    if isinstance(node, list):
        return [build(item) for item in node]
    if not isinstance(node, Mapping):
        return node
    if "target" not in node:
        return {key: build(value) for key, value in node.items() if value is not None or not _is_named_entry(node)}
    extra = set(node) - {"target", "params"}
    if extra:
        raise BadOption(f"expected only 'target' and 'params' beside {node['target']}, got {', '.join(sorted(map(str, extra)))}")
    target = locate(node["target"])
    params = {_argument_name(key): build(value) for key, value in (node.get("params") or {}).items()}
    return _call(target, node["target"], {**params, **given})


instantiate_from_config = build
"""The name that the published code has for it."""


def locate(target: str) -> Any:
    """The class or function at a dotted path.

    >>> locate("pathlib.PurePath").__name__
    'PurePath'
    """
    module_name, _, name = str(target).rpartition(".")
    try:
        module = importlib.import_module(module_name)
    except (ImportError, ValueError) as error:
        missing = getattr(error, "name", None)
        if isinstance(error, ModuleNotFoundError) and missing and not module_name.startswith(missing):
            raise MissingFile(f"{target} needs the package {missing!r}; install it with: pip install 'instructavatar[train]'") from error
        raise BadOption(f"cannot import target {target!r}: {error}") from error
    if not hasattr(module, name):
        raise BadOption(f"{module_name} has no {name!r}{_nearest(name, dir(module))}")
    return getattr(module, name)


def targets(node: Any) -> Iterator[str]:
    """Every `target:` in a config, for the test that keeps the house's arrows one way."""
    if isinstance(node, DictConfig | ListConfig):
        node = OmegaConf.to_container(node, resolve=False)
    if isinstance(node, Mapping):
        if isinstance(node.get("target"), str):
            yield node["target"]
        for value in node.values():
            yield from targets(value)
    elif isinstance(node, list):
        for value in node:
            yield from targets(value)


def _merge(base: DictConfig, overlay: DictConfig) -> DictConfig:
    """Overlay one config on another; `name: null` drops an entry of a named dictionary."""
    merged = _without_nulls(_plain(OmegaConf.merge(base, overlay)))
    return OmegaConf.create(merged)


def _plain(config: Any) -> Any:
    return OmegaConf.to_container(config, resolve=False)


def _without_nulls(node: Any, named: bool = False) -> Any:
    if not isinstance(node, dict):
        return node
    return {key: _without_nulls(value, key in NAMED_DICTIONARIES) for key, value in node.items() if not (named and value is None)}


def _is_named_entry(node: Mapping[Any, Any]) -> bool:
    """True where null means 'dropped': a dictionary whose other entries are objects."""
    return any(isinstance(value, Mapping) and "target" in value for value in node.values())


def _require_key(config: DictConfig, key: str) -> None:
    """Refuse an override that names nothing, with the nearest key that exists."""
    everything = _plain(config)
    node: Any = everything
    path: list[str] = []
    for part in key.split("."):
        if not isinstance(node, dict) or part not in node:
            siblings = [".".join([*path, str(name)]) for name in node] if isinstance(node, dict) else []
            raise BadOption(f"no key {key!r} in the configuration{_nearest(key, siblings) or _nearest(key, _all_keys(everything))}")
        path.append(part)
        node = node[part]


def _all_keys(node: Any, prefix: str = "") -> Iterator[str]:
    if isinstance(node, dict):
        for name, value in node.items():
            yield f"{prefix}{name}"
            yield from _all_keys(value, f"{prefix}{name}.")


def _nearest(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


def _refuse_missing(node: DictConfig | ListConfig) -> None:
    missing = sorted(OmegaConf.missing_keys(node))
    if missing:
        raise BadOption(f"expected a value for {', '.join(missing)} (marked ??? in the YAML); set it with --extra '{missing[0]}=...'")


def _argument_name(key: Any) -> str:
    return str(key).removesuffix("_config")


def _call(target: Any, name: str, params: dict[str, Any]) -> Any:
    try:
        signature = inspect.signature(target)
    except (TypeError, ValueError):  # a C type has none to check against
        return target(**params)
    try:
        signature.bind(**params)
    except TypeError as error:
        unknown = [key for key in params if key not in signature.parameters]
        hint = _nearest(unknown[0], signature.parameters) if unknown else ""
        raise BadOption(f"{name}: {error}{hint}") from error
    try:
        return target(**params)
    except InstructAvatarError:
        raise
    except ValueError as error:
        raise BadOption(f"{name}: {error}") from error
