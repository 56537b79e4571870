#!/usr/bin/env bash
# Tries a tarball of package.sh where nothing of this machine helps it: a Debian made from nothing, with ffmpeg and without .NET.
#
#   package-trial.sh TARBALL [--root DIR]     DIR: a clean root that is kept and used again (else one is made, and removed)
#
# Installs it, runs `farm demo`, then boots the system with systemd, starts the two units, renders through them, and stops them. Root,
# debootstrap and systemd-nspawn are needed; five minutes, most of them the making of the root.
set -euo pipefail

ROOT=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
readonly ROOT
# shellcheck source=deploy/scripts/packages.sh
source "$ROOT/deploy/scripts/packages.sh"
readonly PROMPT='a red ball rolls to the right on green'
readonly PACKAGES=ca-certificates,dbus,ffmpeg,libssl3,libstdc++6,systemd,systemd-sysv

fail() { printf 'package-trial: %s\n' "$*" >&2; exit 1; }
say() { printf 'package-trial: %s\n' "$*"; }

main() {
    local tarball=${1:-}
    [[ -f $tarball ]] || fail 'name a tarball of package.sh'
    [[ $EUID == 0 ]] || fail 'must be run as root: it makes a system and boots it'
    work=$(mktemp -d)
    machine=
    trap cleanup EXIT
    system=$work/root
    [[ ${2:-} != --root ]] || system=${3:?--root needs a folder}
    container=(--quiet --directory "$system" --register=no --keep-unit --private-network)
    command -v debootstrap systemd-nspawn > /dev/null || apt_install "$work/install.log" debootstrap systemd-container
    make_system
    install_tarball "$tarball"
    demo
    services
    say 'all well'
}

cleanup() {
    stop_machine
    rm -rf "$work"
}

make_system() {
    if [[ -x $system/usr/bin/ffmpeg ]]; then
        rm -rf "$system"/{opt/renderfarm,etc/renderfarm,var/lib/renderfarm,etc/systemd/system/renderfarm-*}
        return
    fi
    say 'making a clean Debian 12'
    mkdir -p "$system"
    debootstrap --variant=minbase --include="$PACKAGES" bookworm "$system" "$(mirror)" > "$work/debootstrap.log" 2>&1 ||
        { tail -n 20 "$work/debootstrap.log" >&2; fail 'debootstrap failed'; }
}

# Where this machine gets its own packages.
mirror() {
    local found
    found=$(sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb \(\[[^]]*\] \)\?\([^ ]*\).*/\2/p' /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2> /dev/null | head -n 1)
    printf '%s' "${found:-http://deb.debian.org/debian}"
}

install_tarball() {
    tar -C "$work" -xf "$1"
    local installers=("$work"/renderfarm-*/install.sh)
    "${installers[0]}" --root "$system"
    ! chroot "$system" sh -c 'command -v dotnet' > /dev/null || fail 'there is a dotnet in the clean system'
}

demo() {
    say 'farm demo'
    rm -f "$system/root/out.mp4"
    systemd-nspawn "${container[@]}" --console=pipe --setenv=HOME=/root /usr/local/bin/farm demo "$PROMPT" --out /root/out.mp4 < /dev/null
    check_video /root/out.mp4
}

check_video() {
    local frames
    frames=$(chroot "$system" ffprobe -v error -count_frames -select_streams v -show_entries stream=nb_read_frames -of csv=p=0 "$1")
    [[ $frames -gt 0 ]] || fail "$1 has no frames"
    say "${1##*/}: $frames frames"
}

services() {
    say 'booting it, with systemd'
    # exec: what is stopped at the end is nspawn itself, not a shell above it
    (exec systemd-nspawn "${container[@]}" --boot) > "$work/boot.log" 2>&1 < /dev/null &
    machine=$!
    # What init says it is: "degraded" where a unit of the system does not fit into a container
    wait_for 'the system to be up' inside systemctl is-system-running --wait
    inside systemctl start renderfarm-api renderfarm-worker || { inside journalctl -u 'renderfarm-*' --no-pager -n 50; fail 'the units did not start'; }
    wait_for 'the worker to be there' sh -c 'farm workers | grep -q live'
    inside farm render "$PROMPT" --out /root/served.mp4 --force
    check_video /root/served.mp4
    inside systemctl stop renderfarm-worker renderfarm-api
    local unit
    for unit in renderfarm-api renderfarm-worker; do
        [[ $(inside systemctl show -p Result --value "$unit") == success ]] || fail "$unit did not end well"
    done
    say "the units served a video and stopped; their exposure as systemd sees it:"
    inside systemd-analyze security --no-pager renderfarm-api renderfarm-worker | grep -i exposure || true
}

# In the booted system.
inside() {
    nsenter --target "$(init_of "$machine")" --mount --uts --ipc --net --pid --root --wd env -i PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin \
        HOME=/root RENDERFARM_HOME=/var/lib/renderfarm "$@"
}

# The descendant that is process 1 where it lives.
init_of() {
    local child children
    read -ra children < "/proc/$1/task/$1/children" || true
    for child in "${children[@]}"; do
        if grep -qE '^NSpid:([[:space:]]+[0-9]+)+[[:space:]]+1$' "/proc/$child/status"; then echo "$child"; return; fi
        ! init_of "$child" || return 0
    done
    return 1
}

wait_for() {
    local what=$1 until=$((SECONDS + 90))
    shift
    if [[ $1 == sh ]]; then set -- inside "$@"; fi
    while ! { init_of "$machine" && "$@"; } > "$work/said" 2>&1; do
        # A system in a container may lack a unit of its own: it is up all the same
        ! grep -qx degraded "$work/said" || return 0
        [[ $SECONDS -lt $until ]] || { tail -n 20 "$work/said" "$work/boot.log" >&2; fail "waited in vain for $what"; }
        kill -0 "$machine" 2> /dev/null || { tail -n 20 "$work/boot.log" >&2; fail 'the system has ended'; }
        sleep 1
    done
}

stop_machine() {
    [[ -n $machine ]] || return 0
    kill "$machine" 2> /dev/null || true
    wait "$machine" 2> /dev/null || true
    machine=
}

main "$@"
