//! The picture of an incident.

use std::collections::{HashMap, HashSet};

use lanner_core::detect::{Incident, LinkKind, Occurrence, Severity, Stage, Tie};
use lanner_core::event::{FileId, ProcessKey, StdioKind, Text};
use lanner_core::graph::{Edge, Graph, Relation};

use super::bound::bound;
use super::collapse::collapse;
use super::contract::contract;
use super::gather::{Gather, Times};
use super::sketch::{Entity, Sketch};
use crate::words::text::shown;

/// What an incident's processes did to each other and to the world, with the numbers of its stages.
pub(crate) fn of_incident(incident: &Incident, graph: &Graph) -> Sketch {
    let mut gather = Gather::new(graph);
    for (i, stage) in incident.stages.iter().enumerate() {
        for seq in &stage.evidence {
            gather.evidence.entry(*seq).or_default().push(i + 1);
        }
    }
    let members: HashSet<ProcessKey> = incident.processes.iter().map(|p| p.key).collect();
    let written = written(incident, graph);
    for process in &incident.processes {
        entry(&mut gather, process.key, &members);
        let own = Entity::Process(process.key);
        gather.node(own.clone(), 0);
        if graph.process(process.key).is_none()
            && let Some(node) = gather.node_mut(&own)
        {
            node.title = shown(Text::from(process.exe.file_name()), 40);
            node.ended = true;
        }
        deeds(&mut gather, process.key, &members, &written);
    }
    incident.links.iter().for_each(|link| tie(&mut gather, link));
    for (i, stage) in incident.stages.iter().enumerate() {
        number(&mut gather, stage, i + 1);
    }
    let mut sketch = gather.finish();
    spread(&mut sketch, &incident.stages, graph);
    bound(contract(collapse(sketch)))
}

/// The files that the incident's processes wrote or named, and one of those who did.
fn written(incident: &Incident, graph: &Graph) -> HashMap<FileId, ProcessKey> {
    let mut written = HashMap::new();
    for process in &incident.processes {
        for (node, edge) in did(graph, process.key) {
            if let (Entity::File(id), Relation::Wrote | Relation::Named) = (node, edge.relation) {
                written.insert(id, process.key);
            }
        }
    }
    written
}

/// What a process did, without its runtime's preparations for it.
fn did(graph: &Graph, key: ProcessKey) -> impl Iterator<Item = (Entity, &Edge)> {
    let inside_since = graph.inside_since(key);
    graph.did(&Entity::Process(key)).into_iter().filter(move |(_, edge)| edge.last_seq >= inside_since)
}

/// How a process came to be: by one of the incident, or from outside of it.
fn entry(gather: &mut Gather<'_>, key: ProcessKey, members: &HashSet<ProcessKey>) {
    let graph = gather.graph;
    let Some(process) = graph.process(key) else { return };
    if let Some(parent) = process.parent.filter(|parent| members.contains(parent)) {
        gather.child(parent, key);
        return;
    }
    let own = Entity::Process(key);
    let Some(container) = graph.container_of(key) else {
        // On the host, whoever started it is the way in: a session, a service.
        if let Some(parent) = process.parent.filter(|parent| graph.process(*parent).is_some()) {
            gather.child(parent, key);
            stands_by(gather, &Entity::Process(parent));
        }
        return;
    };
    let of = Entity::Container(container.id.clone());
    let label = if process.entered.is_some() { "entered by" } else { "ran" };
    gather.edge(of.clone(), own, label, Times::once(key.start, process.entered.unwrap_or_default()));
    if let Some(cause) = container.cause.as_ref().filter(|cause| members.contains(&cause.writer)) {
        let writes = graph.did(&Entity::Process(cause.writer));
        let file = writes.into_iter().find_map(|(node, edge)| match node {
            Entity::File(id) if edge.relation == Relation::Wrote => {
                graph.file(id).is_some_and(|file| file.path.file_name() == cause.path.file_name()).then_some(id)
            }
            _ => None,
        });
        let reader = Entity::Process(cause.reader);
        if let Some(file) = file {
            gather.edge(Entity::File(file), reader.clone(), "read by", Times::once(cause.read_at, cause.read));
        }
        gather.edge(reader.clone(), of, "started", Times::once(container.since, container.began.unwrap_or_default()));
        if !members.contains(&cause.reader) {
            stands_by(gather, &reader);
        }
    }
}

fn stands_by(gather: &mut Gather<'_>, entity: &Entity) {
    if let Some(node) = gather.node_mut(entity) {
        node.involved = false;
    }
}

/// What a process did, as far as it tells the story: what it wrote, whom it called, and what it took from others of the
/// incident or a stage speaks of.
fn deeds(
    gather: &mut Gather<'_>,
    key: ProcessKey,
    members: &HashSet<ProcessKey>,
    written: &HashMap<FileId, ProcessKey>,
) {
    let graph = gather.graph;
    let own = Entity::Process(key);
    for (object, edge) in did(graph, key) {
        let is_evidence = [edge.first_seq, edge.last_seq].iter().any(|seq| gather.evidence.contains_key(seq));
        let tells = match (edge.relation, &object) {
            (Relation::Wrote | Relation::Named | Relation::Connected | Relation::Accepted, _) => true,
            (Relation::Read, Entity::File(id)) => is_evidence || written.get(id).is_some_and(|by| *by != key),
            (Relation::Executed, Entity::File(id)) => written.contains_key(id),
            (Relation::Reached, Entity::Process(other)) => members.contains(other),
            (Relation::Traced, _) => true,
            _ => false,
        };
        if tells {
            gather.deed(key, &object, edge);
        }
    }
    let input = |key| graph.process(key).and_then(|p| Some((p.images.last()?, p.images.last()?.image.stdio[0])));
    if let Some((image, stdin)) = input(key)
        && stdin.kind == StdioKind::Pipe
        // What it only inherited, its parent reads.
        && graph.process(key).and_then(|p| p.parent).and_then(input).is_none_or(|(_, of_parent)| of_parent != stdin)
        && let Some(writer) = graph.pipe_writer(stdin.ino, key)
        && members.contains(&writer.key)
    {
        gather.edge(Entity::Process(writer.key), own, "piped to", Times::once(image.since, image.seq));
    }
}

/// Evidence between two processes that nothing drawn shows yet: the graph may have forgotten the file between them.
fn tie(gather: &mut Gather<'_>, tie: &Tie) {
    let label = match tie.kind {
        LinkKind::Traced => "reached into",
        LinkKind::Connected => "called",
        LinkKind::Entered => "entered",
        LinkKind::AskedStarted => "had started",
        LinkKind::WroteStarted => "wrote what started",
        LinkKind::WroteExecuted => "wrote what is",
        LinkKind::WroteLoaded => "wrote code of",
        LinkKind::WroteRead => "wrote for",
        // Lineage is drawn, pipes are where they begin, and a container says little.
        LinkKind::SameProcess | LinkKind::Lineage | LinkKind::Pipe | LinkKind::SameContainer => return,
    };
    let (from, to) = (Entity::Process(tie.from), Entity::Process(tie.to));
    if gather.has(&from) && gather.has(&to) && !gather.is_shown(&from, &to) {
        let seq = tie.evidence.first().copied().unwrap_or_default();
        gather.edge(from, to, label, Times::once(tie.to.start, seq));
    }
}

/// Puts a stage's number on the processes of its times.
fn number(gather: &mut Gather<'_>, stage: &Stage, number: usize) {
    let times = stage.times.iter().map(|time| time.process);
    for key in times.chain([stage.process.key]) {
        if let Some(node) = gather.node_mut(&Entity::Process(key)) {
            mark(&mut node.stages, &mut node.severity, number, stage.severity);
        }
    }
}

fn mark(stages: &mut Vec<usize>, severity: &mut Option<Severity>, number: usize, of: Severity) {
    if !stages.contains(&number) {
        stages.push(number);
        stages.sort_unstable();
    }
    *severity = (*severity).max(Some(of));
}

/// Puts the numbers of stages on the edges that they speak of, and on what those lead to.
fn spread(sketch: &mut Sketch, stages: &[Stage], graph: &Graph) {
    for edge in &mut sketch.edges {
        let (from, to) = (&sketch.nodes[edge.from], &sketch.nodes[edge.to]);
        let (doer, object) = if matches!(from.entity, Entity::Process(_)) { (from, to) } else { (to, from) };
        let is_about = |time: &&Occurrence| match &object.entity {
            Entity::Peer(peer) => time.peer == Some(*peer),
            Entity::File(id) => graph.file(*id).is_some_and(|file| !file.path.is_empty() && file.path == time.file),
            _ => false,
        };
        // A command's words may name a file that the event is not about: what it sends, where it writes.
        let path = match &object.entity {
            Entity::File(id) => graph.file(*id).map(|file| shown(&file.path, 400)).filter(|path| path.len() > 4),
            _ => None,
        };
        for (i, stage) in stages.iter().enumerate() {
            let names = |path: &String| stage.sentence.contains(path.as_str());
            let named = Entity::Process(stage.process.key) == doer.entity && path.as_ref().is_some_and(names);
            let speaks =
                named || stage.times.iter().filter(is_about).any(|t| Entity::Process(t.process) == doer.entity);
            if speaks && !edge.stages.contains(&(i + 1)) {
                edge.stages.push(i + 1);
            }
        }
        edge.stages.sort_unstable();
    }
    for edge in &sketch.edges {
        for number in &edge.stages {
            let Some(stage) = stages.get(number - 1) else { continue };
            // What a process did to a thing is told at the thing; who took part by an edge has its own numbers.
            for end in [edge.from, edge.to] {
                let node = &mut sketch.nodes[end];
                if !matches!(node.entity, Entity::Process(_)) {
                    mark(&mut node.stages, &mut node.severity, *number, stage.severity);
                }
            }
        }
    }
}
