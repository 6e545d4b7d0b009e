#!/usr/bin/env bash
# Animate every portrait of a folder with every sound of another. Every setting is a variable; options of `instructavatar generate` may follow.
#   APPEAR_DIR=faces AUDIO_DIR=voices INSTRUCTION='talk happily' CKPT=runs/default OUTPUT=out/test scripts/evaluate_e2e.sh
# Finished videos are kept, so the same command goes on.
set -euo pipefail

APPEAR_DIR=${APPEAR_DIR:?folder of portraits}
INSTRUCTION=${INSTRUCTION:-smile}
AUDIO_DIR=${AUDIO_DIR:-}         # needed where AUDIO_FLAG is true
A2E_CONFIG=${A2E_CONFIG:-}       # configuration of a checkpoint that lies outside of its run; a run and a bundle know theirs
INST_FLAG=${INST_FLAG:-True}     # False: no instruction
AUDIO_FLAG=${AUDIO_FLAG:-True}   # False: silent, SECONDS_LONG long
SECONDS_LONG=${SECONDS_LONG:-7}
CKPT=${CKPT:-}                   # a run, one of its checkpoints, or a bundle; the model that ships when empty
OUTPUT=${OUTPUT:-out/e2e}
PYTHON=${PYTHON:-python}

is_true() {
    case $1 in
        [Tt]rue | [Yy]es | 1) return 0 ;;
        [Ff]alse | [Nn]o | 0) return 1 ;;
        *) echo "error: expected True or False, got $1" >&2; exit 2 ;;
    esac
}

words=(--appear-dir "$APPEAR_DIR" --output "$OUTPUT")
if is_true "$INST_FLAG"; then words+=(--instruction "$INSTRUCTION"); fi
if is_true "$AUDIO_FLAG"; then words+=(--audio-dir "${AUDIO_DIR:?folder of sounds}"); else words+=(--seconds "$SECONDS_LONG"); fi
if [[ -n $CKPT && -n $A2E_CONFIG && -f $CKPT ]]; then
    bundle=$OUTPUT/bundle
    if [[ ! -f $bundle/manifest.json || $CKPT -nt $bundle/manifest.json ]]; then
        "$PYTHON" -m instructavatar.cli export "$CKPT" --base "$A2E_CONFIG" --output "$bundle"
    fi
    CKPT=$bundle
fi
exec "$PYTHON" -m instructavatar.cli generate "${words[@]}" ${CKPT:+--model "$CKPT"} "$@"
