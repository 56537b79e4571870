#!/usr/bin/env bash
# Installs RenderFarm from the unpacked tarball that this script lies in:
#
#   ./install.sh [--root DIR]
#
# Programs go to /opt/renderfarm/VERSION (with the link /opt/renderfarm/current and the command /usr/local/bin/farm), units to
# /etc/systemd/system, settings to /etc/renderfarm (those that are there stay as they are), data to /var/lib/renderfarm. Nothing is
# started and nothing enabled. Run again with a newer tarball it is the upgrade; the version before stays for as long as you like.
# --root DIR: into the tree of another system, as an image is made.
set -euo pipefail

HERE=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
readonly HERE
ROOT=
case ${1:-} in
    '') ;;
    --root) ROOT=$(cd "${2:?install.sh: --root needs a folder}" && pwd) ;;
    *) echo "install.sh: '$1' is no option; --root DIR is" >&2; exit 2 ;;
esac
readonly ROOT

fail() { printf 'install.sh: %s\n' "$*" >&2; exit 1; }

main() {
    [[ $EUID == 0 ]] || fail "must be run as root: it makes a user, and writes /opt, /etc and /usr/local"
    local version programs
    version=$(< "$HERE/VERSION")
    programs=$ROOT/opt/renderfarm/$version
    make_user
    if [[ $HERE != "$programs" ]]; then
        rm -rf "$programs.new"
        mkdir -p "$programs.new"
        # Whoever runs the version that is there keeps it until the new one is whole.
        cp -a "$HERE/." "$programs.new/"
        chown -R 0:0 "$programs.new"
        chmod -R go-w,a+rX "$programs.new"
        rm -rf "$programs"
        mv "$programs.new" "$programs"
    fi
    ln -sfn "$version" "$ROOT/opt/renderfarm/current"
    mkdir -p "$ROOT/usr/local/bin"
    ln -sfn /opt/renderfarm/current/farm "$ROOT/usr/local/bin/farm"
    install -d -m 0755 "$ROOT/etc/systemd/system"
    install -m 0644 "$HERE"/systemd/*.service "$ROOT/etc/systemd/system/"
    install -d -m 0750 "$ROOT/etc/renderfarm"
    own_by_group "$ROOT/etc/renderfarm"
    local file
    for file in "$HERE"/etc/*.env; do
        # They may hold passwords: systemd reads them as root, nobody else.
        [[ -e $ROOT/etc/renderfarm/${file##*/} ]] || install -m 0600 "$file" "$ROOT/etc/renderfarm/"
    done
    [[ -n $ROOT || ! -d /run/systemd/system ]] || systemctl daemon-reload
    cat << TEXT
RenderFarm $version is installed in $programs. Settings: $ROOT/etc/renderfarm/*.env. Next:
  systemctl enable --now renderfarm-api        this host answers requests
  systemctl enable --now renderfarm-worker     this host renders (it needs ffmpeg)
  farm doctor                                  what this host has and lacks
TEXT
}

make_user() {
    local groups=() group
    if [[ -n $ROOT ]]; then
        chroot "$ROOT" id renderfarm > /dev/null 2>&1 ||
            chroot "$ROOT" useradd --system --user-group --no-create-home --home-dir /var/lib/renderfarm --shell /usr/sbin/nologin renderfarm
        return
    fi
    id renderfarm > /dev/null 2>&1 ||
        useradd --system --user-group --no-create-home --home-dir /var/lib/renderfarm --shell /usr/sbin/nologin renderfarm
    # Where cards belong to a group, workers must be in it.
    for group in video render; do ! getent group "$group" > /dev/null || groups+=("$group"); done
    [[ ${#groups[@]} == 0 ]] || usermod --append --groups "$(IFS=,; echo "${groups[*]}")" renderfarm
}

own_by_group() {
    chgrp "$(awk -F: '$1 == "renderfarm" { print $3 }' "$ROOT/etc/group")" "$1"
}

main
