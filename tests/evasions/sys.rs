//! System calls that the standard library has no safe words for.

use std::ffi::CString;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use lanner_tests::calls::{self, Call, Machine};

/// A system call by its number. Pointers are passed as addresses; what they point to must outlive the call.
pub(crate) fn call(number: libc::c_long, arguments: &[usize]) -> io::Result<usize> {
    let mut all = [0; 6];
    all[..arguments.len()].copy_from_slice(arguments);
    let [a, b, c, d, e, f] = all;
    // SAFETY: the callers pass descriptors, numbers, and addresses of live values of the size that the call wants.
    let result = unsafe { libc::syscall(number, a, b, c, d, e, f) };
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

/// As [`call`], for a call that makes a descriptor.
pub(crate) fn open(number: libc::c_long, arguments: &[usize]) -> io::Result<OwnedFd> {
    let fd = call(number, arguments)?;
    // SAFETY: the kernel has just made it, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// A path as the kernel wants it.
pub(crate) fn path(path: impl AsRef<Path>) -> CString {
    CString::new(path.as_ref().as_os_str().as_bytes()).expect("a path without a NUL")
}

/// The `sockaddr_in` of a port at 127.0.0.1.
pub(crate) fn loopback(port: u16) -> [u8; 16] {
    let mut address = [0u8; 16];
    address[..2].copy_from_slice(&(libc::AF_INET as u16).to_ne_bytes());
    address[2..4].copy_from_slice(&port.to_be_bytes());
    address[4..8].copy_from_slice(&[127, 0, 0, 1]);
    address
}

/// Forks; the child does what it is told and ends. The child's pid.
pub(crate) fn fork(child: impl FnOnce() -> io::Result<()>) -> io::Result<i32> {
    // SAFETY: this process has one thread, so the child may do whatever it could.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            let status = i32::from(child().is_err());
            // SAFETY: ends this process; nothing of the parent's is flushed twice.
            unsafe { libc::_exit(status) }
        }
        pid => Ok(pid),
    }
}

/// A child of vfork, which is told its parent's pid and must kill it: both run on one stack, and what the child does on it
/// leaves the parent nothing to come back to.
pub(crate) fn vfork_to_kill(child: impl FnOnce(u32) -> io::Result<()>) -> io::Result<()> {
    let parent = std::process::id();
    let arguments = [(libc::CLONE_VM | libc::CLONE_VFORK) as u64, 0, 0, 0, libc::SIGCHLD as u64, 0, 0, 0];
    // The kernel holds the parent until the child runs something else or ends.
    call(libc::SYS_clone3, &[arguments.as_ptr() as usize, size_of_val(&arguments)])?;
    let status = i32::from(child(parent).is_err());
    // SAFETY: ends this process.
    unsafe { libc::_exit(status) }
}

/// Waits for a child, which must end well.
pub(crate) fn wait(pid: i32) -> io::Result<()> {
    let mut status = 0;
    // SAFETY: the status is a live local.
    if unsafe { libc::waitpid(pid, &raw mut status, 0) } != pid {
        return Err(io::Error::last_os_error());
    }
    if status == 0 { Ok(()) } else { Err(io::Error::other(format!("the child ended with {status:#x}"))) }
}

/// A child that does nothing until it is told to end.
pub(crate) struct Waiting {
    pub(crate) pid: i32,
    /// When nobody can write any more, it ends.
    until: std::io::PipeWriter,
}

/// Makes one. It shares what was in memory before.
pub(crate) fn waiting() -> io::Result<Waiting> {
    let (mut end, until) = std::io::pipe()?;
    let writer = until.as_raw_fd() as usize;
    let pid = fork(|| {
        call(libc::SYS_close, &[writer])?;
        end.read_to_end(&mut Vec::new()).map(drop)
    })?;
    Ok(Waiting { pid, until })
}

impl Waiting {
    /// Lets it end, and waits for that; as [`wait`].
    pub(crate) fn end(self) -> io::Result<()> {
        drop(self.until);
        wait(self.pid)
    }
}

/// Waits until a traced child stops.
pub(crate) fn stopped(pid: i32) -> io::Result<()> {
    let mut status = 0;
    // SAFETY: the status is a live local.
    match unsafe { libc::waitpid(pid, &raw mut status, 0) } {
        -1 => Err(io::Error::last_os_error()),
        _ if libc::WIFSTOPPED(status) => Ok(()),
        _ => Err(io::Error::other(format!("the child did not stop, but {status:#x}"))),
    }
}

/// Does something in a child, and waits for it.
pub(crate) fn apart(child: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    wait(fork(child)?)
}

/// Begins another image with these arguments and variables. Returns only when it fails.
pub(crate) fn exec(program: impl AsRef<Path>, arguments: &[&str], variables: &[&str]) -> io::Error {
    let (program, arguments, variables) = (path(program), Strings::new(arguments), Strings::new(variables));
    failed(call(libc::SYS_execve, &[program.as_ptr() as usize, arguments.address(), variables.address()]))
}

/// As [`exec`], by `execveat(2)`: a path below an open folder, or with `AT_EMPTY_PATH` an open file itself.
pub(crate) fn exec_at(fd: &impl AsRawFd, program: &str, arguments: &[&str], flags: i32) -> io::Error {
    let (program, arguments, variables) = (path(program), Strings::new(arguments), Strings::new(&[]));
    let (fd, flags) = (fd.as_raw_fd() as usize, flags as usize);
    let all = [fd, program.as_ptr() as usize, arguments.address(), variables.address(), flags];
    failed(call(libc::SYS_execveat, &all))
}

fn failed(outcome: io::Result<usize>) -> io::Error {
    outcome.err().unwrap_or_else(|| io::Error::other("an exec that returns has failed"))
}

/// Arguments or variables as the kernel wants them: pointers to strings, and a null pointer.
struct Strings {
    pointers: Vec<usize>,
    /// What they point to.
    _strings: Vec<CString>,
}

impl Strings {
    fn new(words: &[&str]) -> Self {
        let strings: Vec<CString> = words.iter().map(|w| CString::new(*w).expect("a word without a NUL")).collect();
        let pointers = strings.iter().map(|s| s.as_ptr() as usize).chain([0]).collect();
        Strings { pointers, _strings: strings }
    }

    fn address(&self) -> usize {
        self.pointers.as_ptr() as usize
    }
}

/// A file to run that does nothing, at this path.
pub(crate) fn program(at: impl AsRef<Path>) -> io::Result<()> {
    std::fs::write(&at, crate::elf::nothing())?;
    std::fs::set_permissions(&at, std::fs::Permissions::from_mode(0o755))
}

/// Makes calls by the 32-bit entry, in a 64-bit program of their own.
pub(crate) fn narrow(calls: &[Call]) -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let program = dir.path().join("mixed");
    calls::write(&program, Machine::Mixed, calls)?;
    apart(|| Err(exec(&program, &["mixed"], &[])))
}

/// Why this machine knows no such calls.
pub(crate) fn no_narrow_calls() -> Option<String> {
    narrow(&[]).is_err().then(|| "this kernel takes no 32-bit calls of x86".to_owned())
}
