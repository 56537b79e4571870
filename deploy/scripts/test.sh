#!/usr/bin/env bash
# Every test, on servers of its own: test.sh [WORD | option of dotnet test]…. Started by ./farm test.
set -euo pipefail

ROOT=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
readonly ROOT
# shellcheck source=deploy/scripts/machine.sh
source "$ROOT/deploy/scripts/machine.sh"
# shellcheck source=deploy/scripts/test-tools.sh
source "$ROOT/deploy/scripts/test-tools.sh"

main() {
    local code=0 filter=("$@") log
    find_state
    need_dotnet
    log="$STATE/test.log"
    need_test_tools
    services="$STATE/services-$$"
    mkdir -p "$services"
    trap '"$ROOT/deploy/scripts/services.sh" stop "$services"' EXIT
    trap 'exit 130' INT TERM
    # The servers come up while the compiler works.
    "$ROOT/deploy/scripts/services.sh" start "$services" postgres rabbitmq s3 &
    local starting=$!
    check_format &
    local formatting=$!
    build tests
    wait "$starting" || fail "the servers did not start"
    # shellcheck source=/dev/null
    source "$services/env"

    # A bare word is a class name or a part of one.
    [[ ${#filter[@]} == 0 || ${filter[0]} == -* ]] || filter=(--filter-class "*${filter[0]}*" "${filter[@]:1}")
    # Two test programs at a time, each with one thread for tensors: more would only wait for each other on two cores.
    export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" MKL_NUM_THREADS="${MKL_NUM_THREADS:-1}"
    : > "$log"
    # First everything that may share the machine, then whole farms by themselves, one after the other: they watch the clock.
    local module modules=() farms=()
    for module in "$TREE"/tests/*.Tests; do
        module=${module##*/}
        local program="tests/$module/bin/$CONFIGURATION/$FRAMEWORK/$module.dll"
        if [[ $module == *.EndToEnd.Tests || $module == *.Chaos.Tests || $module == *.Browser.Tests ]]; then farms+=("$program"); else modules+=("$program"); fi
    done
    run_modules 2 "$(IFS=';' && echo "${modules[*]}")" "${filter[@]}" || code=$?
    run_modules 1 "$(IFS=';' && echo "${farms[*]}")" "${filter[@]}" || code=$?
    if ! wait "$formatting"; then
        head -n 20 "$STATE/format.log" >&2
        printf 'farm: files are not laid out as .editorconfig says; this does it: dotnet format whitespace . --folder\n' >&2
        ((code != 0)) || code=1
    fi
    summary "$log" "$code"
}

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
    "$ROOT/deploy/scripts/services.sh" stop "$services" >&2 || true
    trap - EXIT
    [[ $code == 0 ]] || printf 'farm: the run failed (exit code %s)\n' "$code" >&2
    skips_by_reason "$log"
    printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
    exit "$code"
}

main "$@"
