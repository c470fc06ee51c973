//! Which container a control group's path names.
//!
//! Whoever may make control groups may call them what they like. What somebody in a container makes lies below that
//! container's own group, whatever it is called: it can pass for a container in the container, never for the host.

use std::borrow::Cow;

use lanner_core::event::{ContainerId, Text};

/// What runtimes put before the id, with or without a systemd scope: podman, docker, containerd's CRI, CRI-O, nerdctl.
const PREFIXES: [&[u8]; 7] =
    [b"libpod-payload-", b"libpod-", b"docker-", b"cri-containerd-", b"crio-", b"containerd-", b"nerdctl-"];
/// What runtimes that are run alone, by hand or by buildah, put before the name of their container's scope.
const ALONE: [&[u8]; 3] = [b"runc-", b"crun-", b"youki-"];
/// What their supervisors, which run beside the container, put before it.
const SUPERVISORS: [&[u8]; 3] = [b"libpod-conmon-", b"crio-conmon-", b"lxc.monitor"];
/// A directory under which every entry is a container, whatever its name.
const PARENTS: [&[u8]; 3] = [b"k8s.io", b"docker", b"lxc"];
/// Ids of docker, podman and those that run pods are this many hex digits, those of builds this many digits of base 36.
const ID_LEN: usize = 64;
const BUILD_LEN: usize = 25;

/// The innermost container in a control group's path, such as `/kubepods/besteffort/podX/ID`. Only shapes that runtimes
/// are known to make count: a plain `/NAME` may be anything.
pub(crate) fn innermost(path: &Text) -> Option<ContainerId> {
    ids(path.as_bytes()).next().map(|id| ContainerId(Text::from(id.as_ref())))
}

/// The container round the innermost one: a node that is itself a container (kind, k3d, docker in docker).
pub(crate) fn outer(path: &Text) -> Option<ContainerId> {
    let mut ids = ids(path.as_bytes());
    let inner = ids.next()?;
    ids.find(|id| *id != inner).map(|id| ContainerId(Text::from(id.as_ref())))
}

/// The containers that a path names, innermost first.
fn ids(path: &[u8]) -> impl Iterator<Item = Cow<'_, [u8]>> {
    let mut parts = path.rsplit(|b| *b == b'/').filter(|part| !part.is_empty()).peekable();
    let mut below: &[u8] = b"";
    std::iter::from_fn(move || {
        loop {
            let part = parts.next()?;
            let found = identify(part, parts.peek().copied().unwrap_or_default(), below);
            below = part;
            if found.is_some() {
                return found;
            }
        }
    })
}

/// The container that `part` stands for, between the parts above and below it; those are empty where there is none.
fn identify<'a>(part: &'a [u8], above: &[u8], below: &[u8]) -> Option<Cow<'a, [u8]>> {
    let scope = part.strip_suffix(b".scope");
    let bare = scope.unwrap_or(part);
    // A runtime told to use systemd's groups that does not: `SLICE:cri-containerd:ID`.
    let bare = bare.rsplit(|b| *b == b':').next().unwrap_or(bare);
    if SUPERVISORS.iter().any(|prefix| bare.starts_with(prefix)) {
        return None;
    }
    if above.ends_with(b".slice")
        && let Some(name) = machine(part, scope, below)
    {
        return Some(name);
    }
    if let Some(name) = bare.strip_prefix(b"lxc.payload.") {
        return (!name.is_empty()).then_some(name.into());
    }
    if let Some(name) = ALONE.iter().find_map(|prefix| scope?.strip_prefix(*prefix)) {
        return (!name.is_empty()).then_some(name.into());
    }
    let prefixed = PREFIXES.iter().find_map(|prefix| bare.strip_prefix(*prefix));
    let name = prefixed.unwrap_or(bare);
    if name.len() == ID_LEN && name.iter().all(u8::is_ascii_hexdigit) {
        // Podman's pods have ids like those of containers, and are none.
        return (prefixed.is_some() || above != b"libpod_parent").then_some(name.into());
    }
    let build = name.len() == BUILD_LEN && name.iter().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase());
    if build && (above == b"buildkit" || prefixed.is_some() && bare.starts_with(b"docker-")) {
        return Some(name.into());
    }
    // `buildkit` and the like are directories of docker's, not containers; so is anything systemd made.
    let plain = [b".slice".as_slice(), b".service", b".mount", b".scope"].iter().all(|end| !part.ends_with(end));
    (PARENTS.contains(&above) && plain && name != b"buildkit").then_some(name.into())
}

/// A container of systemd's: `machine-NAME.scope` as machined registers it, or `systemd-nspawn@NAME.service`, in which
/// nspawn itself is too. The container's own group is `payload` below that, the root of all that those in it make groups in;
/// version 1 has none. Virtual machines are registered in the same way, and libvirt's say what they are.
fn machine<'a>(part: &'a [u8], scope: Option<&'a [u8]>, below: &[u8]) -> Option<Cow<'a, [u8]>> {
    let name = match scope {
        Some(scope) => scope.strip_prefix(b"machine-").filter(|_| below != b"supervisor"),
        None => part.strip_prefix(b"systemd-nspawn@")?.strip_suffix(b".service").filter(|_| below == b"payload"),
    };
    let name = name.filter(|name| !name.is_empty() && !name.starts_with(br"qemu\x2d"))?;
    Some(unescape(name))
}

/// A unit's name as it was before systemd escaped it: `\x2d` is a dash.
fn unescape(name: &[u8]) -> Cow<'_, [u8]> {
    if !name.contains(&b'\\') {
        return name.into();
    }
    let mut plain = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((first, others)) = rest.split_first() {
        let hex = rest.strip_prefix(br"\x").and_then(|hex| std::str::from_utf8(hex.get(..2)?).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                plain.push(byte);
                rest = &rest[4..];
            }
            None => {
                plain.push(*first);
                rest = others;
            }
        }
    }
    plain.into()
}

#[cfg(test)]
mod tests;
