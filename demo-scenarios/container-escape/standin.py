#!/usr/bin/python3
"""Stands in for the kubelet where there is none: starts a container with `ctr` for each manifest in a folder.

    standin.py MANIFESTS PODS_UNDER

It reads only what the scenario's own manifests say, written as they write it. The container gets the control group path that
the kubelet would give it, below PODS_UNDER, and its labels; it shares the node's network, as `ctr` alone makes no pod network.
"""

import hashlib
import json
import pathlib
import re
import subprocess
import sys
import time

folder, pods_under = pathlib.Path(sys.argv[1]), sys.argv[2].rstrip("/")


def start(manifest: str) -> None:
    def value(key: str) -> str:
        return re.search(rf"^ *(?:- )?{key}: (.+)$", manifest, re.MULTILINE)[1]

    name = value("name")
    pod = hashlib.md5(manifest.encode()).hexdigest()
    container = hashlib.sha256(manifest.encode()).hexdigest()
    args = ["ctr", "-n", "k8s.io", "run", "-d", "--net-host", f"--cgroup={pods_under}/kubepods/besteffort/pod{pod}/{container}"]
    labels = {"pod.name": f"{name}-node1", "pod.namespace": value("namespace"), "pod.uid": pod, "container.name": name}
    args += [f"--label=io.kubernetes.{key}={text}" for key, text in labels.items()]
    args += ["--label=io.cri-containerd.kind=container"]
    if "privileged: true" in manifest:
        args += ["--privileged"]
    if "hostPID: true" in manifest:
        args += ["--with-ns=pid:/proc/1/ns/pid"]
    for variable in re.findall(r"^ *- \{name: (\w+), value: \"(.*)\"\}$", manifest, re.MULTILINE):
        args += ["--env={}={}".format(*variable)]
    sources = dict(re.findall(r"^ *- \{name: (\w+), hostPath: \{path: (\S+)\}\}$", manifest, re.MULTILINE))
    for volume, target in re.findall(r"^ *- \{name: (\w+), mountPath: ([^,}]+)", manifest, re.MULTILINE):
        args += [f"--mount=type=bind,src={sources[volume]},dst={target},options=rbind:ro"]
    subprocess.run([*args, value("image"), container, *json.loads(value("command"))], check=True)


started: set[pathlib.Path] = set()
while True:
    for path in sorted(folder.glob("*.yaml")):
        if path not in started:
            started.add(path)
            start(path.read_text())
    time.sleep(0.5)
