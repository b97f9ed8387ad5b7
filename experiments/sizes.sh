#!/usr/bin/env bash
# The best network at a size: pretrained ResNets at 50 to 5 % of their convolution parameters, first without training (calibrated on 2,000
# training images), then tuned block by block on the same 2,000, then, with EPOCHS=N, end to end on all of them. sizes.sh [NETWORK...]; docs/studies/sizes.md.
source "$(dirname "$0")/common.sh"

for network in "${@:-resnet32}"; do
    dense=$MODELS/$network-cifar10.onnx
    for rate in ${RATES:-0.1 0.05 0.25 0.5 0.34}; do
        small=$WORK/$network-$rate.onnx
        step "$network-$rate-untuned" compress "$dense" "$small" --target "conv-params=$rate" --objective size $PRETRAINED --resume "$WORK/$network-store" --seed 0
        step "$network-$rate-blocks" tune "$small" "$WORK/$network-$rate-blocks.onnx" --teacher "$dense" --mode sequential \
            $PRETRAINED --resume "$WORK/$network-$rate-blocks" --seed 0
        if [ "${EPOCHS:-0}" -gt 0 ]; then
            step "$network-$rate-end" tune "$WORK/$network-$rate-blocks.onnx" "$WORK/$network-$rate-end.onnx" --teacher "$dense" --mode e2e \
                --epochs "$EPOCHS" --augment cifar $PRETRAINED --resume "$WORK/$network-$rate-end" --seed 0
        fi
    done
done
