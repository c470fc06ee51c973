//! Leads: evidence that ties a process to another one, which may belong to a case.

use std::net::SocketAddr;
use std::time::Duration;

use super::{LinkKind, Tie, words};
use crate::event::{BootTime, Event, File, FileId, Payload, ProcessKey, StdioKind, Text, UnixAct};
use crate::graph::{Graph, Node, Process, Relation, calls};

/// How long a file that was read ties its reader to its writer.
const READ_HOLDS: Duration = Duration::from_secs(86_400);
/// How long after a local call what the called one does may be its answer.
const CALL_HOLDS: Duration = Duration::from_secs(60);
/// Files of one process that are looked at, the latest.
const MAX_FILES: usize = 32;
/// More than this many programs of different places make what they use everybody's.
const EVERYBODYS: usize = 8;
/// How many daemons of one session stand above it.
const MAX_MAKERS: usize = 4;

/// Evidence between two processes, one of which is asked about.
#[derive(Debug, Clone)]
pub(super) struct Lead {
    pub(super) tie: Tie,
    /// The one that was not asked about.
    pub(super) other: ProcessKey,
    /// It ties only what weighs something by itself.
    pub(super) weak: bool,
}

/// All that ties a process to others, as far as it is known `now`.
pub(super) fn of_process(graph: &Graph, key: ProcessKey, now: BootTime) -> Vec<Lead> {
    let mut leads = Vec::new();
    leads.extend(started(graph, key));
    leads.extend(asked(graph, key));
    leads.extend(serves(graph, key));
    leads.extend(piped(graph, key));
    leads.extend(traced(graph, key));
    leads.extend(executed(graph, key));
    leads.extend(reads(graph, key, now));
    leads.extend(gave(graph, key));
    leads.extend(called(graph, key, now));
    leads
}

/// What this event by itself shows.
pub(super) fn of_event(graph: &Graph, event: &Event) -> Vec<Lead> {
    let (key, seq) = (event.header.process, event.header.seq);
    match &event.payload {
        Payload::Exec(_) => {
            let mut leads = executed(graph, key);
            leads.extend(piped(graph, key));
            leads.extend(started(graph, key));
            leads.extend(asked(graph, key));
            leads.extend(serves(graph, key));
            leads
        }
        Payload::Open(open) if !open.access.write => took(graph, key, open.file.id, seq).into_iter().collect(),
        Payload::Kernel(load) => {
            load.file.iter().filter_map(|file| wrote(graph, LinkKind::WroteLoaded, key, file.id, seq)).collect()
        }
        // Only who the event names: whoever scans a network is connected with too many to be looked through each time.
        Payload::Trace(trace) if graph.traced_by(key).is_some_and(|(_, at)| at == seq) => {
            vec![reached(graph, key, trace.target, seq, key)]
        }
        Payload::Connect(connect) => met(graph, key, graph.other_end(&connect.flow), true, seq),
        Payload::Accept(accept) => met(graph, key, graph.other_end(&accept.flow), false, seq),
        Payload::Unix(unix) if unix.act == UnixAct::Connected => met(graph, key, unix.peer, true, seq),
        _ => Vec::new(),
    }
}

/// Whether many unrelated programs use a file, so that it ties nobody to anybody.
fn is_everybodys(graph: &Graph, file: FileId) -> bool {
    graph.users_of(file, EVERYBODYS + 1) > EVERYBODYS
}

/// Who wrote the file that `key` now took up with the event `seq`.
fn wrote(graph: &Graph, kind: LinkKind, key: ProcessKey, file: FileId, seq: u64) -> Option<Lead> {
    let (writer, written) = graph.last_write(file).filter(|(writer, at)| *writer != key && *at <= seq)?;
    if is_everybodys(graph, file) {
        return None;
    }
    let path = graph.file(file).map(|f| f.path.clone()).unwrap_or_default();
    let (who, by) = (words::process(graph, key), words::process(graph, writer));
    let why = match kind {
        LinkKind::WroteExecuted => format!("{who} runs {path}, which {by} wrote"),
        LinkKind::WroteLoaded => format!("{who} loaded {path}, which {by} wrote"),
        _ => format!("{who} read {path}, which {by} wrote"),
    };
    let tie = Tie {
        kind,
        from: writer,
        to: key,
        object: path,
        delivered_by: delivered_by(graph, writer, written),
        why,
        evidence: vec![written, seq],
    };
    Some(Lead { tie, other: writer, weak: false })
}

/// The remote end that a writer spoke to last before it wrote: where what it wrote may have come from.
fn delivered_by(graph: &Graph, writer: ProcessKey, written: u64) -> Option<SocketAddr> {
    // Its input may come from another that is connected (`curl ... | tee`).
    let fed_by = graph.process(writer).and_then(|p| p.image()).map(|i| i.stdio[0]);
    let feeder = fed_by.filter(|s| s.kind == StdioKind::Pipe).and_then(|s| graph.pipe_writer(s.ino, writer));
    let peer_of = |key: ProcessKey| {
        let did = graph.did_lately(&Node::Process(key), is_spoken_to);
        let peers = did.into_iter().filter_map(|(node, edge)| match node {
            Node::Peer(peer) if edge.first_seq < written => Some((edge.first_seq, peer)),
            _ => None,
        });
        peers.max_by_key(|(seq, _)| *seq).map(|(_, peer)| peer)
    };
    peer_of(writer).or_else(|| peer_of(feeder?.key))
}

fn is_spoken_to(relation: Relation) -> bool {
    matches!(relation, Relation::Connected | Relation::Accepted)
}

fn executed(graph: &Graph, key: ProcessKey) -> Vec<Lead> {
    let Some(process) = graph.process(key) else { return Vec::new() };
    let ran = process.images.iter().rev();
    let files = ran.flat_map(|r| r.image.script.iter().chain([&r.image.exe]).map(|file| (file.id, r.seq)));
    files.filter_map(|(file, seq)| wrote(graph, LinkKind::WroteExecuted, key, file, seq)).collect()
}

/// What a read ties who wrote the file with.
pub(super) fn kind_of_read(graph: &Graph, key: ProcessKey, file: FileId, path: &Text) -> LinkKind {
    if is_code_for(graph, key, file, path) { LinkKind::WroteLoaded } else { LinkKind::WroteRead }
}

/// A file that `key` read: as a script, a library, or whatever it was.
fn took(graph: &Graph, key: ProcessKey, file: FileId, seq: u64) -> Option<Lead> {
    let path = graph.file(file).map(|f| f.path.clone()).unwrap_or_default();
    let kind = kind_of_read(graph, key, file, &path);
    wrote(graph, kind, key, file, seq)
}

/// Whether a process runs what it reads: its interpreter was given the file by name, or it is a library.
pub(super) fn is_code_for(graph: &Graph, key: ProcessKey, file: FileId, path: &Text) -> bool {
    let name = path.file_name();
    if name.ends_with(b".so") || name.windows(4).any(|w| w == b".so.") || *path == *"/etc/ld.so.preload" {
        return true;
    }
    let Some(process) = graph.process(key) else { return false };
    // A script may have another name by now: it is known by what it was opened as.
    let is_script = |script: &File| script.id == file || calls(&script.path, path);
    process.images.last().is_some_and(|running| running.given == Some(file))
        || process.image().is_some_and(|image| image.script.as_ref().is_some_and(is_script))
        || process.is_given(path)
}

fn reads(graph: &Graph, key: ProcessKey, now: BootTime) -> Vec<Lead> {
    let did = graph.did_lately(&Node::Process(key), |relation| relation == Relation::Read);
    let mut read: Vec<(u64, FileId)> = did
        .into_iter()
        .filter_map(|(node, edge)| match node {
            Node::File(file) if now.since(edge.last) <= READ_HOLDS => Some((edge.last_seq, file)),
            _ => None,
        })
        .collect();
    read.sort_unstable();
    read.into_iter().rev().take(MAX_FILES).filter_map(|(seq, file)| took(graph, key, file, seq)).collect()
}

/// Who runs what `key` wrote.
fn gave(graph: &Graph, key: ProcessKey) -> Vec<Lead> {
    let mut leads = Vec::new();
    for file in graph.made_and_called(key).0.into_iter().rev().take(MAX_FILES) {
        if graph.last_write(file).is_none_or(|(writer, _)| writer != key) || is_everybodys(graph, file) {
            continue;
        }
        let ran = graph.done_to_lately(&Node::File(file), |relation| relation == Relation::Executed);
        for (node, edge) in ran.into_iter().take(MAX_FILES) {
            if let Node::Process(other) = node
                && other != key
                && let Some(lead) = wrote(graph, LinkKind::WroteExecuted, other, file, edge.last_seq)
            {
                leads.push(Lead { other, ..lead });
            }
        }
    }
    leads
}

/// What ties the one that let this session in: who logs in with a planted key does what the planter wants.
pub(super) fn of_session(graph: &Graph, key: ProcessKey, now: BootTime) -> Vec<Lead> {
    let origin = graph.origin_of(key);
    let above = |key| graph.process(key).and_then(|p| p.parent).and_then(|parent| graph.process(parent));
    // A daemon that was started by its like has this one session; the first of them has all.
    let is_of_session =
        |maker: &Process| is_door(maker.name()) && above(maker.key).is_some_and(|first| is_door(first.name()));
    let Some(mut maker) = above(origin) else { return Vec::new() };
    let mut leads = scheduled(graph, maker, origin, now);
    for _ in 0..MAX_MAKERS {
        if !is_of_session(maker) {
            break;
        }
        leads.extend(reads(graph, maker.key, now));
        let Some(next) = above(maker.key) else { break };
        maker = next;
    }
    for lead in leads.iter_mut().filter(|lead| !lead.weak) {
        lead.tie.why += &format!("; it let {} in", words::process(graph, origin));
        lead.tie.to = origin;
    }
    leads
}

/// Who wrote the tables that a scheduler read before it started a job. Which table the job stands in is not seen, so that this
/// ties only what weighs something.
fn scheduled(graph: &Graph, maker: &Process, job: ProcessKey, now: BootTime) -> Vec<Lead> {
    if !is_scheduler(maker.name()) {
        return Vec::new();
    }
    let daemons = std::iter::once(maker).chain(graph.ancestors(maker.key)).take_while(|p| is_scheduler(p.name()));
    let mut leads: Vec<Lead> = daemons.flat_map(|daemon| reads(graph, daemon.key, now)).collect();
    let is_table = |path: &Text| {
        path.as_bytes().windows(5).any(|w| w == b"/cron") || path.as_bytes().windows(4).any(|w| w == b"/at/")
    };
    let began = graph.process(job).and_then(|p| p.images.first()).map_or(0, |r| r.seq);
    leads.retain(|lead| is_table(&lead.tie.object) && lead.tie.evidence.iter().all(|seq| *seq <= began));
    for lead in &mut leads {
        lead.weak = true;
        lead.tie.kind = LinkKind::WroteStarted;
        lead.tie.why += &format!("; {} is a job that it started since", words::process(graph, job));
        lead.tie.to = job;
    }
    leads
}

fn is_scheduler(name: &[u8]) -> bool {
    [b"cron".as_slice(), b"crond", b"atd", b"anacron"].contains(&name)
}

/// Daemons that let people in, one process for each.
fn is_door(name: &[u8]) -> bool {
    [b"sshd".as_slice(), b"sshd-session", b"sshd-auth", b"dropbear", b"login"].contains(&name)
}

fn started(graph: &Graph, key: ProcessKey) -> Option<Lead> {
    let container = graph.container_of(key)?;
    let cause = container.cause.as_ref()?;
    let after = words::duration(container.since.since(cause.read_at));
    let why = format!(
        "{} wrote {}; {} read it and {} started {after} later",
        words::process(graph, cause.writer),
        cause.path,
        words::process(graph, cause.reader),
        words::container(graph, &container.id),
    );
    let tie = Tie {
        kind: LinkKind::WroteStarted,
        from: cause.writer,
        to: container.root,
        object: cause.path.clone(),
        delivered_by: delivered_by(graph, cause.writer, cause.written),
        why,
        evidence: [Some(cause.written), Some(cause.read), container.began].into_iter().flatten().collect(),
    };
    Some(Lead { tie, other: cause.writer, weak: false })
}

/// Who wrote the definition of the service that `key` is, or is part of.
pub(super) fn serves(graph: &Graph, key: ProcessKey) -> Option<Lead> {
    let unit = graph.unit_of(key)?;
    let origin = graph.origin_of(key);
    let (writer, written) = graph.last_write(unit)?;
    // What ran before it was written was not started because of it; nor did the writer start because of itself.
    let began = graph.process(origin)?.images.first()?.seq;
    if began < written || graph.descends(writer, origin) {
        return None;
    }
    let path = graph.file(unit)?.path.clone();
    let why = format!(
        "{} wrote {path}; {} runs as that service",
        words::process(graph, writer),
        words::process(graph, origin)
    );
    let tie = Tie {
        kind: LinkKind::WroteStarted,
        from: writer,
        to: origin,
        object: path,
        delivered_by: delivered_by(graph, writer, written),
        why,
        evidence: vec![written, began],
    };
    Some(Lead { tie, other: writer, weak: false })
}

fn asked(graph: &Graph, key: ProcessKey) -> Option<Lead> {
    let container = graph.container_of(key)?;
    let ask = container.asked.as_ref().filter(|ask| ask.by != key)?;
    let after = words::duration(container.since.since(ask.time));
    let why = format!(
        "{} spoke to {}; {} started {after} later",
        words::process(graph, ask.by),
        ask.socket,
        words::container(graph, &container.id),
    );
    let tie = Tie {
        kind: LinkKind::AskedStarted,
        from: ask.by,
        to: container.root,
        object: ask.socket.clone(),
        delivered_by: None,
        why,
        evidence: [Some(ask.seq), container.began.filter(|seq| *seq > 0)].into_iter().flatten().collect(),
    };
    Some(Lead { tie, other: ask.by, weak: false })
}

fn piped(graph: &Graph, key: ProcessKey) -> Option<Lead> {
    let stdin = graph.process(key)?.image()?.stdio[0];
    if stdin.kind != StdioKind::Pipe {
        return None;
    }
    let writer = graph.pipe_writer(stdin.ino, key)?;
    let why = format!("{} reads what {} writes", words::process(graph, key), words::process(graph, writer.key));
    let tie = Tie {
        kind: LinkKind::Pipe,
        from: writer.key,
        to: key,
        object: Text::empty(),
        delivered_by: None,
        why,
        evidence: writer.images.last().map(|r| r.seq).into_iter().collect(),
    };
    Some(Lead { tie, other: writer.key, weak: false })
}

/// One reached into the other; one of them is asked about.
fn reached(graph: &Graph, by: ProcessKey, into: ProcessKey, seq: u64, asked_about: ProcessKey) -> Lead {
    let why = format!("{} reached into {}", words::process(graph, by), words::process(graph, into));
    let (kind, object, evidence) = (LinkKind::Traced, Text::empty(), vec![seq]);
    let tie = Tie { kind, from: by, to: into, object, delivered_by: None, why, evidence };
    Lead { tie, other: if by == asked_about { into } else { by }, weak: false }
}

/// What a process does after another reached into it may be the other's doing; and who reached into a process of a case
/// has a part in it.
fn traced(graph: &Graph, key: ProcessKey) -> Vec<Lead> {
    let by = graph.tracer_of(key).map(|(by, seq)| reached(graph, by, key, seq, key));
    let into = graph.traced_by(key).map(|(into, seq)| reached(graph, key, into, seq, key));
    by.into_iter().chain(into).collect()
}

fn call(graph: &Graph, client: ProcessKey, server: ProcessKey, seq: u64, other: ProcessKey) -> Lead {
    let why = format!("{} called {}", words::process(graph, client), words::process(graph, server));
    let (kind, object) = (LinkKind::Connected, Text::empty());
    let tie = Tie { kind, from: client, to: server, object, delivered_by: None, why, evidence: vec![seq] };
    Lead { tie, other, weak: false }
}

/// A server that everybody calls answers for nobody.
fn serves_all(graph: &Graph, server: ProcessKey) -> bool {
    graph.is_supervisor(server) || graph.clients_of(server, EVERYBODYS + 1) > EVERYBODYS
}

/// The other end of a connection, if it is on this node.
fn met(graph: &Graph, key: ProcessKey, other: Option<ProcessKey>, calls: bool, seq: u64) -> Vec<Lead> {
    let Some(other) = other.filter(|other| *other != key) else { return Vec::new() };
    let (client, server) = if calls { (key, other) } else { (other, key) };
    if serves_all(graph, server) { Vec::new() } else { vec![call(graph, client, server, seq, other)] }
}

/// Calls between `key` and others of this node, a little while ago.
fn called(graph: &Graph, key: ProcessKey, now: BootTime) -> Vec<Lead> {
    let node = Node::Process(key);
    let mut leads = Vec::new();
    let is_call = |relation| relation == Relation::Reached;
    for (other, edge) in graph.did_lately(&node, is_call) {
        if let Node::Process(server) = other
            && now.since(edge.last) <= CALL_HOLDS
            && !serves_all(graph, server)
        {
            leads.push(call(graph, key, server, edge.last_seq, server));
        }
    }
    for (other, edge) in graph.done_to_lately(&node, is_call) {
        if let Node::Process(client) = other
            && now.since(edge.last) <= CALL_HOLDS
            && !serves_all(graph, key)
        {
            leads.push(call(graph, client, key, edge.last_seq, client));
        }
    }
    leads
}
