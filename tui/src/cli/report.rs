//! `lanner report`: the report of an incident in a recording.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use lanner_core::detect::Incident;
use lanner_core::engine::Engine;
use lanner_core::event::{Batch, NodeInfo};
use lanner_recording::Header;
use sha2::{Digest, Sha256};

use super::args::{ReportArgs, SourceArgs};
use super::follow::{Follower, follow};
use super::patience::Waiting;
use super::{Status, one_line, say};
use crate::detection::Content;
use crate::report::{self, Account, Chosen, Hash, Missing};
use crate::source::{Options, SourceError, Spec};

pub(super) fn run(args: ReportArgs) -> anyhow::Result<Status> {
    let spec = Spec::parse(Some(&args.source))?;
    if !matches!(spec, Spec::File(_) | Spec::Scenario(_)) {
        let why = "a report is made of a recording, which is read twice: name a file or a scenario".to_owned();
        return Err(SourceError::Usage(why).into());
    }
    let reading = Waiting::on("reading the rules");
    let content = Content::load(&args.rules.files)?;
    drop(reading);
    content.warning().iter().for_each(|warning| say(warning));
    let mut seen =
        Seen { engine: content.engine(), node: NodeInfo::default(), header: None, missing: Missing::default() };
    let source = SourceArgs { source: Some(args.source.clone()), duration: None };
    let reading = Waiting::on(format!("reading {}", spec.name()));
    let ending = follow(&source, Options::default(), &mut seen)?;
    seen.engine.flush();
    seen.missing.problem.clone_from(&ending.problem);

    let incident = choose(seen.engine.incidents(), args.incident.as_deref())?;
    let mut second = Gathered(Chosen::new(incident, seen.engine.graph()));
    follow(&source, Options::default(), &mut second)?;
    drop(reading);
    let Gathered(chosen) = second;
    seen.missing.truncated = chosen.truncated();
    let others = seen.engine.incidents().iter().filter(|other| other.merged_into.is_none() && other.id != incident.id);
    let account = Account {
        incident,
        others: others.map(|other| (other.id.as_str(), other.name.as_str())).collect(),
        graph: seen.engine.graph(),
        node: &seen.node,
        header: seen.header.as_ref(),
        source: one_line(&spec.name()),
        events: chosen.events.iter().collect(),
        left_out: chosen.left_out,
        missing: seen.missing.clone(),
        source_hash: Some(hash(&spec)?),
    };
    for (id, name) in &account.others {
        say(&format!("not in this report: {id}, {name} (--incident {id})"));
    }
    let text = report::write(&account, args.format);
    match args.output.filter(|path| path != Path::new("-")) {
        Some(path) => {
            std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
            say(&format!("the report is in {}", path.display()));
        }
        None => {
            let mut out = io::stdout().lock();
            out.write_all(text.as_bytes())?;
            out.flush()?;
        }
    }
    Ok(ending.status())
}

/// The incident that was asked for, or the gravest, of those the first.
fn choose<'a>(incidents: &'a [Arc<Incident>], id: Option<&str>) -> Result<&'a Incident, SourceError> {
    if let Some(id) = id {
        let found = incidents.iter().find(|incident| incident.id == id).map(Arc::as_ref);
        let known = || incidents.iter().map(|i| i.id.as_str()).collect::<Vec<_>>().join(", ");
        return found.ok_or_else(|| SourceError::Usage(format!("there is no incident {id:?}; there are: {}", known())));
    }
    let standing = incidents.iter().filter(|incident| incident.merged_into.is_none());
    let gravest = standing.rev().max_by_key(|incident| incident.severity).map(Arc::as_ref);
    gravest
        .ok_or_else(|| SourceError::Failed("there is no incident in it, so that there is nothing to report".to_owned()))
}

fn hash(spec: &Spec) -> anyhow::Result<Hash> {
    let mut hasher = Sha256::new();
    match spec {
        Spec::File(path) => {
            let mut file = File::open(path).with_context(|| format!("reading {}", path.display()))?;
            let mut buffer = vec![0; 1 << 16];
            loop {
                match file.read(&mut buffer)? {
                    0 => break,
                    n => hasher.update(&buffer[..n]),
                }
            }
        }
        Spec::Scenario(scenario) => hasher.update(scenario.recording),
        Spec::Live | Spec::Remote(_) | Spec::Stdin => {}
    }
    let sha256 = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Hash { of: format!("the recording {}", one_line(&spec.name())), sha256 })
}

/// First pass: what there is.
struct Seen {
    engine: Engine,
    node: NodeInfo,
    header: Option<Header>,
    missing: Missing,
}

impl Follower for Seen {
    fn node(&mut self, node: &NodeInfo) -> io::Result<()> {
        self.node = node.clone();
        Ok(())
    }

    fn recording(&mut self, header: &Header) -> io::Result<()> {
        self.header = Some(header.clone());
        Ok(())
    }

    fn batch(&mut self, batch: &Batch) -> io::Result<()> {
        self.missing.lose(&batch.losses);
        for event in &batch.events {
            self.engine.apply(event);
        }
        Ok(())
    }
}

/// Second pass: the events that an incident rests on.
struct Gathered(Chosen);

impl Follower for Gathered {
    fn node(&mut self, _: &NodeInfo) -> io::Result<()> {
        Ok(())
    }

    fn recording(&mut self, _: &Header) -> io::Result<()> {
        Ok(())
    }

    fn batch(&mut self, batch: &Batch) -> io::Result<()> {
        batch.events.iter().for_each(|event| self.0.offer(event));
        Ok(())
    }
}
