//! `cargo xtask bench`: figures, printed and not judged.

use std::process::Command;

use anyhow::bail;

/// What is measured.
#[derive(clap::Subcommand)]
pub(crate) enum Bench {
    /// Events a second through the engine, with few rules and with many
    Engine,
}

pub(crate) fn run(bench: &Bench) -> anyhow::Result<()> {
    let (package, name) = match bench {
        Bench::Engine => ("lanner-rules", "engine"),
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo).args(["bench", "--locked", "--package", package, "--bench", name]).status()?;
    if !status.success() {
        bail!("the bench {name} of {package} failed");
    }
    Ok(())
}
