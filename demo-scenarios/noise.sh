#!/bin/bash
# Does what people do on a node on any day, none of it an attack: compiles, packs what was built, lists packages, and looks into a
# container without a terminal. Run beside a scenario, it must add nothing to the scenario's incident. Bounded: a few seconds of
# processor time a round.
#
#   noise.sh [--rounds N]    default 5
#
# The container is started on the node that node/node.sh made in NODE, if one is up; without a node that part is left out.
set -euo pipefail

export NODE=${NODE:-/var/tmp/lanner-node}
node_sh=$(dirname "$(readlink -f "$0")")/node/node.sh
rounds=5
if [ "${1:-}" = --rounds ] && [[ ${2:-} =~ ^[0-9]+$ ]]; then
    rounds=$2
elif [ $# -gt 0 ]; then
    sed -n '/^#   /s/^# *//p' "$0" >&2
    exit 2
fi
work=$(mktemp -d)
cd "$work"
on_node() { "$node_sh" run "$@"; }
cleanup() {
    trap '' INT TERM HUP
    rm -rf "$work"
    if [ -n "$jobs" ]; then
        # Should the node have ended meanwhile, so has its container.
        on_node ctr -n k8s.io task rm -f jobs >/dev/null 2>&1 || true
        on_node ctr -n k8s.io container rm jobs >/dev/null 2>&1 || true
    fi
}
jobs=''
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

if on_node true 2>/dev/null; then
    jobs=yes
    on_node ctr -n k8s.io run -d localhost/busybox:1 jobs sleep 600
else
    echo "no node is up in $NODE: nothing is done in a container"
fi

for round in $(seq "$rounds"); do
    echo "round $round of $rounds"
    for unit in one two three four; do
        echo "int $unit(int x) { int s = 0; for (int i = 0; i < x; i++) s += i * x; return s; }" >$unit.c
        gcc -O2 -c $unit.c
    done
    echo 'int one(int), four(int); int main(void) { return one(3) - one(3) + 0 * four(2); }' >main.c
    gcc -o program main.c one.o two.o three.o four.o
    ./program
    tar czf build.tgz ./*.o program
    dpkg -l >packages
    apt list --installed >>packages 2>/dev/null
    if [ -n "$jobs" ]; then
        on_node ctr -n k8s.io task exec --exec-id "look-$round" jobs ls -l / >/dev/null || jobs=''
        [ -z "$jobs" ] || on_node ctr -n k8s.io task exec --exec-id "load-$round" jobs sh -c 'uptime; df' >/dev/null || jobs=''
    fi
    sleep 1 # between rounds, so that they spread over a scenario
done
