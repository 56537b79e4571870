#!/usr/bin/env bash
# Packs programs for a machine that has an NVIDIA driver and PyTorch >= 2.10 but no .NET: self-contained, trimmed,
# without libtorch.
#   gpu-bundle.sh              the renderer and the tools, .bundle/renderfarm-gpu.tar.xz; there:
#     tar xJf renderfarm-gpu.tar.xz && ./renderfarm-gpu/renderer bench gpu --part selftest
#   gpu-bundle.sh training     the demo model's trainer, .bundle/renderfarm-training.tar.xz; there:
#     tar xJf renderfarm-training.tar.xz && ./renderfarm-training/training all --out DIR
set -euo pipefail

ROOT=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
readonly ROOT OUT="$ROOT/.bundle" LIMIT=$((12 * 1000 * 1000))

# Debugger support, tracing and alternative collectors: a third of the runtime, never loaded here.
readonly UNUSED=(libmscordaccore.so libmscordbi.so libcoreclrtraceptprovider.so libclrgc.so libclrgcexp.so createdump)

main() {
    local launcher=${1:-renderer} programs name program size
    case $launcher in
        renderer) programs=(Renderer Tools) name=renderfarm-gpu ;;
        training) programs=(Training) name=renderfarm-training ;;
        *) echo "gpu-bundle: '$launcher' can't be packed; renderer and training can" >&2; exit 2 ;;
    esac
    local folder="$OUT/$name" archive="$OUT/$name.tar.xz"
    rm -rf "$folder" "$archive"
    mkdir -p "$folder/lib"
    for program in "${programs[@]}"; do publish "$program" "$folder/lib/${program,,}"; done
    share "$folder/lib"
    cp "$ROOT/deploy/scripts/gpu-renderer.sh" "$folder/$launcher"
    chmod +x "$folder/$launcher"
    tar --create --sort=name --owner=0 --group=0 --directory "$OUT" "$name" | xz -9 > "$archive"
    rm -rf "$folder"
    size=$(stat --format %s "$archive")
    [[ $size -le $LIMIT ]] || { echo "gpu-bundle: $archive has $size bytes, more than $LIMIT" >&2; exit 1; }
    echo "$archive ($((size / 1000)) kB)"
}

# Each has a runtime of its own, trimmed to what it uses.
publish() {
    dotnet publish "$ROOT/workers/RenderFarm.$1" --configuration Release --runtime linux-x64 --self-contained \
        -p:PublishTrimmed=true -p:LibTorch=none -p:DebugType=none -p:CopyOutputSymbolsToPublishDirectory=false \
        --output "$2" --nologo --verbosity quiet
    (cd "$2" && rm -f "${UNUSED[@]}")
    chmod +x "$2/RenderFarm.$1"
}

# What two programs have in common is packed once, as a hard link.
share() {
    local first file
    for file in "$1"/*/*; do
        first=$(find "$1" -mindepth 2 -name "${file##*/}" | LC_ALL=C sort | head -n 1)
        [[ $first == "$file" ]] || ! cmp -s "$first" "$file" || ln -f "$first" "$file"
    done
}

main "$@"
