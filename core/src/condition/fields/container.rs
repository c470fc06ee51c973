//! `container.*` and `k8s.*`: the container that the process's control group names, and what those who run it tell of it.

use std::borrow::Cow;

use super::{ALL, Field, Found, flag, keyed, known, made, number, text, word};
use crate::condition::scratch::Put;
use crate::condition::view::View;
use crate::event::{ContainerId, HostMount, HostNamespace, Label, PodName, Text};

pub(super) const FIELDS: &[Field] = &[
    text("container.id", ALL, "The first 12 characters of the container's id; `host` outside of containers.", |v| {
        match v.container_id() {
            Some(id) => Some(id_of(id)),
            None => host(v),
        }
    }),
    text("container.full_id", ALL, "The container's whole id.", |v| {
        Some(Cow::Borrowed(v.container_id()?.0.as_bytes()))
    }),
    text("container.info", ALL, "The container, for outputs.", |v| match v.container_id() {
        Some(id) => Some(v.put(Put::Container, |out| {
            out.extend_from_slice(b"container_id=");
            out.extend_from_slice(&id_of(id));
            let told = v.container_info();
            for (name, value) in [
                (" container_name=", told.map(|i| &i.name)),
                (" container_image=", told.map(|i| &i.image.reference)),
                (" k8s_ns=", told.and_then(|i| Some(&i.pod.as_ref()?.namespace))),
                (" k8s_pod_name=", told.and_then(|i| Some(&i.pod.as_ref()?.name))),
            ] {
                if let Some(value) = value.filter(|value| !value.is_empty()) {
                    out.extend_from_slice(name.as_bytes());
                    out.extend_from_slice(value.as_bytes());
                }
            }
        })),
        None => word("container_id=host"),
    }),
    text("container.name", ALL, "The container's name; `host` outside of containers.", |v| match v.container_id() {
        Some(_) => known(&v.container_info()?.name),
        None => host(v),
    }),
    text("container.type", ALL, "The runtime: containerd, cri-o, docker, podman; `host` outside of containers.", |v| {
        match v.container_id() {
            Some(_) => known(&v.container_info()?.runtime),
            None => host(v),
        }
    }),
    text("container.image", ALL, "The image's reference: docker.io/library/nginx:1.25.", |v| {
        known(&v.container_info()?.image.reference)
    }),
    text("container.image.id", ALL, "What the runtime calls the image, without `sha256:`.", |v| {
        let id = v.container_info()?.image.id.as_bytes();
        some(id.strip_prefix(b"sha256:").unwrap_or(id))
    }),
    text("container.image.repository", ALL, "The image's reference without its tag and digest.", |v| {
        some(v.container_info()?.image.repository())
    }),
    text("container.image.tag", ALL, "The image's tag.", |v| some(v.container_info()?.image.tag()?)),
    text("container.image.digest", ALL, "What the registry calls the image's content: sha256:...", |v| {
        known(&v.container_info()?.image.digest)
    }),
    flag("container.privileged", ALL, "The container runs with every capability and device.", |v| {
        v.container_info()?.privileged
    }),
    text(
        "container.mounts",
        ALL,
        "What the container was given of its host's files: host:container:mode, with blanks between.",
        |v| {
            let mounts = &v.container_info()?.mounts;
            Some(v.put(Put::Mounts, |out| {
                for (i, mount) in mounts.iter().enumerate() {
                    out.extend_from_slice(if i == 0 { b"" } else { b" " });
                    out.extend_from_slice(mount.host.as_bytes());
                    out.push(b':');
                    out.extend_from_slice(mount.container.as_bytes());
                    out.extend_from_slice(if mount.read_only { b"::false:" } else { b"::true:" });
                }
            }))
        },
    ),
    keyed(
        "container.mount",
        ALL,
        "A mount, by its number or where the container has it: container.mount[/proc].",
        |v, key| {
            let mount = mount(v, key, |mount| &mount.container)?;
            made(format!("{}:{}:{}", mount.host.to_str_lossy(), mount.container.to_str_lossy(), mode(mount)))
        },
    ),
    keyed("container.mount.source", ALL, "Where what is mounted there lies on the host.", |v, key| {
        known(&mount(v, key, |mount| &mount.container)?.host)
    }),
    keyed(
        "container.mount.dest",
        ALL,
        "Where the container has what lies there on the host; `*` and `?` are patterns.",
        |v, key| known(&mount(v, key, |mount| &mount.host)?.container),
    ),
    keyed("container.mount.rdwr", ALL, "true when the container may write there, else false.", |v, key| {
        word(if mount(v, key, |mount| &mount.container)?.read_only { "false" } else { "true" })
    }),
    text("container.labels", ALL, "The container's labels, as key:value, with commas between.", |v| {
        Some(listed(v, Put::Labels, &v.container_info()?.labels))
    }),
    keyed("container.label", ALL, "One of the container's labels: container.label[app].", |v, key| {
        known(v.container_info()?.label(key.as_bytes())?)
    }),
    flag("container.host_pid", ALL, "The container was given its host's pid namespace.", |v| {
        given(v, HostNamespace::Pid)
    }),
    flag("container.host_network", ALL, "The container was given its host's network namespace.", |v| {
        given(v, HostNamespace::Net)
    }),
    flag("container.host_ipc", ALL, "The container was given its host's ipc namespace.", |v| {
        given(v, HostNamespace::Ipc)
    }),
    number("container.start_ts", ALL, "When the container was first seen: nanoseconds since the node booted.", |v| {
        Some(v.container()?.since.0.into())
    }),
    number("container.duration", ALL, "Nanoseconds since the container was first seen.", |v| {
        Some(v.event.header.time.since(v.container()?.since).as_nanos() as i128)
    }),
    text("k8s.ns.name", ALL, "The pod's namespace.", |v| known(&pod(v)?.namespace)),
    text("k8s.pod.name", ALL, "The pod's name.", |v| known(&pod(v)?.name)),
    text("k8s.pod.uid", ALL, "The pod's uid; without dashes as long as only its control group tells it.", uid),
    text("k8s.pod.id", ALL, "The same as k8s.pod.uid.", uid),
    text("k8s.pod.full_sandbox_id", ALL, "The id of the container that holds the pod's namespaces.", |v| {
        known(&pod(v)?.sandbox.as_ref()?.0)
    }),
    text("k8s.pod.sandbox_id", ALL, "The first 12 characters of that id.", |v| {
        some(pod(v)?.sandbox.as_ref()?.short_bytes())
    }),
    text("k8s.pod.labels", ALL, "The pod's labels, as key:value, with commas between.", |v| {
        Some(listed(v, Put::PodLabels, &pod(v)?.labels))
    }),
    keyed("k8s.pod.label", ALL, "One of the pod's labels: k8s.pod.label[app].", |v, key| {
        known(pod(v)?.label(key.as_bytes())?)
    }),
];

/// A container's id, short. One that is called `host` must not be taken for the host.
pub(super) fn id_of(id: &ContainerId) -> Cow<'_, [u8]> {
    match id.short_bytes() {
        b"host" => Cow::Borrowed(b"container:host"),
        short => Cow::Borrowed(short),
    }
}

fn host(view: View<'_>) -> Found<'_> {
    view.task().and_then(|_| word("host"))
}

/// A mount by its number, or the first whose path meets a pattern.
fn mount<'a>(view: View<'a>, key: &str, path: fn(&HostMount) -> &Text) -> Option<&'a HostMount> {
    let mounts = &view.container_info()?.mounts;
    match key.parse::<usize>() {
        Ok(n) => mounts.get(n),
        Err(_) => mounts.iter().find(|mount| is_like(key.as_bytes(), path(mount).as_bytes())),
    }
}

fn mode(mount: &HostMount) -> &'static str {
    if mount.read_only { ":false:" } else { ":true:" }
}

/// Whether a text meets a pattern of `*` (any bytes) and `?` (any one).
fn is_like(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    // Behind the last `*`, and up to where it reaches.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p + 1, t));
                p += 1;
            }
            Some(c) if *c == b'?' || *c == text[t] => (p, t) = (p + 1, t + 1),
            _ => {
                let Some((behind, reach)) = star else { return false };
                star = Some((behind, reach + 1));
                (p, t) = (behind, reach + 1);
            }
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

fn given(view: View<'_>, namespace: HostNamespace) -> Option<bool> {
    Some(view.container_info()?.host_namespaces.contains(&namespace))
}

fn pod(view: View<'_>) -> Option<&PodName> {
    view.container_info()?.pod.as_ref()
}

fn uid(view: View<'_>) -> Found<'_> {
    match pod(view).map(|pod| &pod.uid).filter(|uid| !uid.is_empty()) {
        Some(uid) => known(uid),
        None => Some(Cow::Borrowed(view.container()?.pod.as_ref()?.as_bytes())),
    }
}

fn some(bytes: &[u8]) -> Found<'_> {
    (!bytes.is_empty()).then_some(Cow::Borrowed(bytes))
}

fn listed<'a>(view: View<'a>, what: Put, labels: &[Label]) -> Cow<'a, [u8]> {
    view.put(what, |out| {
        for (i, label) in labels.iter().enumerate() {
            out.extend_from_slice(if i == 0 { b"" } else { b", " });
            out.extend_from_slice(label.key.as_bytes());
            out.push(b':');
            out.extend_from_slice(label.value.as_bytes());
        }
    })
}

#[cfg(test)]
mod tests {
    use super::is_like;

    #[test]
    fn patterns_reach_as_far_as_they_must() {
        for (pattern, text, expected) in [
            ("/proc*", "/proc", true),
            ("/proc*", "/proc/sys", true),
            ("/proc", "/proc/sys", false),
            ("*/a*b", "/x/aab", true),
            ("*/a*b", "/x/aac", false),
            ("/?tc", "/etc", true),
            ("", "", true),
            ("*", "", true),
            ("", "x", false),
        ] {
            assert_eq!(is_like(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
    }
}
