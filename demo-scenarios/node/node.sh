#!/bin/bash
# A disposable Kubernetes node on one machine: its own pid, mount, uts, ipc, net and cgroup namespaces with tini as pid 1, in it
# containerd (CRI, CNI bridge) and, if wanted, a real kubelet with static pods. Nothing of it is connected to the machine's
# network, and nothing is written outside $NODE and $CACHE. Needs root and a few of Debian's packages.
#
#   node.sh packages                         names the packages that it needs
#   node.sh build                            builds kubelet 1.20.2 from Debian's source package into $CACHE: minutes, once
#   node.sh up                               starts the node, containerd, and imports two images
#   node.sh kubelet                          starts the kubelet; static pods come from the node's /etc/kubernetes/manifests
#   node.sh run CMD...                       runs a command on the node, as the node's root
#   node.sh image NAME:TAG ENTRY SRC=DST...  makes an image from files and imports it
#   node.sh down                             ends everything; no process, mount or control group stays
#
# NODE   its directory (default /var/tmp/lanner-node). Nodes with different directories may run at the same time. While the node
#        is up, init.pid in it holds the pid, on this machine, of the node's pid 1.
# CACHE  where the kubelet is built and found (default /var/cache/lanner-node).
set -euo pipefail

readonly DEFAULT_NODE=/var/tmp/lanner-node
NODE=${NODE:-$DEFAULT_NODE}
CACHE=${CACHE:-/var/cache/lanner-node}
here=$(dirname "$(readlink -f "$0")")
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# Below this control group the kubelet makes /kubepods. Two kubelets must not share it: each ends pods that it does not know.
if [ "$NODE" = "$DEFAULT_NODE" ]; then pods_under=/; else pods_under=/$(basename "$NODE"); fi

die() { echo "node.sh: $*" >&2; exit 1; }

# wait_for SECONDS WHAT CMD...: until the command succeeds, or fails itself saying that there is no WHAT.
wait_for() {
    local until=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$until" ] || { echo "node.sh: waited too long for $what" >&2; return 1; }
        sleep 0.1
    done
}

# The state and, after a space, the start time of a process; fails when it is gone. Orphans may stay zombies for long.
process() { sed -E 's/^.*\) (.) ([^ ]+ ){18}([0-9]+) .*$/\1 \3/' "/proc/$1/stat" 2>/dev/null; }

# Whether the node's pid 1 lives. Its start time is compared, so that a pid used again is not taken for it.
alive() {
    local pid start now
    [ -f "$NODE/init.start" ] || return 1
    read -r pid <"$NODE/init.pid"
    read -r start <"$NODE/init.start"
    now=$(process "$pid") && [ "${now#* }" = "$start" ] && [ "${now%% *}" != Z ]
}

# Becomes a command on the node, with none of the caller's environment and not in the caller's directory.
enter() {
    local pid
    alive || die "no node is up in $NODE"
    read -r pid <"$NODE/init.pid"
    cd /
    exec nsenter -t "$pid" -m -u -i -n -p -C env -i PATH="$PATH" HOME=/root LANG=C.UTF-8 TERM=xterm "$@"
}
node() { (enter "$@"); }

# The control group that this shell is in, and so the node's root: one directory for each hierarchy.
own_cgroups() {
    local id controllers path root mount type
    while IFS=: read -r id controllers path; do
        if [ "$id" = 0 ]; then type=cgroup2; else type=cgroup; fi
        mount=$(findmnt -n -r -t "$type" ${controllers:+-O "$controllers"} -o TARGET | head -n 1) || true
        [ -n "$mount" ] || continue # mounted nowhere
        root=$(findmnt -n -r -o FSROOT "$mount" | head -n 1)
        path=${path#"${root%/}"}
        echo "$mount${path%/}"
    done </proc/self/cgroup
}

# Whether a process runs below any of these directories.
populated() { find "$@" -name cgroup.procs -exec cat {} + 2>/dev/null | grep -q .; }

need_root() { [ "$(id -u)" = 0 ] || die "$1 needs root"; }

packages() { echo "busybox-static containerd containernetworking-plugins curl gcc iproute2 libc6-dev procps python3 runc tini"; }

build() {
    need_root build
    apt-get install -y -q --no-install-recommends golang-1.19-go dpkg-dev gcc libc6-dev >/dev/null
    mkdir -p "$CACHE"/apt/{lists,cache/archives}/partial "$CACHE/gopath/src/k8s.io/kubernetes"
    cd "$CACHE"
    # Debian's source package over the machine's own mirror and keys, without touching the machine's apt.
    local apt=(-o Dir::State::lists="$CACHE/apt/lists" -o Dir::Cache="$CACHE/apt/cache"
        -o Dir::Etc::sourcelist="$CACHE/apt/src.list" -o Dir::Etc::sourceparts=-)
    if ! ls kubernetes_*.orig.tar.gz >/dev/null 2>&1; then
        local mirror
        # shellcheck disable=SC2016 # apt's own variables
        mirror=$(apt-get indextargets --format '$(SITE) $(RELEASE)' 'Identifier: Packages' | awk '$2 == "bookworm" {print $1; exit}')
        [ -n "$mirror" ] || die "apt knows no mirror of Debian bookworm, whose source package the kubelet is built from"
        echo "deb-src $mirror bookworm main" >apt/src.list
        apt-get "${apt[@]}" -qq update
        apt-get "${apt[@]}" -qq source --download-only kubernetes
    fi
    cd gopath/src/k8s.io/kubernetes
    [ -f go.mod ] || tar xzf "$CACHE"/kubernetes_*.orig.tar.gz --strip-components=1
    local version=k8s.io/kubernetes/vendor/k8s.io/component-base/version
    GO111MODULE=off GOFLAGS='' GOPROXY=off GOCACHE=$CACHE/gocache GOPATH=$CACHE/gopath /usr/lib/go-1.19/bin/go build \
        -ldflags "-s -w -X $version.gitVersion=v1.20.2 -X $version.gitMajor=1 -X $version.gitMinor=20" \
        -o "$CACHE/kubelet.new" ./cmd/kubelet
    mv "$CACHE/kubelet.new" "$CACHE/kubelet"
    echo "built $CACHE/kubelet"
}

# What only the node sees of the file system. Runs on the node; its standard input is its script.
furnish() {
    node sh -eu -s -- "$NODE" <<'ON_NODE'
NODE=$1
hostname node1
ip link set lo up
sysctl -qw net.ipv4.ip_forward=1
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=755 tmpfs /var/log
# The true paths of a node can be written to: what is written stays in a tmpfs that ends with the node.
for path in etc var/lib; do
    layers=$NODE/layers/$path
    mkdir -p "$layers"
    mount -t tmpfs -o mode=755 tmpfs "$layers"
    mkdir "$layers/upper" "$layers/work"
    mount -t overlay -o "lowerdir=/$path,upperdir=$layers/upper,workdir=$layers/work" overlay "/$path"
done
for service in containerd kubelet; do
    mkdir -p "/var/lib/$service"
    mount --bind "$NODE/$service" "/var/lib/$service"
done
# No resolver (and no default route): each of the kubelet's syncs would wait 20 s for DNS.
rm -f /etc/resolv.conf
touch /etc/resolv.conf
echo node1 >/etc/hostname
printf '127.0.0.1 localhost\n127.0.1.1 node1\n' >/etc/hosts
mkdir -p /etc/containerd /etc/cni/net.d /etc/kubernetes/manifests
cat >/etc/cni/net.d/10-pods.conflist <<'J'
{"cniVersion": "0.4.0", "name": "pods", "plugins": [{"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": false,
 "hairpinMode": true, "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.88.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
J
cat >/etc/containerd/config.toml <<'T'
version = 2
oom_score = 0
disabled_plugins = [
  "io.containerd.internal.v1.opt",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
]
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  restrict_oom_score_adj = true # root may lack CAP_SYS_RESOURCE
  disable_apparmor = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "/etc/cni/net.d"
T
# Hierarchies (v1) that are mounted above the node's own root are mounted again at it, so that paths in /proc/PID/cgroup are
# where they seem to be.
awk '{for (i = 7; $i != "-"; i++); if ($(i + 1) == "cgroup" && $4 != "/") print $5, $(i + 3)}' /proc/self/mountinfo |
    while read -r point options; do
        umount "$point"
        mount -t cgroup -o "${options#rw,}" cgroup "$point"
    done
ON_NODE
}

# A service of the node: a child of its pid 1, no child of ours.
service() {
    # shellcheck disable=SC2016 # expanded on the node
    node sh -c 'log=$1; shift; exec setsid -f "$@" </dev/null >"$log" 2>&1' sh "/var/log/$1.log" "${@:2}"
}

# Makes an image (see mkimage.py for the arguments) and imports it.
image() {
    local archive
    archive=$(mktemp "$NODE/image.XXXXXX")
    /usr/bin/python3 "$here/mkimage.py" "$archive" "$@"
    node ctr -n k8s.io image import - <"$archive" >/dev/null
    rm -f "$archive"
}

up() {
    need_root up
    [[ $NODE =~ ^/[A-Za-z0-9._/-]+$ ]] || die "NODE must be an absolute path of letters, digits and ._/- (it is $NODE)"
    case $NODE/ in
    /etc/* | /run/* | /var/log/* | /var/lib/* | /proc/* | /sys/*) die "NODE cannot be at $NODE: the node has its own ${NODE%/*}" ;;
    esac
    local tool
    for tool in busybox cc containerd ctr curl findmnt ip nsenter pgrep runc setsid tini unshare; do
        command -v $tool >/dev/null || die "$tool is missing; needed are Debian's packages: $(packages)"
    done
    alive && die "a node is already up in $NODE; end it with: NODE=$NODE $0 down"
    down # the remains of one that was killed
    mkdir -p "$NODE"/{containerd,kubelet,mask}
    own_cgroups >"$NODE/cgroups"
    unshare_pid=
    trap 'trap "" INT TERM HUP; [ -z "$unshare_pid" ] || kill -9 "$unshare_pid"; down' EXIT
    trap 'exit 130' INT TERM HUP

    cd /
    env -i PATH="$PATH" setsid unshare --pid --mount --uts --ipc --net --cgroup --fork --kill-child --mount-proc \
        tini -- sleep infinity </dev/null >/dev/null 2>&1 &
    unshare_pid=$!
    disown # its end is ours to report
    local init
    wait_for 20 "the node's pid 1" pgrep -P "$unshare_pid" tini
    init=$(pgrep -P "$unshare_pid" tini)
    echo "$init" >"$NODE/init.pid"
    process "$init" | cut -d' ' -f2 >"$NODE/init.start"
    furnish
    service containerd containerd
    wait_for 60 "containerd" node ctr version
    printf '#include <unistd.h>\nint main(void) { for (;;) pause(); }\n' | cc -O1 -static -x c - -o "$NODE/pause"
    image localhost/pause:1 /pause "$NODE/pause=pause"
    image localhost/busybox:1 /bin/sh "$(command -v busybox)=bin/busybox" busybox-links=
    trap - EXIT INT TERM HUP
}

kubelet() {
    local base
    [ -x "$CACHE/kubelet" ] || die "there is no kubelet at $CACHE/kubelet; build it with: $0 build"
    alive || die "no node is up in $NODE"
    while read -r base; do
        mkdir -p "$base$pods_under"
        if populated "$base${pods_under%/}/kubepods"; then
            die "$base${pods_under%/}/kubepods is in use by another kubelet, whose pods this one would end; set NODE to another directory"
        fi
    done <"$NODE/cgroups"
    node sh -eu -s -- "$pods_under" <<'ON_NODE'
cat >/etc/kubernetes/kubelet.yaml <<Y
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
staticPodPath: /etc/kubernetes/manifests
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
cgroupDriver: cgroupfs
cgroupRoot: $1
failSwapOn: false
enforceNodeAllocatable: []
makeIPTablesUtilChains: false
fileCheckFrequency: 1s
syncFrequency: 5s
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: "1Mi", nodefs.available: "0%", imagefs.available: "0%", nodefs.inodesFree: "0%"}
resolvConf: ""
maxOpenFiles: 20000
volumePluginDir: /var/lib/kubelet/volume-plugins
Y
ON_NODE
    # The kubelet sets sysctls of the machine. On the node, files that hold the values it wants are bound over them.
    node sh -eu -s -- "$NODE/mask" <<'ON_NODE'
for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
    kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
    file=$1/$(echo "${setting%=*}" | tr / _)
    echo "${setting#*=}" >"$file"
    mountpoint -q "/proc/sys/${setting%=*}" || mount --bind "$file" "/proc/sys/${setting%=*}"
done
ON_NODE
    service kubelet "$CACHE/kubelet" --config /etc/kubernetes/kubelet.yaml --root-dir /var/lib/kubelet \
        --cert-dir /var/lib/kubelet/pki --container-runtime=remote \
        --container-runtime-endpoint=unix:///run/containerd/containerd.sock --hostname-override=node1
    wait_for 120 "the kubelet's health check" node curl -sf -m 1 http://127.0.0.1:10248/healthz || {
        node tail -n 5 /var/log/kubelet.log >&2
        exit 1
    }
}

down() {
    need_root down
    local pid base
    if alive; then
        # The kernel ends all processes of a pid namespace with its pid 1, and the namespaces' mounts and links with them.
        read -r pid <"$NODE/init.pid"
        kill -9 "$pid"
        wait_for 60 "the node's processes to end" gone
    fi
    if [ -f "$NODE/cgroups" ]; then
        while read -r base; do
            wait_for 20 "the control groups below $base to empty" empty "$base"
        done <"$NODE/cgroups"
    fi
    # A mount of the node is none of this mount namespace; should one have come here all the same, its content is not ours.
    if [ -d "$NODE" ]; then rm -rf --one-file-system "$NODE"; fi
}

gone() { ! alive; }

# Removes the empty control groups that the node's containers leave below a base; fails while one of its pods has processes.
empty() {
    # Those made by ctr alone are shared with the machine's own containers, which may well run.
    find "$1/k8s.io" -depth -type d -exec rmdir {} + 2>/dev/null
    local group=$1${pods_under%/}/kubepods
    [ "$pods_under" = / ] || group=$1$pods_under
    [ ! -d "$group" ] || find "$group" -depth -type d -exec rmdir {} +
}

case ${1:-} in
packages | build | up | kubelet | down) "$1" ;;
run)
    shift
    enter "$@"
    ;;
image)
    shift
    [ $# -ge 3 ] || die "usage: node.sh image NAME:TAG ENTRY SRC=DST..."
    alive || die "no node is up in $NODE"
    image "$@"
    ;;
*)
    sed -n '/^#   /s/^# *//p' "$0" >&2
    exit 2
    ;;
esac
