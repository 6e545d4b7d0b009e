#!/usr/bin/env bash
# Train. Every setting is a variable; options of main.py may follow. The same command resumes.
#   BASE=configs/motion/paper.yaml LOGDIR=runs/paper DEVICES=8 ACCELERATOR=gpu EXTRA=data.params.store=data/mead scripts/run_exp.sh
set -euo pipefail

BASE=${BASE:-configs/motion/default.yaml}   # several with spaces between, later over earlier
LOGDIR=${LOGDIR:-runs/default}
DEVICES=${DEVICES:-1}
NODES=${NODES:-1}
ACCELERATOR=${ACCELERATOR:-auto}
EXTRA=${EXTRA:-}                            # a.b=c,d.e=f
PYTHON=${PYTHON:-python}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
read -r -a base <<<"$BASE"
exec "$PYTHON" "$here/main.py" --base "${base[@]}" --train --logdir "$LOGDIR" \
    --trainer.devices "$DEVICES" --trainer.num_nodes "$NODES" --trainer.accelerator "$ACCELERATOR" \
    ${EXTRA:+--extra "$EXTRA"} "$@"
