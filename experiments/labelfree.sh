#!/usr/bin/env bash
# A detector, a segmenter and an audio net of others, cut to half of their parameters without data, tuned block by block and then end to end
# on the dense network's answers to pictures and signals without labels, which this repository ships or makes (signals.py): the relative error
# of every output on others, before and after. `labelfree.sh [ecg] [nanodet] [clouds]`; networks from MODELS/foreign.
source "$(dirname "$0")/common.sh"

: "${PYTHON:=python3}" "${PARAMS:=0.5}"

# study NAME NETWORK IMAGES BLOCK_EPOCHS EPOCHS TUNE_OPTIONS -- DATA_OPTIONS, with SET for the folder or file of the samples
study() {
    local name=$1 dense=$MODELS/foreign/$2 images=$3 rounds=$4 epochs=$5 how=$6 data=$7
    local seen=${data//SET/$WORK/$name-seen} held=${data//SET/$WORK/$name-held}
    step "$name-compressed" compress "$dense" "$WORK/$name.onnx" --target "params=$PARAMS" --objective size --format svd-out
    step "$name-tuned" tune "$WORK/$name.onnx" "$WORK/$name-tuned.onnx" --teacher "$dense" --mode sequential \
        --block-images "$images" --block-epochs "$rounds" --epochs "$epochs" $how --no-test $seen
    local network
    for network in "" -tuned; do
        step "$name-error$network" verify "$dense" "$WORK/$name$network.onnx" $held
    done
}

# pictures NAME COUNT HELD: some of the embedded pictures, the last of them held back
pictures() {
    [ -d "$WORK/$1-held" ] && return
    $TENSORIAL data export --data sample --limit $(($2 + $3)) --out "$WORK/$1-seen" --flat
    mkdir -p "$WORK/$1-held"
    find "$WORK/$1-seen" -type f | sort | tail -n "$3" | xargs -I{} mv {} "$WORK/$1-held"
}

for kind in "${@:-ecg nanodet clouds}"; do
    for one in $kind; do
        case $one in
        ecg)
            "$PYTHON" "$HERE/signals.py" ecg 1024 1 "$WORK/ecg-seen.npy"
            "$PYTHON" "$HERE/signals.py" ecg 256 2 "$WORK/ecg-held.npy"
            study ecg ecg_cardiotwin.onnx 512 5 5 "--lr 0.002 --batch 64" "--data npy:SET.npy,raw"
            ;;
        nanodet)
            pictures nanodet 64 16
            study nanodet nanodet_m.onnx 64 5 20 "--lr 0.001 --batch 8" \
                "--data images:SET --resize 320x320 --bgr --scale 255 --mean 103.53,116.28,123.675 --std 57.375,57.12,58.395"
            ;;
        clouds)
            "$PYTHON" "$HERE/signals.py" clouds 16 1 "$WORK/clouds-seen.npy"
            "$PYTHON" "$HERE/signals.py" clouds 4 2 "$WORK/clouds-held.npy"
            study clouds unet_clouds.onnx 16 3 4 "--lr 0.001 --batch 4" "--data npy:SET.npy,raw"
            ;;
        *)
            echo "labelfree.sh takes ecg, nanodet and clouds, not $one" >&2
            exit 2
            ;;
        esac
    done
done
