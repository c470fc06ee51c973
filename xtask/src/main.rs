//! Developer commands. Nothing here is needed to build, test or run Lanner from a clone.

use clap::{Parser, Subcommand};

mod proto;

/// Lanner's developer commands.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Generate the wire format's Rust code from proto/proto.
    Proto(proto::Options),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Proto(options) => proto::run(&options),
    }
}
