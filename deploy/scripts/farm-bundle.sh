#!/usr/bin/env bash
# Packs a whole farm, and the benchmark that runs it, for a machine with an NVIDIA driver, PyTorch >= 2.10 and python3, but no .NET and no
# ffmpeg, into two parts under .bundle/:
#   renderfarm-farm-programs.tar.xz   the .NET runtime, API, worker, renderer, tools and benchmarks
#   renderfarm-farm-ffmpeg.tar.xz     ffmpeg with the libraries that it loads, Debian's as they are here; FFMPEG=PATH packs another one
# There, both parts beside each other, or the second one later:
#   tar xJf renderfarm-farm-programs.tar.xz && ./renderfarm-farm/farm-on-card.sh weights
#   tar xJf renderfarm-farm-ffmpeg.tar.xz   && ./renderfarm-farm/farm-on-card.sh everything
# With --as-built it packs what "./farm build tests" has made, as it is.
set -euo pipefail

ROOT=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
readonly ROOT OUT="$ROOT/.bundle" NAME=renderfarm-farm LIMIT=$((80 * 1000 * 1000))
readonly PROGRAMS=(services/RenderFarm.Api workers/RenderFarm.Worker workers/RenderFarm.Renderer workers/RenderFarm.Tools
    tests/RenderFarm.Benchmarks)
readonly BUILT=bin/Release/net10.0

# Debugger support, tracing and alternative collectors of the runtime, never loaded here.
readonly UNUSED=(libmscordaccore.so libmscordbi.so libcoreclrtraceptprovider.so libclrgc.so libclrgcexp.so createdump)

main() {
    [[ ${1:-} == --as-built ]] || build
    rm -rf "${OUT:?}/$NAME" "$OUT/$NAME"-*.tar.xz
    mkdir -p "$OUT/$NAME"
    programs "$OUT/$NAME"
    pack programs
    ffmpeg_with_libraries "$OUT/$NAME/ffmpeg"
    pack ffmpeg
}

build() {
    dotnet build "$ROOT/tests/RenderFarm.Benchmarks" --configuration Release --nologo --verbosity quiet
    dotnet build "$ROOT/workers/RenderFarm.Tools" --configuration Release --nologo --verbosity quiet
}

programs() {
    local into=$1 program
    for program in "${PROGRAMS[@]}"; do
        mkdir -p "$into/$program/${BUILT%/*}"
        cp -a "$ROOT/$program/$BUILT" "$into/$program/${BUILT%/*}/"
    done
    mkdir -p "$into/deploy/models"
    cp -a "$ROOT/deploy/models/demo" "$into/deploy/models/"
    cp "$ROOT/deploy/scripts/farm-on-card.sh" "$into/"
    runtime "$into/dotnet"
    lighten "$into"
}

runtime() {
    local sdk
    sdk=$(dirname "$(readlink -f "$(command -v dotnet)")")
    mkdir -p "$1/shared"
    cp -a "$sdk/dotnet" "$sdk/host" "$1/"
    local framework version
    for framework in Microsoft.NETCore.App Microsoft.AspNetCore.App; do
        version=$(find "$sdk/shared/$framework" -mindepth 1 -maxdepth 1 -name '10.*' -printf '%f\n' | sort -V | tail -n 1)
        mkdir -p "$1/shared/$framework"
        cp -a "$sdk/shared/$framework/$version" "$1/shared/$framework/"
    done
    (cd "$1"/shared/Microsoft.NETCore.App/*/ && rm -f "${UNUSED[@]}")
}

# What PyTorch there brings, what other systems would need and symbols go; what is left of one content is packed once.
lighten() {
    find "$1" \( -name '*.pdb' -o -regex '.*/\(libtorch[^/]*\.so\|libc10\.so\|libgomp[^/]*\|libshm[^/]*\)' \) -delete
    find "$1" -type d -path '*/runtimes/*' -prune | while read -r folder; do
        case $folder in
            */runtimes/linux-x64 | */runtimes/linux | */runtimes/unix | */runtimes/linux-x64/* | */runtimes/linux/* | */runtimes/unix/*) ;;
            *) rm -rf "$folder" ;;
        esac
    done
    python3 - "$1" << 'PY'
# The host refuses to start when a file that a deps.json names is missing. Files of one content become hard links.
import glob, hashlib, json, os, sys

root = sys.argv[1]
for path in glob.glob(root + "/**/*.deps.json", recursive=True):
    with open(path) as file:
        deps = json.load(file)
    here = os.path.dirname(path)
    for libraries in deps["targets"].values():
        for library in libraries.values():
            for kind in ("runtimeTargets", "native"):
                for name in list(library.get(kind, {})):
                    if not any(os.path.exists(os.path.join(here, at)) for at in (name, os.path.basename(name))):
                        del library[kind][name]
    os.remove(path)  # It may be a hard link already, of a build that stays as it is
    with open(path, "w") as file:
        json.dump(deps, file)

first = {}
for folder, _, names in os.walk(root):
    for name in sorted(names):
        path = os.path.join(folder, name)
        if os.path.islink(path) or os.path.getsize(path) < 4096:
            continue
        with open(path, "rb") as file:
            digest = (hashlib.sha256(file.read()).hexdigest(), os.stat(path).st_mode)
        if digest in first:
            os.remove(path)
            os.link(first[digest], path)
        else:
            first[digest] = path
PY
}

# glibc's own libraries are those of the machine there.
ffmpeg_with_libraries() {
    local ffmpeg library
    ffmpeg=$(readlink -f "${FFMPEG:-$(command -v ffmpeg)}")
    mkdir -p "$1/lib"
    cp "$ffmpeg" "$1/lib/ffmpeg"
    { ldd "$ffmpeg" 2> /dev/null || true; } | awk '$3 ~ "^/" { print $3 }' | while read -r library; do
        case ${library##*/} in
            libc.so* | libm.so* | libpthread.so* | libdl.so* | librt.so*) ;;
            *) cp -L "$library" "$1/lib/" ;;
        esac
    done
    cat > "$1/ffmpeg" << 'SH'
#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
LD_LIBRARY_PATH="$here/lib" exec "$here/lib/ffmpeg" "$@"
SH
    chmod +x "$1/ffmpeg"
}

# Everything that is in the folder now, which is then empty.
pack() {
    local archive="$OUT/$NAME-$1.tar.xz" size
    tar --create --sort=name --owner=0 --group=0 --directory "$OUT" "$NAME" | xz -T2 "${XZ_LEVEL:--6}" > "$archive"
    rm -rf "${OUT:?}/${NAME:?}"
    mkdir -p "$OUT/$NAME"
    size=$(stat --format %s "$archive")
    [[ $size -le $LIMIT ]] || { echo "farm-bundle: $archive has $size bytes, more than $LIMIT" >&2; exit 1; }
    echo "$archive ($((size / 1000)) kB)"
}

main "$@"
