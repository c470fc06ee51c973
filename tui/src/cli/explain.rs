//! `lanner watch --explain`: why an incident is what it is, and why a process is part of one or of none.

use std::io::{self, Write};
use std::str::FromStr;

use lanner_core::engine::Engine;
use lanner_core::event::{NodeInfo, ProcessKey};

use super::Status;
use crate::lines::{self, json, timestamp};

/// What is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// The incident with this id.
    Incident(String),
    /// Each process that has or had this pid; with a start, as JSON gives it, the one that started then.
    Process(u32, Option<String>),
}

impl FromStr for Asked {
    type Err = String;

    fn from_str(text: &str) -> Result<Asked, String> {
        if text.starts_with("inc-") {
            return Ok(Asked::Incident(text.to_owned()));
        }
        let (pid, start) = match text.split_once(':') {
            Some((pid, start)) => (pid, Some(start.to_owned())),
            None => (text, None),
        };
        let pid = pid.parse().map_err(|_| "give an incident's id (inc-...), a pid, or PID:START".to_owned())?;
        Ok(Asked::Process(pid, start))
    }
}

/// Answers. Gives whether an incident was found.
pub(super) fn answer(
    asked: &Asked,
    engine: &Engine,
    node: &NodeInfo,
    as_json: bool,
    out: &mut impl Write,
) -> io::Result<Status> {
    match asked {
        Asked::Incident(id) => {
            let at = engine.incidents().iter().position(|i| i.id == *id);
            let Some((at, why)) = at.and_then(|at| Some((at, engine.explain_incident(at)?))) else {
                let ids: Vec<&str> = engine.incidents().iter().map(|i| i.id.as_str()).take(20).collect();
                let there =
                    if ids.is_empty() { "there is none".to_owned() } else { format!("there are {}", ids.join(", ")) };
                super::say(&format!("no incident {} was found: {there}", super::one_line(id)));
                return Ok(Status::Failed);
            };
            let incident = &engine.incidents()[at];
            if as_json {
                writeln!(out, "{}", json(&lines::explanation(&why, incident, engine.graph(), node)))?;
            } else {
                writeln!(out, "{}", lines::explanation_words(&why, incident))?;
            }
            Ok(Status::Found)
        }
        Asked::Process(pid, start) => {
            let is_it = |key: &ProcessKey| {
                key.pid == *pid && start.as_ref().is_none_or(|s| timestamp(node.wall(key.start)) == *s)
            };
            let known = engine.graph().processes().map(|p| p.key);
            let remembered = engine.incidents().iter().flat_map(|i| i.processes.iter().map(|p| p.key));
            let mut keys: Vec<ProcessKey> = known.chain(remembered).filter(is_it).collect();
            keys.sort_unstable_by_key(|key| key.start);
            keys.dedup();
            if keys.is_empty() {
                super::say(&format!("no process {pid} was seen; {} are known", engine.graph().processes().count()));
                return Ok(Status::Failed);
            }
            let mut found = false;
            for key in keys {
                let why = engine.explain_process(key);
                found |= why.incident.is_some();
                if as_json {
                    writeln!(out, "{}", json(&lines::process(&why, engine.graph(), node)))?;
                } else {
                    writeln!(out, "{}", lines::process_words(&why))?;
                }
            }
            Ok(if found { Status::Found } else { Status::Fine })
        }
    }
}
