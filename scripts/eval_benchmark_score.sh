#!/bin/sh
# Judge generated videos by every metric that can run here. Every setting is a variable; options of `instructavatar evaluate` may follow.
#   RESULT_DIR=out/videos REFERENCE=data/real scripts/eval_benchmark_score.sh
#   RESULT_DIR=out/mead scripts/eval_benchmark_score.sh --report out/mead/report    # where a plan has left pairs.jsonl
# The table is shown and appended to RESULT_DIR/final_results.txt. Nothing scored is an error. The same command resumes.
set -eu

RESULT_DIR=${RESULT_DIR:?folder of generated videos}
REFERENCE=${REFERENCE:-}         # real videos of equal names, or a store
PAIRS=${PAIRS:-}                 # a list of pairs, in place of both; RESULT_DIR/pairs.jsonl where there is one and no REFERENCE
METRICS=${METRICS:-$(dirname -- "$0")/../configs/metrics/full.yaml}
ONLY=${ONLY:-}                   # names of metrics, such as published_action_units,sync; all when empty
PYTHON=${PYTHON:-python}

if [ -z "$PAIRS" ] && [ -z "$REFERENCE" ] && [ -f "$RESULT_DIR/pairs.jsonl" ]; then PAIRS=$RESULT_DIR/pairs.jsonl; fi
if [ -n "$ONLY" ]; then set -- --only "$ONLY" "$@"; fi
if [ -n "$REFERENCE" ]; then set -- --reference "$REFERENCE" "$@"; fi

shown=$RESULT_DIR/.final_results.$$
trap 'rm -f "$shown"' EXIT
status=0
"$PYTHON" -m instructavatar.cli evaluate "${PAIRS:-$RESULT_DIR}" --metrics "$METRICS" "$@" > "$shown" || status=$?
cat "$shown"
if [ -s "$shown" ]; then
    { echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) ${PAIRS:-$RESULT_DIR} ${ONLY:-all metrics}"; cat "$shown"; echo; } >> "$RESULT_DIR/final_results.txt"
fi
exit "$status"
