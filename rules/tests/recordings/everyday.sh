#!/bin/bash
# Everyday business of a machine: what no rule should find worse than worth a note, and seldom that. Run by record.sh; each kind of
# it is a file of everyday/, done once, or again and again for so many seconds: `everyday.sh [SECONDS]`.
cd /root || exit 1
kinds="build ci packages rotation backup cron scripts"
# What is for a machine and not for a container.
grep -q kubepods /proc/self/cgroup || kinds="login configuration $kinds"
for kind in $kinds; do
    SECONDS=0
    bash "/srv/everyday/$kind.sh" </dev/null
    while [ "$SECONDS" -lt "${1:-0}" ]; do
        sleep 4
        bash "/srv/everyday/$kind.sh" </dev/null
    done
done
