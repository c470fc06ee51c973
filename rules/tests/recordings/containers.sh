#!/bin/bash
# Records containers that are started for real on a disposable node with a kubelet: `containers.sh LANNER
# containers|everyday-containers`. Needs root, and the kubelet that node.sh builds. `containers.txt` tells which pod meets which
# rule: pods are known by their names. On an everyday, containers come and go, are probed and looked at.
set -euo pipefail
lanner=$(readlink -f "$1")
what=$2
here=$(dirname "$(readlink -f "$0")")
. "$here/machine.sh"
export NODE=/var/tmp/lanner-rules-node
node_sh=$here/../../../demo-scenarios/node/node.sh
on_node() { "$node_sh" run "$@"; }
work=$(mktemp -d)
recorder=
trap '[ -z "$recorder" ] || kill -INT "$recorder" 2>/dev/null; "$node_sh" down; rm -rf "$work"' EXIT

"$node_sh" up
for image in docker.io/kalilinux/kali-rolling:1 docker.io/someone/xmrig:6 docker.io/someone/kaleidoscope:1; do
    echo "$image" >"$work/name" # so that no two are the same
    "$node_sh" image "$image" /bin/sh "$(command -v busybox)=bin/busybox" "$work/name=name" busybox-links=
done
"$node_sh" kubelet

rm -f "$here/$what.lanner"
pids=$(readlink "/proc/$(cat "$NODE/init.pid")/ns/pid" | tr -dc 0-9)
filter="lanner.pidns intersects ($pids)"
# Of everyday business all counts; of what is performed, what containers do, and who started them and why.
[ "$what" != containers ] || filter="$filter and ((container.id != host and not proc.name startswith runc)
    or evt.type in (execve, clone, alive) or lanner.event = container or fd.name contains manifests)"
NO_COLOR=1 lanner_record "$lanner" -o "$here/$what.lanner" --note "made by containers.sh" --filter "$filter" 2>"$work/said" &
recorder=$!
until grep -q '^lanner: recording' "$work/said"; do
    kill -0 $recorder || { cat "$work/said" >&2; exit 1; }
    sleep 0.1
done

# pod NAME NAMESPACE CONTAINER IMAGE [OF THE POD] [OF THE CONTAINER] [VOLUME]
pod() {
    local volumes='' mounts=''
    if [ -n "${7:-}" ]; then
        volumes="volumes: [{name: v, hostPath: {path: \"${7%=*}\"}}]"
        mounts="volumeMounts: [{name: v, mountPath: \"${7#*=}\"}]"
    fi
    cat <<YAML
apiVersion: v1
kind: Pod
metadata: {name: $1, namespace: $2}
spec:
  ${5:-restartPolicy: Always}
  terminationGracePeriodSeconds: 0
  $volumes
  containers:
  - name: $3
    image: $4
    imagePullPolicy: Never
    command: ["sleep", "600"]
    ${6:-}
    $mounts
YAML
}
start() {
    pod "$@" >"$work/$1.yaml"
    on_node sh -c "cat >/etc/kubernetes/manifests/.$1 && mv /etc/kubernetes/manifests/.$1 /etc/kubernetes/manifests/$1.yaml" <"$work/$1.yaml"
}
busybox=localhost/busybox:1

# The containers of a pod by their ids, once it runs.
container_of() {
    local until=$((SECONDS + 60)) id=''
    until [ -n "$id" ]; do
        [ $SECONDS -lt $until ] || { echo "containers.sh: no pod $1" >&2; exit 1; }
        id=$(on_node ctr -n k8s.io task ls -q | while read -r id; do
            on_node ctr -n k8s.io container info "$id" | grep -q "\"io.kubernetes.pod.name\": \"$1-node1\"" &&
                on_node ctr -n k8s.io container info "$id" | grep -q '"io.cri-containerd.kind": "container"' && echo "$id"
        done | head -n 1 || true)
        [ -n "$id" ] || sleep 0.5
    done
    echo "$id"
}
performed() {
    start plain kube-system app $busybox
    start astray invisible app $busybox
    start all-rights kube-system app $busybox '' 'securityContext: {privileged: true}'
    start some-rights kube-system app $busybox '' 'securityContext: {capabilities: {add: [NET_ADMIN]}}'
    start root-given kube-system app $busybox '' '' /=/host
    start data-given kube-system app $busybox '' '' /srv=/srv
    start socket-given kube-system app $busybox '' '' /run/containerd/containerd.sock=/run/engine.sock
    start processes-given kube-system app $busybox 'hostPID: true'
    start network-given kube-system app $busybox 'hostNetwork: true'
    start named default kube-proxy $busybox
    start named-rightly kube-system kube-proxy $busybox
    start tools kube-system app docker.io/kalilinux/kali-rolling:1
    start toys kube-system app docker.io/someone/kaleidoscope:1
    start digging kube-system app docker.io/someone/xmrig:6
    for name in plain astray all-rights some-rights root-given data-given socket-given processes-given network-given named \
        named-rightly tools toys digging; do
        container_of $name >"$work/$name.id"
    done

    # A container writes a manifest, because of which the kubelet starts another.
    pod planted kube-system app $busybox | on_node sh -c 'cat >/srv/planted'
    on_node ctr -n k8s.io task exec --exec-id plant "$(cat "$work/root-given.id")" \
        sh -c 'cat /host/srv/planted >/host/etc/kubernetes/manifests/planted.yaml'
    container_of planted >"$work/planted.id"

    # Programs that came after the image: at a terminal, and without one; and one of the image at a terminal.
    on_node script -qec "ctr -n k8s.io task exec -t --exec-id typed $(cat "$work/toys.id") sh -c 'cp /bin/busybox /srv-true; mv /srv-true /true; /true; exit 0'" /dev/null </dev/null >/dev/null
    on_node ctr -n k8s.io task exec --exec-id scripted "$(cat "$work/some-rights.id")" sh -c 'cp /bin/busybox /true; /true; exit 0'
    on_node script -qec "ctr -n k8s.io task exec -t --exec-id looked $(cat "$work/data-given.id") /bin/true" /dev/null </dev/null >/dev/null
}

# All pods here come from files, which is everyday business in this namespace alone.
everyday() {
    local round
    start web kube-system app $busybox '' 'livenessProbe: {exec: {command: ["sh", "-c", "test -d /tmp"]}, periodSeconds: 5}'
    start agent kube-system app $busybox '' '' /srv=/srv
    container_of web >"$work/web.id"
    for round in $(seq 12); do
        on_node ctr -n k8s.io run --rm "localhost/busybox:1" "job-$round" sh -c 'seq 100 | sort -r | head -n 3; nc -w 1 127.0.0.1 80 </dev/null || true'
        on_node ctr -n k8s.io task exec --exec-id "look-$round" "$(cat "$work/web.id")" sh -c 'uptime; df; ps'
        start "batch-$round" kube-system app $busybox
        sleep 5
        on_node rm -f "/etc/kubernetes/manifests/batch-$round.yaml"
    done
    sleep 10
}
case $what in
containers) performed ;;
everyday-containers) everyday ;;
esac
sleep 3
kill -INT $recorder
wait $recorder || true
recorder=
cat "$work/said" >&2
chmod 644 "$here/$what.lanner"
ls -l "$here/$what.lanner" >&2
