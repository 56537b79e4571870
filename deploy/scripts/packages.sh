# shellcheck shell=bash
# Sourced: apt_install LOG PACKAGE…  installs Debian packages, or says what to do where it may not.

apt_install() {
    local log=$1 sudo=()
    shift
    local remedy="install by hand: apt-get install -y --no-install-recommends $*"
    if ! command -v apt-get > /dev/null; then
        printf 'farm: missing %s, and this machine has no apt-get; %s\n' "$*" "$remedy" >&2
        return 1
    fi
    if [[ $EUID != 0 ]]; then
        if ! sudo -n true 2> /dev/null; then
            printf 'farm: missing %s, and no right to install without a password; %s\n' "$*" "$remedy" >&2
            return 1
        fi
        sudo=(sudo -n)
    fi
    printf 'farm: installing with apt-get: %s\n' "$*" >&2
    local install=("${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends
        -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@")
    # The lists may be missing or stale: only then are they fetched.
    if ! { "${install[@]}" || { "${sudo[@]}" apt-get update -q && "${install[@]}"; }; } > "$log" 2>&1; then
        tail -n 15 "$log" >&2
        printf 'farm: apt-get failed (all of it: %s); %s\n' "$log" "$remedy" >&2
        return 1
    fi
}
