"""Problems put together in words that are true."""

from instructavatar.metrics.report.wording import not_scored


def test_every_entry_of_what_is_not_scored_is_true_of_each_of_its_clips():
    def entry(clip, row, metric, reason="no emotion asked"):
        return {"clip": clip, "row": row, "metric": metric, "reason": reason}

    failed = [entry(clip, row, "emotion") for clip in "abd" for row in ("system", "still")] + [entry("c", "shuffled_text", "emotion")]
    failed += [entry(clip, row, "units") for clip in "abd" for row in ("system", "still")]
    told = {(tuple(one.clips), tuple(one.rows), tuple(one.metrics)) for one in not_scored(failed)}
    assert told == {
        (("a", "b", "d"), ("system", "still"), ("emotion", "units")),
        (("c",), ("shuffled_text",), ("emotion",)),
    }
    back = {(clip, row, metric) for one in not_scored(failed) for clip in one.clips for row in one.rows for metric in one.metrics}
    assert back == {(one["clip"], one["row"], one["metric"]) for one in failed}
