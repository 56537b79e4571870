#!/usr/bin/env bash
# What RenderFarm.Cli asks of the machine before another program runs a verb (a program can't rebuild itself):
#
#   errand.sh [build=cli|apps|tests] [ffmpeg] [server=NAME…] -- [PROGRAM ARGUMENT…]
#
# PROGRAM is a project's folder, or a script (*.sh). With servers it runs on some of its own, with durable commits.
set -euo pipefail

ROOT=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
readonly ROOT
# shellcheck source=deploy/scripts/machine.sh
source "$ROOT/deploy/scripts/machine.sh"

main() {
    local servers=() builds=()
    while [[ ${1:---} != -- ]]; do
        case $1 in
            build=*) builds+=("${1#*=}") ;;
            ffmpeg) find_state; need_ffmpeg ;;
            server=*) servers+=("${1#*=}") ;;
            *) fail "errand.sh: '$1' is not known: build=NAME, ffmpeg or server=NAME" ;;
        esac
        shift
    done
    shift
    find_state
    need_dotnet
    [[ ${#servers[@]} == 0 ]] || start_servers "${servers[@]}"
    local name
    for name in "${builds[@]}"; do build "$name"; done
    [[ $# -gt 0 ]] || return 0
    # What runs from here on has what it needs: it asks for nothing more.
    export RENDERFARM_READY=1
    local what
    case $1 in
        *.sh) what=$ROOT/$1 ;;
        *) what=$(program "$1") ;;
    esac
    shift
    [[ ${#servers[@]} -gt 0 ]] || exec "$what" "$@"
    # shellcheck source=/dev/null
    source "$services/env"
    "$what" "$@"
}

start_servers() {
    services="$STATE/services-$$"
    mkdir -p "$services"
    trap '"$ROOT/deploy/scripts/services.sh" stop "$services"' EXIT
    trap 'exit 130' INT TERM
    "$ROOT/deploy/scripts/services.sh" start "$services" --durable "$@"
}

main "$@"
