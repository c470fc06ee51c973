//! Lanner's developer commands: `cargo xtask --help`. Nothing here is needed to build, test or run Lanner from a clone.

mod bench;
mod ebpf;
mod node;
mod proto;
#[cfg(feature = "record")]
mod record;
mod vm;

use std::process::ExitCode;

use clap::Parser;

/// Lanner's developer commands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Command {
    /// Build the in-kernel programs
    Ebpf(ebpf::Options),
    /// Generate the wire format's Rust code from proto/proto
    Proto(proto::Options),
    /// Perform a demo scenario and make its recording
    #[cfg(feature = "record")]
    Record(record::Record),
    /// Measure something, and print the figures
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Run a disposable Kubernetes node on this machine
    #[command(subcommand)]
    Node(node::Command),
    /// Run the sensor's tests on another kernel
    Vm(vm::Options),
}

fn main() -> anyhow::Result<ExitCode> {
    match Command::parse() {
        Command::Ebpf(options) => ebpf::run(&options).map(|()| ExitCode::SUCCESS),
        Command::Proto(options) => proto::run(&options).map(|()| ExitCode::SUCCESS),
        #[cfg(feature = "record")]
        Command::Record(options) => record::run(&options).map(|()| ExitCode::SUCCESS),
        Command::Bench(bench) => bench::run(&bench).map(|()| ExitCode::SUCCESS),
        Command::Node(command) => node::run(command),
        Command::Vm(options) => vm::run_tests(&options),
    }
}
