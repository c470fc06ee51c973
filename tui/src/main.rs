//! Lanner's terminal program.

use std::process::ExitCode;

/// What is known of a node is a great many small things all over the memory, and copies of them come and go: with this allocator
/// an event takes a fifth less, and the slowest frames half as long.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    lanner::cli::main()
}
