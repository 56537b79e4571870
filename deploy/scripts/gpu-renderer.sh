#!/usr/bin/env bash
# Starts the bundled program that knows the verb on the libtorch that this machine has: TORCH_LIB names folders (separated by colons), or
# else the PyTorch of python3 is used. Libraries must be on the path before the process starts.
set -euo pipefail

HERE=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)

pytorch_folders() {
    "${PYTHON:-python3}" - <<'PY'
import glob, importlib.util, os
spec = importlib.util.find_spec("torch")
if spec is None:
    raise SystemExit("no PyTorch")
packages = os.path.dirname(os.path.dirname(spec.origin))
print(":".join([os.path.join(packages, "torch", "lib"), *sorted(glob.glob(os.path.join(packages, "nvidia", "*", "lib")))]))
PY
}

if [[ -z ${TORCH_LIB:-} ]] && ! TORCH_LIB=$(pytorch_folders 2> /dev/null); then
    echo "$(basename "$0"): no libtorch: install PyTorch >= 2.10 for ${PYTHON:-python3}, or name its lib folders in TORCH_LIB" >&2
    exit 1
fi
export TORCH_LIB # One libtorch, loaded whole from there
export LD_LIBRARY_PATH="$TORCH_LIB${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"

case "${1:-} ${2:-}" in
    "bench calibrate") program=Renderer; shift ;;
    "bench "* | "parity "* | "models "*) program=Tools ;;
    *) program=Renderer ;;
esac
if [[ -d $HERE/lib/training ]]; then
    # It allocates thousands of times a step, for which libtorch's own pool is the quicker one.
    program=Training
else
    # The device's own memory pool: exact figures, and memory that can be given back; read once, when libtorch starts.
    export PYTORCH_CUDA_ALLOC_CONF="${PYTORCH_CUDA_ALLOC_CONF:-backend:cudaMallocAsync}"
fi
exec "$HERE/lib/${program,,}/RenderFarm.$program" "$@"
