//! The works: each about a second, so that what begins and ends it does not count, and bounded.

use std::fs::{self, File, Permissions};
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Something that programs do.
pub(crate) struct Work {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) perform: fn() -> io::Result<()>,
}

/// All of them, in the order in which they are measured.
pub(crate) const WORKS: &[Work] = &[
    Work { name: "exec", what: "1,000 programs that do nothing", perform: exec },
    Work { name: "open", what: "200,000 times a file opened to read", perform: open },
    Work { name: "write", what: "40,000 times a file opened to write", perform: write },
    Work { name: "tcp", what: "10,000 connections over loopback", perform: tcp },
    Work { name: "names", what: "40,000 changes of modes and names", perform: names },
    Work { name: "build", what: "12 small files of C compiled and linked", perform: build },
];

pub(crate) fn named(name: &str) -> io::Result<&'static Work> {
    let names = || WORKS.iter().map(|work| work.name).collect::<Vec<_>>().join(", ");
    let found = WORKS.iter().find(|work| work.name == name);
    found.ok_or_else(|| io::Error::other(format!("there is no work {name}; there are {}", names())))
}

fn run(command: &mut Command) -> io::Result<()> {
    let status = command.stdin(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("{command:?}: {status}"))) }
}

fn exec() -> io::Result<()> {
    (0..1_000).try_for_each(|_| run(&mut Command::new("/bin/true")))
}

fn open() -> io::Result<()> {
    (0..200_000).try_for_each(|_| File::open("/etc/passwd").map(drop))
}

fn write() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("log");
    (0..40_000).try_for_each(|_| File::create(&path).map(drop))
}

fn tcp() -> io::Result<()> {
    // A network of its own: what is closed keeps its port for a minute.
    // SAFETY: no pointers; this process has one thread.
    if unsafe { libc::unshare(libc::CLONE_NEWNET) } != 0 {
        return Err(io::Error::last_os_error());
    }
    run(Command::new("ip").args(["link", "set", "lo", "up"]))?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let there = listener.local_addr()?;
    (0..10_000).try_for_each(|_| {
        let out = TcpStream::connect(there)?;
        let (accepted, _) = listener.accept()?;
        drop(out);
        drop(accepted);
        Ok(())
    })
}

fn names() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let (one, other) = (dir.path().join("one"), dir.path().join("other"));
    fs::write(&one, "")?;
    (0..10_000).try_for_each(|n| {
        fs::set_permissions(&one, Permissions::from_mode(0o600 | (n & 1)))?;
        fs::rename(&one, &other)?;
        fs::set_permissions(&other, Permissions::from_mode(0o640 | (n & 1)))?;
        fs::rename(&other, &one)
    })
}

fn build() -> io::Result<()> {
    const HEADERS: [&str; 6] = ["stdio", "stdlib", "string", "sys/socket", "netinet/in", "pthread"];
    let dir = tempfile::tempdir()?;
    let at = |n: usize, kind: &str| dir.path().join(format!("part{n}.{kind}"));
    let cc = |args: &[&Path], words: &[&str]| run(Command::new("cc").args(words).args(args));
    let includes: String = HEADERS.iter().map(|name| format!("#include <{name}.h>\n")).collect();
    for n in 0..12 {
        let last = if n == 11 { "int main(void) { return part0(0); }\n" } else { "" };
        let text =
            format!("{includes}int part0(int);\nint part{n}(int a) {{ return printf(\"%d\", a) + {n}; }}\n{last}");
        fs::write(at(n, "c"), text)?;
        cc(&[&at(n, "o"), &at(n, "c")], &["-O1", "-c", "-o"])?;
    }
    let all: Vec<_> = std::iter::once(dir.path().join("program")).chain((0..12).map(|n| at(n, "o"))).collect();
    let all: Vec<&Path> = all.iter().map(AsRef::as_ref).collect();
    cc(&all, &["-o"])
}
