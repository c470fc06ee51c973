//! `cargo xtask vm`: runs the sensor's tests on another kernel than this machine's, in a virtual machine that needs no
//! privilege and no hardware: plain QEMU. What the tests print is printed, and their exit status is ours.
//!
//! - `kernels`: which ones there are, and where they come from.
//! - `root`: what lies in the guest: the tests as cargo built them, the programs that they run, libraries.
//! - `archive`: packs it as the kernel takes it.
//! - `guest`: boots it, and passes on what it says.

mod archive;
mod guest;
mod kernels;
mod root;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use guest::Guest;
use kernels::{KERNELS, Kernel};

/// Run the sensor's tests on another kernel
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Which kernel, by its series; may be given more than once
    #[arg(long, value_name = "NAME", default_value = "6.12")]
    kernel: Vec<String>,
    /// Every kernel there is
    #[arg(long, conflicts_with = "kernel")]
    all: bool,
    /// The package that the tests are of
    #[arg(long, short, default_value = "lanner-collector")]
    package: String,
    /// Which of its tests
    #[arg(long, default_value = "sensor_kernel")]
    test: String,
    /// Seconds after which a guest is ended
    #[arg(long, value_name = "SECONDS", default_value_t = 1200)]
    timeout: u64,
    /// Memory of the guest, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 1024)]
    memory: u32,
    /// What to pass to the tests: a filter, or what else they take
    #[arg(last = true)]
    args: Vec<OsString>,
}

/// Runs the tests on each kernel; the status is that of the first that failed.
pub(crate) fn run_tests(options: &Options) -> anyhow::Result<ExitCode> {
    install()?;
    let cache = kernels::cache()?;
    let test = build(options)?;
    let names: Vec<&str> = match options.all {
        true => KERNELS.iter().map(|k| k.name).collect(),
        false => options.kernel.iter().map(String::as_str).collect(),
    };
    let mut status = 0;
    for name in names {
        let kernel = Kernel::named(name)?;
        let bootable = kernel.bootable(&cache)?;
        let initramfs = root::pack(&test, &options.args, &bootable.modules)?;
        let begun = Instant::now();
        let guest = Guest {
            kernel: &bootable.image,
            initramfs: initramfs.path(),
            memory: options.memory,
            words: if kernel.full { "lanner.full" } else { "" },
            name,
        };
        let ended = guest.run(Duration::from_secs(options.timeout))?;
        writeln!(io::stderr(), "Linux {name}: status {ended} after {:.1} s", begun.elapsed().as_secs_f32())?;
        status = if status == 0 { ended } else { status };
    }
    Ok(ExitCode::from(status))
}

/// Installs what is missing of QEMU, and of what the tests run.
fn install() -> anyhow::Result<()> {
    let packages = ["qemu-system-x86", "xz-utils"].iter().chain(root::PACKAGES);
    let missing: Vec<&str> = packages.copied().filter(|package| !is_installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    run(Command::new("apt-get")
        .args(["install", "-y", "-qq", "--no-install-recommends"])
        .args(&missing)
        .stdout(Stdio::null()))
    .with_context(|| format!("Debian packages are missing: {}", missing.join(", ")))
}

fn is_installed(package: &str) -> bool {
    let query = Command::new("dpkg-query").args(["-W", "-f", "${db:Status-Status}", package]).output();
    query.is_ok_and(|answer| answer.stdout == b"installed")
}

/// The tests, as `cargo test` builds them.
fn build(options: &Options) -> anyhow::Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let built = Command::new("cargo")
        .args(["test", "--locked", "--no-run", "--message-format=json", "--package", &options.package])
        .args(["--test", &options.test])
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()
        .context("cargo does not start")?;
    ensure!(built.status.success(), "the tests do not build");
    let messages = String::from_utf8(built.stdout)?;
    let is_test = |message: &serde_json::Value| message["target"]["name"] == options.test.as_str();
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(is_test)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .with_context(|| format!("cargo built no tests {}", options.test))
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("{command:?} does not start"))?;
    ensure!(status.success(), "{command:?} failed");
    Ok(())
}
