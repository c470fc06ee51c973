#!/bin/busybox sh
# The guest's init: makes a machine of it, runs the tests, says how they ended and turns the machine off.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANNER_REQUIRE_PRIVILEGED=1 LANNER_GUEST=1
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
ln -sn /proc/self/fd /dev/fd
mkdir -p -m 1777 /tmp /dev/shm
mkdir -p /dev/pts
mount -t devpts pts /dev/pts
mount -t tmpfs tmp /tmp
mount -t tmpfs run /run
mount -t cgroup2 cgroup /sys/fs/cgroup
mount -t bpf bpf /sys/fs/bpf
mount -t securityfs security /sys/kernel/security
hostname -F /etc/hostname
ip link set lo up
for module in /modules/*; do busybox insmod "$module"; done
# There the tests fail when a hook of the full layer is refused.
grep -qw lanner.full /proc/cmdline && export LANNER_FULL_LAYER=1
set --
while IFS= read -r arg; do set -- "$@" "$arg"; done </args
echo "@@BEGIN"
cd /root
/test "$@" </dev/null
status=$?
echo
echo "@@END $status"
sync
busybox poweroff -f
