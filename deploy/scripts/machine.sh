# shellcheck shell=bash
# Sourced by ./farm and what it starts: finds or builds what a verb needs. Before it: ROOT, the folder of ./farm.
#
#   TREE      the source tree that programs are built in: ROOT, or a copy of it where ROOT can't be written
#   STATE     where builds are remembered and logs are kept: ROOT/.farm, or a folder of this user's own

readonly CONFIGURATION=Release FRAMEWORK=net10.0
# shellcheck source=deploy/scripts/packages.sh
source "$ROOT/deploy/scripts/packages.sh"

fail() { printf 'farm: %s\n' "$*" >&2; exit 1; }

# ---- where this user may write ---------------------------------------------------------------------------------------

find_state() {
    [[ -n ${HOME:-} && -d ${HOME:-} ]] || { HOME=/tmp; export HOME; }
    TREE=$ROOT
    if may_build_here; then
        STATE=$ROOT/.farm
    else
        # A checkout of root's, or one installed for everybody: what it has built is used, what it lacks is built in a copy.
        STATE="${XDG_CACHE_HOME:-$HOME/.cache}/renderfarm/$(printf '%s' "$ROOT" | sha256sum | cut -c 1-12)"
    fi
    mkdir -p "$STATE" 2> /dev/null || fail "can't write $STATE: name a folder that can be written in XDG_CACHE_HOME"
}

may_build_here() {
    local place
    for place in "$ROOT" "$ROOT/.farm" "$ROOT"/services/*/obj "$ROOT"/services/*/bin "$ROOT"/workers/*/obj; do
        [[ ! -e $place || -w $place ]] || return 1
    done
}

# ---- what the machine needs ------------------------------------------------------------------------------------------

need_dotnet() {
    local candidate
    export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
    # The SDK must run where no ICU is installed; RenderFarm itself is culture-invariant anyway.
    export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT="${DOTNET_SYSTEM_GLOBALIZATION_INVARIANT:-1}"
    if ! command -v dotnet > /dev/null; then
        for candidate in "${DOTNET_ROOT:-}" "$HOME/.dotnet" /usr/share/dotnet /usr/lib/dotnet /usr/local/share/dotnet; do
            [[ ! -x $candidate/dotnet ]] || { PATH="$candidate:$PATH"; break; }
        done
    fi
    command -v dotnet > /dev/null || fail "the .NET 10 SDK is missing. Get it from https://dotnet.microsoft.com/download/dotnet/10.0, or:
  curl -sSL https://dot.net/v1/dotnet-install.sh | bash -s -- --channel 10.0      (installs into ~/.dotnet, no root needed)"
    # Programs built here look for the runtime there.
    DOTNET_ROOT=$(dirname "$(readlink -f "$(command -v dotnet)")")
    export DOTNET_ROOT PATH
}

need_ffmpeg() {
    ! { command -v ffmpeg && command -v ffprobe; } > /dev/null || return 0
    apt_install "$STATE/install.log" ffmpeg
}

# ---- building --------------------------------------------------------------------------------------------------------

program() { printf '%s/%s/bin/%s/%s/%s' "$TREE" "$1" "$CONFIGURATION" "$FRAMEWORK" "${1##*/}"; }

# build cli | apps | tests: once, and again whenever a source of it has changed, come or gone.
build() {
    local name=$1 what title folders log state first="" options=()
    case $name in
        cli) what=services/RenderFarm.Cli title='the command line' folders=(contracts services/RenderFarm.Cli) ;;
        apps) what=deploy/apps.slnf title='the programs' folders=(contracts services workers) ;;
        tests) what=RenderFarm.sln title='everything, tests too' folders=(contracts services workers tests) ;;
    esac
    [[ -z ${RENDERFARM_LIBTORCH:-} ]] || options+=("-p:LibTorch=$RENDERFARM_LIBTORCH") # cpu, cuda or none
    log="$STATE/build-$name.log"
    state="$(sources "${folders[@]}" | sha256sum) ${options[*]:-}"
    TREE=$ROOT
    ! is_built "$ROOT/.farm" "$name" "$state" || return 0
    exec 9> "$STATE/build.lock"
    flock 9 # a second ./farm waits for the first one's build instead of racing it
    [[ $STATE == "$ROOT/.farm" ]] || TREE=$STATE/tree
    if ! is_built "$STATE" "$name" "$state"; then
        (cd "$ROOT" && dotnet --version > "$log" 2>&1) || { cat "$log" >&2; fail "this needs the .NET 10 SDK: https://dotnet.microsoft.com/download/dotnet/10.0"; }
        [[ -f $STATE/built-$name ]] || first=' (the first time takes minutes, and downloads packages)'
        printf 'farm: building %s%s; log: %s\n' "$title" "$first" "$log" >&2
        local began=$SECONDS
        [[ $TREE == "$ROOT" ]] || copy_sources
        # Servers that outlive the build would hold this script's output open.
        if ! dotnet build "$TREE/$what" -c "$CONFIGURATION" -v quiet --nologo -nodeReuse:false -p:UseSharedCompilation=false \
            "${options[@]}" < /dev/null > "$log" 2>&1 9>&-; then
            grep -E 'error|MSB|NU[0-9]+' "$log" | sort -u | head -n 40 >&2 || tail -n 40 "$log" >&2
            fail "the build failed; all of it: $log"
        fi
        printf '%s' "$state" > "$STATE/built-$name"
        printf 'farm: done in %d s\n' $((SECONDS - began)) >&2
    fi
    exec 9>&-
}

is_built() { [[ -f $1/built-$2 && $(< "$1/built-$2") == "$3" ]]; }

# Path, size and time of everything a build reads.
sources() {
    (cd "$ROOT" && find "$@" deploy/build deploy/apps.slnf ./*.props ./*.targets ./*.sln global.json .editorconfig \
        \( -name bin -o -name obj \) -prune -o -type f -printf '%p %s %T@\n' | LC_ALL=C sort)
}

# The tree anew but for what was built in it, so that only what has changed is compiled again.
copy_sources() {
    mkdir -p "$TREE"
    find "$TREE" \( -name bin -o -name obj \) -prune -o -type f -exec rm -f {} +
    tar --create --file - --directory "$ROOT" --exclude=./.git --exclude=./.farm --exclude=./.bundle --exclude=bin --exclude=obj . |
        tar --extract --file - --directory "$TREE" --no-same-owner
}
