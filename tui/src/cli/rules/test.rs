//! `lanner rules test`: which events of a recording meet a rule, and why.

use std::io::{self, BufWriter, StdoutLock, Write};
use std::sync::Arc;

use anyhow::bail;
use indexmap::IndexMap;
use lanner_core::condition::View;
use lanner_core::detect::rules::{Rule, RuleSet};
use lanner_core::event::{Batch, NodeInfo, Origin};
use lanner_core::graph::Graph;
use lanner_recording::Header;
use serde::Serialize;

use crate::cli::args::{RuleArgs, SourceArgs};
use crate::cli::follow::{Follower, follow};
use crate::cli::{Status, say};
use crate::detection::Content;
use crate::lines::{clock, json, timestamp};
use crate::source::{Options, SourceError, Spec};

/// An event that meets the rule.
#[derive(Debug, Serialize)]
struct Hit<'a> {
    r#type: &'static str,
    seq: u64,
    time: String,
    rule: &'a str,
    sentence: String,
    /// The fields because of which it does.
    fields: IndexMap<String, String>,
}

pub(super) fn run(name: &str, recording: String, args: &RuleArgs, as_json: bool) -> anyhow::Result<Status> {
    if Spec::parse(Some(&recording))?.is_endless() {
        return Err(SourceError::Usage(format!("{recording} is no recording")).into());
    }
    let set = Content::load(&args.files)?.rules;
    let name = super::find(&set, name)?;
    let mut test = Test {
        rule: works(&set, name)?.clone(),
        graph: Graph::default(),
        node: NodeInfo::default(),
        json: as_json,
        events: 0,
        hits: 0,
        out: BufWriter::new(io::stdout().lock()),
    };
    let ending = follow(&SourceArgs { source: Some(recording), duration: None }, Options::default(), &mut test)?;
    let (hits, events) = (test.hits, test.events);
    drop(test);
    say(&match hits {
        0 => format!("none of {events} events meets {name:?}"),
        1 => format!("1 of {events} events meets {name:?}"),
        n => format!("{n} of {events} events meet {name:?}"),
    });
    Ok(if hits == 0 { Status::Failed } else { ending.status() })
}

/// The rule, or why there is nothing to test.
fn works<'a>(set: &'a RuleSet, name: &str) -> anyhow::Result<&'a Rule> {
    match set.explain(name) {
        Some(told) => match (told.rule, told.unsupported) {
            (Some(rule), _) => Ok(rule),
            (None, Some(why)) => {
                bail!("the rule {name:?} cannot work here: {} ({}:{})", why.reason, why.file, why.line)
            }
            (None, None) => bail!("the rule {name:?} is switched off"),
        },
        None => bail!("the rule {name:?} is gone"),
    }
}

struct Test {
    rule: Rule,
    graph: Graph,
    node: NodeInfo,
    json: bool,
    events: u64,
    hits: u64,
    out: BufWriter<StdoutLock<'static>>,
}

impl Follower for Test {
    fn node(&mut self, node: &NodeInfo) -> io::Result<()> {
        self.node = node.clone();
        Ok(())
    }

    fn recording(&mut self, _: &Header) -> io::Result<()> {
        Ok(())
    }

    fn batch(&mut self, batch: &Batch) -> io::Result<()> {
        for event in &batch.events {
            self.events += 1;
            self.graph.apply(event);
            let view = View::new(event, &self.graph);
            // What was there before the sensor is no news, and raises no signals.
            if event.header.origin != Origin::Live || !self.rule.condition.matches(&view) {
                continue;
            }
            self.hits += 1;
            let wall = self.node.wall(event.header.time);
            let sentence = self.rule.sentence(&view);
            let fields: IndexMap<String, String> = self.rule.condition.grounds(&view).into_iter().collect();
            if self.json {
                let (rule, seq) = (Arc::clone(&self.rule.name), event.header.seq);
                let hit = Hit { r#type: "hit", seq, time: timestamp(wall), rule: &rule, sentence, fields };
                writeln!(self.out, "{}", json(&hit))?;
                continue;
            }
            writeln!(self.out, "{}  event {}  {sentence}", clock(wall), event.header.seq)?;
            let width = fields.keys().map(|field| field.len()).max().unwrap_or(0);
            for (field, value) in &fields {
                writeln!(self.out, "    {field:<width$} = {value}")?;
            }
        }
        self.out.flush()
    }
}
