//! The file system that a runtime lives in: the collector's own, or that of another mount namespace, through `/proc`.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, fstat, openat, openat2};

/// More of a file is not read.
const FILE_MAX: u64 = 4 << 20;

/// A root folder. Every path is resolved below it, absolute links too: `/var/run` leads to the runtime's `/run` and not
/// to the collector's, and nothing that lies there leads out of it.
#[derive(Debug)]
pub(super) struct Root(OwnedFd);

impl Root {
    /// The root that process `pid` has, or the collector's own.
    pub(super) fn of(pid: Option<u32>) -> io::Result<Self> {
        let path = pid.map_or("/".to_owned(), |pid| format!("/proc/{pid}/root"));
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Root(openat(CWD, path.as_str(), flags, Mode::empty())?))
    }

    fn open(&self, path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        Ok(openat2(&self.0, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve)?)
    }

    /// A socket; connect to [`Socket::path`] while it lives.
    pub(super) fn socket(&self, path: &Path) -> io::Result<Socket> {
        let file = self.open(path, OFlags::PATH)?;
        match FileType::from_raw_mode(fstat(&file)?.st_mode) {
            FileType::Socket => Ok(Socket(file)),
            _ => Err(io::Error::other("it is no socket")),
        }
    }

    /// A regular file, to read.
    pub(super) fn file(&self, path: &Path) -> io::Result<File> {
        // What is no file must not be waited for.
        let file = File::from(self.open(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)?);
        if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is no regular file")) }
    }

    /// What a regular file holds.
    pub(super) fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file(path)?.take(FILE_MAX + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > FILE_MAX {
            return Err(io::Error::other("it is too long"));
        }
        Ok(bytes)
    }
}

/// A socket's file, wherever it lies.
#[derive(Debug)]
pub(super) struct Socket(OwnedFd);

impl Socket {
    /// Its path here, short enough for any address.
    pub(super) fn path(&self) -> String {
        format!("/proc/self/fd/{}", self.0.as_raw_fd())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::{UnixListener, UnixStream};

    #[test]
    fn links_stay_below_the_root() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = |name: &str| dir.path().join(name);
        std::fs::create_dir(path("etc")).expect("made");
        std::fs::write(path("etc/hostname"), "inner").expect("written");
        symlink("/etc/hostname", path("absolute")).expect("linked");
        symlink("../../../../../../etc/hostname", path("up")).expect("linked");
        let root = Root(openat(CWD, dir.path(), OFlags::PATH | OFlags::DIRECTORY, Mode::empty()).expect("opened"));
        for name in ["/etc/hostname", "/absolute", "/up"] {
            assert_eq!(root.read(Path::new(name)).expect(name), b"inner", "{name}");
        }
        assert!(root.read(Path::new("/etc")).is_err(), "a folder is no file");
    }

    #[test]
    fn a_socket_is_reached_however_deep_it_lies() {
        let dir = tempfile::tempdir().expect("a folder");
        let deep = dir.path().join("x".repeat(120));
        std::fs::create_dir(&deep).expect("made");
        let root = Root(openat(CWD, &deep, OFlags::PATH | OFlags::DIRECTORY, Mode::empty()).expect("opened"));
        let fd = root.0.as_raw_fd();
        let _listener = UnixListener::bind(format!("/proc/self/fd/{fd}/s")).expect("bound");
        let socket = root.socket(Path::new("/s")).expect("found");
        UnixStream::connect(socket.path()).expect("connected");
        std::fs::write(deep.join("file"), "").expect("written");
        assert!(root.socket(Path::new("/file")).is_err());
    }
}
