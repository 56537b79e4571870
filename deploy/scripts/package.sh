#!/usr/bin/env bash
# Builds what is installed where nothing is built: a tarball with API, worker, renderer, tools and command line, self-contained (neither
# SDK nor runtime is needed), for x86-64 Linux from Debian 12 and Ubuntu 24.04 on.
#
#   package.sh [--libtorch cpu|cuda|none] [--out DIR]     none: renderers load the libtorch of an installed PyTorch (Torch__LibraryPath)
#   package.sh verify TARBALL                             what it needs of a system, held against what the oldest ones have
#
# The tarball is verified before it is called one. package-trial.sh installs it in a clean Debian and renders there.
set -euo pipefail

ROOT=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
readonly ROOT
# The oldest that have to run it: Debian 12 has glibc 2.36 and GCC 12; Ubuntu 24.04 has 2.39 and GCC 14.
readonly GLIBC_MOST=2.36 GLIBCXX_MOST=3.4.30 CXXABI_MOST=1.3.13
# What every one of them has in its base system or as a package that install.sh's README names; by soname, which both share.
readonly SYSTEM='ld-linux-x86-64.so.2 libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0 librt.so.1 libgcc_s.so.1 libstdc++.so.6 libz.so.1 libssl.so.3 libcrypto.so.3'
# Of a driver and its toolkit, where they are: loaded when a card is used, never on a host without.
readonly DRIVER='libcuda.so.1 libnvidia-ml.so.1'
# Of the PyTorch that a tarball without libtorch loads before whatever was linked against it.
readonly PYTORCH='libtorch.so libtorch_cpu.so libc10.so'
# Debugger support, tracing and alternative collectors: a third of the runtime, never loaded here.
readonly UNUSED=(libmscordaccore.so libmscordbi.so libcoreclrtraceptprovider.so libclrgc.so libclrgcexp.so createdump)

fail() { printf 'package: %s\n' "$*" >&2; exit 1; }
say() { printf 'package: %s\n' "$*" >&2; }

main() {
    if [[ ${1:-} == verify ]]; then
        [[ -f ${2:-} ]] || fail 'verify needs a tarball'
        work=$(mktemp -d)
        trap 'rm -rf "$work"' EXIT
        tar -C "$work" -xf "$2"
        verify "$work"/*/
        return
    fi
    local libtorch=cpu out=$ROOT/.bundle
    while [[ $# -gt 0 ]]; do
        case $1 in
            --libtorch) libtorch=${2:-}; shift 2 ;;
            --out) out=${2:-}; shift 2 ;;
            *) fail "'$1' is no option: --libtorch cpu|cuda|none and --out DIR are, and verify TARBALL" ;;
        esac
    done
    case $libtorch in cpu | cuda | none) ;; *) fail "--libtorch is '$libtorch': it must be cpu, cuda or none" ;; esac
    command -v dotnet > /dev/null || fail 'the .NET 10 SDK is missing: https://dotnet.microsoft.com/download/dotnet/10.0'
    command -v readelf > /dev/null || fail 'readelf is missing: apt-get install binutils'
    mkdir -p "$out"
    work=$(mktemp -d "$out/package.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    pack "$libtorch" "$out"
}

pack() {
    local libtorch=$1 out=$2 program version folder archive
    say 'copying the sources, which a build for others leaves as they are'
    mkdir "$work/source"
    tar -C "$ROOT" --exclude=bin --exclude=obj -cf - contracts services workers deploy/build global.json Directory.Build.props \
        Directory.Build.targets Directory.Packages.props .editorconfig | tar -C "$work/source" -xf -
    version=$(version_of_tree)
    mkdir "$work/lib"
    for program in services/RenderFarm.Api workers/RenderFarm.Worker services/RenderFarm.Cli; do publish "$program" "$version" none; done
    # They load libtorch, and are trimmed to what they use: a renderer starts for each job.
    for program in workers/RenderFarm.Renderer workers/RenderFarm.Tools; do
        publish "$program" "$version" "$libtorch" -p:PublishTrimmed=true
    done
    share "$work/lib"
    folder=renderfarm-$version
    archive=$out/$folder-linux-x64-$libtorch.tar.gz
    mkdir "$work/$folder"
    mv "$work/lib" "$work/$folder/lib"
    cp -a "$ROOT/deploy/package/." "$work/$folder/"
    mkdir "$work/$folder/models"
    cp -a "$ROOT/deploy/models/demo" "$work/$folder/models/"
    cp "$ROOT/LICENSE" "$ROOT/CHANGELOG.md" "$work/$folder/"
    printf '%s\n' "$version" > "$work/$folder/VERSION"
    verify "$work/$folder"
    tar -C "$work" --sort=name --owner=0 --group=0 -cf - "$folder" | gzip > "$archive.part"
    mv "$archive.part" "$archive"
    (cd "$out" && sha256sum "${archive##*/}" > "${archive##*/}.sha256")
    say "$archive ($(($(stat -c %s "$archive") / 1000000)) MB)"
    printf '%s\n' "$archive"
}

# As MinVer would say it; a copy of the sources has no git.
version_of_tree() {
    local tag
    if tag=$(git -C "$ROOT" describe --tags --match 'v*' --exact-match 2> /dev/null); then
        printf '%s' "${tag#v}"
    else
        printf '0.1.0-alpha.0.%s' "$(git -C "$ROOT" rev-list --count HEAD 2> /dev/null || echo 0)"
    fi
}

publish() {
    local project=$1 version=$2 libtorch=$3 target
    shift 3
    target=$work/lib/$(basename "$project" | sed 's/.*\.//' | tr '[:upper:]' '[:lower:]')
    say "publishing ${project##*/}"
    dotnet publish "$work/source/$project" -c Release -r linux-x64 --self-contained -o "$target" --nologo -v quiet \
        -p:LibTorch="$libtorch" -p:MinVerVersionOverride="$version" -p:DebugType=none -p:CopyOutputSymbolsToPublishDirectory=false \
        "$@" < /dev/null >&2
    (cd "$target" && rm -f "${UNUSED[@]}" ./*.xml)
    chmod 755 "$target/${project##*/}"
}

# What several programs have in common is packed once, as a hard link.
share() {
    local sums
    sums=$(cd "$1" && find . -type f -exec sha256sum {} + | LC_ALL=C sort)
    local sum path before='' first=''
    while read -r sum path; do
        if [[ $sum == "$before" ]]; then ln -f "$1/$first" "$1/$path"; else before=$sum first=$path; fi
    done <<< "$sums"
}

# ---- what it needs of a system ---------------------------------------------------------------------------------------

verify() {
    local folder=${1%/} file needed name bad=0 own elsewhere="$SYSTEM $DRIVER"
    own=$(find "$folder" -type f -name '*.so*' -printf '%f\n' | sort -u)
    grep -qxF libtorch_cpu.so <<< "$own" || elsewhere+=" $PYTORCH"
    while read -r file; do
        check_symbols "$file" GLIBC "$GLIBC_MOST" || bad=1
        check_symbols "$file" GLIBCXX "$GLIBCXX_MOST" || bad=1
        check_symbols "$file" CXXABI "$CXXABI_MOST" || bad=1
        needed=$(readelf --dynamic --wide "$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
        for name in $needed; do
            [[ " $elsewhere " == *" $name "* ]] || grep -qxF -- "$name" <<< "$own" || {
                printf 'package: %s needs %s, which is neither in the tarball nor in every system\n' "${file#"$folder/"}" "$name" >&2
                bad=1
            }
        done
    done < <(find "$folder" -type f -exec sh -c 'head -c 4 "$1" | grep -q "^.ELF" && printf "%s\n" "$1"' _ {} \;)
    [[ $bad == 0 ]] || fail 'it would not start on every system that it is for'
    say "needs glibc $(highest "$folder" GLIBC), GLIBCXX_$(highest "$folder" GLIBCXX): Debian 12 and Ubuntu 24.04 have them"
}

# The versions of one kind that a file must find; what it marks weak it does without.
versions() {
    readelf --version-info --wide "$1" 2> /dev/null | sed -n "s/.*Name: $2_\([0-9][0-9.]*\)  *Flags: none.*/\1/p"
}

check_symbols() {
    local most
    most=$(versions "$1" "$2" | sort -V | tail -n 1)
    [[ -z $most || $(printf '%s\n%s\n' "$most" "$3" | sort -V | tail -n 1) == "$3" ]] || {
        printf 'package: %s needs %s_%s; the oldest system has %s\n' "$1" "$2" "$most" "$3" >&2
        return 1
    }
}

highest() {
    local file
    find "$1" -type f \( -name '*.so*' -o -perm -100 \) -print | while read -r file; do versions "$file" "$2"; done | sort -uV | tail -n 1
}

main "$@"
