use super::*;

const ID: &str = "3f2b8d1c4a5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8";
/// Of another container, or of a pod of podman's.
const OTHER: &str = "4f2b8d1c4a5e6f708192a4b4c5d6e7f8091a2b4c4d5e6f708192a4b4c5d6e7f8";
/// Of a step of a build.
const BUILD: &str = "t4967jvf8rbufklrhkicskyes";
const UID: &str = "0fd4a1a8-36f8-4dbc-93b1-1b2f0b8de9a7";
/// A static pod's, and of that form too what some hosts put round everything.
const HASH: &str = "0123456789abcdef0123456789abcdef";

fn written_out(text: &str) -> String {
    let all = [
        ("OTHER", OTHER),
        ("ID", ID),
        ("BUILD", BUILD),
        ("UUID", UID),
        ("UU_ID", &UID.replace('-', "_")),
        ("HASH", HASH),
    ];
    // What contains another goes first.
    let [other, id, build, uuid, uu_id, hash] = all;
    [other, build, uuid, uu_id, hash, id].iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
}

fn id(text: &str) -> ContainerId {
    ContainerId(Text::from(written_out(text).as_str()))
}

/// Each path with the container in it (`-`: none), and where a runtime makes it so; "seen" are those that were seen of real
/// ones by the tests in `collector/tests/containers` or on the way to them.
const SHAPES: &[(&str, &str, &str)] = &[
    // Docker, moby.
    ("/docker/ID", "ID", "seen; moby: daemon/oci_linux.go"),
    ("docker/ID", "ID", "as above, by the rest of a path that was cut"),
    ("/system.slice/docker-ID.scope", "ID", "moby: cmd/dockerd/daemon_systemd_unix.go"),
    ("/user.slice/user-1000.slice/user@1000.service/user.slice/docker-ID.scope", "ID", "as above, rootless"),
    ("/user.slice/user-1000.slice/user@1000.service/app.slice/docker.service/docker/ID", "ID", "as above, cgroupfs"),
    ("/ecs/0123456789abcdef/ID", "ID", "amazon-ecs-agent: agent/config/config_unix.go"),
    ("/ecstasks.slice/ecstasks-HASH.slice/docker-ID.scope", "ID", "as above"),
    ("/actions_job/ID", "ID", "--cgroup-parent, as GitHub's runners set it"),
    ("/docker/ID.slice", "-", "no runtime"),
    ("/system.slice/docker.service", "-", "the daemon's own"),
    // Builds.
    ("/docker/buildkit", "-", "buildkit: executor/oci/spec.go"),
    ("/docker/buildkit/BUILD", "BUILD", "as above"),
    ("/docker/buildkit/ID", "ID", "as above"),
    ("/ci/buildkit/BUILD", "BUILD", "as above, buildkitd --oci-cgroup-parent"),
    ("/system.slice/docker-BUILD.scope", "BUILD", "as above, where docker uses systemd"),
    ("/ci/BUILD", "-", "nothing tells what it is"),
    ("/buildah-buildah2840172954", "-", "seen: only who starts it knows"),
    ("/system.slice/runc-buildah-buildah2840172954.scope", "buildah-buildah2840172954", "runc: see below"),
    // Runtimes by themselves.
    ("/web", "-", "seen: only who starts it knows"),
    ("/system.slice/runc-web.scope", "web", "runc: libcontainer/specconv/spec_linux.go"),
    ("/user.slice/user-1000.slice/user@1000.service/user.slice/runc-web.scope", "web", "as above, rootless"),
    ("/system.slice/crun-web.scope", "web", "crun: src/libcrun/cgroup-systemd.c"),
    ("/system.slice/crun-web.scope/container", "web", "as above, on version 2: run.oci.systemd.subgroup"),
    ("/system.slice/youki-web.scope", "web", "youki: crates/libcontainer/src/utils.rs"),
    ("/system.slice/runc-web.service", "-", "a service that somebody called so"),
    ("/system.slice/runc-.scope", "-", "no name"),
    // containerd.
    ("/k8s.io/web", "web", "seen: ctr --namespace k8s.io"),
    ("/k8s.io/ID", "ID", "as above"),
    ("/default/ID", "ID", "nerdctl: pkg/cmd/container/run_cgroup_linux.go, cgroupfs"),
    ("/system.slice/nerdctl-ID.scope", "ID", "as above, systemd"),
    ("/system.slice/system-getty.slice/cri-containerd-ID.scope", "ID", "containerd: pkg/cri/server/helpers.go"),
    ("/system.slice/containerd.service", "-", "the daemon's own"),
    // Pods of the kubelet's: pkg/kubelet/cm/cgroup_manager_linux.go.
    ("/kubepods/podUUID/ID", "ID", "seen: containerd's CRI, cgroupfs"),
    ("/kubepods/burstable/podUUID/ID", "ID", "seen: as above"),
    ("/kubepods/besteffort/podUUID/ID", "ID", "seen: as above"),
    ("/kubepods/burstable/podHASH/ID", "ID", "seen: as above, a static pod"),
    ("/kubepods/burstable/podHASH", "-", "the pod"),
    ("/k3s/kubepods/besteffort/podUUID/ID", "ID", "k3s --kubelet-arg=cgroup-root"),
    ("/kubepods.slice/kubepods-podUU_ID.slice", "-", "the pod"),
    ("/kubepods.slice/kubepods-podUU_ID.slice/cri-containerd-ID.scope", "ID", "containerd: pkg/cri/server/helpers.go"),
    (
        "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podUU_ID.slice/cri-containerd-ID.scope",
        "ID",
        "as above",
    ),
    (
        "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podUU_ID.slice/cri-containerd-ID.scope",
        "ID",
        "as above",
    ),
    (
        "/system.slice/containerd.service/kubepods-besteffort-podUU_ID.slice:cri-containerd:ID",
        "ID",
        "as above, where runc was not told of systemd",
    ),
    ("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podUU_ID.slice:cri-containerd:ID", "ID", "as above"),
    ("/kubepods.slice/kubepods-podUU_ID.slice/docker-ID.scope", "ID", "cri-dockerd, as docker where it uses systemd"),
    // CRI-O: internal/config/cgmgr.
    ("/kubepods.slice/kubepods-podUU_ID.slice/crio-ID.scope", "ID", "systemd_linux.go"),
    ("/kubepods.slice/kubepods-podUU_ID.slice/crio-ID.scope/container", "ID", "cgmgr_linux.go: crun's group below"),
    ("/kubepods.slice/kubepods-podUU_ID.slice/crio-ID", "ID", "cgmgr_linux.go: the pod's own"),
    ("/kubepods.slice/kubepods-podUU_ID.slice/crio-conmon-ID.scope", "-", "systemd_linux.go: conmon_cgroup=pod"),
    ("/system.slice/crio-ID.scope", "ID", "systemd_linux.go: a pod without a parent"),
    ("/system.slice/crio-conmon-ID.scope", "-", "systemd_linux.go: conmon_cgroup=system.slice"),
    ("/kubepods/burstable/podUUID/crio-ID", "ID", "cgroupfs_linux.go"),
    ("/kubepods/burstable/podUUID/crio-ID/container", "ID", "as above, crun's group below"),
    ("/kubepods/podUUID/crio-conmon-ID", "-", "cgroupfs_linux.go"),
    ("/crio/crio-ID", "ID", "cgroupfs_linux.go: a pod without a parent"),
    (
        "/kubepods.slice/kubepods-podUU_ID.slice:crio:ID",
        "ID",
        "systemd_linux.go, where the runtime was not told of systemd",
    ),
    ("/system.slice/crio.service", "-", "the daemon's own"),
    // podman: libpod/container_internal_linux.go, libpod/oci_conmon_linux.go.
    ("/libpod_parent/libpod-ID", "ID", "seen: cgroupfs"),
    ("/libpod_parent/OTHER", "-", "a pod"),
    ("/libpod_parent/OTHER/libpod-ID", "ID", "a pod's"),
    ("/libpod_parent/OTHER/conmon", "-", "its supervisors"),
    ("/libpod_parent/conmon", "-", "seen"),
    ("/machine.slice/libpod-ID.scope", "ID", "systemd"),
    ("/machine.slice/libpod-ID.scope/container", "ID", "as above, crun's group below"),
    ("/machine.slice/libpod-conmon-ID.scope", "-", "as above"),
    ("/machine.slice/machine-libpod_pod_OTHER.slice", "-", "libpod/util_linux.go: a pod"),
    ("/machine.slice/machine-libpod_pod_OTHER.slice/libpod-ID.scope/container", "ID", "as above"),
    ("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-ID.scope/container", "ID", "rootless"),
    ("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-conmon-ID.scope", "-", "rootless"),
    (
        "/user.slice/user-1000.slice/user@1000.service/user.slice/user-libpod_pod_OTHER.slice/libpod-ID.scope/container",
        "ID",
        "libpod/util_linux.go: a pod's, rootless",
    ),
    ("/user.slice/user-1000.slice/user@1000.service/user.slice/podman-pause-651d8c4c.scope", "-", "rootless"),
    ("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-payload-ID", "ID", "--cgroups=split"),
    ("/user.slice/user-1000.slice/user@1000.service/app.slice/web.service/libpod-payload-ID", "ID", "a quadlet"),
    ("/user.slice/user-1000.slice/user@1000.service/app.slice/web.service/runtime", "-", "its supervisor"),
    ("/user.slice/user-1000.slice/user@1000.service/app.slice/web.service/supervisor", "-", "its supervisor"),
    ("/system.slice/web.service/libpod-payload-ID/init.scope", "ID", "a quadlet with systemd in it"),
    ("/user.slice/user-1000.slice/session-2.scope/libpod-payload-ID", "ID", "--cgroups=split"),
    ("/user.slice/user-1000.slice/ID", "ID", "seen: rootless, cgroupfs, runc"),
    ("/user.slice/user-1000.slice/session-2.scope", "-", "seen: rootless, cgroupfs, crun: see groupless.rs"),
    // systemd inside of a container, and what makes itself a group below its own.
    ("/docker/ID/init.scope", "ID", "systemd: src/core/cgroup.c"),
    ("/docker/ID/system.slice/cron.service", "ID", "as above"),
    ("/system.slice/docker-ID.scope/system.slice/cron.service", "ID", "as above"),
    ("/docker/ID/user.slice/user-0.slice/session-1.scope", "ID", "as above"),
    ("/docker/ID/init", "ID", "moby: hack/dind; k3d: pkg/types/fixes/assets/k3d-entrypoint-cgroupv2.sh"),
    // LXC, LXD, Incus, Proxmox.
    ("/lxc.payload.box", "box", "seen; lxc: src/lxc/cgroups/cgroup.h"),
    ("/lxc.monitor.box", "-", "as above"),
    ("/lxc.pivot", "-", "as above"),
    ("/lxc.payload.box/init.scope", "box", "as above, with systemd in it"),
    ("/lxc.payload.box/system.slice/ssh.service", "box", "as above"),
    ("/lxc.payload.a.project_box/.lxc", "a.project_box", "lxc-attach; LXD's projects"),
    ("/user.slice/user-1000.slice/session-2.scope/lxc.payload.box", "box", "lxc: src/lxc/cgroups/cgfsng.c, a user's"),
    ("/lxc.payload", "-", "no name"),
    ("/lxc/box", "box", "lxc 3"),
    ("/lxc/box/lxc.payload", "box", "lxc: src/lxc/cgroups/cgfsng.c, lxc.cgroup.pattern=lxc/%n"),
    ("/lxc/101/ns/system.slice/ssh.service", "101", "pve-container: src/PVE/LXC.pm"),
    ("/lxc.monitor/101", "-", "as above"),
    // systemd-nspawn and others that machined knows.
    ("/machine.slice/machine-box.scope/payload", "box", "systemd: src/nspawn/nspawn-cgroup.c"),
    ("/machine.slice/machine-box.scope/payload/init.scope", "box", "as above, with systemd in it"),
    ("/machine.slice/machine-box.scope/supervisor", "-", "as above"),
    (r"/machine.slice/machine-my\x2dbox.scope/payload", "my-box", "systemd: src/basic/unit-name.c"),
    ("/machine.slice/systemd-nspawn@box.service/payload", "box", "seen; systemd: units/systemd-nspawn@.service.in"),
    ("/machine.slice/systemd-nspawn@box.service/supervisor", "-", "as above"),
    ("/machine.slice/systemd-nspawn@box.service", "-", "seen: nspawn itself, at first"),
    ("/machine.slice/machine-box.scope", "box", "as above, on version 1"),
    (r"/machine.slice/machine-lxc\x2d123\x2dbox.scope", "lxc-123-box", "libvirt: src/util/virsystemd.c"),
    (r"/machine.slice/machine-qemu\x2d1\x2dbox.scope/libvirt/emulator", "-", "as above: a virtual machine"),
    ("/machine.slice", "-", "as above"),
    ("/web/machine-box.scope", "-", "systemd's scopes lie in slices"),
    // A hybrid host whose controllers of version 1 begin with something of its own.
    ("/HASH", "-", "seen"),
    ("/HASH/web", "-", "seen"),
    ("/HASH/docker/ID", "ID", "seen"),
    ("/HASH/kubepods/besteffort/podUUID/ID", "ID", "seen"),
    ("/lanner-node/kubepods/besteffort/podHASH/ID", "ID", "seen: the disposable node"),
    // What is none.
    ("/", "-", "seen"),
    ("", "-", "seen"),
    ("/init.scope", "-", "systemd"),
    (
        "/user.slice/user-1000.slice/user@1000.service/app.slice/app-org.gnome.Terminal.slice/vte-spawn-UUID.scope",
        "-",
        "vte",
    ),
    (
        "/user.slice/user-1000.slice/user@1000.service/app.slice/app-flatpak-org.mozilla.firefox-123.scope",
        "-",
        "flatpak",
    ),
    ("/user.slice/user-1000.slice/user@1000.service/app.slice/snap.firefox.firefox-UUID.scope", "-", "snapd"),
    ("/user.slice/user-1000.slice/user@1000.service/app.slice/dbus-:1.2-org.gnome.Shell@0.service", "-", "dbus-broker"),
];

#[test]
fn every_known_shape_names_its_container_and_nothing_else_does() {
    for (path, expected, source) in SHAPES {
        let found = innermost(&Text::from(written_out(path).as_str()));
        assert_eq!(found, (*expected != "-").then(|| id(expected)), "{path}: {source}");
    }
}

#[test]
fn nobody_is_taken_for_a_node_who_is_none() {
    for (path, _, source) in SHAPES {
        assert_eq!(outer(&Text::from(written_out(path).as_str())), None, "{path}: {source}");
    }
    let twice = "/docker/ID/docker/ID";
    assert_eq!(outer(&Text::from(written_out(twice).as_str())), None, "{twice}");
}

/// Nodes and builders that are containers: a path, the inner container, and what it is in.
const NESTED: &[(&str, &str, &str, &str)] = &[
    (
        "/docker/OTHER/kubelet/kubepods/besteffort/podUUID/ID",
        "ID",
        "OTHER",
        "kind: images/base/files/usr/local/bin/entrypoint",
    ),
    (
        "/docker/OTHER/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-podUU_ID.slice/cri-containerd-ID.scope",
        "ID",
        "OTHER",
        "as above, systemd",
    ),
    (
        "/system.slice/docker-OTHER.scope/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-podUU_ID.slice/crio-ID.scope/container",
        "ID",
        "OTHER",
        "as above, CRI-O and crun in it",
    ),
    ("/system.slice/docker-OTHER.scope/kubepods/podUUID/ID", "ID", "OTHER", "k3d"),
    ("/docker/OTHER/kubepods/burstable/podUUID/ID", "ID", "OTHER", "k3d"),
    ("/docker/OTHER/docker/ID", "ID", "OTHER", "docker in docker"),
    ("/docker/OTHER/docker/buildkit/BUILD", "BUILD", "OTHER", "a build in docker in docker"),
    ("/kubepods/besteffort/podUUID/OTHER/docker/ID", "ID", "OTHER", "docker in a pod"),
    (
        "/kubepods.slice/kubepods-podUU_ID.slice/cri-containerd-OTHER.scope/libpod_parent/libpod-ID",
        "ID",
        "OTHER",
        "podman in a pod",
    ),
    ("/machine.slice/libpod-OTHER.scope/container/kubepods/burstable/podUUID/ID", "ID", "OTHER", "kind with podman"),
    (
        "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-OTHER.scope/container/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-podUU_ID.slice/cri-containerd-ID.scope",
        "ID",
        "OTHER",
        "kind with podman, rootless",
    ),
    ("/lxc.payload.box/docker/ID", "ID", "box", "docker in LXC"),
    ("/lxc.payload.box/lxc.payload.inner", "inner", "box", "LXC in LXC"),
    ("/lxc/101/ns/system.slice/docker-ID.scope", "ID", "101", "docker in Proxmox"),
    ("/machine.slice/machine-box.scope/payload/system.slice/docker-ID.scope", "ID", "box", "docker in nspawn"),
    ("/docker/OTHER/system.slice/runc-web.scope", "web", "OTHER", "runc beside systemd in a container"),
];

#[test]
fn in_a_node_that_is_itself_a_container_the_inner_one_counts() {
    for (path, inner, around, source) in NESTED {
        let path = Text::from(written_out(path).as_str());
        assert_eq!((innermost(&path), outer(&path)), (Some(id(inner)), Some(id(around))), "{path}: {source}");
    }
}

#[test]
fn who_looks_after_a_nested_container_is_in_the_node() {
    for (path, node) in [
        ("/docker/OTHER/libpod_parent/conmon", "OTHER"),
        ("/docker/OTHER/kubepods.slice/kubepods-podUU_ID.slice/crio-conmon-ID.scope", "OTHER"),
        ("/lxc.payload.box/lxc.monitor.inner", "box"),
        ("/docker/OTHER/machine.slice/machine-box.scope/supervisor", "OTHER"),
    ] {
        assert_eq!(innermost(&Text::from(written_out(path).as_str())), Some(id(node)), "{path}");
    }
}

#[test]
fn an_escaped_name_that_is_none_stays() {
    for (name, expected) in
        [(r"a\x2db", "a-b"), (r"a\x2", r"a\x2"), (r"\x", r"\x"), (r"\xzz\x2d", r"\xzz-"), ("é", "é")]
    {
        assert_eq!(unescape(name.as_bytes()).as_ref(), expected.as_bytes(), "{name}");
    }
}

#[test]
fn nobody_in_a_container_hides_by_what_its_groups_are_called() {
    let made = [
        "conmon",
        "supervisor",
        "libpod-conmon-OTHER",
        "crio-conmon-OTHER.scope",
        "lxc.monitor",
        "buildkit",
        "a.service",
    ];
    for (path, expected, source) in SHAPES.iter().filter(|(_, expected, _)| *expected != "-") {
        // On version 1 nothing tells what lies below nspawn's group from what lies beside it.
        for name in made.into_iter().filter(|name| *name != "supervisor" || !path.contains("/machine-")) {
            let path = written_out(&format!("{path}/{name}"));
            assert_eq!(innermost(&Text::from(path.as_str())), Some(id(expected)), "{path}: {source}");
        }
    }
}
