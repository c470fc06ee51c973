//! Files that are read, written and linked.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::deed::{Deed, Within};
use crate::place;
use crate::sys;

pub(crate) static CLIMBING: Deed = Deed {
    name: "climbs to a secret",
    falco: "Directory traversal monitored file read",
    it: || {
        std::env::set_current_dir("/usr/lib")?;
        File::open("../../etc/shadow").map(drop)
    },
    nearly: || {
        std::env::set_current_dir("/usr")?;
        File::open("../etc/shadow").map(drop)
    },
    ..Deed::PLAIN
};

/// How old a server is when rules expect it to have read what it needs.
const SETTLED: Duration = Duration::from_millis(5_200);

pub(crate) static READ_LATE: Deed = Deed {
    name: "server reads a secret late",
    falco: "Read sensitive file trusted after startup",
    it: || {
        place::be_called("nginx")?;
        // It is its age that the rule asks for.
        thread::sleep(SETTLED);
        File::open("/etc/shadow").map(drop)
    },
    nearly: || {
        place::be_called("nginx")?;
        File::open("/etc/shadow").map(drop)
    },
    ..Deed::PLAIN
};

pub(crate) static READ: Deed = Deed {
    name: "reads a secret",
    falco: "Read sensitive file untrusted",
    it: || {
        place::be_called("peeker")?;
        File::open("/etc/pam.d/login").or_else(|_| File::open("/etc/shadow")).map(drop)
    },
    nearly: || {
        place::be_called("login")?;
        File::open("/etc/shadow").map(drop)
    },
    ..Deed::PLAIN
};

/// Opens a log, in a folder that nobody else sees.
fn open_log(options: &mut OpenOptions) -> io::Result<()> {
    place::own_mounts()?;
    place::cover("/var")?;
    fs::create_dir("/var/log")?;
    // Made without flags that a rule asks for.
    OpenOptions::new().append(true).create(true).open("/var/log/own")?;
    options.open("/var/log/own").map(drop)
}

pub(crate) static LOG_EMPTIED: Deed = Deed {
    name: "empties a log",
    falco: "Clear Log Activities",
    it: || open_log(OpenOptions::new().write(true).truncate(true)),
    nearly: || open_log(OpenOptions::new().append(true)),
    ..Deed::PLAIN
};

fn link_to(target: &str) -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    symlink(target, folder.path().join("innocent"))
}

pub(crate) static LINK: Deed = Deed {
    name: "links to a secret",
    falco: "Create Symlink Over Sensitive Files",
    it: || link_to("/etc/shadow"),
    nearly: || link_to("/etc/hostname"),
    ..Deed::PLAIN
};

fn name_again(file: &str) -> io::Result<()> {
    place::own_mounts()?;
    place::cover("/etc")?;
    let file = Path::new("/etc").join(file);
    fs::write(&file, "")?;
    fs::hard_link(file, "/etc/innocent")
}

pub(crate) static HARD_LINK: Deed = Deed {
    name: "names a secret again",
    falco: "Create Hardlink Over Sensitive Files",
    it: || name_again("shadow"),
    nearly: || name_again("hostname"),
    ..Deed::PLAIN
};

fn write_in_container(name: &str) -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    sys::apart(|| fs::write(folder.path().join(name), "/own/program"))
}

pub(crate) static LEVER: Deed = Deed {
    name: "sets what the kernel runs",
    falco: "Detect release_agent File Container Escapes",
    within: Within::Container,
    nearly_within: Within::Container,
    it: || write_in_container("release_agent"),
    nearly: || write_in_container("released"),
    ..Deed::PLAIN
};
