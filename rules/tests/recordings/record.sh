#!/bin/sh
# Makes the recordings that the rules are held against: `record.sh LANNER performed|modules|everyday|everyday-inside|STORY [SECONDS]`,
# of which STORY is a file of ../attacks, and for SECONDS each kind of everyday business goes on. Needs root.
#
# What is performed runs in mount, pid, network, uts and ipc namespaces of its own, on a root in memory that shows the machine's
# /usr read-only, and no packet leaves it; `modules` in a virtual machine, by a test (tests/modules of the crate `lanner-tests`).
# `everyday-inside`, and of `performed` what says so, runs in a control group with the name of a container's. Only the events of that
# pid namespace are kept, for a machine does other things too: a test (tests/tests/recordings.rs there) knows every path in them.
set -eu
lanner=$(readlink -f "$1")
what=$2
seconds=${3:-}
here=$(cd "$(dirname "$0")" && pwd)
out=$here/$what.lanner
if [ "$what" = modules ]; then
    (cd "$here" && cargo xtask vm --package lanner-tests --test modules -- record) | sed -n 's/^recording: //p' | xxd -r -p >"$out.new"
    mv "$out.new" "$out"
    exit
fi
case $what in
performed) script=$here/perform.py ;;
*.txt)
    script=$here/../attacks/act.py
    story=$(readlink -f "$what")
    out=${story%.txt}.lanner
    ;;
*) script=$here/${what%-inside}.sh ;;
esac
. "$here/machine.sh"
# One at a time: containers of the same name would be one.
exec 9>/run/lanner-record.lock
flock 9
work=$(mktemp -d)
root=$work/root
groups=
performer=
cleanup() {
    [ -z "$performer" ] || kill -KILL $performer 2>/dev/null || true
    umount -R "$root" 2>/dev/null || true
    for group in $groups; do rmdir "$group" 2>/dev/null || true; done
    rm -rf "$work"
}
trap cleanup EXIT

comm=$(basename "$script")
case $what in
performed)
    id=$(printf 'lanner-rules-%s' "$what" | sha256sum | cut -c1-64)
    name=kubepods/besteffort/podfedcba98765432100123456789abcdef/$id
    ;;
*.txt)
    id=$(printf 'lanner-rules-pod' | sha256sum | cut -c1-64)
    other=$(printf 'lanner-rules-other' | sha256sum | cut -c1-64)
    name=kubepods/besteffort/podfedcba98765432100123456789abcdef/$id
    other=kubepods/besteffort/pod0123456789abcdeffedcba9876543210/$other
    ;;
everyday-inside)
    id=$(printf 'lanner-rules-%s' "$what" | sha256sum | cut -c1-64)
    name=kubepods/besteffort/podfedcba98765432100123456789abcdef/$id
    ;;
everyday)
    name=lanner-everyday
    ;;
*)
    echo "usage: record.sh LANNER performed|modules|everyday|everyday-inside|STORY [SECONDS]" >&2
    exit 2
    ;;
esac
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    hierarchies=/sys/fs/cgroup
else
    hierarchies="/sys/fs/cgroup/unified /sys/fs/cgroup/pids"
fi

mkdir -p "$root"
mount -t tmpfs -o mode=755 tmpfs "$root"
mount --make-private "$root"
cd "$root"
mkdir -p usr etc proc dev/shm tmp root/.ssh run sys srv home var/log var/tmp var/lib/dpkg/info var/lib/dpkg/updates \
    var/lib/apt/lists/partial var/cache/apt/archives/partial var/spool/cron/crontabs var/lib/logrotate var/cache/ldconfig \
    etc/cron.d etc/systemd/system etc/sudoers.d etc/profile.d etc/ssh etc/udev/rules.d etc/logrotate.d etc/kubernetes/pki
ln -s /run var/run
chmod 1777 tmp var/tmp dev/shm
mount --bind /usr usr
mount -o remount,ro,bind usr
for link in bin sbin lib lib64; do cp -a "/$link" "$link"; done
for file in nsswitch.conf ld.so.cache ld.so.conf ld.so.conf.d login.defs pam.d skel alternatives apt debian_version services; do
    [ ! -e "/etc/$file" ] || cp -a "/etc/$file" etc/
done
rm -rf etc/apt/sources.list*
printf 'root:x:0:0:root:/root:/bin/bash\n_apt:x:42:65534::/nonexistent:/usr/sbin/nologin\nnobody:x:65534:65534::/:/bin/false\n' >etc/passwd
printf 'root:*:19000:0:99999:7:::\n' >etc/shadow
printf 'root:x:0:\nnogroup:x:65534:\nutmp:x:43:\nadm:x:4:\ncrontab:x:101:\n' >etc/group
: >var/lib/dpkg/status
: >etc/gshadow
: >var/log/wtmp
echo nameserver 10.9.9.9 >etc/resolv.conf
# For logins over SSH, from this machine to itself.
printf 'sshd:x:105:65534::/run/sshd:/usr/sbin/nologin\n' >>etc/passwd
ssh-keygen -q -t ed25519 -N '' -f etc/ssh/ssh_host_ed25519_key
ssh-keygen -q -t ed25519 -N '' -f root/.ssh/id_ed25519
cp root/.ssh/id_ed25519.pub root/.ssh/authorized_keys
printf '[127.0.0.1]:2222 %s\n' "$(cut -d' ' -f1,2 etc/ssh/ssh_host_ed25519_key.pub)" >root/.ssh/known_hosts
printf 'Subsystem sftp internal-sftp\nPidFile none\n' >etc/ssh/sshd_config
chmod 700 root root/.ssh
cp "$script" "srv/$comm"
chmod 755 "srv/$comm"
case $what in
performed) cp -r "$here/../performed" srv/performed ;;
everyday*) cp -r "$here/everyday" srv/everyday ;;
esac
if [ -n "${story:-}" ]; then
    cp "$here/perform.py" srv/perform.py
    cp "$story" srv/story
fi
cd /

rm -f "$out"
record() {
    : >"$work/said"
    # Held open until the recorder has ended: another namespace may get the number of one that is gone.
    exec 8<"/proc/$performer/ns/pid_for_children"
    pids=$(readlink /proc/self/fd/8 | tr -dc 0-9)
    lanner_record "$lanner" -o "$out" --filter "lanner.pidns intersects ($pids)" \
        --note "made by record.sh from $(basename "${story:-$comm}")" 2>"$work/said" &
    recorder=$!
    until grep -q '^lanner: recording' "$work/said"; do
        kill -0 $recorder || { cat "$work/said" >&2; exit 1; }
        sleep 0.1
    done
}
for group in "$name" ${other:-}; do
    for hierarchy in $hierarchies; do
        mkdir -p "$hierarchy/$group"
        groups="$groups $hierarchy/$group"
    done
done
perform() { # becomes what is performed
    arguments=
    if [ "$what" = performed ] || [ -n "${story:-}" ]; then
        # It takes into the container what belongs there.
        fd=3
        for group in $groups; do
            eval "exec $fd>\"\$group/cgroup.procs\""
            arguments="$arguments $fd"
            fd=$((fd + 1))
        done
        arguments="/srv/$([ -n "${story:-}" ] && echo story || echo performed)$arguments"
    else
        arguments=${seconds:-}
        for group in $groups; do echo 0 >"$group/cgroup.procs"; done
    fi
    exec env -i PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin HOME=/root LC_ALL=C \
        unshare --mount --propagation private --pid --net --uts --ipc --fork --kill-child sh -c '
        set -e
        ip link set lo up
        for address in 10.9.9.9 169.254.169.254 169.254.20.10 203.0.113.9; do ip addr add $address/32 dev lo; done
        mount -t proc proc "$1/proc"
        for device in null zero random urandom full tty; do
            touch "$1/dev/$device"
            mount --bind "/dev/$device" "$1/dev/$device"
        done
        mkdir -p "$1/dev/pts"
        mount -t devpts -o newinstance,ptmxmode=0666 devpts "$1/dev/pts"
        ln -s pts/ptmx "$1/dev/ptmx"
        ln -s /proc/self/fd "$1/dev/fd"
        cd "$1"
        mkdir old
        pivot_root . old
        cd /
        umount -l old
        rmdir old
        shift
        program=/srv/$1
        shift
        [ -p /srv/go ] || exec "$program" "$@"
        exec sh -c ": >/srv/ready; read -r _ </srv/go; exec \"\$@\"" sh "$program" "$@"' sh "$root" "$comm" $arguments
}
# A story tells itself when the collector starts: something may be under way then. All else waits for it.
[ -n "${story:-}" ] || mkfifo "$root/srv/go"
perform &
performer=$!
until [ -e "$root/srv/ready" ]; do
    kill -0 $performer || exit 1
    sleep 0.1
done
record
echo go >"$root/srv/go"
wait $performer || echo "$comm ended with $?" >&2
sleep 1
kill -INT $recorder
wait $recorder || true
cat "$work/said" >&2
chmod 644 "$out"
ls -l "$out" >&2
