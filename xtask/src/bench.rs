//! `cargo xtask bench`: figures, printed and not judged.

use std::process::Command;

use anyhow::bail;

/// What is measured.
#[derive(clap::Subcommand)]
pub(crate) enum Bench {
    /// Time and memory that an event takes in the engine
    Engine {
        /// Only these: rules, conditions, span, incidents, memory
        #[arg(value_name = "PART")]
        parts: Vec<String>,
    },
    /// How much of each recorded attack its incident holds, and how much that is none of it
    Attribution {
        /// Also tell what is wrong in those whose names contain one of these
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
    /// What it costs to be watched: works with the collector beside them, and without
    Sensor {
        /// Only these: exec, open, write, tcp, names, build
        #[arg(value_name = "WORK")]
        works: Vec<String>,
    },
    /// What the user interface takes: time, memory, bytes for the terminal, and how soon something is seen
    Ui {
        /// Only these: frames, share, key, idle, bytes, delay, first, past
        #[arg(value_name = "PART")]
        parts: Vec<String>,
    },
}

pub(crate) fn run(bench: &Bench) -> anyhow::Result<()> {
    // What is not timed need not be optimised, which takes minutes.
    let (package, name, profile, arguments) = match bench {
        Bench::Engine { parts } => ("lanner-rules", "engine", "bench", parts),
        Bench::Attribution { names } => ("lanner-rules", "attribution", "dev", names),
        Bench::Sensor { works } => ("lanner-collector", "sensor", "bench", works),
        Bench::Ui { parts } => ("lanner", "ui", "bench", parts),
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["bench", "--locked", "--package", package, "--bench", name, "--profile", profile, "--"])
        .args(arguments)
        .status()?;
    if !status.success() {
        bail!("the bench {name} of {package} failed");
    }
    Ok(())
}
