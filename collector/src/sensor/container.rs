//! Which container a control group's path names.

use lanner_core::event::{ContainerId, Text};

/// What runtimes put before the id: podman and CRI-O with or without a systemd scope, containerd's and docker's scopes.
const PREFIXES: [&[u8]; 6] = [b"libpod-", b"docker-", b"cri-containerd-", b"crio-", b"containerd-", b"nerdctl-"];
/// A directory under which every entry is a container, whatever its name.
const PARENTS: [&[u8]; 3] = [b"k8s.io", b"docker", b"libpod_parent"];

/// The id of the innermost container in a control group's path, such as `/kubepods/besteffort/podX/ID`. Only shapes that
/// runtimes are known to make count: a plain `/NAME` may be anything.
pub(super) fn of_cgroup(path: &Text) -> Option<ContainerId> {
    let parts: Vec<&[u8]> = path.as_bytes().split(|b| *b == b'/').filter(|p| !p.is_empty()).collect();
    parts.iter().enumerate().rev().find_map(|(i, part)| {
        let parent = i.checked_sub(1).and_then(|i| parts.get(i)).copied();
        let id = identify(part, parent)?;
        Some(ContainerId(Text::from(id)))
    })
}

fn identify<'a>(part: &'a [u8], parent: Option<&[u8]>) -> Option<&'a [u8]> {
    let scope = part.strip_suffix(b".scope");
    let bare = scope.unwrap_or(part);
    // Podman's supervisor runs beside the container, in a group named after it.
    if bare.strip_prefix(b"libpod-conmon-").is_some() || bare.strip_prefix(b"crio-conmon-").is_some() {
        return None;
    }
    // A runtime told to use systemd's groups that does not: `SLICE:cri-containerd:ID`.
    let bare = bare.rsplit(|b| *b == b':').next().unwrap_or(bare);
    let prefixed = PREFIXES.iter().find_map(|p| bare.strip_prefix(*p));
    let name = prefixed.unwrap_or(bare);
    if name.len() == 64 && name.iter().all(u8::is_ascii_hexdigit) {
        return Some(name);
    }
    let known_parent = parent.is_some_and(|p| PARENTS.contains(&p));
    // `buildkit` and the like are directories of docker's, not containers; so is anything systemd made.
    let plain = !part.ends_with(b".slice") && !part.ends_with(b".service") && !part.ends_with(b".mount");
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
            ("/user.slice/user-1000.slice/session-2.scope", None),
            ("/system.slice/docker.service", None),
            ("/init.scope", None),
        ];
        for (path, expected) in table {
            let found = of_cgroup(&Text::from(path.replace("ID", ID)));
            let expected = expected.map(|id| ContainerId(Text::from(id.replace("ID", ID))));
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn in_a_node_that_is_itself_a_container_the_inner_one_counts() {
        let inner = ID.replace('3', "4");
        let path = Text::from(format!("/docker/{ID}/kubelet/kubepods/besteffort/pod1/{inner}"));
        assert_eq!(of_cgroup(&path), Some(ContainerId(Text::from(inner.as_str()))));
    }
}
