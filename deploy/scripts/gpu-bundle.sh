#!/usr/bin/env bash
# Packs the renderer for a machine that has an NVIDIA driver and PyTorch >= 2.10 but no .NET: self-contained, trimmed,
# without libtorch. Writes .bundle/renderfarm-gpu.tar.gz; there:
#   tar xzf renderfarm-gpu.tar.gz && ./renderfarm-gpu/renderer bench gpu --part selftest
set -euo pipefail

ROOT=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
readonly ROOT OUT="$ROOT/.bundle" NAME=renderfarm-gpu LIMIT=$((12 * 1000 * 1000))

# Debugger support, tracing and alternative collectors: a third of the runtime, never loaded here.
readonly UNUSED=(libmscordaccore.so libmscordbi.so libcoreclrtraceptprovider.so libclrgc.so libclrgcexp.so createdump)

main() {
    local folder="$OUT/$NAME" archive="$OUT/$NAME.tar.gz" size
    rm -rf "$folder" "$archive"
    mkdir -p "$folder/lib"
    dotnet publish "$ROOT/workers/RenderFarm.Renderer" --configuration Release --runtime linux-x64 --self-contained \
        -p:PublishTrimmed=true -p:LibTorch=none -p:DebugType=none -p:CopyOutputSymbolsToPublishDirectory=false \
        --output "$folder/lib" --nologo --verbosity quiet
    (cd "$folder/lib" && rm -f "${UNUSED[@]}")
    cp "$ROOT/deploy/scripts/gpu-renderer.sh" "$folder/renderer"
    chmod +x "$folder/renderer" "$folder/lib/RenderFarm.Renderer"
    tar --create --owner=0 --group=0 --directory "$OUT" "$NAME" | gzip -9 > "$archive"
    rm -rf "$folder"
    size=$(stat --format %s "$archive")
    [[ $size -le $LIMIT ]] || { echo "gpu-bundle: $archive has $size bytes, more than $LIMIT" >&2; exit 1; }
    echo "$archive ($((size / 1000)) kB)"
}

main "$@"
