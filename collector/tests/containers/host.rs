//! A host for containers, with a pid, a mount and an ipc namespace of its own: its `/run` and its data are its own, and all
//! of it ends with the test, however that ends.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use lanner_tests::{not_run, wait_for};
use tempfile::TempDir;

/// Programs that the tests run, and the package of Debian's that has them.
const PACKAGES: [(&str, &[&str]); 9] = [
    ("busybox-static", &["busybox"]),
    ("tini", &["tini"]),
    ("docker.io", &["containerd", "ctr", "docker", "dockerd", "runc"]),
    ("podman", &["podman"]),
    ("crun", &["crun"]),
    ("uidmap", &["newuidmap"]),
    ("buildah", &["buildah"]),
    ("lxc", &["lxc-execute"]),
    ("systemd-container", &["systemd-nspawn"]),
];

/// Which control groups the host has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Groups {
    /// Those of the machine.
    Machines,
    /// Version 2 alone, below a group of its own.
    Version2,
}

/// Held by whoever makes control groups of runtimes, whose folders all share: what is empty there may just have been made.
static GROUPS: RwLock<()> = RwLock::new(());

/// As long as this lives, nobody takes empty control groups away.
pub(crate) fn keep_groups() -> RwLockReadGuard<'static, ()> {
    GROUPS.read().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) struct Host {
    keeps_groups: Option<RwLockReadGuard<'static, ()>>,
    /// Its own control group, which its processes see as the root.
    group: Option<PathBuf>,
    child: Child,
    daemons: Vec<Child>,
    init: u32,
    dir: TempDir,
}

impl Host {
    /// `None` (and a word why) where it cannot be made. `needs` names packages.
    pub(crate) fn start(groups: Groups, needs: &[&str]) -> Option<Host> {
        let found = |tool: &&str| {
            ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].iter().any(|folder| Path::new(folder).join(tool).exists())
        };
        let needed = |package: &str| ["busybox-static", "tini"].contains(&package) || needs.contains(&package);
        let missing = PACKAGES.into_iter().filter(|(package, tools)| needed(package) && !tools.iter().all(found));
        let missing: Vec<&str> = missing.map(|(package, _)| package).collect();
        if !missing.is_empty() {
            not_run(format!("Debian's {} missing", missing.join(", ")));
            return None;
        }
        let group = if groups == Groups::Version2 { Some(own_group()?) } else { None };
        // Not under /tmp: overlayfs does not take every file system for a layer.
        let dir = tempfile::Builder::new().prefix("lanner-host-").tempdir_in("/var/tmp").expect("a folder");
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
        let bin = dir.path().join("rootfs/bin");
        fs::create_dir_all(&bin).expect("a folder");
        let busybox = ["/usr/bin/busybox", "/bin/busybox"].into_iter().find(|path| Path::new(path).exists());
        fs::copy(busybox.expect("it was found"), bin.join("busybox")).expect("copied");
        for applet in ["sh", "true", "sleep", "nsenter"] {
            symlink("busybox", bin.join(applet)).expect("linked");
        }
        // systemd-nspawn wants to see something of an operating system.
        for folder in ["usr", "etc", "proc", "sys", "dev", "run", "tmp", "var"] {
            fs::create_dir(dir.path().join("rootfs").join(folder)).expect("a folder");
        }
        let script = format!(
            "mount -t tmpfs tmpfs /run
             for part in docker containerd containers cni lxc; do
                 mkdir -p {0}/$part /var/lib/$part && mount --bind {0}/$part /var/lib/$part
             done
             {1}exec tini -s -- sleep infinity",
            dir.path().display(),
            group.as_ref().map_or(String::new(), |group| format!(
                "echo $$ >{}/cgroup.procs
                 exec unshare --cgroup sh -e -c 'mount -t cgroup2 none /sys/fs/cgroup && \
                     mkdir /sys/fs/cgroup/session && exec tini -s -- sleep infinity'\n",
                group.display()
            ))
        );
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "unshare", "--pid", "--mount", "--ipc", "--fork", "--kill-child"])
            .args(["--mount-proc", "--propagation", "private", "sh", "-e", "-c", &script])
            .current_dir("/")
            .stdin(Stdio::null())
            .spawn()
            .expect("setpriv starts");
        let init = wait_for("the host's first process", || {
            let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id())).ok()?;
            let init = children.trim().parse().ok()?;
            (fs::read_to_string(format!("/proc/{init}/comm")).ok()?.trim() == "tini").then_some(init)
        });
        Some(Host { keeps_groups: Some(keep_groups()), group, child, daemons: Vec::new(), init, dir })
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// What its processes see as `/sys/fs/cgroup/PATH`, as the machine sees it.
    pub(crate) fn group(&self, path: &str) -> String {
        let own = self.group.as_ref().and_then(|group| group.file_name()?.to_str());
        format!("/{}/{path}", own.expect("it has a group of its own"))
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.init.to_string(), "-m", "-p", "-i"]);
        match self.group {
            None => command.arg("--"),
            Some(_) => {
                command.args(["-C", "sh", "-c", "echo $$ >/sys/fs/cgroup/session/cgroup.procs; exec \"$0\" \"$@\""])
            }
        };
        command.args(args).current_dir("/");
        command
    }

    /// Runs a command to its end, and gives what it said.
    pub(crate) fn run(&self, args: &[&str]) -> String {
        let output = self.command(args).stdin(Stdio::null()).output().expect("nsenter starts");
        let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{args:?}: {complained}");
        said.trim().to_owned()
    }

    /// Starts a daemon, and waits until `ready` succeeds.
    pub(crate) fn daemon(&mut self, args: &[&str], ready: &[&str]) {
        let log = fs::File::create(self.dir().join(format!("{}.log", args[0]))).expect("a file");
        let daemon = self
            .command(args)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file"))
            .stderr(log)
            .spawn()
            .expect("it starts");
        self.daemons.push(daemon);
        wait_for(args[0], || {
            let asked = self.command(ready).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
            asked.is_ok_and(|status| status.success()).then_some(())
        });
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // With its first process the kernel ends all others, and the mounts with them.
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.daemons.iter_mut().for_each(|daemon| drop(daemon.wait()));
        wait_for("the host to end", || (!Path::new(&format!("/proc/{}/ns/mnt", self.init)).exists()).then_some(()));
        self.keeps_groups = None;
        // Whoever ends last takes them away.
        if let Ok(_alone) = GROUPS.try_write() {
            for group in ["docker", "libpod_parent", "default"] {
                for hierarchy in fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten() {
                    remove_empty(&hierarchy.path().join(group));
                }
            }
        }
        if let Some(group) = &self.group {
            // Who has been killed stays in it for a moment.
            wait_for("the host's control groups to end", || {
                remove_empty(group);
                (!group.exists()).then_some(())
            });
        }
    }
}

/// A control group of version 2 for one host.
fn own_group() -> Option<PathBuf> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let hierarchies = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].map(Path::new);
    let Some(hierarchy) = hierarchies.into_iter().find(|at| at.join("cgroup.controllers").exists()) else {
        not_run("no control groups of version 2 are mounted");
        return None;
    };
    let n = COUNT.fetch_add(1, Ordering::Relaxed);
    let group = hierarchy.join(format!("lanner-host-{}-{n}", std::process::id()));
    fs::create_dir(&group).expect("root may make groups");
    Some(group)
}

/// Removes the empty control groups below a folder; those in use stay, for they are another's.
fn remove_empty(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            remove_empty(&entry.path());
        }
    }
    let _ = fs::remove_dir(folder);
}
