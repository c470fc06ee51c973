//! A compiler for in-kernel programs: it needs `core` for a target that stable toolchains do not ship, and a linker that
//! emits BTF. Two ways lead there. With rustup's nightly, rust-src and bpf-linker on the path, those are used. On Debian
//! without them, the distribution's own rustc, which ships that `core`, is unpacked into a private folder, and a
//! bpf-linker is built against the LLVM of the toolchain that builds this program: two minutes, once.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};

const LINKER_VERSION: &str = "0.13.0";

/// How to build.
pub(super) struct Toolchain {
    /// The compiler; `None`: rustup's nightly.
    rustc: Option<PathBuf>,
    linker: PathBuf,
    /// Where the linker finds its LLVM.
    llvm: Option<PathBuf>,
}

impl Toolchain {
    /// The toolchain that is there, or a new one in `prefix`.
    pub(super) fn find(prefix: Option<&Path>) -> anyhow::Result<Self> {
        if prefix.is_none() && has_nightly() && runs("bpf-linker", &["--version"]) {
            return Ok(Toolchain { rustc: None, linker: "bpf-linker".into(), llvm: None });
        }
        let prefix = prefix.map_or_else(cache, |p| Ok(p.to_path_buf()))?;
        let rustc = prefix.join("rustc");
        let linker = prefix.join("bin/bpf-linker");
        if !rustc.exists() {
            unpack(&prefix)?;
        }
        let llvm = sysroot("rustc")?.join("lib");
        if !linker.exists() {
            build_linker(&prefix, &llvm)?;
        }
        Ok(Toolchain { rustc: Some(rustc), linker, llvm: Some(llvm) })
    }

    /// Cargo, set up for this compiler.
    pub(super) fn cargo(&self) -> Command {
        let mut cargo;
        match &self.rustc {
            Some(rustc) => {
                cargo = Command::new("cargo");
                cargo.env("RUSTC", rustc).env("RUSTC_BOOTSTRAP", "1");
            }
            None => {
                cargo = Command::new("rustup");
                cargo.args(["run", "nightly", "cargo", "-Zbuild-std=core"]);
            }
        }
        // What the cargo that runs this command tells its children is about another compiler.
        for name in ["RUSTFLAGS", "RUSTUP_TOOLCHAIN", "CARGO"] {
            cargo.env_remove(name);
        }
        self.with_llvm(cargo)
    }

    /// The program that links.
    pub(super) fn linker_path(&self) -> &Path {
        &self.linker
    }

    /// Version of the compiler and its LLVM.
    pub(super) fn compiler(&self) -> anyhow::Result<String> {
        let verbose = match &self.rustc {
            Some(rustc) => output(Command::new(rustc).arg("-vV"))?,
            None => output(Command::new("rustup").args(["run", "nightly", "rustc", "-vV"]))?,
        };
        let line = |prefix: &str| verbose.lines().find(|l| l.starts_with(prefix)).unwrap_or_default().to_owned();
        Ok(format!("{}, {}", line("rustc "), line("LLVM version")))
    }

    /// Version of the linker and its LLVM.
    pub(super) fn linker(&self) -> anyhow::Result<String> {
        let version = output(&mut self.with_llvm({
            let mut linker = Command::new(&self.linker);
            linker.arg("--version");
            linker
        }))?;
        Ok(version.lines().next().unwrap_or_default().trim().to_owned())
    }

    /// Where cargo unpacks crates.
    pub(super) fn registry(&self) -> anyhow::Result<PathBuf> {
        let home = match std::env::var_os("CARGO_HOME") {
            Some(home) => PathBuf::from(home),
            None => home()?.join(".cargo"),
        };
        let sources = home.join("registry/src");
        // One folder for each registry; its name tells which, and is no business of the object.
        let mut entries = std::fs::read_dir(&sources).with_context(|| sources.display().to_string())?;
        match entries.next() {
            Some(entry) => Ok(entry?.path()),
            None => Ok(sources),
        }
    }

    /// Where the standard library's sources lie, as debug information names them.
    pub(super) fn library(&self) -> anyhow::Result<PathBuf> {
        let sysroot = match &self.rustc {
            Some(rustc) => output(Command::new(rustc).args(["--print", "sysroot"]))?,
            None => output(Command::new("rustup").args(["run", "nightly", "rustc", "--print", "sysroot"]))?,
        };
        Ok(Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library"))
    }

    fn with_llvm(&self, mut command: Command) -> Command {
        if let Some(llvm) = &self.llvm {
            let mut paths = OsString::from(llvm);
            if let Some(inherited) = std::env::var_os("LD_LIBRARY_PATH") {
                paths.push(":");
                paths.push(inherited);
            }
            command.env("LD_LIBRARY_PATH", paths);
        }
        command
    }
}

fn has_nightly() -> bool {
    Command::new("rustup")
        .args(["run", "nightly", "rustc", "--print", "sysroot"])
        .output()
        .is_ok_and(|o| o.status.success() && has_library(&String::from_utf8_lossy(&o.stdout)))
}

fn has_library(sysroot: &str) -> bool {
    Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library").is_dir()
}

fn runs(program: &str, args: &[&str]) -> bool {
    Command::new(program).args(args).output().is_ok_and(|o| o.status.success())
}

fn home() -> anyhow::Result<PathBuf> {
    std::env::var_os("HOME").map(PathBuf::from).context("HOME is not set: pass --prefix")
}

fn cache() -> anyhow::Result<PathBuf> {
    let cache = match std::env::var_os("XDG_CACHE_HOME") {
        Some(cache) => PathBuf::from(cache),
        None => home()?.join(".cache"),
    };
    Ok(cache.join("lanner-ebpf"))
}

fn sysroot(rustc: &str) -> anyhow::Result<PathBuf> {
    Ok(PathBuf::from(output(Command::new(rustc).args(["--print", "sysroot"]))?.trim()))
}

fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("{command:?} does not start"))?;
    ensure!(output.status.success(), "{command:?} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(String::from_utf8(output.stdout)?)
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("{command:?} does not start"))?;
    ensure!(status.success(), "{command:?} failed");
    Ok(())
}

/// Debian's rustc with its `core` for BPF, unpacked and never installed, behind a script that finds its libraries.
fn unpack(prefix: &Path) -> anyhow::Result<()> {
    if !runs("apt-get", &["--version"]) {
        bail!(
            "no compiler for in-kernel programs: `rustup toolchain install nightly --component rust-src` and \
             `cargo install bpf-linker --version {LINKER_VERSION}` give one"
        );
    }
    let (debs, root) = (prefix.join("debs"), prefix.join("root"));
    std::fs::create_dir_all(&debs)?;
    std::fs::create_dir_all(&root)?;
    run(Command::new("apt-get").args(["update", "-qq"]))?;
    let std = dependency(&["libstd-rust-web-dev"], "libstd-rust-web-")?;
    let llvm = dependency(&[&std, "rustc-web"], "libllvm")?;
    let packages = ["rustc-web", &std, "libstd-rust-web-dev", "libstd-rust-web-dev-bpf", &llvm];
    run(Command::new("apt-get").args(["download", "-qq"]).args(packages).current_dir(&debs))?;
    for deb in std::fs::read_dir(&debs)? {
        run(Command::new("dpkg-deb").arg("-x").arg(deb?.path()).arg(&root))?;
    }
    let mut files = Vec::new();
    walk(&root, &mut files)?;
    let rustc = files.iter().find(|f| f.ends_with("bin/rustc")).context("the packages have no rustc")?;
    let target = files
        .iter()
        .find(|f| f.components().any(|c| c.as_os_str() == "bpfel-unknown-none"))
        .and_then(|f| f.ancestors().find(|a| a.ends_with("lib/rustlib")))
        .and_then(|rustlib| rustlib.parent()?.parent())
        .context("the packages have no `core` for bpfel-unknown-none")?;
    let is_library = |name: &str| {
        name.contains(".so") && ["libLLVM", "librustc_driver-", "libstd-"].iter().any(|p| name.starts_with(p))
    };
    let mut libraries: Vec<&Path> = files
        .iter()
        .filter(|f| f.file_name().is_some_and(|n| is_library(&n.to_string_lossy())))
        .filter_map(|f| f.parent())
        .collect();
    libraries.sort_unstable();
    libraries.dedup();
    let script = format!(
        "#!/bin/sh\nLD_LIBRARY_PATH={} exec {} --sysroot {} \"$@\"\n",
        std::env::join_paths(libraries)?.to_string_lossy(),
        rustc.display(),
        target.display()
    );
    write_program(&prefix.join("rustc"), &script)
}

/// The package that one of `packages` depends on, whose name begins so and goes on with a digit.
fn dependency(packages: &[&str], begins: &str) -> anyhow::Result<String> {
    let list = output(Command::new("apt-cache").arg("depends").args(packages))?;
    list.lines()
        .filter_map(|line| line.trim().strip_prefix("Depends: "))
        .find(|name| name.strip_prefix(begins).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())))
        .map(str::to_owned)
        .with_context(|| format!("this distribution has no {begins}N: rustc-web of Debian 12 or later is needed"))
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// Writes a script. Written whole or not at all: an interrupted run must not leave half a compiler behind.
pub(super) fn write_program(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let new = path.with_extension("new");
    std::fs::write(&new, text)?;
    std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o755))?;
    Ok(std::fs::rename(&new, path)?)
}

fn build_linker(prefix: &Path, llvm: &Path) -> anyhow::Result<()> {
    let library = std::fs::read_dir(llvm)?
        .filter_map(Result::ok)
        .find(|e| e.file_name().to_string_lossy().starts_with("libLLVM.so."))
        .with_context(|| format!("{} has no libLLVM: a rustup toolchain is needed", llvm.display()))?;
    let name = library.file_name().to_string_lossy().into_owned();
    let major: String = name.trim_start_matches("libLLVM.so.").chars().take_while(char::is_ascii_digit).collect();
    let links = prefix.join("llvm/lib");
    std::fs::create_dir_all(&links)?;
    for link in ["libLLVM.so", &name] {
        let link = links.join(link);
        if !link.exists() {
            std::os::unix::fs::symlink(library.path(), link)?;
        }
    }
    run(Command::new("cargo")
        .args(["install", "bpf-linker", "--version", LINKER_VERSION, "--locked", "--no-default-features", "--root"])
        .arg(prefix)
        .args(["--features", &format!("llvm-{major}")])
        .env("LLVM_PREFIX", prefix.join("llvm"))
        .env_remove("RUSTUP_TOOLCHAIN")
        .env_remove("CARGO"))
}
