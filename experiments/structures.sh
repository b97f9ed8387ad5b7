#!/usr/bin/env bash
# Which form fits a trained kernel: the search beside the thirteen formats of before, on each network named (all of $MODELS and
# $MODELS/foreign where none is), then the tables over all of them. structures.sh [MODEL.onnx...]; docs/studies/structures.md.
source "$(dirname "$0")/common.sh"

if [ $# -eq 0 ]; then
    set -- "$MODELS"/*.onnx "$MODELS"/foreign/*.onnx
fi
for model in "$@"; do
    step "$(basename "$model" .onnx)" search "$model" ${RATES:---rate 0.25} --compare
done
python3 "$HERE/structures.py" "$RESULTS"
