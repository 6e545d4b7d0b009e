"""What is asked, about which clips, and what it costs."""

import re

import numpy as np
import pytest
from paraphrase_fakes import CLIPS, SECRET, clip, content, picture_in, text_of

from instructavatar.prepare.paraphrase import paraphrase, plan_paraphrases, run
from instructavatar.prepare.paraphrase.pictures import best_frames, picture
from instructavatar.prepare.paraphrase.prompts import motion_prompt, template, units_prompt, variants_in


def test_what_is_the_same_is_asked_once_and_only_about_training_clips(store, service):
    plan = plan_paraphrases(store, service.quick())
    assert sorted(plan.units) == ["seen", "unseen"]
    assert sorted(plan.scripts) == ["timed", "told", "told_too"]
    assert sorted(plan.texts) == ["neutral.  turn left.", "smile", "turn left"]
    assert len(plan.jobs) == 5
    assert plan.cost().requests == 5
    assert plan.cost().pictures == 1


def test_requests_show_the_units_and_their_best_frame(store, service):
    run(plan_paraphrases(store, service.quick()))
    asked = {text_of(body): body for body in service.bodies}
    shown = asked[units_prompt(["cheek_raiser", "lip_corner_puller"], True)]
    assert picture_in(shown) == picture(CLIPS["seen"], 9), "the smile grows until the last frame"
    assert shown["messages"][0]["content"][1]["image_url"]["detail"] == "low"
    assert (shown["model"], shown["temperature"], shown["top_p"], shown["max_tokens"]) == ("eye", 0.95, 0.95, 300)
    assert picture_in(asked[units_prompt(["jaw_drop"], False)]) is None
    assert motion_prompt("neutral.  turn left.") in asked


def test_other_fields_of_a_request_and_models_that_cannot_see(one, service):
    run(plan_paraphrases(one, service.quick(pictures=False, body={"max_tokens": None, "max_completion_tokens": 9})))
    (body,) = service.bodies
    assert isinstance(body["messages"][0]["content"], str)
    assert "max_tokens" not in body
    assert body["max_completion_tokens"] == 9


def test_prompts_are_readable_and_state_the_rules():
    for name in ("units", "units_without_picture", "motion"):
        text = template(name).template
        assert "numbered list of three" in text
        assert max(map(len, text.splitlines())) <= 140
        assert len(variants_in("\n".join(text.split("would be:\n")[1].splitlines()[:3]))) == 3, "the example obeys its own rules"
    units = template("units").template
    assert all(
        rule in units for rule in ("keep every unit", "contradicts", 'no "you"', "degree", "time", "Invent nothing", "verb may change")
    )
    assert "cheek raiser; jaw drop" in units_prompt(["cheek_raiser", "jaw_drop"], True)
    assert "turn $left; 5%" in motion_prompt("turn  $left;\n5%")


def test_best_frames_show_the_units_and_lie_apart():
    assert best_frames(clip(("jaw_drop",), pictures=40, frames=40)) == [39, 34, 29]
    assert best_frames(clip((), pictures=9, frames=9)) == [4, 2, 6]
    assert best_frames(clip((), pictures=1, frames=1)) == [0]
    assert best_frames(clip(("jaw_drop",))) == []
    latents = {**clip(("jaw_drop",), pictures=10), "motion_latent": np.zeros((10, 8), np.float32)}
    assert best_frames({**latents, "face_motion": CLIPS["unseen"]["motion_latent"]})[0] == 9
    assert best_frames(latents)[0] == 5


def test_cost_comes_first_and_a_dry_run_sends_nothing(store, service, tmp_path, monkeypatch):
    monkeypatch.setenv("MY_KEY", SECRET)
    settings = f"base_url: {service.url}\nmodel: eye\nkey_env: MY_KEY\nrequests_per_minute: 2\nprice_per_million_input: 1000.0\n"
    (tmp_path / "service.yaml").write_text(settings)
    lines = []
    before = content(store)
    assert paraphrase(store, str(tmp_path / "service.yaml"), dry_run=True, say=lines.append) is None
    shown = "\n".join(lines)
    assert service.bodies == []
    assert content(store) == before
    assert shown.startswith("5 requests, 1 with a picture: about ")
    assert "at least 2.5 minutes" in shown
    assert re.search(r"about 1,\d\d\d tokens in and 375 out, about 1\.\d\d at the given price", shown)
    assert f"POST {service.url}/chat/completions" in shown
    assert "Authorization: Bearer $MY_KEY" in shown
    assert SECRET not in shown
    assert "data:image/jpeg;base64," in shown and len(shown) < 10_000
    assert "cheek raiser; lip corner puller" in shown
    assert "neutral. turn left." in shown, "one of each kind"


def test_tokens_are_estimated_from_the_texts(one, service):
    cost = plan_paraphrases(one, service.quick(price_per_million_input=2.0, price_per_million_output=10.0)).cost()
    length = len(units_prompt(["cheek_raiser", "lip_corner_puller"], True))
    assert length / 6 < cost.input_tokens - 85 < length / 3
    assert cost.price == pytest.approx((cost.input_tokens * 2 + cost.output_tokens * 10) / 1e6, rel=0.01)
