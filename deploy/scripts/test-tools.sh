# shellcheck shell=bash
# Sourced by what runs the tests. Before it: packages.sh, and ROOT and STATE as there.
#
#   need_test_tools           installs what tests use beside the servers: nothing is skipped for want of it
#   check_format              whether every C# file is laid out as .editorconfig says; the rest of it is a matter of the build
#   skips_by_reason LOG       how many tests were skipped, and why: a line for each reason

need_test_tools() {
    local packages=()
    mapfile -t packages < <(missing_test_packages)
    [[ ${#packages[@]} == 0 ]] || apt_install "$STATE/install-tests.log" "${packages[@]}"
    need_node_packages
}

missing_test_packages() {
    has ffmpeg && has ffprobe || echo ffmpeg
    # Stand-ins for a card's driver and libraries to mend are compiled by the tests that need them.
    has gcc && gcc -fsyntax-only -x c - <<< '#include <stdio.h>' 2> /dev/null || printf '%s\n' gcc libc6-dev
    has node && has npm || printf '%s\n' nodejs npm
    has mount || echo mount
    has caddy || echo caddy
    # Rules, routes and boards are tried as they will run.
    has prometheus && has promtool || echo prometheus
    has amtool && has prometheus-alertmanager || echo prometheus-alertmanager
    has prometheus-postgres-exporter || echo prometheus-postgres-exporter
    # Pages are looked at as people do.
    has chromium || has google-chrome || echo chromium
}

# Clients that others wrote, for the tests that speak to the farm as they do.
need_node_packages() {
    local folder="$STATE/node" wanted="$ROOT/tests/RenderFarm.Api.Tests/Clients/node/package.json"
    mkdir -p "$folder"
    if ! cmp -s "$wanted" "$folder/package.json"; then
        cp "$wanted" "$folder/package.json"
        if ! (cd "$folder" && npm install --no-package-lock --no-audit --no-fund --ignore-scripts) > "$STATE/npm.log" 2>&1; then
            rm -f "$folder/package.json"
            tail -n 15 "$STATE/npm.log" >&2
            printf 'farm: npm could not fetch the clients that tests use (%s); all of it: %s\n' "$wanted" "$STATE/npm.log" >&2
            return 1
        fi
    fi
    export RENDERFARM_TEST_NODE="$folder/node_modules"
}

# Folder by folder and not by the solution: no project is loaded for it, which takes a minute and more.
check_format() {
    (cd "$ROOT" && dotnet format whitespace . --folder --verify-no-changes --exclude '**/bin/' '**/obj/') > "$STATE/format.log" 2>&1
}

skips_by_reason() {
    awk '/^skipped / { open = 1; next }
        open { open = 0; reason = $0; sub(/^ +/, "", reason); if (reason ~ /^from /) reason = "no reason given"; count[reason]++ }
        END { for (reason in count) printf "%d skipped: %s\n", count[reason], reason }' "$1" | LC_ALL=C sort -k 3
}

has() { command -v "$1" > /dev/null; }
