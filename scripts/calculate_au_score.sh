#!/bin/sh
# Action units of generated videos: precision, recall, F1 and the emotion's typical units, as published and soundly.
#   RESULT_DIR=out/videos REFERENCE=data/real scripts/calculate_au_score.sh
# Settings and results are those of eval_benchmark_score.sh.
set -eu
ONLY=${ONLY:-published_action_units,action_units}
export ONLY
exec "$(dirname -- "$0")/eval_benchmark_score.sh" "$@"
