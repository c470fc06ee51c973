//! Lanner's terminal program.

use std::process::ExitCode;

fn main() -> ExitCode {
    lanner::cli::main()
}
