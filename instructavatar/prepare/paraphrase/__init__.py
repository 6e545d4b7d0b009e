"""More wordings for a store's clips from any OpenAI-compatible chat service that sees pictures, as the published recipe takes from GPT-4V.

Read `prompts/*.txt` for what is asked, `plan.py` for about which clips, `wire.py` for what a service may answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from instructavatar.prepare.corpora.base import Progress
from instructavatar.prepare.paraphrase.chat import Chat
from instructavatar.prepare.paraphrase.plan import Cost, Plan, plan_paraphrases
from instructavatar.prepare.paraphrase.run import Report, run
from instructavatar.prepare.paraphrase.service import Service

__all__ = ["Cost", "Plan", "Report", "Service", "paraphrase", "plan_paraphrases", "run"]

UNNAMED = "the one model that the service serves"


def paraphrase(
    store: Path | str,
    service: str,
    dry_run: bool = False,
    say: Callable[[str], None] = print,
    progress: Progress | None = None,
    workers: int = 1,
) -> Report | None:
    """Everything behind `prepare --only instructions --paraphrase SERVICE`.

    Args:
        store: a finished store; its training clips get new wordings.
        service: a base URL (http://localhost:8000/v1) or a YAML file (`service.Service`).
        dry_run: say what would be sent and send nothing; gives None.
        say: is told the cost before anything is asked, and a dry run's requests.
        progress: called with (stage, done, total).
        workers: processes that read the new sentences.
    """
    chosen = Service.load(service)
    if dry_run:
        plan = plan_paraphrases(store, chosen if chosen.model else replace(chosen, model=UNNAMED))
        say(f"{plan.cost()}\n\n{plan.preview()}".rstrip())
        return None
    if not chosen.model:
        chosen = replace(chosen, model=Chat(chosen).only_model())
    plan = plan_paraphrases(store, chosen)
    say(str(plan.cost()))
    return run(plan, progress, workers)
