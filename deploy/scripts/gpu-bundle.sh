#!/usr/bin/env bash
# Packs a program for a machine that has an NVIDIA driver and PyTorch >= 2.10 but no .NET: self-contained, trimmed,
# without libtorch.
#   gpu-bundle.sh              the renderer, .bundle/renderfarm-gpu.tar.xz; there:
#     tar xJf renderfarm-gpu.tar.xz && ./renderfarm-gpu/renderer bench gpu --part selftest
#   gpu-bundle.sh training     the demo model's trainer, .bundle/renderfarm-training.tar.xz; there:
#     tar xJf renderfarm-training.tar.xz && ./renderfarm-training/training all --out DIR
set -euo pipefail

ROOT=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
readonly ROOT OUT="$ROOT/.bundle" LIMIT=$((12 * 1000 * 1000))

# Debugger support, tracing and alternative collectors: a third of the runtime, never loaded here.
readonly UNUSED=(libmscordaccore.so libmscordbi.so libcoreclrtraceptprovider.so libclrgc.so libclrgcexp.so createdump)

main() {
    local program=${1:-renderer} project name size
    case $program in
        renderer) project=RenderFarm.Renderer name=renderfarm-gpu ;;
        training) project=RenderFarm.Training name=renderfarm-training ;;
        *) echo "gpu-bundle: '$program' can't be packed; renderer and training can" >&2; exit 2 ;;
    esac
    local folder="$OUT/$name" archive="$OUT/$name.tar.xz"
    rm -rf "$folder" "$archive"
    mkdir -p "$folder/lib"
    dotnet publish "$ROOT/workers/$project" --configuration Release --runtime linux-x64 --self-contained \
        -p:PublishTrimmed=true -p:LibTorch=none -p:DebugType=none -p:CopyOutputSymbolsToPublishDirectory=false \
        --output "$folder/lib" --nologo --verbosity quiet
    (cd "$folder/lib" && rm -f "${UNUSED[@]}")
    sed "s/RenderFarm\.Renderer/$project/" "$ROOT/deploy/scripts/gpu-renderer.sh" > "$folder/$program"
    # training allocates thousands of times a step, for which libtorch's own pool is the quicker one
    [[ $program == renderer ]] || sed --in-place '/own memory pool/d; /PYTORCH_CUDA_ALLOC_CONF/d' "$folder/$program"
    chmod +x "$folder/$program" "$folder/lib/$project"
    tar --create --owner=0 --group=0 --directory "$OUT" "$name" | xz -9 > "$archive"
    rm -rf "$folder"
    size=$(stat --format %s "$archive")
    [[ $size -le $LIMIT ]] || { echo "gpu-bundle: $archive has $size bytes, more than $LIMIT" >&2; exit 1; }
    echo "$archive ($((size / 1000)) kB)"
}

main "$@"
