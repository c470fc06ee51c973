#!/bin/bash
# Everyday business of a machine: what no rule should find worse than worth a note, and seldom that. Run by record.sh; each kind of
# it is a file of everyday/.
cd /root || exit 1
kinds="build ci packages rotation backup cron scripts"
# What is for a machine and not for a container.
grep -q kubepods /proc/self/cgroup || kinds="login configuration $kinds"
for kind in $kinds; do
    bash "/srv/everyday/$kind.sh" </dev/null
done
