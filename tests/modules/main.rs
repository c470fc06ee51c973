//! What is done to the kernel itself: modules are loaded, another kernel is made ready. No machine that somebody needs is
//! the place for it, so this runs in a guest alone, `cargo xtask vm --package lanner-tests --test modules -- perform`:
//! each case of `rules/tests/recordings/modules.txt` is performed under the sensor, and meets the rule above it or does
//! not. With `record` the recording of it is printed, too, which `record.sh` takes.
#![allow(clippy::print_stderr)]

mod cases;
mod guest;

use std::io::{self, Write as _};
use std::process::ExitCode;

use lanner_core::condition::View;
use lanner_core::detect::rules::RuleSet;
use lanner_core::event::{Batch, Event};
use lanner_core::graph::Graph;
use lanner_recording::{Header, Options, Writer};

use cases::Belongs;
use guest::Guest;

/// So many bytes of the recording stand in a line.
const LINE: usize = 64;

fn main() -> ExitCode {
    let word = std::env::args().nth(1).unwrap_or_default();
    if !matches!(&*word, "perform" | "record") {
        lanner_tests::not_here("`cargo xtask vm` is where kernels are meddled with: see tests/modules/main.rs");
        return ExitCode::SUCCESS;
    }
    match run(word == "record") {
        Ok(wrong) if wrong.is_empty() => ExitCode::SUCCESS,
        Ok(wrong) => {
            eprint!("{wrong}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Performs all cases. What is wrong with them, a line each.
fn run(record: bool) -> io::Result<String> {
    let cases = cases::all();
    let mut guest = Guest::new()?;
    let mut wrong = String::new();
    for case in &cases {
        let status = guest.perform(case)?;
        if !status.success() {
            wrong += &format!("{}: {status}\n", case.text);
        }
    }
    let (header, events) = guest.end();
    if record {
        print(&header, &events)?;
    }
    let rules = RuleSet::load(lanner_rules::RULES);
    let (mut graph, mut belongs) = (Graph::default(), Belongs::default());
    let mut met = Vec::new();
    for event in &events {
        graph.apply(event);
        if let Some(script) = belongs.script_of(event) {
            let view = View::new(event, &graph);
            met.extend(rules.matching(&view).map(|rule| (script.clone(), rule.name.to_string())));
        }
    }
    for case in &cases {
        let meets = met.iter().any(|(script, rule)| *script == case.script() && *rule == case.rule);
        if meets != case.meets {
            let what = if meets { "meets" } else { "does not meet" };
            wrong += &format!("{} {what} {:?}\n", case.text, case.rule);
        }
    }
    eprintln!("{} cases, {} events", cases.len(), events.len());
    Ok(wrong)
}

/// Prints the recording, to be put together again by whoever reads the guest's console.
fn print(header: &Header, events: &[Event]) -> io::Result<()> {
    let now = events.last().map(|event| event.header.time).unwrap_or_default();
    let mut writer = Writer::new(Vec::new(), header, Options::COMPACT).map_err(io::Error::other)?;
    let batch = Batch { first_seq: 1, now, events: events.to_vec(), ..Batch::default() };
    writer.write(&batch).map_err(io::Error::other)?;
    let mut out = io::stdout().lock();
    for line in writer.finish().map_err(io::Error::other)?.chunks(LINE) {
        let line: String = line.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(out, "recording: {line}")?;
    }
    Ok(())
}
