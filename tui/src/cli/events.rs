//! `lanner events`: events as lines.

use std::io::{self, BufWriter, StdoutLock, Write};

use lanner_core::condition::{Filter, View};
use lanner_core::event::{Batch, NodeInfo};
use lanner_core::graph::Graph;
use lanner_recording::Header;

use super::args::EventsArgs;
use super::follow::{Follower, follow, loss_words};
use super::{Status, say};
use crate::detection;
use crate::lines::{self, json};
use crate::source::Options;

pub(super) fn run(args: EventsArgs) -> anyhow::Result<Status> {
    let mut events = Events {
        graph: Graph::default(),
        filter: detection::filter(args.filter.as_deref())?,
        node: NodeInfo::default(),
        json: args.json,
        out: BufWriter::new(io::stdout().lock()),
    };
    let ending = follow(&args.source, Options::default(), &mut events)?;
    Ok(ending.status())
}

struct Events {
    graph: Graph,
    filter: Option<Filter>,
    node: NodeInfo,
    json: bool,
    out: BufWriter<StdoutLock<'static>>,
}

impl Follower for Events {
    fn node(&mut self, node: &NodeInfo) -> io::Result<()> {
        self.node = node.clone();
        if self.json {
            writeln!(self.out, "{}", json(&lines::ready(node)))?;
        }
        self.out.flush()
    }

    fn recording(&mut self, header: &Header) -> io::Result<()> {
        if self.json {
            writeln!(self.out, "{}", json(&lines::recording(header, &self.node)))?;
        } else if let Some(words) = lines::recording_words(header) {
            say(&words);
        }
        Ok(())
    }

    fn batch(&mut self, batch: &Batch) -> io::Result<()> {
        for loss in &batch.losses {
            if self.json {
                writeln!(self.out, "{}", json(&lines::loss(*loss, &self.node)))?;
            } else {
                writeln!(self.out, "{}", loss_words(*loss))?;
            }
        }
        for event in &batch.events {
            self.graph.apply(event);
            let wanted = self.filter.as_ref().is_none_or(|f| f.matches(&View::new(event, &self.graph)));
            if !wanted {
                continue;
            }
            if self.json {
                writeln!(self.out, "{}", json(&lines::event(event, &self.node, &self.graph)))?;
            } else {
                writeln!(self.out, "{}", lines::event_words(event, &self.node, &self.graph))?;
            }
        }
        self.out.flush()
    }
}
