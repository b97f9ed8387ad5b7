#!/usr/bin/env bash
# Tensorial networks (arXiv 1805.10352). tensorial.sh lenet5: LeNet-5 on MNIST in less than 5 % of its parameters, trained as factors;
# tensorial.sh lenet5-tuned: the dense one cut to that, and tuned.
# tensorial.sh resnet32: the pretrained ResNet-32 in one format throughout, at RATES of its convolution parameters, fitted on 2,000 training
# images, then tuned block by block (sequential) or for EPOCHS end to end (MODES="blocks end"); docs/studies/tensorial.md.
source "$(dirname "$0")/common.sh"

lenet5() {
    for format in ${FORMATS:-rcp:2 rtr:2 rtt:2 rtucker:2 tucker2}; do
        step "lenet5-${format/:/}" train lenet5 "$WORK/lenet5-${format/:/}.onnx" --data "idx:$MNIST" --epochs "${EPOCHS:-20}" --lr 0.05 \
            --augment pad=2 --format "$format" --rate "${RATE:-0.03}" --resume "$WORK/lenet5-${format/:/}" --seed 0
        step "lenet5-${format/:/}-size" inspect "$WORK/lenet5-${format/:/}.onnx"
    done
}

# The dense LeNet-5, cut to RATE of its parameters on what its layers read, then tuned end to end from its own answers.
lenet5-tuned() {
    local rate=${RATE:-0.05} data="--data idx:$MNIST"
    step lenet5-dense train lenet5 "$WORK/lenet5.onnx" $data --epochs 10 --lr 0.05 --augment pad=2 --seed 0 --resume "$WORK/lenet5-dense"
    step "lenet5-$rate-untuned" compress "$WORK/lenet5.onnx" "$WORK/lenet5-$rate.onnx" --target "params=$rate" --objective size $data --seed 0
    step "lenet5-$rate-tuned" tune "$WORK/lenet5-$rate.onnx" "$WORK/lenet5-$rate-tuned.onnx" --teacher "$WORK/lenet5.onnx" --mode e2e --optimizer adam --lr 0.002 \
        --epochs "${EPOCHS:-15}" --augment pad=2 $data --seed 0 --resume "$WORK/lenet5-$rate-tuned"
}

resnet32() {
    local dense=$MODELS/resnet32-cifar10.onnx
    for rate in ${RATES:-0.1 0.05}; do
        for format in ${FORMATS:-rcp svd-out tucker2 cp tt rtt rtr}; do
            local name=resnet32-$rate-${format/:/}
            step "$name-untuned" compress "$dense" "$WORK/$name.onnx" --target "conv-params=$rate" --objective size --format "$format" $PRETRAINED --seed 0 \
                --resume "$WORK/resnet32-store"
            for mode in ${MODES:-blocks}; do
                case $mode in
                    blocks)
                        step "$name-blocks" tune "$WORK/$name.onnx" "$WORK/$name-blocks.onnx" --teacher "$dense" --mode sequential \
                            $PRETRAINED --resume "$WORK/$name-blocks" --seed 0
                        ;;
                    end)
                        step "$name-end" tune "$WORK/$name.onnx" "$WORK/$name-end.onnx" --teacher "$dense" --mode e2e \
                            --epochs "${EPOCHS:-5}" --augment cifar $PRETRAINED --resume "$WORK/$name-end" --seed 0
                        ;;
                esac
            done
        done
    done
}

for study in "${@:-lenet5}"; do
    "$study"
done
