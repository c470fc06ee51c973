//! Lanner's developer commands: `cargo xtask --help`.

mod node;

use std::process::ExitCode;

use clap::Parser;

/// Lanner's developer commands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Command {
    /// Run a disposable Kubernetes node on this machine
    #[command(subcommand)]
    Node(node::Command),
}

fn main() -> anyhow::Result<ExitCode> {
    match Command::parse() {
        Command::Node(command) => node::run(command),
    }
}
