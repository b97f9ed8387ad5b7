# Sourced by the studies. Variables, with their defaults:
#   TENSORIAL  the command                          tensorial
#   CIFAR10    folder of the CIFAR-10 binary files  cifar10     (tensorial data get cifar10 --out cifar10)
#   MNIST      folder of the MNIST IDX files        mnist       (tensorial data get mnist --out mnist)
#   MODELS     folder of the pretrained ResNets     models      (resnet20-cifar10.onnx, resnet32-cifar10.onnx; see README.md)
#   WORK       networks, stores and checkpoints     work
#   THREADS    threads of every command             2
# Seed 0 throughout. What is done is not done again: kill a study at any moment and start it anew.
set -euo pipefail

: "${TENSORIAL:=tensorial}" "${CIFAR10:=cifar10}" "${MNIST:=mnist}" "${MODELS:=models}" "${WORK:=work}" "${THREADS:=2}"

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
STUDY=$(basename "$0" .sh)
RESULTS=$HERE/results/$STUDY
WORK=$WORK/$STUDY
mkdir -p "$RESULTS" "$WORK"

PRETRAINED="--data cifar10:$CIFAR10 --normalize imagenet"

# step NAME COMMAND...: one command of the tool, unless NAME.txt is there. What it prints goes to NAME.txt, its result to NAME.json. A
# command that fails, or misses a goal, leaves its message in NAME.failed and the study goes on; remove the file to try again.
step() {
    local name=$1
    shift
    if [ -f "$RESULTS/$name.txt" ] || [ -f "$RESULTS/$name.failed" ]; then
        return 0
    fi
    echo "$(date +%T) $STUDY: $name" >&2
    local code=0 threads="--threads $THREADS"
    [ "$1" != inspect ] || threads=
    $TENSORIAL "$@" $threads --no-color --json "$WORK/$name.json" >"$WORK/$name.txt" 2>"$WORK/$name.log" || code=$?
    if [ $code -eq 0 ]; then
        # Folders of this machine are none of the result.
        sed -i -e "s#$MODELS/#models/#g" -e "s#$WORK/#work/#g" -e "s#$CIFAR10#cifar10#g" -e "s#$MNIST#mnist#g" "$WORK/$name.json" "$WORK/$name.txt"
        mv "$WORK/$name.json" "$RESULTS/"
        mv "$WORK/$name.txt" "$RESULTS/"
    elif [ $code -lt 128 ]; then
        (echo "exit code $code"; tail -n 3 "$WORK/$name.log") >"$RESULTS/$name.failed"
    else
        exit $code
    fi
}
