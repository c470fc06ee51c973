//! Runs the compiler.

use std::path::Path;

use anyhow::{Context, ensure};

use super::strip;
use super::toolchain::{Toolchain, write_program};

/// Cargo makes symbols unique by a hash over the folder that a crate lies in. No two crates here have one name, so that a
/// constant does, and the object is the same wherever it is built.
const WRAPPER: &str = "#!/bin/sh
for arg; do
    shift
    case $arg in metadata=*) arg=metadata=lanner ;; esac
    set -- \"$@\" \"$arg\"
done
exec \"$@\"
";

/// Builds the object, stripped.
pub(super) fn build(root: &Path, toolchain: &Toolchain) -> anyhow::Result<Vec<u8>> {
    let package = root.join("collector-ebpf");
    let target = root.join("target/ebpf");
    let wrapper = target.join("rustc-wrapper");
    write_program(&wrapper, WRAPPER)?;
    let mut cargo = toolchain.cargo();
    cargo
        .args(["build", "--release", "--locked", "--target", "bpfel-unknown-none"])
        .current_dir(&package)
        .env("CARGO_TARGET_DIR", &target)
        .env("RUSTC_WRAPPER", &wrapper)
        .env("CARGO_TARGET_BPFEL_UNKNOWN_NONE_LINKER", toolchain.linker_path())
        // Through the environment, for paths may contain spaces; unit separators stand between the flags.
        .env("CARGO_ENCODED_RUSTFLAGS", flags(root, toolchain)?.join("\u{1f}"));
    let status = cargo.status().context("cargo does not start")?;
    ensure!(status.success(), "the in-kernel programs do not build");
    let built = target.join("bpfel-unknown-none/release/lanner");
    strip::strip(&std::fs::read(&built).with_context(|| built.display().to_string())?)
}

fn flags(root: &Path, toolchain: &Toolchain) -> anyhow::Result<Vec<String>> {
    let mut flags: Vec<String> = [
        "-Clink-arg=--btf",
        "-Ctarget-cpu=v3",
        "-Cdebuginfo=2",
        "-Cpanic=abort",
        // aya-ebpf wants to know whose registers a context holds. These programs look into none: one object serves all.
        "--cfg=bpf_target_arch=\"x86_64\"",
    ]
    .map(str::to_owned)
    .to_vec();
    // BTF names source files: as they are called in the project, wherever that lies.
    for (from, to) in [(root.to_path_buf(), ""), (toolchain.registry()?, "crates"), (toolchain.library()?, "library")] {
        flags.push(format!("--remap-path-prefix={}={to}", from.display()));
    }
    Ok(flags)
}
