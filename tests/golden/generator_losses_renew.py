"""Renew generator_losses.json, the ten losses that tests/models/test_golden_losses.py expects.

python tests/golden/generator_losses_renew.py
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    sys.path.insert(0, str(ROOT / "tests" / "models"))
    from test_golden_losses import GOLDEN, ten_losses

    GOLDEN.write_text(json.dumps({"default": ten_losses(False), "paper": ten_losses(True)}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
