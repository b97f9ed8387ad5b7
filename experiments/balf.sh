#!/usr/bin/env bash
# Compression without tuning beside BALF (github.com/davidgonmar/BALF, arXiv 2509.25136): the same pretrained ResNets, the same calibration
# images. BALF makes networks at a ladder of sizes; ours are then asked for the parameters, the multiply-accumulates, or both, that its have.
# balf.sh [NETWORK...]; docs/studies/sizes.md. Beside the variables of common.sh:
#   BALF    a checkout of BALF          (git clone https://github.com/davidgonmar/BALF)
#   PYTHON  a Python with PyTorch and onnx    python3
#   IMAGES  calibration images                2000
#   POINTS  BALF's modes and ratios           params-0.7 params-0.5 params-0.39 params-0.25 flops-0.7 flops-0.5 flops-0.3
#   BOUNDS  what ours is held to              same both   (same: what BALF was asked for; both: parameters and multiply-accumulates)
source "$(dirname "$0")/common.sh"

if [ ! -f "${BALF:=}/lib/factorization/factorize.py" ]; then
    echo "balf.sh: BALF='$BALF' is no checkout of BALF: git clone https://github.com/davidgonmar/BALF, then BALF=BALF $0" >&2
    exit 2
fi
: "${PYTHON:=python3}" "${IMAGES:=2000}" "${BOUNDS:=same both}"
: "${POINTS:=params-0.5 flops-0.5 params-0.25 flops-0.3 params-0.39 params-0.7 flops-0.7}"
BALF=$(cd "$BALF" && pwd)
export BALF

# The JSON of a step is large, and the table has its numbers: steps stay in the folder of work.
PUBLISHED=$RESULTS RESULTS=$WORK/steps
mkdir -p "$RESULTS"

# timed NAME COMMAND...: a step, and the seconds of CPU that it took in NAME.cpu; those of a tool that was stopped count with the rest.
timed() {
    local TIMEFORMAT='%U %S'
    [ ! -f "$RESULTS/$1.cpu" ] || return 0
    { time (step "$@" 2>&3); } 3>&2 2>>"$RESULTS/$1.parts"
    mv "$RESULTS/$1.parts" "$RESULTS/$1.cpu"
}

# candidates NETWORK DENSE OPTIONS...: what all sizes of ours share, measured by itself: candidates and sensitivities, kept in the store.
candidates() {
    local TIMEFORMAT='%U %S' name=$1-candidates
    [ ! -f "$RESULTS/$name.cpu" ] || return 0
    echo "$(date +%T) $STUDY: $name" >&2
    { time $TENSORIAL plan "$2" --out "$WORK/$1-plan.json" --target params=0.5 "${@:3}" --threads "$THREADS" --no-color \
        >"$WORK/$name.txt" 2>"$WORK/$name.log"; } 2>>"$RESULTS/$name.parts"
    mv "$RESULTS/$name.parts" "$RESULTS/$name.cpu"
}

table() {
    python3 "$HERE/balf.py" table "$RESULTS" "$WORK/$1" "$1" "$PUBLISHED/$1.json" >"$WORK/table"
    mv "$WORK/table" "$PUBLISHED/$1.txt"
    cp "$RESULTS/$1"-*-ours-*.txt "$PUBLISHED/" 2>/dev/null || true
}

for network in "${@:-resnet20}"; do
    dense=$MODELS/$network-cifar10.onnx
    made=$WORK/$network
    ours="--objective size --calibration $IMAGES $PRETRAINED --resume $WORK/$network-store --seed 0"
    step "$network-dense" inspect "$dense"
    $PYTHON -O "$HERE/balf.py" factor "$dense" "$CIFAR10" "$made" $POINTS --images "$IMAGES" --threads "$THREADS" >&2
    candidates "$network" "$dense" $ours
    for bound in $BOUNDS; do
        for point in $POINTS; do
            name=$network-$point theirs=$RESULTS/$network-$point-balf-size.json
            step "$name-balf-size" inspect "$made/$point.onnx"
            step "$name-balf" evaluate "$made/$point.onnx" $PRETRAINED
            params=params=$(python3 "$HERE/balf.py" target "$RESULTS/$network-dense.json" "$theirs" parameters)
            macs=macs=$(python3 "$HERE/balf.py" target "$RESULTS/$network-dense.json" "$theirs" macs)
            case $bound-$point in
                both-*) targets="--target $params --target $macs" ;;
                same-params-*) targets="--target $params" ;;
                same-flops-*) targets="--target $macs" ;;
            esac
            timed "$name-ours-$bound" compress "$dense" "$WORK/$name-$bound.onnx" $targets $ours
            [ ! -f "$WORK/$name-$bound.onnx" ] || step "$name-ours-$bound-size" inspect "$WORK/$name-$bound.onnx"
            table "$network"
        done
    done
    cat "$PUBLISHED/$network.txt"
done
