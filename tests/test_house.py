"""The house: arrows go one way, in the imports and in every `target:` of configs/."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from instructavatar import config

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "instructavatar"

# Who may import whom. `errors` and the package root's version are open to all.
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "config": set(),
    "media": set(),
    "face": set(),
    "features": {"media", "face"},
    "codecs": {"media", "face", "features.base", "config"},
    "motion": {"face", "config"},
    "models": {"face", "config"},
    "data": {"features.base", "face"},
    "pool": set(),
    "prepare": {"pool", "media", "face", "features", "codecs", "data.store", "data.writer", "data.header", "data.record", "config"},
    "training": {"data", "models", "codecs", "config", "face"},
    "preview": {"media", "face", "codecs"},
    "avatar": {"preview", "media", "face", "features", "codecs", "motion", "config"},
    "metrics": {"pool", "media", "face", "features", "codecs", "data.store", "models.vae.perceptual", "config"},
    "console": set(),
    "jobs": {"console"},
    "evaluation": {"console", "media", "metrics", "config"},
    "recipe": {"console", "codecs", "data.store", "prepare", "training", "config"},
    "options": {"console"},
    "generation": {"options", "console", "jobs", "recipe", "media", "features", "avatar"},
    "cli": {
        "console",
        "generation",
        "jobs",
        "recipe",
        "evaluation",
        "media",
        "face",
        "features",
        "codecs",
        "motion",
        "models",
        "prepare",
        "training",
        "avatar",
        "metrics",
        "config",
    },
}
# What never loads on the inference side, and what stays in one room.
NEVER_AT_INFERENCE = {"torch", "lightning", "lmdb", "onnx", "transformers", "diffusers", "safetensors", "scipy", "soundfile", "mediapipe"}
INFERENCE_ROOMS = {"errors", "config", "media", "face", "features", "codecs", "motion", "preview", "avatar"}
INFERENCE_ROOMS |= {"console", "jobs", "options", "recipe", "generation", "cli"}
# A folder of configs/ may point only into these rooms.
TARGETS: dict[str, set[str]] = {
    "corpora": {"prepare"},
    "features": {"features", "prepare"},
    "codec": {"codecs", "models", "training", "data"},
    "motion": {"models", "training", "data"},
    "conditions": {"models"},
    "metrics": {"metrics"},
}


def room_of(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def modules() -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob("*.py")) if path != PACKAGE / "__init__.py"]


def imported(path: Path) -> list[str]:
    """Every module a file imports, also inside functions and under TYPE_CHECKING."""
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write imports from the root, not relative ones"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def allowed(room: str, name: str) -> bool:
    inside = name.removeprefix("instructavatar").lstrip(".")
    target = inside.split(".")[0]
    if target in ("", "__version__", "errors", room):
        return True
    return any(inside == open_ or inside.startswith(open_ + ".") for open_ in MAY_IMPORT[room])


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_follow_the_table(path):
    room = room_of(path)
    assert room in MAY_IMPORT, f"{room} is a new room: give it a line in the table and in docs/tour.md"
    wrong = [name for name in imported(path) if name.split(".")[0] == "instructavatar" and not allowed(room, name)]
    assert not wrong, f"{room} may not import {wrong}"


@pytest.mark.parametrize("path", [p for p in modules() if room_of(p) in INFERENCE_ROOMS], ids=lambda p: str(p.relative_to(PACKAGE)))
def test_inference_never_imports_the_training_stack(path):
    wrong = {name.split(".")[0] for name in imported(path)} & NEVER_AT_INFERENCE
    assert not wrong, f"{path.name} imports {wrong}"


def test_lightning_lives_in_training_and_lmdb_in_the_store():
    for path in modules():
        roots = {name.split(".")[0] for name in imported(path)}
        assert "lightning" not in roots or room_of(path) == "training", path
        assert "lmdb" not in roots or path.parent == PACKAGE / "data", path


def test_the_table_has_no_way_back():
    rooms = {name.split(".")[0] for name in MAY_IMPORT}
    order: list[str] = []
    while rooms:
        free = sorted(room for room in rooms if not {name.split(".")[0] for name in MAY_IMPORT[room]} & rooms)
        assert free, f"a circle among {sorted(rooms)}"
        order += free
        rooms -= set(free)
    assert order.index("face") < order.index("avatar") < order.index("cli")


@pytest.mark.parametrize("path", sorted((ROOT / "configs").rglob("*.yaml")), ids=lambda p: str(p.relative_to(ROOT)))
def test_every_target_exists_in_a_room_its_folder_may_use(path):
    folder = path.relative_to(ROOT / "configs").parts[0]
    assert folder in TARGETS, f"configs/{folder} is new: say which rooms it may point to"
    for target in config.targets(config.read(path)):
        if target.startswith("instructavatar."):
            assert target.split(".")[1] in TARGETS[folder], f"{path.name} points to {target}"
        config.locate(target)


def test_nothing_loads_pickles_or_runs_strings():
    forbidden = {"pickle", "dill", "joblib", "shelve", "marshal"}
    for path in modules():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert not {name.split(".")[0] for name in imported(path)} & forbidden, path
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec"}, f"{path}:{node.lineno}"
            if isinstance(node, ast.keyword) and node.arg == "shell":
                raise AssertionError(f"{path}: shell=... runs strings")


def test_files_stay_small_enough_to_read():
    long = {str(p.relative_to(ROOT)): n for p in modules() if (n := len(p.read_text(encoding="utf-8").splitlines())) > 420}
    assert not long, f"split by topic: {long}"
