//! `lanner scenarios`: the built-in recordings.

use std::io::{self, Write};

use lanner_scenarios::SCENARIOS;

use super::Status;

pub(super) fn run() -> anyhow::Result<Status> {
    let mut out = io::stdout().lock();
    for scenario in SCENARIOS {
        writeln!(out, "{:<20} {}\n{:<20} {}", scenario.name, scenario.title, "", scenario.summary)?;
    }
    writeln!(out, "\nOpen one with: lanner replay NAME")?;
    Ok(Status::Fine)
}
