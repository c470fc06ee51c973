//! The command line's grammar.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use lanner_proto::address::Address;

use super::explain::Asked;
use crate::report::Format;
use crate::ui::{Colours, Speed, Theme};

/// Watch an attack unfold on a Linux node, from the kernel up.
#[derive(Debug, Parser)]
#[command(name = "lanner", version, after_help = AFTER)]
pub struct Cli {
    /// What to do; without it, `live`.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Print the settings that the user interface would run with, as a file that can be changed
    #[arg(long)]
    pub print_config: bool,
    /// The file of settings, instead of lanner/config.toml in $XDG_CONFIG_HOME or ~/.config
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
}

const AFTER: &str = "\
A SOURCE is a recording's path, - for standard input, a built-in scenario's name (see `lanner scenarios`),
a collector's address such as unix:///run/lanner/lanner.sock, or nothing for this node.

Exit status: 0 done, 1 failed, 2 wrong command line, 3 not allowed by this user or kernel,
4 not all could be had (a damaged recording, a collector that went away), 10 `watch` found an incident.
The user interface ends by the signal that ends it, of which a shell makes 128 and its number; a terminal
that has gone is as SIGHUP.
`rules check` fails when a file has mistakes, `rules test` when no event meets the rule.";

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Watch this node, with the collector in this process (needs root)
    Live(LiveArgs),
    /// Watch a node through its collector (lannerd)
    Connect(ConnectArgs),
    /// Open a recording or a built-in scenario
    Replay(ReplayArgs),
    /// List the built-in scenarios
    Scenarios,
    /// Capture events into a recording, without a user interface
    Record(RecordArgs),
    /// Print incidents and signals as lines, without a user interface
    Watch(WatchArgs),
    /// Print events as lines, without a user interface
    Events(EventsArgs),
    /// Report an incident of a recording: its story, picture, evidence, and what was not seen
    Report(ReportArgs),
    /// Check rule files, and tell what rules there are and what they mean
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Say what this kernel, this user and this terminal allow, and what to do about the rest
    Doctor,
}

impl Default for Command {
    fn default() -> Self {
        Command::Live(LiveArgs::default())
    }
}

/// `lanner live`
#[derive(Debug, Default, Args)]
pub struct LiveArgs {
    #[command(flatten)]
    pub rules: RuleArgs,
    #[command(flatten)]
    pub memory: MemoryArgs,
    #[command(flatten)]
    pub look: LookArgs,
}

/// `lanner connect`
#[derive(Debug, Args)]
pub struct ConnectArgs {
    /// The collector's address
    #[arg(value_name = "ADDR", default_value_t)]
    pub addr: Address,
    #[command(flatten)]
    pub rules: RuleArgs,
    #[command(flatten)]
    pub memory: MemoryArgs,
    #[command(flatten)]
    pub look: LookArgs,
}

/// `lanner replay`
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// A recording's path, - for standard input, or a scenario's name
    #[arg(value_name = "FILE|NAME")]
    pub source: String,
    /// How fast: a factor such as 16, or max [default: max; with --at 1]
    #[arg(long, value_name = "N|max", value_parser = speed)]
    pub speed: Option<Speed>,
    /// Start here: a time into the recording, such as 12m30s
    #[arg(long, value_name = "TIME", value_parser = span)]
    pub at: Option<Duration>,
    /// Pass over stretches in which nothing happens
    #[arg(long)]
    pub skip_silence: bool,
    #[command(flatten)]
    pub rules: RuleArgs,
    #[command(flatten)]
    pub memory: MemoryArgs,
    #[command(flatten)]
    pub look: LookArgs,
}

impl ReplayArgs {
    /// How fast it is played: at full speed nobody would see the moment that `--at` asks for.
    pub fn speed(&self) -> Speed {
        self.speed.unwrap_or(if self.at.is_some() { Speed::REAL } else { Speed::MAX })
    }
}

/// How `lanner rules list` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum ListFormat {
    /// A line for each rule
    #[default]
    Lines,
    /// A JSON array
    Json,
    /// A layer for MITRE's ATT&CK Navigator
    Navigator,
}

/// `lanner rules`
#[derive(Debug, Subcommand)]
pub enum RulesCommand {
    /// Check files of rules (Falco's format or Sigma's) and of chains
    Check {
        /// The files, in order; of a folder, those that end in .yaml or .yml
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// List all rules: what they look at, and which cannot work here and why
    List {
        #[command(flatten)]
        rules: RuleArgs,
        /// Print a JSON array: the same as --format json
        #[arg(long, conflicts_with = "format")]
        json: bool,
        /// How to print the list
        #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
        format: ListFormat,
    },
    /// Tell all about a rule, its macros and lists in their places
    Explain {
        /// The rule's name
        #[arg(value_name = "RULE")]
        rule: String,
        #[command(flatten)]
        rules: RuleArgs,
    },
    /// Ask a rule about every event of a recording, and show why it is met
    Test {
        /// The rule's name
        #[arg(value_name = "RULE")]
        rule: String,
        /// A recording's path, - for standard input, or a scenario's name
        #[arg(value_name = "RECORDING")]
        recording: String,
        #[command(flatten)]
        rules: RuleArgs,
        /// Print JSON lines
        #[arg(long)]
        json: bool,
    },
}

/// Which rules.
#[derive(Debug, Clone, Default, Args)]
pub struct RuleArgs {
    /// Add rules in Falco's format or Sigma's, or chains, from a file or a folder
    #[arg(long = "rules", value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

/// How much is remembered.
#[derive(Debug, Clone, Copy, Args)]
pub struct MemoryArgs {
    /// How much memory what is known of processes, files and incidents may take, in MiB; what open incidents rest on is
    /// forgotten last
    #[arg(long = "memory", value_name = "MIB", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=1_048_576))]
    pub mib: u32,
}

impl Default for MemoryArgs {
    fn default() -> Self {
        MemoryArgs { mib: 256 }
    }
}

/// How the user interface looks; what is not said here, the environment and the file of settings say.
#[derive(Debug, Clone, Default, Args)]
pub struct LookArgs {
    /// Which colours [default: dark]
    #[arg(long, value_name = "THEME", value_enum)]
    pub theme: Option<Theme>,
    /// How many colours [default: what the terminal says it has]
    #[arg(long, value_name = "HOW", value_enum)]
    pub colours: Option<Colours>,
    /// Draw with ASCII characters only
    #[arg(long)]
    pub ascii: bool,
}

/// Where events come from, and for how long.
#[derive(Debug, Args)]
pub struct SourceArgs {
    /// A recording, -, a scenario, an address; nothing for this node
    #[arg(value_name = "SOURCE")]
    pub source: Option<String>,
    /// Stop after this time, such as 30 (seconds) or 5m
    #[arg(long = "for", value_name = "TIME", value_parser = span)]
    pub duration: Option<Duration>,
}

/// `lanner record`
#[derive(Debug, Args)]
pub struct RecordArgs {
    #[command(flatten)]
    pub source: SourceArgs,
    /// The recording to write; - for standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Keep only events that meet this condition
    #[arg(long, value_name = "CONDITION")]
    pub filter: Option<String>,
    /// The node's name in the recording, instead of its host name
    #[arg(long, value_name = "NAME")]
    pub node_name: Option<String>,
    /// A sentence that goes into the recording
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
}

/// `lanner watch`
#[derive(Debug, Args)]
pub struct WatchArgs {
    #[command(flatten)]
    pub source: SourceArgs,
    /// Print JSON lines (docs/json.md)
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub rules: RuleArgs,
    #[command(flatten)]
    pub memory: MemoryArgs,
    /// Print only each incident's last revision, at the end
    #[arg(long = "final")]
    pub only_final: bool,
    /// At the end, print only why this incident is what it is, or why this process (PID or PID:START, as JSON has
    /// it) is part of an incident or of none
    #[arg(long, value_name = "ID", conflicts_with = "only_final")]
    pub explain: Option<Asked>,
}

/// `lanner events`
#[derive(Debug, Args)]
pub struct EventsArgs {
    #[command(flatten)]
    pub source: SourceArgs,
    /// Print JSON lines (docs/json.md)
    #[arg(long)]
    pub json: bool,
    /// Print only events that meet this condition (Falco's syntax), or that contain these words
    #[arg(long, value_name = "CONDITION")]
    pub filter: Option<String>,
}

/// `lanner report`
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// A recording's path, or a scenario's name
    #[arg(value_name = "FILE|NAME")]
    pub source: String,
    /// The incident, by its id, instead of the gravest
    #[arg(long, value_name = "ID")]
    pub incident: Option<String>,
    /// How to write it
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub format: Format,
    /// Where to, instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub rules: RuleArgs,
}

fn speed(text: &str) -> Result<Speed, String> {
    if text == "max" {
        return Ok(Speed::MAX);
    }
    let factor = text.strip_prefix('x').unwrap_or(text).parse().ok();
    factor
        .filter(|f: &f64| f.is_finite())
        .and_then(Speed::times)
        .ok_or_else(|| "give a factor above 0, or max".to_owned())
}

/// `90`, `90s`, `12m30s`, `1h13m`, `250ms`.
fn span(text: &str) -> Result<Duration, String> {
    let wrong = || "give seconds, or a time such as 90s, 12m30s or 1h13m".to_owned();
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let count: u32 = rest[..digits].parse().map_err(|_| wrong())?;
        let unit_end = rest[digits..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |i| digits + i);
        let unit = match &rest[digits..unit_end] {
            "ms" => Duration::from_millis(1),
            "" | "s" => Duration::from_secs(1),
            "m" => Duration::from_secs(60),
            "h" => Duration::from_secs(3600),
            _ => return Err(wrong()),
        };
        total = unit.checked_mul(count).and_then(|d| total.checked_add(d)).ok_or_else(wrong)?;
        rest = &rest[unit_end..];
    }
    if text.is_empty() { Err(wrong()) } else { Ok(total) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_is_sound() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn times_may_be_plain_seconds_or_units() {
        for (text, seconds) in [("90", 90), ("90s", 90), ("12m30s", 750), ("1h13m", 4380), ("0", 0)] {
            assert_eq!(span(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(span("250ms"), Ok(Duration::from_millis(250)));
        for wrong in ["", "m", "-1", "1d", "1.5", "99999999999h", "5m x"] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_moment_that_is_asked_for_is_not_rushed_past() {
        let speed = |args: &[&str]| match Cli::parse_from(args).command {
            Some(Command::Replay(args)) => args.speed(),
            other => panic!("{other:?}"),
        };
        assert_eq!(speed(&["lanner", "replay", "x"]), Speed::MAX);
        assert_eq!(speed(&["lanner", "replay", "x", "--at", "12m"]), Speed::REAL);
        assert_eq!(speed(&["lanner", "replay", "x", "--at", "12m", "--speed", "max"]), Speed::MAX);
    }

    #[test]
    fn speeds_are_factors_above_zero() {
        assert_eq!(speed("max"), Ok(Speed::MAX));
        assert_eq!(speed("16").map(Speed::factor), Ok(16.0));
        assert_eq!(speed("x0.5").map(Speed::factor), Ok(0.5));
        for wrong in ["0", "-1", "fast", "inf", "nan"] {
            assert!(speed(wrong).is_err(), "{wrong}");
        }
    }
}
