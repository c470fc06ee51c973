//! What the user interface takes: time per frame, of the processor, of memory, bytes for the terminal, and the time until
//! something is seen. Figures are printed, not judged: `cargo xtask bench ui`, or with parts by name,
//! `cargo xtask bench ui frames key`.
//!
//! `frames` and `past` work in this process; all others run the program as it is shipped, in a pseudo-terminal.
#![allow(clippy::unwrap_used, clippy::print_stdout)]
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

mod beside;
mod figures;
mod frames;
mod load;
mod opening;
mod past;
mod playing;
mod quiet;
mod replayed;
mod session;

use std::io;
use std::process::ExitCode;

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The terminal.
const COLUMNS: u16 = 240;
const ROWS: u16 = 70;

/// A part, and what it measures.
type Part = (&'static str, fn() -> io::Result<()>);

/// The parts, in the order in which they run.
const PARTS: [Part; 8] = [
    ("frames", frames::run),
    ("share", playing::share),
    ("key", playing::key),
    ("idle", playing::idle),
    ("bytes", beside::bytes),
    ("delay", beside::delay),
    ("first", opening::run),
    ("past", past::run),
];

fn main() -> ExitCode {
    // As the program does.
    lanner::ui::in_small_pages();
    // What cargo passes to every bench is no part.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    if let Some(strange) = wanted.iter().find(|w| PARTS.iter().all(|(name, _)| name != w)) {
        println!("there is no part {strange:?}; there are {}", PARTS.map(|(name, _)| name).join(", "));
        return ExitCode::from(2);
    }
    let mut outcome = ExitCode::SUCCESS;
    for (name, run) in PARTS {
        if wanted.is_empty() || wanted.iter().any(|w| w == name) {
            if let Err(error) = run() {
                println!("{name}: {error}");
                outcome = ExitCode::FAILURE;
            }
            println!();
        }
    }
    outcome
}
