"""The published schema fits what is written, and refuses what is not."""

import copy
import json

import pytest

from instructavatar.metrics.results import SCHEMA, write_json

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None), "integer": int, "number": (int, float)}


def problems(node, schema, root, where="$"):
    """What is wrong with a document, by the words of JSON Schema 2020-12 that ours uses."""
    if "$ref" in schema:
        yield from problems(node, root["$defs"][schema["$ref"].rpartition("/")[2]], root, where)
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    numeric = isinstance(node, bool) and "boolean" not in kinds
    if kinds and (numeric or not any(isinstance(node, TYPES[kind]) for kind in kinds)):
        yield f"{where}: {node!r} is no {kinds}"
        return
    if isinstance(node, dict):
        yield from (f"{where}: lacks {name}" for name in schema.get("required", []) if name not in node)
        names = schema.get("propertyNames", {}).get("enum")
        for name, child in node.items():
            known = schema.get("properties", {}).get(name, schema.get("additionalProperties", True))
            if known is False or (names and name not in names):
                yield f"{where}: {name} is not known"
            elif known is not True:
                yield from problems(child, known, root, f"{where}.{name}")
    if isinstance(node, list):
        if not schema.get("minItems", 0) <= len(node) <= schema.get("maxItems", len(node)):
            yield f"{where}: {len(node)} entries"
        for place, child in enumerate(node):
            yield from problems(child, schema.get("items", {}), root, f"{where}[{place}]")
    if isinstance(node, str) and len(node) < schema.get("minLength", 0):
        yield f"{where}: is empty"
    if isinstance(node, int | float) and node < schema.get("minimum", node):
        yield f"{where}: {node} is too small"


@pytest.fixture(scope="module")
def schema():
    return json.loads(SCHEMA.read_text(encoding="utf-8"))


@pytest.fixture
def written(results, outcomes, tmp_path):
    found = outcomes(3)
    found[0].failed.append({"row": "still", "metric": "judged", "reason": "no sound"})
    found[1].notes.append("29.97 frames/s")
    write_json(results(found, ["/real/one.mp4"]), tmp_path / "numbers.json")
    return json.loads((tmp_path / "numbers.json").read_text(encoding="utf-8"))


def test_what_is_written_fits(written, schema):
    assert list(problems(written, schema, schema)) == []


def test_a_single_clip_and_no_clip_fit(results, outcomes, schema):
    for count in (0, 1):
        assert list(problems(json.loads(json.dumps(results(outcomes(count)))), schema, schema)) == []


PLANTED = {
    "a missing key": lambda d: d.pop("seed"),
    "a missing version": lambda d: d["versions"].pop("codec"),
    "text for a number": lambda d: d["metrics"]["mark"].update(value="1.5"),
    "yes for a number": lambda d: d["metrics"]["mark"].update(value=True),
    "a number for no number": lambda d: d["metrics"]["mark"].update(value=None),
    "half an interval": lambda d: d["metrics"]["mark"].update(ci=[1.0]),
    "an unknown row": lambda d: d["rows"].update(best=d["rows"]["system"]),
    "an unknown key of a number": lambda d: d["metrics"]["mark"].update(ci95=[0, 1]),
    "a failure without its reason": lambda d: d["failed"][0].pop("reason"),
    "an empty reason": lambda d: d["failed"][0].update(reason=""),
    "clips as a fraction": lambda d: d.update(clips=2.5),
    "less than no clips": lambda d: d.update(scored=-1),
    "no clip behind a number": lambda d: d["rows"]["still"]["metrics"]["mark"].update(n=0),
    "a note that is no list": lambda d: d["notes"].update({"clip 1": "29.97"}),
}


@pytest.mark.parametrize("planted", PLANTED, ids=PLANTED)
def test_planted_errors_are_refused(written, schema, planted):
    damaged = copy.deepcopy(written)
    PLANTED[planted](damaged)
    assert len(list(problems(damaged, schema, schema))) >= 1


@pytest.mark.parametrize("planted", ["nothing", *PLANTED])
def test_another_validator_agrees(written, schema, planted):
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(schema)
    damaged = copy.deepcopy(written)
    PLANTED.get(planted, lambda d: None)(damaged)
    assert jsonschema.Draft202012Validator(schema).is_valid(damaged) == (planted == "nothing")
