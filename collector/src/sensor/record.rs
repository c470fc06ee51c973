//! What the records of all families have in common, read back: times and processes, circumstances, files, addresses.
#![allow(unsafe_code)]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use lanner_collector_abi::{
    AF_INET, AF_INET6, FileFacts, FileFlags, Header, Key, NsFacts, Plain, StdioFacts, StdioTag, TaskFacts,
};
use lanner_core::event::{
    BootTime, Context, Credentials, File, FileId, Namespaces, Origin, ProcessKey, Stdio, StdioKind, Task, Text,
};

use super::container;

/// A record's fixed part, and the tail that is still to be read.
pub(in crate::sensor) struct Reader<'a>(pub(in crate::sensor) &'a [u8]);

impl<'a> Reader<'a> {
    pub(in crate::sensor) fn fixed<R: Plain>(&mut self) -> Option<R> {
        let (head, rest) = self.0.split_at_checked(size_of::<R>())?;
        self.0 = rest;
        // SAFETY: `Plain` types take any bytes, and `head` has as many as this one.
        Some(unsafe { head.as_ptr().cast::<R>().read_unaligned() })
    }

    pub(in crate::sensor) fn bytes(&mut self, len: u16) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(usize::from(len))?;
        self.0 = rest;
        Some(bytes)
    }
}

pub(in crate::sensor) fn live(header: &Header) -> lanner_core::event::Header {
    lanner_core::event::Header {
        seq: 0,
        time: BootTime(header.time),
        cpu: header.cpu,
        process: key(header.process),
        tid: header.tid,
        origin: Origin::Live,
        compat: header.compat != 0,
    }
}

pub(in crate::sensor) fn key(key: Key) -> ProcessKey {
    if key.pid == 0 { ProcessKey::UNKNOWN } else { ProcessKey::new(key.pid, key.start) }
}

pub(in crate::sensor) fn task(facts: &TaskFacts, reader: &mut Reader<'_>) -> Option<Task> {
    let cgroup = path(reader.bytes(facts.cgroup_len)?, facts.cgroup_cut == 0);
    let tty = string(&facts.tty);
    Some(Task {
        parent: (facts.parent.pid != 0).then(|| key(facts.parent)),
        comm: string(&facts.comm),
        ns_pid: facts.pids[0],
        session: facts.session,
        group: facts.group,
        context: Context {
            pid_namespaces: facts.pid_ns[..levels(facts)].to_vec(),
            creds: Credentials {
                uid: facts.uid,
                euid: facts.euid,
                gid: facts.gid,
                egid: facts.egid,
                login_uid: (facts.login_uid != u32::MAX).then_some(facts.login_uid),
                cap_effective: facts.cap_effective,
                cap_permitted: facts.cap_permitted,
            },
            tty: (!tty.is_empty()).then_some(tty),
            root: FileId { dev: facts.root_dev, ino: facts.root_ino },
            root_path: None,
            namespaces: Namespaces { pid: facts.ns.pid, ..namespaces(&facts.ns) },
            container: container::innermost(&cgroup),
            cgroup,
        }
        .into(),
    })
}

pub(in crate::sensor) fn levels(facts: &TaskFacts) -> usize {
    (facts.pid_levels as usize).min(facts.pids.len())
}

/// The namespaces that a process gives to its children: setns and unshare change which pid namespace *they* will be in,
/// never that of the caller.
pub(in crate::sensor) fn namespaces(ns: &NsFacts) -> Namespaces {
    Namespaces {
        mnt: ns.mnt,
        pid: ns.pid_for_children,
        net: ns.net,
        uts: ns.uts,
        ipc: ns.ipc,
        cgroup: ns.cgroup,
        user: ns.user,
    }
}

pub(in crate::sensor) fn file(facts: &FileFacts, reader: &mut Reader<'_>) -> Option<File> {
    let components = reader.bytes(facts.path_len)?;
    if facts.ino == 0 && components.is_empty() {
        return Some(File::default());
    }
    let truncated = facts.flags & FileFlags::CUT != 0;
    let as_passed = facts.flags & FileFlags::AS_PASSED != 0;
    let path = path(components, facts.flags & (FileFlags::CUT | FileFlags::UNMOUNTED) == 0);
    Some(File {
        path: if as_passed { plain(&path) } else { path },
        id: FileId { dev: facts.dev, ino: facts.ino },
        truncated,
        deleted: facts.flags & FileFlags::DELETED != 0,
        as_passed,
    })
}

/// An address as people write it: IPv4 inside IPv6 is IPv4.
pub(in crate::sensor) fn address(family: u32, bytes: [u8; 16]) -> Option<IpAddr> {
    if family == u32::from(AF_INET) {
        return Some(IpAddr::V4(Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3])));
    }
    (family == u32::from(AF_INET6)).then(|| IpAddr::V6(Ipv6Addr::from(bytes)).to_canonical())
}

pub(in crate::sensor) fn stdio(facts: &StdioFacts) -> Stdio {
    let kind = match facts.tag {
        StdioTag::CLOSED => StdioKind::Closed,
        StdioTag::FILE => StdioKind::File,
        StdioTag::DIRECTORY => StdioKind::Directory,
        StdioTag::DEVICE => StdioKind::Device,
        StdioTag::TERMINAL => StdioKind::Terminal,
        StdioTag::PIPE => StdioKind::Pipe,
        StdioTag::SOCKET => StdioKind::Socket,
        _ => StdioKind::Unknown,
    };
    let peer = || Some(SocketAddr::new(address(facts.family, facts.addr)?, facts.port));
    Stdio { kind, ino: facts.ino, peer: if facts.has_peer != 0 { peer() } else { None } }
}

/// Bytes up to the first NUL.
pub(in crate::sensor) fn string(bytes: &[u8]) -> Text {
    Text::from(bytes.split(|b| *b == 0).next().unwrap_or(bytes))
}

/// Components, the last one first and a NUL after each, put together; with `rooted`, from `/` on.
pub(in crate::sensor) fn path(components: &[u8], rooted: bool) -> Text {
    let mut path = Vec::with_capacity(components.len() + 1);
    if rooted {
        path.push(b'/');
    }
    let components = components.strip_suffix(&[0]).unwrap_or(components);
    for (i, part) in components.rsplit(|b| *b == 0).enumerate() {
        if i > 0 {
            path.push(b'/');
        }
        path.extend_from_slice(part);
    }
    Text::from(path)
}

/// A path without what means nothing: `.` and slashes that follow each other. `..` stays, for what lies before it may be a
/// symbolic link.
fn plain(path: &Text) -> Text {
    let bytes = path.as_bytes();
    let parts = bytes.split(|b| *b == b'/').filter(|part| !part.is_empty() && *part != b".");
    let joined = parts.collect::<Vec<_>>().join(&b'/');
    Text::from(if bytes.starts_with(b"/") { [b"/", joined.as_slice()].concat() } else { joined })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_as_passed_keeps_what_only_the_kernel_can_resolve() {
        let passed = |components: &[u8]| plain(&path(components, true)).to_string();
        assert_eq!(passed(b"a//./b\0tmp\0"), "/tmp/a/b");
        assert_eq!(passed(b"/etc/../x/\0"), "/etc/../x");
        assert_eq!(passed(b"/\0"), "/");
        assert_eq!(plain(&Text::from("./a/")), "a");
    }

    #[test]
    fn paths_are_put_together_from_the_end() {
        assert_eq!(path(b"shadow\0etc\0", true), "/etc/shadow");
        assert_eq!(path(b"", true), "/");
        assert_eq!(path(b"memfd:x\0", false), "memfd:x");
        assert_eq!(path(b"c\0b\0", false), "b/c");
    }

    #[test]
    fn ipv4_inside_ipv6_is_ipv4() {
        let mut mapped = [0; 16];
        mapped[10..].copy_from_slice(&[0xff, 0xff, 127, 0, 0, 1]);
        assert_eq!(address(u32::from(AF_INET6), mapped), Some("127.0.0.1".parse().expect("an address")));
        assert_eq!(address(0, mapped), None);
    }
}
