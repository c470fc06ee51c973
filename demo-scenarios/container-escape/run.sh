#!/bin/bash
# Performs the attack "container-escape" for real, harmlessly, on a disposable node of its own; see README.md beside this file.
# Needs root and the packages that ../node/node.sh names. No traffic leaves the node. It cleans up after itself, also when
# interrupted.
#
#   run.sh [OPTION]...
#   --gap SECONDS               quiet between stages (default 5); before collection the beacons are quiet enough
#   --gap-before STAGE=SECONDS  quiet before one (foothold, escape, persistence, execution, collection, exfiltration or end)
#   --interval SECONDS          between the implant's beacons (default 3)
#   --marks FILE                writes a line "STAGE BOOTTIME_NS" as each stage begins
#   --without-kubelet           containers are started by ctr from the manifests; so it is too where no kubelet was built
#   --on-ready CMD              a shell command that runs on this machine when the node is ready, before the attack begins
#
# NODE and CACHE are node.sh's.
set -euo pipefail

export NODE=${NODE:-/var/tmp/lanner-node} CACHE=${CACHE:-/var/cache/lanner-node}
here=$(dirname "$(readlink -f "$0")")
node_sh=$here/../node/node.sh

die() { echo "run.sh: $*" >&2; exit 1; }
usage() { sed -n '/^#   /s/^# *//p' "$0" >&2; exit 2; }
seconds() { [[ $1 =~ ^[0-9]+(\.[0-9]+)?$ ]] || die "$1 is no number of seconds"; }

interval=3 gap=5 runtime=kubelet why='' marks='' on_ready='' attack_options=()
while [ $# -gt 0 ]; do
    case $1 in
    --without-kubelet) runtime=ctr why='as asked' ;;
    --gap | --gap-before | --interval | --marks | --on-ready)
        [ $# -ge 2 ] || usage
        case $1 in
        --gap) seconds "$2" && gap=$2 ;;
        --gap-before)
            seconds "${2#*=}"
            attack_options+=("$1" "$2")
            ;;
        --interval) seconds "$2" && interval=$2 ;;
        --marks) marks=$(readlink -f "$2") || die "there is no folder for $2" ;;
        --on-ready) on_ready=$2 ;;
        esac
        shift
        ;;
    *) usage ;;
    esac
    shift
done
[ "$(id -u)" = 0 ] || die "needs root"
if [ $runtime = kubelet ] && [ ! -x "$CACHE/kubelet" ]; then
    runtime=ctr why="as there is no kubelet at $CACHE/kubelet; node.sh build makes one"
fi
cd /

# A step runs in the background, so that a signal to this shell is answered at once and not at the step's end.
child=''
step() {
    local status=0
    "$@" &
    child=$!
    wait "$child" || status=$?
    child=''
    return $status
}
cleanup() {
    local status=$?
    trap '' INT TERM HUP
    trap - EXIT
    if [ -n "$child" ]; then
        kill -TERM "$child" 2>/dev/null || true
        wait "$child" 2>/dev/null || true
    fi
    if [ -n "$mine" ]; then
        echo "cleaning up"
        "$node_sh" down || status=1
    fi
    exit $status
}
mine=''
trap cleanup EXIT
trap 'echo "interrupted"; exit 130' INT
trap 'echo "interrupted"; exit 143' TERM
trap 'exit 129' HUP

on_node() { "$node_sh" run "$@"; }
# A file of this folder, to be found on the node without the path that it has on this machine.
bring() { cp "$here/$1" "$NODE/stage/$1"; }
# A process of the node that stays: a child of its pid 1.
# shellcheck disable=SC2016 # expanded on the node
stay() { on_node sh -c 'exec setsid -f "$@" </dev/null >>/var/log/scenario.log 2>&1' sh "$@"; }

prepare() {
    mkdir -p "$NODE/stage"
    for file in hack.yaml implant.py c2.py drop.py standin.py attack.py; do bring $file; done

    # The web application's image. Its shell runs programs that are files, as a distribution's does; busybox's would run itself.
    local programs=()
    for program in cat hostname id ls nsenter ps; do programs+=("$(command -v "$program")=bin/$program"); done
    "$node_sh" image localhost/web:1 httpd "$(command -v dash)=bin/sh" "$(command -v busybox)=bin/httpd" "${programs[@]}"

    # The attacker's side: another network namespace, reached by a link. Its addresses are ones set aside for documentation.
    on_node sh -eu <<'ON_NODE'
ip netns add outside
ip link add wan0 type veth peer name eth0 netns outside
ip address add 192.0.2.1/24 dev wan0
ip link set wan0 up
ip -n outside link set lo up
ip -n outside address add 192.0.2.2/24 dev eth0
ip -n outside address add 203.0.113.66/32 dev eth0
ip -n outside address add 198.51.100.23/32 dev eth0
ip -n outside link set eth0 up
ip -n outside route add 10.88.0.0/24 via 192.0.2.1
ip route add 203.0.113.0/24 via 192.0.2.2
ip route add 198.51.100.0/24 via 192.0.2.2
ON_NODE
    stay nsenter --net=/run/netns/outside /usr/bin/python3 "$NODE/stage/c2.py" "$NODE/stage" "$interval"
    stay nsenter --net=/run/netns/outside /usr/bin/python3 "$NODE/stage/drop.py" "$NODE/stage"

    # What is stolen: random bytes that say what they are not.
    on_node sh -eu <<'ON_NODE'
mkdir /etc/kubernetes/pki
cd /etc/kubernetes/pki
for key in ca sa admin etcd; do
    { echo "-----BEGIN FAKE KEY, MADE FOR A DEMONSTRATION-----"; head -c 60000 /dev/urandom | base64; echo "-----END FAKE KEY-----"; } >$key.key
done
head -c 100000 /dev/urandom >snapshot.db
ON_NODE
}

listening() { [ "$(on_node ip netns exec outside ss -Hltn | wc -l)" = 2 ]; }

if [ -n "$marks" ]; then
    exec {marks_fd}>"$marks" # open already: where it lies need not be known on the node
    echo "# second container: $runtime" >&"$marks_fd"
    attack_options+=(--marks-fd "$marks_fd")
fi

echo "[0/8] preparing a disposable node in $NODE"
[ -z "$why" ] || echo "    containers are started by ctr and not by a kubelet, $why"
"$node_sh" run true 2>/dev/null && die "a node is up in $NODE; end it with node.sh down, or set NODE to another directory"
mine=yes
step "$node_sh" up
step prepare
on_node sh -c 'cat >/etc/kubernetes/manifests/web.yaml' <"$here/web.yaml"
for _ in {1..600}; do
    listening && break
    sleep 0.1
done
listening || die "the C2 does not listen: $(on_node cat /var/log/scenario.log)"
if [ $runtime = kubelet ]; then
    step "$node_sh" kubelet
else
    pods_under=/
    [ "$NODE" = /var/tmp/lanner-node ] || pods_under=/$(basename "$NODE")
    stay /usr/bin/python3 "$NODE/stage/standin.py" /etc/kubernetes/manifests "$pods_under"
fi
for _ in {1..600}; do
    on_node pgrep -x httpd >/dev/null && break
    sleep 0.1
done
[ -z "$on_ready" ] || step sh -c "$on_ready"
step "$node_sh" run /usr/bin/python3 "$NODE/stage/attack.py" "$NODE/stage" --runtime $runtime --gap "$gap" --interval "$interval" "${attack_options[@]}"
