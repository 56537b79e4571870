#!/usr/bin/env bash
# Private PostgreSQL, RabbitMQ, S3 (Ceph RGW) and Prometheus on free loopback ports, without a container engine.
#
#   services.sh start DIR [--durable] [postgres] [rabbitmq] [s3] [prometheus]     (default: postgres rabbitmq s3)
#   services.sh again DIR NAME [--wiped]     a server that was killed: same port, same data (or, the broker's only, none)
#   services.sh rabbitmqctl DIR ARGUMENT…    the broker's own control program, for the broker of DIR
#   services.sh stop DIR
#
# DIR afterwards holds `env` (source it: RENDERFARM_TEST_POSTGRES, …_RABBITMQ, …_RABBITMQ_MANAGEMENT, …_RABBITMQ_METRICS, …_S3, …_PROMETHEUS), a log and
# a `.pid` for each server and `pids`. `stop` ends exactly the processes listed there and removes their data.
# --durable leaves fsync and synchronous_commit on, for benchmarks; otherwise PostgreSQL skips both.
set -euo pipefail

readonly OWN="${BASH_SOURCE[0]}"
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$OWN")/packages.sh"
readonly POSTGRES_USER_NAME=farm S3_ACCESS_KEY=farm S3_SECRET_KEY=farmsecret

say() { printf 'services: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

main() {
    local verb="${1:-}" dir="${2:-}"
    [[ -n $dir ]] || die "usage: $OWN start DIR [--durable] [postgres] [rabbitmq] [s3] [prometheus] | again DIR NAME [--wiped] | rabbitmqctl DIR ARGUMENT… | stop DIR"
    shift 2
    case $verb in
        start) start "$dir" "$@" ;;
        again) again "$dir" "$@" ;;
        rabbitmqctl) control_rabbitmq "$dir" "$@" ;;
        stop) stop "$dir" ;;
        *) die "unknown verb '$verb': start, again, rabbitmqctl or stop" ;;
    esac
}

# ---- start -----------------------------------------------------------------------------------------------------------

start() {
    mkdir -p "$1"
    DIR=$(cd "$1" && pwd); shift
    DURABLE=0
    local names=() name
    for name in "$@"; do
        case $name in
            --durable) DURABLE=1 ;;
            postgres | rabbitmq | s3 | prometheus) names+=("$name") ;;
            *) die "unknown service '$name': postgres, rabbitmq, s3 or prometheus" ;;
        esac
    done
    [[ ${#names[@]} -gt 0 ]] || names=(postgres rabbitmq s3)
    [[ ! -s $DIR/pids ]] || die "$DIR is in use (it holds a pids file): run '$OWN stop $DIR' first"

    install_missing "${names[@]}"

    # Sockets have short path limits and the user postgres must be able to enter, so data lives here and not under DIR.
    WORK=$(mktemp -d /tmp/renderfarm-services.XXXXXX)
    chmod 755 "$WORK"
    echo "$WORK" > "$DIR/work"
    : > "$DIR/pids"
    rm -f "$DIR"/*.env
    trap 'stop "$DIR"' EXIT
    trap 'exit 130' INT TERM

    local jobs=() failed=0 i
    for name in "${names[@]}"; do
        # A subshell of its own: no trap of this shell, and a failure in one leaves the others to finish their start.
        (trap - EXIT INT TERM; "start_$name") &
        jobs+=($!)
    done
    for i in "${!jobs[@]}"; do
        wait "${jobs[$i]}" || { say "${names[$i]} did not start; its log ends:"; tail -n 15 "$DIR/${names[$i]}.log" >&2 || true; failed=1; }
    done
    [[ $failed == 0 ]] || exit 1

    cat "$DIR"/*.env > "$DIR/env"
    trap - EXIT INT TERM
    say "ready; 'source $DIR/env' for their addresses, '$OWN stop $DIR' to end them"
}

start_postgres() {
    local bin port as=() data="$WORK/pg" speed=(-c fsync=off -c synchronous_commit=off -c full_page_writes=off)
    bin=$(postgres_bin)
    port=$(free_port)
    [[ $DURABLE == 0 ]] || speed=(-c fsync=on -c synchronous_commit=on -c full_page_writes=on)
    mkdir -p "$data"
    if [[ $EUID == 0 ]]; then # the server refuses to run as root
        as=(setpriv --reuid=postgres --regid=postgres --init-groups)
        chown postgres: "$data"
    fi
    cd "$data"
    "${as[@]}" "$bin/initdb" -D "$data/data" -U "$POSTGRES_USER_NAME" --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync \
        > "$DIR/postgres.log" 2>&1
    {
        printf 'cd %q\nexec' "$data"
        printf ' %q' "${as[@]}" "$bin/postgres" -D "$data/data" -k "$data" -p "$port" -c listen_addresses=127.0.0.1 -c max_connections=300 "${speed[@]}"
    } > "$DIR/postgres.run"
    launch postgres INT
    ready_postgres "$port"
    publish postgres "Host=127.0.0.1;Port=$port;Username=$POSTGRES_USER_NAME;Database=postgres"
}

ready_postgres() {
    await 60 "$(< "$DIR/postgres.pid")" "$(postgres_bin)/pg_isready" -q -h 127.0.0.1 -p "$1" -U "$POSTGRES_USER_NAME" -d postgres
}

start_rabbitmq() {
    local port distribution epmd management metrics home="$WORK/mq"
    port=$(free_port) distribution=$(free_port) epmd=$(free_port) management=$(free_port) metrics=$(free_port)
    mkdir -p "$home"
    # Management, so that a test can have a virtual host of its own; and the broker's figures for Prometheus.
    echo '[rabbitmq_management,rabbitmq_prometheus].' > "$home/plugins"
    printf '%s\n' "listeners.tcp.1 = 127.0.0.1:$port" "management.tcp.ip = 127.0.0.1" "management.tcp.port = $management" \
        "prometheus.tcp.ip = 127.0.0.1" "prometheus.tcp.port = $metrics" \
        "vm_memory_high_watermark.absolute = 1GB" "disk_free_limit.absolute = 100MB" > "$home/rabbitmq.conf"
    # HOME holds the Erlang cookie. Not /usr/sbin/rabbitmq-server: that wrapper changes to the user rabbitmq.
    export HOME="$home" ERL_EPMD_PORT="$epmd" ERL_EPMD_ADDRESS=127.0.0.1 \
        RABBITMQ_NODENAME="farm$port@localhost" RABBITMQ_DIST_PORT="$distribution" RABBITMQ_CONF_ENV_FILE=/dev/null \
        RABBITMQ_CONFIG_FILE="$home/rabbitmq.conf" RABBITMQ_ENABLED_PLUGINS_FILE="$home/plugins" RABBITMQ_MNESIA_BASE="$home/data" \
        RABBITMQ_LOG_BASE="$home/log" RABBITMQ_PID_FILE="$home/pid" \
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1} +sbwt none'
    {
        declare -px HOME ERL_EPMD_PORT ERL_EPMD_ADDRESS "${!RABBITMQ_@}"
        printf 'cd %q\nrm -f pid\nexec /usr/lib/rabbitmq/bin/rabbitmq-server' "$home"
    } > "$DIR/rabbitmq.run"
    cd "$home"
    # Its own Erlang port mapper, started here so that its pid is known; the broker would leave one behind.
    setsid "$(command -v epmd)" -address 127.0.0.1 -port "$epmd" < /dev/null > "$DIR/epmd.log" 2>&1 &
    record $! KILL
    launch rabbitmq KILL
    ready_rabbitmq "$port" "$management" "$home"
    publish rabbitmq "amqp://guest:guest@127.0.0.1:$port"
    publish rabbitmq_management "http://guest:guest@127.0.0.1:$management"
    publish rabbitmq_metrics "http://127.0.0.1:$metrics/metrics"
}

# ready_rabbitmq PORT MANAGEMENT_PORT HOME
ready_rabbitmq() {
    local shell
    shell=$(< "$DIR/rabbitmq.pid")
    await 90 "$shell" test -s "$3/pid"
    cp "$3/pid" "$DIR/rabbitmq.pid"
    record "$(< "$3/pid")" KILL
    await 180 "$shell" listening "$1"
    await 180 "$shell" listening "$2"
}

start_s3() {
    local port monitor id osd name c="$WORK/s3" log="$DIR/s3.log"
    port=$(free_port) monitor=$(free_port)
    mkdir -p "$c"/{mon,osd,rgw,run,log}
    id=$(cat /proc/sys/kernel/random/uuid)
    export CEPH_CONF="$c/ceph.conf"
    # Keys and the second protocol (v2:), as in a real cluster. With `auth … = none` a program is let in before it has learnt the
    # cluster's id from the monitor: its first command, sent in the next millisecond, names the id 00000000-… and is refused as
    # "wrong fsid". The OSD then ends, and `ceph` says EPERM; on a busy machine that was every third start. (Without keys radosgw
    # and the OSD don't get to speak by v2 at all.)
    # The monitor decides at once, where it would gather changes for a second: radosgw makes a dozen pools one after the other.
    # Objects live in memory.
    cat > "$CEPH_CONF" <<CONF
[global]
fsid = $id
mon host = [v2:127.0.0.1:$monitor]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
keyring = $c/keyring
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd crush chooseleaf type = 0
mon allow pool size one = true
osd objectstore = memstore
memstore device bytes = 2147483648
run dir = $c/run
log file = $c/log/\$name.log
admin socket = $c/run/\$name.\$pid.asok
paxos propose interval = 0.02
mon data = $c/mon
osd data = $c/osd
[osd]
crush location = root=default host=h
[client.rgw]
rgw data = $c/rgw
rgw frontends = beast endpoint=127.0.0.1:$port
rgw dns name = 127.0.0.1
CONF
    {
        monmaptool --create --fsid "$id" --addv a "[v2:127.0.0.1:$monitor]" "$c/monmap"
        ceph-authtool --create-keyring "$c/keyring" --gen-key -n mon. --cap mon 'allow *'
        for name in client.admin client.rgw osd.0; do
            ceph-authtool "$c/keyring" --gen-key -n "$name" --cap mon 'allow *' --cap osd 'allow *'
        done
        ceph-mon -i a --mkfs --monmap "$c/monmap" --keyring "$c/keyring"
        daemon ceph-mon -f -i a
        timeout 30 ceph osd create "$id"
        ceph-osd -i 0 --mkfs --osd-uuid "$id"
        daemon ceph-osd -f -i 0
        osd=$!
        printf 'export CEPH_CONF=%q\nexec radosgw -f -n client.rgw' "$CEPH_CONF" > "$DIR/s3.run"
        daemon bash "$DIR/s3.run"
        echo $! > "$DIR/s3.pid"
        await 90 "$osd" listening "$port"
        timeout 60 radosgw-admin -n client.rgw user create --uid farm --display-name farm \
            --access-key "$S3_ACCESS_KEY" --secret "$S3_SECRET_KEY"
    } >> "$log" 2>&1
    publish s3 "http://$S3_ACCESS_KEY:$S3_SECRET_KEY@127.0.0.1:$port"
}

daemon() {
    setsid "$@" < /dev/null >> "$DIR/s3.log" 2>&1 &
    disown # its end is watched here; the shell need not announce it
    record $! KILL
}

start_prometheus() {
    local port pid
    port=$(free_port)
    mkdir -p "$WORK/prometheus"
    # Targets are read again whenever the file changes: [{"targets": ["127.0.0.1:8080"]}]
    [[ -f $DIR/prometheus-targets.json ]] || echo '[]' > "$DIR/prometheus-targets.json"
    [[ -f $DIR/prometheus.yml ]] || cat > "$DIR/prometheus.yml" <<CONF
global: { scrape_interval: 1s }
scrape_configs:
  - job_name: renderfarm
    file_sd_configs: [{ files: ["$DIR/prometheus-targets.json"], refresh_interval: 1s }]
CONF
    setsid prometheus --config.file="$DIR/prometheus.yml" --storage.tsdb.path="$WORK/prometheus" --storage.tsdb.retention.time=1h \
        --web.listen-address="127.0.0.1:$port" --enable-feature=exemplar-storage < /dev/null > "$DIR/prometheus.log" 2>&1 &
    pid=$!
    record "$pid" KILL
    await 60 "$pid" listening "$port"
    publish prometheus "http://127.0.0.1:$port"
}

# again DIR NAME [--wiped]: after a crash; the server is the same one to whoever knows its address.
again() {
    DIR=$(cd "$1" && pwd)
    local name=${2:-} ports=() work
    [[ -f $DIR/$name.run ]] || die "no server '$name' was started in $DIR"
    [[ -z ${3:-} || $name == rabbitmq && $3 == --wiped ]] || die "unknown option '$3': --wiped, for rabbitmq"
    work=$(< "$DIR/work")
    [[ -z ${3:-} ]] || rm -rf "$work/mq/data"
    mapfile -t ports < <(grep -ohE '[0-9.]+[:;](Port=)?[0-9]+' "$DIR/$name".env "$DIR/$name"_management.env 2> /dev/null | grep -oE '[0-9]+$')
    case $name in
        postgres)
            # it refuses while the old process is a zombie or one of its children still lives
            local deadline=$((SECONDS + 60))
            until launch postgres INT && ready_postgres "${ports[0]}" 2> /dev/null; do
                ((SECONDS < deadline)) || die "postgres does not start again; its log: $DIR/postgres.log"
                sleep 0.2
            done
            ;;
        rabbitmq) rm -f "$work/mq/pid"; launch rabbitmq KILL; ready_rabbitmq "${ports[0]}" "${ports[1]}" "$work/mq" ;;
        s3) launch s3 KILL; await 90 "$(< "$DIR/s3.pid")" listening "${ports[0]}" ;;
        *) die "server '$name' can't be started again" ;;
    esac
}

# rabbitmqctl DIR ARGUMENT…: with the names and ports that its broker was started with. Not /usr/sbin/rabbitmqctl, as above.
control_rabbitmq() {
    local run="$1/rabbitmq.run"
    shift
    [[ -f $run ]] || die "no broker was started there"
    # shellcheck source=/dev/null
    source <(grep '^declare -x ' "$run")
    /usr/lib/rabbitmq/bin/rabbitmqctl "$@"
}

# launch NAME SIGNAL: NAME.run turns into the server, whose pid is kept in NAME.pid.
launch() {
    setsid bash "$DIR/$1.run" < /dev/null >> "$DIR/$1.log" 2>&1 &
    disown
    echo $! > "$DIR/$1.pid"
    record $! "$2"
}

# publish NAME ADDRESS: a line for the env file.
publish() { printf "export RENDERFARM_TEST_%s='%s'\n" "${1^^}" "$2" > "$DIR/$1.env"; }

# record PID SIGNAL: `stop` will send SIGNAL to PID, as long as it is still the process that was started here.
record() { printf '%s %s %s\n' "$1" "$(start_time "$1")" "$2" >> "$DIR/pids"; }

# The moment a process began, in clock ticks since boot: with the pid it names a process for good. Empty when it is gone.
start_time() {
    local stat
    stat=$(cat "/proc/$1/stat" 2> /dev/null) || return 0
    stat=${stat##*) }
    [[ $stat == Z* ]] || awk '{print $20}' <<< "$stat"
}

# await SECONDS PID COMMAND…: until the command succeeds; fails when the time is up or the process has died.
await() {
    local deadline=$((SECONDS + $1)) pid=$2
    shift 2
    until "$@" 2> /dev/null; do
        [[ -n $(start_time "$pid") ]] || { echo "process $pid died while starting" >&2; return 1; }
        ((SECONDS < deadline)) || { echo "not ready in time: $*" >&2; return 1; }
        sleep 0.1
    done
}

listening() { (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null; }

# Below the kernel's range for outgoing connections, so that none of those can take the port before its server does.
free_port() {
    local port
    while :; do
        port=$((10000 + SRANDOM % 22000))
        listening "$port" || { echo "$port"; return; }
    done
}

postgres_bin() { find /usr/lib/postgresql/*/bin -name postgres 2> /dev/null | sort -V | tail -n 1 | xargs -r dirname; }

# ---- packages --------------------------------------------------------------------------------------------------------

install_missing() {
    local packages=() name tool
    for name in "$@"; do
        case $name in
            postgres) [[ -n $(postgres_bin) ]] || packages+=(postgresql) ;;
            rabbitmq) [[ -x /usr/lib/rabbitmq/bin/rabbitmq-server ]] || packages+=(rabbitmq-server) ;;
            prometheus) command -v prometheus > /dev/null || packages+=(prometheus) ;;
            s3)
                for tool in radosgw ceph-mon ceph-osd ceph radosgw-admin; do
                    command -v "$tool" > /dev/null || { packages+=(radosgw ceph-mon ceph-osd ceph-common); break; }
                done
                ;;
        esac
    done
    [[ ${#packages[@]} -gt 0 ]] || return 0

    apt_install "$DIR/install.log" "${packages[@]}"
}

# ---- stop ------------------------------------------------------------------------------------------------------------

stop() {
    local dir=$1 pid began signal work
    [[ -f $dir/pids ]] || { say "nothing was started in $dir"; return 0; }
    while read -r pid began signal; do
        [[ -n $began && $(start_time "$pid") == "$began" ]] && kill "-$signal" "$pid" 2> /dev/null
    done < "$dir/pids"
    while read -r pid began signal; do
        await_end "$pid" "$began" 100 || { kill -KILL "$pid" 2> /dev/null || true; await_end "$pid" "$began" 50 || say "process $pid does not end"; }
    done < "$dir/pids"
    work=$(cat "$dir/work" 2> /dev/null) || work=
    [[ $work != /tmp/renderfarm-services.* ]] || rm -rf "$work"
    rm -f "$dir/pids" "$dir/work" "$dir/env" "$dir"/*.env "$dir"/*.run "$dir"/*.pid
}

await_end() {
    local tenths
    for ((tenths = 0; tenths < $3; tenths++)); do
        [[ -n $2 && $(start_time "$1") == "$2" ]] || return 0
        sleep 0.1
    done
    return 1
}

main "$@"
