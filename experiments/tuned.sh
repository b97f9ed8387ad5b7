#!/usr/bin/env bash
# A pretrained ResNet at a part of its convolution parameters, then tuned end to end with the dense network as its teacher, at the tool's
# defaults. FORMS: cp3, sums of terms in every layer at the same part; auto, whatever form and part fits each layer, as compress chooses.
# tuned.sh [NETWORK...]; docs/studies/sizes.md.
source "$(dirname "$0")/common.sh"

epochs=${EPOCHS:-8}
for network in "${@:-resnet32}"; do
    dense=$MODELS/$network-cifar10.onnx
    for form in ${FORMS:-cp3}; do
        case $form in
            cp3) choice="--allocate uniform --format cp3" mark= ;;
            auto) choice= mark=-auto ;;
        esac
        for rate in ${RATES:-0.1}; do
            name=$network-$rate$mark small=$WORK/$network-$rate$mark.onnx
            step "$name-untuned" compress "$dense" "$small" --target "conv-params=$rate" --objective size $choice $PRETRAINED --seed 0
            step "$name-end-$epochs" tune "$small" "$WORK/$name-end-$epochs.onnx" --teacher "$dense" --mode e2e --epochs "$epochs" \
                --augment cifar $PRETRAINED --resume "$WORK/$name-end-$epochs" --seed 0
        done
    done
done
