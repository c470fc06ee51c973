//! What lies in the guest.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use tempfile::NamedTempFile;

use super::archive::Archive;

/// Debian packages whose programs the tests run, and so have in the guest.
pub(super) const PACKAGES: &[&str] = &[
    "bash",
    "busybox-static",
    "coreutils",
    "dash",
    "findutils",
    "grep",
    "iproute2",
    "libcap2-bin",
    "mount",
    "perl-base",
    "procps",
    "sed",
    "util-linux",
];

/// Where what becomes the guest's root is unpacked.
const ROOT: &str = "/root.d";
/// Directories that a Debian machine has.
const DIRECTORIES: [&str; 10] =
    ["/dev", "/etc", "/home", "/mnt", "/proc", "/root", "/run", "/sys", "/usr/share", "/var/tmp"];
/// Links that a Debian machine has.
const LINKS: [(&str, &str); 4] =
    [("/bin", "usr/bin"), ("/sbin", "usr/sbin"), ("/lib", "usr/lib"), ("/lib64", "usr/lib64")];
/// Files of this machine that tests look at, or programs.
const FILES: [&str; 4] = ["/etc/group", "/etc/passwd", "/etc/nsswitch.conf", "/etc/ld.so.cache"];
/// Files of the guest's own.
const OWN_FILES: [(&str, u32, &str); 4] = [
    ("/etc/hostname", 0o644, "guest\n"),
    ("/etc/hosts", 0o644, "127.0.0.1 localhost\n::1 localhost\n"),
    ("/etc/shadow", 0o640, "root:*:1:0:99999:7:::\n"),
    ("/init", 0o755, include_str!("init.sh")),
];

/// Packs a root in which these modules are loaded and the tests run with these arguments; it is gone when the value is.
pub(super) fn pack(test: &Path, args: &[OsString], modules: &[PathBuf]) -> anyhow::Result<NamedTempFile> {
    let mut file = NamedTempFile::with_prefix("lanner-vm-")?;
    let mut archive = Archive::new(BufWriter::new(file.as_file_mut()));
    let at = |path: &str| format!("{ROOT}{path}");
    archive.copy(Path::new("/bin/busybox"), "/bin/busybox")?;
    archive.file("/init", 0o755, include_str!("initramfs.sh").as_bytes())?;
    for path in DIRECTORIES {
        archive.directory(&at(path))?;
    }
    for (path, target) in LINKS {
        archive.link(&at(path), target)?;
    }
    for path in FILES.iter().filter(|path| Path::new(path).exists()) {
        archive.copy(Path::new(path), &at(path))?;
    }
    for (path, mode, text) in OWN_FILES {
        archive.file(&at(path), mode, text.as_bytes())?;
    }
    archive.file(&at("/args"), 0o644, &one_a_line(args)?)?;
    archive.copy(test, &at("/test"))?;
    archive.directory(&at("/modules"))?;
    for module in modules {
        let name = module.file_name().unwrap_or_default().to_string_lossy();
        archive.copy(module, &at(&format!("/modules/{name}")))?;
    }
    let programs = programs()?;
    let files: BTreeSet<PathBuf> = programs.iter().map(fs::canonicalize).collect::<Result<_, _>>()?;
    for path in files.iter().chain(&libraries(&files, test)?) {
        archive.copy(path, &at(&path.to_string_lossy()))?;
    }
    // Links to programs, by way of whatever else they lead through here.
    for link in programs.iter().filter(|p| !files.contains(*p)) {
        archive.link(&at(&link.to_string_lossy()), &fs::canonicalize(link)?.to_string_lossy())?;
    }
    archive.finish()?.flush()?;
    Ok(file)
}

/// The init script reads them so.
fn one_a_line(args: &[OsString]) -> anyhow::Result<Vec<u8>> {
    let mut lines = Vec::new();
    for arg in args {
        let bytes = arg.as_encoded_bytes();
        ensure!(!bytes.contains(&b'\n'), "an argument of two lines: {}", arg.display());
        lines.extend_from_slice(bytes);
        lines.push(b'\n');
    }
    Ok(lines)
}

/// The packages' programs, in folders that are no links.
fn programs() -> anyhow::Result<BTreeSet<PathBuf>> {
    let listed = Command::new("dpkg").arg("-L").args(PACKAGES).output().context("dpkg does not start")?;
    ensure!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let list = String::from_utf8(listed.stdout)?;
    let mut programs = BTreeSet::new();
    for path in list.lines().map(Path::new).chain([Path::new("/bin/sh")]) {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { continue };
        let is_program = folder.ends_with("bin") || folder.ends_with("sbin");
        // Of what is diverted or an alternative, the link may not be there.
        if is_program && fs::metadata(path).is_ok_and(|file| file.is_file()) {
            programs.insert(fs::canonicalize(folder)?.join(name));
        }
    }
    Ok(programs)
}

/// The libraries that these programs load, under the paths by which they do.
fn libraries(programs: &BTreeSet<PathBuf>, test: &Path) -> anyhow::Result<BTreeSet<PathBuf>> {
    let loads = Command::new("ldd").args(programs).arg(test).output().context("ldd does not start")?;
    // It fails when one of them is a script, or linked statically.
    let list = String::from_utf8(loads.stdout)?;
    let mut libraries = BTreeSet::new();
    for line in list.lines() {
        // `libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x...)` or `/lib64/ld-linux-x86-64.so.2 (0x...)`
        let Some(path) = line.split_whitespace().find(|word| word.starts_with('/') && !word.ends_with(':')) else {
            continue;
        };
        let path = Path::new(path);
        if let (Some(folder), Some(name)) = (path.parent(), path.file_name()) {
            libraries.insert(fs::canonicalize(folder)?.join(name));
        }
    }
    Ok(libraries)
}
