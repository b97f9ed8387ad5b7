#!/usr/bin/env bash
# A pretrained ResNet at a part of its convolution parameters as sums of terms (cp3), every layer at the same part, then tuned end to end with the
# dense network as its teacher, at the tool's defaults. tuned.sh [NETWORK...]; docs/studies/sizes.md.
source "$(dirname "$0")/common.sh"

epochs=${EPOCHS:-8}
for network in "${@:-resnet32}"; do
    dense=$MODELS/$network-cifar10.onnx
    for rate in ${RATES:-0.1}; do
        small=$WORK/$network-$rate.onnx
        step "$network-$rate-untuned" compress "$dense" "$small" --target "conv-params=$rate" --objective size --allocate uniform --format cp3 \
            $PRETRAINED --seed 0
        step "$network-$rate-end-$epochs" tune "$small" "$WORK/$network-$rate-end-$epochs.onnx" --teacher "$dense" --mode e2e --epochs "$epochs" --augment cifar \
            $PRETRAINED --resume "$WORK/$network-$rate-end-$epochs" --seed 0
    done
done
