#!/usr/bin/env bash
# Runs the bundled farm on the card of this machine and prints one table; exit code 1 where a limit is missed.
#   farm-on-card.sh first  OUT [OPTION…]   random weights of the large model; the demo model and a hundred small jobs where ffmpeg is there
#   farm-on-card.sh second OUT [OPTION…]   the farm: cold, warm, beside a neighbour, killed, cancelled; the small jobs where the first had no ffmpeg
#   farm-on-card.sh tools  ARGUMENT…       the tools, such as: tools bench gpu --part selftest
# The first two take under nine minutes each, the second after the first on the same machine. OUT gets first.json and farm.json;
# OPTIONs are those of "bench farm".
set -euo pipefail

HERE=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
readonly HERE MODELS="${RENDERFARM_MODELS:-$HERE/models}" BUILT=bin/Release/net10.0

pytorch_folders() {
    "${PYTHON:-python3}" - << 'PY'
import glob, importlib.util, os
spec = importlib.util.find_spec("torch")
if spec is None:
    raise SystemExit("no PyTorch")
packages = os.path.dirname(os.path.dirname(spec.origin))
print(":".join([os.path.join(packages, "torch", "lib"), *sorted(glob.glob(os.path.join(packages, "nvidia", "*", "lib")))]))
PY
}

main() {
    local half=${1:-} out=${2:-}
    if [[ $half == tools ]]; then
        shift
        prepare
        exec "$HERE/workers/RenderFarm.Tools/$BUILT/RenderFarm.Tools" "$@"
    fi
    [[ -n $out ]] || { sed -n 's/^# \{0,1\}//p' "${BASH_SOURCE[0]}" | head -n 9 >&2; exit 2; }
    shift 2
    mkdir -p "$out" "$MODELS"
    prepare
    case $half in
        first)
            local parts=(--part weights)
            [[ ! -x $HERE/ffmpeg/ffmpeg ]] || parts+=(--part demo --part rates --part many)
            bench "${parts[@]}" --report "$out/first.json" "$@"
            ;;
        second)
            local parts=(--part cold --part warm --part first-step --part tight --part growing --part killed --part cancelled)
            grep -q '"many' "$out/first.json" || parts+=(--part demo --part rates --part many)
            bench "${parts[@]}" --after "$out/first.json" --report "$out/farm.json" --minutes 8 "$@"
            ;;
        *) echo "farm-on-card: '$half' is not known: first or second" >&2; exit 2 ;;
    esac
}

# Libraries must be on the path before a process starts; a hand-over between programs keeps it.
prepare() {
    if [[ -z ${TORCH_LIB:-} ]] && ! TORCH_LIB=$(pytorch_folders 2> /dev/null); then
        echo "farm-on-card: no libtorch: install PyTorch >= 2.10 for ${PYTHON:-python3}, or name its lib folders in TORCH_LIB" >&2
        exit 1
    fi
    export LD_LIBRARY_PATH="$TORCH_LIB${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" Torch__LibraryPath="${TORCH_LIB%%:*}"
    export PYTORCH_CUDA_ALLOC_CONF="${PYTORCH_CUDA_ALLOC_CONF:-backend:cudaMallocAsync}"
    export DOTNET_ROOT="$HERE/dotnet" DOTNET_NOLOGO=1 PATH="$HERE/dotnet:$HERE/ffmpeg:$PATH"
    more_memory
}

# A virtual machine whose memory grows as it is used says too little of itself, and gives shared memory half of that.
more_memory() {
    local gigabytes=${HOST_GIGABYTES:-}
    [[ -n $gigabytes ]] || return 0
    export Worker__HostMemoryGigabytes="$gigabytes"
    mount -o "remount,size=${gigabytes}G" /dev/shm
}

bench() {
    "$HERE/tests/RenderFarm.Benchmarks/$BUILT/RenderFarm.Benchmarks" farm --models "$MODELS" "$@"
}

main "$@"
