# Read by record.sh and containers.sh: keeps what the machine is, that a recording is made on, out of the recording.
# shellcheck shell=sh

# From the root control groups, lest those that this shell happens to be in stand in the recording.
for procs in /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/*/cgroup.procs; do
    if [ -e "$procs" ]; then echo $$ >"$procs" || true; fi
done 2>/dev/null

# lanner_record LANNER OPTION...: becomes the recorder, for which the kernel's release is without the vendor's own suffix.
lanner_record() {
    # shellcheck disable=SC2016 # expanded in the mount namespace
    exec unshare --mount --propagation slave sh -c '
        release=$(mktemp)
        uname -r | sed "s/-.*//" >"$release"
        mount --bind "$release" /proc/sys/kernel/osrelease
        rm "$release"
        lanner=$1
        shift
        exec "$lanner" record --node-name node1 "$@"' sh "$@"
}
