"""Answers: read, or refused with a reason, and kept whole."""

import pytest

from instructavatar.errors import BadBundle
from instructavatar.prepare.paraphrase.answers import Answer, Answers, key_of
from instructavatar.prepare.paraphrase.prompts import Unusable, is_refusal, variants_in


def test_a_line_that_a_kill_cut_short_is_dropped(tmp_path):
    path = tmp_path / "a.jsonl"
    Answers(path).add(Answer("k1", "ok", ("a", "b", "ç")))
    with path.open("ab") as file:
        file.write(b'{"key": "k2", "outc')
    answers = Answers(path)
    assert len(answers) == 1
    answers.add(Answer("k3", "refused", reason="no"))
    again = Answers(path)
    assert (again.get("k1").variants, again.get("k2"), again.get("k3").reason) == (("a", "b", "ç"), None, "no")
    path.write_bytes(b"{}\n" + path.read_bytes())
    with pytest.raises(BadBundle, match="line 1"):
        Answers(path)


def test_a_request_is_named_by_model_prompt_and_picture():
    assert len({key_of("m", "p", None), key_of("m", "p", b"x"), key_of("mp", "", None), key_of("m", "q", None)}) == 4
    assert key_of("m", "p", b"x") == key_of("m", "p", b"x")


@pytest.mark.parametrize(
    "answer",
    [
        "1. Smile.\n2. Grin.\n3. Beam.",
        'Sure! Here are three:\n\n1) Smile.\n 2) **Grin.**\n(3) "Beam."\n\nI hope that helps.',
        "**1.** Smile.\r\n**2.** Grin.\r\n**3.** Beam.",
    ],
)
def test_three_variants_are_read(answer):
    assert variants_in(answer) == ("Smile.", "Grin.", "Beam.")
    assert not is_refusal(answer + " Sorry.")


@pytest.mark.parametrize(
    "answer", ["", "1. a\n2. b\n3. c\n4. d", "1. a\n3. b\n2. c", "1. a\n2. b\n3. " + "c" * 400, "1. a\n2. \n3. c", "1. a\n2. b\n3. 0-2s: c"]
)
def test_anything_else_is_not(answer):
    with pytest.raises(Unusable, match="expected"):
        variants_in(answer)
