//! Control groups as container runtimes make them, and private views of the file system and the network.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::sys;

/// Where version 2 of the control groups is mounted: by itself, or beside version 1.
const HIERARCHIES: [&str; 2] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];

/// A control group such as Docker makes for a container; nothing else makes it one.
#[derive(Debug)]
pub(crate) struct Container {
    pub(crate) id: String,
    folder: PathBuf,
}

impl Container {
    /// Makes one; `n` tells those of this process apart.
    pub(crate) fn new(n: u64) -> io::Result<Container> {
        let hierarchy = HIERARCHIES.into_iter().find(|at| Path::new(at).join("cgroup.controllers").exists());
        let hierarchy = hierarchy.ok_or_else(|| io::Error::other("no control groups of version 2 are mounted"))?;
        let id = format!("{:064x}", u128::from(std::process::id()) << 72 | u128::from(n + 0xdeed));
        let folder = Path::new(hierarchy).join(own_parent()).join(&id);
        fs::create_dir_all(&folder)?;
        Ok(Container { id, folder })
    }

    pub(crate) fn folder(&self) -> &str {
        self.folder.to_str().unwrap_or_default()
    }

    /// Takes it away, once all that ran in it has ended.
    pub(crate) fn remove(&self) {
        // Another's may still lie beside it.
        let _ = fs::remove_dir(&self.folder);
        let _ = self.folder.parent().map(fs::remove_dir);
        let _ = self.folder.parent().and_then(Path::parent).map(fs::remove_dir);
    }
}

fn own_parent() -> String {
    format!("lanner-deeds-{}/docker", std::process::id())
}

/// Enters a control group and begins again there, with these arguments: a process is known to be in a container from its
/// next exec on.
pub(crate) fn enter(group: &str, arguments: &[&str]) -> io::Result<()> {
    if !group.is_empty() {
        fs::write(Path::new(group).join("cgroup.procs"), "0")?;
    }
    Err(Command::new(std::env::current_exe()?).args(arguments).exec())
}

/// A mount namespace of its own, where nothing leads back to the node's.
pub(crate) fn own_mounts() -> io::Result<()> {
    sys::call(libc::SYS_unshare, &[libc::CLONE_NEWNS as usize])?;
    mount("none", "/", "", libc::MS_REC | libc::MS_PRIVATE, "")
}

/// An empty folder over this one, for this process and its children alone.
pub(crate) fn cover(folder: &str) -> io::Result<()> {
    mount("tmpfs", folder, "tmpfs", 0, "")
}

pub(crate) fn mount(source: &str, target: &str, kind: &str, flags: libc::c_ulong, data: &str) -> io::Result<()> {
    let text = |text: &str| CString::new(text).map_err(io::Error::other);
    let (source, target, kind, data) = (text(source)?, text(target)?, text(kind)?, text(data)?);
    let all = [&source, &target, &kind].map(|text| text.as_ptr() as usize);
    sys::call(libc::SYS_mount, &[all[0], all[1], all[2], flags as usize, data.as_ptr() as usize]).map(drop)
}

/// A network of its own, where nothing but this address, and loopback's, can be reached.
pub(crate) fn own_network(address: Option<[u8; 4]>) -> io::Result<()> {
    sys::call(libc::SYS_unshare, &[libc::CLONE_NEWNET as usize])?;
    let kind = (libc::SOCK_DGRAM | libc::SOCK_CLOEXEC) as usize;
    let socket = sys::open(libc::SYS_socket, &[libc::AF_INET as usize, kind, 0])?;
    // struct ifreq: a name, and an address or flags.
    let mut request = [0_u8; 40];
    request[..2].copy_from_slice(b"lo");
    let ioctl = |number: libc::c_ulong, request: &mut [u8; 40]| {
        let all = [socket.as_raw_fd() as usize, number as usize, request.as_mut_ptr() as usize];
        sys::call(libc::SYS_ioctl, &all).map(drop)
    };
    request[16..18].copy_from_slice(&(libc::IFF_UP as u16).to_ne_bytes());
    ioctl(libc::SIOCSIFFLAGS, &mut request)?;
    let Some(address) = address else { return Ok(()) };
    request[..4].copy_from_slice(b"lo:1");
    request[16..18].copy_from_slice(&(libc::AF_INET as u16).to_ne_bytes());
    request[20..24].copy_from_slice(&address);
    ioctl(libc::SIOCSIFADDR, &mut request)
}

/// Gives this process a name.
pub(crate) fn be_called(name: &str) -> io::Result<()> {
    let name = CString::new(name).map_err(io::Error::other)?;
    sys::call(libc::SYS_prctl, &[libc::PR_SET_NAME as usize, name.as_ptr() as usize]).map(drop)
}

/// Runs a program that does nothing, of this name and in this folder, to its end; its first argument is that of the list.
pub(crate) fn run(folder: &Path, name: &str, arguments: &[&str]) -> io::Result<()> {
    let path = folder.join(name);
    sys::program(&path)?;
    sys::apart(|| Err(sys::exec(&path, arguments, &[])))
}

/// As [`run`], in a folder of its own.
pub(crate) fn run_somewhere(name: &str, arguments: &[&str]) -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    run(folder.path(), name, arguments)
}
