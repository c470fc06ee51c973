//! Parents that the kernel's iterator left out: some kernels hide their first process from it. Their children know their
//! keys, and `/proc` the rest.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;

use lanner_core::event::{Context, Credentials, Exec, File, FileId, Image, Namespaces, ProcessKey, Task, Text};

use super::container;
use super::family::Found;
use super::proc::Proc;

/// The absent parents of what was found, as far as `/proc` knows them.
pub(super) fn parents(all: &[Found], proc: Proc) -> Vec<Found> {
    // In another pid namespace the children know the machine's pid, which is not the one here.
    if !proc.shows_machine() {
        return Vec::new();
    }
    let known: BTreeSet<(u32, u64)> = all.iter().map(|f| (f.key.pid, f.key.start.0)).collect();
    let named: BTreeSet<(u32, u64)> =
        all.iter().filter_map(|f| f.exec.task.parent).map(|p| (p.pid, p.start.0)).collect();
    named.difference(&known).filter_map(|(pid, start)| read(ProcessKey::new(*pid, *start))).collect()
}

fn read(key: ProcessKey) -> Option<Found> {
    let status = fs::read(format!("/proc/{}/status", key.pid)).ok()?;
    let status = String::from_utf8_lossy(&status).into_owned();
    let exec = Exec { task: task(key.pid, &status), image: image(key.pid) };
    // Asked after: the pid was this process's until now. Kernel threads have no memory to tell the size of.
    let found = Found { key, exec, pids: vec![key.pid], kernel_thread: field(&status, "VmSize:").is_none() };
    Proc::is_process(key.pid, key.start).then_some(found)
}

/// What follows a name at the beginning of a line of `/proc/PID/status`.
fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

fn task(pid: u32, status: &str) -> Task {
    let namespace = |name: &str| {
        let file = fs::metadata(format!("/proc/{pid}/ns/{name}")).ok();
        file.and_then(|f| u32::try_from(f.ino()).ok()).unwrap_or_default()
    };
    let ids = |name: &str| {
        let mut ids = field(status, name).unwrap_or_default().split_ascii_whitespace().map(str::parse);
        let mut next = || ids.next().and_then(Result::ok).unwrap_or_default();
        (next(), next())
    };
    let capabilities = |name| field(status, name).and_then(|hex| u64::from_str_radix(hex, 16).ok()).unwrap_or_default();
    let ((uid, euid), (gid, egid)) = (ids("Uid:"), ids("Gid:"));
    let login = fs::read_to_string(format!("/proc/{pid}/loginuid")).ok().and_then(|uid| uid.trim().parse().ok());
    let namespaces = Namespaces {
        mnt: namespace("mnt"),
        pid: namespace("pid"),
        net: namespace("net"),
        uts: namespace("uts"),
        ipc: namespace("ipc"),
        cgroup: namespace("cgroup"),
        user: namespace("user"),
    };
    let cgroup = Text::from(cgroup(&fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default()));
    Task {
        parent: None,
        comm: Text::from(field(status, "Name:").unwrap_or_default()),
        ns_pid: pid,
        session: field(status, "NSsid:").and_then(|sid| sid.parse().ok()).unwrap_or_default(),
        group: field(status, "NSpgid:").and_then(|pgid| pgid.parse().ok()).unwrap_or_default(),
        context: Context {
            pid_namespaces: if namespaces.pid == 0 { Vec::new() } else { vec![namespaces.pid] },
            creds: Credentials {
                uid,
                euid,
                gid,
                egid,
                login_uid: login.filter(|uid| *uid != u32::MAX),
                cap_effective: capabilities("CapEff:"),
                cap_permitted: capabilities("CapPrm:"),
            },
            tty: None,
            namespaces,
            root: identity(pid, "root"),
            root_path: None,
            container: container::innermost(&cgroup),
            cgroup,
        }
        .into(),
    }
}

/// The path that the programs would take: that of version 2, or of a version 1 controller where it is the root.
fn cgroup(lines: &str) -> &str {
    let of = |controller: &str| {
        lines.lines().find_map(|line| {
            let mut parts = line.splitn(3, ':');
            let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
            controllers.split(',').any(|c| c == controller).then_some(path)
        })
    };
    ["", "pids", "memory"].into_iter().filter_map(of).find(|path| *path != "/").unwrap_or("/")
}

fn image(pid: u32) -> Image {
    let link = |name: &str| {
        let path = fs::read_link(format!("/proc/{pid}/{name}")).map(|path| path.into_os_string().into_vec());
        path.unwrap_or_default()
    };
    let exe = link("exe");
    let (path, deleted) = match exe.strip_suffix(b" (deleted)") {
        Some(path) => (path, true),
        None => (exe.as_slice(), false),
    };
    let exe = File { path: Text::from(path), id: identity(pid, "exe"), truncated: false, deleted, as_passed: false };
    Image { exe, cwd: Text::from(link("cwd")), ..Image::default() }
}

/// Which file a link of `/proc/PID` leads to.
fn identity(pid: u32, link: &str) -> FileId {
    let file = fs::metadata(format!("/proc/{pid}/{link}")).ok();
    file.map(|file| FileId { dev: kernel_dev(file.dev()), ino: file.ino() }).unwrap_or_default()
}

/// A device number as the kernel holds it, from how `stat` tells it.
fn kernel_dev(dev: u64) -> u64 {
    u64::from(libc::major(dev)) << 20 | u64::from(libc::minor(dev))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_control_group_is_the_one_that_the_programs_would_name() {
        assert_eq!(cgroup("12:pids:/a\n3:memory:/0123/a\n0::/b\n"), "/b");
        assert_eq!(cgroup("12:cpu,pids:/a\n3:memory:/0123/a\n0::/\n"), "/a");
        assert_eq!(cgroup("3:memory:/0123/a\n1:name=systemd:/x\n"), "/0123/a");
        assert_eq!(cgroup("0::/\n"), "/");
        assert_eq!(cgroup(""), "/");
    }
}
