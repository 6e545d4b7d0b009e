"""The table: every number of every row, readable on 80 columns, plain in a pipe; what failed is said in words."""

import io
import sys

import pytest

from instructavatar.metrics.report import terminal
from instructavatar.metrics.report.terminal import lines


def line_of(told, name):
    return next(line for line in told if line.startswith(name))


def test_a_line_has_the_numbers_of_all_rows_the_interval_the_arrow_and_the_unit(results, outcomes):
    told = lines(results(outcomes()))
    assert told[0] == "4 of 4 clips scored"
    cells = line_of(told, "mark").split()
    assert cells[:3] == ["mark", "↑", "1.15"]
    assert cells[4:] == ["4", "2.15", "1.65", "0.250", "1.05", "0.950", "points"]
    low, high = map(float, cells[3].split(".."))
    assert low < 1.15 < high
    assert line_of(told, "cost").split()[1] == "↓"
    assert "40.0" in line_of(told, "speed").split()[1]


def test_80_columns_hold_all_rows_and_say_the_units_below(results, outcomes):
    told = lines(results(outcomes()), 80)
    assert max(map(len, told)) <= 80
    assert line_of(told, "mark").split()[-1] == "0.950"
    assert "  points: mark" in told and "  degrees/s: speed" in told


@pytest.mark.parametrize("width", (60, 80, 100, 140))
def test_no_line_is_wider_than_the_terminal(results, outcomes, width):
    found = outcomes()
    found[0].failed.append({"row": "oracle", "metric": "", "reason": "expected a face, " * 20})
    assert max(map(len, lines(results(found, ["/real/one.mp4"]), width))) <= width


def test_failures_are_named_with_row_and_reason_and_the_rest_counted(results, outcomes):
    found = outcomes(20)
    for outcome in found:
        outcome.failed += [{"row": row, "metric": "", "reason": f"{outcome.name} is lost"} for row in ("system", "still")]
    told = lines(results(found))
    place = told.index("failed (20 clips)")
    assert told[place + 1] == "  clip 0 (system, still): clip 0 is lost"
    assert told[place + 13] == "  and 8 more; see the JSON"


def test_what_does_not_apply_is_one_line_a_reason(results, outcomes):
    found = outcomes(5)
    for outcome in found:
        outcome.failed += [{"row": "system", "metric": name, "reason": "no sound"} for name in ("judged", "lips")]
    told = lines(results(found))
    assert told[told.index("not scored, because") + 1] == "  no sound: judged, lips on 5 clips (clip 0, clip 1, clip 2, ...; system)"


def test_a_metric_that_stumbled_counts_as_failed(results, outcomes):
    found = outcomes(2)
    found[1].failed.append({"row": "system", "metric": "judged", "reason": "unexpected ValueError: no"})
    assert "  clip 1 (system) [judged]: unexpected ValueError: no" in lines(results(found))


def test_what_was_not_run_and_what_to_be_careful_about(results, outcomes):
    found = outcomes(3)
    found[0].notes = ["29.97 frames/s", "2 faces"]
    for outcome in found:
        outcome.scores["system"]["judged"]["mark"] = 9.0
    told = "\n".join(lines(results(found, ["/real/lonely.mp4"])))
    assert "metrics not run\n  heavy: expected weights at x.onnx; get them from their maker" in told
    assert "warnings\n  mark: the system's 9.00 beats the ground truth's 2.10" in told
    assert "real videos without a generated one (1)\n  /real/lonely.mp4" in told
    assert "notes on 1 clip\n  clip 0: 29.97 frames/s (and 1 more; see the JSON)" in told


def test_nothing_scored_still_says_why(results, outcomes):
    found = outcomes(1)
    found[0].scores.clear()
    found[0].failed = [{"row": "system", "metric": "", "reason": "no such file"}]
    told = lines(results(found))
    assert told[0] == "0 of 1 clip scored" and "no numbers: no metric could judge any clip" in told
    assert "  clip 0 (system): no such file" in told


def test_a_pipe_gets_plain_text_whatever_it_can_encode(results, outcomes, monkeypatch):
    found = outcomes(2)
    found[0].name = "Zoë\x1b[31m"
    found[0].failed = [{"row": "still", "metric": "", "reason": "lost"}]
    pipe = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", pipe)
    terminal.show(results(found))
    pipe.seek(0)
    told = pipe.read()
    assert "\x1b" not in told and "Zo\\xeb\\x1b[31m" in told
    assert line_of(told.splitlines(), "mark").split()[1] == "^"
