#!/bin/sh
# Lip-sync of generated videos: Sync-D and Sync-C by SyncNet as published, where its weights are there, and how the lips follow the real ones.
#   RESULT_DIR=out/videos REFERENCE=data/real scripts/lip_sync_score.sh
# Settings and results are those of eval_benchmark_score.sh. ONLY=sync makes missing weights an error.
set -eu
ONLY=${ONLY:-sync,lips}
export ONLY
exec "$(dirname -- "$0")/eval_benchmark_score.sh" "$@"
