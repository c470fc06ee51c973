//! A container's OCI specification, the `config.json` of its bundle: what runtimes hand to runc. Its annotations say what
//! those who made it wanted to be found there.

use lanner_core::event::{ContainerId, ContainerInfo, HostMount, HostNamespace, ImageName, PodName, Role, ToldBy};
use serde_json::Value;

use super::facts::{self, at};

/// What the specification of a container tells.
pub(super) fn read(id: &ContainerId, config: &[u8]) -> Option<ContainerInfo> {
    let spec: Value = serde_json::from_slice(config).ok()?;
    let mut info = ContainerInfo { id: id.clone(), told_by: ToldBy::Files, ..ContainerInfo::default() };
    describe(&mut info, &spec);
    Some(info)
}

/// Fills in what a specification tells.
pub(super) fn describe(info: &mut ContainerInfo, spec: &Value) {
    let Some(annotations) = spec.get("annotations") else { return places(info, spec) };
    let of = |key: &str| at(annotations, &[key]);
    let first = |keys: [&str; 2]| keys.into_iter().map(of).find(|text| !text.is_empty()).unwrap_or_default();
    let manager = of("io.container.manager");
    if manager == "libpod" {
        info.runtime = "podman".into();
        info.privileged = match of("io.podman.annotations.privileged").as_bytes() {
            b"TRUE" => Some(true),
            b"FALSE" => Some(false),
            _ => None,
        };
    } else if !manager.is_empty() {
        info.runtime = manager;
    } else if !of("io.kubernetes.cri.container-type").is_empty() {
        info.runtime = "containerd".into();
    }
    if first(["io.kubernetes.cri.container-type", "io.kubernetes.cri-o.ContainerType"]) == "sandbox" {
        info.role = Role::Sandbox;
    }
    info.name = first(["io.kubernetes.cri.container-name", "io.kubernetes.container.name"]);
    let image = first(["io.kubernetes.cri.image-name", "io.kubernetes.cri-o.ImageName"]);
    info.image = ImageName { reference: image, ..facts::image("", &of("io.kubernetes.cri-o.ImageRef").to_str_lossy()) };
    let sandbox = first(["io.kubernetes.cri.sandbox-id", "io.kubernetes.cri-o.SandboxID"]);
    // CRI-O keeps the pod's own annotations as JSON inside of one.
    let inner: Option<Value> = serde_json::from_str(&of("io.kubernetes.cri-o.Annotations").to_str_lossy()).ok();
    let source = of(facts::SOURCE);
    info.pod = facts::pod(PodName {
        name: first(["io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name"]),
        namespace: first(["io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace"]),
        uid: first(["io.kubernetes.cri.sandbox-uid", "io.kubernetes.pod.uid"]),
        sandbox: (!sandbox.is_empty()).then_some(ContainerId(sandbox)),
        source: if source.is_empty() { inner.map(|i| at(&i, &[facts::SOURCE])).unwrap_or_default() } else { source },
        labels: Vec::new(),
    });
    if info.created.is_none() {
        info.created = facts::time(&of("io.kubernetes.cri-o.Created").to_str_lossy());
    }
    places(info, spec);
}

/// Mounts and namespaces.
fn places(info: &mut ContainerInfo, spec: &Value) {
    let id = info.id.0.to_str_lossy().into_owned();
    let mounts = spec.get("mounts").and_then(Value::as_array).into_iter().flatten().filter_map(|mount| {
        let options = mount.get("options").and_then(Value::as_array);
        let has = |option: &str| options.is_some_and(|all| all.iter().any(|o| o.as_str() == Some(option)));
        let bound = at(mount, &["type"]) == "bind" || has("bind") || has("rbind");
        let mount =
            HostMount { host: at(mount, &["source"]), container: at(mount, &["destination"]), read_only: has("ro") };
        // A runtime's own files for the container lie in folders named after it.
        let own = mount.host.to_str_lossy().split('/').any(|part| part == id);
        (bound && !own && !is_pods_memory(&mount.host.to_str_lossy())).then_some(mount)
    });
    let mounts: Vec<HostMount> = mounts.collect();
    facts::mount(info, mounts.into_iter());

    let Some(given) = spec.get("linux").and_then(|l| l.get("namespaces")).and_then(Value::as_array) else { return };
    let has = |name: &str| given.iter().any(|namespace| at(namespace, &["type"]) == name);
    let all = [
        (HostNamespace::Pid, "pid"),
        (HostNamespace::Net, "network"),
        (HostNamespace::Ipc, "ipc"),
        (HostNamespace::Uts, "uts"),
    ];
    info.host_namespaces = all.into_iter().filter(|(_, name)| !has(name)).map(|(namespace, _)| namespace).collect();
}

/// The memory that a pod's containers share lies with the one that holds the pod: podman's and CRI-O's
/// `STORAGE/overlay-containers/ID/userdata/shm`.
fn is_pods_memory(host: &str) -> bool {
    let mut parts = host.rsplit('/');
    let ends = parts.next() == Some("shm") && parts.next() == Some("userdata");
    ends && parts.next().is_some_and(|id| id.len() == 64) && parts.next().is_some_and(|f| f.ends_with("-containers"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(spec: Value) -> ContainerInfo {
        read(&ContainerId("abc".into()), spec.to_string().as_bytes()).expect("it is JSON")
    }

    #[test]
    fn containerds_annotations_name_the_pod() {
        let info = of(json!({
            "annotations": {
                "io.kubernetes.cri.container-type": "container",
                "io.kubernetes.cri.container-name": "web",
                "io.kubernetes.cri.image-name": "localhost/busybox:1",
                "io.kubernetes.cri.sandbox-id": "s1",
                "io.kubernetes.cri.sandbox-name": "p",
                "io.kubernetes.cri.sandbox-namespace": "n",
                "io.kubernetes.cri.sandbox-uid": "u",
            },
            "mounts": [
                {"destination": "/proc", "type": "proc", "source": "proc"},
                {"destination": "/usr", "type": "bind", "source": "/usr", "options": ["rbind", "ro"]},
                {"destination": "/etc/hosts", "type": "bind", "source": "/var/lib/kubelet/pods/u/etc-hosts"},
                {"destination": "/x", "type": "bind", "source": "/run/abc/x"},
            ],
            "linux": {"namespaces": [{"type": "ipc", "path": "/proc/1/ns/ipc"}, {"type": "network"}, {"type": "mount"}]},
        }));
        assert_eq!(info.title().map(|t| t.to_string()).as_deref(), Some("n/p/web"));
        assert_eq!((info.role, info.runtime.to_string().as_str()), (Role::Container, "containerd"));
        assert_eq!(info.image.reference, "localhost/busybox:1");
        assert_eq!(info.pod.as_ref().and_then(|p| p.sandbox.clone()), Some(ContainerId("s1".into())));
        assert_eq!(info.host_namespaces, [HostNamespace::Pid, HostNamespace::Uts]);
        let usr = HostMount { host: "/usr".into(), container: "/usr".into(), read_only: true };
        assert_eq!(info.mounts, [usr]);
        assert_eq!(info.privileged, None);
    }

    #[test]
    fn crios_annotations_name_the_pod_and_its_source() {
        let info = of(json!({"annotations": {
            "io.container.manager": "cri-o",
            "io.kubernetes.cri-o.ContainerType": "sandbox",
            "io.kubernetes.cri-o.Annotations": "{\"kubernetes.io/config.source\":\"file\"}",
            "io.kubernetes.cri-o.ImageName": "registry.k8s.io/pause:3.9",
            "io.kubernetes.cri-o.Created": "1970-01-01T00:00:01Z",
            "io.kubernetes.pod.name": "p",
            "io.kubernetes.pod.namespace": "n",
            "io.kubernetes.pod.uid": "u",
        }}));
        assert_eq!((info.role, info.runtime.to_string().as_str()), (Role::Sandbox, "cri-o"));
        assert_eq!(info.pod.as_ref().map(|p| p.source.to_string()).as_deref(), Some("file"));
        assert_eq!((info.title().map(|t| t.to_string()).as_deref(), info.created), (Some("n/p"), Some(1_000_000_000)));
    }

    #[test]
    fn what_a_pod_shares_is_no_mount_of_the_hosts() {
        let storage = format!("/var/lib/containers/storage/overlay-containers/{:064}/userdata", 7);
        let mount = |source: &str| json!({"destination": "/x", "type": "bind", "source": source});
        let all = [format!("{storage}/shm"), storage.clone(), "/dev/shm".to_owned()];
        let info = of(json!({"mounts": all.iter().map(|source| mount(source)).collect::<Vec<_>>()}));
        assert_eq!(info.mounts.iter().map(|m| m.host.to_string()).collect::<Vec<_>>(), all[1..]);
    }

    #[test]
    fn what_is_no_specification_tells_nothing() {
        assert_eq!(read(&ContainerId("a".into()), b"\x00"), None);
        let empty = of(json!([1, 2]));
        assert_eq!((empty.title(), empty.host_namespaces.len()), (None, 0));
    }
}
