//! Which container a control group's path names.

use lanner_core::event::{ContainerId, Text};

/// What runtimes put before the id, with or without a systemd scope: podman, docker, containerd's CRI, CRI-O, nerdctl.
const PREFIXES: [&[u8]; 7] =
    [b"libpod-payload-", b"libpod-", b"docker-", b"cri-containerd-", b"crio-", b"containerd-", b"nerdctl-"];
/// What their supervisors, which run beside the container, put before it.
const SUPERVISORS: [&[u8]; 2] = [b"libpod-conmon-", b"crio-conmon-"];
/// A directory under which every entry is a container, whatever its name.
const PARENTS: [&[u8]; 2] = [b"k8s.io", b"docker"];

/// The innermost container in a control group's path, such as `/kubepods/besteffort/podX/ID`. Only shapes that runtimes
/// are known to make count: a plain `/NAME` may be anything.
pub(crate) fn innermost(path: &Text) -> Option<ContainerId> {
    ids(path.as_bytes()).next().map(|id| ContainerId(Text::from(id)))
}

/// The container round the innermost one: a node that is itself a container (kind, k3d, docker in docker).
pub(crate) fn outer(path: &Text) -> Option<ContainerId> {
    let mut ids = ids(path.as_bytes());
    let inner = ids.next()?;
    ids.find(|id| *id != inner).map(|id| ContainerId(Text::from(id)))
}

/// The containers that a path names, innermost first.
fn ids(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut parts = path.rsplit(|b| *b == b'/').filter(|part| !part.is_empty()).peekable();
    std::iter::from_fn(move || {
        loop {
            let part = parts.next()?;
            if let Some(id) = identify(part, parts.peek().copied()) {
                return Some(id);
            }
        }
    })
}

fn identify<'a>(part: &'a [u8], parent: Option<&[u8]>) -> Option<&'a [u8]> {
    let bare = part.strip_suffix(b".scope").unwrap_or(part);
    // A runtime told to use systemd's groups that does not: `SLICE:cri-containerd:ID`.
    let bare = bare.rsplit(|b| *b == b':').next().unwrap_or(bare);
    if SUPERVISORS.iter().any(|prefix| bare.starts_with(prefix)) {
        return None;
    }
    let prefixed = PREFIXES.iter().find_map(|prefix| bare.strip_prefix(*prefix));
    let name = prefixed.unwrap_or(bare);
    if name.len() == 64 && name.iter().all(u8::is_ascii_hexdigit) {
        // Podman's pods have ids like those of containers, and are none.
        return (prefixed.is_some() || parent != Some(b"libpod_parent")).then_some(name);
    }
    let known_parent = parent.is_some_and(|parent| PARENTS.contains(&parent));
    // `buildkit` and the like are directories of docker's, not containers; so is anything systemd made.
    let plain = [b".slice".as_slice(), b".service", b".mount", b".scope"].iter().all(|end| !part.ends_with(end));
    (known_parent && plain && name != b"buildkit").then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "3f2b8d1c4a5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8";

    #[test]
    fn every_known_shape_names_its_container_and_nothing_else_does() {
        let table = [
            ("/docker/ID", Some("ID")),
            ("/docker/ID/system.slice", Some("ID")),
            ("/libpod_parent/OTHER", None),
            ("/libpod_parent/OTHER/libpod-ID", Some("ID")),
            ("/machine.slice/machine-libpod_pod_OTHER.slice/libpod-ID.scope/container", Some("ID")),
            ("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-ID.scope/container", Some("ID")),
            ("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-conmon-ID.scope", None),
            ("/user.slice/user-1000.slice/session-2.scope/libpod-payload-ID", Some("ID")),
            ("/user.slice/user-1000.slice/user@1000.service/app.slice/docker.service/docker/ID", Some("ID")),
            ("/kubepods/burstable/pod0fd4a1a8-36f8-4dbc-93b1-1b2f0b8de9a7/crio-ID", Some("ID")),
            ("/kubepods/pod0fd4a1a8-36f8-4dbc-93b1-1b2f0b8de9a7/crio-conmon-ID", None),
            ("/kubepods.slice/kubepods-pod0fd4.slice/crio-ID.scope/container", Some("ID")),
            ("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0fd4.slice:cri-containerd:ID", Some("ID")),
            ("/system.slice/nerdctl-ID.scope", Some("ID")),
            ("/ecs/0123456789abcdef/ID", Some("ID")),
            ("/k3s/kubepods/besteffort/pod0fd4/ID", Some("ID")),
            ("/lanner-node/kubepods/besteffort/pod0123456789abcdef0123456789abcdef/ID", Some("ID")),
            ("/libpod_parent/libpod-ID", Some("ID")),
            ("/machine.slice/libpod-ID.scope", Some("ID")),
            ("/machine.slice/libpod-ID.scope/container", Some("ID")),
            ("/machine.slice/libpod-conmon-ID.scope", None),
            ("/kubepods/besteffort/pod0fd4a1a8-36f8-4dbc-93b1-1b2f0b8de9a7/ID", Some("ID")),
            ("/kubepods/burstable/pod0fd4a1a836f84dbc93b11b2f0b8de9a7/ID", Some("ID")),
            ("/kubepods/burstable/pod0fd4a1a836f84dbc93b11b2f0b8de9a7", None),
            (
                "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod0fd4.slice/cri-containerd-ID.scope",
                Some("ID"),
            ),
            ("/kubepods.slice/kubepods-pod0fd4.slice/crio-ID.scope", Some("ID")),
            ("/kubepods.slice/kubepods-pod0fd4.slice/crio-conmon-ID.scope", None),
            ("/kubepods.slice/kubepods-pod0fd4.slice/docker-ID.scope", Some("ID")),
            ("/kubepods.slice/kubepods-pod0fd4.slice", None),
            ("/system.slice/docker-ID.scope", Some("ID")),
            ("/system.slice/docker-ID.scope/system.slice/cron.service", Some("ID")),
            ("/system.slice/containerd.service/kubepods-besteffort-pod0fd4.slice:cri-containerd:ID", Some("ID")),
            ("/k8s.io/web", Some("web")),
            ("/k8s.io/ID", Some("ID")),
            ("/docker/buildkit", None),
            ("/docker/buildkit/ID", Some("ID")),
            ("/web", None),
            ("/", None),
            ("", None),
            ("/0123456789abcdef0123456789abcdef/web", None),
            ("/0123456789abcdef0123456789abcdef/docker/ID", Some("ID")),
            ("/0123456789abcdef0123456789abcdef", None),
            ("/0123456789abcdef0123456789abcdef/kubepods/besteffort/pod0fd4/ID", Some("ID")),
            ("/docker/ID.slice", None),
            ("docker/ID", Some("ID")),
            ("/user.slice/user-1000.slice/session-2.scope", None),
            ("/system.slice/docker.service", None),
            ("/init.scope", None),
        ];
        for (path, expected) in table {
            let path = path.replace("OTHER", &ID.replace('3', "4")).replace("ID", ID);
            let found = innermost(&Text::from(path.as_str()));
            let expected = expected.map(|id| ContainerId(Text::from(id.replace("ID", ID))));
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn in_a_node_that_is_itself_a_container_the_inner_one_counts() {
        let inner = ID.replace('3', "4");
        for path in [
            format!("/docker/{ID}/kubelet/kubepods/besteffort/pod1/{inner}"),
            format!(
                "/docker/{ID}/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod1.slice/cri-containerd-{inner}.scope"
            ),
            format!("/system.slice/docker-{ID}.scope/kubepods/pod1/{inner}"),
            format!("/docker/{ID}/docker/{inner}"),
            format!("/machine.slice/libpod-{ID}.scope/container/kubepods/burstable/pod1/{inner}"),
        ] {
            let path = Text::from(path);
            assert_eq!(innermost(&path), Some(ContainerId(Text::from(inner.as_str()))), "{path}");
            assert_eq!(outer(&path), Some(ContainerId(Text::from(ID))), "{path}");
        }
        for path in [format!("/docker/{ID}"), format!("/docker/{ID}/docker/{ID}"), "/".to_owned()] {
            assert_eq!(outer(&Text::from(path.as_str())), None, "{path}");
        }
    }
}
