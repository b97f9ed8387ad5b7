#!/usr/bin/env bash
# Truncation (arXiv 2403.14379): every kernel along every cut at a ladder of ranks, one at a time and all together. The networks: pretrained
# ResNets (resnet20, resnet32, resnet56); cnn4, four plain convolutions, trained here on CIFAR-10 first; sample, the embedded four-layer
# network and its 1,000 images of Fashion-MNIST. truncation.sh [NETWORK...]; LIMIT=1000 measures on so many test images;
# docs/studies/truncation.md.
source "$(dirname "$0")/common.sh"

for network in "${@:-resnet20}"; do
    data=$PRETRAINED
    case $network in
        cnn4)
            model=$WORK/cnn4.onnx
            step cnn4-training train cnn4 "$model" $PRETRAINED --epochs "${EPOCHS:-8}" --augment cifar --resume "$WORK/cnn4-training" --seed 0
            ;;
        sample)
            model=$HERE/../samples/fashion-cnn.onnx
            data="--data sample"
            ;;
        *) model=$MODELS/$network-cifar10.onnx ;;
    esac
    name=$network${LIMIT:+-$LIMIT}
    step "$name" analyze "$model" $data ${LIMIT:+--limit "$LIMIT"} --resume "$WORK/$name" --csv "$RESULTS/$name" \
        --figures "$RESULTS/$name-figures" --seed 0
    # What follows from the network alone, and the JSON that holds everything, is a megabyte and more.
    if [ -f "$RESULTS/$name.json" ]; then
        mv "$RESULTS/$name.json" "$WORK/"
    fi
    rm -f "$RESULTS/$name"/{spectra,cuts}.csv "$RESULTS/$name-figures"/{map-*,decay,entropy,savings}.svg
done
