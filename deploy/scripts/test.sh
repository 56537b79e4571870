#!/usr/bin/env bash
# Every test, on servers of its own: test.sh [WORD | option of dotnet test]…. Started by ./farm test. With a WORD only the programs that have
# a class of that name are started, and servers only where one of these programs may look for them.
set -euo pipefail

ROOT=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
readonly ROOT
# shellcheck source=deploy/scripts/machine.sh
source "$ROOT/deploy/scripts/machine.sh"
# shellcheck source=deploy/scripts/test-tools.sh
source "$ROOT/deploy/scripts/test-tools.sh"

main() {
    local code=0 word="" chosen filter=("$@") log starting="" formatting=""
    # A bare word is a class name or a part of one.
    [[ ${#filter[@]} == 0 || ${filter[0]} == -* ]] || word=${filter[0]}
    [[ $word != *[!A-Za-z0-9_.*]* ]] || fail "'$word' is no part of a class name: letters, digits, _ and *"
    find_state
    mapfile -t chosen < <(modules_with "$word")
    [[ ${#chosen[@]} -gt 0 ]] || fail "no class under tests/ has '$word' in its name"
    if [[ -n $word ]]; then
        filter=(--filter-class "*$word*" "${filter[@]:1}")
        printf 'farm: found in %s\n' "${chosen[*]}" >&2
    fi
    need_dotnet
    log="$STATE/test.log"
    need_test_tools
    # The servers come up while the compiler works.
    if may_need_servers "${chosen[@]}"; then
        services="$STATE/services-$$"
        mkdir -p "$services"
        trap stop_servers EXIT
        trap 'exit 130' INT TERM
        "$ROOT/deploy/scripts/services.sh" start "$services" postgres rabbitmq s3 &
        starting=$!
    fi
    # The layout of the tree is a matter of the whole run.
    if [[ -z $word ]]; then
        check_format &
        formatting=$!
    fi
    build tests
    if [[ -n $starting ]]; then
        wait "$starting" || fail "the servers did not start"
        # shellcheck source=/dev/null
        source "$services/env"
    fi

    # Two test programs at a time, each with one thread for tensors: more would only wait for each other on two cores.
    export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" MKL_NUM_THREADS="${MKL_NUM_THREADS:-1}"
    : > "$log"
    # First everything that may share the machine, then whole farms by themselves, one after the other: they watch the clock.
    local module modules=() farms=()
    for module in "${chosen[@]}"; do
        local program="tests/$module/bin/$CONFIGURATION/$FRAMEWORK/$module.dll"
        case $module in
            *.EndToEnd.Tests | *.Observability.Tests | *.Chaos.Tests | *.Browser.Tests) farms+=("$program") ;;
            *) modules+=("$program") ;;
        esac
    done
    [[ ${#modules[@]} == 0 ]] || run_modules 2 "$(IFS=';' && echo "${modules[*]}")" "${filter[@]}" || code=$?
    [[ ${#farms[@]} == 0 ]] || run_modules 1 "$(IFS=';' && echo "${farms[*]}")" "${filter[@]}" || code=$?
    if [[ -n $formatting ]] && ! wait "$formatting"; then
        head -n 20 "$STATE/format.log" >&2
        printf 'farm: files are not laid out as .editorconfig says; this does it: dotnet format whitespace . --folder\n' >&2
        ((code != 0)) || code=1
    fi
    summary "$log" "$code"
}

# modules_with WORD: the test programs that have a class, or a namespace, with the word in its name; without a word all of them.
modules_with() {
    local module pattern=${1//./\\.}
    pattern="(class|namespace) [A-Za-z0-9_.]*${pattern//\*/[A-Za-z0-9_.]*}"
    for module in "$ROOT"/tests/*.Tests; do
        if [[ -z $1 ]] || grep -rqiE --include='*.cs' --exclude-dir=bin --exclude-dir=obj "$pattern" "$module"; then
            echo "${module##*/}"
        fi
    done
}

# may_need_servers MODULE…: whether one of them looks for a server, by itself or through what tests share.
may_need_servers() {
    local shared
    shared=$(cd "$ROOT/tests/RenderFarm.Testing" && grep -rl --include='*.cs' --exclude-dir=obj TestServices . | xargs -n 1 basename -s .cs | paste -sd '|')
    grep -rqE --include='*.cs' --exclude-dir=bin --exclude-dir=obj "RENDERFARM_TEST_(POSTGRES|RABBITMQ|S3)|\\b($shared)\\b" \
        "${@/#/$ROOT/tests/}"
}

stop_servers() { [[ -z ${services:-} ]] || "$ROOT/deploy/scripts/services.sh" stop "$services"; }

# run_modules PARALLEL PROGRAMS [FILTER…]: 0 when every test passed; a program in which the filter finds nothing is no failure.
run_modules() {
    local parallel=$1 programs=$2
    shift 2
    dotnet test --root-directory "$TREE" --test-modules "$programs" --max-parallel-test-modules "$parallel" \
        --no-progress --no-ansi --ignore-exit-code 8 --timeout 18m "$@" < /dev/null 2>&1 | tee -a "$STATE/test.log"
}

# Names what failed and closes with `N passed, N failed, N skipped`.
summary() {
    local log=$1 code=$2 counts
    if grep -E '^(failed .*\(|/.* (failed with|crashed))' "$log" > "$STATE/failed"; then
        printf '\nfailing tests (details above, and in %s):\n' "$log"
        sort -u "$STATE/failed"
    fi
    counts=$(awk '/^ *(total|failed|succeeded|skipped): [0-9]+$/ { v[$1] += $2 }
        END { printf "%d %d %d", v["succeeded:"], v["failed:"], v["skipped:"] }' "$log")
    local passed failed skipped
    read -r passed failed skipped <<< "$counts"
    if ((passed + failed + skipped == 0)); then printf 'farm: no test ran\n' >&2; code=8; fi
    ((failed == 0)) || code=2
    # Before the last line, so that it is the last.
    stop_servers >&2 || true
    trap - EXIT
    [[ $code == 0 ]] || printf 'farm: the run failed (exit code %s)\n' "$code" >&2
    skips_by_reason "$log"
    printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
    exit "$code"
}

main "$@"
