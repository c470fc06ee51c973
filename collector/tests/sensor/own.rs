//! What this process is, as /proc tells it, and what its children are told as that it makes without a word of their own.

use std::fs;

use lanner_core::event::{Context, Credentials, Namespaces, ProcessKey, Task};

use super::stage::{file_id, namespace};

/// One of the sets of capabilities in `/proc/self/status`, by its name there: `CapEff:`.
pub(crate) fn capabilities(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("own status");
    let line = status.lines().find_map(|l| l.strip_prefix(name)).expect("a line");
    u64::from_str_radix(line.trim(), 16).expect("capabilities")
}

pub(crate) fn namespaces() -> Namespaces {
    let of = |name| namespace("self", name);
    let (mnt, pid, net, uts, ipc, cgroup, user) =
        (of("mnt"), of("pid"), of("net"), of("uts"), of("ipc"), of("cgroup"), of("user"));
    Namespaces { mnt, pid, net, uts, ipc, cgroup, user }
}

/// A child's circumstances, by its name and its pid. Of several control groups `told` says which one the sensor reads.
pub(crate) fn task(told: &Task, parent: ProcessKey, pid: u32, comm: &str) -> Task {
    let groups = fs::read_to_string("/proc/self/cgroup").expect("own control groups");
    assert!(
        groups.lines().any(|l| l.ends_with(&format!(":{}", told.context.cgroup))),
        "{} is one of {groups}",
        told.context.cgroup
    );
    let named = |id: &lanner_core::event::ContainerId| groups.contains(&id.to_string());
    assert!(told.context.container.as_ref().is_none_or(named), "{:?} is in one of {groups}", told.context.container);
    // SAFETY: calls without pointers that cannot fail.
    let (uid, euid, gid, egid, session, group) = unsafe {
        (libc::getuid(), libc::geteuid(), libc::getgid(), libc::getegid(), libc::getsid(0), libc::getpgid(0))
    };
    let login = fs::read_to_string("/proc/self/loginuid").ok().and_then(|s| s.trim().parse().ok());
    Task {
        parent: Some(parent),
        comm: comm.into(),
        ns_pid: pid,
        session: session.cast_unsigned(),
        group: group.cast_unsigned(),
        context: Context {
            pid_namespaces: vec![namespace("self", "pid")],
            creds: Credentials {
                uid,
                euid,
                gid,
                egid,
                login_uid: login.filter(|uid| *uid != u32::MAX),
                cap_effective: capabilities("CapEff:"),
                cap_permitted: capabilities("CapPrm:"),
            },
            tty: terminal().map(|name| name.as_str().into()),
            namespaces: namespaces(),
            root: file_id("/"),
            root_path: None,
            cgroup: told.context.cgroup.clone(),
            container: told.context.container.clone(),
        }
        .into(),
    }
}

/// The controlling terminal, as the kernel calls it.
fn terminal() -> Option<String> {
    let stat = fs::read_to_string("/proc/self/stat").expect("own stat");
    let device = stat.rsplit(')').next().and_then(|rest| rest.split_ascii_whitespace().nth(4)?.parse::<u32>().ok());
    let device = device.expect("a terminal's number, or 0");
    // As the kernel encodes it for programs.
    let (major, minor) = (device >> 8 & 0xfff, device & 0xff | device >> 12 & 0xf_ff00);
    match major {
        0 => None,
        4 if minor < 64 => Some(format!("tty{minor}")),
        4 => Some(format!("ttyS{}", minor - 64)),
        136..=143 => Some(format!("pts{}", minor + (major - 136) * 256)),
        _ => panic!("a terminal of another kind: {major}:{minor}"),
    }
}
