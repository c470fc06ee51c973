//! `lanner watch`: incidents and signals as lines.

use std::io::{self, BufWriter, StdoutLock, Write};

use lanner_core::engine::Engine;
use lanner_core::event::{Batch, NodeInfo};
use lanner_recording::Header;

use super::args::WatchArgs;
use super::follow::{Ending, Follower, follow, loss_words};
use super::patience::Waiting;
use super::{Status, explain, one_line, say};
use crate::detection::Content;
use crate::lines::{self, Summary, json};
use crate::source::{Options, Spec};

pub(super) fn run(args: WatchArgs) -> anyhow::Result<Status> {
    let reading = Waiting::on("reading the rules");
    let content = Content::load(&args.rules.files)?.with_memory(args.memory.mib);
    drop(reading);
    content.warning().iter().for_each(|warning| say(warning));
    let mut watch = Watch {
        engine: content.engine(),
        node: NodeInfo::default(),
        told: Vec::new(),
        summary: Summary::default(),
        json: args.json,
        only_final: args.only_final || args.explain.is_some(),
        announce: Spec::parse(args.source.source.as_deref())?.is_endless(),
        out: BufWriter::new(io::stdout().lock()),
    };
    let ending = follow(&args.source, Options::default(), &mut watch)?;
    if let Some(asked) = &args.explain {
        watch.engine.flush();
        if ending.lost > 0 {
            say(&format!("{} events were lost: what they would have shown is missing", ending.lost));
        }
        let status = explain::answer(asked, &watch.engine, &watch.node, args.json, &mut watch.out)?;
        watch.out.flush()?;
        return Ok(status);
    }
    watch.end(&ending)?;
    let found = watch.summary.incidents > 0;
    Ok(if found { Status::Found } else { ending.status() })
}

struct Watch {
    engine: Engine,
    node: NodeInfo,
    /// How many stages of each incident were told, and how it was headed.
    told: Vec<(usize, String)>,
    summary: Summary,
    json: bool,
    only_final: bool,
    /// The source has no end of its own: whoever waits wants to know that it is followed.
    announce: bool,
    out: BufWriter<StdoutLock<'static>>,
}

impl Follower for Watch {
    fn node(&mut self, node: &NodeInfo) -> io::Result<()> {
        self.node = node.clone();
        if self.json {
            writeln!(self.out, "{}", json(&lines::ready(node)))?;
            self.out.flush()?;
        } else if self.announce {
            let attached = node.attached();
            say(&format!("watching {} with {attached} hooks; stop with Ctrl-C", one_line(&node.name)));
        }
        Ok(())
    }

    fn recording(&mut self, header: &Header) -> io::Result<()> {
        match lines::recording_words(header) {
            Some(words) if !self.json => say(&words),
            _ if self.json && !self.only_final => {
                writeln!(self.out, "{}", json(&lines::recording(header, &self.node)))?;
            }
            _ => {}
        }
        Ok(())
    }

    fn batch(&mut self, batch: &Batch) -> io::Result<()> {
        for loss in &batch.losses {
            if self.only_final {
            } else if self.json {
                writeln!(self.out, "{}", json(&lines::loss(*loss, &self.node)))?;
            } else {
                writeln!(self.out, "{}", loss_words(*loss))?;
            }
        }
        for event in &batch.events {
            self.summary.events += 1;
            let outcome = self.engine.apply(event);
            self.summary.signals += outcome.signals.len() as u64;
            if !self.only_final {
                for signal in &outcome.signals {
                    self.signal(signal)?;
                }
                self.incidents(&outcome.revised)?;
            }
        }
        self.out.flush()
    }
}

impl Watch {
    fn signal(&mut self, signal: &lanner_core::detect::Signal) -> io::Result<()> {
        if self.json {
            writeln!(self.out, "{}", json(&lines::signal(signal, &self.node, self.engine.graph())))
        } else {
            writeln!(self.out, "{}", lines::signal_words(signal, &self.node))
        }
    }

    fn incidents(&mut self, revised: &[usize]) -> io::Result<()> {
        self.told.resize(self.engine.incidents().len(), (0, String::new()));
        for &i in revised {
            let incident = &self.engine.incidents()[i];
            if self.json {
                writeln!(self.out, "{}", json(&lines::incident(incident, self.engine.graph(), &self.node)))?;
                continue;
            }
            let (stages, head) = &mut self.told[i];
            let words = lines::incident_words(incident, &self.node, *stages);
            let told = std::mem::replace(head, lines::incident_words(incident, &self.node, incident.stages.len()));
            *stages = incident.stages.len();
            // One more process, or one more time, is no line for a person.
            if words != told {
                writeln!(self.out, "{words}")?;
            }
        }
        Ok(())
    }

    /// Tells all that is known and was not told.
    fn end(&mut self, ending: &Ending) -> io::Result<()> {
        let revised = self.engine.flush();
        let standing = |i: &usize| self.engine.incidents()[*i].merged_into.is_none();
        let all: Vec<usize> = (0..self.engine.incidents().len()).filter(standing).collect();
        self.summary.incidents = all.len();
        self.summary.lost = ending.lost;
        self.summary.let_go = self.engine.let_go();
        self.summary.problem.clone_from(&ending.problem);
        if self.only_final {
            self.incidents(&all)?;
            if ending.lost > 0 {
                say(&format!("{} events were lost: what they would have shown is missing", ending.lost));
            }
        } else {
            self.incidents(&revised)?;
            if self.json {
                writeln!(self.out, "{}", json(&self.summary))?;
            } else {
                let Summary { events, lost, signals, incidents, .. } = &self.summary;
                let plural = |is_one| if is_one { "" } else { "s" };
                let (of_signals, of_incidents) = (plural(*signals == 1), plural(*incidents == 1));
                writeln!(
                    self.out,
                    "{events} events, {lost} lost, {signals} signal{of_signals}, {incidents} incident{of_incidents}"
                )?;
            }
        }
        self.out.flush()
    }
}
