#!/usr/bin/env bash
# Recovery (arXiv 2403.14379): a network truncated until it loses 10 to 50 points, then trained for a few epochs with the rank free, with the
# rank kept (kernels as the factors of their cut), and as long from scratch. RANK, CUT, EPOCHS and NETWORK say otherwise;
# docs/studies/recovery.md.
source "$(dirname "$0")/common.sh"

: "${NETWORK:=resnet20}" "${CUT:=o|ihw}" "${RANK:=62.5%}" "${EPOCHS:=1}"
dense=$MODELS/$NETWORK-cifar10.onnx
name=$NETWORK-$(echo "$CUT-$RANK" | tr '|,%' '_+p')
recipe="--epochs $EPOCHS --augment cifar --seed 0 $PRETRAINED"

step "$name-truncated" truncate "$dense" "$WORK/$name.onnx" --cut "$CUT" --rank "$RANK"
step "$name-factors" truncate "$dense" "$WORK/$name-factors.onnx" --cut "$CUT" --rank "$RANK" --factors
step "$name-evaluated" evaluate "$WORK/$name.onnx" $PRETRAINED
step "$name-free" train "$WORK/$name.onnx" "$WORK/$name-free.onnx" $recipe --resume "$WORK/$name-free"
step "$name-kept" train "$WORK/$name-factors.onnx" "$WORK/$name-kept.onnx" $recipe --resume "$WORK/$name-kept"
step "$NETWORK-scratch" train "$dense" "$WORK/$NETWORK-scratch.onnx" --fresh --lr 0.1 $recipe --resume "$WORK/$NETWORK-scratch"
# How far what was cut off grew back: the norm loss of the same truncation after training with the rank free.
step "$name-regrown" truncate "$WORK/$name-free.onnx" "$WORK/$name-again.onnx" --cut "$CUT" --rank "$RANK"
