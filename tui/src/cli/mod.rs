//! The command line: what there is to ask for, and what each exit status means.

mod args;
mod config;
mod doctor;
mod events;
mod explain;
mod follow;
mod patience;
mod record;
mod report;
mod rules;
mod scenarios;
mod view;
mod watch;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use lanner_core::event::Text;

pub use args::{Cli, Command, LookArgs};

use crate::source::SourceError;

/// What the exit status says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It worked; `watch`: and there was no incident.
    Fine = 0,
    /// It failed; `rules check`: a file has mistakes; `rules test`: no event meets the rule.
    Failed = 1,
    /// The command line was wrong.
    Usage = 2,
    /// This user or this kernel does not allow it.
    NotAllowed = 3,
    /// It worked as far as the recording could be read, or the collector be followed.
    Partial = 4,
    /// `watch`: there was an incident.
    Found = 10,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        ExitCode::from(status as u8)
    }
}

/// Runs the command line.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let file = cli.config;
    let outcome = match cli.command.unwrap_or_default() {
        _ if cli.print_config => config::run(file.as_deref()),
        Command::Live(args) => view::live(args, file.as_deref()),
        Command::Connect(args) => view::connect(args, file.as_deref()),
        Command::Replay(args) => view::replay(args, file.as_deref()),
        Command::Scenarios => scenarios::run(),
        Command::Record(args) => record::run(args),
        Command::Watch(args) => watch::run(args),
        Command::Events(args) => events::run(args),
        Command::Report(args) => report::run(args),
        Command::Rules(command) => rules::run(command),
        Command::Doctor => doctor::run(),
    };
    match outcome {
        Ok(status) => status.into(),
        Err(problem) => failed(&problem).into(),
    }
}

/// A message for a person, of one line or several. It may quote what others wrote: nothing of it reaches the terminal as
/// anything but text.
fn say(message: &str) {
    let lines: Vec<String> = message.lines().map(one_line).collect();
    // Nothing can be done when stderr is gone.
    let _ = writeln!(io::stderr(), "lanner: {}", lines.join("\n"));
}

/// What others wrote, safe to show and on one line.
fn one_line(text: &str) -> String {
    Text::from(text).to_string()
}

fn failed(problem: &anyhow::Error) -> Status {
    // A reader that has seen enough (`| head`) is no failure.
    if problem.chain().any(|e| e.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)) {
        return Status::Fine;
    }
    say(&format!("{problem:#}"));
    match problem.downcast_ref::<SourceError>() {
        Some(SourceError::Usage(_)) => Status::Usage,
        Some(SourceError::NotAllowed(_)) => Status::NotAllowed,
        _ => Status::Failed,
    }
}
